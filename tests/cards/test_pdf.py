"""Cards on paper: text stays text, codes are read by a scanner, and nothing else is told."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from app.core import press, scope
from app.core.db import execute, scalar, transaction
from app.people.cards import jobs, pdf, queries
from app.people.cards.models import Layout
from tests.conftest import unavailable
from tests.factories.cards import TODAY, agree, asked, carded, child, pictured
from tests.factories.people import make_class
from tests.factories.schools import MadeSchool, make_school

NAMES = ("Nguyễn Thị Ỷ Ẫm", "Lê Hữu Ưỡng", "Trần Đặng Quỳnh Như Ngọc Bảo Châu Anh Thư Lê Ái Vỹ")


@pytest.fixture(autouse=True)
def _can_print() -> None:
    if press.why_unavailable():
        unavailable(f"WeasyPrint needs {press.PACKAGES}")
    if shutil.which("pdftotext") is None:
        unavailable("poppler-utils is not installed: apt-get install poppler-utils")


@pytest.fixture
def here(context: Flask) -> Iterator[MadeSchool]:
    school = make_school()
    with context.test_request_context(), scope.opened(scope.one_school(school.id)):
        yield school


def text_of(file: bytes, *options: str) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", *options, "-", "-"], input=file, capture_output=True, check=True
    )
    return done.stdout.decode()


def pages_of(file: bytes, folder: Path, dpi: int = 200) -> list[Image.Image]:
    (folder / "cards.pdf").write_bytes(file)
    subprocess.run(
        ["pdftoppm", "-png", "-r", str(dpi), folder / "cards.pdf", folder / "page"], check=True
    )
    return [Image.open(page) for page in sorted(folder.glob("page*.png"))]


def draw(school: MadeSchool, card_ids: list[int], layout: Layout = Layout.SINGLE) -> pdf.Drawn:
    return pdf.draw(school.id, card_ids, year_id=school.year_id, layout=layout, today=TODAY)


def codes_in(page: Image.Image) -> set[tuple[str, str]]:
    return {(found.format.name, found.text) for found in zxingcpp.read_barcodes(page)}


def test_a_card_says_who_and_no_more(here: MadeSchool) -> None:
    class_id = make_class(here, "3/2")
    children = [child(here, class_id, name) for name in NAMES]
    text = text_of(draw(here, carded(here, *children)).file)

    flat = re.sub(r"\s+", " ", text)
    for name in NAMES:
        assert name in flat
    for who in children:
        assert f"{who.code[:3]}-{who.code[3:6]}-{who.code[6:]}" in text
    assert "Lớp 3/2 · năm học 2026–2027" in text
    assert text.count("THẺ HỌC SINH") == 3
    assert "Trường Tiểu học Minh Họa" in text
    assert "14/03/2018" not in text and "2018" not in text
    assert "0905" not in text


@pytest.mark.parametrize("dpi", [200, 300, 600])
def test_both_codes_are_read_from_the_print(here: MadeSchool, tmp_path: Path, dpi: int) -> None:
    who = child(here, make_class(here))
    card_ids = carded(here, who)
    (card,) = queries.cards_to_print(here.id, card_ids, here.year_id)
    (page,) = pages_of(draw(here, card_ids).file, tmp_path, dpi)

    assert codes_in(page) == {
        ("QRCode", pdf.address_of(card.token)),
        ("Code128", who.code),
    }
    assert page.size == pytest.approx((85.6 / 25.4 * dpi, 54 / 25.4 * dpi), abs=1.1)


def test_ten_cards_stand_on_a_sheet_and_all_are_read(here: MadeSchool, tmp_path: Path) -> None:
    class_id = make_class(here)
    children = [child(here, class_id, f"Nguyễn Hoài An {letter}") for letter in "ABCDEFGHIJK"]
    card_ids = carded(here, *children)
    pages = pages_of(draw(here, card_ids, Layout.A4).file, tmp_path)

    assert [len(codes_in(page)) for page in pages] == [20, 2]
    assert {text for _kind, text in codes_in(pages[0]) if len(text) == 9} == {
        who.code for who in children[:10]
    }


def test_a_photo_is_printed_only_with_consent(here: MadeSchool) -> None:
    with_photo, without = (child(here, make_class(here), name) for name in NAMES[:2])
    agree(here, with_photo)
    pictured(here, with_photo)
    card_ids = carded(here, with_photo, without)

    both = draw(here, card_ids)
    alone = draw(here, card_ids[1:])

    assert len(both.photos) == 1 and not alone.photos
    assert b"/DCTDecode" in both.file and b"/DCTDecode" not in alone.file
    assert "L. H. Ư." in text_of(alone.file)


def test_the_school_is_named_as_on_the_day(here: MadeSchool) -> None:
    with transaction():
        execute(
            "update school_details set valid_to = '2026-12-01' where school_id = :id", id=here.id
        )
        execute(
            "insert into school_details (school_id, name, short_name, address, parent_name,"
            " valid_from) values (:id, 'Trường Tiểu học Tên Mới', 'TH Tên Mới', 'Đà Nẵng',"
            " 'UBND phường', '2026-12-01')",
            id=here.id,
        )
    card_ids = carded(here, child(here, make_class(here)))

    def named(day: date) -> bool:
        drawn = pdf.draw(here.id, card_ids, year_id=here.year_id, layout=Layout.SINGLE, today=day)
        return "Trường Tiểu học Tên Mới" in text_of(drawn.file)

    assert (named(date(2026, 11, 30)), named(date(2026, 12, 1))) == (False, True)


def test_a_long_printing_is_one_file_and_can_be_run_again(
    here: MadeSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 2)
    class_id = make_class(here)
    children = [child(here, class_id, f"Nguyễn Hoài An {letter}") for letter in "ABC"]
    agree(here, children[0])
    pictured(here, children[0])
    printing = asked(here, *children, in_background=True)
    job_id = scalar("select job_id from card_prints where id = :id", id=printing.print_id)
    payload = {
        "school_id": here.id,
        "print_id": printing.print_id,
        "card_ids": printing.card_ids,
        "year_id": here.year_id,
        "job_id": job_id,
    }

    for _time in range(2):
        jobs.print_cards(payload)

    found = queries.get_print(here.id, printing.print_id)
    assert (found.done, found.total, found.has_file) == (3, 3, True)
    text = text_of(queries.print_file(here.id, printing.print_id))
    assert [text.count(f"Nguyễn Hoài An {letter}") for letter in "ABC"] == [1, 1, 1]
    assert scalar("select max(printed) from cards where school_id = :id", id=here.id) == 1


def test_a_photo_withdrawn_while_it_is_drawn_never_reaches_the_file(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    agree(here, who)
    pictured(here, who)
    printing = asked(here, who)
    drawn = draw(here, printing.card_ids)
    with transaction():
        execute("delete from student_photos where school_id = :id", id=here.id)
    payload = {"card_ids": printing.card_ids, "year_id": here.year_id}

    assert not jobs.finish(here.id, printing.print_id, payload, drawn.file, drawn.photos)
    assert not queries.get_print(here.id, printing.print_id).has_file
