"""The only list of models, blueprints and commands; the start stops at a route without a policy."""

from __future__ import annotations

import importlib

from flask import Flask

import app.audit.models
import app.core.jobs
import app.core.throttle
import app.money.billing.models
import app.money.fees.models
import app.money.ledger.models
import app.money.payments.models
import app.money.receipts.models
import app.people.access.models
import app.people.schools.models
import app.people.students.models  # noqa: F401 - models make the schema
from app.config import Settings
from app.money.billing import children
from app.people.access import check_policies
from app.people.students.money import show_money_of

BLUEPRINTS = (
    "app.people.access.routes",
    "app.people.students.routes",
    "app.money.fees.routes",
    "app.money.billing.routes",
    "app.money.payments.routes",
    "app.money.receipts.routes",
    "app.journeys.family.routes",
    "app.journeys.reports.routes",
    "app.shell.routes",
    "app.demo.routes",
)
COMMANDS = (
    "app.people.students.cli",
    "app.money.ledger.cli",
    "app.money.billing.cli",
    "app.money.payments.cli",
    "app.money.receipts.cli",
    "app.demo.cli",
)


def register(flask_app: Flask, settings: Settings) -> None:
    """Attach every room to the app."""
    for name in BLUEPRINTS:
        if name.startswith("app.demo") and settings.app_env == "production":
            continue
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as e:
            if e.name and e.name.startswith("app."):
                continue
            raise
        flask_app.register_blueprint(module.bp)
    for name in COMMANDS:
        if name.startswith("app.demo") and settings.app_env == "production":
            continue
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as e:
            if e.name and e.name.startswith("app."):
                continue
            raise
        flask_app.cli.add_command(module.cli)
    try:
        module = importlib.import_module("app.shell.cli")
        for command in module.COMMANDS:
            flask_app.cli.add_command(command)
    except ImportError:
        pass
    show_money_of(children)
    check_policies(flask_app)
