"""Student codes, check codes, tokens."""

from __future__ import annotations

import random

import pytest
from stdnum import damm

from app.core.ids import (
    ALPHABET,
    STUDENT_CODE_LENGTH,
    damm_digit,
    is_damm,
    is_student_code,
    new_check_code,
    new_student_code,
    new_token,
    read_check_code,
    read_student_code,
    show_check_code,
    show_student_code,
)

SEEDED = random.Random(7)
CODES = [new_student_code(SEEDED) for _ in range(500)]


def test_the_check_digit_agrees_with_a_second_implementation() -> None:
    for number in range(3000):
        assert damm_digit(str(number)) == damm.calc_check_digit(str(number))
    assert damm_digit("572") == "4"


@pytest.mark.parametrize("text", ["", "12a", "１２", "-1", " 1"])
def test_only_plain_digits_have_a_check_digit(text: str) -> None:
    assert not is_damm(text)
    with pytest.raises(ValueError, match="0-9"):
        damm_digit(text)


def test_a_student_code_has_eight_drawn_digits_and_a_check_digit() -> None:
    for code in CODES:
        assert len(code) == STUDENT_CODE_LENGTH == 9
        assert "1" <= code[0] <= "9"
        assert is_student_code(code)


def test_every_wrong_digit_in_a_student_code_is_seen() -> None:
    for code in CODES[:100]:
        for place, right in enumerate(code):
            for wrong in "0123456789".replace(right, ""):
                assert not is_student_code(code[:place] + wrong + code[place + 1 :])


def test_every_swap_of_neighbours_in_a_student_code_is_seen() -> None:
    for code in CODES:
        for place in range(len(code) - 1):
            first, second = code[place], code[place + 1]
            if first != second:
                swapped = code[:place] + second + first + code[place + 2 :]
                assert not is_student_code(swapped)


def test_the_same_seed_draws_the_same_codes() -> None:
    assert [new_student_code(random.Random(7)) for _ in range(2)] == [CODES[0], CODES[0]]
    assert new_check_code(random.Random(1)) == new_check_code(random.Random(1))


def test_without_a_seed_codes_differ() -> None:
    assert len({new_student_code() for _ in range(200)}) == 200
    assert len({new_check_code() for _ in range(200)}) == 200


def test_a_student_code_is_read_as_people_write_it() -> None:
    code = CODES[0]
    shown = show_student_code(code)
    assert shown == f"{code[:3]}-{code[3:6]}-{code[6:]}"
    for written in (shown, f" {code} ", shown.replace("-", " "), shown.replace("-", "–")):
        assert read_student_code(written) == code


@pytest.mark.parametrize("text", ["", "0912345678", "12345678", "abc", "048012345678", "١٢٣٤٥٦٧٨٩"])
def test_what_is_no_student_code_is_not_read(text: str) -> None:
    assert read_student_code(text) is None


def test_a_code_never_begins_with_zero() -> None:
    assert not is_student_code("01234567" + damm_digit("01234567"))


def test_a_token_is_long_safe_in_addresses_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(
        len(token) >= 22 and token.replace("-", "").replace("_", "").isalnum() for token in tokens
    )


def test_the_alphabet_is_prime_and_has_no_look_alikes() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert not set("ILOSZ") & set(ALPHABET)


def test_a_check_code_is_shown_in_fours_and_read_back() -> None:
    assert show_check_code("K7QW2MDX") == "K7QW 2MDX"
    assert read_check_code("K7QW 2MDX") == "K7QW2MDX"
    for _ in range(200):
        code = new_check_code(SEEDED)
        assert len(code) == 8 and set(code) <= set(ALPHABET)
        assert read_check_code(show_check_code(code).lower()) == code


def test_slips_of_the_eye_in_a_check_code_are_mended() -> None:
    assert read_check_code("OILS Z000") == "01152000"
    assert read_check_code("oils-z000") == "01152000"


@pytest.mark.parametrize(
    "text", ["", "K7QW 2MD", "K7QW 2MDXX", "K7QW_2MDX", "K7QW2MDẾ", "K7QW/2MD"]
)
def test_what_is_no_check_code_is_not_read(text: str) -> None:
    assert read_check_code(text) is None
