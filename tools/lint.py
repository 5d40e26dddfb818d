"""`make lint`: every check, all of them even when the first fails; one line a check at the end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS: dict[str, list[str]] = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy --strict": ["mypy"],
    "djlint": ["djlint", "templates", "--lint", "--quiet"],
}


def main() -> int:
    """Run all; 1 if any fails."""
    results = {}
    for name, command in CHECKS.items():
        started = time.monotonic()
        code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode
        results[name] = (code, time.monotonic() - started)
    print()
    for name, (code, seconds) in results.items():
        print(f"  {'ok  ' if code == 0 else 'FAIL'}  {name:<14} {seconds:5.1f} s")
    return int(any(code for code, _ in results.values()))


if __name__ == "__main__":
    sys.exit(main())
