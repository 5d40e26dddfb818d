"""Applications by deadline, proofs about to end, and the lists that follow from grants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from app.core import clock
from app.core.db import DAY, MOMENT, MONTH, VND, rows
from app.core.money import Vnd
from app.core.period import Period
from app.money.exemptions.errors import ApplicationNotFound
from app.money.exemptions.models import RUNNING, State

#: a proof is spoken of so long before it ends
WARNED: Final = timedelta(days=30)
#: learning-cost support is for nine months of a school year at most (Decree 81, Article 20)
MOST_MONTHS: Final = 9


@dataclass(frozen=True, slots=True)
class Policy:
    """A ground a family may apply for."""

    id: int
    code: str
    name: str
    legal_act: str
    applies_to_all: bool
    valid_from: date
    valid_to: date | None
    #: đồng a month to the child, beside what is taken off its bills
    support: Vnd | None
    #: from which child of a family on it is proposed
    sibling_nth: int | None
    rates: tuple[tuple[str, str, int], ...]


def policies() -> list[Policy]:
    """Every ground with its rates: item, English name, percent."""
    rates: dict[int, list[tuple[str, str, int]]] = {}
    for rate in rows(
        "select r.policy_id, i.name, i.name_en, r.percent from exemption_rates r"
        " join fee_items i on i.id = r.item_id order by r.policy_id, i.id"
    ):
        rates.setdefault(rate.policy_id, []).append((rate.name, rate.name_en, int(rate.percent)))
    return [
        Policy(
            **{
                **one._asdict(),
                "applies_to_all": bool(one.applies_to_all),
                "rates": tuple(rates.get(one.id, ())),
            }
        )
        for one in rows(
            "select id, code, name, legal_act, applies_to_all, valid_from, valid_to, support,"
            " sibling_nth from exemption_policies order by applies_to_all desc, id",
            types={"valid_from": DAY, "valid_to": DAY, "support": VND},
        )
    ]


@dataclass(frozen=True, slots=True)
class Application:
    """An application with where it stands."""

    id: int
    school_id: int
    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    class_name: str
    policy_id: int
    policy: str
    legal_act: str
    first: Period
    last: Period | None
    received_on: date
    due_on: date
    exemption_id: int | None
    #: the last month of what was granted
    ends: Period | None
    state: State
    state_at: datetime
    state_by: str

    @property
    def is_running(self) -> bool:
        """Whether it waits for somebody."""
        return self.state in RUNNING

    @property
    def decided_on(self) -> date | None:
        """The day of the decision."""
        decided = self.state in (State.GRANTED, State.REFUSED)
        return clock.local_day(self.state_at) if decided else None

    def punctuality(self, today: date) -> str:
        """`early`, `on_time`, `late`; `overdue` while it waits too long; empty otherwise."""
        if self.decided_on is not None:
            if self.decided_on == self.due_on:
                return "on_time"
            return "early" if self.decided_on < self.due_on else "late"
        return "overdue" if self.is_running and today > self.due_on else ""


_ROWS = (
    "select a.id, a.school_id, a.enrolment_id, s.id as student_id, s.code, s.full_name,"
    " coalesce((select c.name from placements p join classes c on c.id = p.class_id"
    "  where p.school_id = a.school_id and p.enrolment_id = a.enrolment_id"
    "  order by p.starts_on desc limit 1), '') as class_name, a.policy_id, y.name as policy,"
    " y.legal_act, a.first_period as first, a.last_period as last, a.received_on, a.due_on,"
    " a.exemption_id, g.last_period as ends, q.state, q.at as state_at, q.actor as state_by"
    " from exemption_applications a"
    " join exemption_application_steps q on q.id = (select max(x.id)"
    "  from exemption_application_steps x where x.school_id = a.school_id"
    "  and x.application_id = a.id)"
    " join exemption_policies y on y.id = a.policy_id"
    " join enrolments e on e.school_id = a.school_id and e.id = a.enrolment_id"
    " join students s on s.id = e.student_id"
    " left join exemptions g on g.school_id = a.school_id and g.id = a.exemption_id"
)
_TYPES = {
    "ends": MONTH,
    "first": MONTH,
    "last": MONTH,
    "received_on": DAY,
    "due_on": DAY,
    "state_at": MOMENT,
}


def _application(found: Any) -> Application:
    return Application(**{**found._asdict(), "state": State(found.state)})


def applications(school_id: int, *, most: int = 500) -> list[Application]:
    """What waits first, by its last day, then the newest decisions."""
    found = [
        _application(one)
        for one in rows(
            f"{_ROWS} where a.school_id = :school_id"
            " order by case when q.state in :running then 0 else 1 end, a.id desc limit :most",
            types=_TYPES,
            school_id=school_id,
            running=[state.value for state in RUNNING],
            most=most,
        )
    ]
    return sorted(
        found, key=lambda one: (not one.is_running, one.due_on if one.is_running else date.max)
    )


def get_application(school_id: int, application_id: int) -> Application:
    """An application of the school, else ApplicationNotFound."""
    found = rows(
        f"{_ROWS} where a.school_id = :school_id and a.id = :id",
        types=_TYPES,
        school_id=school_id,
        id=application_id,
    )
    if not found:
        raise ApplicationNotFound
    return _application(found[0])


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken."""

    state: State
    words: str
    actor: str
    at: datetime


