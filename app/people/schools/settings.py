"""A school's own settings: each holds from a day on, and the newest word of a day counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, cast, get_args

from app.core.db import execute
from app.core.words import Four, ZeroTens, amount_sentence
from app.people.schools.queries import setting

ZERO_TENS: Final = "words_zero_tens"
FOUR: Final = "words_four"


@dataclass(frozen=True, slots=True)
class Wording:
    """How a school's papers write amounts: lẻ or linh for an empty tens place, bốn or tư."""

    zero_tens: ZeroTens = "lẻ"
    four: Four = "bốn"

    def sentence(self, amount: int) -> str:
        """An amount in words, as a paper prints it."""
        return amount_sentence(amount, zero_tens=self.zero_tens, four=self.four)


def wording(school_id: int, day: date) -> Wording:
    """The words of a school's papers on a day."""
    usual = Wording()
    zero_tens = setting(school_id, ZERO_TENS, day)
    four = setting(school_id, FOUR, day)
    return Wording(
        cast(ZeroTens, zero_tens) if zero_tens in get_args(ZeroTens) else usual.zero_tens,
        cast(Four, four) if four in get_args(Four) else usual.four,
    )


def set_setting(school_id: int, name: str, value: str, valid_from: date) -> None:
    """Set a dated setting; one set for the same day is replaced. Who calls it writes the audit row.

    The caller commits.
    """
    execute(
        "insert into school_settings (school_id, name, value, valid_from)"
        " values (:school_id, :name, :value, :day)"
        " on conflict (school_id, name, valid_from) do update set value = excluded.value",
        school_id=school_id,
        name=name,
        value=value,
        day=valid_from,
    )
