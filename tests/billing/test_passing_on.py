"""Money of others that went to them is not the school's to give back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.money import billing, fees
from app.money.billing import corrections, passing_on
from app.money.billing.errors import AlreadyPassedOn, BadBatch, BatchNotFound, NothingToBill
from app.money.fees import Category, FeeUnit
from app.people import students
from app.people.access import Role
from tests.factories.billing import EARLY, IN_DECEMBER, NOVEMBER, amounts, breaches, issue
from tests.factories.fees import approved_schedule, make_item, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, MadeSchool, make_school
from tests.factories.staff import set_clock, signed_in, token, words

MONTH_DONG = 56_925
WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": EARLY}
GIVEN: dict[str, Any] = {
    "passed_on": date(2026, 11, 1),
    "recipient": "BHXH (minh họa)",
    "paper_no": "UNC 7",
    **WHO,
}
WHY = "ngân hàng trả lại lệnh chi"


class Insured:
    """Two children billed for twelve months of insurance each in November."""

    def __init__(self) -> None:
        self.school: MadeSchool = make_school()
        self.item = make_item(
            self.school,
            name="BHYT minh họa",
            category=Category.COLLECT_FOR,
            unit=FeeUnit.MONTH,
            is_compulsory=True,
        )
        self.water = make_item(self.school, name="Nước uống", is_compulsory=True)
        approved_schedule(
            self.school,
            [price(self.item, MONTH_DONG, quantity=12), price(self.water, 16_000)],
        )
        class_id = make_class(self.school)
        self.children = enrol(
            self.school, new_student(class_id, "Lê An"), new_student(class_id, "Lê Bình")
        )

    def does(self, deed: Any, *arguments: Any, **values: Any) -> Any:
        with scope.opened(scope.one_school(self.school.id)), transaction():
            return deed(self.school.id, *arguments, **values)

    def months(self, number: int, quantity: int) -> None:
        stay = self.children[number].enrolment_id
        own = fees.OwnQuantity(stay, self.item, NOVEMBER, quantity, "đã có thẻ khác")
        self.does(fees.set_quantities, [own], **WHO)

    def billed(self, number: int) -> int:
        found = amounts(self.school.id, self.children[number].student_id)
        return found[self.item, NOVEMBER.number]

    def pass_on(self, *numbers: int, **changes: Any) -> int:
        stays = [self.children[number].enrolment_id for number in numbers]
        return int(self.does(passing_on.pass_on, self.item, NOVEMBER, stays, **GIVEN | changes))


@pytest.fixture
def made(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Insured]:
    set_clock(monkeypatch, EARLY)
    here = Insured()
    issue(here.school.id)
    yield here
    assert breaches() == {}


def test_months_the_insurer_has_are_not_refunded_by_a_run(made: Insured) -> None:
    made.pass_on(0)
    for number in (0, 1):
        made.months(number, 3)
    issue(made.school.id)
    assert made.billed(0) == 12 * MONTH_DONG  # with the insurer: nothing comes back by itself
    assert made.billed(1) == 3 * MONTH_DONG  # still the school's: the next bill gives it back
    with pytest.raises(NothingToBill):
        issue(made.school.id)


def test_more_months_are_billed_all_the_same(made: Insured) -> None:
    made.pass_on(0)
    made.months(0, 13)
    issue(made.school.id)
    assert made.billed(0) == 13 * MONTH_DONG


def test_a_child_that_leaves_keeps_its_months(made: Insured) -> None:
    made.pass_on(0)
    made.does(
        students.end_enrolment,
        made.children[0].enrolment_id,
        ends_on=date(2026, 11, 1),
        reason="mistake",
        actor=ACCOUNTANT,
        now=IN_DECEMBER,
    )
    issue(made.school.id)
    found = amounts(made.school.id, made.children[0].student_id)
    assert found[made.item, NOVEMBER.number] == 12 * MONTH_DONG
    assert found[made.water, NOVEMBER.number] == 0


def test_a_record_taken_back_lets_the_rules_hold_again(made: Insured) -> None:
    batch = made.pass_on(0, 1)
    made.months(0, 3)
    with pytest.raises(NothingToBill):
        issue(made.school.id)
    with pytest.raises(BadBatch):
        made.does(passing_on.cancel_batch, batch, reason="sai", **WHO)
    made.does(passing_on.cancel_batch, batch, reason=WHY, **WHO)
    with pytest.raises(BadBatch):
        made.does(passing_on.cancel_batch, batch, reason=WHY, **WHO)
    with pytest.raises(BatchNotFound):
        made.does(passing_on.cancel_batch, batch + 99, reason=WHY, **WHO)
    issue(made.school.id)
    assert made.billed(0) == 3 * MONTH_DONG
    made.pass_on(0)


def test_a_bill_that_went_on_in_part_is_not_withdrawn(made: Insured) -> None:
    batch = made.pass_on(0)
    with scope.opened(scope.one_school(made.school.id)):
        (bill,) = billing.invoices_of(made.school.id, made.children[0].student_id)
    withdrawn: dict[str, Any] = {"reason": WHY, "due_on": date(2026, 12, 31), **WHO}
    with pytest.raises(AlreadyPassedOn):
        made.does(corrections.withdraw, bill.id, **withdrawn)
    made.does(passing_on.cancel_batch, batch, reason=WHY, **WHO)
    assert made.does(corrections.withdraw, bill.id, **withdrawn).replacement_id


def test_what_cannot_be_passed_on_is_refused(made: Insured) -> None:
    made.pass_on(0)
    for numbers, changes in (
        ((), {}),
        ((0,), {}),
        ((1,), {"recipient": " "}),
        ((1,), {"passed_on": date(2026, 11, 3)}),
    ):
        with pytest.raises(BadBatch):
            made.pass_on(*numbers, **changes)
    with pytest.raises(BadBatch):
        made.does(passing_on.pass_on, made.water, NOVEMBER, [1], **GIVEN)
    made.months(1, 0)
    issue(made.school.id)
    with pytest.raises(BadBatch):
        made.pass_on(1)


def test_the_accountant_sees_what_is_held_and_records_what_went(
    context: Flask, made: Insured
) -> None:
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    overview = words(clerk.get("/passed-on"))
    assert "BHYT minh họa" in overview and "1.366.200" in overview and "Nước" not in overview
    address = f"/passed-on/{made.item}/2026-11"
    page = clerk.get(address)
    assert "Lê An" in page.text
    form = {
        "csrf_token": token(page),
        "child": [str(child.enrolment_id) for child in made.children],
        "passed_on": "2026-11-01",
        "recipient": "BHXH (minh họa)",
    }
    assert clerk.post(address, data=form | {"passed_on": "mai"}).status_code == 422
    assert clerk.post(address, data=form).status_code == 303
    assert "đã chuyển" in clerk.get(address).text
    with scope.opened(scope.one_school(made.school.id)):
        (line,) = passing_on.collected(made.school.id)
        (batch,) = passing_on.batches_of(made.school.id, made.item, NOVEMBER)
    # Nobody has paid yet: the school paid ahead.
    assert (line.passed, line.held) == (Vnd(24 * MONTH_DONG), Vnd(-24 * MONTH_DONG))
    back = {"csrf_token": form["csrf_token"], "reason": WHY}
    assert clerk.post(f"{address}/{batch.id}/cancel", data=back).status_code == 303
    assert WHY in clerk.get(address).text
    for wrong in ("/passed-on/999999/2026-11", f"/passed-on/{made.item}/lúc nào"):
        assert clerk.get(wrong).status_code == 404
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL)
    form["csrf_token"] = token(principal.get(address))
    assert principal.post(address, data=form).status_code == 403
