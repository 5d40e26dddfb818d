"""The nine characters that tie a transfer to a payment request."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import ALPHABET
from app.money.billing.reference import (
    check_character,
    find_references,
    is_reference,
    new_reference,
    read_reference,
)

drawn = st.text(alphabet=ALPHABET, min_size=6, max_size=6)


@pytest.mark.parametrize(
    ("payload", "reference"),
    [("7K3M9Q", "HP7K3M9Q5"), ("2B8N5T", "HP2B8N5TR"), ("0A1C4E", "HP0A1C4E1")],
)
def test_known_references_have_their_check_character(payload: str, reference: str) -> None:
    assert "HP" + payload + check_character(payload) == reference
    assert is_reference(reference)
    assert read_reference(reference) == reference


def test_a_new_reference_is_valid_and_the_seed_decides_it() -> None:
    assert all(is_reference(new_reference()) for _ in range(200))
    assert new_reference(random.Random(5)) == new_reference(random.Random(5))
    assert len({new_reference() for _ in range(500)}) == 500


@given(drawn, st.integers(0, 6), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_seen(payload: str, place: int, wrong: str) -> None:
    body = payload + check_character(payload)
    altered = body[:place] + wrong + body[place + 1 :]
    assert is_reference("HP" + altered) == (altered == body)


@given(drawn, st.integers(0, 6), st.integers(0, 6))
def test_any_two_swapped_characters_are_always_seen(payload: str, one: int, other: int) -> None:
    signs = list(payload + check_character(payload))
    body = "".join(signs)
    signs[one], signs[other] = signs[other], signs[one]
    assert is_reference("HP" + "".join(signs)) == ("".join(signs) == body)


@pytest.mark.parametrize(
    "text",
    [
        "MBVCB.3278907687.HP7K3M9Q5.CT tu 0123456789 NGUYEN VAN A toi TRUONG MAM NON SAO BIEN",
        "IBFT hp7k3m9q5",
        "HP7K 3M9Q5 hoc phi",
        "Nộp học phí HP7K3M9Q5-lop 3A",
        "H P 7-K-3-M-9-Q-5",
        "VQRIO123HP7K3M9Q5",
        "HP7K3M9Q5 HP7K3M9Q5",
        "hp\n7k3m9q5",
        "ĐÓNG TIỀN HP7K3M9Q5",
    ],
)
def test_a_reference_is_found_in_what_banks_and_parents_make_of_it(text: str) -> None:
    assert find_references(text) == ["HP7K3M9Q5"]


@pytest.mark.parametrize(
    "text",
    ["HPV123 chuyen tien HP", "hp7k3m9qx", "", "HP", "HP7K3M9Q", "hoc phi thang 11", "ủng hộ"],
)
def test_nothing_is_found_where_no_reference_is(text: str) -> None:
    assert find_references(text) == []


def test_look_alike_letters_are_read_as_digits() -> None:
    assert find_references("hpOaIc4eL") == ["HP0A1C4E1"]
    assert find_references("HP2B8NSTR") == ["HP2B8N5TR"]
    assert find_references("HPZB8N5TR") == ["HP2B8N5TR"]
    assert read_reference("hp oa1c 4el") == "HP0A1C4E1"


def test_several_references_come_in_order_and_each_once() -> None:
    text = "HP2B8N5TR va HP7K3M9Q5, hp2b8n5tr, HP0A1C4E1"
    assert find_references(text) == ["HP2B8N5TR", "HP7K3M9Q5", "HP0A1C4E1"]


@pytest.mark.parametrize("text", ["", "HP", "HP7K3M9Q6", "7K3M9Q5", "HP7K3M9Q55", "XHP7K3M9Q5"])
def test_what_is_not_exactly_one_reference_is_not_read(text: str) -> None:
    assert read_reference(text) is None
    assert not is_reference(text)


def test_stored_form_only_counts_as_a_reference() -> None:
    assert not is_reference("hp7k3m9q5")
    assert not is_reference("HP7K3M9QS")


@given(st.text(max_size=80), drawn, st.text(max_size=80))
def test_a_reference_survives_any_text_around_it(before: str, payload: str, after: str) -> None:
    reference = "HP" + payload + check_character(payload)
    assert reference in find_references(before + reference + after)


@given(st.text(max_size=200))
def test_every_find_is_valid(text: str) -> None:
    found = find_references(text)
    assert all(is_reference(reference) for reference in found)
    assert len(found) == len(set(found))
