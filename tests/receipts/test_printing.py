"""Printing many receipts: asked for, drawn by a worker, found again; a second print is a copy."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from app.core import clock, jobs, press, scope
from app.core.db import execute, transaction
from app.core.money import Vnd
from app.money import receipts
from app.money.payments import cash
from app.money.receipts import printing
from app.people.access import Role
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, make_school
from tests.factories.staff import Browser, signed_in, token, words
from tests.payments.books import assert_books_hold
from tests.receipts.papers import need_printing, page_sizes, words_of

pytestmark = [
    pytest.mark.usefixtures("context"),
    pytest.mark.skipif(press.why_unavailable() is not None, reason="no PDF libraries"),
]


def pay(child: Billed, amount: int, key: str) -> None:
    """A part of the bill paid in cash, which makes one receipt."""
    with scope.opened(scope.one_school(child.school.id)), transaction():
        cash.take_cash(
            child.school.id,
            requests=[child.request],
            ticked=list(child.lines),
            amount=Vnd(amount),
            given=Vnd(amount),
            payer="Nguyễn Thị Hòa",
            till_id=child.school.till_id,
            key=key,
            actor=ACCOUNTANT,
            now=clock.now(),
        )


@pytest.fixture
def child() -> Billed:
    """A child with three receipts of today."""
    found = billed_child()
    for part in range(3):
        pay(found, 10_000, f"print-{part}")
    return found


@pytest.fixture
def clerk(context: Flask, child: Billed) -> Browser:
    """The school's accountant."""
    return signed_in(context, child.school.unit_id, Role.ACCOUNTANT)


def send(clerk: Browser, **choice: str) -> int:
    """Ask for today's receipts; the number of the printing."""
    today = clock.today().isoformat()
    page = clerk.get("/receipts/prints")
    answer = clerk.post(
        "/receipts/prints",
        data={"csrf_token": token(page), "from": today, "to": today, **choice},
    )
    assert answer.status_code == 303, words(answer)
    return int(answer.location.rpartition("/")[2])


def test_the_receipts_of_some_days_become_one_file_in_order(
    child: Billed, clerk: Browser, tmp_path: Path
) -> None:
    need_printing()
    number = send(clerk)

    page = words(clerk.get(f"/receipts/prints/{number}"))
    file = clerk.get(f"/receipts/prints/{number}/file")

    assert "Mở tệp để in" in page
    assert file.mimetype == "application/pdf"
    assert len(page_sizes(file.data, tmp_path)) == 3
    said = words_of(file.data, tmp_path)
    found = [said.index(f"/ {number:06d} ") for number in (1, 2, 3)]
    assert found == sorted(found)
    assert "BẢN SAO" not in said
    assert_books_hold()


def test_what_was_printed_before_is_printed_as_a_copy_and_only_the_new_can_be_asked_for(
    child: Billed, clerk: Browser, tmp_path: Path
) -> None:
    need_printing()
    send(clerk)
    pay(child, 10_000, "print-new")

    again = clerk.get(f"/receipts/prints/{send(clerk)}/file").data
    assert words_of(again, tmp_path).count("BẢN SAO") == 3
    assert "3 đã in trước đây" not in words(clerk.get("/receipts/prints"))
    assert "4 đã in trước đây" in words(clerk.get("/receipts/prints"))

    pay(child, 10_000, "print-newer")
    fresh = clerk.get(f"/receipts/prints/{send(clerk, only_new='1')}/file").data
    assert len(page_sizes(fresh, tmp_path)) == 1
    assert "BẢN SAO" not in words_of(fresh, tmp_path)
    assert_books_hold()


@pytest.mark.parametrize(("bundle", "files"), [("classes", 1), ("single", 3)])
def test_classes_or_receipts_come_as_files_of_their_own(
    bundle: str, files: int, child: Billed, clerk: Browser, tmp_path: Path
) -> None:
    need_printing()
    answer = clerk.get(f"/receipts/prints/{send(clerk, bundle=bundle, order='number')}/file")

    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        assert len(packed.namelist()) == files
        pages = [len(page_sizes(packed.read(name), tmp_path)) for name in packed.namelist()]
    assert sum(pages) == 3


