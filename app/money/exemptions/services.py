"""Receiving, checking and deciding applications; keeping proofs; granting by the sibling rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock, papers
from app.core.db import execute, for_update, in_chunks, row, rows, scalar
from app.core.model import db
from app.core.period import Period
from app.core.text import nfc
from app.money import fees
from app.money.exemptions import queries
from app.money.exemptions.errors import (
    AlreadyApplied,
    ApplicationMoved,
    ApplicationNotFound,
    ApplicationWordsMissing,
    BadApplication,
    CheckerDecides,
    ProofNotFound,
    ProofRefused,
)
from app.money.exemptions.models import (
    NEXT,
    RUNNING,
    ApplicationProof,
    ApplicationStep,
    ExemptionApplication,
    State,
)
from app.money.fees.errors import ExemptionNotFound
from app.people.schools import calendar, setting

#: working days from receipt to decision while a school has set none. The decree gives ten for the
#: list of learning-cost support; for exemptions it is to be checked.
USUAL_DAYS: Final = 10
DAYS_SETTING: Final = "exemption_days"


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What a family asks for."""

    enrolment_id: int
    policy_id: int
    first: Period
    last: Period | None
    received_on: date
    words: str = ""


def receive(school_id: int, new: NewApplication, *, actor: audit.Actor, now: datetime) -> int:
    """Write an application down with the last day for its decision; the application.

    Refuses a stay of another school, an unknown ground or one that every child has, months turned
    round, a day to come, and a second running application on the same ground. The caller commits.
    """
    if not scalar(
        "select count(*) from enrolments where school_id = :school_id and id = :id",
        school_id=school_id,
        id=new.enrolment_id,
    ):
        raise BadApplication(_("One of the pupils is not enrolled at your school."))
    policy = row(
        "select id, applies_to_all from exemption_policies where id = :id", id=new.policy_id
    )
    if policy is None or policy.applies_to_all:
        raise BadApplication(_("Choose a ground that a family applies for."))
    if new.last is not None and new.last < new.first:
        raise BadApplication(_("The last month comes after the first."))
    if new.received_on > clock.local_day(now):
        raise BadApplication(_("The family cannot have asked on a day to come."))
    if scalar(
        "select count(*) from exemption_applications a join exemption_application_steps s"
        " on s.id = (select max(x.id) from exemption_application_steps x"
        "  where x.school_id = a.school_id and x.application_id = a.id)"
        " where a.school_id = :school_id and a.enrolment_id = :stay and a.policy_id = :policy"
        " and s.state in :running",
        school_id=school_id,
        stay=new.enrolment_id,
        policy=new.policy_id,
        running=[state.value for state in RUNNING],
    ):
        raise AlreadyApplied
    days = int(setting(school_id, DAYS_SETTING, new.received_on) or USUAL_DAYS)
    application_id = int(
        db.session.scalar(
            insert(ExemptionApplication)
            .values(
                school_id=school_id,
                enrolment_id=new.enrolment_id,
                policy_id=new.policy_id,
                first_period=new.first,
                last_period=new.last,
                received_on=new.received_on,
                due_on=calendar().due_after(new.received_on, days),
                exemption_id=None,
            )
            .returning(ExemptionApplication.id)
        )
        or 0
    )
    _step(school_id, application_id, State.RECEIVED, _words(new.words, needed=False), actor, now)
    return application_id


