"""How every list of children names them: class, name, code; the name leads to the child."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _

from app.core.ids import show_student_code
from app.journeys.reports.listings.shape import Column

#: the class of a child `s` on its newest bill at this school
NEWEST_CLASS: Final = (
    "(select n.class_name from invoices n where n.school_id = :school_id"
    " and n.student_id = s.id order by n.billed_period desc, n.id desc limit 1)"
)


def columns() -> tuple[Column, ...]:
    """Heads of what `named` gives."""
    return (
        Column("class_name", _("Class")),
        Column("name", _("Pupil"), is_name=True),
        Column("code", _("Pupil code")),
    )


def named(one: Any) -> tuple[str, str, str]:
    """Class, name and code of a row."""
    return one.class_name, one.full_name, show_student_code(one.code)


def page(one: Any) -> tuple[str, Mapping[str, Any]]:
    """Where the name leads."""
    return "students.show_student", {"code": one.code}
