"""The child's file on the screen and on paper; a paper that leaves the house is written down."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from app import audit
from app.core import clock, press
from app.core.db import transaction
from app.journeys.child_file import queries
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import school_info
from app.people.students import words

bp = Blueprint("child_file", __name__)
SHEETS = ("css/paper.css", "css/print-report.css")


def _words() -> dict[str, Any]:
    """What the codes of the registry are called, in the language of now."""
    return {
        "fields": words.fields(),
        "schemes": words.schemes(),
        "sexes": words.sexes(),
        "relations": words.relations(),
        "leave_reasons": words.leave_reasons(),
        "verification": words.verification(),
    }


def _file(code: str) -> queries.ChildFile:
    return queries.child_file(
        own_school(),
        code,
        clock.today(),
        with_money=require_membership().may(Permission.VIEW_MONEY),
    )


@bp.get("/students/<code>/file")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def show_file(code: str) -> ResponseReturnValue:
    """All years of one child."""
    return render_template("child_file/show_file.html", file=_file(code), **_words())


@bp.post("/students/<code>/file.pdf")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def print_file(code: str) -> ResponseReturnValue:
    """The same on A4; who took it out is written down."""
    school_id, now = own_school(), clock.now()
    with force_locale("vi"):
        file = _file(code)
        page = render_template(
            "pdf/child_file.html",
            file=file,
            **_words(),
            school=school_info(school_id, clock.today()),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    paper = bytes(press.lay_out(page, sheets=SHEETS).write_pdf(pdf_version="1.7"))
    with transaction():
        audit.record(
            "student.file_printed",
            f"student:{file.child.id}",
            actor=current_actor(),
            school_id=school_id,
            now=now,
        )
    headers = {"Content-Disposition": f'inline; filename="file-{file.child.code}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=headers)
