"""Amounts in words, frozen: the convention of Vietnamese vouchers, sixty times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.words import (
    Four,
    ZeroTens,
    amount_in_words,
    amount_in_words_en,
    amount_sentence,
    amount_sentence_en,
)

PAIRS = [
    (0, "không"),
    (1, "một"),
    (4, "bốn"),
    (5, "năm"),
    (10, "mười"),
    (11, "mười một"),
    (14, "mười bốn"),
    (15, "mười lăm"),
    (20, "hai mươi"),
    (21, "hai mươi mốt"),
    (24, "hai mươi bốn"),
    (25, "hai mươi lăm"),
    (55, "năm mươi lăm"),
    (99, "chín mươi chín"),
    (100, "một trăm"),
    (101, "một trăm lẻ một"),
    (104, "một trăm lẻ bốn"),
    (105, "một trăm lẻ năm"),
    (110, "một trăm mười"),
    (111, "một trăm mười một"),
    (115, "một trăm mười lăm"),
    (121, "một trăm hai mươi mốt"),
    (124, "một trăm hai mươi bốn"),
    (1_000, "một nghìn"),
    (1_005, "một nghìn không trăm lẻ năm"),
    (1_010, "một nghìn không trăm mười"),
    (1_015, "một nghìn không trăm mười lăm"),
    (1_021, "một nghìn không trăm hai mươi mốt"),
    (1_100, "một nghìn một trăm"),
    (10_000, "mười nghìn"),
    (15_000, "mười lăm nghìn"),
    (21_000, "hai mươi mốt nghìn"),
    (24_000, "hai mươi bốn nghìn"),
    (105_000, "một trăm lẻ năm nghìn"),
    (115_000, "một trăm mười lăm nghìn"),
    (305_000, "ba trăm lẻ năm nghìn"),
    (450_000, "bốn trăm năm mươi nghìn"),
    (1_000_000, "một triệu"),
    (1_001_000, "một triệu không trăm lẻ một nghìn"),
    (1_005_000, "một triệu không trăm lẻ năm nghìn"),
    (1_050_000, "một triệu không trăm năm mươi nghìn"),
    (1_105_000, "một triệu một trăm lẻ năm nghìn"),
    (1_250_000, "một triệu hai trăm năm mươi nghìn"),
    (15_000_015, "mười lăm triệu không trăm mười lăm"),
    (21_001_000, "hai mươi mốt triệu không trăm lẻ một nghìn"),
    (100_000_000, "một trăm triệu"),
    (312_450_000, "ba trăm mười hai triệu bốn trăm năm mươi nghìn"),
    (
        999_999_999,
        "chín trăm chín mươi chín triệu chín trăm chín mươi chín nghìn chín trăm chín mươi chín",
    ),
    (1_000_000_000, "một tỷ"),
    (1_000_000_005, "một tỷ không trăm lẻ năm"),
    (1_000_005_000, "một tỷ không trăm lẻ năm nghìn"),
    (1_001_000_000, "một tỷ không trăm lẻ một triệu"),
    (2_000_000_000, "hai tỷ"),
    (21_000_000_004, "hai mươi mốt tỷ không trăm lẻ bốn"),
    (1_000_000_000_000, "một nghìn tỷ"),
    (1_000_001_000_000, "một nghìn tỷ không trăm lẻ một triệu"),
    (
        1_230_950_880_055,
        (
            "một nghìn hai trăm ba mươi tỷ chín trăm năm mươi "
            "triệu tám trăm tám mươi nghìn không trăm năm mươi lăm"
        ),
    ),
    (10_000_000_000_001, "mười nghìn tỷ không trăm lẻ một"),
    (100_000_000_000_000, "một trăm nghìn tỷ"),
    (1_000_000_000_000_000_000, "một tỷ tỷ"),
]


def test_there_are_sixty_frozen_pairs() -> None:
    assert len(dict(PAIRS)) == len(PAIRS) == 60


@pytest.mark.parametrize(("amount", "words"), PAIRS)
def test_an_amount_is_written_by_the_convention(amount: int, words: str) -> None:
    assert amount_in_words(amount) == words


@pytest.mark.parametrize(
    ("amount", "northern"),
    [
        (4, "bốn"),
        (14, "mười bốn"),
        (24, "hai mươi tư"),
        (104, "một trăm linh bốn"),
        (105, "một trăm linh năm"),
        (1_005_000, "một triệu không trăm linh năm nghìn"),
        (94_044, "chín mươi tư nghìn không trăm bốn mươi tư"),
    ],
)
def test_the_two_regional_words_can_be_chosen(amount: int, northern: str) -> None:
    assert amount_in_words(amount, zero_tens="linh", four="tư") == northern


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (0, "Không đồng"),
        (500, "Năm trăm đồng"),
        (1_000, "Một nghìn đồng chẵn"),
        (1_001_000, "Một triệu không trăm lẻ một nghìn đồng chẵn"),
        (1_001_500, "Một triệu không trăm lẻ một nghìn năm trăm đồng"),
        (450_000, "Bốn trăm năm mươi nghìn đồng chẵn"),
        (631_805, "Sáu trăm ba mươi mốt nghìn tám trăm lẻ năm đồng"),
    ],
)
def test_a_receipt_says_even_only_behind_whole_thousands(amount: int, sentence: str) -> None:
    assert amount_sentence(amount) == sentence


def test_the_sentence_keeps_the_regional_words() -> None:
    assert amount_sentence(24_005, zero_tens="linh", four="tư") == (
        "Hai mươi tư nghìn không trăm linh năm đồng"
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (1_000, "one thousand"),
        (1_005, "one thousand and five"),
        (1_015_000, "one million, fifteen thousand"),
        (1_001_000, "one million, one thousand"),
        (1_250_300, "one million, two hundred and fifty thousand, three hundred"),
        (10**9 + 5, "one billion and five"),
        (10**15, "one thousand trillion"),
    ],
)
def test_an_amount_is_written_in_english(amount: int, words: str) -> None:
    assert amount_in_words_en(amount) == words
    assert amount_sentence_en(amount) == words[0].upper() + words[1:] + " đồng"


@pytest.mark.parametrize("amount", [-1, -1_000_000, True, 1.0, "5", None])
def test_only_whole_amounts_from_zero_up_have_words(amount: object) -> None:
    for say in (amount_in_words, amount_in_words_en, amount_sentence, amount_sentence_en):
        with pytest.raises(ValueError, match="whole amounts"):
            say(amount)  # type: ignore[arg-type]  # a wrong type on purpose


INDEPENDENT = json.loads(Path(__file__).with_name("independent_words.json").read_text("utf-8"))
REGIONS: dict[str, tuple[ZeroTens, Four]] = {"south": ("lẻ", "bốn"), "north": ("linh", "tư")}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    ("kind", "amounts"),
    [
        ("every_amount_below_a_million", range(1_000_000)),
        ("scattered_below_ten_trillion", [k * 7_919_104_729 % 10**13 for k in range(50_000)]),
    ],
    ids=["every one", "scattered"],
)
def test_an_independent_library_says_the_same(
    kind: str, amounts: Sequence[int], region: str
) -> None:
    zero_tens, four = REGIONS[region]
    digests: list[str] = INDEPENDENT[kind][region]
    # The two spellings share their code: of the second, every fifth thousand is read.
    step = 5 if region == "north" and kind.startswith("every") else 1
    for block in range(0, len(digests), step):
        part = amounts[block * 1000 : (block + 1) * 1000]
        words = [amount_in_words(n, zero_tens=zero_tens, four=four) for n in part]
        digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
        assert digest == digests[block], f"{part[0]} and the 999 after it"


VALUES = {
    "không": 0,
    "một": 1,
    "mốt": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "năm": 5,
    "lăm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
}


def heard(words: str) -> int:
    """The number a listener understands: written apart from the code under test."""
    total = group = ones = 0
    billions = 0
    for word in words.split():
        if word in VALUES:
            ones = VALUES[word]
        elif word == "mười":
            group, ones = group + 10, 0
        elif word == "mươi":
            group, ones = group + ones * 10, 0
        elif word == "trăm":
            group, ones = group + ones * 100, 0
        elif word == "tỷ":
            billions, total, group, ones = (total + group + ones), 0, 0, 0
        elif word in ("triệu", "nghìn"):
            size = 10**6 if word == "triệu" else 10**3
            total, group, ones = total + (group + ones) * size, 0, 0
        else:
            assert word == "lẻ"
    return billions * 10**9 + total + group + ones


@given(st.integers(0, 10**18 - 1) | st.integers(0, 10**10).map(lambda thousands: thousands * 1000))
def test_a_listener_hears_the_same_number(amount: int) -> None:
    words = amount_in_words(amount)
    assert heard(words) == amount
    assert words == " ".join(words.lower().split())


def test_no_two_amounts_share_their_words() -> None:
    assert len({amount_in_words(amount) for amount in range(20_000)}) == 20_000
    assert len({amount_in_words_en(amount) for amount in range(20_000)}) == 20_000
