"""Whole đồng, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

NBSP = "\u00a0"
MINUS = "\u2212"


@dataclass(frozen=True, order=True, slots=True)
class Vnd:
    """A whole number of đồng. It meets other Vnd only: never a float, never a bare int."""

    dong: int

    def __post_init__(self) -> None:
        # bool is an int too, and is not money
        if type(self.dong) is not int:
            raise TypeError(f"Vnd needs an int, not {type(self.dong).__name__}")

    def __add__(self, other: Vnd) -> Vnd:
        return Vnd(self.dong + other.dong) if isinstance(other, Vnd) else NotImplemented

    def __sub__(self, other: Vnd) -> Vnd:
        return Vnd(self.dong - other.dong) if isinstance(other, Vnd) else NotImplemented

    def __neg__(self) -> Vnd:
        return Vnd(-self.dong)

    def __bool__(self) -> bool:
        return self.dong != 0

    def split(self, weights: Sequence[int]) -> list[Vnd]:
        """Divide by weight; the parts add up to the whole, early parts take the odd đồng."""
        total, cuts = sum(weights), [0, *accumulate(weights)]
        marks = [-(-self.dong * cut // total) for cut in cuts]
        return [Vnd(b - a) for a, b in pairwise(marks)]


ZERO = Vnd(0)


def total_of(amounts: Sequence[Vnd]) -> Vnd:
    """The sum, zero for nothing."""
    return Vnd(sum(amount.dong for amount in amounts))


def half_up(top: int, bottom: int) -> int:
    """A fraction of đồng that is not below zero, divided once and rounded half up (M15)."""
    return (2 * top + bottom) // (2 * bottom)


def reduced(gross: int, percent: int) -> int:
    """The reduction of `gross` đồng by `percent`, half up (M15); SQL says the same."""
    return (gross * percent + 50) // 100


def format_number(value: int, locale: str = "vi") -> str:
    """1234567 → 1.234.567 (vi) or 1,234,567 (en); the minus is the typographic one."""
    text = f"{abs(value):,}"
    if locale == "vi":
        text = text.replace(",", ".")
    return f"{MINUS}{text}" if value < 0 else text


def format_vnd(amount: Vnd | int, locale: str = "vi") -> str:
    """The amount with its sign ₫ behind a no-break space."""
    dong = amount.dong if isinstance(amount, Vnd) else amount
    return f"{format_number(dong, locale)}{NBSP}₫"
