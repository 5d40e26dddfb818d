"""Get a bare machine ready: virtual environment, pinned packages, system libraries. Stdlib only."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = (3, 11)

REQUIREMENTS = {
    "run": ["requirements.txt"],
    "lint": ["requirements.txt", "requirements-dev.txt"],
    "test": ["requirements.txt", "requirements-dev.txt"],
}

#: Debian package → the shared library it brings; WeasyPrint opens these by name
PDF_LIBRARIES = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
}
#: Debian package → programs, one of which must be there
TEST_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "poppler-utils": ("pdftotext",),
}
#: the same for Homebrew
MAC_FORMULAS = {"run": ["pango"], "test": ["pango", "poppler"]}
MAC_CHROME = Path("/Applications/Google Chrome.app")


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def main(purpose: str) -> None:
    """Prepare for `run`, `lint` or `test`; stops with a plain sentence when that cannot be done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(
            f"Python {wanted} or newer is needed; {sys.executable} is {sys.version.split()[0]}."
        )
    stamp = requirements_stamp(purpose)
    make_environment()
    install_packages(purpose, stamp)
    if purpose != "lint":
        install_system_packages(purpose)


def make_environment() -> None:
    """Create .venv, or create it anew when its Python is gone or the checkout has moved."""
    home = VENV / ".made-for"
    if VENV.exists():
        moved = home.exists() and home.read_text() != str(ROOT)
        if not moved and works([str(VENV_PYTHON), "-m", "pip", "--version"]):
            return
    try:
        import ensurepip  # noqa: F401 - Debian ships it apart, in python3-venv
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(f"Python's venv module is missing: apt-get install python3-venv (for {version})")
    say("Making the virtual environment .venv …")
    run_or_stop([sys.executable, "-m", "venv", "--clear", str(VENV)])
    home.write_text(str(ROOT))


def requirements_stamp(purpose: str) -> str:
    """Changes whenever the pins or the Python do."""
    text = sys.version + "".join((ROOT / name).read_text() for name in REQUIREMENTS[purpose])
    return hashlib.sha256(text.encode()).hexdigest()


def install_packages(purpose: str, stamp: str) -> None:
    """Install the pinned packages unless the same pins were installed before."""
    wanted = REQUIREMENTS[purpose][-1]
    done = VENV / f".installed-{wanted}"
    if done.exists() and done.read_text() == stamp:
        return
    say(f"Installing {wanted} into .venv (once; later starts skip this) …")
    started = time.monotonic()
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "-r", str(ROOT / wanted)]
    log, count = [], 0
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in pip.stdout or ():
            log.append(line)
            words = line.split()
            if line.startswith("Collecting"):
                count += 1
                say(f"  {count:3}  {words[1]}")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {count} packages …")
        code = pip.wait()
    except BaseException:  # Ctrl-C or TERM: pip must not go on behind our back
        pip.terminate()
        pip.wait()
        raise
    if code != 0:
        say("".join(log[-30:]))
        sys.exit(f"pip could not install {wanted}; the lines above say why.")
    done.write_text(stamp)
    say(f"  done in {time.monotonic() - started:.0f} s")


def install_system_packages(purpose: str) -> None:
    """Install the few libraries pip cannot bring. A failure is told and never stops the start."""
    if sys.platform == "darwin":
        tell_mac(purpose)
        return
    missing = [name for name, library in PDF_LIBRARIES.items() if not can_open(library)]
    if purpose == "test":
        missing += [
            name
            for name, programs in TEST_PROGRAMS.items()
            if not any(shutil.which(program) for program in programs)
        ]
    if not missing:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if not shutil.which("apt-get"):
        say(f"Missing system packages (Debian's names): {' '.join(missing)}")
    elif os.environ.get("NO_APT") == "1":
        say(f"NO_APT=1, so this is left to you: {line}")
    elif os.geteuid() == 0:
        apt([], line)
    elif shutil.which("sudo") and works(["sudo", "-n", "true"]):
        apt(["sudo", "-n"], line)
    else:
        say(f"Needs an administrator, so this is left to you: sudo {line}")
    still = [name for name, library in PDF_LIBRARIES.items() if not can_open(library)]
    if still:
        say(f"Without {' '.join(still)} the app starts, but PDF papers cannot be drawn.")


def apt(prefix: list[str], line: str) -> None:
    """Run the line; with a stale or empty package list, refresh the list and try once more."""
    say(" ".join(["$", *prefix, line]))
    options = ["-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=1"]
    options += ["-o", "Acquire::http::Timeout=20", "-o", "Dpkg::Use-Pty=0"]
    program, *rest = line.split()
    front = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", program, *options]
    if quietly([*front, *rest]):
        return
    say("  refreshing the package list …")
    quietly([*front, "update"])
    if not quietly([*front, *rest]):
        say("  apt-get failed; going on without.")


def tell_mac(purpose: str) -> None:
    """Name the Homebrew line; nothing is installed on a Mac behind its owner's back."""
    prefixes = [Path("/opt/homebrew/lib"), Path("/usr/local/lib")]
    absent = not any((prefix / "libpango-1.0.dylib").exists() for prefix in prefixes)
    if purpose == "test" and not shutil.which("pdftotext"):
        absent = True
    if absent:
        say(f"For PDF papers: brew install {' '.join(MAC_FORMULAS[purpose])}")
    if purpose == "test" and not MAC_CHROME.exists() and not shutil.which("chromium"):
        say("For the browser tests: brew install --cask google-chrome")


def can_open(library: str) -> bool:
    """Whether the dynamic loader finds the library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def works(command: list[str]) -> bool:
    """Whether the command ends well; its words are dropped."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def quietly(command: list[str]) -> bool:
    """Run; show the last lines only when it fails."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        say("".join(f"  {line}\n" for line in (result.stdout + result.stderr).splitlines()[-4:]))
    return result.returncode == 0


def run_or_stop(command: list[str]) -> None:
    """Run in the open; end with its exit code when it fails."""
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except KeyboardInterrupt:
        sys.exit(130)
