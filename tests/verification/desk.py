"""What a school and the office above do with batches: files out, marked, files in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.core import scope
from app.core.db import row, transaction
from app.core.sheets import Column, read_sheets, write_workbook
from app.people import students, verification
from app.people.students import Enrolled, Scheme
from app.people.verification import Kind, queries, results
from app.people.verification.files import FileExchange
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

TODAY = date(2026, 11, 24)
_next = iter(range(1, 100_000))


def fake_pin() -> str:
    """A number nobody has."""
    return f"001099{next(_next):06d}"


def school_with(*names: str, numbered: bool = True) -> tuple[MadeSchool, list[Enrolled]]:
    """A school whose children all have a number (or none)."""
    school = make_school()
    class_id = make_class(school)
    children = [
        new_student(
            class_id,
            name,
            identifiers=((Scheme.PIN, fake_pin(), "giấy khai sinh"),) if numbered else (),
        )
        for name in names
    ]
    return school, enrol(school, *children)


def here(school: MadeSchool) -> Any:
    return scope.opened(scope.one_school(school.id))


def state(student_id: int) -> str:
    with scope.opened(scope.EVERY_SCHOOL):
        found = row("select verification from students where id = :id", id=student_id)
    assert found is not None
    return str(found.verification)


def send(school: MadeSchool, kind: Kind = Kind.PUPILS, chosen: list[int] | None = None) -> int:
    with here(school), transaction():
        return verification.make_batch(school.id, kind, chosen=chosen, actor=ACCOUNTANT, now=NOON)


def file_of(school: MadeSchool, batch_id: int) -> list[list[Any]]:
    """The rows of the file as the office opens it, heading first."""
    with here(school):
        sent = FileExchange().write_batch(queries.rows_to_send(school.id, batch_id), name="x")
    return read_sheets(sent.body, sent.filename)[0].rows


def marked(
    table: list[list[Any]],
    answers: Mapping[str, tuple[str, ...]],
    *,
    extra: tuple[str, ...] = (),
    title: bool = False,
) -> bytes:
    """The office writes its answers beside the names: result, then values under `extra`."""
    head, *body = table
    written = [
        [*line, *answers.get(str(line[3]), ("",)), *[""] * len(extra)][: len(head) + 1 + len(extra)]
        for line in body
    ]
    heads = [*map(str, head), "Kết quả đối chiếu", *extra]
    if title:
        lines: list[list[Any]] = [["SỞ GIÁO DỤC VÀ ĐÀO TẠO"], ["Kết quả xác thực"], heads, *written]
        columns = [Column(""), *[Column("") for _head in heads[1:]]]
        return write_workbook(columns, lines)
    return write_workbook([Column(text) for text in heads], written)


def bring(
    school: MadeSchool, body: bytes, filename: str = "ket-qua.xlsx", kind: Kind = Kind.PUPILS
) -> verification.Taken:
    """Upload and take."""
    with here(school), transaction():
        upload = verification.upload(
            school.id,
            kind,
            body,
            filename,
            exchange=FileExchange(),
            actor=ACCOUNTANT,
            now=NOON,
        )
        return verification.take(school.id, upload, actor=ACCOUNTANT, now=NOON)


def rehearse(school: MadeSchool, body: bytes, filename: str = "ket-qua.xlsx") -> results.Plan:
    with here(school):
        answers = FileExchange().read_result(body, filename)
        return results.rehearse(school.id, Kind.PUPILS, answers)


def rename(school: MadeSchool, student_id: int, name: str) -> None:
    with here(school), transaction():
        students.correct_many(
            [students.Correction(student_id, students.IdentityField.FULL_NAME, name)],
            origin=students.Origin.HAND,
            reason="theo giấy khai sinh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )


def breaches() -> list[str]:
    """What the invariants of this room find."""
    from app.people.verification.invariants import INVARIANTS

    with scope.opened(scope.EVERY_SCHOOL):
        return [f"{i.number}: {line}" for i in INVARIANTS for line in i.find()]
