"""Vietnamese text: one form, search keys, the order of names, phone numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: combining mark → place of the tone: ngang (none) 0, huyền, hỏi, ngã, sắc, nặng
_TONES: Final = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
#: letter and mark → place among the letters that share the Latin base: a ă â, e ê, o ô ơ, u ư
_SHAPES: Final = {
    ("a", "\u0306"): "1",
    ("a", "\u0302"): "2",
    ("e", "\u0302"): "1",
    ("o", "\u0302"): "1",
    ("o", "\u031b"): "2",
    ("u", "\u031b"): "1",
}

#: the operators' renumbering of 2018: eleven digits became ten
_OLD_PREFIXES: Final = {
    "0120": "070",
    "0121": "079",
    "0122": "077",
    "0123": "083",
    "0124": "084",
    "0125": "085",
    "0126": "076",
    "0127": "081",
    "0128": "078",
    "0129": "082",
    "0162": "032",
    "0163": "033",
    "0164": "034",
    "0165": "035",
    "0166": "036",
    "0167": "037",
    "0168": "038",
    "0169": "039",
    "0186": "056",
    "0188": "058",
    "0199": "059",
}
_MOBILE: Final = re.compile(r"0[35789][0-9]{8}")
_LANDLINE: Final = re.compile(r"02[0-9]{9}")
_PHONE_SIGNS: Final = re.compile(r"[\s.\-()\u2010-\u2015]+")
_BETWEEN_PHONES: Final = re.compile(r"[/;,|&\n]|\s[-\u2010-\u2015]\s|\s(?:hoặc|và|or|and)\s")


def nfc(text: str) -> str:
    """The composed form; every text from outside passes through here once."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The search key: lower case, no accents, đ as d, spaces squeezed; Hoà and Hòa are one."""
    return " ".join(_bare(text).lower().split())


def ascii_upper(text: str) -> str:
    """As banks write it: TRUONG MAM NON SAO BIEN; A-Z, 0-9 and single spaces, nothing else."""
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", _bare(text).upper()).split())


def _plain_letters() -> dict[int, str]:
    """Every letter Vietnamese writes as one sign, with the bare one it is made of."""
    found = {}
    for code in (*range(0xC0, 0x1B1), *range(0x1EA0, 0x1EFA)):
        bare = "".join(
            sign
            for sign in unicodedata.normalize("NFD", chr(code))
            if not unicodedata.combining(sign)
        )
        if bare.isascii():
            found[code] = bare
    return found | {ord("đ"): "d", ord("Đ"): "D"}


_PLAIN: Final = _plain_letters()


def _bare(text: str) -> str:
    if text.isascii():
        return text
    quick = text.translate(_PLAIN)
    if quick.isascii():
        return quick
    decomposed = unicodedata.normalize("NFD", text)
    # the crossed đ is a letter of its own and has no decomposition
    plain = decomposed.replace("đ", "d").replace("Đ", "D")
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def name_sort_key(full_name: str) -> str:
    """The order of a Vietnamese class list, as ASCII that sorts the same in every database.

    Given name first, then family and middle names. Letters go a ă â b c d đ e ê …, the tone of a
    syllable counts after all its letters: ngang, huyền, hỏi, ngã, sắc, nặng.
    """
    syllables = re.split(r"[\s\-\u2010-\u2015]+", full_name.strip())
    ordered = [syllables[-1], *syllables[:-1]]
    # blank and dot come before digits and letters, so that a short name precedes a longer one
    return " ".join(key for key in map(_syllable_key, ordered) if key)


def _syllable_key(syllable: str) -> str:
    letters: list[str] = []
    tone = "0"
    for sign in unicodedata.normalize("NFD", syllable.lower()):
        if sign == "đ":
            letters.append("d1")
        elif sign in _TONES:
            tone = _TONES[sign]
        elif unicodedata.combining(sign):
            shape = _SHAPES.get((letters[-1][0], sign)) if letters else None
            if shape:
                letters[-1] = letters[-1][0] + shape
        elif sign.isascii() and sign.isalnum():
            letters.append(sign + "0")
        elif sign.isalnum():
            letters.append(f"~{ord(sign):06x}")
    return f"{''.join(letters)}.{tone}" if letters else ""


def initials(full_name: str) -> str:
    """Nguyễn Minh Khang → N. M. K.; the letter stays Vietnamese, its tone goes: Ấn → Â."""
    return " ".join(f"{letter}." for letter in map(_initial, full_name.split()) if letter)


def _initial(syllable: str) -> str:
    decomposed = unicodedata.normalize("NFD", syllable)
    toneless = nfc("".join(sign for sign in decomposed if sign not in _TONES))
    return next((sign.upper() for sign in toneless if sign.isalpha()), "")


def normal_phone(text: str) -> str | None:
    """The number as it is dialled in Vietnam, or None when this is no Vietnamese number.

    Takes dots, spaces, +84 and 84, a zero lost in a spreadsheet, and the eleven-digit numbers from
    before 2018. Mobile numbers come out with ten digits, landlines with eleven.
    """
    written = text.strip()
    if _MOBILE.fullmatch(written):
        return written
    # a spreadsheet hands numbers over as 912345678.0
    written = re.sub(r"^([0-9]+)\.0$", r"\1", written)
    digits = _PHONE_SIGNS.sub("", written)
    for country in ("+84", "0084"):
        if digits.startswith(country):
            digits = "0" + digits.removeprefix(country).lstrip("0")
            break
    if not re.fullmatch(r"[0-9]+", digits):
        return None
    candidates = [digits, "0" + digits]
    if digits.startswith("84"):
        candidates.append("0" + digits[2:].lstrip("0"))
    return next((phone for phone in map(_current_phone, candidates) if phone), None)


def _current_phone(digits: str) -> str | None:
    if len(digits) == 11 and digits[:4] in _OLD_PREFIXES:
        digits = _OLD_PREFIXES[digits[:4]] + digits[4:]
    return digits if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits) else None


def phones_in(text: str) -> list[str]:
    """Every number in one cell, in order, each once: families write two with a stroke between."""
    whole = normal_phone(text)
    parts = [whole] if whole else [normal_phone(part) for part in _BETWEEN_PHONES.split(text)]
    return list(dict.fromkeys(phone for phone in parts if phone))


def last_four(phone: str) -> str:
    """The last four digits, by which a family is recognised; empty when there are fewer."""
    digits = re.sub(r"[^0-9]", "", phone)
    return digits[-4:] if len(digits) >= 4 else ""
