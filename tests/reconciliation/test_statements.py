"""A bank's statement from the file to the receipt: once, proved, and undisturbed by notices."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.core import scope
from app.core.db import scalar, transaction
from app.core.model import db
from app.money import billing, ledger
from app.money.payments import queries as payments_queries
from app.money.payments.adapters import sepay
from app.money.payments.sentences import suspense_words
from app.money.reconciliation import jobs, queries, services
from app.money.reconciliation.errors import AlreadyTaken, OtherAccount, StatementNotFound
from app.money.reconciliation.planning import StatementPlan, plan_statement
from app.money.reconciliation.services import Posted
from app.money.reconciliation.suggestions import suggest
from app.people.schools.models import AccountKind, Channel
from app.people.schools.services import open_account
from tests.factories.money import Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.payments.books import assert_books_hold
from tests.reconciliation import files
from tests.reconciliation.files import Move

pytestmark = pytest.mark.usefixtures("context")
TODAY = date(2026, 11, 24)
_ids = itertools.count(5000)


def take_in(school: MadeSchool, moves: Sequence[Move], *, opening: int = files.OPENING) -> int:
    data = files.csv(moves, school.account_number, opening)
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.take_in(
            school.id, school.account_id, data, "sao-ke.csv", actor=ACCOUNTANT, now=NOON
        )


def post(school: MadeSchool, statement_id: int) -> Posted:
    with scope.opened(scope.one_school(school.id)):
        return jobs.post_all(school.id, statement_id, actor=ACCOUNTANT)


def plan(school: MadeSchool, statement_id: int) -> StatementPlan:
    with scope.opened(scope.one_school(school.id)):
        return plan_statement(school.id, statement_id, day=TODAY)


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def notice(client: FlaskClient, school: MadeSchool, text: str, amount: int, ref: str) -> None:
    raw = json.dumps(
        {
            "id": next(_ids),
            "gateway": "VietinBank",
            "transactionDate": "2026-11-24 08:14:05",
            "accountNumber": school.account_number,
            "subAccount": None,
            "code": None,
            "content": text,
            "transferType": "in",
            "description": "",
            "transferAmount": amount,
            "accumulated": 1,
            "referenceCode": ref,
        }
    ).encode()
    stamp = int(datetime.now(UTC).timestamp())
    answer = client.post(
        f"/callbacks/sepay/{school.channel}",
        data=raw,
        headers=sepay.sign(raw, school.secret, stamp),
    )
    assert answer.status_code == 200


def payments_of(school: MadeSchool) -> list[payments_queries.PaymentRow]:
    with scope.opened(scope.one_school(school.id)):
        return payments_queries.list_credits(school.id)[0]


def test_the_plan_is_shown_before_anything_is_posted_and_says_what_posting_then_does() -> None:
    exact, part, over, done, one, other = billed_children(6)
    school = exact.school
    moves = [
        Move(exact.due, f"IBFT {exact.request.reference.lower()} hoc phi", ref="FT00000001"),
        Move(part.due - 200_000, f"{part.request.reference} nop truoc", ref="FT00000002"),
        Move(over.due + 50_000, f"{over.request.reference}", ref="FT00000003"),
        Move(done.due, f"{done.request.reference}", ref="FT00000004"),
        Move(done.due, f"{done.request.reference}", ref="FT00000005"),
        Move(
            one.due + other.due,
            f"{one.request.reference} {other.request.reference}",
            ref="FT00000006",
        ),
        Move(123_456, "chuyen tien", ref="FT00000007"),
        Move(-11_000, "Phi dich vu", ref="FT00000008"),
    ]
    statement = take_in(school, moves)

    seen = plan(school, statement)

    assert [row.kind for row in seen.rows] == [
        "exact",
        "part",
        "over",
        "exact",
        "second",
        "split",
        "unknown",
    ]
    assert len(seen.money_out) == 1
    assert payments_of(school) == []
    assert due(exact) == exact.due

    posted = post(school, statement)

    assert (posted.matched, posted.suspense) == (6, 1)
    assert (due(exact), due(part), due(over), due(done)) == (0, 200_000, 0, 0)
    assert (due(one), due(other)) == (0, 0)
    with scope.opened(scope.one_school(school.id)):
        credit = ledger.balance(school.id, "credit", student_id=done.student_id)
        assert abs(credit.dong) == done.due
        info = queries.get_statement(school.id, statement)
    assert (info.posted, info.waiting, info.money_out) == (7, 0, 1)
    assert all(p.live_receipt for p in payments_of(school) if p.matched)
    assert_books_hold()


def test_posting_twice_is_posting_once() -> None:
    child = billed_child()
    statement = take_in(child.school, [Move(child.due, child.request.reference, ref="FT11110001")])
    assert post(child.school, statement).matched == 1
    assert post(child.school, statement) == Posted()
    assert len(payments_of(child.school)) == 1


def test_the_same_file_is_refused_and_an_overlapping_one_adds_only_what_is_new() -> None:
    first, second, third = billed_children(3)
    school = first.school
    moves = [
        Move(first.due, first.request.reference, ref="FT22220001"),
        Move(second.due, second.request.reference, ref="FT22220002"),
    ]
    statement = take_in(school, moves)
    post(school, statement)
    with pytest.raises(AlreadyTaken) as before:
        take_in(school, moves)
    assert before.value.statement_id == statement

    later = Move(third.due, third.request.reference, date(2026, 11, 25), ref="FT22220003")
    longer = take_in(school, [*moves, later])

    with scope.opened(scope.one_school(school.id)):
        info = queries.get_statement(school.id, longer)
    assert (info.row_count, info.known_count, info.new_credits) == (3, 2, 1)
    assert post(school, longer).matched == 1
    assert len(payments_of(school)) == 3
    assert_books_hold()


def test_two_alike_transfers_of_one_day_are_two_and_stay_two_in_an_overlapping_file() -> None:
    child = billed_child()
    twice = [Move(100_000, f"{child.request.reference} nop"), Move(100_000, "x")]
    twice = [twice[0], twice[0]]
    statement = take_in(child.school, twice)
    assert post(child.school, statement).matched == 2
    again = take_in(child.school, [*twice, Move(5_000, "lai tien gui", date(2026, 11, 25))])
    assert post(child.school, again) == Posted(suspense=1)
    assert_books_hold()


@pytest.mark.parametrize(
    ("told", "written"),
    [
        pytest.param("FT33330001", "FT33330001", id="the bank's number is the same"),
        pytest.param("MBVCB.327890", "5078123456", id="only the text is the same"),
    ],
)
def test_a_notice_and_a_row_of_one_transfer_are_one_credit_with_two_proofs(
    client: FlaskClient, told: str, written: str
) -> None:
    child = billed_child()
    notice(client, child.school, f"MBVCB.1.{child.request.reference}.CT tu 0041", child.due, told)

    statement = take_in(
        child.school,
        [Move(child.due, f"{child.request.reference} CT tu 0041 toi 1012", ref=written)],
    )

    with scope.opened(scope.one_school(child.school.id)):
        info = queries.get_statement(child.school.id, statement)
    assert (info.proofs, info.waiting) == (1, 0)
    assert post(child.school, statement) == Posted()
    assert len(payments_of(child.school)) == 1
    assert_books_hold()


def test_a_notice_that_comes_after_the_statement_changes_nothing(client: FlaskClient) -> None:
    child = billed_child()
    statement = take_in(child.school, [Move(child.due, child.request.reference, ref="FT44440001")])
    post(child.school, statement)

    notice(client, child.school, f"{child.request.reference} hoc phi", child.due, "FT44440001")

    assert len(payments_of(child.school)) == 1
    assert due(child) == 0
    with scope.opened(scope.EVERY_SCHOOL):
        reason = scalar("select reason from inbox_outcomes order by id desc limit 1")
    assert reason == "statement"
    assert_books_hold()


@pytest.mark.parametrize("first", ["statement", "notice"])
def test_money_of_a_virtual_account_is_one_on_the_main_ones_statement(
    client: FlaskClient, first: str
) -> None:
    child = billed_child()
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        virtual = open_account(
            school.id,
            kind=AccountKind.VIRTUAL,
            bank_bin="970415",
            number=f"VA{school.id:08d}",
            holder="TRUONG MINH HOA",
            opened_on=date(2026, 9, 1),
            parent_id=school.account_id,
            actor=ACCOUNTANT,
            now=NOON,
        )
        db.session.execute(
            update(Channel).where(Channel.id == school.channel_id).values(bank_account_id=virtual)
        )
    virtual_school = replace(school, account_number=f"VA{school.id:08d}")
    move = Move(child.due, child.request.reference, ref="FT56560001")
    if first == "notice":
        notice(client, virtual_school, child.request.reference, child.due, move.ref)
    post(school, take_in(school, [move]))
    if first == "statement":
        notice(client, virtual_school, child.request.reference, child.due, move.ref)
    assert len(payments_of(school)) == 1
    back = Move(-child.due, "Hoan tra", date(2026, 11, 25), ref=move.ref)
    assert post(school, take_in(school, [move, back])) == Posted(reversals=1)
    assert_books_hold()


def test_a_second_notice_of_a_second_transfer_is_money(client: FlaskClient) -> None:
    child = billed_child()
    statement = take_in(child.school, [Move(child.due, child.request.reference, ref="FT55550001")])
    post(child.school, statement)
    notice(client, child.school, child.request.reference, child.due, "FT55550001")
    notice(client, child.school, child.request.reference, child.due, "FT55550002")
    assert len(payments_of(child.school)) == 2
    assert_books_hold()


def test_where_more_rows_than_notices_are_alike_a_person_decides(client: FlaskClient) -> None:
    child = billed_child()
    school = child.school
    text = f"{child.request.reference} nop tien"
    notice(client, school, text, 100_000, "")
    statement = take_in(
        school, [Move(100_000, text, ref="FT66660001"), Move(100_000, text, ref="FT66660002")]
    )
    seen = plan(school, statement)
    assert (len(seen.unsure), seen.rows) == (2, [])
    assert post(school, statement) == Posted()
    (row, choices), (new_row, _same) = seen.unsure

    with scope.opened(scope.one_school(school.id)):
        with pytest.raises(StatementNotFound), transaction():
            services.decide_row(
                school.id, statement, row.id, payment_id=999_999, actor=ACCOUNTANT, now=NOON
            )
        with transaction():
            services.decide_row(
                school.id, statement, row.id, payment_id=choices[0], actor=ACCOUNTANT, now=NOON
            )
        with transaction():
            services.decide_row(
                school.id, statement, new_row.id, payment_id=None, actor=ACCOUNTANT, now=NOON
            )
    assert len(payments_of(school)) == 2
    assert due(child) == child.due - 200_000
    assert_books_hold()


def test_the_same_days_in_another_form_of_the_bank_double_nothing() -> None:
    first, second = billed_children(2)
    school = first.school
    moves = [
        Move(first.due, f"{first.request.reference} nop", ref="FT77770001"),
        Move(second.due, f"{second.request.reference} nop", ref="FT77770002"),
    ]
    post(school, take_in(school, moves))
    data = files.mt940(
        [Move(m.amount, m.text, m.day, f"9{m.ref[2:]}") for m in moves], school.account_number
    )
    with scope.opened(scope.one_school(school.id)), transaction():
        other = services.take_in(
            school.id, school.account_id, data, "x.sta", actor=ACCOUNTANT, now=NOON
        )
    assert post(school, other) == Posted()
    assert len(payments_of(school)) == 2
    assert_books_hold()


def test_a_transfer_the_bank_took_back_opens_the_bill_again() -> None:
    child = billed_child()
    school = child.school
    moves = [Move(child.due, child.request.reference, ref="FT88880001")]
    post(school, take_in(school, moves))
    assert due(child) == 0
    back = Move(-child.due, "Hoan tra giao dich loi", date(2026, 11, 25), ref="FT88880001")
    statement = take_in(school, [*moves, back])
    assert len(plan(school, statement).reversals) == 1

    assert post(school, statement) == Posted(reversals=1)

    assert due(child) == child.due
    (payment,) = payments_of(school)
    assert payment.state == "returned"
    assert [paper.state for paper in payment.receipts] == ["void"]
    assert post(school, statement) == Posted()
    assert_books_hold()


def test_a_code_of_another_school_pays_nothing_here() -> None:
    child = billed_child()
    other = make_school()
    statement = take_in(other, [Move(child.due, child.request.reference, ref="FT99990001")])
    assert post(other, statement) == Posted(suspense=1)
    assert due(child) == child.due
    with scope.opened(scope.one_school(other.id)):
        (item,) = payments_queries.suspense_items(other.id)
    assert item.reason == "other_school"
    assert suspense_words(item).count(item.other_school) == 1
    assert item.other_school
    assert_books_hold()


def test_a_statement_of_another_account_is_refused() -> None:
    school = make_school()
    data = files.csv([Move(1_000, "x")], "999988887777")
    with scope.opened(scope.one_school(school.id)), pytest.raises(OtherAccount):
        services.read_file(school.id, school.account_id, data, "x.csv")


def test_killed_in_the_middle_posting_goes_on_where_it_was() -> None:
    children = billed_children(7)
    school = children[0].school
    statement = take_in(
        school,
        [
            Move(child.due, child.request.reference, ref=f"FT12340{n:03d}")
            for n, child in enumerate(children)
        ],
    )
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            done, _after = services.post_next(
                school.id, statement, after=0, actor=ACCOUNTANT, now=NOON, most=3
            )
        assert done.matched == 3

        def killed() -> None:
            with transaction():
                services.post_next(
                    school.id, statement, after=0, actor=ACCOUNTANT, now=NOON, most=3
                )
                raise RuntimeError("killed")

        with pytest.raises(RuntimeError):
            killed()
    assert post(school, statement).matched == 4
    assert [due(child) for child in children] == [0] * 7
    assert len(payments_of(school)) == 7
    assert_books_hold()


@pytest.mark.parametrize(
    ("text", "payer", "amount", "reasons"),
    [
        pytest.param("Tran Bao Ngoc lop 1A hoc phi", "", None, {"name", "amount"}, id="name"),
        pytest.param("nop tien {code}", "", 100_000, {"student_code"}, id="pupil code"),
        pytest.param("hoc phi {near}", "", None, {"near_code", "amount"}, id="a slip in the code"),
        pytest.param("hoc phi thang 11", "", None, {"only_amount"}, id="only child with this sum"),
        pytest.param("0912345678 nop", "", 50_000, {"phone"}, id="a parent's phone"),
    ],
)
def test_what_speaks_of_a_child_is_a_suggestion_and_never_a_match(
    text: str, payer: str, amount: int | None, reasons: set[str]
) -> None:
    from tests.factories.people import mother

    (child,) = billed_children(1, names=["Trần Bảo Ngọc"], guardians=[(mother("0912345678"),)])
    school = child.school
    with scope.opened(scope.one_school(school.id)):
        code = scalar("select code from students where id = :id", id=child.student_id)
    reference = child.request.reference
    near = reference[:4] + ("7" if reference[4] != "7" else "8") + reference[5:]
    said = text.format(code=code, near=near)
    statement = take_in(school, [Move(amount or child.due, said, ref="FT10101010", payer=payer)])
    assert post(school, statement) == Posted(suspense=1)
    with scope.opened(scope.one_school(school.id)):
        (found,) = suggest(school.id, statement_id=statement).values()
    assert [one.student_id for one in found] == [child.student_id]
    assert reasons <= set(found[0].reasons)
    assert due(child) == child.due


def test_what_speaks_of_nobody_has_no_suggestion() -> None:
    child, _other = billed_children(2)
    school = child.school
    statement = take_in(school, [Move(child.due, "chuyen tien", ref="FT20202020")])
    post(school, statement)
    with scope.opened(scope.one_school(school.id)):
        assert list(suggest(school.id, statement_id=statement).values()) == [[]]


def test_a_large_statement_is_posted_in_parts_and_each_row_once() -> None:
    children = billed_children(4)
    school = children[0].school
    moves = [
        Move(1_000, f"{children[n % 4].request.reference} {n}", ref=f"FT3{n:09d}")
        for n in range(1_203)
    ]
    statement = take_in(school, moves)
    assert post(school, statement).matched == 1_203
    assert sum(child.due - due(child) for child in children) == 1_203_000
    assert_books_hold()
