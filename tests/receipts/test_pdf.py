"""Receipts as paper: every letter, every page, and nothing fetched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from app import create_app
from app.config import Settings
from app.core import press, qr
from app.money.receipts import pdf
from app.money.receipts.queries import VoidNote
from tests.receipts.papers import (
    ANH,
    LINES,
    UONG,
    child_with,
    content,
    names_in,
    need_printing,
    page_sizes,
    page_words,
    pictures_of,
    words_of,
)

A5_LANDSCAPE = (210, 148)
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


def test_every_vietnamese_letter_and_figure_is_there(tmp_path: Path) -> None:
    text = words_of(pdf.print_papers([pdf.Paper(content())]), tmp_path)

    for piece in (
        "TRƯỜNG MẦM NON SAO BIỂN",
        "Mã QHNS: 1099123",
        "Mẫu số C45-BB",
        "(Ban hành kèm theo Thông tư số 24/2024/TT-BTC)",
        "BIÊN LAI THU TIỀN",
        "Ngày 24 tháng 11 năm 2026",
        "Quyển số: 01/2026",
        "MN01-26 / 000412",
        "Phạm Thị Ngà",
        "24 đường Sơn Tùng, Đà Nẵng",
        "Nguyễn Hữu Ưỡng · lớp Lớn 2",
        "123-456-780 · năm học 2026-2027",
        "Chuyển khoản, 24/11/2026 08:13",
        "HP7K3M9Q5 · phiếu tháng 11/2026",
        "Trả lại ngày nghỉ",
        "−35.000",
        "−70.000",
        "735.000",
        "971.000",
        "Chín trăm bảy mươi mốt nghìn đồng chẵn.",
        "K7QW 2MDX",
        "sothu.example.vn/check",
        "Liền sau biên lai 000411 · dấu chuỗi 9F3A 71C0",
        "Bản thể hiện của chứng từ điện tử",
        "Người nộp tiền",
        "Người thu tiền",
        "24/11/2026 08:14:07",
    ):
        assert piece in text, piece
    assert "minh họa" not in text


def test_the_page_is_a5_drawn_and_carries_the_check_code_as_qr(tmp_path: Path) -> None:
    paper = pdf.print_papers([pdf.Paper(content())])

    assert page_sizes(paper, tmp_path) == [A5_LANDSCAPE]
    page = Image.open(pictures_of(paper, tmp_path, "pdftoppm", "-r", "60")[0]).convert("RGB")
    dark = sum(sum(pixel) < 380 for pixel in page.get_flattened_data())
    assert 0.02 < dark / (page.width * page.height) < 0.25
    red = sum(r > 180 and g < 150 and b < 140 for r, g, b in page.get_flattened_data())
    assert red > 60, "the red margin is drawn"
    picture = Image.open(pictures_of(paper, tmp_path, "pdfimages")[0]).convert("L")
    assert _modules(picture) == qr.matrix(f"{ADDRESS}/check/K7QW2MDX")


def _modules(picture: Image.Image) -> tuple[tuple[bool, ...], ...]:
    """The modules of a QR picture, its quiet zone left out."""
    count = len(qr.matrix(f"{ADDRESS}/check/K7QW2MDX"))
    step = picture.width // (count + 2 * qr.QUIET)
    return tuple(
        tuple(
            picture.getpixel(((x + qr.QUIET) * step + step // 2, (y + qr.QUIET) * step + step // 2))
            < 128
            for x in range(count)
        )
        for y in range(count)
    )


@pytest.mark.parametrize("count", [1, 6, 8, 10])
def test_up_to_ten_lines_stand_on_one_page(count: int, tmp_path: Path) -> None:
    paper = pdf.print_papers([pdf.Paper(content(child_with(count)))])

    assert page_sizes(paper, tmp_path) == [A5_LANDSCAPE]
    text = words_of(paper, tmp_path)
    assert f"Khoản thu {count}" in text
    assert "mang sang" not in text


@pytest.mark.parametrize("count", [11, 15, 24, 27, 40, 90])
def test_more_lines_carry_their_sum_over(count: int, tmp_path: Path) -> None:
    paper = pdf.Paper(content(child_with(count)))
    printed = pdf.print_papers([paper])

    sheets = pdf.pages_of(paper, ADDRESS)
    assert len(sheets) > 1
    assert page_sizes(printed, tmp_path) == [A5_LANDSCAPE] * len(sheets)
    for number, sheet in enumerate(sheets, start=1):
        text = page_words(printed, tmp_path, number)
        assert ("Cộng chuyển sang trang sau" in text) == (number < len(sheets))
        assert ("Cộng mang sang" in text) == (number > 1)
        assert ("Viết bằng chữ" in text) == (number == len(sheets))
        assert (f"trang {number}/{len(sheets)}" in text) == (number > 1)
        if sheet.carried_out:
            assert sheet.carried_out.text == sheets[number].carried_in.text
    whole = words_of(printed, tmp_path)
    assert all(f"Khoản thu {n} " in whole for n in range(1, count + 1))


def test_children_are_grouped_with_their_own_sums(tmp_path: Path) -> None:
    text = words_of(pdf.print_papers([pdf.Paper(content(UONG, ANH))]), tmp_path)

    assert "2 em, ghi trong bảng" in text
    assert "Nguyễn Hữu Ưỡng · lớp Lớn 2 · mã 123-456-780 · tháng 11/2026" in text
    assert "Đặng Thuỳ Ẫnh · lớp 4/1 · mã 987-654-320 · tháng 10/2026, 11/2026" in text
    assert "cộng 971.000" in text
    assert "cộng 925.000" in text
    assert "1.896.000" in text


def test_long_names_wrap_and_lose_no_word(tmp_path: Path) -> None:
    name = "Công Tằng Tôn Nữ Nguyễn Thị Phương Trường Hoàng Ưỡng Nghiễm Khuyên"
    line = LINES[1].__class__(
        "Tiền tổ chức hoạt động trải nghiệm và câu lạc bộ ngoài giờ chính khóa tại trường",
        "tháng 10/2026, nộp một phần",
        12,
        "tiết",
        25_000,
        300_000,
    )
    child = UONG.__class__(name, "123456780", "Mẫu giáo Lớn 2", "2026-2027", "9/2026", (line,) * 4)
    address = "Thôn Phú Sơn Tây, xã Hòa Khương, huyện Hòa Vang, thành phố Đà Nẵng"
    paper = pdf.Paper(content(child, payer=name.upper(), payer_address=address))

    printed = pdf.print_papers([paper])

    text = words_of(printed, tmp_path)
    for piece in (*name.split(), *name.upper().split(), *address.split(), *line.name.split()):
        assert piece.rstrip(",") in text, piece
    assert all(size == A5_LANDSCAPE for size in page_sizes(printed, tmp_path))


def test_the_paper_of_a_pay_link_names_nobody(tmp_path: Path) -> None:
    paper = pdf.Paper(content(UONG, ANH, collected_by="Đặng Thu Hà"), initials_only=True)

    text = words_of(pdf.print_papers([paper]), tmp_path)

    assert "N. H. Ư." in text
    assert "Đ. T. Â." in text
    assert "1.896.000" in text
    assert "Bản rút gọn" in text
    secrets = [name for name in names_in((UONG, ANH)) if len(name) > 2]
    secrets += ["Phạm", "Thị Ngà", "Sơn Tùng", "PHAM THI NGA", "123-456", "Lớn 2", "lớp", "Thu Hà"]
    secrets += [*(line.name for line in LINES), "giảm 50", "Nhà nước"]
    assert [secret for secret in secrets if secret in text] == []


def test_a_void_paper_says_so_and_names_what_replaces_it(tmp_path: Path) -> None:
    note = VoidNote(datetime(2026, 11, 25, tzinfo=UTC), "Sai tên người nộp", "MN01-26 / 000420")

    whole = words_of(pdf.print_papers([pdf.Paper(content(), note)]), tmp_path)
    short = words_of(pdf.print_papers([pdf.Paper(content(), note, True)]), tmp_path)

    for text in (whole, short):
        assert "HỦY ngày 25/11/2026" in text
        assert "Thay bằng biên lai số MN01-26 / 000420" in text
    assert "Sai tên người nộp" in whole
    assert "Sai tên người nộp" not in short


def test_sample_data_cash_and_replacement_are_marked(tmp_path: Path) -> None:
    paper = content(
        is_demo=True, collected_by="Đặng Thu Hà", method="Tiền mặt", replaces="MN01-26 / 000399"
    )

    text = words_of(pdf.print_papers([pdf.Paper(paper)]), tmp_path)

    assert "dữ liệu minh họa" in text
    assert "Đặng Thu Hà" in text
    assert "thay cho biên lai số MN01-26 / 000399" in text


def test_many_papers_are_one_file_in_their_order(tmp_path: Path) -> None:
    papers = [pdf.Paper(content(UONG if n % 3 else child_with(24), number=n)) for n in range(1, 26)]

    printed = pdf.print_papers(papers)

    pages = sum(len(pdf.pages_of(paper, ADDRESS)) for paper in papers)
    assert page_sizes(printed, tmp_path) == [A5_LANDSCAPE] * pages
    text = words_of(printed, tmp_path)
    places = [text.index(f"MN01-26 / {n:06d}") for n in range(1, 26)]
    assert places == sorted(places)
    assert text.count("Nguyễn Hữu Ưỡng") == 25


def test_typed_text_is_drawn_as_text_and_fetches_nothing(tmp_path: Path) -> None:
    hostile = '<img src="http://127.0.0.1:9/x"><b>Hà</b> <link href="file:///etc/passwd">'

    text = words_of(pdf.print_papers([pdf.Paper(content(payer=hostile))]), tmp_path)

    assert "<b>Hà</b>" in text


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/logo.png",
        "https://example.vn/logo.png",
        "file:///etc/passwd",
        "file://host/etc/logo.png",
        "data:image/png;base64,AAAA",
        "ftp://example.vn/a.css",
        "{root}/../requirements.txt",
        "{root}/css/%2e%2e/%2e%2e/pyproject.toml",
        "{root}/js/app.js",
        "{root}/css/none.css",
    ],
)
def test_the_engine_opens_nothing_but_bundled_files(url: str) -> None:
    root = press.static_folder()

    with pytest.raises(press.ForbiddenAddress):
        press.allowed_file(url.format(root=root.as_uri()), root)

    assert press.allowed_file(f"{root.as_uri()}/css/paper.css", root).name == "paper.css"


def test_a_machine_without_the_libraries_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    press._weasyprint.cache_clear()
    try:
        assert press.why_unavailable() == press.PACKAGES
        with pytest.raises(press.PdfUnavailable) as refusal:
            pdf.print_papers([pdf.Paper(content())])
        assert "libpango-1.0-0" in refusal.value.message
    finally:
        press._weasyprint.cache_clear()
