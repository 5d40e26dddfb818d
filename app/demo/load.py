"""Loading the demo: the same seed and the same day give the same rows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

from flask_babel import gettext as _

from app.audit.sealing import seal_audit
from app.core import scope
from app.core.db import analyze, scalar, transaction
from app.core.errors import Refused
from app.core.model import Base
from app.core.period import Period
from app.demo.calendar import Calendar
from app.demo.cards import hand_in_consents
from app.demo.catalogue import ITEMS, POLICIES
from app.demo.credentials import Debtors, write_credentials
from app.demo.months import Habits, Story
from app.demo.names import Names, school_names
from app.demo.organisation import MACHINE, Area, DemoSchool, open_area, open_schools
from app.demo.people import Child, Town
from app.demo.proofs import compare_identities
from app.money import ledger
from app.money.fees import NewItem, NewPolicy, add_item, add_policy
from app.people.schools import Level

SCHOOLS: Final = 36
CHILDREN_EACH: Final = 60
#: full size: how large schools of a level are beside each other
_WEIGHTS: Final = {Level.NURSERY: 30, Level.PRIMARY: 105, Level.LOWER_SECONDARY: 132}
#: below so many children a school, levels do not differ and the first four schools are larger
_SMALL: Final = 150
_FOCUS: Final = 4
_FOCUS_CHILDREN: Final = 96

Say = Callable[[str], None]


class NotEmpty(Refused):
    """The demo is loaded into an empty database only."""

    code = "database_not_empty"

    def default_message(self) -> str:
        return _(
            "There is data already. `flask demo reset` throws it away and loads the demo anew."
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load made."""

    schools: int
    students: int
    invoices: int
    lines: int
    payments: int
    entries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a demo is wanted, and for which day."""

    as_of: date
    schools: int = SCHOOLS
    students: int = 0
    seed: int = 1

    def sizes(self) -> list[int]:
        """Children of each school, in the order of the schools; their sum is what was asked for."""
        wanted = self.students or CHILDREN_EACH * self.schools
        names = school_names()[: self.schools]
        if wanted > _SMALL * self.schools:
            weights = [_WEIGHTS[name.level] for name in names]
        else:
            focus = min(_FOCUS_CHILDREN, 2 * wanted // max(1, self.schools))
            rest = max(1, self.schools - _FOCUS)
            others = max(1, (wanted - focus * _FOCUS) // rest)
            weights = [
                focus if place < _FOCUS < self.schools else others for place in range(self.schools)
            ]
        marks = [wanted * sum(weights[:place]) // sum(weights) for place in range(len(weights) + 1)]
        return [later - earlier for earlier, later in pairwise(marks)]


def load(plan: Plan, *, say: Say, credentials: Path | None = None) -> Loaded:
    """Load the demo into an empty database and write the credentials file.

    Refuses a database that holds a school. Opens scopes and transactions of its own, one for each
    step of each school.
    """
    started = time.monotonic()
    with scope.opened(scope.EVERY_SCHOOL):
        if scalar("select count(*) from schools"):
            raise NotEmpty
    calendar = Calendar(plan.as_of)
    rng = random.Random(plan.seed)
    names = Names(rng)
    first, second = calendar.billed
    say(f"Demo as of {plan.as_of}: bills of {first} and {second}, {calendar.open_month} open")

    area = open_area(calendar, names, rng)
    items, policies = _open_catalogue(area, calendar)
    schools = open_schools(area, school_names()[: plan.schools], calendar, names, rng)
    say(f"{len(schools)} schools with accounts, channels and staff  {_since(started)}")

    town = Town(names, rng, calendar)
    story = Story(calendar, rng)
    debtors: Debtors = []
    students = 0
    for place, (school, size) in enumerate(zip(schools, plan.sizes(), strict=True)):
        habits = Habits.drawn(rng, is_focus=place < _FOCUS)
        children = _people(school, area, size, town, items, policies)
        with scope.opened(scope.one_school(school.id)), transaction():
            hand_in_consents(school, children, calendar, has_photos=place < _FOCUS)
        students += len(children)
        with scope.opened(scope.one_school(school.id)), transaction():
            story.approve_prices(school, area.year_id, items)
            story.plan_meals(school, items)
            if place < _FOCUS:
                compare_identities(school, children, calendar, plan.seed)
        owing = [_one_month(school, month, children, habits, story) for month in calendar.billed]
        with scope.opened(scope.one_school(school.id)), transaction():
            stays = [child.enrolment_id for child in children]
            story.report_absences(school, stays)
            if place < _FOCUS and len(stays) >= 3:
                story.take_applications(school, stays)
        debtors.append((school, children, owing[-1]))
        say(
            f"{school.name.code}  {place + 1:>2}/{len(schools)}  {students:>6} children"
            f"  {story.tally.invoices:>6} bills  {story.tally.payments:>6} payments"
            f"  {_since(started)}"
        )
    _seal(calendar)
    if credentials is not None:
        write_credentials(credentials, area, town, debtors, calendar, rng)
        say(f"Credentials: {credentials}")
    with scope.opened(scope.EVERY_SCHOOL):
        entries = int(scalar("select count(*) from entries"))
    tally = story.tally
    done = Loaded(
        schools=len(schools),
        students=students,
        invoices=tally.invoices,
        lines=tally.lines,
        payments=tally.payments,
        entries=entries,
        seconds=time.monotonic() - started,
    )
    say(
        f"Done: {done.students} children, {done.invoices} bills with {done.lines} lines,"
        f" {done.payments} payments, {done.entries} entries, sealed  {_since(started)}"
    )
    return done


def _since(started: float) -> str:
    return f"{time.monotonic() - started:6.1f} s"


def _open_catalogue(area: Area, calendar: Calendar) -> tuple[dict[str, int], dict[str, int]]:
    """Items and policies by their codes."""
    since = date(calendar.first_year - 1, 9, 1)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        items = {
            item.code: add_item(
                NewItem(
                    code=item.code,
                    name=item.name,
                    name_en=item.name_en,
                    category=item.category,
                    unit=item.unit,
                    legal_act=item.legal_act,
                    may_be_debt=item.may_be_debt,
                    is_compulsory=item.is_compulsory,
                    issued_by_id=area.department_id,
                    valid_from=since,
                ),
                actor=MACHINE,
                now=calendar.prepared_at,
            )
            for item in ITEMS
        }
        policies = {
            policy.code: add_policy(
                NewPolicy(
                    code=policy.code,
                    name=policy.name,
                    legal_act=policy.legal_act,
                    valid_from=since,
                    rates=tuple((items[code], percent) for code, percent in policy.percents),
                    applies_to_all=policy.applies_to_all,
                ),
                actor=MACHINE,
                now=calendar.prepared_at,
            )
            for policy in POLICIES
        }
    return items, policies


def _people(
    school: DemoSchool,
    area: Area,
    size: int,
    town: Town,
    items: dict[str, int],
    policies: dict[str, int],
) -> list[Child]:
    with scope.opened(scope.one_school(school.id)), transaction():
        children = town.enrol(school, area.year_id, size)
        town.settle(school, children, items, policies)
        # Fresh statistics, or PostgreSQL plans the first run for empty tables.
        analyze("students", "enrolments", "placements", "fee_choices", "exemptions")
    return children


def _one_month(
    school: DemoSchool, month: Period, children: list[Child], habits: Habits, story: Story
) -> list[int]:
    """Bills and payments of a month; the children whose family still owes all of it."""
    with scope.opened(scope.one_school(school.id)), transaction():
        story.issue(school, month)
        analyze("payment_requests", "invoices", "invoice_lines")
    with scope.opened(scope.one_school(school.id)), transaction():
        return story.pay(school, month, children, habits)


def _seal(calendar: Calendar) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        ledger.seal_everything(now=calendar.cutoff)
        seal_audit(now=calendar.cutoff)
        analyze(*(table.name for table in Base.metadata.sorted_tables))
