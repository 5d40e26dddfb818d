"""One report, three writers: screen, paper and workbook say the same to those who may read it."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from app.core import press, scope
from app.core.db import transaction
from app.money.payments.models import Method
from app.people.access import Role, add_user, grant_membership
from tests.conftest import unavailable
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, MadeSchool, make_school, make_unit
from tests.reports import books as make

DAY = date(2026, 11, 20)
MONTH = "first=2026-11&last=2026-11"
_names = itertools.count(1)
SignIn = Callable[[int, Role], FlaskClient]


@pytest.fixture
def sign_in(context: Flask) -> SignIn:
    """A browser in which a member of staff with one role at one place is signed in."""

    def make_client(unit_id: int, role: Role) -> FlaskClient:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            user = add_user(
                f"person{next(_names)}",
                "Lê Thị Thu Hằng",
                password_hash="none",
                totp_secret=None,
                now=NOON,
            )
            grant_membership(user, unit_id, role, starts_on=OPENING, actor=ACCOUNTANT, now=NOON)
        client = context.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = str(user)
        return client

    return make_client


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    """Two classes; 2,148,000 of 3,820,000 collected, two payments of three without cash."""
    made = make_school()
    books = make.make_books(made, {"5/4": 3, "=2+3": 2}, english=1)
    for student, method in zip(
        books.classes["5/4"], (Method.TRANSFER, Method.CARD, Method.CASH), strict=True
    ):
        make.pay(made, [student], 716_000, on=DAY, method=method)
    return made


def text_of(pdf: bytes, tmp_path: Path) -> list[str]:
    """The pages of a file as words."""
    if shutil.which("pdftotext") is None:
        unavailable("pdftotext is not installed: apt-get install poppler-utils")
    (tmp_path / "paper.pdf").write_bytes(pdf)
    found = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "paper.pdf", "-"], capture_output=True, check=True
    )
    return found.stdout.decode().split("\f")[:-1]


def paper(client: FlaskClient, address: str) -> bytes:
    if press.why_unavailable():
        unavailable(f"papers cannot be drawn here: {press.why_unavailable()}")
    answer = client.get(address)
    assert answer.status_code == 200 and answer.mimetype == "application/pdf"
    return answer.data


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_principal_reads_the_collection(school: MadeSchool, sign_in: SignIn) -> None:
    page = sign_in(school.unit_id, Role.PRINCIPAL).get(f"/reports/collection?{MONTH}").text

    assert "3.820.000" in page and "2.148.000" in page and "1.672.000" in page
    assert "Tiếng Anh tăng cường" in page and "2/3" in page
    assert "Đã đối chiếu với sổ cái" in page
    assert "/reports/collection.pdf?first=2026-11" in page


def test_the_same_page_in_english(school: MadeSchool, sign_in: SignIn) -> None:
    page = sign_in(school.unit_id, Role.PRINCIPAL).get(f"/reports/collection?{MONTH}&lang=en").text

    assert "Extra English" in page and "3,820,000" in page and "Left to pay" in page


def test_the_month_may_be_named_as_other_pages_do(school: MadeSchool, sign_in: SignIn) -> None:
    client = sign_in(school.unit_id, Role.ACCOUNTANT)
    assert "3.820.000" in client.get("/reports/collection?period=2026-11").text
    assert "3.820.000" in client.get("/reports/collection").text
    assert "3.820.000" not in client.get("/reports/collection?period=2026-10").text


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("first=2026-12&last=2026-11", "Tháng cuối đứng trước tháng đầu"),
        ("first=2025-01&last=2026-11", "Chọn nhiều nhất 12 tháng"),
        ("first=2026-13", "Chọn một tháng trong danh sách"),
    ],
)
def test_months_that_make_no_report(
    school: MadeSchool, sign_in: SignIn, asked: str, answer: str
) -> None:
    client = sign_in(school.unit_id, Role.PRINCIPAL)
    page = client.get(f"/reports/collection?{asked}")
    assert page.status_code == 422 and answer in page.text
    assert client.get(f"/reports/collection.xlsx?{asked}").status_code == 422


def test_the_paper_has_everything_that_is_signed(
    school: MadeSchool, sign_in: SignIn, tmp_path: Path
) -> None:
    client = sign_in(school.unit_id, Role.PRINCIPAL)
    pages = text_of(paper(client, f"/reports/collection.pdf?{MONTH}"), tmp_path)

    first = words(pages[0])
    for part in (
        "UBND PHƯỜNG MINH HỌA",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập – Tự do – Hạnh phúc",
        "BÁO CÁO TỔNG HỢP THU THEO LỚP",
        "tháng 11/2026 · số tạm tính đến",
        "56,2 %",
        "2.148.000 / 3.820.000 đồng",
        "2 / 3 lượt nộp",
        "Đơn vị tính: đồng",
        "Hai triệu một trăm bốn mươi tám nghìn đồng chẵn.",
        "khớp với sổ cái",
        "Đà Nẵng, ngày … tháng … năm",
        "Người lập biểu",
        "Kế toán",
        "Hiệu trưởng",
        "Lê Thị Thu Hằng",
    ):
        assert part in first, part
    assert len(pages) == 3
    assert [f"Trang {n}/3" in page for n, page in enumerate(pages, 1)] == [True] * 3
    assert "Phụ lục 1. Theo khoản thu" in pages[1] and "Tiền ăn bán trú" in pages[1]


def test_the_head_repeats_and_the_total_stays_with_the_signatures(
    context: Flask, sign_in: SignIn, tmp_path: Path
) -> None:
    made = make_school()
    make.make_books(made, {f"{grade}/{n}": 1 for grade in range(1, 6) for n in range(1, 9)})
    client = sign_in(made.unit_id, Role.PRINCIPAL)

    pages = text_of(paper(client, f"/reports/collection.pdf?{MONTH}"), tmp_path)

    assert len(pages) == 5
    assert all("Theo bảng giá" in page and "STT" in page for page in pages[:3])
    assert all("Nước uống" in page and "STT" in page for page in pages[3:])
    assert "Cộng" not in pages[0]
    assert "5/8" in pages[1] and "Cộng" in pages[1] and "Hiệu trưởng" in pages[1]


def test_a_single_item_needs_no_annex(school: MadeSchool, sign_in: SignIn, tmp_path: Path) -> None:
    client = sign_in(school.unit_id, Role.PRINCIPAL)
    address = f"/reports/collection.pdf?{MONTH}&item=2&class_name=5/4"
    pages = text_of(paper(client, address), tmp_path)

    assert len(pages) == 1
    assert "chỉ lớp 5/4" in pages[0] and "chỉ khoản Tiền ăn bán trú" in pages[0]


def test_the_workbook_holds_numbers_and_texts_and_no_formula(
    school: MadeSchool, sign_in: SignIn
) -> None:
    client = sign_in(school.unit_id, Role.PRINCIPAL)
    content = client.get(f"/reports/collection.xlsx?{MONTH}").data

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names[:2] == ["Theo lớp", "Theo khoản thu"]
    rows = book.get_sheet_by_index(0).to_python()
    head = next(place for place, row in enumerate(rows) if row[0] == "Lớp")
    by_class = {row[0]: row[1:] for row in rows[head + 1 :]}
    assert set(by_class) == {"5/4", "=2+3", "Cộng"}
    assert by_class["5/4"][:6] == [3, 2_448_000, 180_000, 2_268_000, 2_148_000, 120_000]
    assert by_class["Cộng"][3:6] == [3_820_000, 2_148_000, 1_672_000]
    assert by_class["Cộng"][6] == pytest.approx(2_148_000 / 3_820_000)
    assert by_class["Cộng"][7:9] == [2, 3]

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == 5
        assert not any(re.search(rb"<f[ >]", parts.read(name)) for name in sheets)


def test_nothing_of_another_school_is_read(school: MadeSchool, sign_in: SignIn) -> None:
    other = make_school()
    make.make_books(other, {"9/9": 4})

    client = sign_in(other.unit_id, Role.PRINCIPAL)
    page = client.get(f"/reports/collection?{MONTH}&class_name=5/4").text

    assert "2.148.000" not in page and "3.820.000" not in page
    assert "2.864.000" in client.get(f"/reports/collection?{MONTH}").text


@pytest.mark.parametrize(
    ("role", "closed", "open_"),
    [
        (Role.PRINCIPAL, "/area", "/reports/collection"),
        (Role.CASHIER, "/reports/collection", None),
        (Role.OFFICER, "/reports/collection", "/area"),
        (Role.OFFICER, "/reports/collection.xlsx", "/area.xlsx"),
    ],
)
def test_a_role_reads_what_it_may(
    school: MadeSchool, sign_in: SignIn, role: Role, closed: str, open_: str | None
) -> None:
    client = sign_in(school.unit_id, role)
    assert client.get(closed).status_code == 403
    assert open_ is None or client.get(open_).status_code == 200


def test_the_officer_of_a_ward_sees_the_schools_of_the_ward(
    school: MadeSchool, sign_in: SignIn, tmp_path: Path
) -> None:
    ward = make_unit()
    own = make_school(under=ward)
    books = make.make_books(own, {"1/1": 2})
    make.pay(own, [books.students[0]], 716_000, on=DAY)
    make.pay(own, [books.students[1]], 716_000, on=DAY, method=Method.CASH)
    client = sign_in(ward, Role.OFFICER)

    page = client.get("/area?period=2026-11").text
    detail = client.get(f"/area/{own.code}?period=2026-11").text

    assert f"/area/{own.code}" in page and school.code not in page
    assert "50,0" in page and "1/2" in page and "1/1" in page
    assert "Không tiền mặt 50,0" in page
    assert "Tiền ăn bán trú" in detail and "Nguyễn Văn" not in detail
    assert client.get(f"/area/{school.code}").status_code == 404
    printed = text_of(paper(client, "/area.pdf?period=2026-11"), tmp_path)
    assert len(printed) == 1 and "1 TRƯỜNG, THÁNG 11/2026" in printed[0]
    assert "50,0" in printed[0] and "Trang 1/1" in printed[0]


def test_the_workbook_of_the_area(context: Flask, sign_in: SignIn) -> None:
    ward = make_unit()
    for size in (1, 2):
        books = make.make_books(make_school(under=ward), {"1/1": size})
        make.pay(books.school, [books.students[0]], 716_000, on=DAY)
    content = sign_in(ward, Role.OFFICER).get("/area.xlsx?period=2026-11").data

    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()

    assert rows[-1][:6] == ["Cộng", "", 3, 2_148_000, 1_432_000, 716_000]
    assert rows[-1][7:9] == [2, 2] and rows[-1][12] == 1
