"""The real app in processes of its own: gunicorn, the worker, and the demo's fake providers."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.children import Child, stop_all

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Running:
    """A running app at `url`; `env` is what a `flask` command needs to reach the same database."""

    url: str
    folder: Path
    env: dict[str, str]
    children: list[Child]
    providers_url: str = ""

    def stop(self) -> None:
        """Stop every process; a second call does nothing."""
        stop_all(self.children)
        self.children.clear()

    def log(self, name: str = "web") -> str:
        """Everything a process has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")


def running(
    database_url: str,
    folder: Path,
    *,
    workers: int = 2,
    worker: bool = False,
    providers: bool = False,
    app_env: str = "test",
    env: Mapping[str, str] | None = None,
) -> Running:
    """Start the app and wait until it answers. The caller stops it.

    `workers` web processes share one port; `worker` adds the background worker; `providers` adds
    the fake card provider and points the app at it (only with app_env="demo").
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    full_env = {
        **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ},
        "APP_ENV": app_env,
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(folder),
        "PORT": str(port),
        "PUBLIC_URL": url,
        "PYTHONUNBUFFERED": "1",
    }
    gunicorn = ["-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--timeout", "60"]
    flask = ["-m", "flask", "--app", "wsgi"]
    plan = {"web": [*gunicorn, "--workers", str(workers), "--no-control-socket"]}
    providers_url = ""
    if providers:
        peer = free_port()
        providers_url = f"http://127.0.0.1:{peer}"
        full_env |= {
            "STRIPE_API_BASE": providers_url,
            "STRIPE_API_KEY": "sk_test_demo",
            "STRIPE_WEBHOOK_SECRET": "whsec_demo",
        }
        plan["providers"] = [*flask, "demo", "providers", "--port", str(peer)]
    if worker:
        plan["worker"] = [*flask, "worker"]
    full_env |= dict(env or {})

    app = Running(url, folder, full_env, [], providers_url)
    for name, arguments in plan.items():
        command = [sys.executable, *arguments]
        app.children.append(
            Child(name, command, cwd=ROOT, env=full_env, log=folder / f"{name}.log")
        )
    try:
        _wait_until_healthy(app)
    except BaseException:
        app.stop()
        raise
    return app


def _wait_until_healthy(app: Running) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in app.children:
            if child.exit_code is not None:
                raise RuntimeError(f"{child.name} ended at once:\n{child.last_words()}")
        try:
            with urllib.request.urlopen(f"{app.url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    words = "\n".join(child.last_words() for child in app.children)
    raise RuntimeError(f"no answer from {app.url}:\n{words}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
