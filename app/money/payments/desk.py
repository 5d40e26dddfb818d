"""What the cash desk shows of the children standing at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app.core import clock
from app.core.formats import month, number
from app.core.i18n import language
from app.core.money import Vnd
from app.money import billing
from app.money.billing.sentences import unit_word
from app.money.payments import cash, queries
from app.money.payments.queries import DeskChild, PaymentRow
from app.people.schools import school_info


@dataclass(frozen=True, slots=True)
class DeskLine:
    """An open line with its words."""

    id: int
    name: str
    detail: str
    open: Vnd
    is_part: bool


@dataclass(frozen=True, slots=True)
class DeskBill:
    """An open bill of a child."""

    title: str
    lines: tuple[DeskLine, ...]


@dataclass(frozen=True, slots=True)
class DeskFamily:
    """A child at the desk: its open bills and the requests its money goes to."""

    child: DeskChild
    bills: tuple[DeskBill, ...]
    requests: tuple[billing.Request, ...]
    credit: Vnd


@dataclass(frozen=True, slots=True)
class Desk:
    """One payment about to be made, for one child or several of a family."""

    school_id: int
    families: tuple[DeskFamily, ...]
    #: brothers and sisters who are not at the desk yet
    siblings: tuple[DeskChild, ...]
    due: Vnd
    payer: str
    #: unknown transfers of just this amount
    lookalikes: tuple[PaymentRow, ...]
    has_card_attempt: bool
    next_number: str

    @property
    def codes(self) -> tuple[str, ...]:
        """The children at the desk, in order."""
        return tuple(family.child.code for family in self.families)

    @property
    def quick(self) -> list[Vnd]:
        """What payers usually hand over."""
        return cash.quick_amounts(self.due)

    @property
    def rounded(self) -> Vnd:
        """The amount in notes."""
        return cash.rounded_up(self.due)

    @property
    def credit_family(self) -> DeskFamily:
        """Whose credit an amount above the ticked lines becomes: the last child's."""
        return next((f for f in reversed(self.families) if f.requests), self.families[-1])

    def requests_for(self, ticked: Sequence[int], *, keep_rest: bool) -> list[billing.Request]:
        """The requests of the ticked lines, paid meanwhile or not; the one that keeps a rest last.

        A line of nobody at the desk is left to the service to refuse.
        """
        owners = queries.owners_of_lines(self.school_id, ticked)
        wanted = {owners[line] for line in ticked if line in owners}
        found = [
            request
            for family in self.families
            for request in family.requests
            if (request.student_id, request.bank_account_id) in wanted
        ]
        last = self.credit_family
        if last.requests and (not found or keep_rest):
            own = [r for r in found if r.student_id == last.child.student_id]
            keeper = (own or list(last.requests))[-1]
            found = [request for request in found if request != keeper] + [keeper]
        return found


def open_desk(school_id: int, codes: Sequence[str], now: datetime) -> Desk | None:
    """The children with these codes at the desk; None when the first one is not of this school."""
    today = clock.local_day(now)
    children = [queries.find_child(school_id, code) for code in dict.fromkeys(codes)]
    here = [child for child in children if child is not None]
    if not here:
        return None
    families = tuple(_family(school_id, child) for child in here)
    due = Vnd(sum(child.due.dong for child in here))
    at_desk = {child.student_id for child in here}
    siblings = [
        child
        for child in queries.siblings_of(school_id, here[0].student_id, today)
        if child.student_id not in at_desk
    ]
    return Desk(
        school_id=school_id,
        families=families,
        siblings=tuple(siblings),
        due=due,
        payer=queries.usual_payer(here[0].student_id, today),
        lookalikes=tuple(queries.suspense_of_amount(school_id, due)) if due else (),
        has_card_attempt=queries.has_open_card_attempt(school_id, at_desk, now),
        next_number=_next_number(school_id, today),
    )


def _family(school_id: int, child: DeskChild) -> DeskFamily:
    bills = [
        bill for bill in billing.invoices_of(school_id, child.student_id) if bill.open.dong > 0
    ]
    requests = billing.requests_of(school_id, child.student_id)
    open_lines = [
        line
        for line in billing.lines_of(school_id, [bill.id for bill in bills])
        if line.open.dong > 0
    ]
    in_order = sorted(bills, key=lambda bill: (bill.due_on, bill.id))
    return DeskFamily(
        child=child,
        bills=tuple(
            DeskBill(
                title=month(bill.billed_period),
                lines=tuple(_line(line) for line in open_lines if line.invoice_id == bill.id),
            )
            for bill in in_order
        ),
        requests=tuple(requests),
        credit=billing.credits_of(school_id, [child.student_id]).get(child.student_id, Vnd(0)),
    )


def _line(line: billing.BilledLine) -> DeskLine:
    words = []
    if line.quantity > 1:
        words.append(f"{line.quantity} {unit_word(line.unit)} × {number(line.price)}")
    if line.percent:
        words.append(_("%(percent)s%% off", percent=line.percent))
    if line.open < line.amount:
        words.append(_("%(paid)s paid", paid=number(line.amount - line.open)))
    return DeskLine(
        id=line.id,
        name=line.name_en if language() == "en" else line.name,
        detail=", ".join(words),
        open=line.open,
        is_part=line.open < line.amount,
    )


def _next_number(school_id: int, today: date) -> str:
    series = f"{school_info(school_id, today).code}-{today.year % 100:02d}"
    return f"{series} / {queries.next_receipt_number(school_id, series):06d}"
