"""What the office does in the browser: send, download, look, take, decide, prove; and who may."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar
from app.core.sheets import read_sheets
from app.people.access import Role
from app.people.schools import UnitKind
from app.people.students import Verification
from tests.factories.schools import MadeSchool, make_school, make_unit
from tests.factories.staff import Browser, set_clock, signed_in, token, words
from tests.verification.desk import (
    breaches,
    file_of,
    here,
    marked,
    rename,
    school_with,
    send,
    state,
)

AN, BINH, CHI = "Lê Hoài An", "Trần Văn Bình", "Phạm Thị Chi"
THEIRS = ("Họ tên theo dân cư",)


@pytest.fixture(autouse=True)
def _clock(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


def office(app: Flask, school: MadeSchool) -> Browser:
    return signed_in(app, school.unit_id, Role.ACCOUNTANT, name="Cô Xác Thực")


def csrf(client: Browser) -> dict[str, str]:
    return {"csrf_token": token(client.get("/verification"))}


def upload(client: Browser, body: bytes, name: str = "kq.xlsx") -> str:
    answer = client.post(
        "/verification/results", data={**csrf(client), "file": (BytesIO(body), name)}
    )
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def test_the_whole_way_through_the_browser(app: Flask) -> None:
    school, (an, binh, chi) = school_with(AN, BINH, CHI)
    client = office(app, school)
    assert "Gửi 3 người trong đợt mới" in words(client.get("/verification"))

    batch = client.post("/verification/batches", data=csrf(client)).location
    file = client.post(f"{batch}/file", data=csrf(client))
    assert file.headers["Content-Disposition"].startswith('attachment; filename="xac-thuc-')
    table = read_sheets(file.data, "x.xlsx")[0].rows
    assert len(table) == 4
    rename(school, chi.student_id, "Phạm Thị Chinh")

    body = marked(
        table,
        {AN: ("Khớp",), BINH: ("Sai lệch họ tên", "TRẦN VĂN BÍNH"), CHI: ("Khớp",)},
        extra=THEIRS,
    )
    results = upload(client, body)
    rehearsal = words(client.get(results))
    assert "Nhận 2 kết quả" in rehearsal
    assert "Về thông tin cũ · 1" in rehearsal
    assert "Trần Văn Bính" in rehearsal
    assert state(an.student_id) == Verification.WAITING

    taken = client.post(f"{results}/take", data=csrf(client))
    assert taken.status_code == 303
    assert client.post(f"{results}/take", data=csrf(client)).status_code == 409
    assert [state(c.student_id) for c in (an, binh, chi)] == [
        Verification.MATCHED,
        Verification.DIFFERS,
        Verification.NOT_SENT,
    ]

    listed = client.get("/verification/lists/differs")
    assert "Trần Văn <b>Bính</b>" in listed.text
    done = client.post(
        "/verification/lists/differs",
        data={**csrf(client), "decision": f"accept:{binh.student_id}"},
    )
    assert done.status_code == 303
    assert state(binh.student_id) == Verification.MATCHED
    story = words(client.get(f"/verification/pupils/{binh.code}"))
    for word in ("Gửi trong đợt 1", "Sai lệch", "Sửa: họ tên", "sửa theo CSDL dân cư"):
        assert word in story
    assert "Xác thực dân cư" in words(client.get(f"/students/{binh.code}"))
    assert breaches() == []


def test_each_download_is_written_down_and_numbers_stay_masked(app: Flask) -> None:
    school, _children = school_with(AN)
    batch = send(school)
    number = str(file_of(school, batch)[1][2])
    client = office(app, school)
    for _time in range(2):
        client.post(f"/verification/batches/{batch}/file", data=csrf(client))

    with scope.opened(scope.EVERY_SCHOOL):
        deeds = rows(
            "select actor from audit_rows where action = 'verification.download'"
            " and school_id = :school_id",
            school_id=school.id,
        )
    assert [deed.actor for deed in deeds] == ["Cô Xác Thực"] * 2
    for address in ("/verification/lists/waiting", f"/verification/batches/{batch}"):
        page = client.get(address)
        assert number not in page.text
        assert f"{number[:3]}*****{number[-4:]}" in page.text


def test_a_wrong_file_says_what_to_do_and_loses_nothing(app: Flask) -> None:
    school, _children = school_with(AN)
    send(school)
    client = office(app, school)
    for body, name, text in (
        (b"\x89PNG not a list", "anh.png", "không phải tệp bảng"),
        ("Họ tên,Lớp\nAn,2/3\n".encode(), "lop.csv", "Không thấy hàng tiêu đề"),
        ("CCCD,Kết quả\n001099999999,Khớp\n".encode(), "kq.csv", "Không dòng nào thuộc"),
    ):
        answer = client.post(
            "/verification/results", data={**csrf(client), "file": (BytesIO(body), name)}
        )
        assert answer.status_code == 422
        assert text in words(answer)
    assert client.post("/verification/results", data=csrf(client)).status_code == 422
    with here(school):
        assert not scalar(
            "select count(*) from verification_uploads where school_id = :school_id",
            school_id=school.id,
        )


def test_keeping_ours_needs_a_reason_and_a_tick(app: Flask) -> None:
    school, (an,) = school_with(AN)
    client = office(app, school)
    body = marked(file_of(school, send(school)), {AN: ("Sai lệch họ tên", "Lê An")}, extra=THEIRS)
    client.post(f"{upload(client, body)}/take", data=csrf(client))
    address = "/verification/lists/differs"

    untold = client.post(
        address, data={**csrf(client), "decision": "keep", "person": str(an.student_id)}
    )
    unticked = client.post(address, data={**csrf(client), "decision": "keep", "reason": "GKS 12"})
    senseless = client.post(address, data={**csrf(client), "decision": "burn"})

    assert [a.status_code for a in (untold, unticked, senseless)] == [422, 422, 422]
    assert "Hãy ghi lý do" in words(untold)
    assert re.search(rf'name="person" value="{an.student_id}"[^>]* checked', untold.text)
    # Enter in a field presses the first button of the form, which decides nothing.
    first = re.search(r"<form class=\"stack\".*?<button[^>]*>", untold.text, re.DOTALL)
    assert first and "name=" not in first[0].rpartition("<button")[2]
    assert 'value="GKS 12"' in unticked.text
    told = {**csrf(client), "decision": "keep", "person": str(an.student_id), "reason": "GKS 12"}
    assert client.post(address, data=told).status_code == 303
    assert state(an.student_id) == Verification.NOT_SENT


def test_those_not_found_are_sent_again_when_ticked(app: Flask) -> None:
    school, (an, binh) = school_with(AN, BINH)
    client = office(app, school)
    none = {AN: ("Không tìm thấy",), BINH: ("Không tìm thấy",)}
    body = marked(file_of(school, send(school)), none)
    client.post(f"{upload(client, body)}/take", data=csrf(client))

    nobody = client.post("/verification/batches", data={**csrf(client), "from": "not-found"})
    again = client.post(
        "/verification/batches",
        data={**csrf(client), "from": "not-found", "person": str(an.student_id)},
    )

    assert (nobody.status_code, again.status_code) == (422, 303)
    assert state(an.student_id) == Verification.WAITING
    assert state(binh.student_id) == Verification.NOT_FOUND


def test_a_batch_is_closed_when_no_answer_will_come(app: Flask) -> None:
    school, (an,) = school_with(AN)
    batch = send(school)
    client = office(app, school)
    page = client.get(f"/verification/batches/{batch}")
    assert "Khép đợt 1?" in page.text

    assert client.post(f"/verification/batches/{batch}/close", data=csrf(client)).status_code == 303
    assert client.post(f"/verification/batches/{batch}/close", data=csrf(client)).status_code == 409
    assert state(an.student_id) == Verification.NOT_SENT


def test_a_paper_seen_needs_its_number(app: Flask) -> None:
    school, (an,) = school_with(AN)
    client = office(app, school)
    address = f"/verification/pupils/{an.code}/proof"

    empty = client.post(address, data={**csrf(client), "source": "vneid", "document": ""})
    assert empty.status_code == 422
    told = {**csrf(client), "source": "birth_certificate", "document": "GKS 12, 03/04/2018"}
    assert client.post(address, data=told).status_code == 303
    assert "GKS 12, 03/04/2018" in words(client.get(f"/verification/pupils/{an.code}"))
    assert state(an.student_id) == Verification.MATCHED


def test_staff_are_written_down_and_sent_too(app: Flask) -> None:
    school = make_school()
    client = office(app, school)
    page = client.get("/verification/lists/no-number?kind=staff")
    address = page.text.split('href="/verification/staff/')[1].split('"')[0]
    address = f"/verification/staff/{address}"
    person = {
        "full_name": "Ngô Thị Mai",
        "birth_date": "1988-04-02",
        "sex": "female",
        "pin": "001 088 000 123",
    }

    short = client.post(address, data={**csrf(client), **person, "pin": "12"})
    saved = client.post(address, data={**csrf(client), **person})

    assert (short.status_code, saved.status_code) == (422, 303)
    shown = client.get(address)
    assert "001088000123" not in shown.text
    assert "001*****0123" in shown.text
    # An empty number keeps the one that is known.
    client.post(address, data={**csrf(client), **person, "pin": ""})
    batch = client.post("/verification/batches", data={**csrf(client), "kind": "staff"})
    assert "Ngô Thị Mai" in words(client.get(batch.location))
    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)
    assert stranger.get(address).status_code == 404


def test_other_schools_do_not_exist(app: Flask) -> None:
    school, (an,) = school_with(AN)
    batch = send(school)
    stranger = office(app, make_school())

    for address in (f"/verification/batches/{batch}", f"/verification/pupils/{an.code}"):
        assert stranger.get(address).status_code == 404
    for address in (f"/verification/batches/{batch}/file", f"/verification/batches/{batch}/close"):
        assert stranger.post(address, data=csrf(stranger)).status_code == 404


def test_who_may_what(app: Flask) -> None:
    area = make_unit(UnitKind.CLUSTER)
    school = make_school(under=area)
    teacher = signed_in(app, school.unit_id, Role.TEACHER)
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    officer = signed_in(app, area, Role.OFFICER)

    assert teacher.get("/verification").status_code == 403
    assert "Trường đang ở đâu" in words(principal.get("/verification"))
    assert principal.get("/verification/lists/differs").status_code == 403
    assert officer.get("/verification").status_code == 403
    assert officer.get("/verification/lists/differs").status_code == 403
    counts = officer.get("/verification/area")
    assert counts.status_code == 200
    assert f"TH Minh Họa {school.code[2:].lstrip('0')}" in words(counts)


def test_the_area_page_names_no_child(app: Flask) -> None:
    area = make_unit(UnitKind.CLUSTER)
    school = make_school(under=area)
    other, _children = school_with(AN)
    officer = signed_in(app, area, Role.OFFICER)

    page = officer.get("/verification/area")

    assert AN not in page.text
    assert school.code or other.code
    assert "1 trường" in words(page)


def test_english_is_complete(app: Flask) -> None:
    school, _children = school_with(AN)
    client = office(app, school)
    page = words(client.get("/verification?lang=en"))
    assert "Proof of identity" in page
    assert "Not sent yet" in page


def test_the_commands_send_and_take(app: Flask, tmp_path: Path) -> None:
    school, (an, binh) = school_with(AN, BINH)
    runner = app.test_cli_runner()
    out, back = tmp_path / "batch.xlsx", tmp_path / "back.xlsx"

    sent = runner.invoke(args=["verification", "batch", "--school", school.code, "--out", str(out)])
    assert json.loads(sent.output) == {"school": school.code, "batch": 1, "rows": 2}
    assert out.stat().st_mode & 0o077 == 0
    again = runner.invoke(
        args=["verification", "batch", "--school", school.code, "--out", str(tmp_path / "x.xlsx")]
    )
    assert again.exit_code == 1
    assert not (tmp_path / "x.xlsx").exists()

    table = read_sheets(out, out.name)[0].rows
    back.write_bytes(marked(table, {AN: ("Khớp",), BINH: ("hỏi lại",)}))
    command = ["verification", "result", "--school", school.code, str(back)]
    rehearsed = json.loads(runner.invoke(args=command).output)
    assert (rehearsed["matched"], rehearsed["doubtful"]) == (1, 1)
    assert state(an.student_id) == Verification.WAITING
    taken = json.loads(runner.invoke(args=[*command, "--take"]).output)
    assert taken == rehearsed
    assert state(an.student_id) == Verification.MATCHED
    assert state(binh.student_id) == Verification.WAITING
    assert json.loads(runner.invoke(args=[*command, "--take"]).output)["unchanged"] == 1
