"""What the office types about a child: shapes only, the rules stand in the services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from wtforms import Form as PlainForm
from wtforms import FormField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from app.core import formats
from app.core.forms import DayField, Form
from app.core.i18n import lazy as _l
from app.core.text import normal_phone
from app.people.students import words
from app.people.students.models import Scheme

#: The numbers beside the personal one, in the order of the form.
OTHER_SCHEMES = (Scheme.MOET, Scheme.LLR, Scheme.SCHOOL, Scheme.BHXH, Scheme.PASSPORT)


class TypedDayField(DayField):
    """A day as people type it: 5/9/2019, 05-09-2019, 05.09.2019, 05092019."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        text = str(valuelist[0]).strip() if valuelist else ""
        text = re.sub(r"^([0-9]{2})([0-9]{2})([0-9]{4})$", r"\1/\2/\3", text)
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            text = re.sub(r"\s*[-. /]\s*", "/", text)
        super().process_formdata([text])

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return formats.day(self.data)


class DigitsField(StringField):
    """A number that people write with spaces or dots."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        text = str(valuelist[0]) if valuelist else ""
        self.data = re.sub(r"[\s.\-\u2010-\u2015]+", "", text)

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else self.data or ""


def _personal_number(_form: Any, field: Any) -> None:
    if field.data and not re.fullmatch(r"[0-9]{12}", field.data):
        raise ValidationError(_("A personal number has 12 digits."))


def _mobile(_form: Any, field: Any) -> None:
    if field.data and len(normal_phone(field.data) or "") != 10:
        raise ValidationError(_("Enter a mobile number of ten digits, as 0905123456."))


def _name(required: bool) -> list[Any]:
    length = Length(max=120, message=_l("Enter a full name of at most 120 letters."))
    return [InputRequired(_l("Enter the full name.")), length] if required else [length]


def _strip(value: str | None) -> str | None:
    return value.strip() if isinstance(value, str) else value


def _number(scheme: Scheme, label: str) -> StringField:
    message = _l("Enter a number of 1 to 24 signs.")
    return StringField(
        label, [Length(max=24, message=message)], name=scheme.value, filters=[_strip]
    )


class GuardianFields(PlainForm):
    """One parent or other guardian."""

    full_name = StringField(_l("Full name"), _name(required=False))
    relation = SelectField(_l("Relation to the child"))
    phone = StringField(_l("Mobile phone"), [Optional(), _mobile])
    address = StringField(
        _l("Address"),
        [Optional(), Length(max=200, message=_l("Write the address in at most 200 letters."))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relation.choices = list(words.relations().items())

    def validate_full_name(self, field: Any) -> None:
        """A phone or an address belongs to somebody."""
        if not field.data and (self.phone.data or self.address.data):
            raise ValidationError(_("Enter the name of this person."))


class AdmitForm(Form):
    """A child at the desk."""

    full_name = StringField(_l("Full name"), _name(required=True), filters=[_strip])
    birth_date = TypedDayField(_l("Birth date"), description=_l("day/month/year, as 5/9/2020"))
    sex = RadioField(_l("Sex"), [InputRequired(_l("Choose girl or boy."))])
    class_id = SelectField(_l("Class"), coerce=int)
    starts_on = TypedDayField(_l("First day at school"))
    pin = DigitsField(_l("Personal number"), [_personal_number])
    no_number = SelectField(_l("Or why there is none"))
    source = StringField(_l("Numbers read from"), [Length(max=60)])
    moet = _number(Scheme.MOET, _l("Ministry code"))
    llr = _number(Scheme.LLR, _l("Lifelong learning record"))
    school = _number(Scheme.SCHOOL, _l("School's own number"))
    bhxh = _number(Scheme.BHXH, _l("Health insurance number"))
    passport = _number(Scheme.PASSPORT, _l("Passport"))
    first = FormField(GuardianFields)
    second = FormField(GuardianFields)
    sibling = HiddenField()
    known_code = StringField(_l("Pupil code"), [Optional()])
    #: the question on the page that this press of a button answers
    answered = HiddenField()

    def offer(self, classes: Mapping[int, str]) -> AdmitForm:
        """Fill the lists to choose from."""
        self.class_id.choices = [(0, _("not decided yet")), *classes.items()]
        self.sex.choices = list(words.sexes().items())
        self.no_number.choices = [("", _("choose why")), *words.no_number().items()]
        return self

    def validate_no_number(self, field: Any) -> None:
        """A child without a number has a reason, unless it is known already."""
        if not self.pin.data and not field.data and not self.known_code.data:
            raise ValidationError(_("Enter the personal number, or choose why there is none."))

    def numbers(self) -> tuple[tuple[Scheme, str, str], ...]:
        """The numbers typed, each with where it was read."""
        source = (self.source.data or "").strip() or _("birth certificate")
        typed = [(Scheme.PIN, self.pin.data), *((s, self[s.value].data) for s in OTHER_SCHEMES)]
        return tuple((scheme, value.strip(), source) for scheme, value in typed if value)


class IdentityForm(Form):
    """A child set right; an empty number stays as it is."""

    full_name = StringField(_l("Full name"), _name(required=True), filters=[_strip])
    birth_date = TypedDayField(_l("Birth date"), description=_l("day/month/year, as 5/9/2020"))
    sex = RadioField(_l("Sex"), [InputRequired(_l("Choose girl or boy."))])
    pin = DigitsField(_l("Personal number"), [_personal_number])
    moet = _number(Scheme.MOET, _l("Ministry code"))
    llr = _number(Scheme.LLR, _l("Lifelong learning record"))
    school = _number(Scheme.SCHOOL, _l("School's own number"))
    bhxh = _number(Scheme.BHXH, _l("Health insurance number"))
    passport = _number(Scheme.PASSPORT, _l("Passport"))
    no_number = SelectField(_l("Why there is no personal number"), [Optional()])
    source = StringField(_l("Numbers read from"), [Length(max=60)])
    from_day = TypedDayField(_l("Numbers hold from"), [Optional()])
    reason = StringField(
        _l("Reason of the change"),
        [
            InputRequired(_l("Give the reason in at most 200 letters.")),
            Length(max=200, message=_l("Give the reason in at most 200 letters.")),
        ],
        filters=[_strip],
    )
    answered = HiddenField()

    def offer(self) -> IdentityForm:
        """Fill the lists to choose from."""
        self.sex.choices = list(words.sexes().items())
        self.no_number.choices = [("", _("choose why")), *words.no_number().items()]
        return self

    def numbers(self) -> tuple[tuple[Scheme, str], ...]:
        """The numbers typed."""
        typed = [(Scheme.PIN, self.pin.data), *((s, self[s.value].data) for s in OTHER_SCHEMES)]
        return tuple((scheme, value.strip()) for scheme, value in typed if value)

    def validate_source(self, field: Any) -> None:
        """A number comes from somewhere."""
        if self.numbers() and not (field.data or "").strip():
            raise ValidationError(_("Say where the number was read."))


class EndNumberForm(Form):
    """A number that no longer holds."""

    on = TypedDayField(_l("From this day it no longer holds"))
    reason = StringField(
        _l("Reason of the change"),
        [
            InputRequired(_l("Give the reason in at most 200 letters.")),
            Length(max=200, message=_l("Give the reason in at most 200 letters.")),
        ],
        filters=[_strip],
    )


class GuardianForm(Form):
    """A guardian of one child; when changed, an empty phone stays as it is."""

    full_name = StringField(_l("Full name"), _name(required=True), filters=[_strip])
    relation = SelectField(_l("Relation to the child"))
    phone = StringField(_l("Mobile phone"), [Optional(), _mobile])
    address = StringField(
        _l("Address"),
        [Optional(), Length(max=200, message=_l("Write the address in at most 200 letters."))],
    )

    def offer(self, present: str = "") -> GuardianForm:
        """Fill the list; a relation of an older list stays."""
        choices = words.relations()
        if present:
            choices.setdefault(present, present)
        self.relation.choices = list(choices.items())
        return self


class EndGuardianForm(Form):
    """A guardian who no longer answers for the child."""

    on = TypedDayField(_l("From this day on"))


class MoveForm(Form):
    """Another class for one child."""

    class_id = SelectField(_l("New class"), coerce=int)
    from_day = TypedDayField(_l("From this day on"))

    def offer(self, classes: Mapping[int, str]) -> MoveForm:
        """Fill the list; nothing is chosen before somebody chooses."""
        self.class_id.choices = [(0, _("choose the class")), *classes.items()]
        return self

    def validate_class_id(self, field: Any) -> None:
        """One of the list."""
        if not field.data:
            raise ValidationError(_("Choose the class."))


class LeaveForm(Form):
    """The end of a stay."""

    last_day = TypedDayField(_l("Last day at the school"))
    reason = SelectField(_l("Reason"))
    note = TextAreaField(
        _l("In your own words"),
        [Length(max=200, message=_l("Give the reason in at most 200 letters."))],
        filters=[_strip],
    )

    def offer(self) -> LeaveForm:
        """Fill the list."""
        self.reason.choices = [("", _("choose why")), *words.leave_reasons().items()]
        return self

    def validate_reason(self, field: Any) -> None:
        """One of the list."""
        if not field.data:
            raise ValidationError(_("Choose why the pupil leaves."))

    def validate_note(self, field: Any) -> None:
        """Another reason has to be said."""
        if self.reason.data == "other" and not field.data:
            raise ValidationError(_("Say the reason in your own words."))


class ReturnForm(Form):
    """A new stay of a child that was here before."""

    class_id = SelectField(_l("Class"), coerce=int)
    starts_on = TypedDayField(_l("First day at school"))


class PlaceForm(Form):
    """Children ticked in a list, and the class they go to."""

    class_name = StringField(_l("Class"), [Optional()], filters=[_strip])
    from_day = TypedDayField(_l("From this day on"))


class OpenClassesForm(Form):
    """Names of new classes of one grade."""

    grade = SelectField(_l("Grade"), coerce=int)
    names = StringField(
        _l("Names, with commas between"),
        [InputRequired(_l("Enter at least one class name."))],
        description=_l("as 2/1, 2/2, 2/3"),
    )

    def list_of_names(self) -> list[str]:
        """The names typed, in order."""
        return [name.strip() for name in re.split(r"[,;\n]", self.names.data or "") if name.strip()]
