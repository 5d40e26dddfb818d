"""Sổ Thu: bills, collects, receipts and reconciles the school fees of an area."""

from __future__ import annotations

from flask import Flask

from app import wiring
from app.config import ROOT, Settings
from app.core import db as database
from app.core import formats, http, i18n
from app.core.model import db
from app.extensions import csrf, login_manager, migrate


def create_app(settings: Settings | None = None) -> Flask:
    """Build the app from its settings; a route without a policy stops it here."""
    settings = settings or Settings()
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    app = Flask(
        "app",
        instance_path=str(settings.instance_path),
        static_folder=str(ROOT / "static"),
        template_folder=str(ROOT / "templates"),
    )
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        TESTING=settings.app_env == "test",
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        WRITER_LOCK=_writer_lock(settings),
        SESSION_COOKIE_NAME="sothu" if not settings.is_public else "__Host-sothu",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_public,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.bind(app)
    formats.bind(app)
    db.init_app(app)
    database.bind(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    login_manager.init_app(app)
    # Before the forms' check: the page that refuses a form asks who is there, within a scope.
    http.bind(app)
    csrf.init_app(app)
    wiring.register(app, settings)
    return app


def _engine_options(settings: Settings) -> dict[str, object]:
    if settings.database_url.startswith("sqlite"):
        return {}
    # Compiling a query costs PostgreSQL seconds here, running it milliseconds.
    options = "-c jit=off -c timezone=UTC"
    return {
        "pool_pre_ping": True,
        "pool_size": 4,
        "max_overflow": 4,
        "connect_args": {"options": options},
    }


def _writer_lock(settings: Settings) -> str | None:
    kind, _, path = settings.database_url.partition(":///")
    return f"{path}.writer.lock" if kind == "sqlite" else None
