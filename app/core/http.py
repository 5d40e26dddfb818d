"""What every answer carries, and how refusals become pages."""

from __future__ import annotations

import hashlib
import logging
import secrets
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.core import scope
from app.core.errors import DomainError, TryAgain
from app.core.model import db

log = logging.getLogger("sothu")

#: Nothing but our own files; provider pages are reached by redirects after a form.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'"
)


def is_htmx() -> bool:
    """Whether a fragment was asked for."""
    return request.headers.get("HX-Request") == "true"


@cache
def _version(path: Path, _changed: float) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def asset(filename: str) -> str:
    """The address of a static file with its content's hash, so that it may be kept for ever."""
    path = Path(current_app.static_folder or "") / filename
    if not path.is_file():
        raise FileNotFoundError(f"static/{filename}")
    return url_for("static", filename=filename, v=_version(path, path.stat().st_mtime))


def _headers(response: Response) -> Response:
    policy = CONTENT_POLICY
    extra = current_app.config.get("FORM_ACTION_HOSTS", "")
    if extra:
        policy += f" {extra}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault(
        "Permissions-Policy", "camera=(self), geolocation=(), microphone=()"
    )
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=63072000")
    if request.endpoint == "static":
        if "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "HX-Request")
    return response


def _wants_page() -> bool:
    return not request.path.startswith(("/callbacks/", "/api/"))


def _refusal(error: DomainError) -> ResponseReturnValue:
    headers = {"Retry-After": "3"} if isinstance(error, TryAgain) else {}
    if not _wants_page():
        return jsonify(success=False, code=error.code, message=error.message), error.status, headers
    page = render_template("shell/refusal.html", error=error, title=error.message)
    return page, error.status, headers


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if not _wants_page():
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
        return jsonify(success=False, code=error.name), error.code or 500, headers
    texts = {
        403: _("Your role does not include this page. Ask the principal if you need it."),
        404: _("This page or record does not exist, or belongs to another school."),
        405: _("This address does not take that kind of request."),
        413: _("The file or text is too large."),
    }
    message = texts.get(
        error.code or 500, _("The request could not be read. Go back and try again.")
    )
    page = render_template("shell/refusal.html", error=error, title=message)
    return page, error.code or 500


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    message = _("The form was open too long, or you switched school. Nothing was saved; reload it.")
    return render_template("shell/refusal.html", error=None, title=message), 400


def _bug(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    number = secrets.token_hex(4)
    log.error("bug %s", number, exc_info=error)
    if not _wants_page():
        return jsonify(success=False, code="fault", number=number), 500
    message = _("Something went wrong on our side. Nothing was half-saved. Number: %(n)s", n=number)
    return render_template("shell/refusal.html", error=None, title=message), 500


def bind(app: Flask) -> None:
    """Attach headers, error pages and the scope's end to the app."""
    app.after_request(_headers)
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    app.jinja_env.globals["asset"] = asset

    @app.before_request
    def _nobody_yet() -> None:
        # A request reads nothing of any school until the guard or a look-up says which.
        scope.enter(scope.NOBODY)

    @app.teardown_request
    def _forget(_error: BaseException | None) -> None:
        scope.leave()