def take_step(
    school_id: int,
    application_id: int,
    state: State,
    *,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Ask for more papers, find it in order, or write down that the family withdrew.

    Asking for more and withdrawing need words. The caller commits.
    """
    if state not in (State.MORE, State.CHECKED, State.WITHDRAWN):
        raise ApplicationMoved
    found = _locked(school_id, application_id)
    if state not in NEXT[found.state]:
        raise ApplicationMoved
    said = _words(words, needed=state is not State.CHECKED)
    _step(school_id, application_id, state, said, actor, now)


def decide(
    school_id: int,
    application_id: int,
    *,
    grant: bool,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """The principal grants or refuses; a grant holds from its first month, also one billed before.

    Refuses who received or checked it, an application not checked, a refusal without words, and a
    ground the child has already in one of the months. The caller commits.
    """
    found = _locked(school_id, application_id)
    state = State.GRANTED if grant else State.REFUSED
    if state not in NEXT[found.state]:
        raise ApplicationMoved
    if _has_worked(school_id, application_id, actor):
        raise CheckerDecides
    said = _words(words, needed=not grant)
    if grant:
        wanted = fees.Grant(
            found.enrolment_id,
            found.policy_id,
            Period.from_number(int(found.first_period)),
            Period.from_number(int(found.last_period)) if found.last_period else None,
        )
        (exemption_id,) = fees.grant_exemptions(school_id, [wanted], actor=actor, now=now)
        execute(
            "update exemption_applications set exemption_id = :exemption"
            " where school_id = :school_id and id = :id",
            school_id=school_id,
            id=application_id,
            exemption=exemption_id,
        )
    _step(school_id, application_id, state, said, actor, now)


def end_grant(
    school_id: int,
    application_id: int,
    *,
    last: Period,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Let what was granted end with a month; bills from then on, issued or not, follow the rules.

    Refuses an application that gave nothing, no reason, a month before the first one, and a grant
    that ends by then. The caller commits.
    """
    found = row(
        "select exemption_id, first_period from exemption_applications"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=application_id,
    )
    if found is None:
        raise ApplicationNotFound
    if found.exemption_id is None:
        raise ApplicationMoved
    said = _words(words, needed=True)
    if last < Period.from_number(int(found.first_period)).previous():
        raise BadApplication(_("The last month comes after the first."))
    try:
        fees.end_exemption(
            school_id, found.exemption_id, last_period=last, actor=actor, now=now, reason=said
        )
    except ExemptionNotFound:
        raise BadApplication(_("It ends by that month already.")) from None


def add_proof(
    school_id: int,
    application_id: int,
    *,
    name: str,
    content: bytes,
    valid_until: date | None,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Keep a paper; its kind is read from its content. Refuses other kinds and more than 5 MB.

    The caller commits.
    """
    _locked(school_id, application_id)
    kind = papers.kind_of(content)
    if kind is None:
        raise ProofRefused
    title = " ".join(nfc(name).split())
    if not 1 <= len(title) <= 120:
        raise ProofRefused(_("Say what the paper is, in at most 120 letters."))
    proof_id = int(
        db.session.scalar(
            insert(ApplicationProof)
            .values(
                school_id=school_id,
                application_id=application_id,
                name=title,
                kind=kind,
                content=content,
                valid_until=valid_until,
                added_by=actor.name,
                added_at=now,
            )
            .returning(ApplicationProof.id)
        )
        or 0
    )
    _tell("proof", application_id, school_id, actor, now, title)
    return proof_id


def open_proof(
    school_id: int, proof_id: int, *, actor: audit.Actor, now: datetime
) -> tuple[str, bytes]:
    """A paper with its kind; that it was looked at is written down. The caller commits."""
    found = row(
        "select application_id, kind, content from exemption_proofs"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=proof_id,
    )
    if found is None:
        raise ProofNotFound
    _tell("proof_opened", found.application_id, school_id, actor, now, f"proof:{proof_id}")
    return found.kind, bytes(found.content)


def grant_siblings(
    school_id: int,
    policy_id: int,
    enrolment_ids: Collection[int],
    first: Period,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Grant the sibling rule to children it proposes and a person ticked; how many.

    Refuses a child the rule does not propose. The caller commits.
    """
    proposed = {
        one.enrolment_id
        for one in queries.siblings(school_id, clock.local_day(now))
        if one.policy_id == policy_id
    }
    wanted = sorted(set(enrolment_ids))
    if not wanted or not set(wanted) <= proposed:
        raise BadApplication(_("Tick children that the rule proposes."))
    grants = [fees.Grant(stay, policy_id, first) for stay in wanted]
    return len(fees.grant_exemptions(school_id, grants, actor=actor, now=now))


def forget_children(student_ids: Collection[int]) -> None:
    """Delete proofs and blank words about children made anonymous. The caller commits."""
    for chunk in in_chunks(student_ids):
        theirs = (
            "(select a.id from exemption_applications a join enrolments e"
            " on e.school_id = a.school_id and e.id = a.enrolment_id where e.student_id in :ids)"
        )
        execute(f"delete from exemption_proofs where application_id in {theirs}", ids=chunk)
        execute(
            f"update exemption_application_steps set words = '' where application_id in {theirs}",
            ids=chunk,
        )


@dataclass(frozen=True, slots=True)
class _Locked:
    enrolment_id: int
    policy_id: int
    first_period: int
    last_period: int | None
    state: State


def _locked(school_id: int, application_id: int) -> _Locked:
    found = row(
        "select enrolment_id, policy_id, first_period, last_period from exemption_applications"
        f" where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=application_id,
    )
    if found is None:
        raise ApplicationNotFound
    state = rows(
        "select state from exemption_application_steps where school_id = :school_id"
        " and application_id = :id order by id desc limit 1",
        school_id=school_id,
        id=application_id,
    )[0].state
    return _Locked(**found._asdict(), state=State(state))


def _has_worked(school_id: int, application_id: int, actor: audit.Actor) -> bool:
    found: list[Any] = list(
        rows(
            "select actor, actor_id from exemption_application_steps"
            " where school_id = :school_id and application_id = :id"
            " and state in ('received', 'checked', 'more')",
            school_id=school_id,
            id=application_id,
        )
    )
    return any(
        step.actor == actor.name or (step.actor_id is not None and step.actor_id == actor.user_id)
        for step in found
    )


def _words(words: str, *, needed: bool) -> str:
    said = " ".join(nfc(words).split())
    if len(said) > 200 or (needed and not said):
        raise ApplicationWordsMissing
    return said


def _step(
    school_id: int,
    application_id: int,
    state: State,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    db.session.execute(
        insert(ApplicationStep).values(
            school_id=school_id,
            application_id=application_id,
            state=state,
            words=words,
            actor=actor.name,
            actor_id=actor.user_id,
            at=now,
        )
    )
    _tell(state.value, application_id, school_id, actor, now, words)


def _tell(
    deed: str, application_id: int, school_id: int, actor: audit.Actor, now: datetime, cause: str
) -> None:
    audit.record(
        f"exemption_application.{deed}",
        f"exemption_application:{application_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=cause,
    )
