"""Closing days and months; a closed one never changes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import own_school
from app.core.model import db
from app.core.period import Period
from app.core.text import nfc
from app.money.closing import queries
from app.money.closing.errors import (
    BadMapping,
    DayClosed,
    DayNotOver,
    EarlierDayOpen,
    MonthNotReady,
    MonthStepRefused,
    NothingOnDay,
    OwnSignature,
    ReasonsMissing,
    ReopenReasonMissing,
)
from app.money.closing.models import AccountMapping, DayClosing, MonthStep, MonthStepKind

_LEAST_REASON: Final = 10


def close_day(
    school_id: int,
    day: date,
    reasons: Mapping[str, str],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Freeze a day: every difference is in transit with its age, or has a reason (M17).

    Refuses a day that is not over, was closed or holds nothing, an earlier one that is open, and
    differences without a reason. The caller commits.
    """
    own_school(school_id)
    if day >= clock.local_day(now):
        raise DayNotOver
    if queries.closed_day(school_id, day) is not None:
        raise DayClosed
    waiting = queries.open_days(school_id, day)
    if day not in waiting:
        raise NothingOnDay
    if waiting[0] != day:
        raise EarlierDayOpen(waiting[0])
    found = queries.day_as_it_stands(school_id, day)
    said = {
        key: " ".join(nfc(words).split())[:200]
        for key, words in reasons.items()
        if len(" ".join(words.split())) >= _LEAST_REASON
    }
    found = replace(
        found, items=tuple(replace(item, reason=said.get(item.key, "")) for item in found.items)
    )
    if found.unexplained:
        raise ReasonsMissing(day, [item.key for item in found.unexplained])
    figures, digest = _frozen(found.as_json())
    db.session.execute(
        insert(DayClosing).values(
            school_id=school_id,
            day=day,
            figures=figures,
            hash=digest,
            closed_by=actor.name,
            closed_at=now,
        )
    )
    audit.record(
        "day.close",
        f"day:{day.isoformat()}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=digest[:16],
    )


def _frozen(figures: dict[str, Any]) -> tuple[str, str]:
    text = json.dumps(figures, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()


def close_month(school_id: int, period: Period, *, actor: audit.Actor, now: datetime) -> None:
    """Freeze a month whose days are all closed; somebody else signs it. The caller commits.

    Refuses a month that is not over, has open days, or is closed already.
    """
    own_school(school_id)
    today = clock.local_day(now)
    if period.last_day >= today:
        raise MonthNotReady(period, None)
    waiting = queries.open_days(school_id, period.last_day)
    if waiting:
        raise MonthNotReady(period, waiting[0])
    state = queries.month_state(school_id, period)
    if state.state != "open":
        raise MonthStepRefused
    accounts = [
        {
            "account": one.account,
            "opening": one.opening.dong,
            "debit": one.debit.dong,
            "credit": one.credit.dong,
            "closing": one.closing.dong,
        }
        for one in queries.trial_balance(school_id, period)
        if one.opening or one.debit or one.credit
    ]
    if not accounts:
        raise NothingOnDay
    text, digest = _frozen({"period": period.number, "accounts": accounts})
    _month_step(
        school_id, period, state.version + 1, MonthStepKind.CLOSED, text, digest, "", actor, now
    )


def sign_month(school_id: int, period: Period, *, actor: audit.Actor, now: datetime) -> None:
    """A second person signs the frozen figures. The caller commits."""
    own_school(school_id)
    state = queries.month_state(school_id, period)
    if state.state != "closed":
        raise MonthStepRefused
    is_same = (
        state.closed_by_id == actor.user_id if actor.user_id else state.closed_by == actor.name
    )
    if is_same:
        raise OwnSignature
    _month_step(
        school_id,
        period,
        state.version,
        MonthStepKind.SIGNED,
        "",
        state.hash,
        "",
        actor,
        now,
    )


def reopen_month(
    school_id: int, period: Period, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """The unit above opens a month again, with a reason; the frozen figures stay.

    Refuses a month that is open and a reason under ten letters. The caller commits.
    """
    own_school(school_id)
    reason = " ".join(nfc(words).split())[:200]
    if len(reason) < _LEAST_REASON:
        raise ReopenReasonMissing
    state = queries.month_state(school_id, period)
    if state.state == "open":
        raise MonthStepRefused
    _month_step(
        school_id, period, state.version, MonthStepKind.REOPENED, "", "", reason, actor, now
    )


def _month_step(
    school_id: int,
    period: Period,
    version: int,
    step: MonthStepKind,
    figures: str,
    digest: str,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    db.session.execute(
        insert(MonthStep).values(
            school_id=school_id,
            period=period,
            version=version,
            step=step,
            figures=figures,
            hash=digest,
            words=words,
            actor=actor.name,
            actor_id=actor.user_id,
            at=now,
        )
    )
    audit.record(
        f"month.{step}",
        f"month:{period.number}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=words or f"version:{version} {digest[:16]}",
    )


def set_mapping(
    school_id: int,
    prefix: str,
    target: str,
    valid_from: date,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Say which account of the circular ours are, from a day on. The caller commits."""
    number = target.strip()
    if not re.fullmatch(r"[0-9]{3,10}", number) or not prefix:
        raise BadMapping
    db.session.execute(
        insert(AccountMapping).values(
            school_id=school_id,
            prefix=prefix[:60],
            target=number,
            valid_from=valid_from,
            set_by=actor.name,
            set_at=now,
        )
    )
    audit.record(
        "account_mapping.set",
        f"account_mapping:{prefix}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{number} from {valid_from.isoformat()}",
    )


def yesterday(now: datetime) -> date:
    """The last day that is over."""
    return clock.local_day(now) - timedelta(days=1)
