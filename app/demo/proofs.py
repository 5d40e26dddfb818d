"""A few schools that have had their children's identities compared, by an office of our own."""

from __future__ import annotations

import random
from collections.abc import Sequence

from app.core.db import analyze
from app.demo.calendar import Calendar
from app.demo.organisation import DemoSchool
from app.demo.people import Child
from app.people import verification
from app.people.access import Role
from app.people.students import IdentityField, Verification
from app.people.verification import Kind, queries
from app.people.verification.exchange import Answer, Asked, Sent

#: of a hundred children: sent, and of those sent answered
_SENT, _ANSWERED = 95, 93


class DemoOffice:
    """An exchange that answers out of thin air; what it is given to read is ignored."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._asked: Sequence[Asked] = ()

    def write_batch(self, rows: Sequence[Asked], *, name: str) -> Sent:
        """Remember what was asked."""
        self._asked = rows
        return Sent(name, "", b"")

    def read_result(self, source: bytes, filename: str) -> list[Answer]:
        """Most match, some differ in a way offices really find, few are not found."""
        return [
            self._answer(place, asked)
            for place, asked in enumerate(self._asked, start=2)
            if self._rng.randrange(100) < _ANSWERED
        ]

    def _answer(self, place: int, asked: Asked) -> Answer:
        state: Verification | None = Verification.MATCHED
        text = "Khớp"
        given: dict[IdentityField, str] = {}
        if place % 23 == 6:
            state, text = Verification.DIFFERS, "Sai lệch ngày sinh"
            other = asked.birth_date.replace(day=asked.birth_date.day % 28 + 1)
            given[IdentityField.BIRTH_DATE] = other.isoformat()
        elif place % 19 == 8:
            state, text = Verification.DIFFERS, "Sai lệch họ tên"
            *family, last = asked.full_name.split()
            given[IdentityField.FULL_NAME] = " ".join([*family, "Thanh", last])
        elif place % 29 == 10:
            state, text = Verification.NOT_FOUND, "Không tìm thấy"
        elif place % 37 == 12:
            state, text = None, "Công an phường đang xem lại"
        elif place % 53 == 14:
            state, text = Verification.DOUBLE, "Trùng số"
        return Answer(
            place=str(place),
            row_key=asked.row_key,
            pin=asked.pin,
            text=text,
            state=state,
            named=frozenset(given),
            given=given,
        )


def compare_identities(
    school: DemoSchool, children: Sequence[Child], calendar: Calendar, seed: int
) -> None:
    """One batch of most children and the answer to it. Inside the caller's transaction."""
    # Draws of its own: the rest of the demo stays what it was.
    rng = random.Random(f"{seed} {school.name.code}")
    accountant, now = school.person(Role.ACCOUNTANT), calendar.prepared_at
    chosen = [child.student_id for child in children if rng.randrange(100) < _SENT]
    batch = verification.make_batch(
        school.id, Kind.PUPILS, chosen=chosen, actor=accountant, now=now, rng=rng
    )
    office = DemoOffice(rng)
    office.write_batch(queries.rows_to_send(school.id, batch), name="")
    upload = verification.upload(
        school.id,
        Kind.PUPILS,
        b"",
        "ket-qua-minh-hoa.xlsx",
        exchange=office,
        actor=accountant,
        now=now,
    )
    verification.take(school.id, upload, actor=accountant, now=now)
    analyze("verification_items", "verification_results")
