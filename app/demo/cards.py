"""Consents of one class of each school, and drawn silhouettes where photos would be.

No face is invented: a sample picture says that it is one.
"""

from __future__ import annotations

import random
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from app.config import ROOT
from app.core import clock
from app.demo.calendar import Calendar
from app.demo.organisation import DemoSchool
from app.demo.people import Child
from app.people import cards
from app.people.access import Role
from app.people.cards import queries
from app.people.cards.pictures import photo_of

_FONT: Final = ROOT / "static" / "fonts" / "print" / "BeVietnamPro_600SemiBold.ttf"
#: children of the class who have a sample picture
_PICTURED: Final = 8


def hand_in_consents(
    school: DemoSchool, children: list[Child], calendar: Calendar, *, has_photos: bool
) -> None:
    """Four of five families of the first class agreed on paper, and some pictures were handed in.

    Inside the caller's transaction; draws nothing from the demo's random numbers.
    """
    clerk = school.person(Role.ACCOUNTANT)
    now = calendar.prepared_at
    day = clock.local_day(now)
    first = [
        child
        for child in children
        if child.class_name == children[0].class_name and child.starts_on <= calendar.starts_on
    ]
    agreed = [child for place, child in enumerate(first) if place % 5 != 4]
    stays = [child.enrolment_id for child in agreed]
    guardians = queries.guardians_of(school.id, stays, day)
    given = [
        cards.Given(
            child.enrolment_id,
            party,
            cards.Method.PAPER,
            day,
            guardians[child.enrolment_id][0][0] if party is cards.Party.GUARDIAN else None,
            f"ĐY {child.class_name} · {place:02d}",
        )
        for place, child in enumerate(agreed, start=1)
        for party in cards.Party
    ]
    cards.record_consents(school.id, given, actor=clerk, now=now)
    if has_photos:
        cards.keep_photos(
            school.id,
            {stay: sample_picture(place) for place, stay in enumerate(stays[:_PICTURED])},
            taken_on=day,
            actor=clerk,
            now=now,
        )
    cards.issue_cards(
        school.id, stays, actor=clerk, now=now, rng=random.Random(f"cards of {school.id}")
    )


def sample_picture(place: int) -> bytes:
    """A grey figure with the words ẢNH MẪU."""
    ground = ("#ECE9F8", "#E2F3EC", "#E4EFFA", "#FFF1D6")[place % 4]
    image = Image.new("RGB", (480, 640), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((155, 130, 325, 330), fill="#B4B9DC")
    draw.rounded_rectangle((75, 370, 405, 760), radius=150, fill="#B4B9DC")
    font = ImageFont.truetype(str(_FONT), 54)
    draw.text((240, 560), "ẢNH MẪU", font=font, fill="#221C3F", anchor="mm")
    out = BytesIO()
    image.save(out, "PNG")
    return photo_of(out.getvalue())
