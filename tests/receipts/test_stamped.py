"""Receipts printed by the thousand: the pages WeasyPrint would draw, to the dot."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from app import create_app
from app.config import Settings
from app.core.stamp import Datum, forms
from app.money.receipts import pdf
from app.money.receipts.queries import VoidNote
from tests.receipts.many import ordinary, receipts
from tests.receipts.papers import (
    ANH,
    UONG,
    child_with,
    content,
    dots,
    need_printing,
    page_words,
    texts,
)

ADDRESS = "https://sothu.example.vn"


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app without a database: a paper is drawn from its content alone."""
    need_printing()
    settings = Settings(
        app_env="test", instance_path=tmp_path_factory.mktemp("instance"), public_url=ADDRESS
    )
    return create_app(settings)


@pytest.fixture(autouse=True)
def _request(printer: Flask) -> Iterator[None]:
    with printer.test_request_context():
        yield


def stamped(papers: list[pdf.Paper], *, tagged: bool = True) -> tuple[bytes, pdf.Report]:
    """The file of some papers and what is said about it."""
    file = io.BytesIO()
    report = pdf.stamp_papers(papers, file, title="Biên lai tháng 11", tagged=tagged)
    return file.getvalue(), report


@pytest.mark.parametrize("tagged", [True, False])
def test_a_stamped_page_is_weasyprints_page_to_the_dot(tagged: bool, tmp_path: Path) -> None:
    papers = [pdf.Paper(one) for one in receipts(6, seed=21 + tagged, most_lines=5)]
    plain = pdf.print_papers(papers)

    made, report = stamped(papers, tagged=tagged)

    assert report.stamped >= 5, report.refused
    assert texts(made, tmp_path) == texts(plain, tmp_path)
    assert dots(made, tmp_path, "made") == dots(plain, tmp_path, "plain")


def test_the_comparison_of_dots_sees_a_letter_moved_by_a_hundredth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [pdf.Paper(one) for one in ordinary(3, seed=5)]
    stamped(papers)
    right, _report = stamped(papers)
    number = forms.number
    monkeypatch.setattr(forms, "number", lambda value: number(value + 0.4))

    wrong, _report = stamped(papers)

    assert texts(wrong, tmp_path) == texts(right, tmp_path)
    assert dots(wrong, tmp_path, "wrong") != dots(right, tmp_path, "right")


def test_pages_come_in_order_and_every_code_leads_to_its_own_receipt(tmp_path: Path) -> None:
    contents = list(ordinary(40, seed=3))

    made, report = stamped([pdf.Paper(one) for one in contents])

    assert (report.pages, report.stamped) == (40, 40)
    for text, one in zip(texts(made, tmp_path), contents, strict=True):
        assert f"TH01-26 / {one.number:06d}" in text
        assert one.children[0].full_name in text
    pages = sorted(tmp_path.glob("page-*.ppm")) or dots(made, tmp_path, "page")
    for page, one in zip(pages, contents, strict=True):
        image = Image.open(io.BytesIO(page) if isinstance(page, bytes) else page)
        (code,) = zxingcpp.read_barcodes(image)
        assert code.text == f"{ADDRESS}/check/{one.check_code}"


ODD = {
    "an emoji": {"payer": "Phạm Thị Ngà 🌸"},
    "a letter of another script": {"payer": "王小明"},
    "marks that do not compose": {"payer": "Alăng Thị Ơ̆"},
    "a blank before": {"payer": " Phạm Thị Ngà"},
    "two blanks": {"payer": "Phạm  Thị Ngà"},
    "an invisible sign": {"payer": "Phạm\N{ZERO WIDTH SPACE}Thị Ngà"},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_cannot_be_stamped_for_certain_is_drawn_by_weasyprint_in_its_place(
    odd: str, tmp_path: Path
) -> None:
    papers = [pdf.Paper(one) for one in ordinary(3, seed=8)]
    papers[1] = pdf.Paper(replace(papers[1].content, **ODD[odd]))

    made, report = stamped(papers)

    assert (report.pages, report.stamped, report.refused.total()) == (3, 2, 1)
    assert texts(made, tmp_path) == texts(pdf.print_papers(papers), tmp_path)


def test_void_receipts_many_pages_and_brothers_keep_their_look(tmp_path: Path) -> None:
    note = VoidNote(None, "Nhập sai người nộp", "MN01-26 / 000413")
    papers = [
        pdf.Paper(content(number=1), note),
        pdf.Paper(content(UONG, ANH, number=2)),
        pdf.Paper(content(child_with(24), number=3)),
        pdf.Paper(content(number=4), initials_only=True),
    ]
    plain = pdf.print_papers(papers)

    made, report = stamped(papers)

    assert report.pages == len(texts(plain, tmp_path))
    assert dots(made, tmp_path, "made") == dots(plain, tmp_path, "plain")


def test_a_page_that_would_differ_is_drawn_by_weasyprint_and_the_layout_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf.forget_layouts()
    papers = [pdf.Paper(one) for one in ordinary(4, seed=9)]
    monkeypatch.setattr(forms, "number", lambda value: b"1")

    made, report = stamped(papers)

    pdf.forget_layouts()
    assert (report.pages, report.stamped) == (4, 0)
    assert texts(made, tmp_path) == texts(pdf.print_papers(papers), tmp_path)


def test_what_is_kept_of_a_layout_says_nothing_about_anybody() -> None:
    pdf.forget_layouts()
    papers = [pdf.Paper(one) for one in ordinary(6, seed=10)]
    stamped(papers)

    kept = repr(
        [
            (key, shape.variants, [p.pieces for p in shape.paragraphs])
            for key, shape in pdf.engine().known_shapes()
        ]
    )

    assert "Nội dung thu" not in kept  # texts are kept as glyphs, so the names are sought as such
    for paper in papers:
        child = paper.content.children[0]
        assert child.full_name not in kept
        assert paper.content.reference not in kept
        for face in pdf.engine().faces.all():
            written = face.set(child.full_name)[1].decode("latin-1").split("\n")[-1]
            assert written not in kept


def test_a_tagged_file_says_its_text_in_reading_order(tmp_path: Path) -> None:
    made, _report = stamped([pdf.Paper(content(number=7))])
    (tmp_path / "one.pdf").write_bytes(made)

    done = subprocess.run(
        ["pdfinfo", "-struct-text", str(tmp_path / "one.pdf")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Syntax" not in done.stderr
    said = " ".join(done.stdout.split())
    places = [said.index(text) for text in ("Phạm Thị Ngà", "Tiền ăn bán trú", "Người thu tiền")]
    assert places == sorted(places)
    assert "Table" in done.stdout
    assert "Figure" in done.stdout


def test_a_datum_can_be_shown_and_nothing_else() -> None:
    datum = Datum("Phạm Thị Ngà")

    with pytest.raises(TypeError):
        str(datum)
    with pytest.raises(TypeError):
        f"{datum}"


def test_a_paper_that_is_printed_again_says_that_it_is_a_copy(tmp_path: Path) -> None:
    made, _report = stamped([pdf.Paper(content(), is_copy=True)])

    assert "BẢN SAO" in page_words(made, tmp_path, 1)
