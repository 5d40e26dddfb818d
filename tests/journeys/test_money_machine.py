"""The whole money model under any order of deeds: nothing is made, lost, doubled or given wrongly.

A school with a bank of its own: what moved on the account is the truth, told to us by notices,
repeated, delayed or lost, and by statements that overlap. After every deed the school's books must
say what the truth and the deeds say and its invariants hold; after every story those of all schools
do. `MONEY_STORIES` and `MONEY_STEPS` set how many and how long: `make soak` lets it run for hours.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from app.core import clock, scope
from app.core.db import rows, scalar, transaction
from app.core.errors import Invalid, Refused
from app.core.money import Vnd
from app.journeys.api import services as api
from app.money import billing, ledger
from app.money.billing import corrections
from app.money.payments import cash, gateways, inbox, movements, queries
from app.money.payments.adapters import GatewayEvent, sepay
from app.money.payments.models import Purpose
from app.money.payments.movements import Said
from app.money.payments.reversals import holdings, reinstate_payment, reverse_payment
from app.money.payments.suspense import assign_suspense, take_back_match
from app.money.payouts import queries as payout_queries
from app.money.payouts import services as payouts
from app.money.payouts.models import Kind, Step, Way
from app.money.payouts.services import NewPayout
from app.money.reconciliation import jobs, services
from app.people import partners
from app.people.schools import Provider, channel_of_address
from tests.factories.billing import DECEMBER, EARLY, IN_DECEMBER, issue, small_school
from tests.factories.schools import ACCOUNTANT, PRINCIPAL
from tests.payments.books import assert_books_hold, assert_school_holds
from tests.reconciliation import files
from tests.reconciliation.files import Move

STORIES = int(os.environ.get("MONEY_STORIES", "60"))
STEPS = int(os.environ.get("MONEY_STEPS", "30"))
DAY = date(2026, 11, 24)
NOW = IN_DECEMBER
_numbers = itertools.count(1)

#: told by the bank what the desk or a provider had told before
CAME_TWICE = (Purpose.CASH_BANKED, Purpose.SETTLEMENT)

child_places = st.integers(0, 2)
amounts = st.sampled_from([1_000, 16_000, 92_000, 276_000, 300_000, 552_000, 1_500_000])


@dataclass
class Credit:
    """A transfer as it happened on the account."""

    move: Move
    #: SePay's number of it, used again when the notice is repeated
    notice_id: int
    is_told: bool = False


class Story(RuleBasedStateMachine):
    """One school and everything that may happen to its money."""

    def __init__(self) -> None:
        super().__init__()
        self.made = small_school(3)
        self.school = self.made.school
        issue(self.made.id, now=EARLY)
        #: what moved on the account, in order
        self.moves: list[Credit | Move] = []
        self.cash = 0
        self.confirmed: dict[str, int] = {}
        self.refunded = 0
        #: notes brought to the bank, and pay-outs of providers: they came twice
        self.banked = 0
        #: money no family paid, by its payment
        self.named: dict[int, int] = {}
        self.written_off = 0
        #: payouts the bank has done, by their code; those a statement has shown
        self.ordered: dict[str, int] = {}
        self.paid_out: set[str] = set()
        self.went_back: set[int] = set()
        self.december = False
        with self._school():
            self.requests = [
                billing.requests_of(self.made.id, child.student_id)[0]
                for child in self.made.children
            ]
            self.way = channel_of_address(self.made.id, self.school.channel, "sepay")
        assert self.way is not None
        with self._school(), transaction():
            self.wallet = self._open_wallet()
        code = f"p{next(_numbers)}"
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            key_id, _secret = partners.open_partner(
                code, "Ví Minh Họa", actor=ACCOUNTANT, now=EARLY
            )
            partner = api.partner_of_key(key_id, NOW)
        assert partner is not None
        self.partner = partner

    def _school(self) -> Any:
        return scope.opened(scope.one_school(self.made.id))

    def _open_wallet(self) -> Any:
        from app.people.schools import channels_of
        from app.people.schools.services import open_channel

        channel_id = open_channel(
            self.made.id,
            public_id=f"momo-{self.made.id}-{next(_numbers)}",
            provider=Provider.MOMO,
            scheme="hmac",
            opened_on=date(2026, 9, 1),
            actor=ACCOUNTANT,
            now=EARLY,
        )
        return next(c for c in channels_of(self.made.id, DAY) if c.id == channel_id)

    # What happens on the account

    @rule(place=child_places, amount=amounts, words=st.sampled_from(["code", "low", "none", "two"]))
    def transfer(self, place: int, amount: int, words: str) -> None:
        """A family transfers; nobody has told us yet."""
        code = self.requests[place].reference
        other = self.requests[(place + 1) % 3].reference
        text = {
            "code": f"MBVCB.1.{code}.CT tu 0041",
            "low": f"hoc phi {code.lower()}",
            "none": "hoc phi thang 11",
            "two": f"{code} {other}",
        }[words]
        number = len(self.moves)
        day = DAY + timedelta(days=number // 5)
        move = Move(amount, text, day, f"FT{self.made.id:05d}{number:05d}")
        self.moves.append(Credit(move, self.made.id * 100_000 + number))

    @precondition(lambda self: self._credits())
    @rule(data=st.data())
    def notice(self, data: st.DataObject) -> None:
        """The bank tells of a transfer, for the first time or again."""
        credit = data.draw(st.sampled_from(self._credits()))
        told = sepay.parse(self._body(credit))
        with self._school(), transaction():
            inbox.accept_transfer(
                told, channel=self.way, raw=self._body(credit), headers={}, now=NOW
            )
        credit.is_told = True

    def _body(self, credit: Credit) -> bytes:
        return json.dumps(
            {
                "id": credit.notice_id,
                "transactionDate": f"{credit.move.day} 08:14:05",
                "accountNumber": self.school.account_number,
                "content": credit.move.text,
                "transferType": "in",
                "transferAmount": credit.move.amount,
                "referenceCode": credit.move.ref,
            }
        ).encode()

    @precondition(lambda self: self.moves)
    @rule(skipped=st.integers(0, 3), form=st.sampled_from(["csv", "mt940", "camt"]))
    def statement(self, skipped: int, form: str) -> None:
        """The accountant hands in the days so far, or all but the first movements of them."""
        moves = [one.move if isinstance(one, Credit) else one for one in self.moves]
        skipped = min(skipped, len(moves) - 1)
        opening = files.OPENING + sum(move.amount for move in moves[:skipped])
        told = moves[skipped:]
        writer = {"csv": files.csv, "mt940": files.mt940, "camt": files.camt}[form]
        data = writer(told, self.school.account_number, opening)
        with self._school():
            try:
                with transaction():
                    statement_id = services.take_in(
                        self.made.id,
                        self.school.account_id,
                        data,
                        f"sao-ke.{form}",
                        actor=ACCOUNTANT,
                        now=NOW,
                    )
            except services.AlreadyTaken as before:
                statement_id = before.statement_id
            jobs.post_all(self.made.id, statement_id, actor=ACCOUNTANT)
        for one in self.moves[skipped:]:
            if isinstance(one, Credit):
                one.is_told = True
            else:
                self.paid_out.add(one.text.rpartition(" ")[2])

    def _credits(self) -> list[Credit]:
        return [one for one in self.moves if isinstance(one, Credit)]

    # Other ways in

    @rule(place=child_places, extra=st.sampled_from([0, 5_000]))
    def desk(self, place: int, extra: int) -> None:
        """Cash for all that is open, perhaps a little more."""
        with self._school():
            lines = billing.open_lines(self.made.id, [self.requests[place].student_id])
            mine = lines.get(self.requests[place].student_id, [])
            amount = sum(line.open.dong for line in mine) + extra
            if not mine:
                return
            with transaction():
                cash.take_cash(
                    self.made.id,
                    requests=[self.requests[place]],
                    ticked=[line.line_id for line in mine],
                    amount=Vnd(amount),
                    given=Vnd(amount),
                    payer="",
                    till_id=self.school.till_id,
                    key=f"desk{next(_numbers)}",
                    keep_rest=True,
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        self.cash += amount

    @rule(place=child_places, less=st.sampled_from([0, 0, 1_000]), times=st.integers(1, 2))
    def pay_by_wallet(self, place: int, less: int, times: int) -> None:
        """A try through the wallet, paid as asked or not, its notice once or twice."""
        with self._school():
            due = billing.due(self.requests[place])
            if due.dong <= 1_000:
                return
            with transaction():
                order = gateways.open_attempt(
                    self.requests[place],
                    channel=self.wallet,
                    due=due,
                    surcharge=Vnd(0),
                    order=lambda n: f"try-{n}",
                    now=NOW,
                )
            event = GatewayEvent(
                provider="momo",
                external_id=str(next(_numbers)),
                order=order,
                state="paid",
                amount=due - Vnd(less),
                occurred_at=NOW,
                text="",
                reference=None,
                bank_ref="",
                payer_name=None,
            )
            for _time in range(times):
                with transaction():
                    gateways.accept_event(
                        event, channel=self.wallet, raw=b"{}", headers={}, now=NOW
                    )
        self.confirmed[event.external_id] = event.amount.dong

    @rule(place=child_places, amount=amounts, times=st.integers(1, 2))
    def pay_through_partner(self, place: int, amount: int, times: int) -> None:
        """A bank of the area took the money and tells us, once or twice."""
        told = api.Told(
            transaction_id=f"TX{next(_numbers)}",
            bill_code=self.requests[place].reference,
            amount=Vnd(amount),
            paid_at=NOW,
            payer="",
        )
        with self._school():
            for _time in range(times):
                with transaction():
                    api.accept(
                        self.partner,
                        told,
                        school_id=self.made.id,
                        reference=told.bill_code,
                        raw=b"{}",
                        now=NOW,
                    )
        self.confirmed[told.transaction_id] = amount

    # People put right

    def _payments(self) -> list[queries.PaymentRow]:
        with self._school():
            found = rows(
                "select id from payments where school_id = :school_id order by id",
                school_id=self.made.id,
            )
            return queries.payments_by_id(self.made.id, [one.id for one in found])

    @rule(data=st.data(), place=child_places)
    def assign(self, data: st.DataObject, place: int) -> None:
        """The accountant gives unknown money to a child."""
        waiting = [one for one in self._payments() if one.state == "suspense" and not one.returned]
        if not waiting:
            return
        payment = data.draw(st.sampled_from(waiting))
        with self._school(), transaction():
            assign_suspense(
                self.made.id, payment.id, self.requests[place], actor=ACCOUNTANT, now=NOW
            )

    @rule(data=st.data())
    def unmatch(self, data: st.DataObject) -> None:
        """The principal takes a match back."""
        matched = [one for one in self._payments() if one.children and not one.returned]
        if not matched:
            return
        payment = data.draw(st.sampled_from(matched))
        try:
            with self._school(), transaction():
                take_back_match(
                    self.made.id,
                    payment.id,
                    reason="Nhầm sang em khác cùng tên",
                    actor=PRINCIPAL,
                    now=NOW,
                )
        except Refused:
            assert (
                payment.method == "cash"
                or payment.id in self.went_back
                or self._has_payout(payment)
            )

    @rule(data=st.data(), share=st.integers(1, 4))
    def refund(self, data: st.DataObject, share: int) -> None:
        """A part of a payment goes back to the family."""
        left = [one for one in self._payments() if one.returned < one.amount and not one.moved]
        if not left:
            return
        payment = data.draw(st.sampled_from(left))
        amount = Vnd(max(payment.amount.dong // share, 1))
        try:
            with self._school(), transaction():
                reverse_payment(
                    self.made.id,
                    payment.id,
                    amount=amount,
                    kind="refund",
                    external_id=f"r{next(_numbers)}",
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        except Refused:
            assert amount > payment.amount - payment.returned or self._has_payout(payment)
            return
        self.refunded += amount.dong
        self.went_back.add(payment.id)

    def _has_payout(self, payment: queries.PaymentRow) -> bool:
        """Whether credit of its child went to the family, or is set apart for it."""
        with self._school():
            found = payout_queries.list_payouts(
                self.made.id, Step.APPROVED, Step.SENT, Step.PAID, Step.FAILED
            )
        mine = {child.student_id for child in payment.children}
        return any(one.kind is Kind.REFUND and one.student_id in mine for one in found)

    @rule(data=st.data())
    def refund_comes_back(self, data: st.DataObject) -> None:
        """The family's bank sends a refund back."""
        gone = [one for one in self._payments() if one.returned]
        if not gone:
            return
        payment = data.draw(st.sampled_from(gone))
        with self._school(), transaction():
            reinstate_payment(
                self.made.id,
                payment.id,
                amount=payment.returned,
                external_id=f"b{next(_numbers)}",
                actor=ACCOUNTANT,
                now=NOW,
            )
        self.refunded -= payment.returned.dong

    # Money no family paid

    @rule()
    def bring_to_bank(self) -> None:
        """The notes of the drawer leave it, and the account shows them."""
        with self._school():
            held = ledger.balance(self.made.id, f"cash:{self.school.till_id}")
            if held.dong <= 0:
                return
            with transaction():
                movements.deposit_cash(
                    self.made.id,
                    self.school.till_id,
                    self.school.account_id,
                    held,
                    slip=f"G{next(_numbers)}",
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        number = len(self.moves)
        day = DAY + timedelta(days=number // 5)
        move = Move(held.dong, "NOP TIEN MAT", day, f"FT{self.made.id:05d}{number:05d}")
        self.moves.append(Credit(move, self.made.id * 100_000 + number))

    @rule(data=st.data(), purpose=st.sampled_from([Purpose.INTEREST, Purpose.OWN_ACCOUNT]))
    def name(self, data: st.DataObject, purpose: Purpose) -> None:
        """Somebody says what money is that no family paid, as the machine guesses or not."""
        waiting = [
            one
            for one in self._payments()
            if one.state == "suspense" and not one.returned and one.proof == "account"
        ]
        if not waiting:
            return
        payment = data.draw(st.sampled_from(waiting))
        with self._school():
            said = movements.likely_of(self.made.id, [payment]).get(payment.id, Said(purpose))
            with transaction():
                movements.name_credit(self.made.id, payment.id, said, actor=ACCOUNTANT, now=NOW)
        if said.purpose in CAME_TWICE:
            self.banked += payment.amount.dong
        else:
            self.named[payment.id] = payment.amount.dong

    @rule(data=st.data())
    def unname(self, data: st.DataObject) -> None:
        """It was wrong, and waits again."""
        moved = [one.id for one in self._payments() if one.moved]
        if not moved:
            return
        payment_id = data.draw(st.sampled_from(moved))
        with self._school():
            movement = movements.movements_of(self.made.id, "payment", [payment_id])[payment_id]
            with transaction():
                movements.take_back_movement(
                    self.made.id,
                    movement.id,
                    reason="Xem lại nội dung chuyển khoản",
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        if movement.purpose in CAME_TWICE:
            self.banked -= movement.amount.dong
        else:
            del self.named[payment_id]

    # Money back to families

    @rule(place=child_places, share=st.integers(1, 2))
    def order_payout(self, place: int, share: int) -> None:
        """Credit of a child is asked for and approved."""
        child = self.requests[place].student_id
        with self._school():
            credit = billing.credits_of(self.made.id, [child]).get(child, Vnd(0))
            if credit.dong < share:
                return
            wanted = NewPayout(
                Kind.REFUND,
                Way.TRANSFER,
                child,
                Vnd(credit.dong // share),
                "Gia đình xin nhận lại",
                bank_bin="970436",
                account="1012345678",
                holder="Phạm Thị Hòa",
            )
            with transaction():
                [number] = payouts.ask(self.made.id, [wanted], actor=ACCOUNTANT, now=NOW)
            with transaction():
                payouts.approve(self.made.id, number, actor=PRINCIPAL, now=NOW)

    @rule()
    def send_payouts(self) -> None:
        """What is approved goes to the bank, which does it."""
        with self._school():
            ready = payout_queries.list_payouts(self.made.id, Step.APPROVED, Step.FAILED)
            if not ready:
                return
            with transaction():
                payouts.make_batch(
                    self.made.id,
                    [one.id for one in ready],
                    self.school.account_id,
                    "common",
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        for one in ready:
            number = len(self.moves)
            day = DAY + timedelta(days=number // 5)
            ref = f"FT{self.made.id:05d}{number:05d}"
            self.moves.append(Move(-one.amount.dong, f"Hoan tien {one.code}", day, ref))
            self.ordered[one.code] = one.amount.dong

    @rule(data=st.data())
    def withdraw_payout(self, data: st.DataObject) -> None:
        """The family changed its mind before anything was sent."""
        with self._school():
            ready = payout_queries.list_payouts(self.made.id, Step.APPROVED)
            if not ready:
                return
            payout = data.draw(st.sampled_from(ready))
            with transaction():
                payouts.withdraw(
                    self.made.id,
                    payout.id,
                    words="Gia đình để trừ tháng sau",
                    actor=ACCOUNTANT,
                    now=NOW,
                )

    @rule(place=child_places)
    def write_off(self, place: int) -> None:
        """The first open line of a child is given up."""
        child = self.requests[place].student_id
        with self._school():
            lines = billing.open_lines(self.made.id, [child]).get(child, [])
            if not lines:
                return
            first = lines[0]
            wanted = NewPayout(
                Kind.WRITE_OFF,
                Way.BOOKS,
                child,
                first.open,
                "Gia đình đã chuyển đi xa",
                lines={first.line_id: first.open.dong},
            )
            with transaction():
                [number] = payouts.ask(self.made.id, [wanted], actor=ACCOUNTANT, now=NOW)
            with transaction():
                payouts.approve(self.made.id, number, actor=PRINCIPAL, now=NOW)
        self.written_off += first.open.dong

    # Bills

    @precondition(lambda self: not self.december)
    @rule()
    def bill_december(self) -> None:
        """The next month is issued; credit pays what it can."""
        issue(self.made.id, DECEMBER, now=IN_DECEMBER)
        self.december = True

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A wrong bill is withdrawn and replaced."""
        with self._school():
            found = rows(
                "select id from invoices v where school_id = :school_id and total > 0"
                " and not exists (select 1 from invoice_withdrawals w where"
                "  w.school_id = v.school_id and (w.invoice_id = v.id or w.note_id = v.id))"
                " order by id",
                school_id=self.made.id,
            )
        if not found:
            return
        bill = data.draw(st.sampled_from([int(one.id) for one in found]))
        try:
            with self._school(), transaction():
                corrections.withdraw(
                    self.made.id,
                    bill,
                    reason="Phiếu ghi sai số ngày",
                    due_on=date(2026, 12, 31),
                    actor=ACCOUNTANT,
                    now=NOW,
                )
        except (Refused, Invalid):
            return

    # What must hold after every deed

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        """The truth, the payments and the books say one thing, and the school's invariants hold."""
        super().check_invariants(*args, **kwargs)
        assert_school_holds(self.made.id)
        school_id = self.made.id
        with self._school():
            bank = ledger.balance(school_id, f"bank:{self.school.account_id}").dong
            drawer = ledger.balance(school_id, f"cash:{self.school.till_id}").dong
            clearing = sum(v.dong for v in ledger.balances(school_id, "clearing:").values())
            waiting = -sum(v.dong for v in ledger.balances(school_id, "suspense:").values())
            on_way = sum(v.dong for v in ledger.balances(school_id, "deposit:").values())
            leaving = sum(v.dong for v in ledger.balances(school_id, "payout:").values())
            promised = -ledger.balance(school_id, "refund_payable").dong
            owed = ledger.balance(school_id, "receivable").dong
            credit = sum(c.dong for c in billing.credits_of(school_id).values())
            billed = int(
                scalar(
                    "select coalesce(sum(total), 0) from invoices where school_id = :school_id",
                    school_id=school_id,
                )
            )
            payments = self._payments()
            for payment in payments:
                held = sum(part.amount.dong for part in holdings(payment))
                assert held == payment.amount.dong - payment.returned.dong, payment
        told = sum(one.move.amount for one in self._credits() if one.is_told)
        came = told + self.cash + sum(self.confirmed.values())
        assert sum(one.amount.dong for one in payments) == came
        # Notes and confirmed money came twice: before, and on the account.
        paid = sum(self.ordered[code] for code in self.paid_out)
        kept = came - self.banked - self.refunded - paid
        # What came in, less what went back, lies in these places and nowhere else.
        assert bank + drawer + clearing + on_way + leaving == kept
        # And it is bills paid, credit, promised, nobody's, or waiting for its child.
        settled = billed - owed - self.written_off
        named = sum(self.named.values())
        assert settled + credit + waiting + promised + named == kept
        # One transfer is one payment, however often it was told.
        count = sum(1 for one in self._credits() if one.is_told)
        assert sum(1 for one in payments if one.provider in ("sepay", "statement")) == count

    def teardown(self) -> None:
        """The end of a story: every invariant of the whole house."""
        assert_books_hold()


def test_any_story_of_a_school_keeps_its_books_true(context: Flask) -> None:
    assert clock.local_day(NOW) >= DAY
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Story,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
