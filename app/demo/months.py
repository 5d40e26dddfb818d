"""Two months of a school's life: prices approved, bills issued, families pay in every way."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import rows, scalar
from app.core.errors import DomainError
from app.core.ids import new_check_code
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.core.text import ascii_upper
from app.demo.bank import notice_body
from app.demo.calendar import Calendar, at, meal_days
from app.demo.catalogue import price_list
from app.demo.organisation import DemoSchool
from app.demo.people import Child
from app.money import billing
from app.money.exemptions.models import State
from app.money.exemptions.services import NewApplication, decide, receive, take_step
from app.money.fees import (
    Category,
    NewPrice,
    approve_schedule,
    draft_schedule,
    get_schedule,
    plans,
    set_prices,
    submit_schedule,
)
from app.money.ledger import chart
from app.money.meals.errors import NoMealThen
from app.money.meals.models import Source
from app.money.meals.services import plan_days, report_away
from app.money.payments.adapters import sepay
from app.money.payments.inbox import PostedNotice, credit_of, keep_notices
from app.money.payments.models import AttemptAddress, AttemptState, Method, PaymentAttempt
from app.money.payments.posting import Credit, accept_many
from app.people.access import Role

#: so many children of a school were away on a day of the last billed month
AWAY: Final = 4
#: at least so many children of the schools that the credentials list leans on stay unpaid
FOCUS_UNPAID: Final = 35
#: notices of the demo have numbers no test and no bank of ours will use again
_FIRST_NOTICE: Final = 900_000_000
_MINUTES_IN_A_BATCH: Final = 12


@dataclass(frozen=True, slots=True)
class Habits:
    """How the families of one school pay."""

    unpaid: float
    cash: float
    is_focus: bool

    @classmethod
    def drawn(cls, rng: random.Random, *, is_focus: bool) -> Habits:
        """Every school differs; the area as a whole pays about 83 % without cash."""
        unpaid = rng.uniform(0.06, 0.16)
        cash = rng.choice((0.05, 0.09, 0.12, 0.14, 0.17, 0.19, 0.22, 0.28))
        return cls(unpaid, cash, is_focus)


@dataclass(slots=True)
class Tally:
    """What was made so far, for the progress lines."""

    invoices: int = 0
    lines: int = 0
    payments: int = 0
    notices: int = 0


@dataclass(frozen=True, slots=True)
class _Payer:
    """A child somebody is about to pay for."""

    child: Child
    request: billing.Request
    due: int


class Story:
    """Tells the months of one school after another from one source of chance."""

    def __init__(self, calendar: Calendar, rng: random.Random) -> None:
        self._calendar = calendar
        self._rng = rng
        self._next_notice = _FIRST_NOTICE
        self.tally = Tally()

    # Prices

    def approve_prices(self, school: DemoSchool, year_id: int, item_ids: dict[str, int]) -> None:
        """The accountant drafts the year's prices, the principal approves them."""
        accountant, principal = school.person(Role.ACCOUNTANT), school.person(Role.PRINCIPAL)
        drafted = self._calendar.prepared_at
        agreed = self._calendar.starts_on - timedelta(days=15)
        schedule_id = draft_schedule(
            school.id,
            year_id,
            agreement=f"Biên bản họp cha mẹ học sinh ngày {agreed:%d/%m/%Y} (minh họa)",
            actor=accountant,
            now=drafted,
        )
        prices = [
            NewPrice(
                item_id=item_ids[price.item],
                audience="all" if price.grade is None else f"grade:{price.grade}",
                period=price.period,
                quantity=price.quantity,
                price=Vnd(price.dong),
            )
            for price in price_list(school.name.level, self._calendar, self._rng)
            if price.grade is None or price.grade in self._grades(school)
        ]
        set_prices(school.id, schedule_id, prices, actor=accountant, now=drafted)
        self._plan_the_year(school, schedule_id, agreed, drafted)
        submit_schedule(school.id, schedule_id, actor=accountant, now=drafted + timedelta(hours=2))
        approve_schedule(
            school.id, schedule_id, actor=principal, now=drafted + timedelta(days=1, hours=1)
        )

    def _plan_the_year(
        self, school: DemoSchool, schedule_id: int, agreed: date, drafted: datetime
    ) -> None:
        """What the money is spent on, what the parents said, and until when months are paid."""
        who: dict[str, Any] = {"actor": school.person(Role.ACCOUNTANT), "now": drafted}
        schedule = get_schedule(school.id, schedule_id)
        families = 0
        for one in plans.estimates(schedule, self._calendar.starts_on):
            families = max(families, one.pupils)
            if one.item.category not in (Category.SERVICE, Category.AGREED) or not one.income:
                continue
            people, things = one.income.split([7, 3])
            for words, amount in (
                ("Chi cho người phục vụ", people),
                ("Vật tư, điện, nước", things),
            ):
                plans.add_cost(
                    school.id,
                    schedule_id,
                    item_id=one.item.id,
                    words=f"{words} (minh họa)",
                    amount=amount,
                    **who,
                )
        if families:
            plans.record_agreement(
                school.id,
                schedule_id,
                held_on=agreed,
                minutes_no="01/BB-CMHS",
                asked=families,
                agreed=families - families // (20 + school.id),
                content=b"",
                **who,
            )
        plans.set_due_dates(
            school.id,
            schedule_id,
            {month: month.last_day for month in self._calendar.months if month in schedule.months},
            **who,
        )

    def plan_meals(self, school: DemoSchool, item_ids: dict[str, int]) -> None:
        """The days with meals up to the open month."""
        accountant = school.person(Role.ACCOUNTANT)
        for month in (*self._calendar.billed, self._calendar.open_month):
            plan_days(
                school.id,
                item_ids["TIENAN"],
                month.first_day,
                month.last_day,
                meal_days(month),
                actor=accountant,
                now=self._calendar.prepared_at,
            )

    def report_absences(self, school: DemoSchool, stays: list[int]) -> None:
        """Some children were away on a day of the last billed month; its bills were out."""
        accountant = school.person(Role.ACCOUNTANT)
        days = meal_days(self._calendar.billed[1])
        # Chance of its own, so that the rest of the story stays as it was told.
        chance = random.Random(f"meals {school.id}")
        for stay in chance.sample(stays, min(AWAY, len(stays))):
            day = chance.choice(days)
            with contextlib.suppress(NoMealThen):
                report_away(
                    school.id,
                    stay,
                    day,
                    day,
                    source=Source.FAMILY,
                    reason="em ốm (minh họa)",
                    actor=accountant,
                    now=at(day, 6, 40),
                )

    def take_applications(self, school: DemoSchool, stays: list[int]) -> None:
        """Three families have applied: one waits, one is checked, one is granted."""
        clerk, principal = school.person(Role.ACCOUNTANT), school.person(Role.PRINCIPAL)
        near_poor = scalar("select id from exemption_policies where code = 'CANNGHEO'")
        month = self._calendar.open_month
        for place, stay in enumerate(random.Random(f"apply {school.id}").sample(stays, 3)):
            day = self._calendar.as_of - timedelta(days=3 + 4 * place)
            new = NewApplication(stay, near_poor, month, None, day, "đơn minh họa")
            with contextlib.suppress(DomainError):
                number = receive(school.id, new, actor=clerk, now=at(day, 9, 0))
                if place:
                    take_step(
                        school.id,
                        number,
                        State.CHECKED,
                        words="",
                        actor=clerk,
                        now=at(day + timedelta(days=1), 10, 0),
                    )
                if place == 2:
                    decide(
                        school.id,
                        number,
                        grant=True,
                        words="",
                        actor=principal,
                        now=at(day + timedelta(days=2), 15, 0),
                    )

    def _grades(self, school: DemoSchool) -> set[int]:
        found = rows(
            "select distinct grade from classes where school_id = :school_id", school_id=school.id
        )
        return {int(school_class.grade) for school_class in found}

    # Bills

    def issue_day(self, school: DemoSchool, month: Period) -> date:
        """Schools send their bills out between the third and the seventh."""
        return month.first_day + timedelta(days=2 + school.id % 5)

    def issue(self, school: DemoSchool, month: Period) -> None:
        """The accountant's run of a month. Inside the caller's transaction."""
        day = self.issue_day(school, month)
        now = at(day, 8, 10 + school.id % 40)
        accountant = school.person(Role.ACCOUNTANT)
        run_id = billing.draft_run(
            school.id,
            month,
            due_on=month.first_day + timedelta(days=24),
            actor=accountant,
            now=now,
        )
        issued = billing.issue_run(
            school.id, run_id, actor=accountant, now=now + timedelta(minutes=9), rng=self._rng
        )
        self.tally.invoices += issued.invoices
        self.tally.lines += issued.lines

    # Payments

    def pay(
        self, school: DemoSchool, month: Period, children: Sequence[Child], habits: Habits
    ) -> list[int]:
        """Families pay between this issue and the next; the children of those who do not.

        Everything is posted in the order of time. Inside the caller's transaction.
        """
        first, last = self._span(school, month)
        payers = self._payers(school, children)
        is_last = month == self._calendar.billed[1]
        paying = self._who_pays(payers, habits, is_last=is_last)
        days = self._days(first, last, len(paying))
        by_day: dict[date, list[_Payer]] = {}
        for payer in paying:
            by_day.setdefault(self._pick_day(days), []).append(payer)
        for day in sorted(by_day):
            self._one_day(school, day, by_day[day], habits)
        paid = {payer.child.student_id for payer in paying}
        return [p.child.student_id for p in payers if p.child.student_id not in paid]

    def _span(self, school: DemoSchool, month: Period) -> tuple[date, date]:
        first = self.issue_day(school, month) + timedelta(days=1)
        if month == self._calendar.billed[1]:
            last = clock.local_day(self._calendar.cutoff) - timedelta(days=1)
            # In the summer the story ends where its last month was still being paid.
            return first, min(last, first + timedelta(days=48))
        return first, self.issue_day(school, month.next()) - timedelta(days=1)

    def _payers(self, school: DemoSchool, children: Sequence[Child]) -> list[_Payer]:
        requests = {
            found.student_id: billing.Request(*found)
            for found in rows(
                "select id, school_id, student_id, bank_account_id, reference, token"
                " from payment_requests where school_id = :school_id order by id",
                school_id=school.id,
            )
        }
        still_open = billing.open_lines(school.id, [child.student_id for child in children])
        found = []
        for child in children:
            request = requests.get(child.student_id)
            due = sum(line.open.dong for line in still_open.get(child.student_id, []))
            if request is not None and due:
                found.append(_Payer(child, request, due))
        return found

    def _who_pays(self, payers: Sequence[_Payer], habits: Habits, *, is_last: bool) -> list[_Payer]:
        unpaid = round(len(payers) * habits.unpaid)
        if habits.is_focus and is_last:
            unpaid = max(unpaid, min(FOCUS_UNPAID, round(len(payers) * 0.6)))
        later = set(self._rng.sample(range(len(payers)), unpaid))
        return [payer for place, payer in enumerate(payers) if place not in later]

    def _days(self, first: date, last: date, payments: int) -> list[date]:
        """Days on which money comes: at a small school a few, so that batches are worth while."""
        every = [first + timedelta(days=n) for n in range(max(1, (last - first).days + 1))]
        wanted = max(6, payments // 5)
        if len(every) <= wanted:
            return every
        return sorted(self._rng.sample(every, wanted))

    def _pick_day(self, days: Sequence[date]) -> date:
        """Most families pay soon after the bill, some wait for the last days."""
        chance = self._rng.random()
        place = int(len(days) * (chance**1.8 if chance < 0.8 else self._rng.random()))
        return days[min(place, len(days) - 1)]

    def _one_day(
        self, school: DemoSchool, day: date, payers: Sequence[_Payer], habits: Habits
    ) -> None:
        at_desk: list[_Payer] = []
        by_card: list[_Payer] = []
        by_bank: list[_Payer] = []
        is_desk_open = day.weekday() < 5
        for payer in payers:
            chance = self._rng.random()
            # Weekends have no desk, so the other days take its share.
            if is_desk_open and chance < habits.cash * 1.55:
                at_desk.append(payer)
            elif chance > 0.95:
                by_card.append(payer)
            else:
                by_bank.append(payer)
        morning = at(day, 8, self._rng.randrange(15, 59))
        evening = at(day, self._rng.choice((11, 12, 17, 19, 20, 21)), self._rng.randrange(2, 44))
        if at_desk:
            self._take_cash(school, at_desk, morning)
        if by_bank or by_card:
            self._receive(school, by_bank, by_card, evening)

    def _amount(self, due: int) -> int:
        """Most pay exactly; some round up, some bring a part."""
        chance = self._rng.random()
        step = 50_000 if due > 200_000 else 10_000
        if chance < 0.03:
            return -(-due // step) * step
        if chance < 0.06 and due > 4 * step:
            return due // 2 // step * step
        return due

    def _take_cash(self, school: DemoSchool, payers: Sequence[_Payer], start: datetime) -> None:
        actor = school.person(Role.CASHIER, Role.ACCOUNTANT)
        moments = self._moments(start, len(payers))
        credits, bodies = [], []
        for payer, moment in zip(payers, moments, strict=True):
            # At the desk one pays the exact sum or a part, and gets change.
            amount = min(self._amount(payer.due), payer.due)
            guardian = payer.child.family.guardians[0]
            key = f"{self._rng.getrandbits(64):016x}"
            credits.append(
                Credit(
                    provider="cash",
                    channel_id=school.cash.id,
                    external_id=key,
                    method=Method.CASH,
                    amount=Vnd(amount),
                    occurred_at=moment,
                    value_on=clock.local_day(moment),
                    debit=chart.cash(school.till_id),
                    place=f"till:{school.till_id}",
                    proof="till",
                    payer=guardian.full_name,
                    till_id=school.till_id,
                    requests=(payer.request,),
                    rule="desk",
                )
            )
            bodies.append(
                {
                    "amount": amount,
                    "given": -(-amount // 50_000) * 50_000,
                    "keep_rest": False,
                    "payer": guardian.full_name,
                    "requests": [payer.request.id],
                    "ticked": [],
                    "till": school.till_id,
                    "user": actor.user_id,
                }
            )
        self._post(
            school,
            credits,
            [json.dumps(body, ensure_ascii=False, sort_keys=True).encode() for body in bodies],
            actor,
            moments[-1] + timedelta(seconds=4),
        )

    def _receive(
        self,
        school: DemoSchool,
        by_bank: Sequence[_Payer],
        by_card: Sequence[_Payer],
        start: datetime,
    ) -> None:
        moments = self._moments(start, len(by_bank) + len(by_card))
        credits: list[Credit] = []
        bodies: list[bytes] = []
        for payer, moment in zip(by_bank, moments, strict=False):
            raw = self._notice(school, payer, moment)
            credits.append(credit_of(sepay.parse(raw), school.sepay))
            bodies.append(raw)
        card_moments = moments[len(by_bank) :]
        for payer, moment, refs in zip(
            by_card, card_moments, self._attempts(school, by_card, card_moments), strict=True
        ):
            credits.append(_card(school, payer, moment, refs[1]))
            bodies.append(b"")
        self._post(school, credits, bodies, audit.MACHINE, moments[-1] + timedelta(seconds=3))

    def _notice(self, school: DemoSchool, payer: _Payer, moment: datetime) -> bytes:
        self._next_notice += 1
        amount = self._amount(payer.due)
        name = ascii_upper(payer.child.full_name)
        chance = self._rng.random()
        if chance < 0.006:
            # Somebody wrote his own words instead of the code: a person must look.
            text = f"{name} NOP TIEN LOP {ascii_upper(payer.child.class_name)}"
        elif chance < 0.5:
            text = f"{payer.request.reference} {name}"
        else:
            text = payer.request.reference
        return notice_body(
            bank_bin=school.bank_bin,
            account=school.notice_account,
            sub_account=school.notice_sub_account,
            number=self._next_notice,
            amount=amount,
            text=text,
            moment=moment,
            bank_ref=f"FT{moment:%y%j}{self._next_notice % 1_000_000:06d}",
        )

    def _attempts(
        self, school: DemoSchool, payers: Sequence[_Payer], moments: Sequence[datetime]
    ) -> list[tuple[str, str]]:
        """The card tries behind the payments, as the pay page would have kept them."""
        refs = [
            (f"cs_demo_{self._rng.randbytes(12).hex()}", f"pi_demo_{self._rng.randbytes(12).hex()}")
            for _payer in payers
        ]
        if not refs:
            return refs
        values: list[dict[str, Any]] = [
            {
                "school_id": school.id,
                "request_id": payer.request.id,
                "channel_id": school.stripe.id,
                "amount": Vnd(payer.due),
                "surcharge": Vnd(school.stripe.surcharge_dong),
                "state": AttemptState.PAID,
                "session_ref": session_ref,
                "intent_ref": intent_ref,
                "created_at": moment - timedelta(minutes=2),
                "closed_at": moment,
            }
            for payer, moment, (session_ref, intent_ref) in zip(payers, moments, refs, strict=True)
        ]
        ids = db.session.scalars(
            insert(PaymentAttempt).returning(PaymentAttempt.id, sort_by_parameter_order=True),
            values,
        ).all()
        db.session.execute(
            insert(AttemptAddress),
            [
                {"provider_ref": ref, "school_id": school.id, "attempt_id": attempt_id}
                for attempt_id, pair in zip(ids, refs, strict=True)
                for ref in pair
            ],
        )
        return refs

    def _moments(self, start: datetime, count: int) -> list[datetime]:
        seconds = sorted(self._rng.choices(range(_MINUTES_IN_A_BATCH * 60), k=count))
        return [start + timedelta(seconds=second) for second in seconds]

    def _post(
        self,
        school: DemoSchool,
        credits: Sequence[Credit],
        bodies: Sequence[bytes],
        actor: audit.Actor,
        now: datetime,
    ) -> None:
        accepted = accept_many(
            school.id,
            credits,
            actor=actor,
            now=now,
            at=lambda: now,
            code=lambda: new_check_code(self._rng),
        )
        self.tally.payments += len(accepted)
        by_provider: dict[str, list[PostedNotice]] = {}
        for credit, raw, taken in zip(credits, bodies, accepted, strict=True):
            if raw:
                reason = "suspense" if taken.is_suspense else "matched"
                by_provider.setdefault(credit.provider, []).append(
                    PostedNotice(credit.external_id, raw, taken.payment_id, reason)
                )
        for provider, notices in by_provider.items():
            channel = school.sepay if provider == "sepay" else school.cash
            keep_notices(
                provider=provider,
                channel=channel.public_id,
                school_id=school.id,
                notices=notices,
                headers={},
                now=now,
            )
            self.tally.notices += len(notices)


def _card(school: DemoSchool, payer: _Payer, moment: datetime, intent_ref: str) -> Credit:
    return Credit(
        provider="stripe",
        channel_id=school.stripe.id,
        external_id=intent_ref,
        method=Method.CARD,
        amount=Vnd(payer.due),
        occurred_at=moment,
        value_on=clock.local_day(moment),
        debit=chart.clearing(school.stripe.id),
        place=f"channel:{school.stripe.id}",
        proof="provider",
        surcharge=Vnd(school.stripe.surcharge_dong) if school.stripe.surcharge_dong else ZERO,
        requests=(payer.request,),
        rule="attempt",
    )
