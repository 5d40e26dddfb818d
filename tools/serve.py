"""Supervisor of `make run`: database first, then web and worker; all stop together."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

from tools.children import Child, stop_all

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
#: how long web and worker may take to answer, on a slow machine
START_LIMIT = 90.0


class Stopped(BaseException):
    """A signal asked us to stop; not an error."""


def main() -> int:
    """Run until a signal or until a child dies; the exit code says which."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    children: list[Child] = []
    instance = Path(os.environ.get("INSTANCE_PATH", ROOT / "instance"))
    run_file = instance / "run.json"
    code = 0
    try:
        refuse_a_second_start(run_file)
        port = _port()
        env = environment(port, instance)
        logs = instance / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        step("Bringing the database up to date", "tools.database", ["ensure"], env, children)
        start(children, port, env, logs)
        url = f"http://{HOST}:{port}"
        wait_until_healthy(url, children)
        run_file.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        print(sign_in_list(url, instance / "demo-credentials.json", env), flush=True)
        watch(children)
    except Stopped:
        print("\nStopping …", flush=True)
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        code = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        if owns(run_file):
            run_file.unlink()
        stop_all(children)
    return code


class Failure(Exception):
    """Something a person must read; the app cannot run."""


def environment(port: int, instance: Path) -> dict[str, str]:
    """Our environment plus what the demo needs; whatever is set already wins."""
    env = dict(os.environ)
    env.setdefault("APP_ENV", "demo")
    env["PORT"] = str(port)
    env["PYTHONUNBUFFERED"] = "1"
    env.setdefault("INSTANCE_PATH", str(instance))
    env.setdefault("PUBLIC_URL", f"http://{HOST}:{port}")
    if env["APP_ENV"] == "demo":
        peer = free_port(port + 1)
        env.setdefault("STRIPE_API_BASE", f"http://{HOST}:{peer}")
        env.setdefault("STRIPE_API_KEY", "sk_test_demo")
        env.setdefault("STRIPE_WEBHOOK_SECRET", "whsec_demo")
        env["DEMO_PROVIDERS_PORT"] = str(peer)
    return env


def start(children: list[Child], port: int, env: dict[str, str], logs: Path) -> None:
    """Start web and worker, and in the demo the fake providers."""
    workers = 2 * (os.cpu_count() or 1)
    web = ["-m", "gunicorn", "wsgi:app", "--bind", f"{HOST}:{port}", "--workers", str(workers)]
    web += ["--worker-class", "sync", "--timeout", "60", "--no-control-socket"]
    flask = ["-m", "flask", "--app", "wsgi"]
    plan = {"web": web, "worker": [*flask, "worker"]}
    if env["APP_ENV"] == "demo":
        plan["providers"] = [*flask, "demo", "providers", "--port", env["DEMO_PROVIDERS_PORT"]]
    for name, arguments in plan.items():
        command = [sys.executable, *arguments]
        children.append(Child(name, command, cwd=ROOT, env=env, log=logs / f"{name}.log"))


def step(
    title: str, module: str, arguments: list[str], env: dict[str, str], children: list[Child]
) -> None:
    """Run one command to its end; it is stopped with us like any other child."""
    print(f"{title} …", flush=True)
    child = Child(title, [sys.executable, "-m", module, *arguments], cwd=ROOT, env=env)
    children.append(child)
    if child.wait() != 0:
        raise Failure(f"{title}: failed, see above.")
    children.remove(child)


def wait_until_healthy(url: str, children: list[Child]) -> None:
    """Poll /healthz until it answers; a child that dies meanwhile ends the wait."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        raise_if_one_died(children)
        if answers(url):
            return
        time.sleep(0.2)
    raise Failure(f"No answer from {url}/healthz in {START_LIMIT:.0f} s.\n{last_words(children)}")


def watch(children: list[Child]) -> None:
    """Stay until a child dies."""
    while True:
        raise_if_one_died(children)
        time.sleep(0.5)


def raise_if_one_died(children: list[Child]) -> None:
    """All run, or none does."""
    for child in children:
        if child.exit_code is not None:
            raise Failure(
                f"{child.last_words()}\n\nThe {child.name} process ended with code "
                f"{child.exit_code}; its words are above and in {child.log}. Stopping the rest."
            )


def last_words(children: list[Child]) -> str:
    """What each child said last."""
    return "\n".join(f"--- {child.name}\n{child.last_words(8)}" for child in children)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Failure(f"PORT must be a number from 1 to 65535, not {text!r}.")
    port = int(text)
    if not is_free(port):
        raise Failure(
            f"Port {port} is in use, perhaps by another copy of the app. Stop it, or choose "
            f"another port: PORT={port + 100} make run"
        )
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(first: int) -> int:
    """The first free port from here on."""
    for port in range(first, first + 50):
        if is_free(port):
            return port
    raise Failure(f"No free port between {first} and {first + 49}.")


def refuse_a_second_start(run_file: Path) -> None:
    """One copy a folder: two would share the queue and this file. A dead copy's file is removed."""
    try:
        url = json.loads(run_file.read_text())["url"]
    except (OSError, ValueError, KeyError):
        return
    if answers(url):
        raise Failure(f"The app of this folder is running already: {url}")
    run_file.unlink()


def answers(url: str) -> bool:
    """Whether the app says it is well."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def owns(run_file: Path) -> bool:
    """Whether the file is ours to remove: a second start that failed must not take the first's."""
    try:
        return bool(json.loads(run_file.read_text())["pid"] == os.getpid())
    except (OSError, ValueError, KeyError):
        return False


def sign_in_list(url: str, credentials: Path, env: dict[str, str]) -> str:
    """Where to go and whom to be: one line a role, one family, one bill."""
    lines = ["", f"Sổ Thu is running: {url}   (Ctrl-C stops it)", ""]
    if env["APP_ENV"] != "demo":
        return "\n".join(lines)
    try:
        who: dict[str, Any] = json.loads(credentials.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        lines += ["The demo's passwords are not on file; make demo-reset writes them anew.", ""]
        return "\n".join(lines)
    lines += [f"Staff: {url}/staff  (one click a role there, or a name and password from here)"]
    seen: set[str] = set()
    for person in who.get("staff", []):
        if person["role"] not in seen:
            seen.add(person["role"])
            name, password = person["username"], person["password"]
            school = person.get("school") or "–"
            lines.append(f"  {person['role']:<20} {school:<10} {name:<28} {password}")
    for family in who.get("parents", [])[:1]:
        lines += ["", f"Parents: {url}/", f"  {family['phone']}  code {family['activation_code']}"]
    for bill in who.get("bills", [])[:1]:
        amount = f"{bill['amount']:,}".replace(",", ".")
        lines += ["", f"A bill to pay ({amount} ₫): {url}/pay/{bill['pay_token']}"]
    lines += ["", f"Everybody else: {credentials}", ""]
    return "\n".join(lines)


def _on_signal(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
