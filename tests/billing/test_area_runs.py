"""The month of many schools: rehearsed, looked at, issued school by school behind the page."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.core import jobs, scope
from app.core.db import execute, scalar, transaction
from app.money.billing import area_runs
from app.money.billing.errors import AreaRunBusy, DueBeforeIssue, NoSchoolTicked
from app.people.access import Role
from tests.factories.billing import (
    CARE,
    EARLY,
    NOVEMBER,
    WATER,
    SmallSchool,
    breaches,
    grant,
    issue,
    small_school,
)
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT, make_school
from tests.factories.staff import set_clock, signed_in, token

DUE = date(2026, 11, 30)


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, EARLY)


def ask(*school_ids: int) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return area_runs.ask(school_ids, NOVEMBER, due_on=DUE, actor=ACCOUNTANT, now=EARLY)


def issue_at(run: int, *school_ids: int) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        area_runs.issue(run, school_ids, actor=ACCOUNTANT, now=EARLY)


def work() -> None:
    while jobs.run_one():
        pass


def seen(run: int) -> area_runs.AreaRunPage:
    with scope.opened(scope.EVERY_SCHOOL):
        return area_runs.get(run)


def outcomes(run: int) -> dict[int, str]:
    return {school: part.outcome for school, part in seen(run).parts.items()}


def bills_of(made: SmallSchool) -> int:
    with scope.opened(scope.one_school(made.id)):
        return int(scalar("select count(*) from invoices where school_id = :s", s=made.id))


def test_every_school_says_what_it_would_bill_or_why_it_cannot(context: Flask) -> None:
    good, done, bare = small_school(3), small_school(2), make_school()
    issue(done.id)
    enrol(good.school, new_student(None))

    run = ask(good.id, done.id, bare.id)
    assert seen(run).is_working
    work()

    found = seen(run)
    assert (found.job_state, found.done, found.total) == ("done", 3, 3)
    assert outcomes(run) == {
        good.id: "ready",
        done.id: "nothing_to_bill",
        bare.id: "no_approved_schedule",
    }
    part = found.parts[good.id]
    assert part.invoices == 3 and part.total is not None
    assert (part.total.dong, part.unplaced) == (3 * (CARE + WATER), 1)
    assert bills_of(good) == 0


def test_schools_are_issued_whole_and_a_second_issue_changes_nothing(context: Flask) -> None:
    first, second = small_school(3), small_school(2)
    run = ask(first.id, second.id)
    work()

    issue_at(run, first.id, second.id)
    work()

    assert outcomes(run) == {first.id: "issued", second.id: "issued"}
    assert (bills_of(first), bills_of(second)) == (3, 2)
    issue_at(run, first.id, second.id)
    work()
    assert (bills_of(first), bills_of(second)) == (3, 2)
    assert breaches() == {}


def test_a_school_that_changed_since_is_left_out_and_holds_up_nobody(context: Flask) -> None:
    changed, good = small_school(2), small_school(2)
    run = ask(changed.id, good.id)
    work()
    grant(changed.id, changed.children[0].enrolment_id, changed.half)

    issue_at(run, changed.id, good.id)
    work()

    assert outcomes(run) == {changed.id: "run_changed", good.id: "issued"}
    assert (bills_of(changed), bills_of(good)) == (0, 2)
    assert breaches() == {}


def test_work_taken_up_by_another_worker_goes_on_where_it_stood(context: Flask) -> None:
    first, second = small_school(1), small_school(1)
    run = ask(first.id, second.id)
    work()
    issue_at(run, first.id, second.id)
    # The first worker died after one school.
    with scope.opened(scope.EVERY_SCHOOL):
        payload = {
            "area_run_id": run,
            "school_ids": [first.id],
            "name": ACCOUNTANT.name,
            "role": ACCOUNTANT.role,
            "user_id": None,
            "job_id": scalar("select max(id) from jobs"),
        }
        area_runs.issue_all(payload)
    assert outcomes(run) == {first.id: "issued", second.id: "ready"}

    work()

    assert outcomes(run) == {first.id: "issued", second.id: "issued"}
    assert (bills_of(first), bills_of(second)) == (1, 1)


def test_what_cannot_be_asked_is_refused(context: Flask) -> None:
    made = small_school(1)
    with pytest.raises(DueBeforeIssue), scope.opened(scope.EVERY_SCHOOL), transaction():
        area_runs.ask([made.id], NOVEMBER, due_on=date(2026, 1, 1), actor=ACCOUNTANT, now=EARLY)
    run = ask(made.id)
    with pytest.raises(AreaRunBusy):
        issue_at(run, made.id)
    work()
    with pytest.raises(NoSchoolTicked):
        issue_at(run)


def test_the_invariant_sees_a_school_that_was_never_issued(context: Flask) -> None:
    made = small_school(1)
    run = ask(made.id)
    work()
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update area_run_schools set outcome = 'issued' where area_run_id = :id", id=run)
    assert set(breaches()) == {"B7"}
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update area_run_schools set outcome = 'ready' where area_run_id = :id", id=run)


def test_an_officer_runs_the_month_on_the_pages(context: Flask) -> None:
    made = small_school(2)
    officer = signed_in(context, made.school.unit_id, Role.OFFICER)
    page = officer.get("/area/billing-runs")
    form = {"csrf_token": token(page), "period": "2026-11", "due_on": "2026-11-30"}
    asked = officer.post("/area/billing-runs", data=form)
    assert asked.status_code == 303
    assert 'http-equiv="refresh"' in officer.get(asked.location).text
    work()
    page = officer.get(asked.location)
    assert "Sẵn sàng phát hành" in page.text and "552.000" in page.text

    none = officer.post(f"{asked.location}/issue", data={"csrf_token": token(page)})
    assert none.status_code == 409
    form = {"csrf_token": token(page), "school": made.school.code}
    assert officer.post(f"{asked.location}/issue", data=form).status_code == 303
    work()
    assert "Đã phát hành" in officer.get(asked.location).text or bills_of(made) == 2
    assert bills_of(made) == 2

    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    assert clerk.get("/area/billing-runs").status_code == 403
