"""Table files of every kind come in as the same rows, and hostile ones stay outside."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from flask import Flask

from app import create_app
from app.config import Settings
from app.core.sheets import Column, SheetRefused, read_sheets, write_workbook
from tests.core.hostile_files import (
    ODS_CELL,
    Hostile,
    cell,
    excel,
    hostile_files,
    ods_table,
    open_document,
    row,
    sheet,
    words,
)

TABLE = [
    ["Họ và tên", "Lớp", "Số"],
    ["Nguyễn Thị Hoà", "5/4", "0905123456"],
    ["Đặng Ưng", "5/10", "001099000001"],
]
HOSTILE = list(hostile_files())


def as_text(separator: str = ";") -> str:
    return "\r\n".join(separator.join(line) for line in TABLE) + "\r\n"


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app for its words only; files know no database."""
    folder = tmp_path_factory.mktemp("speaking")
    url = f"sqlite:///{folder / 'none.db'}"
    return create_app(Settings(database_url=url, app_env="test", instance_path=folder))


@pytest.fixture(autouse=True)
def _language(speaking: Flask) -> Iterator[None]:
    with speaking.test_request_context():
        yield


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_every_usual_form(separator: str, encoding: str) -> None:
    assert read_sheets(as_text(separator).encode(encoding))[0].rows == TABLE


def test_text_of_a_vietnamese_windows() -> None:
    # cp1258 writes many tones as a sign of its own after the vowel.
    raw = (
        "Họ và tên;Lớp\r\nNguyễn Thị Hoà;5/4\r\nĐặng Ưng;5/10\r\n".translate(
            {
                ord("ọ"): "o\u0323",
                ord("ớ"): "ơ\u0301",
                ord("ễ"): "ê\u0303",
                ord("ị"): "i\u0323",
                ord("ặ"): "ă\u0323",
            }
        )
    ).encode("cp1258")
    assert read_sheets(raw)[0].rows == [line[:2] for line in TABLE]


def test_quotes_may_hold_lines_and_separators() -> None:
    assert read_sheets(b'a;b\n"x;1\ny";"say ""hi"""\n')[0].rows[1] == ["x;1\ny", 'say "hi"']


def test_a_workbook_we_wrote_comes_back_as_text_and_days() -> None:
    raw = write_workbook(
        [Column("Lớp"), Column("Ngày", is_text=False), Column("Công thức")],
        [["5/4", date(2015, 9, 1), "=1+1"], ["05/10", None, "0905123456"]],
    )
    assert read_sheets(raw)[0].rows == [
        ["Lớp", "Ngày", "Công thức"],
        ["5/4", date(2015, 9, 1), "=1+1"],
        ["05/10", None, "0905123456"],
    ]


def test_a_workbook_of_another_program() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["x"])
    page.append(["Hoa\u0300", 12, 1.5, True, date(2015, 9, 1)])
    file = io.BytesIO()
    book.save(file)
    # Letters put together of two are one afterwards.
    assert read_sheets(file.getvalue())[0].rows == [
        ["x", None, None, None, None],
        ["Hoà", 12, 1.5, True, date(2015, 9, 1)],
    ]


def test_an_old_workbook() -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    page = book.add_sheet("A")
    for line, values in enumerate(TABLE):
        for place, value in enumerate(values):
            page.write(line, place, value)
    file = io.BytesIO()
    book.save(file)
    assert read_sheets(file.getvalue())[0].rows == TABLE


def test_an_open_document() -> None:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{value}</text:p>'
            "</table:table-cell>"
            for value in line
        )
        + "</table:table-row>"
        for line in TABLE
    )
    assert read_sheets(open_document(ods_table(rows.encode())))[0].rows == TABLE


def test_empty_rows_and_columns_at_the_end_are_nothing_and_the_first_row_keeps_its_number() -> None:
    raw = excel(
        sheet(
            row(3, words("A3", "a"))
            + row(5, words("A5", "b"), b'<c r="F5" s="1"/>')
            + b'<row r="1048576" ht="20"/>'
        )
    )
    found = read_sheets(raw)[0]
    assert (found.first_row, found.rows) == (3, [["a"], [None], ["b"]])


def test_errors_in_cells_are_shown_and_not_lost() -> None:
    cells = words("A1", "Lê An"), b'<c r="B1" s="1" t="e"><f>VLOOKUP(A1,Z:Z,1)</f><v>#N/A</v></c>'
    (found,) = read_sheets(excel(sheet(row(1, *cells, cell("C1")))))
    assert found.rows == [["Lê An", "#N/A", 1]]

    error = (
        b'<table:table-cell table:formula="of:=NA()" office:value-type="string"'
        b' office:string-value=""><text:p>#N/A</text:p></table:table-cell>'
    )
    rows = b"<table:table-row>" + ODS_CELL + error + b"</table:table-row>"
    (found,) = read_sheets(open_document(ods_table(rows)))
    assert found.rows == [["x", "#N/A"]]


def test_a_formula_that_gives_an_empty_word_is_an_empty_cell() -> None:
    empty = b'<c r="B1" t="str"><f>IF(A1&gt;1,"a","")</f><v></v></c>'
    (found,) = read_sheets(excel(sheet(row(1, cell("A1"), empty, cell("C1")))))
    assert found.rows == [[1, None, 1]]


def test_a_long_list_whose_rows_carry_no_number_is_taken() -> None:
    raw = excel(sheet(b"<row><c><v>1</v></c></row>" * 55_000))
    assert len(read_sheets(raw)[0].rows) == 55_000


def test_a_group_of_rows_is_not_a_row() -> None:
    rows = b"<table:table-row>" + ODS_CELL + b"</table:table-row>"
    group = b'<table:table-row-group number-rows-repeated="90000">' + rows
    (found,) = read_sheets(open_document(ods_table(group + b"</table:table-row-group>")))
    assert found.rows == [["x"]]


def test_a_false_extent_costs_nothing() -> None:
    raw = excel(
        sheet(row(1, words("A1", "a"))).replace(
            b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'
        )
    )
    assert read_sheets(raw)[0].rows == [["a"]]


def test_there_are_enough_hostile_files() -> None:
    assert len(HOSTILE) >= 60
    assert len({file.name for file in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("file", [pytest.param(h, id=h.name) for h in HOSTILE])
def test_a_hostile_file_is_refused_at_once_and_leaves_nothing(file: Hostile) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    started = time.monotonic()
    with pytest.raises(SheetRefused) as refusal:
        read_sheets(file.data)
    took = time.monotonic() - started
    assert refusal.value.reason == file.reason
    assert len(refusal.value.message) > 20
    # The bound is the promise made to people, not a measure of the machine.
    assert took < 2
    left = {path for path in set(Path(tempfile.gettempdir()).iterdir()) - before if path.is_file()}
    assert left == set()


def test_the_cell_to_blame_is_named() -> None:
    with pytest.raises(SheetRefused) as refusal:
        read_sheets(next(h.data for h in HOSTILE if h.name == "a formula with an empty result"))
    assert "C7" in refusal.value.message
