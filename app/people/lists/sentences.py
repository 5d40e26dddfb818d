"""What a rehearsal says, in words: one sentence a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from app.people.access import Role, role_label
from app.people.lists.columns import Column, Kind, label
from app.people.students import Sex


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of a code with its values."""
    return _SENTENCES[code](params)


def trouble_words(column: str, shown: str, code: str, params: Mapping[str, Any], kind: Kind) -> str:
    """Why a cell cannot be taken: the column, what stands there, the advice."""
    where = label(column, kind)
    said = sentence(code, params)
    return f"{where} “{shown}”: {said}" if shown else f"{where}: {said}"


def value_words(column: str, value: str) -> str:
    """A value as people read it."""
    if column == Column.SEX and value in (Sex.FEMALE, Sex.MALE):
        return _("Girl") if value == Sex.FEMALE else _("Boy")
    return value


def role_words(role: str | None) -> str:
    """A role, or nothing."""
    return role_label(Role(role)) if role else ""


_Words = Callable[[Mapping[str, Any]], str]

_SENTENCES: dict[str, _Words] = {
    # cells
    "day_unknown": lambda p: _("this is no date. Write it as 05/09/2015."),
    "day_impossible": lambda p: _(
        "there is no such day. Day comes before month: write it as 05/09/2015."
    ),
    "day_only_year": lambda p: _("only the year is there. Write the whole date, as 05/09/2015."),
    "birth_in_future": lambda p: _("this day is still to come. Check the year."),
    "sex_unknown": lambda p: _("write “Nam” or “Nữ”."),
    "mark_unknown": lambda p: _("mark the column with an x, or leave it empty."),
    "name_long": lambda p: _("a name has at most 120 letters."),
    "name_digits": lambda p: _("a name holds no digits."),
    "name_signs": lambda p: _(
        "there are signs in the name that do not belong to it. Keep only the letters."
    ),
    "code_wrong": lambda p: _(
        "this is no code of Sổ Thu. It has nine digits; leave the cell empty for a new pupil."
    ),
    "pin_length": lambda p: _(
        "a personal number has 12 digits, here are %(count)s. Format the column as text and enter"
        " it again from the birth certificate.",
        count=p["count"],
    ),
    "number_signs": lambda p: _("there are signs here that no number has."),
    "digits_lost": lambda p: _(
        "the spreadsheet has shortened this number and its last digits are lost. Format the column"
        " as text and enter it again."
    ),
    "phone_unknown": lambda p: _(
        "this is no mobile number. Write ten digits, as 0905123456, or leave the cell empty."
    ),
    "phone_landline": lambda p: _(
        "this is a landline. Messages need a mobile number; leave the cell empty if there is none."
    ),
    "email_unknown": lambda p: _("this is no e-mail address."),
    "address_long": lambda p: _("an address has at most 200 letters."),
    "grade_unknown": lambda p: _("this grade is not known. Write 1 to 9, or the nursery group."),
    "class_long": lambda p: _("a class name has at most 24 letters."),
    "class_unknown": lambda p: _(
        "there is no such class this year, and its name does not tell a grade of this school."
        " Check the name, or add a column “Khối”."
    ),
    "class_unclear": lambda p: _(
        "the spreadsheet has turned the class into a date, and it may also be “%(other)s”. Format"
        " the column as text and write the class again.",
        other=p["other"],
    ),
    "class_later": lambda p: _("the pupil has a class of a later school year already."),
    "class_missing": lambda p: _("a new pupil needs a class."),
    "class_not_opened": lambda p: _(
        "Class %(name)s does not exist yet and was not opened.", name=p["name"]
    ),
    # rows
    "name_missing": lambda p: _("the name is missing."),
    "birth_missing": lambda p: _("the birth date is missing."),
    "sex_missing": lambda p: _("the sex is missing."),
    "starts_before_birth": lambda p: _("the first day at school lies before the birth date."),
    "starts_after_year": lambda p: _("this day lies after the end of the school year."),
    "too_old": lambda p: _("check the year of birth."),
    "code_unknown": lambda p: _(
        "no pupil has this code. Leave the cell empty for a new pupil; Sổ Thu gives the code."
    ),
    "has_left": lambda p: _(
        "the list says that this pupil has left. Nobody leaves by a list: end the stay on the"
        " pupil's page."
    ),
    "school_other": lambda p: _("this is another school's code."),
    "school_unknown": lambda p: _("there is no school with this code."),
    "school_missing": lambda p: _("the code of the school is missing."),
    "pin_taken": lambda p: _(
        "this personal number is recorded for another pupil. Compare both birth certificates."
    ),
    "number_twice": lambda p: _(
        "row %(row)s gives the same number to another pupil.", row=p["row"]
    ),
    # staff
    "role_unknown": lambda p: _(
        "this role is not known here. Write one of: Hiệu trưởng, Phó hiệu trưởng, Kế toán, Thủ quỹ,"
        " Giáo viên chủ nhiệm, Cấp dưỡng, Y tế."
    ),
    "role_missing": lambda p: _("the role is missing."),
    "role_not_by_list": lambda p: _("rights of the unit above cannot be given by a list."),
    "role_not_yours": lambda p: _("you cannot give this role; the unit above does."),
    "username_missing": lambda p: _("give a user name, an e-mail address or a mobile number."),
    "username_taken": lambda p: _("somebody with another name uses it already."),
    "ends_before_start": lambda p: _("the last day lies before the first."),
    "own_role_ends": lambda p: _("nobody ends their own role by a list."),
    # doubts
    "numbers_disagree": lambda p: _("The code and the numbers of this row belong to two pupils."),
    "number_of_other": lambda p: _(
        "The number belongs to a pupil with another name and another birth date. Perhaps a row has"
        " slipped in the file."
    ),
    "number_other_birth": lambda p: _(
        "A pupil of the area has this number and another birth date. Compare the birth certificate."
    ),
    "at_other_school": lambda p: _(
        "This pupil is enrolled at school %(school)s. Ask for a transfer instead.",
        school=p["school"],
    ),
    "same_as_row": lambda p: _("Row %(row)s tells of the same one.", row=p["row"]),
    "maybe_as_row": lambda p: _(
        "Row %(row)s has the same name and birth date. Two pupils?", row=p["row"]
    ),
    "same_name_here": lambda p: _(
        "A pupil of this school has the same name and birth date, but neither class nor guardian"
        " agree."
    ),
    "accents_differ": lambda p: _(
        "A pupil of this school has the same birth date and a name that differs only in its"
        " accents."
    ),
    "same_name_elsewhere": lambda p: _("A pupil of the area has the same name and birth date."),
    "same_name_staff": lambda p: _(
        "Somebody of this name works here with the user name %(username)s.", username=p["username"]
    ),
    # notes
    "repair_capitals": lambda p: _(
        "Name in capitals, taken as papers write it: %(text)s", text=p["text"]
    ),
    "repair_day_turned": lambda p: _(
        "The spreadsheet had exchanged day and month; taken as %(text)s", text=p["text"]
    ),
    "repair_zeros": lambda p: _(
        "The spreadsheet had lost the zeros in front; taken as %(text)s", text=p["text"]
    ),
    "repair_class_date": lambda p: _(
        "The spreadsheet had turned the class into a date (%(text)s)", text=p["text"]
    ),
    "repair_second_phone": lambda p: _(
        "Two phones in one cell; %(text)s is not kept", text=p["text"]
    ),
    "known_in_area": lambda p: _("Known in the area, keeps the code %(code)s.", code=p["code"]),
    "comes_back": lambda p: _("Was at this school before and comes back."),
    "maybe_twin": lambda p: _(
        "Shares birth date and phone with %(name)s, who is another pupil.", name=p["name"]
    ),
    "odd_age": lambda p: _(
        "Unusual age for this class; most are born in %(year)s. Check the year.", year=p["year"]
    ),
    "odd_pin": lambda p: _(
        "The personal number looks like one of another sex or year of birth. Compare it with the"
        " paper; it is taken all the same."
    ),
    "addresses_disagree": lambda p: _(
        "The list gives siblings different addresses; the recorded one stays."
    ),
    "account_known": lambda p: _("Has an account in the area and gets a role here."),
}
