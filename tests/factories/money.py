"""Children with an issued bill and a payment request: the set-up of everything about payments."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import insert

from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.money import billing
from app.money.fees import Category, NewPrice
from app.people.schools import ChannelInfo, Provider, channels_of
from app.people.schools.models import Channel, ChannelAddress, ChannelSecret
from app.people.students import NewGuardian
from tests.factories.fees import NOVEMBER, approved_schedule, make_item, price
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, MadeSchool, make_school

DUE_ON = date(2026, 11, 30)
TODAY = date(2026, 11, 24)
#: two lines of a bill: what they are called, their category and price
LINES = (
    ("Bảo hiểm y tế học sinh", Category.COLLECT_FOR, 170_775),
    ("Chăm sóc bán trú", Category.SERVICE, 608_000),
)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Billed:
    """A billed child and the request that asks for its money."""

    school: MadeSchool
    student_id: int
    enrolment_id: int
    full_name: str
    request: billing.Request
    lines: tuple[int, ...]
    due: int


def billed_children(
    count: int,
    *,
    school: MadeSchool | None = None,
    lines: Sequence[tuple[str, Category, int]] = LINES,
    names: Sequence[str] = (),
    guardians: Sequence[tuple[NewGuardian, ...]] = (),
) -> list[Billed]:
    """Children of one school with the bills of November issued."""
    school = school or make_school()
    items = [
        make_item(school, name=name, category=category, is_compulsory=True)
        for name, category, _price in lines
    ]
    prices: list[NewPrice] = [
        price(item, dong) for item, (_name, _category, dong) in zip(items, lines, strict=True)
    ]
    approved_schedule(school, prices)
    class_id = make_class(school)
    full_names = [
        names[n] if n < len(names) else f"Nguyễn Văn Mẫu {next(_numbers)}" for n in range(count)
    ]
    enrolled = enrol(
        school,
        *(
            new_student(
                class_id,
                full_name,
                guardians=guardians[n]
                if n < len(guardians)
                else (mother(f"09{next(_numbers):08d}"),),
            )
            for n, full_name in enumerate(full_names)
        ),
    )
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            run = billing.draft_run(school.id, NOVEMBER, due_on=DUE_ON, actor=ACCOUNTANT, now=NOON)
            billing.issue_run(school.id, run, actor=ACCOUNTANT, now=NOON)
        found = []
        for child, full_name in zip(enrolled, full_names, strict=True):
            request = billing.requests_of(school.id, child.student_id)[0]
            open_now = billing.open_lines(school.id, [child.student_id])[child.student_id]
            found.append(
                Billed(
                    school=school,
                    student_id=child.student_id,
                    enrolment_id=child.enrolment_id,
                    full_name=full_name,
                    request=request,
                    lines=tuple(sorted(line.line_id for line in open_now)),
                    due=sum(line.open.dong for line in open_now),
                )
            )
    return found


def billed_child(
    *,
    school: MadeSchool | None = None,
    lines: Sequence[tuple[str, Category, int]] = LINES,
    full_name: str = "Nguyễn Minh Khang",
) -> Billed:
    """One child with the bill of November issued."""
    return billed_children(1, school=school, lines=lines, names=[full_name])[0]


def make_card_channel(
    school: MadeSchool,
    *,
    surcharge_dong: int = 0,
    surcharge_permille: int = 0,
    api_key: str = "",
    webhook_secret: str = "",
) -> ChannelInfo:
    """A card channel of a school; without secrets it uses the environment's Stripe account."""
    public_id = f"stripe-{school.code.lower()}-{next(_numbers)}"
    with scope.opened(scope.one_school(school.id)), transaction():
        channel_id = db.session.scalar(
            insert(Channel)
            .values(
                school_id=school.id,
                public_id=public_id,
                provider=Provider.STRIPE,
                scheme="stripe",
                surcharge_dong=surcharge_dong,
                surcharge_permille=surcharge_permille,
                opened_on=OPENING,
            )
            .returning(Channel.id)
        )
        for purpose, secret in (("api", api_key), ("webhook", webhook_secret)):
            if secret:
                db.session.execute(
                    insert(ChannelSecret).values(
                        school_id=school.id,
                        channel_id=channel_id,
                        purpose=purpose,
                        secret=secret,
                        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                    )
                )
        db.session.execute(insert(ChannelAddress).values(public_id=public_id, school_id=school.id))
        return next(c for c in channels_of(school.id, TODAY) if c.id == channel_id)
