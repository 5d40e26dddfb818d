"""`make run` as a newcomer uses it: it comes up, keeps its data, and leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0


class Run:
    """One `make run` without its set-up part, on an instance folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        env = {key: value for key, value in os.environ.items() if key != "APP_ENV"}
        env |= {"PORT": str(port), "INSTANCE_PATH": str(folder)}
        self.output = (folder.parent / "output.txt").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.serve"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )

    def wait_until_up(self) -> dict[str, object]:
        """What instance/run.json says, once it is there."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said()
            if (self.folder / "run.json").exists():
                found: dict[str, object] = json.loads((self.folder / "run.json").read_text())
                return found
            time.sleep(0.1)
        raise AssertionError(self.said())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the tests of this module: the second start must find the data of the first."""
    return tmp_path_factory.mktemp("home") / "instance"


@pytest.fixture
def run(instance: Path) -> Iterator[Run]:
    started = Run(instance, free_port())
    yield started
    if started.process.poll() is None:
        started.end()
    started.output.close()


def _answers(url: object) -> bool:
    with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
        return bool(answer.status == 200)


def _schools(instance: Path) -> list[str]:
    credentials = json.loads((instance / "demo-credentials.json").read_text(encoding="utf-8"))
    return [school["code"] for school in credentials["schools"]]


@pytest.mark.slow
def test_the_first_start_loads_the_demo_and_term_stops_everything(run: Run, instance: Path) -> None:
    told = run.wait_until_up()
    assert told["pid"] == run.process.pid
    assert _answers(told["url"])
    assert len(_schools(instance)) == 36
    family = run.family()
    assert len(family) >= 3

    assert run.end(signal.SIGTERM) == 0

    assert [process for process in family if process.is_running()] == []
    assert not (instance / "run.json").exists()
    assert "/staff" in run.said()


@pytest.mark.slow
def test_the_second_start_keeps_the_data_and_ctrl_c_stops_it(run: Run, instance: Path) -> None:
    written = (instance / "demo-credentials.json").stat().st_mtime_ns
    assert _answers(run.wait_until_up()["url"])
    assert (instance / "demo-credentials.json").stat().st_mtime_ns == written

    assert run.end(signal.SIGINT) == 0


@pytest.mark.slow
def test_when_a_process_dies_the_rest_stops_and_it_is_named(run: Run) -> None:
    run.wait_until_up()
    commands = {tuple(process.cmdline()): process for process in run.family()}
    commands[(sys.executable, "-m", "flask", "--app", "wsgi", "worker")].kill()

    assert run.process.wait(30) == 1
    assert "The worker process ended" in run.said()


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        started = Run(tmp_path / "instance", taken.getsockname()[1])
        assert started.process.wait(30) == 1
        assert "is in use" in started.said()
        started.output.close()
