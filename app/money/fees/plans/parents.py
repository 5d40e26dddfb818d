"""What the parents said to a plan, with its paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock, papers
from app.core.db import DAY, MOMENT, row, rows
from app.core.model import db
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import BadPlan
from app.money.fees.models import ParentsAgreement, ScheduleState
from app.money.fees.services import tell


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the parents said."""

    id: int
    held_on: date
    minutes_no: str
    asked: int
    agreed: int
    has_paper: bool
    recorded_by: str
    recorded_at: datetime

    @property
    def percent(self) -> int:
        """The share that agreed, rounded down."""
        return self.agreed * 100 // self.asked


def agreements(school_id: int, schedule_id: int) -> list[Agreement]:
    """What was recorded, the newest first: that one counts."""
    return [
        Agreement(**{**one._asdict(), "has_paper": bool(one.has_paper)})
        for one in rows(
            "select id, held_on, minutes_no, asked, agreed, kind <> '' as has_paper, recorded_by,"
            " recorded_at from parents_agreements where school_id = :school_id"
            " and schedule_id = :schedule order by id desc",
            types={"held_on": DAY, "recorded_at": MOMENT},
            school_id=school_id,
            schedule=schedule_id,
        )
    ]


def record_agreement(
    school_id: int,
    schedule_id: int,
    *,
    held_on: date,
    minutes_no: str,
    asked: int,
    agreed: int,
    content: bytes,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write down what the parents said to a plan, with the paper where there is one.

    Refuses a plan that was approved, a day to come, more yeses than families, and a file that is no
    PDF, JPEG or PNG of at most 5 MB. The caller commits.
    """
    schedule = queries.get_schedule(school_id, schedule_id)
    if schedule.state not in (ScheduleState.DRAFT, ScheduleState.SUBMITTED):
        raise BadPlan(_("This version was decided. What parents say now belongs to a new one."))
    if held_on > clock.local_day(now):
        raise BadPlan(_("The meeting cannot be on a day to come."))
    if not 0 < asked <= 100_000 or not 0 <= agreed <= asked:
        raise BadPlan(_("Write how many families were asked, and how many of them agreed."))
    kind = papers.kind_of(content) if content else ""
    if kind is None:
        raise BadPlan(_("Hand in a PDF, JPEG or PNG of at most 5 MB."))
    db.session.execute(
        insert(ParentsAgreement).values(
            school_id=school_id,
            schedule_id=schedule_id,
            held_on=held_on,
            minutes_no=" ".join(nfc(minutes_no).split())[:60],
            asked=asked,
            agreed=agreed,
            kind=kind,
            content=content,
            recorded_by=actor.name,
            recorded_at=now,
        )
    )
    tell("agreement", school_id, schedule_id, actor, now, f"{agreed}/{asked}")


def agreement_paper(school_id: int, schedule_id: int, agreement_id: int) -> tuple[str, bytes]:
    """The paper with its kind. Refuses an agreement without one."""
    found = row(
        "select kind, content from parents_agreements where school_id = :school_id"
        " and schedule_id = :schedule and id = :id and kind <> ''",
        school_id=school_id,
        schedule=schedule_id,
        id=agreement_id,
    )
    if found is None:
        raise BadPlan(_("No paper is kept with this agreement."))
    return found.kind, bytes(found.content)
