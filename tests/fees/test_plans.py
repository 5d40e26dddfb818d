"""The plan of a school year: estimate, parents, principal, unit above, and the public page."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app.core import papers, scope
from app.core.db import execute, rows, scalar, transaction
from app.core.model import db
from app.core.money import Vnd, half_up, total_of
from app.core.period import Period
from app.money import billing, fees
from app.money.billing.routes import default_due
from app.money.fees import Category, catalogue, plans, queries, services
from app.money.fees.errors import (
    BadPlan,
    DraftAlreadyOpen,
    NotADraft,
    NotEndorsed,
    NothingToCopy,
    SamePerson,
)
from app.money.fees.invariants import INVARIANTS
from app.people.access import Role
from app.people.schools.models import SchoolYear
from tests.factories.fees import NOVEMBER, approved_schedule, choose, make_draft, make_item, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool, make_school, make_unit
from tests.factories.staff import set_clock, signed_in, token, visitor, words

PDF = b"%PDF-1.7\nbien ban minh hoa"
TODAY = NOON.date()
OFFICER = type(ACCOUNTANT)("Võ Chuyên Viên", "officer", None)
WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}


@pytest.fixture
def school(app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[MadeSchool]:
    set_clock(monkeypatch)
    yield make_school()
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def does(school: MadeSchool, deed: Any, *arguments: Any, **values: Any) -> Any:
    with scope.opened(scope.one_school(school.id)), transaction():
        return deed(school.id, *arguments, **WHO | values)


def seen(school: MadeSchool, schedule: int) -> queries.Schedule:
    with scope.opened(scope.one_school(school.id)):
        return queries.get_schedule(school.id, schedule)


def estimate(school: MadeSchool, schedule: int) -> list[plans.Estimate]:
    with scope.opened(scope.one_school(school.id)):
        return plans.estimates(queries.get_schedule(school.id, schedule), TODAY)


def next_year() -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        known = scalar("select id from school_years where code = '2027-2028'")
        return int(
            known
            or db.session.scalar(
                insert(SchoolYear)
                .values(code="2027-2028", starts_on=date(2027, 9, 1), ends_on=date(2028, 5, 31))
                .returning(SchoolYear.id)
            )
            or 0
        )


# The estimate


def test_income_is_counted_by_the_pupils_of_each_class(school: MadeSchool) -> None:
    small, large = make_class(school, "3/1", 3), make_class(school, "4/1", 4)
    enrol(school, *[new_student(small, f"Lê {i}") for i in range(2)])
    enrol(school, *[new_student(large, f"Vũ {i}") for i in range(6)])
    item = make_item(school)
    draft = make_draft(
        school,
        [
            price(item, 100_000),
            price(item, 50_000, audience="grade:4"),
            price(item, 40_000, audience=f"class:{small}", period=Period(2026, 12), quantity=2),
            price(item, 10_000, period=Period(2026, 12)),
        ],
    )
    # November: 2 × 100,000 + 6 × 50,000; December: 2 × 2 × 40,000 + 6 × 10,000
    (found,) = estimate(school, draft)
    assert (found.income, found.a_pupil, found.pupils, found.months) == (
        Vnd(720_000),
        Vnd(90_000),
        8,
        2,
    )
    does(school, plans.set_takers, draft, item_id=item, pupils=3)
    does(school, plans.set_takers, draft, item_id=item, pupils=4)
    (found,) = estimate(school, draft)
    assert (found.income, found.is_expected) == (Vnd(360_000), True)


def test_income_needs_no_class_to_be_estimated(school: MadeSchool) -> None:
    item = make_item(school)
    draft = make_draft(school, [price(item, 100_000), price(item, 30_000, period=Period(2027, 1))])
    does(school, plans.set_takers, draft, item_id=item, pupils=10)
    assert [one.income for one in estimate(school, draft)] == [Vnd(1_300_000)]


def test_costs_stand_beside_what_comes_in(school: MadeSchool) -> None:
    item = make_item(school)
    draft = make_draft(school, [price(item, 100_000)])
    does(school, plans.set_takers, draft, item_id=item, pupils=10)
    does(school, plans.add_cost, draft, item_id=item, words="Điện", amount=Vnd(700_000))
    does(school, plans.add_cost, draft, item_id=item, words="Bảo trì", amount=Vnd(400_000))
    (found,) = estimate(school, draft)
    assert (found.cost, found.left) == (Vnd(1_100_000), Vnd(-100_000))
    does(school, plans.remove_cost, draft, found.costs[1].id)
    does(school, plans.remove_cost, draft, found.costs[1].id)
    assert [one.left for one in estimate(school, draft)] == [Vnd(300_000)]
    for changes in ({"words": " "}, {"amount": Vnd(0)}, {"amount": Vnd(-5)}):
        with pytest.raises(BadPlan):
            does(
                school,
                plans.add_cost,
                draft,
                **{"item_id": item, "words": "x", "amount": Vnd(1)} | changes,
            )
    with pytest.raises(BadPlan):
        does(school, plans.set_takers, draft, item_id=item, pupils=-1)


def test_the_average_is_one_division_rounded_half_up() -> None:
    rng = random.Random(7)
    for _ in range(500):
        top, bottom = rng.randrange(10**12), rng.randrange(1, 10**6)
        whole, rest = divmod(top, bottom)
        assert half_up(top, bottom) == whole + (2 * rest >= bottom)


# The parents' agreement


def test_the_newest_agreement_counts_and_older_ones_stay(school: MadeSchool) -> None:
    draft = make_draft(school, [price(make_item(school), 1_000)])
    given: dict[str, Any] = {
        "held_on": date(2026, 9, 6),
        "minutes_no": "01/BB",
        "asked": 40,
        "agreed": 25,
        "content": b"",
    }
    does(school, plans.record_agreement, draft, **given)
    does(school, plans.record_agreement, draft, **given | {"agreed": 39, "content": PDF})
    with scope.opened(scope.one_school(school.id)):
        newest, first = plans.agreements(school.id, draft)
        assert (newest.percent, newest.has_paper, first.percent, first.has_paper) == (
            97,
            True,
            62,
            False,
        )
        assert plans.agreement_paper(school.id, draft, newest.id) == ("application/pdf", PDF)
        with pytest.raises(BadPlan):
            plans.agreement_paper(school.id, draft, first.id)
    for wrong in (
        {"agreed": 41},
        {"asked": 0, "agreed": 0},
        {"agreed": -1},
        {"held_on": date(2026, 11, 25)},
        {"content": b"<html>"},
        {"content": PDF + b"x" * papers.MOST},
    ):
        with pytest.raises(BadPlan):
            does(school, plans.record_agreement, draft, **given | wrong)
    with (
        pytest.raises(IntegrityError),
        scope.opened(scope.EVERY_SCHOOL),
        transaction(),
    ):
        execute("update parents_agreements set agreed = 40")


def test_a_plan_says_what_it_lacks_and_nobody_is_kept_from_submitting_it(
    school: MadeSchool,
) -> None:
    item = make_item(school, name="Máy lạnh minh họa")
    draft = make_draft(school, [price(item, 1_000)])
    with scope.opened(scope.one_school(school.id)):
        gaps = plans.missing(queries.get_schedule(school.id, draft), TODAY)
    assert any("Máy lạnh minh họa" in gap for gap in gaps) and len(gaps) == 2
    does(school, fees.submit_schedule, draft)


# From the year before


def test_last_year_is_copied_a_year_later_with_every_change_marked(school: MadeSchool) -> None:
    kept, dropped, added = (make_item(school, name=f"Khoản {n}") for n in "abc")
    old_class = make_class(school, "3/1", 3)
    make_class(school, "3/2", 3)
    draft = make_draft(
        school,
        [
            price(kept, 100_000),
            price(kept, 90_000, audience=f"class:{old_class}"),
            price(dropped, 50_000),
        ],
    )
    does(school, plans.add_cost, draft, item_id=kept, words="Điện", amount=Vnd(700_000))
    does(school, plans.set_due_dates, draft, {NOVEMBER: date(2026, 11, 20)})
    does(school, fees.submit_schedule, draft)
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    year = next_year()
    new, left_out = does(school, plans.copy_last_year, year)
    assert left_out == 1  # no class 3/1 next year yet
    with scope.opened(scope.one_school(school.id)):
        schedule = queries.get_schedule(school.id, new)
        copied = queries.prices_of(school.id, new)
        assert {(one.item_id, one.period, one.price.dong) for one in copied} == {
            (kept, Period(2027, 11), 100_000),
            (dropped, Period(2027, 11), 50_000),
        }
        assert plans.due_dates(school.id, new) == {Period(2027, 11): date(2027, 11, 20)}
        assert [one.words for one in plans.costs_of(school.id, new)] == ["Điện"]
        assert plans.agreements(school.id, new) == [] and schedule.agreement == ""
    with pytest.raises(DraftAlreadyOpen):
        does(school, plans.copy_last_year, year)
    later = {"period": Period(2027, 11)}
    dearer = [price(kept, 116_000, **later), price(added, 1_000, **later)]
    does(school, fees.set_prices, new, dearer)
    does(school, fees.remove_prices, new, item_id=dropped, audience="all")
    with scope.opened(scope.one_school(school.id)):
        schedule = queries.get_schedule(school.id, new)
        source = plans.compared_with(schedule)
        assert source is not None and source.id == draft
        found = plans.changes(schedule, source)
    told = {(one.item.id, one.audience): one for one in found}
    assert told[kept, "all"].percent == 16 and told[kept, "all"].is_steep
    assert told[dropped, "all"].after is None and told[added, "all"].before is None
    assert told[kept, "class:3/1"].after is None
    assert len(found) == 4


def test_a_year_without_one_before_it_cannot_be_copied(school: MadeSchool) -> None:
    with pytest.raises(NothingToCopy):
        does(school, plans.copy_last_year, school.year_id)
    with pytest.raises(NothingToCopy):
        does(school, plans.copy_last_year, next_year())


def test_a_new_version_is_held_against_the_one_in_force(school: MadeSchool) -> None:
    item = make_item(school)
    first = approved_schedule(school, [price(item, 100_000)])
    second = does(school, fees.copy_to_new_draft, first)
    schedule = seen(school, second)
    assert schedule.copied_from_id == first
    with scope.opened(scope.one_school(school.id)):
        source = plans.compared_with(schedule)
        assert source is not None and plans.changes(schedule, source) == []
    does(school, fees.set_prices, second, [price(item, 115_000)])
    with scope.opened(scope.one_school(school.id)):
        (change,) = plans.changes(schedule, source)
    assert (change.percent, change.is_steep) == (15, False)


# Days to pay


def test_a_month_is_billed_to_the_day_of_the_plan(school: MadeSchool) -> None:
    item = make_item(school)
    draft = make_draft(school, [price(item, 100_000)])
    does(school, plans.set_due_dates, draft, {NOVEMBER: date(2026, 12, 5)})
    for wrong in ({Period(2025, 1): TODAY}, {NOVEMBER: date(2026, 10, 31)}):
        with pytest.raises(BadPlan):
            does(school, plans.set_due_dates, draft, wrong)
    with scope.opened(scope.one_school(school.id)):
        assert fees.planned_due_date(school.id, NOVEMBER) is None
    does(school, fees.submit_schedule, draft)
    with pytest.raises(NotADraft):
        does(school, plans.set_due_dates, draft, {NOVEMBER: None})
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    with scope.opened(scope.one_school(school.id)):
        assert fees.planned_due_date(school.id, NOVEMBER) == date(2026, 12, 5)
        assert default_due(school.id, NOVEMBER, TODAY) == date(2026, 12, 5)
        assert default_due(school.id, NOVEMBER, date(2026, 12, 6)) == date(2026, 12, 16)


# The unit above


def test_where_it_is_asked_for_prices_wait_for_the_unit_above(school: MadeSchool) -> None:
    item = make_item(school)
    does(school, plans.set_consent_needed, is_needed=True, actor=OFFICER)
    draft = make_draft(school, [price(item, 100_000)])
    with pytest.raises(NotEndorsed):
        does(school, services.consent_to_schedule, draft, actor=OFFICER)
    does(school, fees.submit_schedule, draft)
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    assert seen(school, draft).state == "endorsed"
    class_id = make_class(school)
    enrol(school, new_student(class_id))
    with scope.opened(scope.one_school(school.id)):
        assert billing.preview(school.id, NOVEMBER).count == 0
    with pytest.raises(DraftAlreadyOpen):
        does(school, fees.draft_schedule, school.year_id, agreement="")
    for person in (ACCOUNTANT, PRINCIPAL):
        with pytest.raises(SamePerson):
            does(school, services.consent_to_schedule, draft, actor=person)
    does(school, services.consent_to_schedule, draft, actor=OFFICER)
    found = seen(school, draft)
    assert (found.state, found.consented_by) == ("approved", OFFICER.name)
    does(school, plans.set_consent_needed, is_needed=False, actor=OFFICER)
    second = does(school, fees.copy_to_new_draft, draft)
    does(school, fees.submit_schedule, second)
    does(school, fees.approve_schedule, second, actor=PRINCIPAL)
    assert (seen(school, second).state, seen(school, draft).state) == ("approved", "superseded")


def test_what_the_unit_above_sends_back_is_a_draft_again(school: MadeSchool) -> None:
    does(school, plans.set_consent_needed, is_needed=True, actor=OFFICER)
    draft = make_draft(school, [price(make_item(school), 100_000)])
    does(school, fees.submit_schedule, draft)
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    does(school, fees.return_schedule, draft, reason="Thiếu biên bản họp", actor=OFFICER)
    found = seen(school, draft)
    assert (found.state, found.approved_by, found.submitted_at) == ("draft", None, None)
    does(school, plans.add_cost, draft, item_id=1, words="x", amount=Vnd(1))


def test_the_invariant_sees_a_consent_before_the_approval(school: MadeSchool) -> None:
    draft = make_draft(school, [price(make_item(school), 100_000)])
    with scope.opened(scope.EVERY_SCHOOL):
        execute(
            "update fee_schedules set consented_by = 'x' where id = :id and school_id = :school",
            id=draft,
            school=school.id,
        )
        assert [i.number for i in INVARIANTS if i.find()] == ["F6"]
        db.session.rollback()


# The pages


def test_the_office_plans_on_one_page(context: Flask, school: MadeSchool) -> None:
    item = make_item(school)
    draft = make_draft(school, [price(item, 100_000)])
    office = signed_in(context, school.unit_id, Role.ACCOUNTANT)
    address = f"/fee-schedules/{draft}"
    form = {"csrf_token": token(office.get(f"{address}/plan"))}
    cost = form | {"item": item, "words": "Điện, nước", "amount": "700.000"}
    assert office.post(f"{address}/costs", data=cost).status_code == 303
    assert office.post(f"{address}/costs", data=cost | {"amount": "ít"}).status_code == 422
    takers = form | {"item": item, "pupils": "10"}
    assert office.post(f"{address}/takers", data=takers).status_code == 303
    assert office.post(f"{address}/takers", data=takers | {"pupils": "mười"}).status_code == 422
    said = form | {"held_on": "2026-09-06", "asked": "40", "agreed": "39", "minutes_no": "01"}
    sent = office.post(
        f"{address}/parents",
        data=said | {"file": (io.BytesIO(PDF), "bb.pdf")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303
    wrong = office.post(f"{address}/parents", data=said | {"held_on": "hôm qua"})
    assert wrong.status_code == 422 and "30/11/2026" in wrong.text
    days = form | {"due-2026-11": "2026-11-20"}
    assert office.post(f"{address}/due-dates", data=days).status_code == 303
    assert office.post(f"{address}/due-dates", data=form | {"due-2026-11": "x"}).status_code == 422
    page = words(office.get(f"{address}/plan"))
    assert "Điện, nước" in page and "97 %" in page and "1.000.000" in page
    with scope.opened(scope.one_school(school.id)):
        (agreement,) = plans.agreements(school.id, draft)
        (cost_line,) = plans.costs_of(school.id, draft)
    paper = office.get(f"{address}/parents/{agreement.id}")
    assert paper.data == PDF and "attachment" in paper.headers["Content-Disposition"]
    gone = office.post(f"{address}/costs/{cost_line.id}/remove", data=form)
    assert gone.status_code == 303
    principal = signed_in(context, school.unit_id, Role.PRINCIPAL)
    form["csrf_token"] = token(principal.get(f"{address}/plan"))
    assert principal.post(f"{address}/costs", data=cost | form).status_code == 403
    refused = office.post(
        "/fee-schedules/from-last-year",
        data={"csrf_token": token(office.get("/fee-schedules")), "school_year_id": next_year()},
        follow_redirects=True,
    )
    assert "không có bảng khoản thu đã duyệt" in refused.text


def test_the_officer_sees_all_plans_and_decides(
    app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch)
    unit = make_unit()
    school, quiet = make_school(under=unit), make_school(under=unit)
    stranger = make_school()
    officer = signed_in(context, unit, Role.OFFICER, name="Võ Thị Chuyên Viên")
    form = {"csrf_token": token(officer.get("/area/plans")), "needed": "yes"}
    assert officer.post("/area/plans/consent-needed", data=form).status_code == 303
    item = make_item(school)
    draft = approved_schedule(school, [price(item, 100_000)])
    page = words(officer.get("/area/plans"))
    assert "Chờ cấp trên" in page and "Chưa ghi thỏa thuận" in page
    assert f"Chưa có kế hoạch: TH Minh Họa {int(quiet.code[2:])}" in page
    assert "Kế hoạch thu (1)" in officer.get("/area").text
    address = f"/area/plans/{school.code}/{draft}"
    assert "100.000" in officer.get(address).text
    assert officer.get(f"/area/plans/{stranger.code}/{draft}").status_code == 404
    short = officer.post(address, data=form | {"deed": "return", "reason": "x"})
    assert short.status_code == 422
    consent = officer.post(address, data=form | {"deed": "consent"})
    assert consent.status_code == 303 and seen(school, draft).state == "approved"
    assert officer.post(address, data=form | {"deed": "consent"}).status_code == 409
    auditor = signed_in(context, unit, Role.AUDITOR)
    form["csrf_token"] = token(auditor.get(address))
    assert auditor.post(address, data=form | {"deed": "consent"}).status_code == 403


def test_anybody_reads_what_a_school_charges_and_nothing_of_a_child(
    context: Flask, school: MadeSchool
) -> None:
    anybody = visitor(context)
    address = f"/schools/{school.code}/fees"
    assert "Chưa hiện ở đây thì chưa được thu" in anybody.get(address).text
    class_id = make_class(school, "3/1")
    enrol(school, new_student(class_id, "Đặng Thị Riêng Tư"))
    item = make_item(school, name="Máy lạnh minh họa")
    draft = make_draft(
        school, [price(item, 100_000), price(item, 120_000, period=Period(2026, 12))]
    )
    assert "Máy lạnh" not in anybody.get(address).text
    does(
        school,
        plans.record_agreement,
        draft,
        held_on=date(2026, 9, 6),
        minutes_no="",
        asked=40,
        agreed=39,
        content=PDF,
    )
    does(school, fees.submit_schedule, draft)
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    page = words(anybody.get(address))
    assert "Máy lạnh minh họa" in page and "120.000" in page and "39/40 gia đình" in page
    assert "Nghị quyết 12/2026/NQ-HĐND" in page and "Riêng Tư" not in page
    assert anybody.get("/schools/KHONGCO/fees").status_code == 404


def test_whole_estimates_add_up(school: MadeSchool) -> None:
    rng = random.Random(3)
    classes = [make_class(school, f"{grade}/1", grade) for grade in (1, 2, 3)]
    enrol(school, *[new_student(rng.choice(classes), f"Bùi {i}") for i in range(25)])
    item = make_item(school, category=Category.AGREED)
    prices = [
        price(item, rng.randrange(1, 90_000), audience=audience, period=month)
        for month in (NOVEMBER, Period(2026, 12))
        for audience in ("all", "grade:2", f"class:{classes[0]}")
    ]
    draft = make_draft(school, prices)
    (found,) = estimate(school, draft)
    does(school, fees.submit_schedule, draft)
    does(school, fees.approve_schedule, draft, actor=PRINCIPAL)
    with scope.opened(scope.one_school(school.id)):
        found_stays = rows("select id from enrolments where school_id = :s", s=school.id)
    choose(school, item, *[one.id for one in found_stays])
    with scope.opened(scope.one_school(school.id)):
        billed = total_of(
            [billing.preview(school.id, month).current_total for month in (NOVEMBER,)]
        )
        both = billed + billing.preview(school.id, Period(2026, 12)).current_total
    assert found.income == both


def test_insurance_beside_the_formula_is_told_and_not_refused(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        item = next((one.id for one in queries.all_items().values() if one.code == "BHYT"), None)
    if item is None:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            catalogue.seed_items(school.unit_id, valid_from=date(2025, 1, 1), **WHO)
        with scope.opened(scope.EVERY_SCHOOL):
            item = next(one.id for one in queries.all_items().values() if one.code == "BHYT")
    right = price(item, 56_925, quantity=12)
    draft = make_draft(school, [right, price(item, 60_000, quantity=3, period=Period(2027, 1))])
    with scope.opened(scope.one_school(school.id)):
        gaps = plans.missing(queries.get_schedule(school.id, draft), TODAY)
    (told,) = [gap for gap in gaps if "180.000" in gap]
    assert "170.775" in told and "tháng 1/2027" in told
    assert not any("683.100" in gap for gap in gaps)
    does(school, fees.submit_schedule, draft)
