"""Cards as PDF: 85.6 × 54 mm, ten on A4 with cut marks or one a page.

A paper is Vietnamese by law, whatever the reader's language; its fixed words are not translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import current_app, render_template

from app.core import press, qr
from app.core.ids import show_student_code
from app.core.text import initials
from app.people.cards import code128, pictures, queries
from app.people.cards.errors import NothingToPrint
from app.people.cards.models import Layout
from app.people.schools import school_info

SHEETS: Final = ("css/paper.css", "css/print-card.css")
ON_A_SHEET: Final = 10
#: letters of a name that fit in one line, and in two
_SHORT, _LONG = 22, 44


@dataclass(frozen=True, slots=True)
class Face:
    """Everything one card prints, in words; `qr` and `photo` name pictures handed over."""

    full_name: str
    #: how large the name is set
    size: str
    code: str
    class_name: str
    year: str
    number: str
    initials: str
    qr: str
    photo: str
    #: the bars of the pupil code as an SVG path, and how wide it is
    bars: str
    bars_width: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file and the digests of the photos in it."""

    file: bytes
    photos: set[str]


def draw(
    school_id: int,
    card_ids: Sequence[int],
    *,
    year_id: int,
    layout: Layout,
    today: date,
    is_small: bool = False,
) -> Drawn:
    """The cards in the order given, with the photos that may be shown today.

    `is_small` shrinks the photos for files of many cards. Refuses when none of the cards is live.
    """
    cards = queries.cards_to_print(school_id, card_ids, year_id)
    if not cards:
        raise NothingToPrint
    photos = queries.photos_of(school_id, [card.enrolment_id for card in cards], today)
    images: dict[str, bytes] = {}
    faces = []
    for card in cards:
        photo = photos.get(card.enrolment_id)
        if photo is not None:
            kept = pictures.smaller(photo.picture) if is_small else photo.picture
            images[f"photo{card.card_id}"] = kept
        images[f"qr{card.card_id}"] = qr.png(address_of(card.token), scale=8)
        faces.append(_face(card, has_photo=photo is not None))
    on_a_page = ON_A_SHEET if layout is Layout.A4 else 1
    html = render_template(
        "pdf/card.html",
        pages=[faces[start : start + on_a_page] for start in range(0, len(faces), on_a_page)],
        layout=layout.value,
        school=school_info(school_id, today),
        is_demo=current_app.config["SETTINGS"].is_demo,
    )
    file = press.lay_out(html, sheets=SHEETS, pictures=images).write_pdf(pdf_version="1.4")
    return Drawn(file, {photo.sha256 for photo in photos.values()})


def join(parts: list[bytes]) -> bytes:
    """One file of several."""
    return press.join(parts)


def address_of(token: str) -> str:
    """What the QR code says."""
    return f"{current_app.config['SETTINGS'].public_url.rstrip('/')}/card/{token}"


def _face(card: queries.PrintedCard, *, has_photo: bool) -> Face:
    letters = len(card.full_name)
    return Face(
        full_name=card.full_name,
        size="large" if letters <= _SHORT else "middle" if letters <= _LONG else "small",
        code=show_student_code(card.code),
        class_name=card.class_name,
        year=card.year.replace("-", "–"),
        number=f"{card.number:05d}",
        initials=initials(card.full_name),
        qr=f"qr{card.card_id}",
        photo=f"photo{card.card_id}" if has_photo else "",
        bars=code128.path(card.code),
        bars_width=code128.width_of(card.code),
    )
