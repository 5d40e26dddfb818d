"""The catalogue of the unit above: what is forbidden, what insurance costs, the first items.

Source: domain facts 2.1 to 2.3. Caps of the area are empty until somebody enters them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import DAY, VND, execute, rows, scalar
from app.core.model import db
from app.core.money import Vnd, half_up
from app.core.text import fold, nfc
from app.money.fees.errors import BadItem, BadMonths, ItemNotFound, RateExists
from app.money.fees.models import Category, DocumentKind, FeeUnit, InsuranceRate
from app.money.fees.services import NewItem, add_item
from app.people.schools import Level

#: the item whose price the law gives by formula
INSURANCE_CODE: Final = "BHYT"
#: of the premium, in thousandths of the base salary a month
PREMIUM: Final = 45


# Health insurance


@dataclass(frozen=True, slots=True)
class Insurance:
    """What the premium is computed from on a day."""

    base_salary: Vnd
    state_share: int
    legal_act: str
    valid_from: date

    def of_family(self, months: int) -> Vnd:
        """The family's part of so many months: one division, half up (M15)."""
        whole = self.base_salary.dong * PREMIUM * (100 - self.state_share) * months
        return Vnd(half_up(whole, 100_000))


def insurance_rates() -> list[Insurance]:
    """All rates, the newest first."""
    return [
        Insurance(*one)
        for one in rows(
            "select base_salary, state_share, legal_act, valid_from from insurance_rates"
            " order by valid_from desc",
            types={"base_salary": VND, "valid_from": DAY},
        )
    ]


def insurance_on(day: date) -> Insurance | None:
    """The rate that holds on a day."""
    return next((one for one in insurance_rates() if one.valid_from <= day), None)


