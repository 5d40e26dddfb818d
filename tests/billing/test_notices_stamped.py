"""Notices printed by the class: the pages WeasyPrint would draw, to the dot."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from app import create_app
from app.config import Settings
from app.money.billing import notice_pdf
from app.people.schools import Level, SchoolInfo
from tests.billing.many_notices import many
from tests.receipts.papers import dots, need_printing, texts

SCHOOL = SchoolInfo(
    1,
    "TH001",
    Level.PRIMARY,
    1,
    "Trường Tiểu học Núi Thành",
    "TH Núi Thành",
    "1099124",
    "24 đường Minh Họa, phường Hòa Cường, Đà Nẵng",
    "",
    "UBND phường",
)


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app without a database: a notice is drawn from its words alone."""
    need_printing()
    return create_app(Settings(app_env="test", instance_path=tmp_path_factory.mktemp("instance")))


@pytest.fixture(autouse=True)
def _request(printer: Flask) -> Iterator[None]:
    with printer.test_request_context():
        yield


def test_two_stamped_notices_on_a_page_are_weasyprints_page_to_the_dot(tmp_path: Path) -> None:
    made = list(many(11, seed=4))
    plain = bytes(
        notice_pdf.lay_out(notice_pdf.pages_of(made, SCHOOL)).write_pdf(pdf_version="1.7")
    )
    file = io.BytesIO()

    report = notice_pdf.stamp_notices(made, SCHOOL, file)

    assert (report.pages, report.stamped) == (6, 6), report.refused
    assert texts(file.getvalue(), tmp_path) == texts(plain, tmp_path)
    pages = dots(file.getvalue(), tmp_path, "made")
    assert pages == dots(plain, tmp_path, "plain")
    codes = [
        code.text
        for page in pages
        for code in sorted(
            zxingcpp.read_barcodes(Image.open(io.BytesIO(page))),
            key=lambda code: code.position.top_left.y,
        )
    ]
    assert codes == [notice.qr_text for notice in made]
