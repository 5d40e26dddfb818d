"""The staff door: sign in, choose a membership, sign out."""

from __future__ import annotations

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from werkzeug.exceptions import NotFound as PageNotFound

from app.core import clock, scope
from app.core.db import enter_scope, rows, scalar, transaction
from app.core.errors import DomainError
from app.core.model import db
from app.extensions import login_manager
from app.people.access import services
from app.people.access.forms import SignInForm
from app.people.access.models import Role, User
from app.people.access.policy import (
    ActingAs,
    Permission,
    memberships_of,
    public,
    role_label,
    signed_in_id,
)

bp = Blueprint("access", __name__)

#: In the demo one click signs in as one of these (P9).
DEMO_ROLES = (Role.ACCOUNTANT, Role.PRINCIPAL, Role.CASHIER, Role.TEACHER, Role.OFFICER)


class _Known:
    """What Flask-Login needs to know of a person."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, user_id: int) -> None:
        self._id = str(user_id)

    def get_id(self) -> str:
        return self._id


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(user_id: str) -> _Known | None:
    """The person of the session cookie, while active."""
    active = scalar("select id from users where id = :id and is_active", id=int(user_id))
    return None if active is None else _Known(int(active))


@bp.route("/staff", methods=["GET", "POST"])
@public("the door itself")
def sign_in() -> ResponseReturnValue:
    """User name, password and one-time code on one page."""
    if signed_in_id() is not None and request.method == "GET":
        return redirect(url_for("access.choose_membership"), 303)
    form = SignInForm()
    error = ""
    if form.is_sent():
        try:
            with transaction():
                user = services.sign_in(
                    form.username.data or "",
                    form.password.data or "",
                    form.code.data or "",
                    now=clock.now(),
                )
            return _open_session(services.require_sign_in(user))
        except DomainError as refusal:
            error = refusal.message
    status = 422 if error or form.errors else 200
    page = render_template(
        "access/sign_in.html", form=form, error=error, demo_people=_demo_people()
    )
    return page, status


def _open_session(user: User, membership_id: int | None = None) -> ResponseReturnValue:
    language = session.get("lang")
    following = request.args.get("next", "")
    session.clear()
    if language:
        session["lang"] = language
    login_user(_Known(user.id))
    held = memberships_of(user.id)
    if membership_id is None and len(held) == 1:
        membership_id = held[0].id
    if membership_id is not None:
        session["membership_id"] = membership_id
        chosen = next(m for m in held if m.id == membership_id)
        if following.startswith("/") and not following.startswith(("//", "/\\")):
            return redirect(following, 303)
        return redirect(_first_page(chosen), 303)
    return redirect(url_for("access.choose_membership"), 303)


def _first_page(membership: ActingAs) -> str:
    if membership.may(Permission.VIEW_AREA):
        return url_for("reports.area")
    return url_for("shell.home")


@bp.route("/staff/memberships", methods=["GET", "POST"])
@public("signed-in people choose among their own memberships")
def choose_membership() -> ResponseReturnValue:
    """Switch to another school or role, explicitly (P3)."""
    user_id = signed_in_id()
    if user_id is None:
        return redirect(url_for("access.sign_in"), 303)
    held = memberships_of(user_id)
    if request.method == "POST":
        wanted = request.form.get("membership_id", type=int)
        chosen = next((membership for membership in held if membership.id == wanted), None)
        if chosen is not None:
            session["membership_id"] = chosen.id
            # Forms drawn for the other school carry a token that no longer fits (P3).
            session.pop("csrf_token", None)
            return redirect(_first_page(chosen), 303)
    current = session.get("membership_id")
    return render_template("access/choose_membership.html", memberships=held, current=current)


@bp.post("/staff/sign-out")
@public("leaving needs no permission")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for("access.sign_in"), 303)


@bp.post("/staff/demo")
@public("one click per role, in the demo only")
def demo_sign_in() -> ResponseReturnValue:
    """Sign in as an invented person; the address does not exist outside the demo."""
    if not current_app.config["SETTINGS"].is_demo:
        raise PageNotFound
    membership_id = request.form.get("membership", type=int)
    person = next((p for p in _demo_people() if p["membership_id"] == membership_id), None)
    if person is None:
        raise PageNotFound
    user = db.session.get(User, person["user_id"])
    if user is None:
        raise PageNotFound
    return _open_session(user, membership_id)


def _demo_people() -> list[dict[str, object]]:
    """A few invented people, one of each role, of three schools and of the area."""
    if not current_app.config["SETTINGS"].is_demo:
        return []
    enter_scope(scope.EVERY_SCHOOL)
    try:
        found = rows(
            "select m.id, m.user_id, m.role, u.display_name, u.username, o.name as unit, s.code,"
            " s.level from memberships m join users u on u.id = m.user_id"
            " join organisation_units o on o.id = m.unit_id left join schools s on s.unit_id = o.id"
            " where s.id is null or s.id in (select min(id) from schools group by level)"
            " order by s.id, m.id"
        )
    finally:
        enter_scope(scope.NOBODY)
    return [
        {
            "membership_id": person.id,
            "user_id": person.user_id,
            "role": role_label(Role(person.role)),
            "name": person.display_name,
            "username": person.username,
            "unit": person.unit,
        }
        for person in found
        if Role(person.role) in DEMO_ROLES
    ]
