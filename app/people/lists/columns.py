"""The columns a list may have: what each is called in files, and on screens."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import gettext as _

from app.people.students import Scheme


class Kind(StrEnum):
    """Whose list it is."""

    PUPILS = "pupils"
    STAFF = "staff"


class Column(StrEnum):
    """What a column of a list means."""

    NUMBER = "number"
    SCHOOL = "school"
    GRADE = "grade"
    CLASS = "class"
    CODE = "code"
    MOET = "moet"
    LLR = "llr"
    SCHOOL_NUMBER = "school_number"
    NAME = "name"
    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    BIRTH = "birth"
    BIRTH_DAY = "birth_day"
    BIRTH_MONTH = "birth_month"
    BIRTH_YEAR = "birth_year"
    SEX = "sex"
    FEMALE = "female"
    MALE = "male"
    PIN = "pin"
    BHXH = "bhxh"
    PASSPORT = "passport"
    MOTHER = "mother"
    MOTHER_PHONE = "mother_phone"
    FATHER = "father"
    FATHER_PHONE = "father_phone"
    GUARDIAN = "guardian"
    GUARDIAN_PHONE = "guardian_phone"
    PHONE = "phone"
    ADDRESS = "address"
    STARTS_ON = "starts_on"
    ENDS_ON = "ends_on"
    STATUS = "status"
    ROLE = "role"
    USERNAME = "username"
    EMAIL = "email"


C = Column

#: which columns each kind of list may have, in the order of our own files
OFFERED: dict[Kind, tuple[Column, ...]] = {
    Kind.PUPILS: (
        *(C.NUMBER, C.SCHOOL, C.GRADE, C.CLASS, C.CODE, C.MOET, C.NAME, C.FAMILY_NAME),
        *(C.GIVEN_NAME, C.BIRTH, C.BIRTH_DAY, C.BIRTH_MONTH, C.BIRTH_YEAR, C.SEX, C.FEMALE),
        *(C.MALE, C.PIN, C.BHXH, C.PASSPORT, C.LLR, C.SCHOOL_NUMBER, C.MOTHER, C.MOTHER_PHONE),
        *(C.FATHER, C.FATHER_PHONE, C.GUARDIAN, C.GUARDIAN_PHONE, C.PHONE, C.ADDRESS),
        *(C.STARTS_ON, C.STATUS),
    ),
    Kind.STAFF: (
        *(C.NUMBER, C.SCHOOL, C.NAME, C.FAMILY_NAME, C.GIVEN_NAME, C.ROLE, C.PHONE, C.EMAIL),
        *(C.USERNAME, C.STARTS_ON, C.ENDS_ON),
    ),
}

#: the columns of our own files
WRITTEN: dict[Kind, tuple[Column, ...]] = {
    Kind.PUPILS: (
        *(C.NUMBER, C.GRADE, C.CLASS, C.CODE, C.MOET, C.NAME, C.BIRTH, C.SEX, C.PIN, C.BHXH),
        *(C.PASSPORT, C.LLR, C.SCHOOL_NUMBER, C.MOTHER, C.MOTHER_PHONE, C.FATHER),
        *(C.FATHER_PHONE, C.GUARDIAN, C.GUARDIAN_PHONE, C.ADDRESS, C.STARTS_ON, C.STATUS),
    ),
    Kind.STAFF: (
        *(C.NUMBER, C.NAME, C.ROLE, C.PHONE, C.EMAIL, C.USERNAME, C.STARTS_ON, C.ENDS_ON),
    ),
}

#: Files go to other offices, so their heads are Vietnamese whatever the screen speaks.
TITLES: dict[Column, str] = {
    C.NUMBER: "STT",
    C.SCHOOL: "Mã trường",
    C.GRADE: "Khối",
    C.CLASS: "Tên lớp",
    C.CODE: "Mã học sinh (Sổ Thu)",
    C.MOET: "Mã học sinh (Bộ)",
    C.NAME: "Họ và tên",
    C.BIRTH: "Ngày sinh",
    C.SEX: "Giới tính",
    C.PIN: "Số định danh cá nhân",
    C.BHXH: "Mã số BHXH",
    C.PASSPORT: "Số hộ chiếu",
    C.LLR: "Mã hồ sơ học tập suốt đời",
    C.SCHOOL_NUMBER: "Mã học sinh (trường)",
    C.MOTHER: "Họ tên mẹ",
    C.MOTHER_PHONE: "SĐT mẹ",
    C.FATHER: "Họ tên cha",
    C.FATHER_PHONE: "SĐT cha",
    C.GUARDIAN: "Họ tên người giám hộ",
    C.GUARDIAN_PHONE: "SĐT người giám hộ",
    C.ADDRESS: "Địa chỉ",
    C.STARTS_ON: "Ngày vào trường",
    C.ENDS_ON: "Đến ngày",
    C.STATUS: "Trạng thái",
    C.ROLE: "Chức vụ",
    C.PHONE: "Số điện thoại",
    C.USERNAME: "Tên đăng nhập",
    C.EMAIL: "Email",
}

SCHEMES: dict[Column, Scheme] = {
    C.PIN: Scheme.PIN,
    C.MOET: Scheme.MOET,
    C.LLR: Scheme.LLR,
    C.SCHOOL_NUMBER: Scheme.SCHOOL,
    C.BHXH: Scheme.BHXH,
    C.PASSPORT: Scheme.PASSPORT,
}


def title_in_file(column: Column, kind: Kind) -> str:
    """The head of a column in our own files."""
    if kind is Kind.STAFF and column is C.STARTS_ON:
        return "Từ ngày"
    return TITLES[column]


def label(column: str, kind: Kind = Kind.PUPILS) -> str:
    """A column in the reader's language."""
    if kind is Kind.STAFF and column == C.STARTS_ON:
        return _("From day")
    return {
        C.NUMBER: _("Running number"),
        C.SCHOOL: _("School code"),
        C.GRADE: _("Grade"),
        C.CLASS: _("Class"),
        C.CODE: _("Pupil code (Sổ Thu)"),
        C.MOET: _("Pupil code of the ministry"),
        C.LLR: _("Lifelong record code"),
        C.SCHOOL_NUMBER: _("The school's own number"),
        C.NAME: _("Full name"),
        C.FAMILY_NAME: _("Family and middle name"),
        C.GIVEN_NAME: _("Given name"),
        C.BIRTH: _("Birth date"),
        C.BIRTH_DAY: _("Birth date: day"),
        C.BIRTH_MONTH: _("Birth date: month"),
        C.BIRTH_YEAR: _("Birth date: year"),
        C.SEX: _("Sex"),
        C.FEMALE: _("Girl (a mark in the column)"),
        C.MALE: _("Boy (a mark in the column)"),
        C.PIN: _("Personal number"),
        C.BHXH: _("Social insurance number"),
        C.PASSPORT: _("Passport"),
        C.MOTHER: _("Mother"),
        C.MOTHER_PHONE: _("Mother's phone"),
        C.FATHER: _("Father"),
        C.FATHER_PHONE: _("Father's phone"),
        C.GUARDIAN: _("Guardian"),
        C.GUARDIAN_PHONE: _("Guardian's phone"),
        C.PHONE: _("Phone"),
        C.ADDRESS: _("Address"),
        C.STARTS_ON: _("First day at the school"),
        C.ENDS_ON: _("To day"),
        C.STATUS: _("State"),
        C.ROLE: _("Role"),
        C.USERNAME: _("User name"),
        C.EMAIL: _("E-mail"),
    }[Column(column)]
