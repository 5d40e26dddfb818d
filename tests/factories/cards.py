"""Pictures drawn for the occasion, consents given, cards out: made by the services."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from app.core import scope
from app.core.db import rows, transaction
from app.people import cards
from app.people.cards import Given, Method, Party, services
from app.people.cards.pictures import photo_of
from app.people.cards.services.printing import Asked
from app.people.students import Enrolled
from tests.factories.people import enrol, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool

#: five and eight years old in November 2026
YOUNG, OLD = date(2021, 5, 4), date(2018, 3, 14)
TODAY = date(2026, 11, 24)


def drawn(size: tuple[int, int] = (900, 1200), *, kind: str = "JPEG", **options: Any) -> bytes:
    """A figure on a ground, nobody's face."""
    image = Image.new("RGB", size, "#ECE9F8")
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((width // 3, height // 5, 2 * width // 3, height // 2), fill="#B4B9DC")
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def child(
    school: MadeSchool,
    class_id: int,
    name: str = "Nguyễn Hoài An",
    *,
    born: date = OLD,
    has_family: bool = True,
) -> Enrolled:
    """A child with its mother."""
    family = (mother(),) if has_family else ()
    return enrol(school, new_student(class_id, name, birth_date=born, guardians=family))[0]


def guardian_of(student_id: int) -> int:
    """The number of the child's mother."""
    found = rows(
        "select guardian_id from guardianships where student_id = :id order by id", id=student_id
    )
    return int(found[0].guardian_id)


def agree(
    school: MadeSchool, who: Enrolled, *parties: Party, on: date = TODAY, now: datetime = NOON
) -> int:
    """Record the consent of the guardian and the child, or of those named."""
    with scope.opened(scope.one_school(school.id)), transaction():
        return cards.record_consents(
            school.id,
            [
                Given(
                    who.enrolment_id,
                    party,
                    Method.PAPER,
                    on,
                    guardian_of(who.student_id) if party is Party.GUARDIAN else None,
                    "ĐY-07",
                )
                for party in parties or Party
            ],
            actor=ACCOUNTANT,
            now=now,
        )


def pictured(school: MadeSchool, *children: Enrolled, now: datetime = NOON) -> None:
    """Keep a photo of each."""
    photo = photo_of(drawn())
    with scope.opened(scope.one_school(school.id)), transaction():
        cards.keep_photos(
            school.id,
            {who.enrolment_id: photo for who in children},
            taken_on=TODAY,
            actor=ACCOUNTANT,
            now=now,
        )


def carded(school: MadeSchool, *children: Enrolled) -> list[int]:
    """Give each a card."""
    with scope.opened(scope.one_school(school.id)), transaction():
        return cards.issue_cards(
            school.id, [who.enrolment_id for who in children], actor=ACCOUNTANT, now=NOON
        )


def asked(school: MadeSchool, *children: Enrolled, in_background: bool = False) -> Asked:
    """Ask for a printing on A4."""
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.begin_print(
            school.id,
            [who.enrolment_id for who in children],
            year_id=school.year_id,
            layout=cards.Layout.A4,
            title="Thẻ lớp 3/1",
            in_background=in_background,
            actor=ACCOUNTANT,
            now=NOON,
        )
