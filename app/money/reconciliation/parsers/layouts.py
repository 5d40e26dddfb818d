"""Which column of a bank's file means what: kept as data, so that a new bank is a few words.

Titles are compared without accents and signs, each part of `Ngày / TNX Date` for itself. The six
banks' titles come from public samples where there were any; every other file is read by the words
banks have in common, and a file of unknown words is taught on the page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.text import ascii_upper

#: what a column may hold
ROLES: Final = (
    "day",
    "ref",
    "debit",
    "credit",
    "amount",
    "sign",
    "balance",
    "text",
    "payer",
    "payer_account",
)

#: words for each role that banks have in common
COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "day": (
        "ngay giao dich",
        "ngay gd",
        "ngay hach toan",
        "ngay hieu luc",
        "ngay ghi so",
        "ngay",
        "thoi gian",
        "thoi gian giao dich",
        "ngay gio giao dich",
        "transaction date",
        "tnx date",
        "posting date",
        "booking date",
        "effective date",
        "value date",
        "trans date",
        "date time",
        "date",
    ),
    "ref": (
        "so tham chieu",
        "ma tham chieu",
        "so ct",
        "so chung tu",
        "so but toan",
        "ma giao dich",
        "so giao dich",
        "so gd",
        "ma gd",
        "transaction no",
        "transaction number",
        "transaction id",
        "transaction code",
        "reference",
        "reference no",
        "reference number",
        "ref no",
        "ref",
        "doc no",
        "seq no",
        "teller seq",
    ),
    "debit": (
        "ghi no",
        "so tien ghi no",
        "phat sinh no",
        "ps no",
        "tien ra",
        "so tien rut",
        "no tktt",
        "no",
        "debit",
        "debit amount",
        "withdrawal",
        "money out",
    ),
    "credit": (
        "ghi co",
        "so tien ghi co",
        "phat sinh co",
        "ps co",
        "tien vao",
        "so tien gui",
        "co tktt",
        "co",
        "credit",
        "credit amount",
        "deposit",
        "money in",
    ),
    "amount": ("so tien", "so tien giao dich", "amount", "transaction amount", "gia tri"),
    "sign": ("no co", "ghi no ghi co", "loai giao dich", "loai", "dr cr", "type", "d c", "dau"),
    "balance": (
        "so du",
        "so du tai khoan",
        "so du cuoi",
        "so du sau giao dich",
        "so du luy ke",
        "balance",
        "running balance",
        "available balance",
        "ledger balance",
    ),
    "text": (
        "noi dung",
        "noi dung chi tiet",
        "noi dung giao dich",
        "noi dung chuyen khoan",
        "noi dung thanh toan",
        "mo ta",
        "mo ta giao dich",
        "dien giai",
        "chi tiet",
        "chi tiet giao dich",
        "details",
        "transactions in detail",
        "transaction details",
        "transaction description",
        "description",
        "remark",
        "remarks",
        "narrative",
        "content",
    ),
    "payer": (
        "doi tac",
        "remitter",
        "ten doi ung",
        "ten tai khoan doi ung",
        "ten don vi thu huong",
        "nguoi chuyen",
        "ten nguoi chuyen",
        "nguoi gui",
        "don vi thu huong don vi chuyen",
        "counter account name",
        "corresponsive name",
        "sender",
        "payer",
        "beneficiary sender name",
    ),
    "payer_account": (
        "tai khoan doi ung",
        "so tai khoan doi ung",
        "tk doi ung",
        "so tk doi ung",
        "so tai khoan doi tac",
        "counter account",
        "counter account number",
        "corresponsive account",
        "remitter account",
    ),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How one kind of file names its columns: role → folded titles."""

    code: str
    name: str
    #: the bank it belongs to, empty for any
    bank_bin: str
    titles: Mapping[str, tuple[str, ...]]


def _bank(code: str, name: str, bank_bin: str, **titles: tuple[str, ...]) -> Layout:
    return Layout(code, name, bank_bin, titles)


