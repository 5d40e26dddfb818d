"""Imports run in one direction. This table is the law; every page that shows it is a copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.policing.source import APP, MODULES, ROOT

#: room → what it may import, besides itself
LAW: dict[str, set[str]] = {
    "config": set(),
    "core": {"config"},
    "extensions": {"core"},
    "audit": {"core"},
}


def _open(room: str, *others: str) -> None:
    LAW[room] = {"config", "core", "extensions", "audit", *others}


_open("people.schools")
_open("people.access", "people.schools")
_open("people.students", "people.schools", "people.access")
_open("people.cards", "people.schools", "people.access", "people.students")
_open("people.verification", "people.schools", "people.access", "people.students")
_open("people.partners", "people.schools", "people.access")
_open("people.lists", "people.schools", "people.access", "people.students")

_open("money.ledger", "people.schools")
_open("money.fees", "people.schools", "people.access", "people.students", "money.ledger")
_open("money.exemptions", "people.schools", "people.access", "people.students", "money.fees")
_open("money.meals", "people.schools", "people.access", "people.students", "money.fees")
_open(
    "money.billing",
    *("people.schools", "people.access", "people.students"),
    *("money.ledger", "money.fees", "money.meals"),
)
_open("money.receipts", "people.schools", "people.access", "money.ledger")
_open(
    "money.payments",
    *("people.schools", "people.access", "people.students"),
    *("money.ledger", "money.fees", "money.billing", "money.receipts"),
)
_open(
    "money.payouts",
    *("people.schools", "people.access", "people.students"),
    *("money.ledger", "money.billing", "money.payments"),
)
_open(
    "money.reconciliation",
    *("people.schools", "people.access", "people.students"),
    *("money.ledger", "money.billing", "money.payments", "money.payouts"),
)
_open(
    "money.closing",
    *("people.schools", "people.access", "people.students"),
    *("money.ledger", "money.fees", "money.payments", "money.payouts", "money.reconciliation"),
)

LOWER = {room for room in LAW if room.startswith(("people.", "money."))}
# Screens over the rooms below. Nobody imports them, and they do not import each other.
_open("journeys.family", *LOWER)
_open("journeys.api", *LOWER)
_open("journeys.between_schools", *LOWER)
_open("journeys.reports", *LOWER)
_open("journeys.year_end", *LOWER)
_open("journeys.merging", *LOWER)
_open("journeys.transfers", *LOWER)
_open("journeys.retention", *LOWER)
_open("journeys.child_file", *LOWER)

JOURNEYS = {room for room in LAW if room.startswith("journeys.")}
_open("shell", *LOWER, *JOURNEYS)
_open("demo", *LOWER, *JOURNEYS, "shell")
_open("wiring", *LOWER, *JOURNEYS, "shell", "demo")
LAW[""] = {"config", "core", "extensions", "wiring"}  # app/__init__.py: create_app

WINGS = {"people", "money", "journeys"}


def room_of(name: str) -> str:
    """`app.money.billing.queries` is in `money.billing`; the wings themselves hold nothing."""
    parts = name.split(".")[1:]
    if parts and parts[0] in WINGS:
        return ".".join(parts[:2])
    return parts[0] if parts else ""


def test_every_room_is_in_the_law() -> None:
    rooms = {room_of(module.name) for module in MODULES} - WINGS
    assert rooms <= set(LAW), f"say in LAW what {sorted(rooms - set(LAW))} may import"


def test_imports_follow_the_direction() -> None:
    breaches = []
    for module in MODULES:
        here = room_of(module.name)
        if here in WINGS:
            continue
        for name, node in module.imports():
            if not name.startswith("app."):
                continue
            there = _room_imported(name)
            if there != here and there not in LAW[here]:
                breaches.append(f"{module.where(node)}: {here or 'app'} may not import {there}")
    assert breaches == []


def test_wings_hold_no_code() -> None:
    for wing in WINGS:
        text = (APP / wing / "__init__.py").read_text(encoding="utf-8")
        assert "import " not in text.replace("from __future__ import annotations", "")


def _room_imported(name: str) -> str:
    """`from app import wiring` and `from app.money import billing` name a room too."""
    room = room_of(name)
    if "." in room and not (APP / room.replace(".", "/")).exists():
        return room.split(".")[0]
    return room


def test_production_never_loads_the_demo(tmp_path: Path) -> None:
    code = "import sys, wsgi; print([name for name in sys.modules if name.startswith('app.demo')])"
    env = os.environ | {
        "APP_ENV": "production",
        "ALLOW_UNSAFE": "sqlite,limits",
        "SECRET_KEY": "a-secret-of-our-own-that-is-long-enough",
        "INSTANCE_PATH": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
