"""A list of the whole area from the command line: counted, taken, and nothing the second time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows
from app.core.sheets import read_sheets
from app.people.schools import Level
from bench.people_list import HEADS, pupils, workbook
from tests.factories.schools import MadeSchool, make_school
from tests.factories.staff import set_clock

COUNTS = ("new", "changed", "unchanged", "doubtful", "refused")
Run = Callable[..., tuple[dict[str, Any], Any]]


@pytest.fixture
def schools(context: Flask, monkeypatch: pytest.MonkeyPatch) -> list[MadeSchool]:
    set_clock(monkeypatch)
    return [make_school(level=level) for level in (Level.PRIMARY, Level.NURSERY)]


@pytest.fixture
def run(app: Flask) -> Run:
    def import_file(*arguments: str) -> tuple[dict[str, Any], Any]:
        done = app.test_cli_runner().invoke(args=["students", "import", *arguments])
        return (json.loads(done.stdout) if done.exit_code == 0 else {}), done

    return import_file


def counted(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[key] for key in COUNTS)


def written(folder: Path, schools: list[MadeSchool], count: int, seed: int) -> str:
    path = folder / "khu-vuc.xlsx"
    path.write_bytes(workbook([(s.code, s.level) for s in schools], count, seed=seed))
    return str(path)


def test_an_area_is_rehearsed_taken_and_unchanged_after(
    schools: list[MadeSchool], run: Run, tmp_path: Path
) -> None:
    file = written(tmp_path, schools, 90, seed=11)
    looked, done = run(file)
    assert counted(looked) == (90, 0, 0, 0, 0)
    assert "90/90" in done.stderr
    assert _children(schools) == 0, "looking writes nothing"

    taken, _done = run(file, "--take")
    assert counted(taken) == (90, 0, 0, 0, 0)
    assert _children(schools) == 90

    again, _done = run(file, "--take")
    assert counted(again) == (0, 0, 90, 0, 0)
    assert _children(schools) == 90


def _children(schools: list[MadeSchool]) -> int:
    with scope.opened(scope.EVERY_SCHOOL):
        return len(
            rows("select id from enrolments where school_id in :ids", ids=[s.id for s in schools])
        )


def test_rows_left_out_come_back_mended(
    schools: list[MadeSchool], run: Run, tmp_path: Path
) -> None:
    lines = list(pupils([(s.code, s.level) for s in schools], 20, seed=12))
    for number, line in enumerate(lines):
        line[7] = f"999777{number:06d}"
    lines[3][1] = "KHONGCO"
    lines[5][5] = "31/02/2016"
    lines[7] = list(lines[6])
    file, bad = tmp_path / "a.csv", tmp_path / "bad.xlsx"
    file.write_text(
        "\n".join(
            ";".join("" if c is None else _text(c) for c in line) for line in [HEADS, *lines]
        ),
        "utf-8-sig",
    )
    answer, _done = run(str(file), "--take", "--bad-rows", str(bad))
    assert counted(answer) == (17, 0, 0, 1, 2)

    back = read_sheets(bad, "bad.xlsx")[0].rows
    assert [row[0] for row in back[1:]] == ["4", "6", "7"]
    assert back[0][-1] == "Lý do chưa nhập"
    assert all(row[-1] for row in back[1:])
    again, _done = run(str(bad))
    assert counted(again) == (0, 0, 1, 0, 2)


def _text(value: Any) -> str:
    return str(value) if not hasattr(value, "strftime") else value.strftime("%d/%m/%Y")


def test_one_school_needs_no_school_column(
    schools: list[MadeSchool], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "lop.csv"
    file.write_text("Họ và tên,Lớp,Ngày sinh,Giới tính\nAn Minh Họa,5/1,01/02/2016,Nam\n", "utf-8")
    _answer, done = run(str(file))
    assert done.exit_code == 1
    assert "cần một cột ghi mã trường" in done.stderr
    answer, _done = run(str(file), "--school", schools[0].code, "--take", "--no-open-classes")
    assert counted(answer) == (0, 0, 0, 0, 1)
    answer, _done = run(str(file), "--school", schools[0].code, "--take")
    assert counted(answer) == (1, 0, 0, 0, 0)
    assert answer["classes"] == [f"{schools[0].code} 5/1"]


def test_a_file_that_is_no_list_is_refused_whole(
    schools: list[MadeSchool], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "thu.csv"
    file.write_text("Kính gửi,ông\nbà,hiệu trưởng\n", "utf-8")
    _answer, done = run(str(file))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "thu.csv" in done.stderr
    _answer, done = run(str(file), "--school", "KHONGCO")
    assert done.exit_code == 1


def test_one_child_in_the_lists_of_two_schools_is_doubtful_at_the_second(
    schools: list[MadeSchool], run: Run, tmp_path: Path
) -> None:
    first, second = schools
    file = tmp_path / "hai.csv"
    head = "Mã trường,Họ và tên,Lớp,Ngày sinh,Giới tính,CCCD"
    child = "Âu Minh Họa,{},01/02/2021,Nam,001099777001"
    file.write_text(
        "\n".join(
            [head, f"{first.code},{child.format('1/1')}", f"{second.code},{child.format('Lớn 1')}"]
        ),
        "utf-8",
    )
    for options in ([], ["--take"], []):
        answer, _done = run(str(file), *options)
        assert answer["doubtful"] == 1
        assert answer["new"] + answer["unchanged"] == 1
