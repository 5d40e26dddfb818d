"""Numbers and tokens the product hands out: drawn at random, and checkable by hand."""

from __future__ import annotations

import base64
import random
import re
import secrets
from typing import Final

#: a totally anti-symmetric quasigroup of order ten: any wrong digit, any swap of neighbours shows
_DAMM: Final = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)

#: digits before the Damm digit; the first is never 0, so that a spreadsheet cannot lose it
STUDENT_CODE_DRAWN: Final = 8
STUDENT_CODE_LENGTH: Final = STUDENT_CODE_DRAWN + 1

#: thirty-one signs, a prime; I L O S Z are left out because they are read as 1 1 0 5 2
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRTUVWXY"
CHECK_CODE_LENGTH: Final = 8

_SLIPS: Final = str.maketrans("OILSZ", "01152")
_GAPS: Final = re.compile(r"[\s.\-\u2010-\u2015]+")


def damm_digit(digits: str) -> str:
    """The check digit that belongs behind `digits`; refuses anything but ASCII digits."""
    return str(_damm_state(digits))


def is_damm(digits: str) -> bool:
    """Whether the last digit is the right check digit for those before it."""
    return bool(re.fullmatch(r"[0-9]{2,}", digits)) and _damm_state(digits) == 0


def _damm_state(digits: str) -> int:
    if not re.fullmatch(r"[0-9]+", digits):
        raise ValueError("Damm digits are made of 0-9 only")
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return state


def new_student_code(rng: random.Random | None = None) -> str:
    """A lifetime code: random digits and a Damm digit. The caller checks that it is not taken."""
    rng = rng or secrets.SystemRandom()
    drawn = str(rng.randrange(10 ** (STUDENT_CODE_DRAWN - 1), 10**STUDENT_CODE_DRAWN))
    return drawn + damm_digit(drawn)


def is_student_code(text: str) -> bool:
    """Whether this is a student code exactly as stored: right length, first digit, check digit."""
    return len(text) == STUDENT_CODE_LENGTH and text[0] != "0" and is_damm(text)


def read_student_code(text: str) -> str | None:
    """The stored form of a code as a person writes it (spaces, dots, dashes), or None."""
    squeezed = _GAPS.sub("", text)
    return squeezed if is_student_code(squeezed) else None


def show_student_code(code: str) -> str:
    """The code in threes, for people: 123-456-789."""
    return "-".join(code[start : start + 3] for start in range(0, len(code), 3))


def new_token(rng: random.Random | None = None) -> str:
    """A url-safe secret of 144 random bits, 24 characters; `rng` makes demo data repeatable."""
    drawn = secrets.token_bytes(18) if rng is None else rng.randbytes(18)
    return base64.urlsafe_b64encode(drawn).decode()


def new_check_code(rng: random.Random | None = None) -> str:
    """The eight characters by which a paper is looked up: about 850 thousand million values."""
    rng = rng or secrets.SystemRandom()
    return "".join(rng.choices(ALPHABET, k=CHECK_CODE_LENGTH))


def show_check_code(code: str) -> str:
    """The code in fours, for people: K7QW 2MDX."""
    return f"{code[:4]} {code[4:]}"


def read_check_code(text: str) -> str | None:
    """The stored form of a check code as a person writes it, usual slips mended, or None."""
    squeezed = fold_slips(_GAPS.sub("", text))
    if len(squeezed) != CHECK_CODE_LENGTH or any(sign not in ALPHABET for sign in squeezed):
        return None
    return squeezed


def fold_slips(text: str) -> str:
    """Upper case, with the letters our alphabet leaves out read as the digits they resemble."""
    return text.upper().translate(_SLIPS)