def set_insurance_rate(
    *,
    base_salary: Vnd,
    state_share: int,
    legal_act: str,
    valid_from: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A new base salary or share from a day on. Refuses a day not after the newest rate's.

    The caller commits.
    """
    if base_salary <= Vnd(0) or not 0 <= state_share <= 100 or not legal_act.strip():
        raise BadItem(_("A rate needs a base salary, a share from 0 to 100 percent and its act."))
    if scalar("select count(*) from insurance_rates where valid_from >= :day", day=valid_from):
        raise RateExists
    db.session.execute(
        insert(InsuranceRate).values(
            base_salary=base_salary,
            state_share=state_share,
            legal_act=nfc(legal_act).strip()[:200],
            valid_from=valid_from,
        )
    )
    audit.record(
        "insurance_rate.set",
        f"insurance_rate:{valid_from}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"{base_salary.dong} {state_share}",
    )


# Items


def end_item(item_id: int, *, valid_to: date, actor: audit.Actor, now: datetime) -> None:
    """An item is not offered from a day on; what was billed stays.

    Refuses an unknown item, one that ends already, and a day not after its first. The caller
    commits.
    """
    found = rows(
        "select valid_from, valid_to from fee_items where id = :id",
        types={"valid_from": DAY, "valid_to": DAY},
        id=item_id,
    )
    if not found:
        raise ItemNotFound
    if found[0].valid_to is not None or valid_to <= found[0].valid_from:
        raise BadMonths
    execute("update fee_items set valid_to = :day where id = :id", id=item_id, day=valid_to)
    audit.record(
        "fee_item.end",
        f"fee_item:{item_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=str(valid_to),
    )


def name_act(
    item_id: int,
    *,
    legal_act: str,
    allowed_by: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Say by which act an item is charged, read by a person, and which one allows a forbidden one.

    Lines issued keep the act they were issued with. Refuses an unknown item and no act. The caller
    commits.
    """
    act, allows = (" ".join(nfc(text).split())[:200] for text in (legal_act, allowed_by))
    if not act:
        raise BadItem(_("Name the act with its article."))
    changed = execute(
        "update fee_items set legal_act = :act, allowed_by = :allows, is_checked = :checked"
        " where id = :id",
        id=item_id,
        act=act,
        allows=allows,
        checked=True,
    ).rowcount
    if not changed:
        raise ItemNotFound
    audit.record(
        "fee_item.act",
        f"fee_item:{item_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"{act}; {allows}"[:400],
    )


# Prohibitions


def forbid(
    *,
    name: str,
    words: str,
    level: Level | None,
    legal_act: str,
    valid_from: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write down what may not be charged; names with one of the phrases then ask for an act.

    `words` are phrases parted by commas, with or without accents. Refuses no name, no phrase and no
    act. The caller commits.
    """
    phrases = [fold(phrase).strip() for phrase in words.split(",")]
    said = " ".join(nfc(name).split())[:120]
    act = " ".join(nfc(legal_act).split())[:200]
    folded = "|".join(phrase for phrase in phrases if phrase)
    if not said or not folded or not act or len(folded) > 400:
        raise BadItem(_("Say what is forbidden, by which words it is known, and by which act."))
    rule_id = scalar(
        "insert into forbidden_charges (name, words, level, legal_act, valid_from)"
        " values (:name, :words, :level, :act, :day) returning id",
        name=said,
        words=folded,
        level=None if level is None else str(level),
        act=act,
        day=valid_from,
    )
    audit.record(
        "forbidden_charge.add",
        f"forbidden_charge:{rule_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=said,
    )


def end_prohibition(rule_id: int, *, valid_to: date, actor: audit.Actor, now: datetime) -> None:
    """A prohibition holds no longer from a day on. Refuses one that ended, and a day before it.

    The caller commits.
    """
    changed = execute(
        "update forbidden_charges set valid_to = :day where id = :id and valid_to is null"
        " and valid_from < :day",
        id=rule_id,
        day=valid_to,
    ).rowcount
    if not changed:
        raise BadMonths
    audit.record(
        "forbidden_charge.end",
        f"forbidden_charge:{rule_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=str(valid_to),
    )


_FREE = "Nghị quyết 217/2025/QH15; Nghị định 238/2025/NĐ-CP"
_SERVICE = "Nghị quyết của HĐND thành phố về khoản thu dịch vụ (số và mức cần kiểm tra)"
_AGREED = "Thỏa thuận bằng văn bản với cha mẹ học sinh"
_INSURED = "Luật Bảo hiểm y tế; Nghị định 188/2025/NĐ-CP"
_C, _U = Category, FeeUnit
#: code, name, English, category, unit, act, compulsory, may be a debt, whether the act was read
FIRST_ITEMS: Final = (
    ("HOCPHI", "Học phí", "Tuition", _C.TUITION, _U.MONTH, _FREE, True, False, True),
    ("TIENAN", "Tiền ăn bán trú", "Boarding meals", _C.AGREED, _U.DAY, _AGREED, False, True, True),
    ("GAS", "Gas, phụ phí", "Fuel and extras", _C.AGREED, _U.MONTH, _AGREED, False, True, True),
    (
        *("CHAMSOC", "Chăm sóc, phục vụ bán trú", "Boarding care", _C.SERVICE, _U.MONTH),
        *(_SERVICE, False, True, False),
    ),
    (
        *("DODUNG", "Đồ dùng, trang thiết bị bán trú", "Boarding kit", _C.SERVICE, _U.YEAR),
        *(_SERVICE, False, True, False),
    ),
    (
        *("ANSANG", "Phục vụ ăn sáng", "Breakfast service", _C.SERVICE, _U.MONTH),
        *(_SERVICE, False, True, False),
    ),
    (
        *("THUBAY", "Giữ trẻ thứ Bảy", "Saturday care", _C.SERVICE, _U.DAY),
        *(_SERVICE, False, True, False),
    ),
    (
        *("NGOAIGIO", "Trông giữ ngoài giờ", "Care before and after hours", _C.SERVICE, _U.HOUR),
        *(_SERVICE, False, True, False),
    ),
    (
        *("NUOC", "Nước uống", "Drinking water", _C.SERVICE, _U.MONTH),
        *(_SERVICE, False, True, False),
    ),
    (
        *("KNS", "Kỹ năng sống", "Life skills", _C.SERVICE, _U.LESSON),
        *(_SERVICE, False, True, False),
    ),
    (
        *("MAYLANH", "Sử dụng máy lạnh", "Air conditioning", _C.SERVICE, _U.MONTH),
        *(_SERVICE, False, True, False),
    ),
    (
        *("KHAMSK", "Khám sức khỏe ban đầu", "First health check", _C.SERVICE, _U.YEAR),
        *(_SERVICE, False, True, False),
    ),
    (
        *("CNTT", "Ứng dụng CNTT, chuyển đổi số", "Digital services", _C.SERVICE, _U.MONTH),
        *(_SERVICE, False, True, False),
    ),
    (
        *("XE", "Đưa rước bằng ô tô", "School bus", _C.SERVICE, _U.KM),
        *(_SERVICE, False, True, False),
    ),
    (
        *("BHTT", "Bảo hiểm thân thể", "Accident insurance", _C.COLLECT_FOR, _U.YEAR),
        *("Hợp đồng với công ty bảo hiểm, tự nguyện", False, False, True),
    ),
    (
        *(
            INSURANCE_CODE,
            "Bảo hiểm y tế học sinh",
            "Pupils' health insurance",
            _C.COLLECT_FOR,
            _U.MONTH,
        ),
        *(_INSURED, True, True, True),
    ),
    (
        *("HOCPHAM", "Học phẩm, đồ dùng học tập", "Learning materials", _C.AGREED, _U.YEAR),
        *(_AGREED, False, True, True),
    ),
    ("DONGPHUC", "Đồng phục", "Uniform", _C.AGREED, _U.PIECE, _AGREED, False, False, True),
    ("THE", "Thẻ học sinh", "Pupil card", _C.AGREED, _U.PIECE, _AGREED, False, False, True),
    (
        *("TAITRO", "Tài trợ", "Sponsorship", _C.SPONSOR, _U.ONCE),
        *("Thông tư 16/2018/TT-BGDĐT", False, False, True),
    ),
    (
        *("QUYCMHS", "Kinh phí ban đại diện cha mẹ", "Parents' fund", _C.PARENT_FUND, _U.ONCE),
        *("Thông tư 55/2011/TT-BGDĐT", False, False, True),
    ),
)


def seed_items(unit_id: int, *, valid_from: date, actor: audit.Actor, now: datetime) -> list[str]:
    """Put the usual items into the catalogue; those whose code is there already stay as they are.

    Returns the codes added. Prices and caps are nobody's invention: there are none. The caller
    commits.
    """
    known = {found.code for found in rows("select code from fee_items")}
    added = []
    for code, name, english, category, unit, act, must, debt, is_checked in FIRST_ITEMS:
        if code in known:
            continue
        item_id = add_item(
            NewItem(
                code=code,
                name=name,
                name_en=english,
                category=category,
                unit=unit,
                legal_act=act,
                may_be_debt=debt,
                is_compulsory=must,
                issued_by_id=unit_id,
                valid_from=valid_from,
                document_kind=DocumentKind.NONE
                if category is Category.PARENT_FUND
                else DocumentKind.RECEIPT,
            ),
            actor=actor,
            now=now,
        )
        if not is_checked:
            execute("update fee_items set is_checked = :no where id = :id", id=item_id, no=False)
        added.append(code)
    return added