#: shipped with the product; the school's own come before them
LAYOUTS: Final = (
    _bank(
        "vietcombank",
        "Vietcombank",
        "970436",
        day=("tnx date", "ngay"),
        ref=("doc no", "so ct"),
        debit=("so tien ghi no", "debit"),
        credit=("so tien ghi co", "credit"),
        balance=("so du", "balance"),
        text=("noi dung chi tiet", "transactions in detail"),
    ),
    _bank(
        "techcombank",
        "Techcombank",
        "970407",
        day=("ngay giao dich", "transaction date"),
        payer=("doi tac", "remitter"),
        text=("dien giai", "details"),
        ref=("so but toan", "transaction no"),
        debit=("no tktt", "debit"),
        credit=("co tktt", "credit"),
        balance=("so du", "balance"),
    ),
    _bank(
        "bidv",
        "BIDV",
        "970418",
        day=("ngay giao dich", "ngay hieu luc", "ngay"),
        ref=("so tham chieu", "ma giao dich", "so ct"),
        debit=("ghi no", "phat sinh no", "so tien ghi no"),
        credit=("ghi co", "phat sinh co", "so tien ghi co"),
        balance=("so du",),
        text=("mo ta", "noi dung", "dien giai"),
    ),
    _bank(
        "vietinbank",
        "VietinBank",
        "970415",
        day=("ngay hach toan", "ngay giao dich", "ngay"),
        ref=("so tham chieu", "so giao dich", "so ct"),
        debit=("phat sinh no", "ghi no", "no"),
        credit=("phat sinh co", "ghi co", "co"),
        balance=("so du",),
        text=("noi dung", "mo ta giao dich", "dien giai"),
        payer=("ten tai khoan doi ung",),
        payer_account=("so tai khoan doi ung", "tai khoan doi ung"),
    ),
    _bank(
        "agribank",
        "Agribank",
        "970405",
        day=("ngay giao dich", "ngay hach toan", "ngay"),
        ref=("so but toan", "so ct", "so tham chieu"),
        debit=("phat sinh no", "ghi no", "so tien ghi no"),
        credit=("phat sinh co", "ghi co", "so tien ghi co"),
        balance=("so du", "so du cuoi"),
        text=("noi dung", "dien giai", "noi dung giao dich"),
    ),
    _bank(
        "mb",
        "MB",
        "970422",
        day=("ngay giao dich", "ngay hach toan", "thoi gian giao dich"),
        ref=("so but toan", "ma giao dich", "so tham chieu"),
        debit=("phat sinh no", "ghi no", "tien ra", "so tien ghi no"),
        credit=("phat sinh co", "ghi co", "tien vao", "so tien ghi co"),
        balance=("so du",),
        text=("noi dung", "mo ta", "dien giai"),
        payer=("don vi thu huong don vi chuyen", "ten doi ung"),
        payer_account=("tai khoan doi ung", "tai khoan"),
    ),
)
#: any bank, by the common words
ANY: Final = Layout("any", "", "", COMMON)

#: words that introduce figures above or below the table
OPENING: Final = (
    "so du dau ky",
    "so du dau",
    "so du dau ngay",
    "du dau ky",
    "opening balance",
    "balance b f",
    "beginning balance",
)
CLOSING: Final = (
    "so du cuoi ky",
    "so du cuoi ngay",
    "du cuoi ky",
    "closing balance",
    "ending balance",
    "balance c f",
)
ACCOUNT: Final = (
    "so tai khoan",
    "so tk",
    "tai khoan",
    "account number",
    "account no",
    "account",
)
TOTALS: Final = ("tong cong", "tong phat sinh", "cong phat sinh", "tong", "total", "cong")

_PARTS: Final = re.compile(r"[/\n|;]|\s-\s")


def words(value: object) -> str:
    """A cell without accents, signs and capitals."""
    return ascii_upper(value).lower() if isinstance(value, str) else ""


def titles_of(cell: object) -> tuple[str, ...]:
    """All readings of a title: the whole, and each part of a title in two languages."""
    if not isinstance(cell, str):
        return ()
    found = [words(cell), *(words(part) for part in _PARTS.split(cell))]
    found += [re.sub(r" vnd$", "", one) for one in found]
    return tuple(dict.fromkeys(one for one in found if one))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each role stands; `ref` may share the column of the day."""

    place: Mapping[str, int]
    layout: Layout

    @property
    def is_enough(self) -> bool:
        """A day, a text or number, and amounts."""
        have = self.place
        has_amounts = ("debit" in have and "credit" in have) or "amount" in have or "credit" in have
        return "day" in have and ("text" in have or "ref" in have) and has_amounts


def recognise(cells: Sequence[object], layout: Layout) -> Columns:
    """The roles a row of titles fills by a layout's words, the first words first."""
    readings = [titles_of(cell) for cell in cells]
    place: dict[str, int] = {}
    for role, titles in layout.titles.items():
        for title in titles:
            found = next(
                (
                    column
                    for column, reading in enumerate(readings)
                    if title in reading and (column not in place.values() or role == "ref")
                ),
                None,
            )
            if found is not None:
                place[role] = found
                break
    return Columns(place, layout)


def form_of(cells: Sequence[object], code: str) -> str:
    """Names a form of file: the layout it was read by and its own titles, `mb:1f0c92aa`.

    Two files of one form tell one movement in the same words; files of two forms need not.
    """
    named = "|".join(found[0] if (found := titles_of(cell)) else "" for cell in cells)
    return f"{code}:{hashlib.blake2b(named.encode(), digest_size=4).hexdigest()}"


def best_columns(cells: Sequence[object], layouts: Iterable[Layout]) -> Columns | None:
    """The layout that explains a row of titles best, or None when it is no head of a table."""
    found = [columns for one in layouts if (columns := recognise(cells, one)).is_enough]
    return max(found, key=lambda one: len(one.place), default=None)
