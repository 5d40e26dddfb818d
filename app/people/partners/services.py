"""Banks and wallets that collect for the schools of the area, and the keys they sign with."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, MOMENT, execute, row, rows, scalar
from app.core.model import db
from app.core.text import nfc
from app.people.partners.errors import (
    BadPartner,
    KeyNotFound,
    PartnerClosed,
    PartnerExists,
    PartnerNotFound,
)
from app.people.partners.models import ApiKey, ApiPartner

_CODE: Final = re.compile(r"[a-z0-9]{2,12}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret."""

    key_id: str
    valid_from: datetime
    valid_to: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Whether what it signs is believed now."""
        return self.valid_from <= now and (self.valid_to is None or self.valid_to > now)


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner as the area sees it."""

    id: int
    code: str
    name: str
    opened_on: date
    closed_on: date | None
    keys: tuple[Key, ...]
    #: requests answered under its keys, and the newest
    answers: int
    last_at: datetime | None

    def is_open(self, day: date) -> bool:
        """Whether it may collect on a day."""
        return self.closed_on is None or self.closed_on > day


def list_partners() -> list[PartnerRow]:
    """All partners, those still open first."""
    keys: dict[int, list[Key]] = {}
    for found in rows(
        "select partner_id, key_id, valid_from, valid_to from api_keys order by id desc",
        types={"valid_from": MOMENT, "valid_to": MOMENT},
    ):
        keys.setdefault(found.partner_id, []).append(
            Key(found.key_id, found.valid_from, found.valid_to)
        )
    return [
        PartnerRow(
            found.id,
            found.code,
            found.name,
            found.opened_on,
            found.closed_on,
            tuple(keys.get(found.id, ())),
            int(found.answers),
            found.last_at,
        )
        for found in rows(
            "select p.id, p.code, p.name, p.opened_on, p.closed_on, count(a.id) as answers,"
            " max(a.answered_at) as last_at from api_partners p"
            " left join api_answers a on a.partner_id = p.id"
            " group by p.id, p.code, p.name, p.opened_on, p.closed_on"
            " order by case when p.closed_on is null then 0 else 1 end, p.name",
            types={"opened_on": DAY, "closed_on": DAY, "last_at": MOMENT},
        )
    ]


def open_partner(code: str, name: str, *, actor: audit.Actor, now: datetime) -> tuple[str, str]:
    """Open a partner and give its first key: key id and secret, shown once. The caller commits.

    Refuses a code of other signs than small letters and digits: it stands inside the names of
    channels, where another sign would let one partner's name hold another's. Refuses a code that
    was used before.
    """
    name = " ".join(nfc(name).split())
    if not _CODE.fullmatch(code) or not 2 <= len(name) <= 120:
        raise BadPartner
    if scalar("select count(*) from api_partners where code = :code", code=code):
        raise PartnerExists
    partner_id = db.session.scalar(
        insert(ApiPartner)
        .values(code=code, name=name, opened_on=clock.local_day(now))
        .returning(ApiPartner.id)
    )
    audit.record(
        "api_partner.open", f"api_partner:{partner_id}", actor=actor, school_id=None, now=now
    )
    return add_key(code, actor=actor, now=now)


def add_key(code: str, *, actor: audit.Actor, now: datetime) -> tuple[str, str]:
    """Give a partner one more key; the older ones stay until they are ended. The caller commits."""
    partner = _partner(code)
    if partner.closed_on is not None:
        raise PartnerClosed
    key_id, secret = secrets.token_hex(12), secrets.token_urlsafe(48)
    db.session.execute(
        insert(ApiKey).values(partner_id=partner.id, key_id=key_id, secret=secret, valid_from=now)
    )
    audit.record("api_key.add", f"api_key:{key_id}", actor=actor, school_id=None, now=now)
    return key_id, secret


def end_key(key_id: str, *, actor: audit.Actor, now: datetime) -> None:
    """End a key at once. Refuses one that is not alive. The caller commits."""
    alive = row(
        "select id from api_keys where key_id = :key and (valid_to is null or valid_to > :now)",
        key=key_id,
        now=now,
    )
    if alive is None:
        raise KeyNotFound
    execute("update api_keys set valid_to = :now where key_id = :key", key=key_id, now=now)
    audit.record("api_key.end", f"api_key:{key_id}", actor=actor, school_id=None, now=now)


def close_partner(code: str, *, actor: audit.Actor, now: datetime) -> None:
    """Let a partner collect no longer, from tomorrow on; its keys live until then.

    What it told stays. Refuses one that is closed. The caller commits.
    """
    partner = _partner(code)
    if partner.closed_on is not None:
        raise PartnerClosed
    execute(
        "update api_partners set closed_on = :day where id = :id",
        id=partner.id,
        day=clock.local_day(now) + timedelta(days=1),
    )
    audit.record(
        "api_partner.close", f"api_partner:{partner.id}", actor=actor, school_id=None, now=now
    )


def _partner(code: str) -> Any:
    found = row("select id, closed_on from api_partners where code = :code", code=code)
    if found is None:
        raise PartnerNotFound
    return found
