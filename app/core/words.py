"""Amounts in words, as Vietnamese receipts write them, and in English."""

from __future__ import annotations

from typing import Final, Literal

ZeroTens = Literal["lẻ", "linh"]
Four = Literal["bốn", "tư"]

_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_BILLION: Final = 10**9
# fmt: off
_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
_TENS: Final = (
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
# fmt: on
_SCALES: Final = (
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
)


def amount_in_words(amount: int, *, zero_tens: ZeroTens = "lẻ", four: Four = "bốn") -> str:
    """The number in lower-case Vietnamese, without the unit; refuses a negative one.

    `zero_tens` is the word for an empty tens place (lẻ in the South and Centre, linh in the North),
    `four` the word for 4 after "mươi". A group of three digits behind another is read in full.
    """
    _refuse_negative(amount)
    if amount == 0:
        return _DIGITS[0]
    return " ".join(_spoken(amount, zero_tens, four, is_inner=False))


def amount_sentence(amount: int, *, zero_tens: ZeroTens = "lẻ", four: Four = "bốn") -> str:
    """As a receipt prints it: "Một triệu không trăm lẻ một nghìn đồng chẵn".

    "Chẵn" (even) says that nothing follows, so it stands only behind whole thousands.
    """
    words = amount_in_words(amount, zero_tens=zero_tens, four=four)
    even = " chẵn" if amount and amount % 1000 == 0 else ""
    return f"{words[0].upper()}{words[1:]} đồng{even}"


def _spoken(amount: int, zero_tens: ZeroTens, four: Four, *, is_inner: bool) -> list[str]:
    words: list[str] = []
    billions, rest = divmod(amount, _BILLION)
    if billions:
        # beyond a thousand billion the count of billions is itself read as a number
        words += [*_spoken(billions, zero_tens, four, is_inner=is_inner), "tỷ"]
    for size, name in ((10**6, "triệu"), (10**3, "nghìn"), (1, "")):
        group = rest // size % 1000
        if group:
            words += _group(group, zero_tens, four, is_inner=bool(words) or is_inner)
            words += [name] if name else []
    return words


def _group(group: int, zero_tens: ZeroTens, four: Four, *, is_inner: bool) -> list[str]:
    hundreds, tens, ones = group // 100, group // 10 % 10, group % 10
    words: list[str] = []
    has_hundreds = is_inner or hundreds > 0
    if has_hundreds:
        words += [_DIGITS[hundreds], "trăm"]
    if tens == 0 and ones and has_hundreds:
        words.append(zero_tens)
    elif tens == 1:
        words.append("mười")
    elif tens > 1:
        words += [_DIGITS[tens], "mươi"]
    if ones == 1 and tens > 1:
        words.append("mốt")
    elif ones == 4 and tens > 1:
        words.append(four)
    elif ones == 5 and tens > 0:
        words.append("lăm")
    elif ones:
        words.append(_DIGITS[ones])
    return words


def amount_in_words_en(amount: int) -> str:
    """The number in lower-case English, without the unit; refuses a negative one."""
    _refuse_negative(amount)
    if amount < 100:
        tens, ones = divmod(amount, 10)
        if amount < 20:
            return _ONES[amount]
        return f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens]
    if amount < 1000:
        hundreds, rest = divmod(amount, 100)
        words = f"{_ONES[hundreds]} hundred"
        return f"{words} and {amount_in_words_en(rest)}" if rest else words
    size, name = next(scale for scale in _SCALES if amount >= scale[0])
    count, rest = divmod(amount, size)
    words = f"{amount_in_words_en(count)} {name}"
    if not rest:
        return words
    return f"{words}{' and' if rest < 100 else ','} {amount_in_words_en(rest)}"


def amount_sentence_en(amount: int) -> str:
    """The English sentence under an amount: "One million, one thousand đồng"."""
    words = amount_in_words_en(amount)
    return f"{words[0].upper()}{words[1:]} đồng"


def _refuse_negative(amount: int) -> None:
    if type(amount) is not int or amount < 0:
        raise ValueError("words are for whole amounts from zero up")
