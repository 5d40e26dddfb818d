"""Reading what strangers send: strictly, the same for every provider, and never guessed."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from app.money.billing.reference import find_references, read_reference
from app.money.payments.adapters import BadSignature, UnreadableNotice

BANK_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
MOST_BYTES: Final = 64 * 1024
LARGEST_AMOUNT: Final = 10**13
#: what is kept of a text; the raw notice keeps the rest
TEXT_KEPT: Final = 400
BANK_REF_KEPT: Final = 80

_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{1,40}")
#: control characters and lone surrogates, which a database cannot keep as text
_UNSTORABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its lower-case name; empty when it is missing or sent twice."""
    values = [value for key, value in headers.items() if key.lower() == name]
    # a header sent twice leaves open which one was meant
    return values[0] if len(values) == 1 else ""


def prove(given: str, accepted: Sequence[str]) -> None:
    """Refuse what equals none of the accepted values (BadSignature), in constant time."""
    # every one is compared to its end, so that the time taken tells nothing
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in accepted]
    if not any(matches):
        raise BadSignature


def json_object(raw: bytes) -> dict[str, object]:
    """The object of a JSON body of at most 64 KB; no key twice, no NaN."""
    if len(raw) > MOST_BYTES:
        raise UnreadableNotice(_("The notice is larger than 64 KB."))
    try:
        # plain decode: json would guess UTF-16 from the first bytes
        notice = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as reason:
        raise UnreadableNotice(_("The notice is not proper JSON.")) from reason
    if not isinstance(notice, dict):
        raise UnreadableNotice(_("The notice is not proper JSON."))
    return notice


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def part(notice: Mapping[str, object], name: str) -> dict[str, object]:
    """An object inside a notice."""
    value = notice.get(name)
    if not isinstance(value, dict):
        raise UnreadableNotice(_("The field %(name)s of the notice is missing.", name=name))
    return value


def whole(notice: Mapping[str, object], name: str, limit: int, *, least: int = 1) -> int:
    """A whole number from `least` to below `limit`; `"450000"` and 450000.0 would be a guess."""
    value = notice.get(name)
    # true is an int to Python
    if type(value) is not int or not least <= value < limit:
        raise UnreadableNotice(
            _("The field %(name)s of the notice is no whole number above zero.", name=name)
        )
    return value


def account(notice: Mapping[str, object], name: str) -> str:
    """An account number."""
    value = notice.get(name)
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise UnreadableNotice(_("The field %(name)s of the notice is no account.", name=name))
    return value


def text(notice: Mapping[str, object], name: str) -> str:
    """A text that a database can keep; empty when missing."""
    value = notice.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableNotice(_("The field %(name)s of the notice is no text.", name=name))
    return _UNSTORABLE.sub(" ", value).strip()


def bank_moment(value: object) -> datetime:
    """`2026-11-24 08:14:05` by the clock of Vietnam, in UTC."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            local = datetime.fromisoformat(value).replace(tzinfo=BANK_ZONE)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise UnreadableNotice(_("The time in the notice cannot be read."))


def unix_moment(milliseconds: object) -> datetime:
    """Milliseconds since 1970, in UTC."""
    if type(milliseconds) is int and 0 < milliseconds < 10**14:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    raise UnreadableNotice(_("The time in the notice cannot be read."))


def one_reference(own_code: str, *texts: str) -> str | None:
    """The one reference a notice names: in a field of its own, else in the first text with any."""
    own = read_reference(own_code)
    candidates = {own} if own else set()
    for words in texts:
        found = find_references(words)
        if found:
            candidates.update(found)
            break
    return candidates.pop() if len(candidates) == 1 else None
