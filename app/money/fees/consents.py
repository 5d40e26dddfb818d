"""Consents to optional items: who said yes, class by class or by themselves; rates.

Silence is no yes: a child without a recorded yes is not charged. A yes is taken back from a month
on, until the day the school has set for the item; after it the office does so with a reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock, formats, papers
from app.core.db import MOMENT, MONTH, VND, rows
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import (
    BadScan,
    ChoiceNotFound,
    ItemNotFound,
    NotOptional,
    ScanNotFound,
    TooLateToWithdraw,
)
from app.money.fees.models import ConsentScan
from app.money.fees.services import Choice, record_choices, withdraw_choice
from app.people.schools import set_setting, setting

#: from this share of yeses on somebody asks whether the item is really voluntary
SUSPICIOUS: Final = 95
_UNTIL: Final = "withdraw_until_{item}"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many children of a class, or a school, said yes to an item."""

    item_id: int
    place: str
    place_id: int
    children: int
    yes: int

    @property
    def percent(self) -> int:
        """The share, rounded down."""
        return self.yes * 100 // self.children if self.children else 0

    @property
    def is_suspicious(self) -> bool:
        """Whether nearly everybody said yes, in a group that is not tiny."""
        return self.children >= 10 and self.yes * 100 >= SUSPICIOUS * self.children


def optional_items() -> list[queries.Item]:
    """The items a family chooses."""
    return [
        item
        for item in queries.all_items().values()
        if not item.is_compulsory and item.category not in queries.NEVER_CHARGED
    ]


_STANDS = (
    "exists (select 1 from fee_choices ch where ch.school_id = e.school_id"
    " and ch.enrolment_id = e.id and ch.item_id = :item and ch.first_period <= :month"
    " and (ch.last_period is null or ch.last_period >= :month))"
)


def rates_by_class(school_id: int, item_id: int, day: date) -> list[Rate]:
    """The classes of a school on a day with their yeses to an item."""
    found = rows(
        "select c.id, c.name, count(*) as children,"
        f" sum(case when {_STANDS} then 1 else 0 end) as yes"
        " from placements p join classes c on c.id = p.class_id"
        " join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id"
        "  and e.starts_on <= :day and (e.ends_on is null or e.ends_on > :day)"
        " where p.school_id = :school_id and p.starts_on <= :day"
        " and (p.ends_on is null or p.ends_on > :day) group by c.id, c.name, c.grade"
        " order by c.grade, c.name",
        school_id=school_id,
        item=item_id,
        day=day,
        month=Period.of(day).number,
    )
    return [Rate(item_id, one.name, one.id, int(one.children), int(one.yes)) for one in found]


def rates_by_school(school_ids: Collection[int], day: date) -> list[Rate]:
    """For the unit above: every optional item some school has priced this month, by school."""
    if not school_ids:
        return []
    found = rows(
        "select sp.item_id, k.id, k.code, count(distinct e.id) as children,"
        " count(distinct ch.enrolment_id) as yes"
        " from (select distinct p.school_id, p.item_id from schedule_prices p"
        "  join fee_schedules f on f.id = p.schedule_id and f.state = 'approved'"
        "  join fee_items i on i.id = p.item_id and not i.is_compulsory"
        "  where p.school_id in :schools and p.period = :month) sp"
        " join schools k on k.id = sp.school_id"
        " join enrolments e on e.school_id = sp.school_id and e.starts_on <= :day"
        "  and (e.ends_on is null or e.ends_on > :day)"
        " left join fee_choices ch on ch.school_id = e.school_id and ch.enrolment_id = e.id"
        "  and ch.item_id = sp.item_id and ch.first_period <= :month"
        "  and (ch.last_period is null or ch.last_period >= :month)"
        " group by sp.item_id, k.id, k.code order by k.code, sp.item_id",
        schools=list(school_ids),
        day=day,
        month=Period.of(day).number,
    )
    return [Rate(one.item_id, one.code, one.id, int(one.children), int(one.yes)) for one in found]


@dataclass(frozen=True, slots=True)
class Chooser:
    """A child of a class with its family's word on an item, and its own quantity in a month."""

    enrolment_id: int
    code: str
    full_name: str
    choice_id: int | None
    first: Period | None
    source: str
    quantity: int | None
    reason: str


