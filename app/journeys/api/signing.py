"""Signatures of requests: HMAC-SHA256 over time, method, address and the body's hash. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

DRIFT: Final = timedelta(minutes=5)
_UNIX: Final = re.compile(r"[0-9]{1,11}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")


def message(timestamp: str, method: str, target: str, body: bytes) -> bytes:
    """What is signed: four lines; `target` is the path with its query exactly as sent."""
    lines = (timestamp, method.upper(), target, hashlib.sha256(body).hexdigest())
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def sign(secret: str, timestamp: str, method: str, target: str, body: bytes) -> str:
    """The signature in hex."""
    told = message(timestamp, method, target, body)
    return hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()


def is_signed(
    given: str,
    secrets: Sequence[str],
    *,
    timestamp: str,
    method: str,
    target: str,
    body: bytes,
    now: datetime,
) -> bool:
    """Whether a signature is right and its time within five minutes; compared in constant time."""
    if not _SIGNATURE.fullmatch(given) or not _UNIX.fullmatch(timestamp):
        return False
    matches = [
        hmac.compare_digest(given, sign(secret, timestamp, method, target, body))
        for secret in secrets
    ]
    return any(matches) and abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= DRIFT
