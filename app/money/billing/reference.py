"""The nine characters in a transfer text that say which payment request is meant."""

from __future__ import annotations

import random
import re
import secrets
from typing import Final

from app.core.ids import ALPHABET, fold_slips
from app.core.text import ascii_upper

PREFIX: Final = "HP"
_DRAWN: Final = 6
_BODY: Final = _DRAWN + 1
_VALUE: Final = {sign: value for value, sign in enumerate(ALPHABET)}


def check_character(drawn: str) -> str:
    """The sign behind `drawn`: weights 2, 3, 4 … and then 1 make the whole a multiple of 31.

    All weights differ and 31 is prime, so one wrong sign or any two swapped never pass.
    """
    total = sum(weight * _VALUE[sign] for weight, sign in enumerate(drawn, start=2))
    return ALPHABET[-total % len(ALPHABET)]


def new_reference(rng: random.Random | None = None, *, prefix: str = PREFIX) -> str:
    """A new reference. The caller checks that it was never used in the area."""
    rng = rng or secrets.SystemRandom()
    drawn = "".join(rng.choices(ALPHABET, k=_DRAWN))
    return prefix + drawn + check_character(drawn)


def is_reference(text: str) -> bool:
    """Whether this is a reference exactly as stored, its check character included."""
    return text.startswith(PREFIX) and _is_body(text.removeprefix(PREFIX))


def _is_body(body: str) -> bool:
    return (
        len(body) == _BODY
        and all(sign in _VALUE for sign in body)
        and check_character(body[:-1]) == body[-1]
    )


def read_reference(text: str) -> str | None:
    """The one reference that `text` consists of, as stored, usual slips mended, or None."""
    squeezed = ascii_upper(text).replace(" ", "")
    if not squeezed.startswith(PREFIX):
        return None
    body = fold_slips(squeezed.removeprefix(PREFIX))
    return PREFIX + body if _is_body(body) else None


def find_references(text: str, *, prefix: str = PREFIX) -> list[str]:
    """Every possible reference in a transfer text, in order, each once.

    Takes lower case, blanks and punctuation inside, O for 0 and the like. HP is also how people
    write "học phí", so a find is only a candidate until the request is known to exist.
    """
    squeezed = ascii_upper(text).replace(" ", "")
    found: dict[str, None] = {}
    for start in re.finditer(f"(?={prefix})", squeezed):
        body = fold_slips(squeezed[start.end() + len(prefix) :][:_BODY])
        if _is_body(body):
            found[prefix + body] = None
    return list(found)
