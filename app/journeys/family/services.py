"""The one thing a pay link may change: whether this browser has shown that it is the family's."""

from __future__ import annotations

import hmac
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final

from app.core import clock
from app.core.db import execute, transaction
from app.core.throttle import count_try, tries
from app.journeys.family.basket import guardians_by_ending
from app.journeys.family.errors import TooManyTries, WrongDigits
from app.journeys.family.queries import registered_endings
from app.money import billing

#: wrong tries a link and day (P8)
MOST_TRIES: Final = 5
#: how long a browser is remembered for a link
UNLOCKED_FOR: Final = timedelta(minutes=30)
_SESSION_KEY: Final = "pay_unlocked"
_FAMILY_KEY: Final = "pay_family"


def unlock(
    request: billing.Request, digits: str, session: MutableMapping[str, Any], *, now: datetime
) -> None:
    """Open the details of one link for this browser: not a sign-in, and nothing else opens.

    Refuses digits that end no registered phone, and everything after five wrong tries that day.
    A try is counted before it is looked at, so that many at once are not more than five; a right
    one is given back. Commits by itself.
    """
    day = clock.local_day(now)
    key, window = _key(request), f"{day:%Y%m%d}"
    with transaction():
        count = count_try(key, window=window)
    if count > MOST_TRIES:
        raise TooManyTries
    endings = registered_endings(request.student_id, day)
    # Every ending is compared, so that the time taken says nothing.
    hits = [hmac.compare_digest(ending, digits) for ending in endings if digits.isascii()]
    if not any(hits):
        raise TooManyTries if count >= MOST_TRIES else WrongDigits
    with transaction():
        execute(
            "update throttles set count = count - 1 where key = :key and time_window = :window"
            " and count > 0",
            key=key,
            window=window,
        )
    held = _held(session, now)
    held[str(request.id)] = int((now + UNLOCKED_FOR).timestamp())
    session[_SESSION_KEY] = held
    # Only the children of who proved to be one: the other parent may have a second family.
    family = {link: ids for link, ids in _family(session).items() if link in held}
    family[str(request.id)] = guardians_by_ending(request.student_id, digits, day)
    session[_FAMILY_KEY] = family


def is_unlocked(request: billing.Request, session: MutableMapping[str, Any], now: datetime) -> bool:
    """Whether this browser proved itself for this link within the last half hour."""
    return str(request.id) in _held(session, now)


def guardians(
    request: billing.Request, session: MutableMapping[str, Any], now: datetime
) -> list[int]:
    """Who this browser showed to be for a link that is open to it; else nobody."""
    if not is_unlocked(request, session, now):
        return []
    return _family(session).get(str(request.id), [])


def is_locked_out(request: billing.Request, now: datetime) -> bool:
    """Whether no further try is taken today."""
    return tries(_key(request), window=f"{clock.local_day(now):%Y%m%d}") >= MOST_TRIES


def _key(request: billing.Request) -> str:
    return f"pay:{request.id}"


def _family(session: MutableMapping[str, Any]) -> dict[str, list[int]]:
    found = session.get(_FAMILY_KEY)
    if not isinstance(found, dict):
        return {}
    return {str(link): [int(one) for one in ids] for link, ids in found.items()}


def _held(session: MutableMapping[str, Any], now: datetime) -> dict[str, int]:
    """The links this browser still holds; the signed session cannot be written by its owner."""
    held = session.get(_SESSION_KEY)
    if not isinstance(held, dict):
        return {}
    return {str(link): int(until) for link, until in held.items() if int(until) > now.timestamp()}
