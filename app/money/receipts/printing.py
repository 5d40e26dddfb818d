"""Printing many receipts: asked for in a moment, drawn by the worker, left and found again.

What is to be printed is fixed when it is asked for. A receipt that was in a printing before is
printed as a copy. A worker that is killed leaves nothing half done: another draws the whole anew,
which takes seconds, and originals stay originals.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import IO, Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock, jobs
from app.core.db import MOMENT, execute, in_chunks, own_school, row, rows, transaction
from app.core.errors import DomainError
from app.core.model import db
from app.core.text import name_sort_key
from app.money.receipts import pdf, queries
from app.money.receipts.content import read_content
from app.money.receipts.errors import NothingToPrint, PrintGone, PrintNotFound
from app.money.receipts.models import ReceiptPrint
from app.money.receipts.queries import ReceiptRow

KIND: Final = "receipts.print"
#: papers drawn while the page waits; more are drawn by the worker
AT_ONCE: Final = 12
#: so many papers are read at once, and drawn between two words about the progress: those that
#: cannot be stamped take a second each, and a job that is silent for a minute is taken for dead
STEP: Final = 25
#: how long a file with names and sums is kept
KEPT: Final = timedelta(days=1)
BUNDLES: Final = ("file", "classes", "single")
ORDERS: Final = ("class", "number")


@dataclass(frozen=True, slots=True)
class Choice:
    """What of some days is to be printed, and how."""

    first: date
    last: date
    class_name: str = ""
    order: str = "class"
    bundle: str = "file"
    only_new: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """The receipts of some days, counted for the page that asks."""

    count: int
    void: int
    printed: int
    classes: tuple[tuple[str, int], ...]


def offer(school_id: int, first: date, last: date) -> Offer:
    """How many receipts these days have, in which classes, and how many were printed before."""
    found = queries.receipts_between(school_id, first, last)
    counted: dict[str, int] = {}
    for receipt in found:
        name = _class_of(receipt)
        counted[name] = counted.get(name, 0) + 1
    return Offer(
        len(found),
        sum(receipt.state != "live" for receipt in found),
        len(_printed_before(school_id, [receipt.id for receipt in found])),
        tuple(sorted(counted.items(), key=lambda one: _class_key(one[0]))),
    )


def ask(school_id: int, choice: Choice, *, actor: audit.Actor, now: datetime) -> int:
    """Ask for the receipts of some days; gives the printing's number.

    Refuses a choice nothing falls under. The caller commits, then calls `draw` where `is_short`.
    """
    found = queries.receipts_between(school_id, choice.first, choice.last)
    if choice.class_name:
        found = [receipt for receipt in found if _class_of(receipt) == choice.class_name]
    if choice.only_new:
        known = _printed_before(school_id, [receipt.id for receipt in found])
        found = [receipt for receipt in found if receipt.id not in known]
    if choice.order == "class":
        found.sort(key=_class_order)
    title = f"{choice.first:%d/%m/%Y}–{choice.last:%d/%m/%Y}"
    if choice.first == choice.last:
        title = f"{choice.first:%d/%m/%Y}"
    if choice.class_name:
        title += f" · {choice.class_name}"
    return _ask(school_id, found, title, choice.bundle, actor=actor, now=now)


def ask_one(school_id: int, receipt_id: int, *, actor: audit.Actor, now: datetime) -> int:
    """Ask for one receipt. The caller commits."""
    receipt = queries.get_receipt(school_id, receipt_id)
    return _ask(school_id, [receipt], receipt.full_number, "file", actor=actor, now=now)


def _ask(
    school_id: int,
    found: Sequence[ReceiptRow],
    title: str,
    bundle: str,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    if not found or bundle not in BUNDLES:
        raise NothingToPrint
    # Of two printings asked for at once, one is the first; the other's papers are copies.
    own_school(school_id)
    ids = [receipt.id for receipt in found]
    copies = len(_printed_before(school_id, ids))
    print_id = int(
        db.session.scalar(
            insert(ReceiptPrint)
            .values(
                school_id=school_id,
                title=title[:120],
                bundle=bundle,
                total=len(ids),
                copies=copies,
                receipt_ids=json.dumps(ids),
                requested_by=actor.name,
                requested_at=now,
            )
            .returning(ReceiptPrint.id)
        )
        or 0
    )
    for chunk in in_chunks(ids):
        execute(
            "insert into receipt_printings (school_id, receipt_id, print_id)"
            " select school_id, id, :print_id from receipts"
            " where school_id = :school_id and id in :ids",
            school_id=school_id,
            print_id=print_id,
            ids=chunk,
        )
    audit.record(
        "receipt.print",
        f"receipt_print:{print_id}",
        cause=f"{len(ids)} papers, {copies} copies",
        actor=actor,
        school_id=school_id,
        now=now,
    )
    if len(ids) > AT_ONCE:
        _enqueue(school_id, print_id, now=now)
    return print_id


def draw_again(school_id: int, print_id: int, *, now: datetime) -> None:
    """Draw a printing anew whose worker gave up or that was refused. The caller commits."""
    found = get_print(school_id, print_id)
    if found.is_running or (found.finished_at is not None and found.refusal is None):
        # A file that was thrown away is asked for anew: its papers are copies then.
        return
    execute(
        "update receipt_prints set refusal = null, finished_at = null"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=print_id,
    )
    _enqueue(school_id, print_id, now=now)


def _enqueue(school_id: int, print_id: int, *, now: datetime) -> None:
    payload = {"school_id": school_id, "print_id": print_id}
    job_id = jobs.enqueue(KIND, payload, school_id=school_id, now=now)
    execute(
        "update receipt_prints set job_id = :job where school_id = :school_id and id = :id",
        school_id=school_id,
        id=print_id,
        job=job_id,
    )


@jobs.handles(KIND)
def print_receipts(payload: dict[str, Any]) -> None:
    """Draw a printing that was asked for; run a second time it changes nothing."""

    def tell(done: int, total: int) -> None:
        with transaction():
            jobs.progress(int(payload["job_id"]), done, total)

    draw(int(payload["school_id"]), int(payload["print_id"]), tell=tell)


def draw(school_id: int, print_id: int, *, tell: Any = None) -> None:
    """Draw a printing and keep its file for a day; a stored paper that changed stops all of it."""
    asked = row(
        "select bundle, title, receipt_ids, finished_at from receipt_prints"
        " where school_id = :school_id and id = :id",
        types={"finished_at": MOMENT},
        school_id=school_id,
        id=print_id,
    )
    if asked is None:
        raise PrintNotFound
    if asked.finished_at is not None:
        return
    ids: list[int] = json.loads(asked.receipt_ids)
    with tempfile.TemporaryFile() as file:
        try:
            papers = _papers(school_id, print_id, ids, tell)
            stamped = _bundle(asked.bundle, f"Biên lai {asked.title}", papers, file)
        except DomainError as refusal:
            _finish(school_id, print_id, refusal=refusal.message)
            return
        file.seek(0)
        _finish(school_id, print_id, file=file.read(), stamped=stamped)


def _finish(
    school_id: int,
    print_id: int,
    *,
    file: bytes | None = None,
    stamped: int | None = None,
    refusal: str | None = None,
) -> None:
    with transaction():
        execute(
            "update receipt_prints set file = :file, stamped = :stamped, refusal = :refusal,"
            " finished_at = :now"
            " where school_id = :school_id and id = :id and finished_at is null",
            school_id=school_id,
            id=print_id,
            file=file,
            stamped=stamped,
            refusal=refusal,
            now=clock.now(),
        )


def _papers(
    school_id: int, print_id: int, ids: Sequence[int], tell: Any
) -> Iterator[tuple[ReceiptRow, pdf.Paper]]:
    """The papers in order, read as they are needed; raises ContentChanged."""
    for start in range(0, len(ids), STEP):
        step = ids[start : start + STEP]
        if tell:
            tell(start, len(ids))
        found = {receipt.id: receipt for receipt in queries.receipts_of(school_id, step)}
        copies = _printed_before(school_id, step, before=print_id)
        ordered = [found[receipt_id] for receipt_id in step]
        yield from zip(
            ordered, pdf.papers_of(school_id, ordered, copies=frozenset(copies)), strict=True
        )


def _bundle(
    bundle: str, title: str, papers: Iterator[tuple[ReceiptRow, pdf.Paper]], file: IO[bytes]
) -> int:
    """Write one PDF, or a zip of a PDF a class or a receipt; gives how many were stamped."""
    if bundle == "file":
        return pdf.stamp_papers((paper for _receipt, paper in papers), file, title=title).stamped
    stamped = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        for name, group in _files(bundle, papers):
            with tempfile.TemporaryFile() as one:
                stamped += pdf.stamp_papers(group, one, title=name.removesuffix(".pdf")).stamped
                one.seek(0)
                packed.writestr(name, one.read())
    return stamped


def _files(
    bundle: str, papers: Iterator[tuple[ReceiptRow, pdf.Paper]]
) -> Iterator[tuple[str, list[pdf.Paper]]]:
    if bundle == "single":
        for receipt, paper in papers:
            folder = _file_name(_class_of(receipt))
            yield f"{folder}/{receipt.series}-{receipt.number:06d}.pdf", [paper]
        return
    classes: dict[str, list[pdf.Paper]] = {}
    for receipt, paper in papers:
        classes.setdefault(_class_of(receipt), []).append(paper)
    for name, group in classes.items():
        yield f"{_file_name(name)}.pdf", group


def _file_name(name: str) -> str:
    return "".join("-" if sign in '/\\:*?"<>|' else sign for sign in name) or "khac"


def _class_of(receipt: ReceiptRow) -> str:
    children = read_content(receipt.content).children
    return children[0].class_name if children else ""


def _class_key(name: str) -> tuple[int, str]:
    """Classes by their grade, then as written; papers without a class come last."""
    digits = "".join(sign for sign in name.partition("/")[0] if sign.isdigit())
    return (int(digits) if digits else 99 if not name else 0, name)


def _class_order(receipt: ReceiptRow) -> tuple[tuple[int, str], str, int]:
    children = read_content(receipt.content).children
    name = name_sort_key(children[0].full_name) if children else ""
    return _class_key(_class_of(receipt)), name, receipt.id


def _printed_before(school_id: int, ids: Sequence[int], *, before: int | None = None) -> set[int]:
    """Which of these receipts were in a printing, or in one asked for before another."""
    found: set[int] = set()
    for chunk in in_chunks(ids):
        printings = rows(
            "select receipt_id, min(print_id) as first from receipt_printings"
            " where school_id = :school_id and receipt_id in :ids group by receipt_id",
            school_id=school_id,
            ids=chunk,
        )
        found |= {one.receipt_id for one in printings if before is None or one.first < before}
    return found


def is_copy(school_id: int, receipt_id: int) -> bool:
    """Whether a receipt was printed on paper before."""
    return bool(_printed_before(school_id, [receipt_id]))


# Printings


@dataclass(frozen=True, slots=True)
class PrintRow:
    """A printing; `has_file` while its file is kept."""

    id: int
    title: str
    bundle: str
    total: int
    copies: int
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    stamped: int | None
    refusal: str | None
    has_file: bool
    job_state: str | None
    done: int

    @property
    def is_running(self) -> bool:
        """Whether a worker draws it or will."""
        return self.finished_at is None and self.job_state in ("queued", "running")

    @property
    def is_zip(self) -> bool:
        """Whether its file holds several PDFs."""
        return self.bundle != "file"


_PRINTS: Final = (
    "select p.id, p.title, p.bundle, p.total, p.copies, p.requested_by, p.requested_at,"
    " p.finished_at, p.stamped, p.refusal, case when p.file is null then 0 else 1 end as has_file,"
    " j.state as job_state, coalesce(j.done, 0) as done"
    " from receipt_prints p left join jobs j on j.id = p.job_id where p.school_id = :school_id"
)
_TYPES: Final = {"requested_at": MOMENT, "finished_at": MOMENT}


def get_print(school_id: int, print_id: int) -> PrintRow:
    """One printing of the school, or PrintNotFound."""
    found = row(f"{_PRINTS} and p.id = :id", types=_TYPES, school_id=school_id, id=print_id)
    if found is None:
        raise PrintNotFound
    return PrintRow(**found._asdict() | {"has_file": bool(found.has_file)})


def newest_prints(school_id: int, count: int = 8) -> list[PrintRow]:
    """The last printings, newest first."""
    found = rows(
        f"{_PRINTS} order by p.id desc limit :count",
        types=_TYPES,
        school_id=school_id,
        count=count,
    )
    return [PrintRow(**one._asdict() | {"has_file": bool(one.has_file)}) for one in found]


def print_file(school_id: int, print_id: int) -> bytes:
    """The file of a printing, or PrintGone."""
    found = row(
        "select file from receipt_prints where school_id = :school_id and id = :id",
        school_id=school_id,
        id=print_id,
    )
    if found is None or found.file is None:
        raise PrintGone
    return bytes(found.file)


def forget_files(school_id: int, *, now: datetime) -> None:
    """Throw away files older than a day: they are full of names. The caller commits."""
    execute(
        "update receipt_prints set file = null where school_id = :school_id"
        " and file is not null and finished_at < :before",
        school_id=school_id,
        before=now - KEPT,
    )
