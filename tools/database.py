"""The database of `make run` and `make demo-reset`: migrate, and load the demo when empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.core.db import scalar
from app.core.scope import EVERY_SCHOOL, opened

ROOT = Path(__file__).resolve().parent.parent


def main(command: str) -> int:
    """`ensure` keeps what is there; `reset` throws the demo away and builds it again."""
    settings = Settings()
    if command == "reset":
        forget(settings)
    elif settings.is_demo and unfinished(settings).exists():
        print("The last loading of the demo was cut short; starting it afresh.", flush=True)
        forget(settings)
    empty = migrate(settings)
    return load_demo(settings) if settings.is_demo and empty else 0


def migrate(settings: Settings) -> bool:
    """Bring the schema to the newest migration; whether the database was never used.

    A database without a school is one that nobody has used.
    """
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    app = create_app(settings)
    with app.app_context(), opened(EVERY_SCHOOL):
        upgrade(directory=str(ROOT / "migrations"))
        return not scalar("SELECT count(*) FROM schools")


def unfinished(settings: Settings) -> Path:
    """Exists while the demo is being loaded; found at the start, it tells of half a load."""
    return settings.instance_path / "demo-unfinished"


def load_demo(settings: Settings) -> int:
    """Load the demo in a process of its own, with a mark that tells of a load cut short."""
    print("Loading the demo data …", flush=True)
    started = time.monotonic()
    mark = unfinished(settings)
    mark.touch()
    credentials = settings.instance_path / "demo-credentials.json"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "load"]
    code = subprocess.run(
        [*command, "--credentials", str(credentials)], cwd=ROOT, check=False
    ).returncode
    if code == 0:
        mark.unlink()
        print(f"  done in {time.monotonic() - started:.0f} s", flush=True)
    return code


def forget(settings: Settings) -> None:
    """Delete the demo's SQLite files, or empty a PostgreSQL schema that was named twice.

    Refuses outside the demo, while the app runs, and on PostgreSQL without CONFIRM=<database>.
    """
    if not settings.is_demo:
        sys.exit("Only demo data is ever thrown away: APP_ENV is not demo.")
    running = running_pid(settings.instance_path / "run.json")
    if running:
        sys.exit(f"The app is running (process {running}); stop it first.")
    if settings.database_url.startswith("sqlite"):
        database = Path(settings.database_url.removeprefix("sqlite:///"))
        for path in [*database.parent.glob(f"{database.name}*")]:
            path.unlink()
    else:
        empty_schema(settings.database_url)
    for leftover in ["queue.db", "queue.db-wal", "queue.db-shm", "demo-credentials.json"]:
        (settings.instance_path / leftover).unlink(missing_ok=True)
    unfinished(settings).unlink(missing_ok=True)


def empty_schema(url: str) -> None:
    """Drop everything in the public schema of a server database."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    name = engine.url.database
    if os.environ.get("CONFIRM") != name:
        sys.exit(
            f"This deletes all data in the database {name}. If so: CONFIRM={name} make demo-reset"
        )
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def running_pid(run_file: Path) -> int | None:
    """The process that wrote run.json, if it still lives."""
    try:
        pid = int(json.loads(run_file.read_text())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return None
    return pid


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "ensure"))
