"""A small demo area for stories that go through HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT

AS_OF = "2026-11-24"


@dataclass(frozen=True, slots=True)
class DemoArea:
    """A loaded demo database, its environment and its credentials file."""

    url: str
    env: dict[str, str]
    credentials: dict[str, list[dict[str, Any]]]

    def flask(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """Run a `flask` command against the area; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def load_demo(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., DemoArea]:
    """`load_demo("sqlite", schools=3, students=60)`: a fresh area with invented people."""

    def load(engine: str, *, schools: int = 3, students: int = 60) -> DemoArea:
        folder = tmp_path_factory.mktemp("demo")
        url = new_database(engine)
        import os

        env = {
            **{key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
            "APP_ENV": "demo",
            "DATABASE_URL": url,
            "INSTANCE_PATH": str(folder),
        }
        file = Path(folder) / "credentials.json"
        area = DemoArea(url, env, {})
        area.flask(
            *("demo", "load", "--schools", str(schools), "--students", str(students)),
            *("--as-of", AS_OF, "--credentials", str(file)),
        )
        return DemoArea(url, env, json.loads(file.read_text("utf-8")))

    return load
