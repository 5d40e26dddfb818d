"""Money back to families: asked by one, approved by another, sent, and closed by the bank."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from xml.etree.ElementTree import fromstring

import pytest
from openpyxl import Workbook, load_workbook

from app import audit
from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import movements
from app.money.payments import queries as payments_queries
from app.money.payments.errors import MoreThanPaid
from app.money.payments.models import Purpose
from app.money.payments.movements import Said
from app.money.payments.reversals import reverse_payment
from app.money.payouts import queries, services
from app.money.payouts.errors import (
    BadPayout,
    LineNotOpen,
    MoreThanCredit,
    NothingToSend,
    OwnPayout,
    PayoutNotFound,
    ResultUnread,
    WrongStep,
)
from app.money.payouts.models import Kind, Step, Way
from app.money.payouts.rosters import bank_of, read_roster
from app.money.payouts.services import NewPayout
from app.money.reconciliation import services as statements
from tests.factories.money import Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool, make_school
from tests.payments.books import assert_books_hold
from tests.payments.test_till import in_books, paid_in_cash
from tests.payments.test_unmatch import transfer
from tests.reconciliation.files import Move
from tests.reconciliation.test_money_out import rows_out
from tests.reconciliation.test_statements import post, take_in

pytestmark = pytest.mark.usefixtures("context")
DAY = date(2026, 11, 24)
WHY = "Gia đình chuyển đi nơi khác"


def with_credit(count: int = 1, credit: int = 300_000) -> list[Billed]:
    """Children who paid their bill and so much more."""
    children = billed_children(count)
    for number, child in enumerate(children):
        transfer(child, child.request.reference, child.due + credit, f"credit-{number}")
    return children


def refund(
    child: Billed, amount: int, *, kind: Kind = Kind.REFUND, way: Way = Way.TRANSFER
) -> NewPayout:
    return NewPayout(
        kind,
        way,
        child.student_id,
        Vnd(amount),
        WHY,
        bank_bin="970436",
        account="1012 345.678",
        holder="Phạm Thị Hòa",
    )


def ask(school: MadeSchool, *wanted: NewPayout) -> list[int]:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.ask(school.id, wanted, actor=ACCOUNTANT, now=NOON)


def approve(school: MadeSchool, *ids: int, who: audit.Actor = PRINCIPAL) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        for payout_id in ids:
            services.approve(school.id, payout_id, actor=who, now=NOON)


def send(school: MadeSchool, ids: Sequence[int], profile: str = "common") -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.make_batch(
            school.id, ids, school.account_id, profile, actor=ACCOUNTANT, now=NOON
        )


def payout(school: MadeSchool, payout_id: int) -> queries.PayoutRow:
    with scope.opened(scope.one_school(school.id)):
        return queries.get_payout(school.id, payout_id)


def credit(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        found = billing.credits_of(child.school.id, [child.student_id])
        return found.get(child.student_id, Vnd(0)).dong


def do(school: MadeSchool, verb: object, payout_id: int, words: str = WHY) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        verb(school.id, payout_id, words=words, actor=ACCOUNTANT, now=NOON)  # type: ignore[operator]


# From the wish to the account


def test_a_refund_is_asked_approved_sent_and_closed_by_the_row_that_names_it() -> None:
    [child] = with_credit()
    school = child.school
    [one] = ask(school, refund(child, 300_000))
    assert (credit(child), in_books(child, "refund_payable")) == (300_000, 0)
    approve(school, one)
    assert (credit(child), in_books(child, "refund_payable")) == (0, -300_000)
    assert_books_hold()
    batch = send(school, [one])
    assert payout(school, one).step is Step.SENT
    code = payout(school, one).code
    statement = take_in(
        school, [Move(-300_000, f"Hoan tien {code.lower()} FT99", ref="X1", day=DAY)]
    )
    post(school, statement)
    assert payout(school, one).step is Step.PAID
    assert rows_out(school, statement) == {}
    assert in_books(child, "refund_payable") == 0
    assert in_books(child, f"payout:{school.account_id}") == 0
    with scope.opened(scope.one_school(school.id)):
        assert queries.seen_payouts(school.id, [one]) == {one}
        assert queries.get_batch(school.id, batch).open_count == 0
    assert_books_hold()


def test_the_receipt_of_money_that_was_really_paid_stays_live() -> None:
    [child] = with_credit()
    [one] = ask(child.school, refund(child, 300_000))
    approve(child.school, one)
    with scope.opened(scope.one_school(child.school.id)):
        papers = [
            paper.state
            for payment in payments_queries.payments_of_student(child.school.id, child.student_id)
            for paper in payment.receipts
        ]
    assert papers == ["live"]


def test_whoever_asks_does_not_approve() -> None:
    [child] = with_credit()
    [one] = ask(child.school, refund(child, 300_000))
    with pytest.raises(OwnPayout):
        approve(child.school, one, who=ACCOUNTANT)
    assert payout(child.school, one).step is Step.ASKED


def test_no_more_is_asked_for_than_the_credit_with_what_was_asked_before() -> None:
    [child] = with_credit()
    ask(child.school, refund(child, 200_000))
    with pytest.raises(MoreThanCredit):
        ask(child.school, refund(child, 100_001))
    ask(child.school, refund(child, 100_000))
    with pytest.raises(MoreThanCredit):
        ask(child.school, refund(child, 1))


def test_credit_that_a_bill_used_up_meanwhile_is_not_paid_out_twice() -> None:
    [child] = with_credit()
    one, two = ask(child.school, refund(child, 300_000, way=Way.CASH)), None
    approve(child.school, *one)
    with pytest.raises(MoreThanCredit):
        two = ask(child.school, refund(child, 300_000))
    assert two is None
    assert_books_hold()


def test_an_approved_refund_that_is_withdrawn_is_credit_again() -> None:
    [child] = with_credit()
    [one] = ask(child.school, refund(child, 300_000))
    approve(child.school, one)
    do(child.school, services.withdraw, one)
    assert (credit(child), in_books(child, "refund_payable")) == (300_000, 0)
    with pytest.raises(WrongStep):
        approve(child.school, one)
    with pytest.raises(WrongStep):
        send(child.school, [one])
    assert_books_hold()


def test_a_refused_one_is_over_and_says_why() -> None:
    [child] = with_credit()
    [one] = ask(child.school, refund(child, 300_000))
    with pytest.raises(BadPayout):
        do(child.school, services.refuse, one, "không")
    do(child.school, services.refuse, one, "Chưa đủ giấy tờ kèm theo")
    assert payout(child.school, one).words == "Chưa đủ giấy tờ kèm theo"
    with pytest.raises(WrongStep):
        approve(child.school, one)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bank_bin": "000000"},
        {"account": "12"},
        {"account": "1" * 25},
        {"holder": "Hòa"},
        {"reason": "ngắn"},
        {"amount": Vnd(0)},
    ],
    ids=["no bank", "short account", "long account", "half a name", "no reason", "nothing"],
)
def test_what_is_missing_is_said_before_anything_is_kept(wrong: dict[str, object]) -> None:
    [child] = with_credit()
    values = {**{f: getattr(refund(child, 1000), f) for f in NewPayout.__slots__}, **wrong}
    with pytest.raises(BadPayout):
        ask(child.school, NewPayout(**values))  # type: ignore[arg-type]
    with scope.opened(scope.one_school(child.school.id)):
        assert queries.list_payouts(child.school.id, Step.ASKED) == []


# Other ways


def test_cash_is_handed_out_of_a_drawer_that_holds_it() -> None:
    child = paid_in_cash(1_000_000)
    kept = credit(child)
    assert kept > 0
    [one] = ask(child.school, refund(child, kept, way=Way.CASH))
    approve(child.school, one)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        services.pay_cash(child.school.id, one, child.school.till_id, actor=ACCOUNTANT, now=NOON)
    assert in_books(child, f"cash:{child.school.till_id}") == 1_000_000 - kept
    assert payout(child.school, one).step is Step.PAID
    assert_books_hold()


def test_support_of_the_state_is_promised_paid_and_closed_when_the_state_pays() -> None:
    child = billed_child()
    school = child.school
    [one] = ask(school, refund(child, 450_000, kind=Kind.SUPPORT))
    approve(school, one)
    assert in_books(child, "support_payable") == -450_000
    send(school, [one])
    seen = transfer(child, "KBNN CHUYEN HO TRO CPHT", 450_000)
    with scope.opened(scope.one_school(school.id)), transaction():
        movements.name_credit(school.id, seen, Said(Purpose.SUPPORT), actor=ACCOUNTANT, now=NOON)
    assert in_books(child, "support") == 0
    assert_books_hold()


def test_credit_goes_to_a_brother_and_pays_what_he_owes() -> None:
    one, two = billed_children(2)
    school = one.school
    transfer(one, one.request.reference, one.due + 300_000)
    wanted = NewPayout(
        Kind.SIBLING,
        Way.BOOKS,
        one.student_id,
        Vnd(300_000),
        "Hai anh em cùng trường",
        to_student_id=two.student_id,
    )
    [number] = ask(school, wanted)
    approve(school, number)
    assert (credit(one), credit(two)) == (0, 0)
    with scope.opened(scope.one_school(school.id)):
        assert billing.due(two.request).dong == two.due - 300_000
    assert payout(school, number).step is Step.PAID
    assert in_books(one, "same_family") == 0
    assert_books_hold()


def test_a_debt_is_given_up_line_by_line_and_can_be_taken_up_again() -> None:
    child = billed_child()
    school = child.school
    line = child.lines[0]
    with scope.opened(scope.one_school(school.id)):
        found = billing.open_lines(school.id, [child.student_id])[child.student_id]
    dong = next(one.open.dong for one in found if one.line_id == line)
    wrong = NewPayout(
        Kind.WRITE_OFF, Way.BOOKS, child.student_id, Vnd(dong + 1), WHY, lines={line: dong + 1}
    )
    with pytest.raises(LineNotOpen):
        ask(school, wrong)
    right = NewPayout(
        Kind.WRITE_OFF, Way.BOOKS, child.student_id, Vnd(dong), WHY, lines={line: dong}
    )
    [number] = ask(school, right)
    approve(school, number)
    with scope.opened(scope.one_school(school.id)):
        assert billing.due(child.request).dong == child.due - dong
    assert in_books(child, "write_off") == dong
    assert_books_hold()
    do(school, services.withdraw, number, "Gia đình đồng ý nộp tiếp")
    with scope.opened(scope.one_school(school.id)):
        assert billing.due(child.request).dong == child.due
    assert_books_hold()


def test_a_line_paid_before_the_approval_is_not_given_up() -> None:
    child = billed_child()
    line = child.lines[0]
    with scope.opened(scope.one_school(child.school.id)):
        found = billing.open_lines(child.school.id, [child.student_id])[child.student_id]
    dong = next(one.open.dong for one in found if one.line_id == line)
    wanted = NewPayout(
        Kind.WRITE_OFF, Way.BOOKS, child.student_id, Vnd(dong), WHY, lines={line: dong}
    )
    [number] = ask(child.school, wanted)
    transfer(child, child.request.reference, child.due)
    with pytest.raises(LineNotOpen):
        approve(child.school, number)
    assert_books_hold()


# Batches


def sent_batch(count: int = 3, profile: str = "common") -> tuple[list[Billed], list[int], int]:
    children = with_credit(count)
    school = children[0].school
    ids = ask(school, *(refund(child, 300_000) for child in children))
    approve(school, *ids)
    return children, ids, send(school, ids, profile)


def file_of(school: MadeSchool, batch: int) -> bytes:
    with scope.opened(scope.one_school(school.id)):
        return queries.batch_file(school.id, batch)


def test_a_batch_file_has_a_row_for_each_and_no_accents_in_names() -> None:
    children, ids, batch = sent_batch()
    sheet = load_workbook(io.BytesIO(file_of(children[0].school, batch))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 4
    assert rows[1][:5] == (1, "PHAM THI HOA", "1012345678", "Vietcombank", 300_000)
    codes = [payout(children[0].school, one).code for one in ids]
    assert [row[5] for row in rows[1:]] == [f"Hoan tien {code}" for code in codes]


def test_pain_001_carries_counts_sums_and_each_transfer() -> None:
    children, ids, batch = sent_batch(2, "pain001")
    school = children[0].school
    space = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
    root = fromstring(file_of(school, batch))
    assert [one.text for one in root.iter(f"{space}CtrlSum")] == ["600000", "600000"]
    assert [one.text for one in root.iter(f"{space}NbOfTxs")] == ["2", "2"]
    assert [one.text for one in root.iter(f"{space}InstdAmt")] == ["300000", "300000"]
    codes = [payout(school, one).code for one in ids]
    assert [one.text for one in root.iter(f"{space}EndToEndId")] == codes


def test_csv_is_utf8_with_a_mark_and_whole_numbers() -> None:
    children, _ids, batch = sent_batch(1, "csv")
    text = file_of(children[0].school, batch).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("1,1012345678,PHAM THI HOA,970436,300000,Hoan tien TR")


def test_a_batch_takes_only_approved_transfers_and_an_own_account() -> None:
    children, ids, _batch = sent_batch(1)
    school = children[0].school
    with pytest.raises(WrongStep):
        send(school, ids)
    with pytest.raises(NothingToSend):
        send(school, [])
    other = with_credit()
    [number] = ask(other[0].school, refund(other[0], 1000))
    approve(other[0].school, number)
    with pytest.raises(BadPayout):
        send(other[0].school, [number], "unknown")
    with pytest.raises(PayoutNotFound):
        send(make_school(), ids)


def result(rows: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["STT", "Nội dung", "Số tiền", "Trạng thái"])
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def take(school: MadeSchool, batch: int, data: bytes) -> tuple[int, int]:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.take_result(
            school.id, batch, data, "ket-qua.xlsx", actor=ACCOUNTANT, now=NOON
        )


def test_the_banks_answer_closes_rows_and_a_failed_one_is_sent_again() -> None:
    children, ids, batch = sent_batch(3)
    school = children[0].school
    codes = [payout(school, one).code for one in ids]
    answer = result(
        [
            (1, f"Hoan tien {codes[0]}", 300_000, "Thành công"),
            (2, f"Hoan tien {codes[1]}", "300.000", "Không thành công: sai tên người hưởng"),
        ]
    )
    assert take(school, batch, answer) == (1, 1)
    assert [payout(school, one).step for one in ids] == [Step.PAID, Step.FAILED, Step.SENT]
    assert "sai tên" in payout(school, ids[1]).words
    assert take(school, batch, answer) == (0, 0)
    assert_books_hold()
    again = send(school, [ids[1]])
    assert payout(school, ids[1]).batch_id == again
    moves = [
        Move(-300_000, f"Hoan tien {code}", ref=f"O{place}", day=DAY)
        for place, code in enumerate(codes)
    ]
    statement = take_in(school, moves)
    post(school, statement)
    assert [payout(school, one).step for one in ids] == [Step.PAID] * 3
    assert in_books(children[0], f"payout:{school.account_id}") == 0
    assert in_books(children[0], "refund_payable") == 0
    assert_books_hold()


@pytest.mark.parametrize("wrong", ["amount", "outcome", "foreign", "twice", "empty"])
def test_an_answer_that_cannot_be_believed_is_refused_whole(wrong: str) -> None:
    children, ids, batch = sent_batch(2)
    school = children[0].school
    codes = [payout(school, one).code for one in ids]
    good = (1, f"Hoan tien {codes[0]}", 300_000, "Thành công")
    bad = {
        "amount": [(2, codes[1], 299_999, "Thành công")],
        "outcome": [(2, codes[1], 300_000, "Đang xử lý")],
        "foreign": [(2, "TR7K3M9Q5", 300_000, "Thành công")],
        "twice": [good],
    }
    data = result([good, *bad[wrong]] if wrong in bad else [])
    with pytest.raises(ResultUnread):
        take(school, batch, data)
    assert [payout(school, one).step for one in ids] == [Step.SENT, Step.SENT]


def test_a_whole_batch_in_one_sum_is_named_by_a_person() -> None:
    children, ids, batch = sent_batch(3)
    school = children[0].school
    statement = take_in(school, [Move(-900_000, "CHI LUONG LO 55", ref="L1", day=DAY)])
    post(school, statement)
    [row] = rows_out(school, statement).values()
    with scope.opened(scope.one_school(school.id)), transaction():
        statements.name_batch(school.id, statement, row, batch, actor=ACCOUNTANT, now=NOON)
    assert [payout(school, one).step for one in ids] == [Step.PAID] * 3
    assert rows_out(school, statement) == {}
    assert_books_hold()
    code = payout(school, ids[0]).code
    late = take_in(
        school, [Move(-300_000, f"Hoan tien {code}", ref="L2", day=DAY)], opening=5_000_000
    )
    post(school, late)
    assert set(rows_out(school, late)) == {"L2"}
    row = rows_out(school, late)["L2"]
    with (
        pytest.raises(PayoutNotFound),
        scope.opened(scope.one_school(school.id)),
        transaction(),
    ):
        statements.name_batch(school.id, late, row, batch, actor=ACCOUNTANT, now=NOON)
    assert_books_hold()


def test_money_that_came_back_is_owed_to_the_family_again() -> None:
    children, ids, _batch = sent_batch(1)
    [child] = children
    school = child.school
    code = payout(school, ids[0]).code
    post(school, take_in(school, [Move(-300_000, f"Hoan tien {code}", ref="X1", day=DAY)]))
    back = transfer(child, "HOAN TRA LENH CHI", 300_000, "back")
    with scope.opened(scope.one_school(school.id)), transaction():
        movements.name_credit(
            school.id, back, Said(Purpose.PAYOUT_BACK), actor=ACCOUNTANT, now=NOON
        )
    do(school, services.mark_failed, ids[0], "Tài khoản đã đóng")
    assert in_books(child, "refund_payable") == -300_000
    assert in_books(child, f"payout:{school.account_id}") == 0
    assert payout(school, ids[0]).step is Step.FAILED
    assert_books_hold()


def test_a_row_with_another_amount_or_of_a_payout_never_sent_closes_nothing() -> None:
    [child] = with_credit()
    school = child.school
    [one] = ask(school, refund(child, 300_000))
    approve(school, one)
    code = payout(school, one).code
    moves = [
        Move(-299_999, f"Hoan tien {code}", ref="A", day=DAY),
        Move(-300_000, f"Hoan tien {code}", ref="B", day=DAY),
    ]
    statement = take_in(school, moves)
    post(school, statement)
    assert set(rows_out(school, statement)) == {"A", "B"}
    assert payout(school, one).step is Step.APPROVED
    assert_books_hold()


# Lists from a file


def roster(rows: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Mã học sinh", "Số tiền", "Ngân hàng", "Số tài khoản", "Chủ tài khoản"])
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def code_of(child: Billed) -> str:
    with scope.opened(scope.one_school(child.school.id)):
        return payments_queries.children_of(child.school.id, [child.student_id])[0].code


def test_a_list_of_families_is_read_whole_or_refused_with_its_row() -> None:
    one, two = billed_children(2)
    school = one.school
    first = (code_of(one), 450_000, "BIDV", "123456789012", "Trần Văn Nam")
    second = (code_of(two), "450.000", "Ngoại thương", 98765432101, "Lê Thị Lan")
    with scope.opened(scope.one_school(school.id)):
        found = read_roster(school.id, Kind.SUPPORT, WHY, roster([first, second]), "ho-tro.xlsx")
        assert [(w.student_id, w.amount.dong, w.bank_bin, w.account) for w in found] == [
            (one.student_id, 450_000, "970418", "123456789012"),
            (two.student_id, 450_000, "970436", "98765432101"),
        ]
        for row in (
            ("123456789", 450_000, "BIDV", "123456789012", "Trần Văn Nam"),
            (code_of(two), "nhiều", "BIDV", "123456789012", "Trần Văn Nam"),
            (code_of(two), 450_000, "Ngân hàng Sao Hỏa", "123456789012", "Trần Văn Nam"),
        ):
            with pytest.raises(BadPayout, match="3"):
                read_roster(school.id, Kind.SUPPORT, WHY, roster([first, row]), "ho-tro.xlsx")


@pytest.mark.parametrize(
    ("text", "bin"),
    [
        ("970436", "970436"),
        ("vietcombank", "970436"),
        ("MB", "970422"),
        ("Ngân hàng TMCP Quân đội", "970422"),
        ("ngân hàng", None),
        ("", None),
    ],
)
def test_a_bank_is_known_by_digits_short_or_full_name(text: str, bin: str | None) -> None:
    assert bank_of(text) == bin


def test_the_books_of_money_out_are_one_child_each() -> None:
    children, _ids, _batch = sent_batch(2)
    school = children[0].school
    with scope.opened(scope.one_school(school.id)):
        for child in children:
            owed = ledger.balance(school.id, "refund_payable", student_id=child.student_id)
            assert owed == Vnd(-300_000)


def test_a_reversal_after_a_refund_opens_bills_and_never_takes_credit_twice() -> None:
    [child] = with_credit()
    school = child.school
    [one] = ask(school, refund(child, 300_000))
    approve(school, one)
    with scope.opened(scope.one_school(school.id)):
        [payment] = payments_queries.payments_of_student(school.id, child.student_id)
        with transaction():
            reverse_payment(
                school.id,
                payment.id,
                amount=Vnd(child.due),
                kind="bank",
                external_id="b1",
                actor=ACCOUNTANT,
                now=NOON,
            )
        assert billing.due(child.request).dong == child.due
        with pytest.raises(MoreThanPaid), transaction():
            reverse_payment(
                school.id,
                payment.id,
                amount=Vnd(1),
                kind="bank",
                external_id="b2",
                actor=ACCOUNTANT,
                now=NOON,
            )
    assert (credit(child), in_books(child, "refund_payable")) == (0, -300_000)
    assert_books_hold()


def test_a_banks_reversal_of_money_that_was_refunded_waits_for_a_person() -> None:
    [child] = billed_children(1)
    school = child.school
    whole = child.due + 300_000
    moves = [Move(whole, child.request.reference, ref="FT26000000001", day=DAY)]
    post(school, take_in(school, moves))
    [one] = ask(school, refund(child, 300_000))
    approve(school, one)
    back = [Move(-whole, "Hoan tra giao dich loi", ref="FT26000000001", day=DAY)]
    statement = take_in(school, back, opening=50_000_000)
    post(school, statement)
    assert set(rows_out(school, statement)) == {"FT26000000001"}
    do(school, services.withdraw, one)
    post(school, statement)
    assert rows_out(school, statement) == {}
    with scope.opened(scope.one_school(school.id)):
        assert billing.due(child.request).dong == child.due
    assert_books_hold()
