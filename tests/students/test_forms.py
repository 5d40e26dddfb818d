"""Days and numbers as people at the desk type them."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.people.students.forms import AdmitForm, EndNumberForm, OpenClassesForm


@pytest.mark.parametrize(
    "typed",
    [
        "5/9/2019",
        "05/09/2019",
        "05-09-2019",
        "5.9.2019",
        "05092019",
        " 5 / 9 / 2019 ",
        "5 9 2019",
        "2019-09-05",
    ],
)
def test_a_day_may_be_typed_in_any_usual_way(context: Flask, typed: str) -> None:
    with context.test_request_context(method="POST", data={"on": typed, "reason": "x"}):
        form = EndNumberForm(meta={"csrf": False})

        assert form.is_sent(), form.errors
        assert form.on.data == date(2019, 9, 5)


@pytest.mark.parametrize("typed", ["", "31/2/2019", "9/2019", "5/9/19", "mai"])
def test_what_is_no_day_stays_in_the_field_with_an_example(context: Flask, typed: str) -> None:
    with context.test_request_context(method="POST", data={"on": typed, "reason": "x"}):
        form = EndNumberForm(meta={"csrf": False})

        assert not form.is_sent()
        assert "30/11/2026" in form.on.errors[0]
        assert form.on._value() == typed


def test_a_day_is_shown_as_it_is_typed(context: Flask) -> None:
    with context.test_request_context():
        form = EndNumberForm(formdata=None, data={"on": date(2026, 11, 24)})

        assert form.on._value() == "24/11/2026"


def test_a_personal_number_may_have_gaps(context: Flask) -> None:
    with context.test_request_context(method="POST", data={"pin": "048 218 000 001"}):
        form = AdmitForm(meta={"csrf": False}).offer({})

        assert form.pin.data == "048218000001"


def test_class_names_are_parted_by_commas(context: Flask) -> None:
    with context.test_request_context(method="POST", data={"names": "2/1, Lớn 2;; 2/3 "}):
        form = OpenClassesForm(meta={"csrf": False})

        assert form.list_of_names() == ["2/1", "Lớn 2", "2/3"]
