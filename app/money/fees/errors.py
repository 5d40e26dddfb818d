"""What the fees' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class ScheduleNotFound(NotFound):
    """No such fee schedule in this school."""

    code = "schedule_not_found"


class ItemNotFound(NotFound):
    """No such item in the catalogue."""

    code = "fee_item_not_found"

    def default_message(self) -> str:
        return _("This fee item is not in the catalogue.")


class PolicyNotFound(NotFound):
    """No such exemption policy."""

    code = "policy_not_found"


class ChoiceNotFound(NotFound):
    """No such open choice in this school."""

    code = "choice_not_found"


class ExemptionNotFound(NotFound):
    """No such open exemption in this school."""

    code = "exemption_not_found"


class RuleNotFound(NotFound):
    """No such rule by the day at this school."""

    code = "day_rule_not_found"


class StrangeEnrolment(Invalid):
    """A grant or a choice names a stay of another school."""

    code = "strange_enrolment"

    def default_message(self) -> str:
        return _("One of the pupils is not enrolled at your school.")


class ItemExists(Refused):
    """Item codes are unique in the area."""

    code = "fee_item_exists"


class BadItem(Invalid):
    """An item that cannot stand in the catalogue."""

    code = "bad_fee_item"


class CapExists(Refused):
    """One cap an item, level and first day."""

    code = "fee_cap_exists"

    def default_message(self) -> str:
        return _("This item already has a cap that begins on this day or later.")


class BadPrice(Invalid):
    """A quantity, price, month or audience that cannot be used."""

    code = "bad_price"


class BadMonths(Invalid):
    """A span of months that ends before it begins."""

    code = "bad_months"

    def default_message(self) -> str:
        return _("The last month lies before the first month.")


class RuleStands(BadMonths):
    """A rule by the day from the same month on, or from a later one, stands already."""

    code = "day_rule_stands"

    def default_message(self) -> str:
        return _(
            "From this month or a later one there is a rule already. Take it back or end it first."
        )


class BadPolicy(Invalid):
    """A policy without rates, or with an impossible one."""

    code = "bad_policy"


class PolicyExists(Refused):
    """Policy codes are unique in the area."""

    code = "policy_exists"


class ReasonMissing(Invalid):
    """A return needs words the accountant can act on."""

    code = "return_reason_missing"

    def default_message(self) -> str:
        return _("Say in at least 10 characters what should be changed.")


class DraftAlreadyOpen(Refused):
    """One schedule of a school year is worked on at a time."""

    code = "draft_already_open"

    def default_message(self) -> str:
        return _("There is already a version of this school year that waits to be finished.")


class NotADraft(Refused):
    """Prices change only while nobody relies on them."""

    code = "schedule_not_draft"

    def default_message(self) -> str:
        return _("Only a draft can be changed. Copy this version to a new draft first.")


class NotEndorsed(Refused):
    """The unit above is asked only after the principal approved."""

    code = "schedule_not_endorsed"

    def default_message(self) -> str:
        return _("This plan does not wait for your consent. The principal approves it first.")


class BadPlan(Invalid):
    """Something of a plan of the year that cannot be."""

    code = "bad_plan"


class NothingToCopy(Refused):
    """The year before has no approved schedule."""

    code = "no_schedule_to_copy"

    def default_message(self) -> str:
        return _("The school year before has no approved prices to copy.")


class NotSubmitted(Refused):
    """There is nothing to decide yet, or it was decided."""

    code = "schedule_not_submitted"

    def default_message(self) -> str:
        return _("This version does not wait for a decision.")


class NotApproved(Refused):
    """Only an approved version is the start of the next."""

    code = "schedule_not_approved"

    def default_message(self) -> str:
        return _("Only an approved version can be copied. Change the open draft instead.")


class EmptySchedule(Refused):
    """A schedule without prices asks for nothing."""

    code = "schedule_empty"

    def default_message(self) -> str:
        return _("Add at least one price first.")


class SamePerson(Refused):
    """Whoever drafted does not approve."""

    code = "maker_is_checker"

    def default_message(self) -> str:
        return _("You worked on this version yourself, so somebody else has to approve it.")


class PriceAboveCap(Refused):
    """A price exceeds the ceiling valid in its month."""

    code = "price_above_cap"


class ItemOutOfDates(Refused):
    """A price stands in a month in which its item is not in force."""

    code = "item_out_of_dates"


class NotChargeable(Refused):
    """Sponsorship and the parents' fund have no price per child."""

    code = "item_not_chargeable"


class AlreadyGranted(Refused):
    """The same policy or choice twice in one month."""

    code = "already_granted"


class NotOptional(Refused):
    """Nobody chooses what everybody is charged."""

    code = "item_not_optional"


class ForbiddenCharge(Refused):
    """The law lets no school charge this, unless an act is named that does."""

    code = "forbidden_charge"


class RateExists(Refused):
    """Rates are superseded, never overwritten."""

    code = "insurance_rate_exists"

    def default_message(self) -> str:
        return _("There is a rate from this day or a later one. A new rate begins after it.")


class TooLateToWithdraw(Refused):
    """A yes is taken back until a day; later with a reason."""

    code = "too_late_to_withdraw"


class BadGift(Invalid):
    """A gift that cannot be recorded."""

    code = "bad_gift"


class BadScan(Invalid):
    """The scan is no paper we keep."""

    code = "consent_scan_refused"

    def default_message(self) -> str:
        return _("Hand in a PDF, JPEG or PNG of at most 5 MB.")


class ScanNotFound(NotFound):
    """No such scan at this school."""

    code = "consent_scan_not_found"
