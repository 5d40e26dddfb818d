"""Ways in for money and their secrets: opened, exchanged while both are alive, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import DAY, MOMENT, execute, row, rows
from app.core.errors import Invalid, NotFound
from app.core.model import db
from app.people.schools.models import ChannelSecret


class ChannelNotFound(NotFound):
    """No such channel in this school."""

    code = "channel_not_found"


class BadSecret(Invalid):
    """A secret that cannot be one."""

    code = "bad_secret"

    def default_message(self) -> str:
        return _("A secret has 4 to 200 signs without blanks. Copy it again from the provider.")


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret by its last signs; nobody is shown the whole of it again."""

    id: int
    purpose: str
    last: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelDetails:
    """A channel with its secrets."""

    id: int
    public_id: str
    provider: str
    scheme: str
    account_number: str
    surcharge_dong: int
    surcharge_permille: int
    opened_on: date
    closed_on: date | None
    secrets: tuple[SecretInfo, ...]

    def living(self, purpose: str, now: datetime) -> list[SecretInfo]:
        """Secrets of a purpose that are alive."""
        return [
            one
            for one in self.secrets
            if one.purpose == purpose
            and one.valid_from <= now
            and (one.valid_to is None or one.valid_to > now)
        ]


def list_channels(school_id: int) -> list[ChannelDetails]:
    """Every channel of a school, the open ones first."""
    secrets: dict[int, list[SecretInfo]] = {}
    for one in rows(
        "select id, channel_id, purpose, secret, valid_from, valid_to from channel_secrets"
        " where school_id = :school_id order by id",
        types={"valid_from": MOMENT, "valid_to": MOMENT},
        school_id=school_id,
    ):
        # Of a short one even the end would tell too much.
        last = one.secret[-4:] if len(one.secret) >= 12 else ""
        secrets.setdefault(one.channel_id, []).append(
            SecretInfo(one.id, one.purpose, last, one.valid_from, one.valid_to)
        )
    found = rows(
        "select c.id, c.public_id, c.provider, c.scheme, coalesce(b.number, '') as account_number,"
        " c.surcharge_dong, c.surcharge_permille, c.opened_on, c.closed_on from channels c"
        " left join bank_accounts b on b.school_id = c.school_id and b.id = c.bank_account_id"
        " where c.school_id = :school_id"
        " order by case when c.closed_on is null then 0 else 1 end, c.id",
        types={"opened_on": DAY, "closed_on": DAY},
        school_id=school_id,
    )
    return [
        ChannelDetails(**one._asdict(), secrets=tuple(secrets.get(one.id, ()))) for one in found
    ]


def get_channel(school_id: int, channel_id: int) -> ChannelDetails:
    """One channel of the school, or ChannelNotFound."""
    found = next((one for one in list_channels(school_id) if one.id == channel_id), None)
    if found is None:
        raise ChannelNotFound
    return found


def add_secret(
    school_id: int,
    channel_id: int,
    purpose: str,
    secret: str,
    *,
    overlap: timedelta,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Exchange a secret: the new one is alive at once, the old ones for `overlap` longer.

    Refuses blanks and lengths no provider gives. The secret stands in no log. The caller commits.
    """
    get_channel(school_id, channel_id)
    value = secret.strip()
    if not 4 <= len(value) <= 200 or any(sign.isspace() for sign in value):
        raise BadSecret
    execute(
        "update channel_secrets set valid_to = :until where school_id = :school_id"
        " and channel_id = :channel and purpose = :purpose"
        " and (valid_to is null or valid_to > :until)",
        school_id=school_id,
        channel=channel_id,
        purpose=purpose,
        until=now + overlap,
    )
    db.session.execute(
        insert(ChannelSecret).values(
            school_id=school_id,
            channel_id=channel_id,
            purpose=purpose,
            secret=value,
            valid_from=now,
        )
    )
    audit.record(
        "channel.add_secret",
        f"channel:{channel_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{purpose}, the old one for {int(overlap.total_seconds() // 3600)} h",
    )


def end_secret(
    school_id: int, channel_id: int, secret_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """A secret counts no more, from now on. The caller commits."""
    found = row(
        "select purpose from channel_secrets where school_id = :school_id"
        " and channel_id = :channel and id = :id",
        school_id=school_id,
        channel=channel_id,
        id=secret_id,
    )
    if found is None:
        raise ChannelNotFound
    execute(
        "update channel_secrets set valid_to = :now where school_id = :school_id and id = :id"
        " and (valid_to is null or valid_to > :now)",
        school_id=school_id,
        id=secret_id,
        now=now,
    )
    audit.record(
        "channel.end_secret",
        f"channel:{channel_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=str(found.purpose),
    )


def close_channel(
    school_id: int, channel_id: int, day: date, *, actor: audit.Actor, now: datetime
) -> None:
    """A channel takes no money from a day on; its notices of before stay. The caller commits."""
    get_channel(school_id, channel_id)
    execute(
        "update channels set closed_on = :day where school_id = :school_id and id = :id"
        " and closed_on is null",
        school_id=school_id,
        id=channel_id,
        day=day,
    )
    audit.record(
        "channel.close",
        f"channel:{channel_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=day.isoformat(),
    )


def missing(channel: ChannelDetails, needed: Sequence[str], now: datetime) -> list[str]:
    """Purposes a channel has no living secret for."""
    return [purpose for purpose in needed if not channel.living(purpose, now)]
