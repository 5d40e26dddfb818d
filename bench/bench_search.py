"""Finding a child among 33,000: the indexed words against a plain LIKE scan over the names."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from app.core import scope
from app.core.db import execute, rows, transaction
from app.core.text import fold
from app.demo.names import Names
from app.people.students import queries, search
from bench.ground import standing

CHILDREN = 33_000
TODAY = date(2026, 11, 24)
QUERIES = 40


def _rename(rng: random.Random) -> None:
    """Give the children of the ground names as people have them."""
    names = Names(rng)
    ids = [child.id for child in rows("select id from students order by id")]
    for student_id in ids:
        name = names.child(names.family(), names.sex())
        execute(
            "update students set full_name = :name, search_key = :key where id = :id",
            name=name,
            key=fold(name),
            id=student_id,
        )
    search.index_words(ids)


def _queries(rng: random.Random) -> list[str]:
    """Whole names, names without their middle, beginnings, and one that a third of all carry."""
    names = [child.search_key for child in rows("select search_key from students")]
    found = []
    for _query in range(QUERIES):
        words = rng.choice(names).split()
        found.append(
            rng.choice(
                [
                    " ".join(words),
                    f"{words[0]} {words[-1]}",
                    " ".join(words[-2:]),
                    f"{' '.join(words[:-1])} {words[-1][:2]}",
                ]
            )
        )
    return [*found, "nguyen"]


def _scan(text: str) -> list[int]:
    words = fold(text).split()
    where = " and ".join(f"' ' || s.search_key like :w{n}" for n in range(len(words)))
    return [
        child.id
        for child in rows(
            f"select s.id from students s where {where} order by s.sort_key, s.code limit 200",
            **{f"w{n}": f"% {word}%" for n, word in enumerate(words)},
        )
    ]


def _whole_scan(text: str) -> list[int]:
    """The whole answer of the product, class and school included, found by LIKE."""
    words = fold(text).split()
    where = " and ".join(f"' ' || s.search_key like :w{n}" for n in range(len(words)))
    return [
        child.student_id
        for child in rows(
            f"{queries._COLUMNS} {queries._FROM} and {where} order by s.sort_key, s.code limit 200",
            today=TODAY,
            **{f"w{n}": f"% {word}%" for n, word in enumerate(words)},
        )
    ]


def _times(find: Callable[[str], list[int]], asked: list[str]) -> list[float]:
    times = []
    for text in asked:
        started = time.perf_counter()
        find(text)
        times.append(time.perf_counter() - started)
    return times


def run() -> Iterator[dict[str, Any]]:
    """The median of both ways over the same queries; the scan only names who fits."""
    rng = random.Random(7)
    with standing(CHILDREN):
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            _rename(rng)
        with scope.opened(scope.EVERY_SCHOOL):
            execute("analyze")
            asked = _queries(rng)
            for text in asked[:3]:
                assert set(search.find_ids(text, limit=200)) == set(_scan(text)), text
            ours = _times(lambda text: search.find_ids(text, limit=200), asked)
            scans = _times(_scan, asked)
            answers = _times(
                lambda text: [c.student_id for c in queries.search_area(text, TODAY)], asked
            )
            whole = _times(_whole_scan, asked)
    for name, found, reference in (
        (
            "a name found among 33,000 children, against a LIKE scan that only names them",
            ours,
            scans,
        ),
        ("the same with class and school, against a scan in that query", answers, whole),
    ):
        ratio = statistics.median(reference) / statistics.median(found)
        yield {
            "name": f"{name} by LIKE, median",
            "value": round(statistics.median(found) * 1000, 2),
            "unit": "ms",
            "reference": round(statistics.median(reference) * 1000, 2),
            "ratio": round(ratio, 1),
            "target": 20.0,
            "ok": ratio >= 20.0,
            "slowest": round(max(found) * 1000, 1),
        }
