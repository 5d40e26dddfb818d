"""Reading what an office writes: results in words, headings, names, days and sexes.

There is no official format, so words are taken by their meaning; what is not understood to the
last word is never guessed.
"""

from __future__ import annotations

import re
from datetime import date

from app.core.text import fold, name_sort_key, nfc
from app.people.students import IdentityField, Sex, Verification

_MATCHED, _DIFFERS = Verification.MATCHED, Verification.DIFFERS
_NOT_FOUND, _DOUBLE = Verification.NOT_FOUND, Verification.DOUBLE

#: folded words → what they mean; longer ones are tried first
_STATES: dict[str, Verification] = {
    "khong khop": _DIFFERS,
    "khong trung khop": _DIFFERS,
    "chua khop": _DIFFERS,
    "chua trung khop": _DIFFERS,
    "sai lech": _DIFFERS,
    "lech": _DIFFERS,
    "sai": _DIFFERS,
    "khac": _DIFFERS,
    "khong dung": _DIFFERS,
    "khong tim thay": _NOT_FOUND,
    "khong ton tai": _NOT_FOUND,
    "khong co trong": _NOT_FOUND,
    "khong co tren": _NOT_FOUND,
    "chua co trong": _NOT_FOUND,
    "chua co tren": _NOT_FOUND,
    "khong co du lieu": _NOT_FOUND,
    "khong co thong tin": _NOT_FOUND,
    "trung so": _DOUBLE,
    "bi trung": _DOUBLE,
    "trung lap": _DOUBLE,
    "trung ma": _DOUBLE,
    "trung": _DOUBLE,
    "khop": _MATCHED,
    "khop dung": _MATCHED,
    "trung khop": _MATCHED,
    "dung": _MATCHED,
    "da xac thuc": _MATCHED,
    "xac thuc thanh cong": _MATCHED,
}
#: the product's own words come back unchanged
_STATES |= {
    "sai lech thong tin": _DIFFERS,
    **{fold(state.value).replace("_", " "): state for state in (_NOT_FOUND, _DOUBLE)},
}
_FIELDS: dict[str, IdentityField] = {
    "ho va ten": IdentityField.FULL_NAME,
    "ho ten": IdentityField.FULL_NAME,
    "ten": IdentityField.FULL_NAME,
    "ngay thang nam sinh": IdentityField.BIRTH_DATE,
    "ngay sinh": IdentityField.BIRTH_DATE,
    "nam sinh": IdentityField.BIRTH_DATE,
    "gioi tinh": IdentityField.SEX,
}
#: words that change nothing
_FILLERS = frozenset(
    [
        "thong",
        "tin",
        "du",
        "lieu",
        "csdl",
        "co",
        "so",
        "quoc",
        "gia",
        "ve",
        "dan",
        "cu",
        "voi",
        "da",
        "ket",
        "qua",
        "dinh",
        "danh",
        "ca",
        "nhan",
        "cua",
        "cong",
        "cccd",
        "cmnd",
        "hoan",
        "toan",
        "ho",
        "trong",
        "tren",
        "la",
        "va",
        "so",
        "bi",
        "qg",
        "qgdc",
        "ma",
    ]
)
_TABLE = _STATES | dict.fromkeys(_FIELDS)
_PHRASES = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, _TABLE), key=lambda p: -len(p))) + r")\b"
)
#: what an answer of "matches" has to name when it names fields
_ALL = {IdentityField.FULL_NAME, IdentityField.BIRTH_DATE, IdentityField.SEX}


def read_result(text: str) -> tuple[Verification | None, frozenset[IdentityField]]:
    """What a result says and which fields it names; None when a word of it is not known."""
    plain = " ".join(re.sub(r"[^a-z0-9]+", " ", fold(text)).split())
    plain = re.sub(r"^[0-9]{1,2} (?=[a-z])", "", plain)  # "1 - Khớp"
    found = _PHRASES.findall(plain)
    states = {_STATES[phrase] for phrase in found if phrase in _STATES}
    fields = frozenset(_FIELDS[phrase] for phrase in found if phrase in _FIELDS)
    rest = set(_PHRASES.sub(" ", plain).split()) - _FILLERS
    if len(states) != 1 or rest:
        return None, frozenset()
    state = states.pop()
    if fields and state is not _DIFFERS and not (state is _MATCHED and fields == _ALL):
        return None, frozenset()
    return state, fields if state is _DIFFERS else frozenset()


# Headings

#: signs of a column that holds what the other side has
_THEIRS = re.compile(r"\b(?:dan cu|csdl|tra ve|phan hoi|dung|thuc te|qgdc|sau doi chieu)\b")
_RESULT = re.compile(r"\b(?:ket qua|trang thai|tinh trang|xac thuc|doi chieu)\b")
_ASIDE = re.compile(r"\b(?:ngay|nguoi|gio|don vi|ma)\b")


def read_heading(text: str) -> str | None:
    """`key`, `pin`, `result`, `their full_name` … of a heading; None for one we do not need."""
    plain = " ".join(re.sub(r"[^a-z0-9]+", " ", fold(text)).split())
    if not plain or len(plain) > 80:
        return None
    if re.match(r"(?:ket qua|trang thai|tinh trang)\b", plain):
        return "result"
    if re.search(r"\bma doi chieu\b|\bkhoa dong\b|\brow key\b|\bma dong\b", plain):
        return "key"
    theirs = "their " if _THEIRS.search(plain) else ""
    if re.search(r"\bso dinh danh\b|\bcccd\b|\bcan cuoc\b|\bddcn\b", plain):
        return f"{theirs}pin"
    for phrase, field in _FIELDS.items():
        if re.search(rf"\b{phrase}\b", plain):
            return f"{theirs}{field.value}"
    return "result" if _RESULT.search(plain) and not _ASIDE.search(plain) else None


# Values


def read_name(text: str) -> str:
    """A name as we write it: composed, single spaces, no shouting."""
    name = " ".join(nfc(text).split())
    return " ".join(part.capitalize() for part in name.split()) if name.isupper() else name


def same_name(one: str, other: str) -> bool:
    """Whether two names differ only in capitals, spaces or where a tone is set."""
    return name_sort_key(read_name(one).lower()) == name_sort_key(read_name(other).lower())


def read_day(text: str) -> date | None:
    """14/03/2018, 14-3-2018, 14.03.2018 or 2018-03-14, also with a time behind it; else None."""
    written = re.sub(r"[ T][0-9:.]+$", "", text.strip())
    hit = re.fullmatch(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})", written)
    parts = (hit[3], hit[2], hit[1]) if hit else tuple(written.split("-"))
    if len(parts) != 3 or not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts):
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def read_sex(text: str) -> Sex | None:
    """Nam or Nữ; else None."""
    return {"nam": Sex.MALE, "nu": Sex.FEMALE, "male": Sex.MALE, "female": Sex.FEMALE}.get(
        fold(text)
    )


def read_pin(text: str) -> str:
    """The digits of a personal number, zeros a spreadsheet dropped put back (at most three)."""
    digits = re.sub(r"\.0$", "", text.strip())
    digits = re.sub(r"[\s.'’\-]", "", digits)
    if re.fullmatch(r"[0-9]{9,11}", digits):
        return digits.zfill(12)
    return digits


def write_sex(sex: Sex) -> str:
    """As the registers of the field write it."""
    return "Nữ" if sex is Sex.FEMALE else "Nam"
