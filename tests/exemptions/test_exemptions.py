"""Applications from receipt to decision: two people, deadlines kept or not, papers kept safe."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.core import papers, scope
from app.core.db import execute, scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing, fees
from app.money.billing import notices
from app.money.exemptions import invariants, queries, services
from app.money.exemptions.errors import (
    AlreadyApplied,
    ApplicationMoved,
    ApplicationNotFound,
    ApplicationWordsMissing,
    BadApplication,
    CheckerDecides,
    ProofNotFound,
    ProofRefused,
)
from app.money.exemptions.models import State
from app.money.fees.errors import AlreadyGranted
from app.people import students
from app.people.access import Role
from tests.factories.billing import (
    CARE,
    DECEMBER,
    IN_DECEMBER,
    NOVEMBER,
    TUITION,
    SmallSchool,
    amounts,
    issue,
    small_school,
)
from tests.factories.people import enrol, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL
from tests.factories.staff import set_clock, signed_in, token, visitor

PDF = b"%PDF-1.7\nminh hoa"
#: a Tuesday; ten working days on is Tuesday, 8 December
ASKED = date(2026, 11, 24)
DUE = date(2026, 12, 8)


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture(autouse=True)
def _holds(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_clock(monkeypatch, NOON)
    yield
    assert broken() == {}


def broken() -> dict[str, Any]:
    with scope.opened(scope.EVERY_SCHOOL):
        return {i.number: i.find() for i in invariants.INVARIANTS if i.find()}


def does(made: SmallSchool, deed: Any, *arguments: Any, **values: Any) -> Any:
    given = {"actor": ACCOUNTANT, "now": NOON} | values
    with scope.opened(scope.one_school(made.id)), transaction():
        return deed(made.id, *arguments, **given)


def asked(made: SmallSchool, number: int = 0, **changes: Any) -> services.NewApplication:
    values = {
        "enrolment_id": made.children[number].enrolment_id,
        "policy_id": made.half,
        "first": NOVEMBER,
        "last": None,
        "received_on": ASKED,
    }
    return services.NewApplication(**{**values, **changes})


def received(made: SmallSchool, number: int = 0, **changes: Any) -> int:
    return int(does(made, services.receive, asked(made, number, **changes)))


def step(made: SmallSchool, application: int, state: State, words: str = "", **who: Any) -> None:
    does(made, services.take_step, application, state, words=words, **who)


def decided(
    made: SmallSchool, application: int, *, grant: bool = True, words: str = "", **who: Any
) -> None:
    does(made, services.decide, application, grant=grant, words=words, **{"actor": PRINCIPAL} | who)


def seen(made: SmallSchool, application: int) -> queries.Application:
    with scope.opened(scope.one_school(made.id)):
        return queries.get_application(made.id, application)


def test_an_application_is_received_checked_and_granted_by_another_person(
    made: SmallSchool,
) -> None:
    application = received(made)
    assert seen(made, application).due_on == DUE
    with pytest.raises(ApplicationMoved):
        decided(made, application)
    step(made, application, State.CHECKED)
    with pytest.raises(CheckerDecides):
        decided(made, application, actor=ACCOUNTANT)

    decided(made, application)

    found = seen(made, application)
    assert (found.state, found.punctuality(ASKED)) == (State.GRANTED, "early")
    assert found.exemption_id is not None
    with pytest.raises(ApplicationMoved):
        decided(made, application)


@pytest.mark.parametrize(
    ("days", "word"), [(0, "early"), (14, "on_time"), (15, "late")], ids=["early", "due", "late"]
)
def test_a_decision_is_early_on_time_or_late(made: SmallSchool, days: int, word: str) -> None:
    application = received(made)
    step(made, application, State.CHECKED)
    decided(made, application, grant=False, words="thiếu giấy", now=NOON + timedelta(days=days))
    assert seen(made, application).punctuality(DUE) == word
    with scope.opened(scope.EVERY_SCHOOL):
        counts = queries.counts([made.id], DUE)[made.id]
    assert getattr(counts, word) == 1 and counts.waiting == 0


def test_what_waits_too_long_is_overdue(made: SmallSchool) -> None:
    application = received(made)
    assert seen(made, application).punctuality(DUE) == ""
    assert seen(made, application).punctuality(DUE + timedelta(days=1)) == "overdue"


def test_papers_may_be_asked_for_and_a_family_may_withdraw(made: SmallSchool) -> None:
    application = received(made)
    with pytest.raises(ApplicationWordsMissing):
        step(made, application, State.MORE)
    step(made, application, State.MORE, "thiếu giấy chứng nhận năm 2026")
    with pytest.raises(ApplicationMoved):
        decided(made, application)
    step(made, application, State.CHECKED)
    step(made, application, State.WITHDRAWN, "gia đình đổi ý")
    with pytest.raises(ApplicationMoved):
        step(made, application, State.CHECKED)
    with scope.opened(scope.one_school(made.id)):
        assert [one.state for one in queries.steps_of(made.id, application)] == [
            State.RECEIVED,
            State.MORE,
            State.CHECKED,
            State.WITHDRAWN,
        ]


def test_a_late_grant_gives_back_on_the_next_bill_and_touches_no_old_one(
    made: SmallSchool,
) -> None:
    issue(made.id)
    before = amounts(made.id, made.children[0].student_id)
    application = received(made)
    step(made, application, State.CHECKED)
    decided(made, application)
    assert amounts(made.id, made.children[0].student_id) == before

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    after = amounts(made.id, made.children[0].student_id)
    assert after[made.care, NOVEMBER.number] == after[made.care, DECEMBER.number] == CARE // 2
    with scope.opened(scope.one_school(made.id)):
        newest = billing.invoices_of(made.id, made.children[0].student_id)[0]
        lines = billing.lines_of(made.id, [newest.id])
    back = next(line for line in lines if line.service_period == NOVEMBER)
    assert back.amount == Vnd(-CARE // 2) and back.percent == 50


def test_the_ground_stands_on_no_paper_and_no_page_a_family_shows(
    context: Flask, made: SmallSchool
) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update exemption_policies set name = 'Hộ nghèo bí mật' where id = :id", id=made.half
        )
    application = received(made)
    step(made, application, State.CHECKED)
    decided(made, application)
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        message = notices.write_message(made.id, bill, day=ASKED)
        (paper,) = notices.words_of(made.id, [bill])
        (request,) = billing.requests_of(made.id, made.children[0].student_id)
    assert "giảm 50 %" in message and "bí mật" not in message
    assert "bí mật" not in repr(paper)
    page = visitor(context).get(f"/pay/{request.token}").text
    assert "bí mật" not in page


def test_the_same_ground_is_not_asked_for_or_given_twice(made: SmallSchool) -> None:
    application = received(made)
    with pytest.raises(AlreadyApplied):
        received(made)
    step(made, application, State.CHECKED)
    decided(made, application)
    second = received(made)
    step(made, second, State.CHECKED)
    with pytest.raises(AlreadyGranted):
        decided(made, second)
    assert seen(made, second).state is State.CHECKED


def test_what_cannot_be_is_refused(made: SmallSchool) -> None:
    other = small_school(1)
    everybody = scalar_of("select id from exemption_policies where applies_to_all order by id")
    for changes in (
        {"enrolment_id": other.children[0].enrolment_id},
        {"policy_id": everybody},
        {"policy_id": 10**6},
        {"last": Period(2026, 10)},
        {"received_on": ASKED + timedelta(days=1)},
    ):
        with pytest.raises(BadApplication):
            received(made, **changes)
    application = received(made)
    with pytest.raises(ApplicationNotFound):
        step(other, application, State.CHECKED)
    step(made, application, State.CHECKED)
    with pytest.raises(ApplicationWordsMissing):
        decided(made, application, grant=False)


def scalar_of(sql: str) -> int:
    with scope.opened(scope.EVERY_SCHOOL):
        return int(scalar(sql))


def test_papers_are_told_by_their_content_and_every_look_is_written_down(
    made: SmallSchool,
) -> None:
    application = received(made)
    for content in (b"", b"<html>", b"MZ\x90", b"%PDF-" + b"x" * papers.MOST):
        with pytest.raises(ProofRefused):
            does(
                made,
                services.add_proof,
                application,
                name="giấy",
                content=content,
                valid_until=None,
            )
    proof = does(
        made,
        services.add_proof,
        application,
        name="Giấy chứng nhận hộ cận nghèo",
        content=PDF,
        valid_until=date(2026, 12, 31),
    )
    kind, content = does(made, services.open_proof, proof, actor=PRINCIPAL)
    assert (kind, content) == ("application/pdf", PDF)
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar(
            "select count(*) from audit_rows where action = 'exemption_application.proof_opened'"
            " and actor = :name",
            name=PRINCIPAL.name,
        )
    with pytest.raises(ProofNotFound):
        does(small_school(1), services.open_proof, proof)


def test_a_proof_is_spoken_of_thirty_days_before_it_ends(made: SmallSchool) -> None:
    application = received(made)
    until = date(2026, 12, 31)
    does(made, services.add_proof, application, name="giấy", content=PDF, valid_until=until)
    step(made, application, State.CHECKED)
    decided(made, application)
    with scope.opened(scope.one_school(made.id)):
        assert queries.expiring(made.id, date(2026, 11, 30)) == []
        ((one, ends),) = queries.expiring(made.id, date(2026, 12, 1))
    assert (one.id, ends) == (application, until)


def test_the_budget_makes_up_for_tuition_and_nothing_else(made: SmallSchool) -> None:
    fees_of = issue(made.id)
    assert fees_of.invoices == 3
    with scope.opened(scope.one_school(made.id)):
        found = queries.compensation(made.id, NOVEMBER, NOVEMBER)
    assert [(one.percent, one.months, one.amount) for one in found] == [(100, 1, Vnd(TUITION))] * 3


def test_support_is_by_the_month_the_highest_ground_and_nine_months_at_most(
    made: SmallSchool,
) -> None:
    low, high = (
        policy(made, support=Vnd(150_000)),
        policy(made, support=Vnd(200_000)),
    )
    stays = [child.enrolment_id for child in made.children]
    grants = [
        fees.Grant(stays[0], low, Period(2026, 9)),
        fees.Grant(stays[1], low, Period(2026, 9)),
        fees.Grant(stays[1], high, Period(2026, 11), Period(2026, 12)),
    ]
    does(made, fees.grant_exemptions, grants, actor=PRINCIPAL)
    with scope.opened(scope.one_school(made.id)):
        semester = queries.supported(made.id, Period(2026, 9), Period(2027, 1))
        year = queries.supported(made.id, Period(2026, 9), Period(2027, 8))
    assert sorted((one.months, one.amount.dong) for one in semester) == [
        (2, 400_000),  # the second child: November and December by the higher ground,
        (3, 450_000),  # its other three months by the lower one
        (5, 750_000),
    ]
    assert sum(one.months for one in year if one.code == made.children[0].code) == 9
    assert sum(one.months for one in year if one.code == made.children[1].code) == 9


def test_support_ends_with_the_stay_the_ground_and_the_school_year(made: SmallSchool) -> None:
    whole = policy(made, support=Vnd(150_000))
    ended = policy(made, support=Vnd(200_000), valid_to=date(2026, 12, 1))
    stays = [child.enrolment_id for child in made.children]
    does(
        made,
        fees.grant_exemptions,
        [
            fees.Grant(stays[0], whole, Period(2026, 9)),
            fees.Grant(stays[1], ended, Period(2026, 9)),
        ],
        actor=PRINCIPAL,
    )
    with scope.opened(scope.one_school(made.id)), transaction():
        students.end_enrolment(
            made.id,
            stays[0],
            ends_on=date(2026, 11, 1),
            reason="other",
            actor=ACCOUNTANT,
            now=NOON,
        )
    with scope.opened(scope.one_school(made.id)):
        found = queries.supported(made.id, Period(2026, 9), Period(2027, 8))
        summer = queries.supported(made.id, Period(2027, 6), Period(2027, 8))
    assert sorted((one.months, one.monthly.dong) for one in found) == [(2, 150_000), (3, 200_000)]
    assert summer == []


def policy(made: SmallSchool, **values: Any) -> int:
    new = fees.NewPolicy(
        code=f"P{scalar_of('select count(*) from exemption_policies')}",
        name="Diện minh họa",
        legal_act="Nghị định 238/2025/NĐ-CP",
        valid_from=date(2026, 1, 1),
        rates=((made.care, 30),),
        **values,
    )
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return fees.add_policy(new, actor=ACCOUNTANT, now=NOON)


def test_the_sibling_rule_proposes_and_a_person_grants(made: SmallSchool) -> None:
    rule = policy(made, sibling_nth=2)
    family = mother("0905111222")
    older, younger = enrol(
        made.school,
        new_student(made.class_id, "Lê Chị Cả", birth_date=date(2016, 1, 1), guardians=(family,)),
        new_student(made.class_id, "Lê Em Út", birth_date=date(2019, 1, 1), guardians=(family,)),
    )
    with scope.opened(scope.one_school(made.id)):
        proposed = [one for one in queries.siblings(made.id, ASKED) if one.policy_id == rule]
    assert [one.enrolment_id for one in proposed] == [younger.enrolment_id]
    with pytest.raises(BadApplication):
        does(made, services.grant_siblings, rule, [older.enrolment_id], NOVEMBER)
    assert does(made, services.grant_siblings, rule, [younger.enrolment_id], NOVEMBER) == 1
    with scope.opened(scope.one_school(made.id)):
        assert [one for one in queries.siblings(made.id, ASKED) if one.policy_id == rule] == []


def test_a_grant_ends_with_a_month_and_the_rules_follow(context: Flask, made: SmallSchool) -> None:
    application = received(made)
    with pytest.raises(ApplicationMoved):
        ended(made, application, DECEMBER)
    step(made, application, State.CHECKED)
    decided(made, application)
    for month, words, refusal in (
        (DECEMBER, " ", ApplicationWordsMissing),
        (Period(2026, 1), "x", BadApplication),
    ):
        with pytest.raises(refusal):
            ended(made, application, month, words)
    with pytest.raises(ApplicationNotFound):
        ended(made, 10**6, DECEMBER)
    ended(made, application, DECEMBER)
    with pytest.raises(BadApplication):
        ended(made, application, DECEMBER)
    ended(made, application, NOVEMBER)
    assert seen(made, application).ends == NOVEMBER
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL)
    page = principal.get(f"/exemptions/{application}")
    form = {"csrf_token": token(page), "last": "2026-10", "words": "hết diện"}
    assert principal.post(f"/exemptions/{application}/end", data=form).status_code == 303
    assert seen(made, application).ends == Period(2026, 10)
    office = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    form["csrf_token"] = token(office.get(f"/exemptions/{application}"))
    assert office.post(f"/exemptions/{application}/end", data=form).status_code == 403


def ended(made: SmallSchool, application: int, last: Period, words: str = "hết diện") -> None:
    does(made, services.end_grant, application, last=last, words=words, actor=PRINCIPAL)


def test_the_unit_above_keeps_the_grounds_on_screen(context: Flask, made: SmallSchool) -> None:
    officer = signed_in(context, made.school.unit_id, Role.OFFICER)
    page = officer.get("/exemptions/grounds")
    form = {
        "csrf_token": token(page),
        "code": "moi1",
        "name": "Diện mới minh họa",
        "legal_act": "Văn bản minh họa",
        "valid_from": "2026-09-01",
        "support": "150.000",
        f"rate-{made.care}": "40",
    }
    address = "/exemptions/grounds"
    for wrong in (
        {"name": " "},
        {"legal_act": ""},
        {"valid_from": ""},
        {"support": "nhiều"},
        {"sibling_nth": "1"},
        {f"rate-{made.care}": "101"},
        {f"rate-{made.care}": "một"},
        {f"rate-{made.care}": ""},
    ):
        assert officer.post(address, data=form | wrong).status_code == 422, wrong
    assert officer.post(address, data=form).status_code == 303
    assert officer.post(address, data=form).status_code == 409
    with scope.opened(scope.EVERY_SCHOOL):
        ground = next(one for one in queries.policies() if one.code == "MOI1")
    assert (ground.support, [rate[2] for rate in ground.rates]) == (Vnd(150_000), [40])
    child = made.children[0]
    does(
        made,
        fees.grant_exemptions,
        [fees.Grant(child.enrolment_id, ground.id, NOVEMBER)],
        actor=PRINCIPAL,
    )
    end = {"csrf_token": form["csrf_token"], "valid_to": "2026-12-01"}
    assert officer.post(f"{address}/{ground.id}/end", data=end).status_code == 303
    assert officer.post(f"{address}/{ground.id}/end", data=end).status_code == 422
    issue(made.id)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    billed = amounts(made.id, child.student_id)
    assert billed[made.care, NOVEMBER.number] == CARE * 60 // 100
    assert billed[made.care, DECEMBER.number] == CARE
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    form["csrf_token"] = token(clerk.get("/exemptions"))
    assert clerk.post(address, data=form).status_code == 403


def test_the_invariants_see_one_person_deciding_alone(made: SmallSchool) -> None:
    for grant in (True, False):
        application = received(made, int(grant))
        step(made, application, State.CHECKED)
        decided(made, application, grant=grant, words="thiếu giấy tờ")
        with scope.opened(scope.EVERY_SCHOOL):
            execute(
                "insert into exemption_application_steps"
                " (school_id, application_id, state, words, actor, actor_id, at)"
                " select school_id, application_id, 'checked', '', actor, actor_id, at"
                " from exemption_application_steps"
                " where application_id = :id and state in ('granted', 'refused')",
                id=application,
            )
            assert {i.number for i in invariants.INVARIANTS if i.find()} == {"A1"}
            db.session.rollback()


@pytest.mark.parametrize("change", ["actor = 'x'", "words = 'khác'", "state = 'refused'"])
def test_a_step_that_was_taken_stays_as_it_is(made: SmallSchool, change: str) -> None:
    application = received(made)
    with (
        pytest.raises(IntegrityError),
        scope.opened(scope.EVERY_SCHOOL),
        transaction(),
    ):
        execute(
            f"update exemption_application_steps set {change} where application_id = :id",
            id=application,
        )


def test_a_child_made_anonymous_keeps_no_paper_and_no_word(made: SmallSchool) -> None:
    application = received(made, words="nhà có người ốm")
    does(made, services.add_proof, application, name="giấy", content=PDF, valid_until=None)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        services.forget_children([made.children[0].student_id])
    with scope.opened(scope.one_school(made.id)):
        assert queries.proofs_of(made.id, application) == []
        assert [one.words for one in queries.steps_of(made.id, application)] == [""]


def test_the_office_and_the_principal_do_their_part_on_the_pages(
    made: SmallSchool, context: Flask
) -> None:
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    code = made.children[0].code
    assert f"/students/{code}/exemption" in clerk.get(f"/students/{code}").text
    page = clerk.get(f"/students/{code}/exemption")
    form = {"csrf_token": token(page), "policy": made.half, "first": "sai", "words": ""}
    assert clerk.post(f"/students/{code}/exemption", data=form).status_code == 422
    form["first"] = "2026-11"
    address = clerk.post(f"/students/{code}/exemption", data=form).location
    upload = {
        "csrf_token": token(page),
        "name": "Giấy chứng nhận",
        "file": (io.BytesIO(PDF), "giay.pdf"),
    }
    assert clerk.post(f"{address}/proofs", data=upload).status_code == 303
    bad = {**upload, "file": (io.BytesIO(b"MZ"), "giay.pdf")}
    assert clerk.post(f"{address}/proofs", data=bad).status_code == 422
    with scope.opened(scope.one_school(made.id)):
        (proof,) = queries.proofs_of(made.id, int(address.rpartition("/")[2]))
    opened = clerk.post(f"/exemptions/proofs/{proof.id}", data={"csrf_token": token(page)})
    assert opened.data == PDF and "no-store" in opened.headers["Cache-Control"]
    form = {"csrf_token": token(page), "deed": "check"}
    assert clerk.post(f"{address}/step", data=form).status_code == 303
    assert clerk.post(f"{address}/decide", data=form).status_code == 403

    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    page = principal.get(address)
    form = {"csrf_token": token(page), "deed": "refuse", "words": ""}
    assert principal.post(f"{address}/decide", data=form).status_code == 422
    form = {"csrf_token": token(page), "deed": "grant"}
    assert principal.post(f"{address}/decide", data=form).status_code == 303
    register = principal.get("/exemptions").text
    assert "Đã duyệt" in register and "sớm" in register
    issue(made.id)
    assert "95.000" in principal.get("/exemptions/lists?first=2026-11&last=2026-11").text
    for what in ("budget", "support"):
        book = principal.get(f"/exemptions/lists.xlsx?what={what}&first=2026-11&last=2026-12")
        assert book.data.startswith(b"PK")

    officer = signed_in(context, made.school.unit_id, Role.OFFICER)
    assert "Giải quyết theo trường" in officer.get("/exemptions/grounds").text
    assert officer.get(address).status_code == 403
    teacher = signed_in(context, made.school.unit_id, Role.TEACHER)
    assert teacher.get("/exemptions").status_code == 403
    stranger = signed_in(context, small_school(1).school.unit_id, Role.PRINCIPAL)
    assert stranger.get(address).status_code == 404
    form = {"csrf_token": token(stranger.get("/students"))}
    assert stranger.post(f"/exemptions/proofs/{proof.id}", data=form).status_code == 404
