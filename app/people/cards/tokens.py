"""The secret in a card's QR code: forty digits that say nothing and are stored nowhere.

Digits only, because a scanner types like a keyboard and a Vietnamese typing aid would turn letters
such as `aa` or `dd` into accents. 10^40 is 132 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import secrets
from typing import Final

from flask import current_app

LENGTH: Final = 40


def new_nonce(rng: random.Random | None = None) -> str:
    """What is stored in place of the token: 128 random bits; `rng` makes demo data repeatable."""
    return secrets.token_hex(16) if rng is None else rng.randbytes(16).hex()


def token_of(nonce: str) -> str:
    """The token of a card; another server key gives another one, which its hash then betrays."""
    key = f"card token of {current_app.config['SECRET_KEY']}"
    drawn = hmac.new(key.encode(), nonce.encode(), hashlib.sha512).digest()
    return f"{int.from_bytes(drawn, 'big') % 10**LENGTH:0{LENGTH}d}"


def token_hash(token: str) -> str:
    """The stored form."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_token(text: str) -> str | None:
    """The token in what a scanner typed: the address of a card, however its letters were mangled.

    Only the digits at the very end count.
    """
    found = re.search(r"(?<![0-9])[0-9]{40}$", text.strip().rstrip("/"), re.ASCII)
    return found[0] if found else None