def choosers(school_id: int, class_id: int, item_id: int, month: Period) -> list[Chooser]:
    """The children of a class in a month, in the order of the class list."""
    found = rows(
        "select e.id as enrolment_id, s.code, s.full_name, ch.id as choice_id, ch.first_period,"
        " ch.source, q.quantity, q.reason"
        " from placements p join enrolments e on e.school_id = p.school_id"
        "  and e.id = p.enrolment_id and e.starts_on <= :last"
        "  and (e.ends_on is null or e.ends_on > :first)"
        " join students s on s.id = e.student_id"
        " left join fee_choices ch on ch.school_id = e.school_id and ch.enrolment_id = e.id"
        "  and ch.item_id = :item and ch.first_period <= :month"
        "  and (ch.last_period is null or ch.last_period >= :month)"
        " left join fee_quantities q on q.id = (select max(x.id) from fee_quantities x"
        "  where x.school_id = e.school_id and x.enrolment_id = e.id and x.item_id = :item"
        "  and x.period = :month)"
        " where p.school_id = :school_id and p.class_id = :class_id and p.starts_on <= :last"
        " and (p.ends_on is null or p.ends_on > :first) order by s.sort_key",
        school_id=school_id,
        class_id=class_id,
        item=item_id,
        month=month.number,
        first=month.first_day,
        last=month.last_day,
    )
    return [
        Chooser(
            one.enrolment_id,
            one.code,
            one.full_name,
            one.choice_id,
            Period.from_number(int(one.first_period)) if one.first_period else None,
            one.source or "",
            None if one.quantity is None else int(one.quantity),
            one.reason or "",
        )
        for one in found
    ]


def withdrawable_until(school_id: int, item_id: int, day: date) -> date | None:
    """The last day on which a family may take its yes back; None: at any time."""
    value = setting(school_id, _UNTIL.format(item=item_id), day)
    return date.fromisoformat(value) if value else None


