"""`make bench`: run bench/bench_*.py and print one JSON object a line for each figure."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(wanted: list[str]) -> int:
    """Each module has `run()`, which yields dicts; 1 if any of them says `"ok": false`."""
    modules = sorted(path.stem for path in (ROOT / "bench").glob("bench_*.py"))
    failed = False
    for name in modules:
        if wanted and not any(word in name for word in wanted):
            continue
        for figure in importlib.import_module(f"bench.{name}").run():
            failed = failed or figure.get("ok") is False
            print(json.dumps(figure, ensure_ascii=False), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
