"""Signing in, and giving people roles."""

from __future__ import annotations

import hmac
from datetime import date, datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import insert, select

from app import audit
from app.core.db import execute, for_update, scalar
from app.core.model import db
from app.people.access.errors import (
    MembershipNotFound,
    TooManyTries,
    UsernameTaken,
    WrongSignIn,
)
from app.people.access.models import Membership, Role, User

#: OWASP's minimum for argon2id: 19 MiB, two passes.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODYS_HASH = hasher.hash("a password nobody has")
#: stands where a hash would: no password fits it
INVITED = "invited"
QUICK_TRIES = 5
STEP_SECONDS = 30


def add_user(
    username: str,
    display_name: str,
    *,
    password: str = "",
    password_hash: str = "",
    totp_secret: str | None,
    now: datetime,
) -> int:
    """Add a member of staff and return its id. Refuses a taken user name. The caller commits."""
    if scalar("select count(*) from users where username = :name", name=username.lower()):
        raise UsernameTaken(username)
    user_id = db.session.scalar(
        insert(User)
        .values(
            username=username.lower(),
            display_name=display_name,
            password_hash=password_hash or hasher.hash(password),
            totp_secret=totp_secret,
            is_active=True,
            failures=0,
            created_at=now,
        )
        .returning(User.id)
    )
    return int(user_id or 0)


def grant_membership(
    user_id: int,
    unit_id: int,
    role: Role,
    *,
    starts_on: date,
    ends_on: date | None = None,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Give a person a role at a node from a day on. The caller commits."""
    membership_id = db.session.scalar(
        insert(Membership)
        .values(user_id=user_id, unit_id=unit_id, role=role, starts_on=starts_on, ends_on=ends_on)
        .returning(Membership.id)
    )
    audit.record(
        "membership.grant",
        f"membership:{membership_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"user:{user_id} {role}",
    )
    return int(membership_id or 0)


def invite_user(
    username: str, display_name: str, *, actor: audit.Actor, now: datetime, school_id: int | None
) -> int:
    """Add somebody who has no password yet, so that nobody can sign in as them; the new user's id.

    Refuses a taken user name. The caller commits.
    """
    user_id = add_user(username, display_name, password_hash=INVITED, totp_secret=None, now=now)
    audit.record("user.invite", f"user:{user_id}", actor=actor, school_id=school_id, now=now)
    return user_id


def end_membership(membership_id: int, *, ends_on: date, actor: audit.Actor, now: datetime) -> None:
    """A role ends; `ends_on` is the first day without it. Refuses a day before its start.

    The caller has checked that the role lies at a place the actor answers for, and commits.
    """
    changed = execute(
        "update memberships set ends_on = :day where id = :id and starts_on < :day",
        id=membership_id,
        day=ends_on,
    )
    if not changed.rowcount:
        raise MembershipNotFound
    audit.record(
        "membership.end",
        f"membership:{membership_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=ends_on.isoformat(),
    )


def sign_in(username: str, password: str, code: str, *, now: datetime) -> User | None:
    """The user, when name, password and one-time code all fit; else None, and the try is counted.

    Raises TooManyTries after five quick failures until a growing pause is over. A code works once.
    Takes the same time for a name that does not exist. The caller commits, also after a failure.
    """
    user = db.session.scalar(
        select(User).where(User.username == username.strip().lower(), User.is_active)
    )
    if user is None:
        _matches(_NOBODYS_HASH, password)
        return None
    execute(f"select id from users where id = :id{for_update()}", id=user.id)
    db.session.refresh(user)
    if user.locked_until and user.locked_until > now:
        raise TooManyTries
    step = _accepted_step(user, code, now) if user.totp_secret else 0
    if _matches(user.password_hash, password) and step is not None:
        user.failures = 0
        user.locked_until = None
        if step:
            user.totp_last_step = step
        if hasher.check_needs_rehash(user.password_hash):
            user.password_hash = hasher.hash(password)
        audit.record(
            "session.open",
            f"user:{user.id}",
            actor=audit.Actor(user.display_name, "staff", user.id),
            school_id=None,
            now=now,
        )
        return user
    user.failures += 1
    if user.failures >= QUICK_TRIES:
        user.locked_until = now + timedelta(seconds=30 * 2 ** min(user.failures - QUICK_TRIES, 5))
    audit.record(
        "session.refuse",
        f"user:{user.id}",
        actor=audit.Actor(user.display_name, "staff", user.id),
        school_id=None,
        now=now,
        cause=f"failure {user.failures}",
    )
    return None


def require_sign_in(user: User | None) -> User:
    """Turn a failed sign-in into its one message."""
    if user is None:
        raise WrongSignIn
    return user


def _matches(stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _accepted_step(user: User, code: str, now: datetime) -> int | None:
    """The time step a code belongs to: now or one to either side, and never one used before."""
    totp = pyotp.TOTP(user.totp_secret or "")
    step = int(now.timestamp()) // STEP_SECONDS
    for candidate in (step, step - 1, step + 1):
        right = hmac.compare_digest(totp.at(candidate * STEP_SECONDS), code.strip())
        if right and candidate > (user.totp_last_step or 0):
            return candidate
    return None
