"""A thousand receipts with QR: stamped against WeasyPrint one by one; memory; an area's month.

Each measurement has a process of its own, so that its memory is its own. References are measured
in the same run: WeasyPrint, one document a receipt, of the same kind (tagged or not).
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import create_app
from app.config import Settings
from app.core import press
from app.money.receipts import pdf
from tests.receipts.many import ordinary

ONE_BY_ONE, MANY, CLASS, MONTH = 24, 1_000, 36, 36_000
BATCHED = 120
ADDRESS = "https://sothu.example.vn"


def _app(folder: Path) -> Any:
    return create_app(Settings(app_env="test", instance_path=folder, public_url=ADDRESS))


def _papers(count: int, seed: int = 7) -> list[pdf.Paper]:
    return [pdf.Paper(content) for content in ordinary(count, seed)]


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _plain(*, tagged: bool) -> float:
    """Seconds a receipt, each a document of its own."""
    papers = _papers(ONE_BY_ONE + 2)
    views = [pdf.pages_of(paper, ADDRESS) for paper in papers]
    for one in views[:2]:
        _write(one, tagged=tagged)
    started = time.perf_counter()
    for one in views[2:]:
        _write(one, tagged=tagged)
    return (time.perf_counter() - started) / ONE_BY_ONE


def _write(views: list[pdf.PageView], *, tagged: bool) -> None:
    document: Any = pdf.lay_out(views)
    document.write_pdf(pdf_variant="pdf/a-2u", pdf_tags=tagged)


def _stamp(count: int, folder: Path, *, tagged: bool) -> dict[str, float]:
    """Warm: the layouts were learned on other receipts, as in a process that printed before."""
    with (folder / "warm.pdf").open("wb") as file:
        pdf.stamp_papers(_papers(60, seed=11), file, title="warm", tagged=tagged)
    papers = (pdf.Paper(content) for content in ordinary(count, 7))
    made = _papers(count) if count <= MANY else papers
    started = time.perf_counter()
    with (folder / "many.pdf").open("wb") as file:
        report = pdf.stamp_papers(made, file, title="Biên lai", tagged=tagged)
    seconds = time.perf_counter() - started
    size = (folder / "many.pdf").stat().st_size
    return {
        "seconds": seconds,
        "bytes": size / report.pages,
        "stamped": report.stamped,
        "memory": _memory(),
    }


def _classes(first: int, count: int, folder: Path) -> dict[str, float]:
    """Classes of 36, a file each, from nothing learned."""
    started = time.process_time()
    pages = 0
    for number in range(first, first + count):
        with (folder / f"class-{number}.pdf").open("wb") as file:
            report = pdf.stamp_papers(_papers(CLASS, seed=number), file, title="Lớp", tagged=True)
        (folder / f"class-{number}.pdf").unlink()
        pages += report.pages
    return {"seconds": time.process_time() - started, "pages": pages, "memory": _memory()}


def _batch(count: int) -> float:
    papers = _papers(count)
    pdf.print_papers(papers[:2])
    started = time.perf_counter()
    pdf.print_papers(papers)
    return time.perf_counter() - started


def _work(asked: tuple[str, dict[str, Any]]) -> Any:
    name, options = asked
    with tempfile.TemporaryDirectory() as folder:
        app = _app(Path(folder))
        with app.test_request_context():
            if "folder" in options:
                options = {**options, "folder": Path(folder)}
            return globals()[name](**options)


def _alone(name: str, **options: Any) -> Any:
    """Run one measurement in a fresh process."""
    command = [sys.executable, "-m", "bench.bench_stamp", name, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run() -> Iterator[dict[str, Any]]:
    """Figures of printing; the targets are those the facts reached."""
    if press.why_unavailable():
        return
    for tagged, target in ((False, 80), (True, 50)):
        kind = "tagged" if tagged else "untagged"
        plain = _alone("_plain", tagged=tagged)
        stamped = _alone("_stamp", count=MANY, folder="", tagged=tagged)
        each = stamped["seconds"] / MANY
        yield {
            "name": f"1,000 receipts in one file, stamped, {kind}",
            "value": round(1 / each),
            "unit": "receipts/s",
            "reference": round(1 / plain, 1),
            "ratio": round(plain / each, 1),
            "target": target,
            "bytes_a_page": round(stamped["bytes"]),
            "memory_mb": stamped["memory"],
            "stamped": stamped["stamped"],
            "ok": plain / each >= target and stamped["bytes"] <= 5 * 1024,
        }
    plain = _alone("_plain", tagged=False)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_work, [("_batch", {"count": 20})] * 2, chunksize=1)
        started = time.perf_counter()
        seconds = pool.map(_work, [("_batch", {"count": BATCHED // 2})] * 2, chunksize=1)
        whole = time.perf_counter() - started
    yield {
        "name": "WeasyPrint in batches of ten, two processes",
        "value": round(BATCHED / max(seconds), 1),
        "unit": "receipts/s",
        "reference": round(1 / plain, 1),
        "ratio": round(BATCHED * plain / max(seconds), 1),
        "with_start": round(BATCHED * plain / whole, 1),
        "target": 3.5,
        "ok": BATCHED * plain / max(seconds) >= 3.5,
    }
    big = _alone("_stamp", count=MONTH, folder="", tagged=True)
    yield {
        "name": "36,000 receipts in one file, tagged: memory",
        "value": big["memory"],
        "unit": "MB",
        "seconds": round(big["seconds"], 1),
        "target": 150,
        "ok": big["memory"] < 150,
    }
    half = MONTH // CLASS // 2
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        halves = pool.map(
            _work,
            [("_classes", {"first": n, "count": half, "folder": ""}) for n in (0, half)],
            chunksize=1,
        )
    yield {
        "name": "36,000 receipts, tagged, a file a class, two processes",
        "value": round(time.perf_counter() - started, 1),
        "unit": "s",
        "work": round(sum(part["seconds"] for part in halves), 1),
        "memory_mb": max(part["memory"] for part in halves),
        "pages": sum(part["pages"] for part in halves),
        "target": 60,
        "ok": time.perf_counter() - started < 60,
    }


if __name__ == "__main__":
    print(json.dumps(_work((sys.argv[1], json.loads(sys.argv[2])))))