def steps_of(school_id: int, application_id: int) -> list[Step]:
    """All steps, the first one first."""
    return [
        Step(State(step.state), step.words, step.actor, step.at)
        for step in rows(
            "select state, words, actor, at from exemption_application_steps"
            " where school_id = :school_id and application_id = :id order by id",
            types={"at": MOMENT},
            school_id=school_id,
            id=application_id,
        )
    ]


@dataclass(frozen=True, slots=True)
class Proof:
    """A paper, without its content."""

    id: int
    application_id: int
    name: str
    kind: str
    valid_until: date | None
    added_by: str
    added_at: datetime


_PROOF = "select id, application_id, name, kind, valid_until, added_by, added_at"


def proofs_of(school_id: int, application_id: int) -> list[Proof]:
    """The papers of an application, the newest first."""
    return [
        Proof(*one)
        for one in rows(
            f"{_PROOF} from exemption_proofs where school_id = :school_id"
            " and application_id = :id order by id desc",
            types={"valid_until": DAY, "added_at": MOMENT},
            school_id=school_id,
            id=application_id,
        )
    ]


def expiring(school_id: int, today: date) -> list[tuple[Application, date]]:
    """Grants that still run and whose newest dated proof ends within 30 days or has ended."""
    newest = {
        one.application_id: one.valid_until
        for one in rows(
            "select application_id, max(valid_until) as valid_until from exemption_proofs"
            " where school_id = :school_id and valid_until is not null group by application_id",
            types={"valid_until": DAY},
            school_id=school_id,
        )
    }
    month = Period.of(today)
    found = [
        (one, newest[one.id])
        for one in applications(school_id, most=5000)
        if one.id in newest
        and one.state is State.GRANTED
        and newest[one.id] <= today + WARNED
        and (one.ends is None or one.ends >= month)
    ]
    return sorted(found, key=lambda pair: pair[1])


@dataclass(frozen=True, slots=True)
class Counts:
    """Decisions of a school by when they came, and what waits."""

    early: int = 0
    on_time: int = 0
    late: int = 0
    waiting: int = 0
    overdue: int = 0


def counts(school_ids: Collection[int], today: date) -> dict[int, Counts]:
    """The same for many schools at once."""
    sums: dict[int, Counter[str]] = {}
    if not school_ids:
        return {}
    for one in rows(
        f"{_ROWS} where a.school_id in :schools", types=_TYPES, schools=list(school_ids)
    ):
        application = _application(one)
        mine = sums.setdefault(application.school_id, Counter())
        mine["waiting"] += application.is_running
        if kind := application.punctuality(today):
            mine[kind] += 1
    return {school: Counts(**found) for school, found in sums.items()}


# What follows from grants


@dataclass(frozen=True, slots=True)
class Compensated:
    """What the budget pays the school for one child and item."""

    code: str
    full_name: str
    class_name: str
    policy: str
    item: str
    percent: int
    months: int
    gross: Vnd
    amount: Vnd


