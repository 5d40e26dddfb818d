"""The paper notice: what is due, in figures and words, with a QR for exactly that."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import press, scope
from app.core.money import Vnd
from app.money import billing
from app.money.billing import notice_pdf, notices, vietqr
from app.money.billing.errors import NothingToPrint
from app.money.billing.queries import InvoiceRow
from app.people.access import Role
from app.people.schools import school_info
from tests.conftest import unavailable
from tests.factories.billing import (
    CARE,
    DECEMBER,
    IN_DECEMBER,
    NOVEMBER,
    WATER,
    SmallSchool,
    grant,
    issue,
    small_school,
)
from tests.factories.staff import set_clock, signed_in

BOTH = CARE + WATER


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)
    if press.why_unavailable():
        unavailable(f"papers cannot be drawn here: {press.why_unavailable()}")


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture
def accountant(context: Flask, made: SmallSchool) -> FlaskClient:
    return signed_in(context, made.school.unit_id, Role.ACCOUNTANT)


def pages(pdf: bytes, folder: Path) -> list[str]:
    if shutil.which("pdftotext") is None:
        unavailable("pdftotext is not installed: apt-get install poppler-utils")
    (folder / "notice.pdf").write_bytes(pdf)
    found = subprocess.run(
        ["pdftotext", "-raw", folder / "notice.pdf", "-"], capture_output=True, check=True
    )
    return [re.sub(r"\s+", " ", page) for page in found.stdout.decode().split("\f")[:-1]]


def halved(made: SmallSchool) -> InvoiceRow:
    """The December bill of a child whose care was halved in between; November is still open."""
    child = made.children[0]
    issue(made.id)
    grant(made.id, child.enrolment_id, made.half)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    with scope.opened(scope.one_school(made.id)):
        return billing.invoices_of(made.id, child.student_id)[0]


def class_name(made: SmallSchool) -> str:
    with scope.opened(scope.one_school(made.id)):
        return billing.invoices_of(made.id, made.children[0].student_id)[0].class_name


def test_two_notices_a_page(made: SmallSchool, accountant: FlaskClient, tmp_path: Path) -> None:
    issue(made.id)

    answer = accountant.get(f"/notices.pdf?period=2026-11&class_name={class_name(made)}")
    first, second = pages(answer.data, tmp_path)

    assert answer.mimetype == "application/pdf"
    assert "Nguyễn Gia An" in first and "Trần Bảo Châu" in first and "cắt theo đường này" in first
    assert "Lê Minh Đạt" in second
    assert first.count("276.000") == 4
    assert "Hai trăm bảy mươi sáu nghìn đồng chẵn" in first
    assert "Nhà nước chi trả 100 %" in first and "Thứ Hai 30/11/2026" in first


def test_older_bills_are_asked_for_too(
    made: SmallSchool, accountant: FlaskClient, tmp_path: Path
) -> None:
    newest = halved(made)
    with scope.opened(scope.one_school(made.id)):
        (request,) = billing.requests_of(made.id, newest.student_id)
        due = billing.due(request)

    (page,) = pages(accountant.get(f"/notices.pdf?invoice_id={newest.id}").data, tmp_path)

    assert due == Vnd(2 * BOTH - CARE)
    assert "292.000" in page and request.reference in page
    assert "giảm 50 %" in page and "trả lại" in page
    assert "Các phiếu trước còn lại 276.000" in page  # 16.000 + 276.000 = 292.000


def test_the_qr_carries_account_amount_and_code(made: SmallSchool) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bills, _count = billing.list_invoices(made.id, NOVEMBER)
        printed = notices.words_of(made.id, bills)

    codes = [vietqr.read(notice.qr_text) for notice in printed]

    assert [code.purpose for code in codes] == [notice.reference for notice in printed]
    assert {code.amount for code in codes} == {Vnd(BOTH)}
    assert {code.account for code in codes} == {made.school.account_number}
    assert len(printed) == 3


def test_every_line_names_its_act(
    made: SmallSchool, accountant: FlaskClient, tmp_path: Path
) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        lines = billing.lines_of(made.id, [bill.id])

    (page,) = pages(accountant.get(f"/notices.pdf?invoice_id={bill.id}").data, tmp_path)

    assert lines and all(line.legal_act in page for line in lines)
    assert "Căn cứ: 1" in page


@pytest.mark.parametrize(
    ("count", "acts", "sheets"),
    [(1, 1, 1), (6, 2, 1), (9, 3, 1), (10, 1, 1), (13, 1, 1), (20, 6, 2)],
)
def test_the_fullest_notice_ends_above_the_line_where_it_is_cut(
    made: SmallSchool, tmp_path: Path, count: int, acts: int, sheets: int
) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        (notice,) = notices.words_of(made.id, [bill])
        school = school_info(made.id, IN_DECEMBER.date())
    act = "Nghị quyết số {}/2026/NQ-HĐND ngày 12/07/2026 của Hội đồng nhân dân thành phố Đà Nẵng"
    row = notices.Row("Chăm sóc bán trú", "giảm 50 %", "1 tháng", "260.000", "130.000")
    lines = tuple(replace(row, act=act.format(n % acts)) for n in range(count))
    named = notices.acts_of(lines)
    full = replace(notice, rows=lines, acts=named, density=notices.density_of(lines, named))
    pdf = notice_pdf.lay_out(notice_pdf.pages_of([full, full], school)).write_pdf()
    if shutil.which("pdftotext") is None:
        unavailable("pdftotext is not installed: apt-get install poppler-utils")
    (tmp_path / "full.pdf").write_bytes(pdf)
    boxes = subprocess.run(
        ["pdftotext", "-bbox", tmp_path / "full.pdf", "-"], capture_output=True, check=True
    ).stdout.decode()

    # The last word of each notice, and the line along which two are cut apart.
    ends = [float(end) for end in re.findall(r'yMax="([0-9.]+)">hưởng\.</word>', boxes)]
    cuts = [float(top) for top in re.findall(r'yMin="([0-9.]+)"[^>]*>cắt</word>', boxes)]

    assert (len(ends), boxes.count("<page "), len(cuts)) == (2, sheets, 2 - sheets)
    assert ends[0] < (cuts or [830])[0] and ends[1] < 830


def test_the_message_says_the_words_of_the_paper(
    made: SmallSchool, accountant: FlaskClient, tmp_path: Path
) -> None:
    bill = halved(made)
    with scope.opened(scope.one_school(made.id)):
        (request,) = billing.requests_of(made.id, bill.student_id)
        message = notices.write_message(made.id, bill, day=IN_DECEMBER.date())
        (paper,) = notices.words_of(made.id, [bill])

    for row in paper.rows:
        assert row.name in message and f"= {row.amount} ₫" in message
    assert f"Phải nộp: {paper.total} ₫ ({paper.words})" in message
    assert f"nội dung giữ nguyên: {request.reference}" in message
    assert f"/{request.token} " in message and paper.due_on in message
    assert "giảm 50 %" in message and "Trường không bao giờ hỏi mật khẩu hay mã OTP." in message
    assert message in html.unescape(accountant.get(f"/invoices/{bill.id}").text)


def test_a_paid_bill_has_no_message(context: Flask, made: SmallSchool) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        paid = replace(bill, open=Vnd(0))
        with pytest.raises(NothingToPrint):
            notices.write_message(made.id, paid, day=IN_DECEMBER.date())


def test_a_paid_bill_has_no_notice(made: SmallSchool, accountant: FlaskClient) -> None:
    assert accountant.get("/notices.pdf?period=2026-11").status_code == 409


def test_a_whole_school_is_too_many(
    made: SmallSchool, accountant: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(made.id)
    monkeypatch.setattr(notice_pdf, "MOST", 2)

    answer = accountant.get("/notices.pdf?period=2026-11")

    assert answer.status_code == 409 and "Chọn một lớp" in answer.text


def test_no_paper_of_another_school(context: Flask, made: SmallSchool) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
    stranger = signed_in(context, small_school(1).school.unit_id, Role.ACCOUNTANT)

    assert stranger.get(f"/notices.pdf?invoice_id={bill.id}").status_code == 404
