"""What two tellings of a movement on an account have in common (M16). Pure."""

from __future__ import annotations

import re
from typing import Final

from app.core.text import ascii_upper
from app.money.billing.reference import find_references

#: shorter numbers are running ones of a day or a teller, not the bank's number of a movement
SHORTEST_NUMBER: Final = 6
_DIGITS: Final = re.compile(r"[0-9]")


def squeezed(text: str) -> str:
    """A text without accents, signs, blanks and capitals."""
    return ascii_upper(text).replace(" ", "")


def said(text: str) -> str:
    """What a text says of whom it pays for: its codes, else all of it."""
    return "+".join(sorted(find_references(text))) or squeezed(text)


def number_of(ref: str) -> str:
    """The bank's number of a movement in one form; empty when there is none to trust."""
    number = squeezed(ref)
    return number if len(number) >= SHORTEST_NUMBER else ""


def are_two(ref: str, other: str) -> bool:
    """Whether two numbers of one make differ, so that they are two movements for certain.

    Numbers of different makes, `MBVCB.3278` beside `5078 - 12345`, say nothing of each other.
    """
    one, two = number_of(ref), number_of(other)
    if not one or not two or one == two:
        return False
    return _DIGITS.sub("0", one) == _DIGITS.sub("0", two)