def compensation(school_id: int, first: Period, last: Period) -> list[Compensated]:
    """Tuition taken off issued bills of some months, by child: what the budget makes up for."""
    found = rows(
        "select s.code, s.full_name, max(v.class_name) as class_name, y.name as policy,"
        " max(l.name) as item, max(l.percent) as percent,"
        " count(distinct l.service_period) as months, sum(l.gross) as gross,"
        " sum(l.reduction - l.subsidy) as amount"
        " from invoice_lines l join invoices v on v.school_id = l.school_id and v.id = l.invoice_id"
        " join students s on s.id = v.student_id"
        " left join exemption_policies y on y.id = l.policy_id"
        " where l.school_id = :school_id and l.category = 'tuition'"
        " and l.service_period between :first and :last"
        " group by s.id, s.code, s.full_name, s.sort_key, y.name, l.item_id"
        " having sum(l.reduction) <> 0 order by max(v.class_name), s.sort_key",
        types={"gross": VND, "amount": VND},
        school_id=school_id,
        first=first.number,
        last=last.number,
    )
    return [
        Compensated(
            one.code,
            one.full_name,
            one.class_name,
            one.policy or "",
            one.item,
            int(one.percent),
            int(one.months),
            one.gross,
            one.amount,
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class Supported:
    """Money to a child: so many months at so much."""

    code: str
    full_name: str
    class_name: str
    policy: str
    months: int
    monthly: Vnd

    @property
    def amount(self) -> Vnd:
        """What the child gets."""
        return Vnd(self.months * self.monthly.dong)


def supported(school_id: int, first: Period, last: Period) -> list[Supported]:
    """Learning-cost support of children in a span of months, a row for each child and ground.

    Each month the highest ground counts, while the child is at the school and school is on; nine
    months of a school year at most, those before `first` counted in (Decree 81, Article 20).
    """
    years = [
        (Period.of(one.starts_on), Period.of(one.ends_on))
        for one in rows(
            "select starts_on, ends_on from school_years order by starts_on",
            types={"starts_on": DAY, "ends_on": DAY},
        )
    ]
    touched = [year for year in years if year[0] <= last and year[1] >= first]
    if not touched:
        return []
    found = rows(
        "select s.id, s.code, s.full_name, s.sort_key, y.name as policy, y.support, y.valid_from,"
        " y.valid_to, x.first_period, x.last_period, e.starts_on, e.ends_on,"
        " coalesce((select c.name from placements p join classes c"
        "  on c.id = p.class_id where p.school_id = x.school_id"
        "  and p.enrolment_id = x.enrolment_id order by p.starts_on desc limit 1), '')"
        "  as class_name"
        " from exemptions x join exemption_policies y on y.id = x.policy_id"
        "  and y.support is not null"
        " join enrolments e on e.school_id = x.school_id and e.id = x.enrolment_id"
        " join students s on s.id = e.student_id"
        " where x.school_id = :school_id and x.first_period <= :last"
        " and (x.last_period is null or x.last_period >= :first)"
        " order by s.sort_key, s.id, y.support desc, x.id",
        types={
            "support": VND,
            "first_period": MONTH,
            "last_period": MONTH,
            "valid_from": DAY,
            "valid_to": DAY,
            "starts_on": DAY,
            "ends_on": DAY,
        },
        school_id=school_id,
        first=touched[0][0].number,
        last=last.number,
    )
    children: dict[int, list[Any]] = {}
    for one in found:
        children.setdefault(one.id, []).append(one)
    listed: list[Supported] = []
    for grants in children.values():
        paid: Counter[Any] = Counter()
        for begin, end in touched:
            left = MOST_MONTHS
            for month in begin.through(min(end, last)):
                best = next((one for one in grants if _is_paid(one, month)), None)
                if best is not None and left:
                    left -= 1
                    paid[best] += month >= first
        listed += [
            Supported(
                one.code, one.full_name, one.class_name, one.policy, months, Vnd(one.support.dong)
            )
            for one, months in paid.items()
            if months
        ]
    return sorted(listed, key=lambda one: one.class_name)


def _is_paid(grant: Any, month: Period) -> bool:
    """Whether a grant, its ground and the child's stay all cover a month."""
    return bool(
        grant.first_period <= month
        and (grant.last_period is None or grant.last_period >= month)
        and grant.starts_on <= month.last_day
        and (grant.ends_on is None or grant.ends_on > month.first_day)
        and grant.valid_from <= month.last_day
        and (grant.valid_to is None or grant.valid_to > month.first_day)
    )


@dataclass(frozen=True, slots=True)
class Sibling:
    """A child the sibling rule proposes."""

    policy_id: int
    policy: str
    enrolment_id: int
    code: str
    full_name: str
    class_name: str
    #: the how many-th child of its family at the school, by birth
    place: int
    guardian: str


def siblings(school_id: int, today: date) -> list[Sibling]:
    """Children that are the n-th of their family at the school, without a grant of the rule yet."""
    rules = [
        one
        for one in policies()
        if one.sibling_nth is not None
        and one.valid_from <= today
        and (one.valid_to is None or one.valid_to > today)
    ]
    if not rules:
        return []
    found = rows(
        "select e.id as enrolment_id, s.id as student_id, s.code, s.full_name, s.birth_date,"
        " g.id as guardian_id, g.full_name as guardian, coalesce((select c.name from placements p"
        "  join classes c on c.id = p.class_id where p.school_id = e.school_id"
        "  and p.enrolment_id = e.id order by p.starts_on desc limit 1), '') as class_name"
        " from enrolments e join students s on s.id = e.student_id"
        " join guardianships t on t.student_id = s.id and t.ends_on is null"
        " join guardians g on g.id = t.guardian_id"
        " where e.school_id = :school_id and e.starts_on <= :today"
        " and (e.ends_on is null or e.ends_on > :today) order by s.birth_date, s.id",
        types={"birth_date": DAY},
        school_id=school_id,
        today=today,
    )
    granted = {
        (one.enrolment_id, one.policy_id)
        for one in rows(
            "select enrolment_id, policy_id from exemptions where school_id = :school_id"
            " and (last_period is null or last_period >= :month)",
            school_id=school_id,
            month=Period.of(today).number,
        )
    }
    families: dict[int, list[Any]] = {}
    for one in found:
        families.setdefault(one.guardian_id, []).append(one)
    proposed: dict[tuple[int, int], Sibling] = {}
    for children in families.values():
        for place, child in enumerate(children, 1):
            for rule in rules:
                key = child.enrolment_id, rule.id
                if place >= (rule.sibling_nth or 0) and key not in granted:
                    proposed[key] = Sibling(
                        rule.id,
                        rule.name,
                        child.enrolment_id,
                        child.code,
                        child.full_name,
                        child.class_name,
                        place,
                        child.guardian,
                    )
    return sorted(proposed.values(), key=lambda one: (one.policy_id, one.class_name, one.full_name))