def test_a_worker_killed_in_the_middle_leaves_a_print_that_another_ends(
    child: Billed, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "AT_ONCE", 1)
    monkeypatch.setattr(printing, "STEP", 1)
    number = send(clerk)
    assert "Đang dựng biên lai" in words(clerk.get(f"/receipts/prints/{number}"))

    def killed(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(printing, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.run_one()
    page = words(clerk.get(f"/receipts/prints/{number}"))
    assert "Đang dựng biên lai" in page
    assert "2 /3" in page
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update jobs set heartbeat_at = :then where state = 'running'",
            then=clock.now() - timedelta(minutes=5),
        )
    jobs.reap()
    jobs.run_one()

    assert "Mở tệp để in" in words(clerk.get(f"/receipts/prints/{number}"))
    with scope.opened(scope.one_school(child.school.id)):
        assert printing.get_print(child.school.id, number).copies == 0
    assert_books_hold()


def test_a_paper_whose_seal_is_broken_stops_the_print_and_says_so(
    child: Billed, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(stored: str) -> str:
        return "0" * 64

    monkeypatch.setattr("app.money.receipts.queries.content_hash", changed)
    number = send(clerk)

    page = words(clerk.get(f"/receipts/prints/{number}"))
    assert "không khớp" in page
    assert "Chưa in tờ nào" in page
    assert clerk.get(f"/receipts/prints/{number}/file").status_code == 404

    monkeypatch.undo()
    again = clerk.post(
        f"/receipts/prints/{number}/again",
        data={"csrf_token": token(clerk.get(f"/receipts/prints/{number}"))},
    )
    assert again.status_code == 303
    jobs.run_one()
    assert clerk.get(f"/receipts/prints/{number}/file").status_code == 200


def test_the_desk_prints_one_receipt_and_the_second_print_is_a_copy(
    child: Billed, clerk: Browser, tmp_path: Path
) -> None:
    need_printing()
    with scope.opened(scope.one_school(child.school.id)):
        found, _count = receipts.list_receipts(child.school.id)
    csrf = token(clerk.get("/receipts/prints"))
    papers = []
    for _time in range(2):
        answer = clerk.post(f"/receipts/{found[0].id}/print", data={"csrf_token": csrf})
        papers.append(words_of(clerk.get(answer.location).data, tmp_path))

    assert ["BẢN SAO" in paper for paper in papers] == [False, True]
    shown = clerk.get(f"/receipts/{found[0].id}.pdf")
    assert "BẢN SAO" in words_of(shown.data, tmp_path)


def test_files_are_thrown_away_after_a_day(child: Billed, clerk: Browser) -> None:
    number = send(clerk)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        receipts.forget_files(child.school.id, now=clock.now() + timedelta(hours=25))

    assert clerk.get(f"/receipts/prints/{number}/file").status_code == 404
    page = clerk.get(f"/receipts/prints/{number}")
    assert "không còn giữ" in words(page)
    # Originals are not made a second time through the door for prints that failed.
    clerk.post(f"/receipts/prints/{number}/again", data={"csrf_token": token(page)})
    jobs.run_one()
    assert clerk.get(f"/receipts/prints/{number}/file").status_code == 404


def test_nothing_to_print_is_said_and_nothing_is_kept(context: Flask) -> None:
    school = make_school()
    clerk = signed_in(context, school.unit_id, Role.ACCOUNTANT)
    csrf = token(clerk.get("/receipts/series"))

    answer = clerk.post("/receipts/prints", data={"csrf_token": csrf, "from": "2026-09-01"})

    assert answer.status_code == 409
    assert "Không có biên lai nào" in words(answer)
    with scope.opened(scope.one_school(school.id)):
        assert printing.newest_prints(school.id) == []


def test_teachers_and_other_schools_find_no_prints(context: Flask, child: Billed) -> None:
    clerk = signed_in(context, child.school.unit_id, Role.ACCOUNTANT)
    number = send(clerk)
    other = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    teacher = signed_in(context, child.school.unit_id, Role.TEACHER)

    assert other.get(f"/receipts/prints/{number}").status_code == 404
    assert other.get(f"/receipts/prints/{number}/file").status_code == 404
    assert teacher.get("/receipts/prints").status_code == 403
