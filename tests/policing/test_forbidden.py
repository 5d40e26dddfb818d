"""Calls that would cost money or trust."""

from __future__ import annotations

import ast
import re

from tests.policing.source import MODULES, ROOT, dotted

#: the only place that asks the machine for the time
CLOCK = "app.core.clock"
#: the only place that commits
DATABASE = "app.core.db"

TIME_OF_DAY = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.localtime",
}


def _calls(allowed: str | None, names: set[str]) -> list[str]:
    return [
        f"{module.where(node)}: {dotted(node.func)}"
        for module in MODULES
        if module.name != allowed
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and any(
            dotted(node.func) == name or dotted(node.func).endswith(f".{name}") for name in names
        )
    ]


def test_only_the_clock_asks_for_the_time() -> None:
    assert _calls(CLOCK, TIME_OF_DAY) == []


def test_only_the_database_door_commits() -> None:
    assert _calls(DATABASE, {"session.commit", "db.session.commit"}) == []


def test_no_sleeping_in_requests() -> None:
    assert [call for call in _calls(DATABASE, {"time.sleep"}) if not _is_background(call)] == []


def _is_background(call: str) -> bool:
    return bool(re.match(r"app/(.+/)?(cli|jobs|worker)\.py|app/demo/", call))


def test_no_row_is_replaced_in_silence() -> None:
    # INSERT OR REPLACE deletes the old row, past every guard of an append-only table.
    pattern = re.compile(r"\b(insert\s+or\s+(replace|ignore)|replace\s+into)\b", re.I)
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "migrations").rglob("*.*")]
    for path in files:
        if path.suffix not in {".py", ".sql"}:
            continue
        for line in _code_lines(path.read_text(encoding="utf-8")):
            assert not pattern.search(line), f"{path.relative_to(ROOT)}: {line.strip()}"


def _code_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.lstrip().startswith(("#", "--"))]


def test_no_notice_is_read_before_its_signature_is_checked() -> None:
    assert _calls(None, {"construct_event_without_verification", "Event.construct_from"}) == []


def test_no_float_touches_money() -> None:
    broken = [
        module.where(node)
        for module in MODULES
        if module.name.startswith("app.money.")
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Call) and dotted(node.func) in {"float", "round"})
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert broken == []


def test_every_module_opens_with_a_docstring() -> None:
    for module in MODULES:
        assert ast.get_docstring(module.tree), module.name
