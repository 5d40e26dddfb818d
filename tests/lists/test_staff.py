"""A list of staff gives roles of one school, and never more than its importer may give."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.audit import Actor
from app.core import scope
from app.core.db import row, rows, transaction
from app.core.sheets import Value, read_sheets
from app.people.access import Role, add_user
from app.people.access.services import sign_in
from app.people.lists import exports
from app.people.lists.columns import Kind
from app.people.lists.models import State
from tests.factories.lists import changes, counts, hand_in, lines, sheet, take, why
from tests.factories.schools import NOON, MadeSchool, make_school

HEADS = (
    "STT",
    "Họ và tên",
    "Chức vụ",
    "Số điện thoại",
    "Email",
    "Tên đăng nhập",
    "Từ ngày",
    "Đến ngày",
)
PRINCIPAL = Actor("Lê Thị Thu Hằng", Role.PRINCIPAL, 0)
ADMINISTRATOR = Actor("Quản trị", Role.ADMINISTRATOR, 0)


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


def line(name: str, role: str, login: Value = None, **more: Value) -> list[Value]:
    given = {"phone": None, "email": None, "starts": None, "ends": None} | more
    return [1, name, role, given["phone"], given["email"], login, given["starts"], given["ends"]]


def roles(username: str) -> list[tuple[str, str | None]]:
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            (held.role, held.ends_on and str(held.ends_on))
            for held in rows(
                "select m.role, m.ends_on from memberships m join users u on u.id = m.user_id"
                " where u.username = :name order by m.id",
                name=username,
            )
        ]


def staff(school: MadeSchool, *given: list[Value], actor: Actor = PRINCIPAL) -> int:
    return hand_in(school, sheet(HEADS, *given), kind=Kind.STAFF, actor=actor)


def test_new_people_are_invited_and_cannot_sign_in_yet(school: MadeSchool) -> None:
    given = staff(
        school,
        line("Phan Thị Minh", "Giáo viên chủ nhiệm", phone="905000201"),
        line("Võ Văn Tài", "Kế toán trưởng", email="Tai.Vo@minhhoa.edu.vn"),
    )
    assert counts(school, given) == (2, 0, 0, 0, 0)
    take(school, given, actor=PRINCIPAL)
    assert roles("0905000201") == [("teacher", None)]
    assert roles("tai.vo@minhhoa.edu.vn") == [("accountant", None)]
    for password in ("", "invited", "0905000201"):
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            assert sign_in("0905000201", password, "", now=NOON) is None


def test_the_same_list_again_changes_nothing(school: MadeSchool) -> None:
    given = [line("Lê Hữu Tín", "Thủ quỹ", "tin.le", starts="01/09/2026")]
    take(school, staff(school, *given), actor=PRINCIPAL)
    assert counts(school, staff(school, *given)) == (0, 0, 1, 0, 0)


def test_a_second_role_and_its_end_are_changes(school: MadeSchool) -> None:
    take(school, staff(school, line("Hà Thị Cúc", "Y tế", "cuc.ha")), actor=PRINCIPAL)
    more = staff(school, line("Hà Thị Cúc", "Thủ quỹ", "cuc.ha"))
    assert changes(lines(school, more, State.CHANGED)[0]) == {"role": ("Y tế", "Thủ quỹ")}
    take(school, more, actor=PRINCIPAL)
    ends = staff(school, line("Hà Thị Cúc", "Y tế", "cuc.ha", ends="31/12/2026"))
    assert counts(school, ends) == (0, 1, 0, 0, 0)
    take(school, ends, actor=PRINCIPAL)
    assert roles("cuc.ha") == [("nurse", "2026-12-31"), ("cashier", None)]


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("Chuyên viên phòng", "role_not_by_list"),
        ("Quản trị hệ thống", "role_not_by_list"),
        ("Hiệu trưởng", "role_not_yours"),
        ("Bảo vệ", "role_unknown"),
    ],
)
def test_a_list_never_gives_more_than_its_importer_may(
    school: MadeSchool, role: str, code: str
) -> None:
    given = staff(school, line("Đinh Công Bằng", role, "bang.dinh"))
    assert why(lines(school, given, State.REFUSED)[0]) == [code]


def test_an_administrator_may_name_a_principal(school: MadeSchool) -> None:
    given = staff(school, line("Ngô Thanh Vân", "Hiệu trưởng", "van.ngo"), actor=ADMINISTRATOR)
    assert counts(school, given) == (1, 0, 0, 0, 0)


def test_a_user_name_of_somebody_else_is_refused(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        add_user("taken.name", "Người Khác", password_hash="none", totp_secret=None, now=NOON)
    given = staff(
        school, line("Đinh Công Bằng", "Y tế", "taken.name"), line("Không Tài Khoản", "Y tế")
    )
    assert [why(seen) for seen in lines(school, given, State.REFUSED)] == [
        ["username_taken"],
        ["username_missing"],
    ]


def test_an_account_of_the_area_gets_a_role_here(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        user = add_user("hai.cho", "Trần Hải", password_hash="none", totp_secret=None, now=NOON)
    given = staff(school, line("Trần Hải", "Y tế", "hai.cho"))
    assert counts(school, given) == (1, 0, 0, 0, 0)
    take(school, given, actor=PRINCIPAL)
    with scope.opened(scope.EVERY_SCHOOL):
        held = row("select unit_id from memberships where user_id = :id", id=user)
    assert held is not None
    assert held.unit_id == school.unit_id


def test_staff_go_out_and_come_back_unchanged(school: MadeSchool) -> None:
    take(
        school,
        staff(
            school,
            line("Phan Thị Lụa", "Giáo viên", phone="0905000211", starts="01/09/2026"),
            line("Võ Văn Đồng", "Phó hiệu trưởng", email="dong.vo@minhhoa.edu.vn"),
            line("Bếp Trưởng", "Cấp dưỡng", "bep.truong", ends=date(2027, 5, 31)),
        ),
        actor=PRINCIPAL,
    )
    with scope.opened(scope.one_school(school.id)), transaction():
        data = exports.write_staff(school.id, today=date(2026, 11, 24), actor=PRINCIPAL, now=NOON)
    back = hand_in(school, *read_sheets(data, "nhan-su.xlsx"), kind=Kind.STAFF, actor=PRINCIPAL)
    assert counts(school, back) == (0, 0, 3, 0, 0)