def set_withdrawable_until(
    school_id: int, item_id: int, until: date, *, actor: audit.Actor, now: datetime
) -> None:
    """Set that day; the newest word counts. The caller commits."""
    if item_id not in queries.all_items():
        raise ItemNotFound
    set_setting(school_id, _UNTIL.format(item=item_id), until.isoformat(), clock.local_day(now))
    audit.record(
        "fee_choice.until",
        f"fee_item:{item_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=until.isoformat(),
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many yeses came and went."""

    said_yes: int
    taken_back: int


def keep_choices(
    school_id: int,
    class_id: int,
    item_id: int,
    yes: Collection[int],
    *,
    month: Period,
    form_no: str,
    late_reason: str,
    actor: audit.Actor,
    now: datetime,
    scan: bytes = b"",
) -> Recorded:
    """Bring a class's yeses to an item to what the signed forms say, from a month on.

    `scan` is the paper itself. Refuses an item everybody is charged, taking a yes back after its
    last day without a reason, and a scan that is no PDF, JPEG or PNG of at most 5 MB. The caller
    commits.
    """
    item = queries.all_items().get(item_id)
    if item is None:
        raise ItemNotFound
    if item.is_compulsory or item.category in queries.NEVER_CHARGED:
        raise NotOptional(_("%(item)s is charged to everybody.", item=item.name))
    children = {one.enrolment_id: one for one in choosers(school_id, class_id, item_id, month)}
    wanted = set(yes) & set(children)
    fresh = [stay for stay in wanted if children[stay].choice_id is None]
    gone = [one for stay, one in children.items() if one.choice_id and stay not in wanted]
    until = withdrawable_until(school_id, item_id, clock.local_day(now))
    if gone and until is not None and clock.local_day(now) > until and not late_reason.strip():
        raise TooLateToWithdraw(
            _(
                "A yes could be taken back until %(day)s. Say why it is done later.",
                day=formats.day(until),
            )
        )
    if scan:
        _keep_scan(school_id, class_id, item_id, form_no, scan, actor, now)
    source = f"paper {' '.join(nfc(form_no).split())}"[:40] if form_no.strip() else "paper"
    record_choices(
        school_id,
        [Choice(stay, item_id, month, clock.local_day(now), source=source) for stay in fresh],
        actor=actor,
        now=now,
    )
    for one in gone:
        assert one.choice_id is not None  # noqa: S101 - chosen above
        withdraw_choice(
            school_id, one.choice_id, last_period=month.previous(), actor=actor, now=now
        )
    if gone and late_reason.strip():
        audit.record(
            "fee_choice.withdraw_late",
            f"fee_item:{item_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=nfc(late_reason).strip()[:200],
        )
    return Recorded(len(fresh), len(gone))


def _keep_scan(
    school_id: int,
    class_id: int,
    item_id: int,
    form_no: str,
    content: bytes,
    actor: audit.Actor,
    now: datetime,
) -> None:
    kind = papers.kind_of(content)
    if kind is None:
        raise BadScan
    db.session.execute(
        insert(ConsentScan).values(
            school_id=school_id,
            item_id=item_id,
            class_id=class_id,
            form_no=" ".join(nfc(form_no).split())[:40],
            kind=kind,
            content=content,
            added_by=actor.name,
            added_at=now,
        )
    )
    audit.record(
        "fee_choice.scan",
        f"fee_item:{item_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"class:{class_id}",
    )


@dataclass(frozen=True, slots=True)
class Scan:
    """A scanned paper, without its content."""

    id: int
    form_no: str
    added_by: str
    added_at: datetime


def scans_of(school_id: int, class_id: int, item_id: int) -> list[Scan]:
    """The scanned forms of a class for an item, the newest first."""
    return [
        Scan(*one)
        for one in rows(
            "select id, form_no, added_by, added_at from consent_scans"
            " where school_id = :school_id and class_id = :class_id and item_id = :item"
            " order by id desc",
            types={"added_at": MOMENT},
            school_id=school_id,
            class_id=class_id,
            item=item_id,
        )
    ]


def open_scan(school_id: int, scan_id: int) -> tuple[str, bytes]:
    """A scan with its kind. Refuses one that is not the school's."""
    found = rows(
        "select kind, content from consent_scans where school_id = :school_id and id = :id",
        school_id=school_id,
        id=scan_id,
    )
    if not found:
        raise ScanNotFound
    return found[0].kind, bytes(found[0].content)


# One child's family


@dataclass(frozen=True, slots=True)
class Offer:
    """An optional item as a family sees it: what it costs, and what it said."""

    item: queries.Item
    #: đồng for one unit in the month
    price: Vnd
    quantity: int
    choice_id: int | None
    first: Period | None
    #: the last day to take the yes back; None at any time
    until: date | None


def offers(school_id: int, enrolment_id: int, class_id: int, month: Period) -> list[Offer]:
    """The optional items priced for a child's class in a month, with its family's word."""
    priced = rows(
        "select sp.item_id, sp.price, sp.quantity,"
        " case when sp.class_id is not null then 3 when sp.grade is not null then 2 else 1 end"
        "  as exact from schedule_prices sp"
        " join fee_schedules f on f.id = sp.schedule_id and f.state = 'approved'"
        " join classes c on c.id = :class_id and (sp.class_id is null or sp.class_id = c.id)"
        "  and (sp.grade is null or sp.grade = c.grade)"
        " where sp.school_id = :school_id and sp.period = :month order by sp.item_id, exact",
        types={"price": VND},
        school_id=school_id,
        class_id=class_id,
        month=month.number,
    )
    best = {one.item_id: one for one in priced}
    said = {
        one.item_id: one
        for one in rows(
            "select id, item_id, first_period from fee_choices where school_id = :school_id"
            " and enrolment_id = :stay and first_period <= :month"
            " and (last_period is null or last_period >= :month)",
            types={"first_period": MONTH},
            school_id=school_id,
            stay=enrolment_id,
            month=month.number,
        )
    }
    found = []
    for item in optional_items():
        price, word = best.get(item.id), said.get(item.id)
        if price is None or not item.is_valid_in(month):
            continue
        found.append(
            Offer(
                item,
                price.price,
                int(price.quantity),
                word.id if word is not None else None,
                word.first_period if word is not None else None,
                withdrawable_until(school_id, item.id, month.first_day),
            )
        )
    return found


def say_yes(
    school_id: int,
    enrolment_id: int,
    class_id: int,
    item_id: int,
    month: Period,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A family says yes to an optional item by itself, from a month on.

    Refuses an item that is not offered to the child then. The caller commits.
    """
    _offered(school_id, enrolment_id, class_id, item_id, month)
    day = clock.local_day(now)
    record_choices(
        school_id,
        [Choice(enrolment_id, item_id, month, day, source="web")],
        actor=actor,
        now=now,
    )


def take_back(
    school_id: int,
    enrolment_id: int,
    class_id: int,
    item_id: int,
    month: Period,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A family takes its yes back from a month on.

    Refuses it after the last day the school has set, and where there is no yes. The caller commits.
    """
    offer = _offered(school_id, enrolment_id, class_id, item_id, month)
    if offer.until is not None and clock.local_day(now) > offer.until:
        raise TooLateToWithdraw(
            _(
                "A yes could be taken back until %(day)s. Ask the school.",
                day=formats.day(offer.until),
            )
        )
    if offer.choice_id is None:
        raise ChoiceNotFound
    withdraw_choice(school_id, offer.choice_id, last_period=month.previous(), actor=actor, now=now)


def _offered(
    school_id: int, enrolment_id: int, class_id: int, item_id: int, month: Period
) -> Offer:
    found = (
        one for one in offers(school_id, enrolment_id, class_id, month) if one.item.id == item_id
    )
    offer = next(found, None)
    if offer is None:
        raise ItemNotFound
    return offer
