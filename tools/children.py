"""Child processes that end with us: gracefully when asked, by force when they will not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# The child runs beside a watcher that reads our pipe. We close the pipe to stop it, and the
# kernel closes it for us when we are killed, so that no orphan keeps a port or a database.
GUARD = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
(read -r _ <&3; kill -$0 $child) 2>/dev/null &
watcher=$!
exec 3<&-
trap '' INT TERM HUP
wait $child
code=$?
kill $watcher 2>/dev/null
exit $code
"""


class Child:
    """One process, in a session of its own, with its output in a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        output: IO[bytes] | None = log.open("wb") if log else None
        try:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, str(int(stop_signal)), *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                cwd=cwd,
                env=None if env is None else dict(env),
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )
        finally:
            if output:
                output.close()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to end by itself; its exit code."""
        return self.process.wait(timeout)

    def ask_to_stop(self) -> None:
        """Close the pipe: the watcher sends the stop signal. Returns at once."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()

    def stop(self, timeout: float = 10) -> None:
        """Ask, wait, then kill whatever is left of the process group."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        # macOS calls an empty group forbidden, Linux calls it gone.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self, lines: int = 25) -> str:
        """The end of its output, for the person who must find out what went wrong."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def stop_all(children: Sequence[Child], timeout: float = 10) -> None:
    """Ask all at once, then see each one off."""
    deadline = time.monotonic() + timeout
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(max(0.1, deadline - time.monotonic()))
