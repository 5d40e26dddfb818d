"""Recording that a photo may be on the card, and that it may not any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import in_chunks, rows
from app.core.model import db
from app.core.text import nfc
from app.people.cards.errors import BadConsent, NoGuardian, NothingWithdrawn
from app.people.cards.models import Method, Party, PhotoConsent, PhotoWithdrawal
from app.people.cards.services.photos import delete_photos
from app.people.cards.services.stays import hold, open_stays

#: the wording of the form that is in use; a new wording gets a new number
WORDING: Final = "1"


@dataclass(frozen=True, slots=True)
class Given:
    """A yes as it was given; `guardian_id` is named exactly when a guardian said it."""

    enrolment_id: int
    party: Party
    method: Method
    given_on: date
    guardian_id: int | None = None
    form_no: str = ""


def record_consents(
    school_id: int, given: Sequence[Given], *, actor: audit.Actor, now: datetime
) -> int:
    """Record consents; how many were new, for one that stands already is not written twice.

    Refuses a stay that ended, a guardian who does not answer for the child, a day to come, and a
    signed form without its number. The caller commits.
    """
    today = clock.local_day(now)
    hold(school_id)
    stays = open_stays(school_id, [one.enrolment_id for one in given], today)
    guardians = _guardians({stay.student_id for stay in stays.values()}, today)
    for one in given:
        if one.given_on > today:
            raise BadConsent(_("The day of the consent lies in the future."))
        if one.given_on < stays[one.enrolment_id].birth_date:
            raise BadConsent(_("The day of the consent lies before the pupil's birth."))
        if one.method is Method.PAPER and not one.form_no.strip():
            raise BadConsent(_("Enter the number of the signed form, or where it is filed."))
        if len(one.form_no.strip()) > 40:
            raise BadConsent(_("The form's number has at most 40 letters."))
        known = (stays[one.enrolment_id].student_id, one.guardian_id) in guardians
        if one.party is Party.GUARDIAN and not known:
            raise NoGuardian
    standing = {
        (consent.enrolment_id, consent.party, consent.guardian_id)
        for consent in standing_consents(school_id, list(stays))
    }
    fresh = {(one.enrolment_id, str(one.party), one.guardian_id): one for one in given}
    values = [
        {
            "school_id": school_id,
            "enrolment_id": one.enrolment_id,
            "party": one.party,
            "guardian_id": one.guardian_id if one.party is Party.GUARDIAN else None,
            "method": one.method,
            "form_no": nfc(one.form_no.strip()) or None,
            "wording": WORDING,
            "given_on": one.given_on,
            "recorded_by": actor.name,
            "recorded_at": now,
        }
        for key, one in fresh.items()
        if key not in standing
    ]
    if not values:
        return 0
    statement = insert(PhotoConsent).returning(PhotoConsent.id, sort_by_parameter_order=True)
    made = db.session.scalars(statement, values).all()
    audit.record_many(
        [
            audit.Deed(
                "photo.consent",
                f"photo_consent:{consent_id}",
                f"enrolment:{value['enrolment_id']} {value['party']}",
            )
            for consent_id, value in zip(made, values, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return len(values)


def withdraw_consent(
    school_id: int,
    enrolment_id: int,
    party: Party,
    *,
    method: Method,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Take back every standing consent of the child, or of the guardians; the photo is deleted.

    One guardian's no is enough, and it counts from the day it is recorded. Refuses where nothing
    stands. The caller commits.
    """
    hold(school_id)
    standing = [
        consent.id
        for consent in standing_consents(school_id, [enrolment_id])
        if consent.party == party
    ]
    if not standing:
        raise NothingWithdrawn
    db.session.execute(
        insert(PhotoWithdrawal),
        [
            {
                "school_id": school_id,
                "consent_id": consent_id,
                "method": method,
                "withdrawn_on": clock.local_day(now),
                "recorded_by": actor.name,
                "recorded_at": now,
            }
            for consent_id in standing
        ],
    )
    audit.record_many(
        [
            audit.Deed(
                "photo.withdraw", f"photo_consent:{consent_id}", f"enrolment:{enrolment_id} {party}"
            )
            for consent_id in standing
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    delete_photos(school_id, [enrolment_id], why="withdrawn", actor=actor, now=now)


def standing_consents(school_id: int, enrolment_ids: Sequence[int]) -> list[Any]:
    """The consents of some stays that nobody took back."""
    return [
        consent
        for chunk in in_chunks(enrolment_ids)
        for consent in rows(
            "select c.id, c.enrolment_id, c.party, c.guardian_id from photo_consents c"
            " where c.school_id = :school_id and c.enrolment_id in :ids and not exists"
            " (select 1 from photo_withdrawals w where w.school_id = c.school_id"
            "  and w.consent_id = c.id)",
            school_id=school_id,
            ids=chunk,
        )
    ]


def _guardians(student_ids: set[int], today: date) -> set[tuple[int, int]]:
    return {
        (tie.student_id, tie.guardian_id)
        for chunk in in_chunks(student_ids)
        for tie in rows(
            "select student_id, guardian_id from guardianships where student_id in :ids"
            " and (ends_on is null or ends_on > :today)",
            ids=chunk,
            today=today,
        )
    }
