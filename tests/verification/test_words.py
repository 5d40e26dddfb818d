"""What an office writes is taken by its meaning, and never guessed."""

from __future__ import annotations

from datetime import date

import pytest

from app.people.students import IdentityField, Sex, Verification
from app.people.verification import words

NAME, BORN, SEX = IdentityField.FULL_NAME, IdentityField.BIRTH_DATE, IdentityField.SEX


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Khớp", Verification.MATCHED),
        ("KHỚP", Verification.MATCHED),
        ("1 - Khớp đúng", Verification.MATCHED),
        ("Trùng khớp", Verification.MATCHED),
        ("Thông tin trùng khớp với CSDL quốc gia về dân cư", Verification.MATCHED),
        ("Khớp họ tên, ngày sinh, giới tính", Verification.MATCHED),
        ("Đã xác thực", Verification.MATCHED),
        ("Không khớp", Verification.DIFFERS),
        ("Không trùng khớp", Verification.DIFFERS),
        ("SAI_LECH", Verification.DIFFERS),
        ("Sai lệch thông tin", Verification.DIFFERS),
        ("Không tìm thấy", Verification.NOT_FOUND),
        ("Không tồn tại trong CSDLQG", None),
        ("Không có trong CSDL dân cư", Verification.NOT_FOUND),
        ("KHONG_TIM_THAY", Verification.NOT_FOUND),
        ("Trùng số định danh", Verification.DOUBLE),
        ("Trùng", Verification.DOUBLE),
        ("TRUNG_SO", Verification.DOUBLE),
        ("", None),
        ("?", None),
        ("Đang xử lý", None),
        ("Không trùng", None),
        ("Chưa xác thực", None),
        ("Xác thực không thành công", None),
        ("Khớp một phần", None),
        ("Khớp họ tên", None),
        ("Khớp, trùng số", None),
        ("Không sai lệch", None),
        ("Khớp?? hỏi lại công an phường", None),
    ],
)
def test_a_result_means(text: str, state: Verification | None) -> None:
    assert words.read_result(text)[0] is state


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Sai lệch họ tên", {NAME}),
        ("Không khớp: Họ và tên, ngày tháng năm sinh", {NAME, BORN}),
        ("Sai năm sinh; giới tính", {BORN, SEX}),
        ("Không khớp", set()),
    ],
)
def test_a_difference_names_its_fields(text: str, fields: set[IdentityField]) -> None:
    assert words.read_result(text) == (Verification.DIFFERS, fields)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Mã đối chiếu", "key"),
        ("Số định danh", "pin"),
        ("Số CCCD/ĐDCN", "pin"),
        ("Họ và tên", "full_name"),
        ("Họ tên theo CSDL dân cư", "their full_name"),
        ("Ngày sinh đúng", "their birth_date"),
        ("Giới tính (dân cư trả về)", "their sex"),
        ("Số định danh sau đối chiếu", "their pin"),
        ("Kết quả", "result"),
        ("KẾT QUẢ XÁC THỰC SỐ ĐỊNH DANH", "result"),
        ("Trạng thái", "result"),
        ("Ngày xác thực", None),
        ("Người xác thực", None),
        ("Ghi chú", None),
        ("STT", None),
    ],
)
def test_a_heading_means(text: str, meaning: str | None) -> None:
    assert words.read_heading(text) == meaning


def test_values_are_read_in_the_forms_people_write() -> None:
    assert words.read_name("NGUYỄN  MINH khang".upper()) == "Nguyễn Minh Khang"
    assert words.same_name("NGUYỄN THỊ HOÀ", "Nguyễn Thị Hòa")
    assert not words.same_name("Nguyễn Thị Hoa", "Nguyễn Thị Hòa")
    days = ("14/03/2018", "14-3-2018", "14.03.2018", "2018-03-14", "2018-03-14 00:00:00")
    assert {words.read_day(text) for text in days} == {date(2018, 3, 14)}
    assert [words.read_day(text) for text in ("2018", "31/02/2018", "x", "14/03/18")] == [None] * 4
    assert [words.read_sex(text) for text in ("Nữ", "NAM", "1")] == [Sex.FEMALE, Sex.MALE, None]
    assert words.read_pin("1099000001") == "001099000001"
    assert words.read_pin("001 099 000 001") == "001099000001"
