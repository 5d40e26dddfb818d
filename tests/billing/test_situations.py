"""The rules of charging, told as situations of a real school: who, what, when → how many đồng.

Each line is read like a sentence and run like a school would: the child's bills are issued by the
same code as a run's. The amount is all that the child was billed in November and December.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.period import Period
from app.money import billing, fees
from app.money.billing import corrections
from app.money.billing.errors import NothingToBill
from app.money.fees import Category, FeeUnit
from app.money.meals import services as meals
from app.people import students
from tests.factories.billing import breaches, issue
from tests.factories.fees import approved_schedule, make_item, make_policy, price
from tests.factories.meals import at, weekdays
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, PRINCIPAL, MadeSchool, make_school

SEPTEMBER, NOVEMBER, DECEMBER = Period(2026, 9), Period(2026, 11), Period(2026, 12)
#: bills go out on these mornings
OUT = {NOVEMBER: at(date(2026, 11, 2), "09:00"), DECEMBER: at(date(2026, 12, 1), "09:00")}
LATER = at(date(2026, 12, 31), "17:00")
SATURDAYS = (date(2026, 11, 7), date(2026, 11, 14))
#: the price of a meal changes on this day of December
DEARER_FROM = date(2026, 12, 16)


@dataclass
class Place:
    """One school for all situations: items, prices, policies, classes, both months issued."""

    school: MadeSchool
    items: dict[str, int]
    policies: dict[str, int]
    classes: dict[str, int]


def _place() -> Place:
    school = make_school()
    must, agreed = {"is_compulsory": True}, {"category": Category.AGREED}
    items = {
        "học phí": make_item(school, name="Học phí", category=Category.TUITION, **must),
        "nước": make_item(school, name="Nước uống", **must),
        "học phẩm": make_item(school, name="Học phẩm", unit=FeeUnit.ONCE, **agreed, **must),
        "bhyt": make_item(school, name="BHYT", category=Category.COLLECT_FOR, **must),
        "ăn": make_item(school, name="Tiền ăn bán trú", unit=FeeUnit.DAY, **agreed),
        "bán trú": make_item(school, name="Chăm sóc bán trú"),
        "thứ bảy": make_item(school, name="Giữ trẻ thứ Bảy", unit=FeeUnit.DAY),
        "kns": make_item(school, name="Kỹ năng sống", unit=FeeUnit.LESSON),
        "sổ": make_item(school, name="Sổ liên lạc"),
        "xe": make_item(school, name="Xe đưa rước", unit=FeeUnit.KM),
        "tài trợ": make_item(school, name="Tài trợ", category=Category.SPONSOR),
    }
    policies = {
        "mọi em": make_policy((items["học phí"], 100), applies_to_all=True),
        "hộ nghèo": make_policy((items["bán trú"], 100), (items["ăn"], 100), (items["kns"], 100)),
        "cận nghèo": make_policy((items["bán trú"], 50), (items["kns"], 50), (items["sổ"], 50)),
        "con thứ hai": make_policy((items["bán trú"], 30)),
        "nước 33": make_policy((items["nước"], 33)),
        "thẻ khác": make_policy((items["bhyt"], 100)),
        "hết hạn": make_policy((items["bán trú"], 100), valid_to=date(2026, 11, 1)),
    }
    classes = {
        "1/1": make_class(school, "1/1", 1),
        "1/2": make_class(school, "1/2", 1),
        "2/1": make_class(school, "2/1", 2),
    }
    special = f"class:{classes['1/2']}"
    prices = []
    for month in (NOVEMBER, DECEMBER):
        dearer = (38_000, DEARER_FROM) if month == DECEMBER else None
        prices += [
            price(items["học phí"], 95_000, period=month),
            price(items["nước"], 16_000, period=month),
            price(items["nước"], 20_000, period=month, audience="grade:2"),
            price(items["ăn"], 35_000, period=month, quantity=22, second=dearer),
            price(items["bán trú"], 260_000, period=month),
            price(items["bán trú"], 230_000, period=month, audience=special),
            price(items["kns"], 15_000, period=month, quantity=4),
            price(items["sổ"], 12_345, period=month),
            price(items["xe"], 9_000, period=month, quantity=40),
        ]
    prices.append(price(items["thứ bảy"], 70_000, period=NOVEMBER, quantity=4))
    prices.append(price(items["học phẩm"], 150_000, period=NOVEMBER))
    prices.append(price(items["bhyt"], 56_925, period=DECEMBER, quantity=3))
    approved_schedule(school, prices)
    # The runs of the school need somebody to bill.
    enrol(school, new_student(classes["1/1"], "Em Đầu Tiên"))
    with scope.opened(scope.one_school(school.id)), transaction():
        for item, month, days in (
            ("ăn", NOVEMBER, weekdays(NOVEMBER)),
            ("ăn", DECEMBER, weekdays(DECEMBER)),
            ("thứ bảy", NOVEMBER, SATURDAYS),
        ):
            meals.plan_days(
                school.id,
                items[item],
                month.first_day,
                month.last_day,
                days,
                actor=ACCOUNTANT,
                now=OUT[NOVEMBER],
            )
        fees.set_halving(
            school.id,
            items["bán trú"],
            above_days=10,
            percent=50,
            first=SEPTEMBER,
            actor=ACCOUNTANT,
            now=OUT[NOVEMBER],
        )
    for month in (NOVEMBER, DECEMBER):
        issue(school.id, month, now=OUT[month])
    return Place(school, items, policies, classes)


class Child:
    """One child of a situation; every method is something that happens to it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.student_id = self.stay = 0

    def _in_school(self) -> scope.Scope:
        return scope.one_school(self._place.school.id)

    def joins(self, day: date = date(2026, 9, 1), class_name: str = "1/1") -> Child:
        made = enrol(
            self._place.school,
            new_student(self._place.classes[class_name], "Em Tình Huống", starts_on=day),
        )[0]
        self.student_id, self.stay = made.student_id, made.enrolment_id
        return self

    def leaves(self, day: date) -> Child:
        """`day` is the first day the child is gone."""
        with scope.opened(self._in_school()), transaction():
            students.end_enrolment(
                self._place.school.id,
                self.stay,
                ends_on=day,
                reason="moved",
                actor=ACCOUNTANT,
                now=LATER,
            )
        return self

    def moves(self, day: date, class_name: str) -> Child:
        with scope.opened(self._in_school()), transaction():
            students.move_class(
                self._place.school.id,
                self.stay,
                self._place.classes[class_name],
                from_day=day,
                actor=ACCOUNTANT,
                now=LATER,
            )
        return self

    def takes(self, *items: str, first: Period = SEPTEMBER, last: Period | None = None) -> Child:
        wanted = [
            fees.Choice(self.stay, self._place.items[item], first, first.first_day, last)
            for item in items
        ]
        with scope.opened(self._in_school()), transaction():
            fees.record_choices(self._place.school.id, wanted, actor=ACCOUNTANT, now=OUT[NOVEMBER])
        return self

    def stops(self, item: str, last: Period) -> Child:
        with scope.opened(self._in_school()), transaction():
            number = scalar(
                "select id from fee_choices where school_id = :s and enrolment_id = :e"
                " and item_id = :i and last_period is null",
                s=self._place.school.id,
                e=self.stay,
                i=self._place.items[item],
            )
            fees.withdraw_choice(
                self._place.school.id, number, last_period=last, actor=ACCOUNTANT, now=LATER
            )
        return self

    def granted(self, policy: str, first: Period = SEPTEMBER, last: Period | None = None) -> Child:
        grant = fees.Grant(self.stay, self._place.policies[policy], first, last)
        with scope.opened(self._in_school()), transaction():
            fees.grant_exemptions(self._place.school.id, [grant], actor=PRINCIPAL, now=LATER)
        return self

    def away(self, first: date, last: date | None = None, hour: str = "07:00") -> Child:
        with scope.opened(self._in_school()), transaction():
            meals.report_away(
                self._place.school.id,
                self.stay,
                first,
                last or first,
                source=meals.Source.FAMILY,
                reason="ốm",
                actor=ACCOUNTANT,
                now=at(first, hour),
            )
        return self

    def decided(self, day: date, *, is_cut: bool, is_away: bool = True) -> Child:
        with scope.opened(self._in_school()), transaction():
            meals.decide_day(
                self._place.school.id,
                self.stay,
                day,
                is_away=is_away,
                is_cut=is_cut,
                reason="văn phòng quyết định",
                actor=ACCOUNTANT,
                now=LATER,
            )
        return self

    def own(self, item: str, month: Period, quantity: int) -> Child:
        wanted = fees.OwnQuantity(self.stay, self._place.items[item], month, quantity, "riêng em")
        with scope.opened(self._in_school()), transaction():
            fees.set_quantities(self._place.school.id, [wanted], actor=ACCOUNTANT, now=LATER)
        return self

    def billed(self, *months: Period, now: datetime | None = None) -> Child:
        for month in months or (NOVEMBER, DECEMBER):
            try:
                with scope.opened(self._in_school()), transaction():
                    corrections.bill_child(
                        self._place.school.id,
                        self.stay,
                        month,
                        due_on=date(2027, 1, 20),
                        actor=ACCOUNTANT,
                        now=now or OUT[month],
                    )
            except NothingToBill:
                continue
        return self

    def withdrawn(self) -> Child:
        with scope.opened(self._in_school()), transaction():
            first = billing.invoices_of(self._place.school.id, self.student_id)[-1]
            corrections.withdraw(
                self._place.school.id,
                first.id,
                reason="lập nhầm phiếu đầu tiên",
                due_on=date(2027, 1, 20),
                actor=ACCOUNTANT,
                now=LATER,
            )
        return self

    @property
    def total(self) -> int:
        with scope.opened(self._in_school()):
            return int(
                scalar(
                    "select coalesce(sum(l.amount), 0) from invoice_lines l"
                    " where l.school_id = :s and l.enrolment_id = :e",
                    s=self._place.school.id,
                    e=self.stay,
                )
            )


N, D = NOVEMBER, DECEMBER
BOARDS = ("ăn", "bán trú")
#: what every child pays: water and materials in November, water and insurance in December
BASE_N, BASE_D = 16_000 + 150_000, 16_000 + 3 * 56_925
BASE = BASE_N + BASE_D
#: a boarder's months: 21 days; 11 days at 35,000 and 12 at 38,000
MEALS_N, MEALS_D = 21 * 35_000, 11 * 35_000 + 12 * 38_000
CARE = 260_000
BOARD_N, BOARD_D = MEALS_N + CARE, MEALS_D + CARE
BOARD = BOARD_N + BOARD_D


def n(day: int) -> date:
    return date(2026, 11, day)


def d(day: int) -> date:
    return date(2026, 12, day)


Tale = Callable[[Child], Child]
# fmt: off - one situation a line, so that the table is read like one
SITUATIONS: list[tuple[str, Tale, int]] = [
    # Who pays what
    ("Em không đăng ký gì: nước, học phẩm và BHYT; học phí được miễn", lambda c: c, BASE),
    ("Riêng tháng 11 chỉ có nước và học phẩm", lambda c: c.billed(N), BASE),
    ("Em khối 2 trả nước 20.000 thay vì 16.000", lambda c: c.moves(n(1), "2/1"), BASE + 8_000),
    ("Em bán trú cả hai tháng", lambda c: c.takes(*BOARDS), BASE + BOARD),
    ("Em chỉ ăn, không dùng dịch vụ chăm sóc", lambda c: c.takes("ăn"), BASE + MEALS_N + MEALS_D),
    ("Em chỉ gửi chăm sóc, mang cơm nhà", lambda c: c.takes("bán trú"), BASE + 2 * CARE),
    ("Em học kỹ năng sống 4 tiết mỗi tháng", lambda c: c.takes("kns"), BASE + 2 * 60_000),
    ("Em đi xe 40 km mỗi tháng", lambda c: c.takes("xe"), BASE + 2 * 360_000),
    ("Em gửi hai thứ Bảy của tháng 11", lambda c: c.takes("thứ bảy"), BASE + 2 * 70_000),
    ("Gia đình góp tài trợ: không bao giờ vào phiếu", lambda c: c.takes("tài trợ"), BASE),
    (
        "Lớp 1/2 có giá chăm sóc riêng 230.000",
        lambda c: c.moves(n(1), "1/2").takes("bán trú"),
        BASE + 460_000,
    ),
    # Months of a choice
    ("Đăng ký bán trú từ tháng 12", lambda c: c.takes(*BOARDS, first=D), BASE + BOARD_D),
    ("Thôi bán trú sau tháng 11", lambda c: c.takes(*BOARDS, last=N), BASE + BOARD_N),
    ("Đăng ký đã hết từ tháng 10", lambda c: c.takes("kns", last=Period(2026, 10)), BASE),
    (
        "Đăng ký muộn, phiếu tháng 11 đã phát hành: thu bổ sung",
        lambda c: c.billed(N).takes("kns"),
        BASE + 120_000,
    ),
    (
        "Rút đăng ký lùi về trước tháng 11: trả lại phần đã thu",
        lambda c: c.takes("kns").billed(N).stops("kns", Period(2026, 10)),
        BASE,
    ),
    (
        "Rút đăng ký từ tháng 12, tháng 11 giữ nguyên",
        lambda c: c.takes("kns").billed(N).stops("kns", N),
        BASE + 60_000,
    ),
    # Joining, leaving, moving
    (
        "Em vào trường 16/11: tiền ăn 11 ngày, chăm sóc cả tháng",
        lambda c: c.joins(n(16)).takes(*BOARDS),
        BASE + 11 * 35_000 + CARE + BOARD_D,
    ),
    (
        "Em vào trường 01/12: không có gì của tháng 11",
        lambda c: c.joins(d(1)).takes(*BOARDS),
        BASE_D + BOARD_D,
    ),
    (
        "Em vào trường ngày cuối tháng 11: ăn một ngày",
        lambda c: c.joins(n(30)).takes("ăn"),
        BASE + 35_000 + MEALS_D,
    ),
    (
        "Em rời trường 21/11 sau khi có phiếu: trả lại 6 ngày ăn, tháng 12 không thu",
        lambda c: c.takes(*BOARDS).billed(N).leaves(n(21)),
        BASE_N + BOARD_N - 6 * 35_000,
    ),
    (
        "Em rời trường 01/12: tháng 11 đủ, tháng 12 không",
        lambda c: c.takes(*BOARDS).leaves(d(1)),
        BASE_N + BOARD_N,
    ),
    (
        "Em rời trường 15/12: ăn 10 ngày giá cũ, các khoản tháng đủ",
        lambda c: c.takes(*BOARDS).leaves(d(15)),
        BASE + BOARD_N + 10 * 35_000 + CARE,
    ),
    ("Em rời trường trước tháng 11: không có phiếu", lambda c: c.takes(*BOARDS).leaves(n(1)), 0),
    (
        "Em chuyển sang lớp 1/2 giữa tháng 11: theo giá lớp mới",
        lambda c: c.takes("bán trú").moves(n(16), "1/2"),
        BASE + 460_000,
    ),
    (
        "Em chuyển sang khối 2 từ 01/12: nước tháng 12 theo khối mới",
        lambda c: c.moves(d(1), "2/1"),
        BASE + 4_000,
    ),
    (
        "Chuyển lớp sau khi có phiếu tháng 11: trả lại phần chênh",
        lambda c: c.takes("bán trú").billed(N).moves(n(2), "1/2"),
        BASE + 460_000,
    ),
    # Days of meals
    (
        "Nghỉ một ngày, báo 7 giờ sáng: trừ một suất",
        lambda c: c.takes("ăn").away(n(10)),
        BASE + 20 * 35_000 + MEALS_D,
    ),
    (
        "Báo đúng 7 giờ 30: vẫn kịp",
        lambda c: c.takes("ăn").away(n(10), hour="07:30"),
        BASE + 20 * 35_000 + MEALS_D,
    ),
    (
        "Báo 7 giờ 31: trễ, vẫn thu",
        lambda c: c.takes("ăn").away(n(10), hour="07:31"),
        BASE + MEALS_N + MEALS_D,
    ),
    (
        "Báo trễ một đợt bốn ngày: chỉ ngày đầu bị thu",
        lambda c: c.takes("ăn").away(n(10), n(13), hour="09:00"),
        BASE + 18 * 35_000 + MEALS_D,
    ),
    (
        "Nghỉ qua cuối tuần: chỉ trừ ngày có suất",
        lambda c: c.takes("ăn").away(n(13), n(16)),
        BASE + 19 * 35_000 + MEALS_D,
    ),
    (
        "Nghỉ sau khi có phiếu tháng 11: trừ ở phiếu tháng 12",
        lambda c: c.takes("ăn").billed(N).away(n(18), n(20)),
        BASE + 18 * 35_000 + MEALS_D,
    ),
    (
        "Báo hai lần cùng một ngày: trừ một suất",
        lambda c: c.takes("ăn").away(n(10)).away(n(10)),
        BASE + 20 * 35_000 + MEALS_D,
    ),
    (
        "Nghỉ cả tháng 11: không thu tiền ăn, chăm sóc còn một nửa",
        lambda c: c.takes(*BOARDS).away(n(2), n(30)),
        BASE + CARE // 2 + BOARD_D,
    ),
    (
        "Nghỉ đúng 10 ngày: chăm sóc vẫn đủ",
        lambda c: c.takes(*BOARDS).away(n(2), n(13)),
        BASE + 11 * 35_000 + CARE + BOARD_D,
    ),
    (
        "Nghỉ 11 ngày: chăm sóc giảm một nửa",
        lambda c: c.takes(*BOARDS).away(n(2), n(16)),
        BASE + 10 * 35_000 + CARE // 2 + BOARD_D,
    ),
    (
        "Nghỉ 11 ngày, ngày đầu báo trễ: vẫn tính là nghỉ",
        lambda c: c.takes(*BOARDS).away(n(2), n(16), hour="08:00"),
        BASE + 11 * 35_000 + CARE // 2 + BOARD_D,
    ),
    (
        "Văn phòng cho miễn một ngày báo trễ",
        lambda c: c.takes("ăn").away(n(10), hour="08:00").decided(n(10), is_cut=True),
        BASE + 20 * 35_000 + MEALS_D,
    ),
    (
        "Văn phòng thu lại một ngày đã trừ nhầm",
        lambda c: c.takes("ăn").away(n(10)).decided(n(10), is_cut=False),
        BASE + MEALS_N + MEALS_D,
    ),
    (
        "Em báo nghỉ nhưng đi học: ăn và trả tiền",
        lambda c: c.takes("ăn").away(n(10)).decided(n(10), is_cut=False, is_away=False),
        BASE + MEALS_N + MEALS_D,
    ),
    (
        "Nghỉ một thứ Bảy đã đăng ký: trừ tiền giữ trẻ",
        lambda c: c.takes("thứ bảy").away(n(7)),
        BASE + 70_000,
    ),
    (
        "Nghỉ ngày của giá mới trong tháng 12: trừ 38.000",
        lambda c: c.takes("ăn").away(d(17)),
        BASE + MEALS_N + MEALS_D - 38_000,
    ),
    (
        "Nghỉ ngày của giá cũ trong tháng 12: trừ 35.000",
        lambda c: c.takes("ăn").away(d(15)),
        BASE + MEALS_N + MEALS_D - 35_000,
    ),
    (
        "Nghỉ vắt qua ngày đổi giá: mỗi ngày theo giá của nó",
        lambda c: c.takes("ăn").away(d(15), d(16)),
        BASE + MEALS_N + MEALS_D - 73_000,
    ),
    (
        "Vào trường đúng ngày đổi giá: chỉ có giá mới",
        lambda c: c.joins(d(16)).takes("ăn"),
        BASE_D + 12 * 38_000,
    ),
    # Exemptions
    (
        "Hộ nghèo: miễn ăn, chăm sóc và kỹ năng sống",
        lambda c: c.takes(*BOARDS, "kns").granted("hộ nghèo"),
        BASE,
    ),
    (
        "Cận nghèo: giảm nửa chăm sóc, tiền ăn vẫn đủ",
        lambda c: c.takes(*BOARDS).granted("cận nghèo"),
        BASE + BOARD - CARE,
    ),
    (
        "Cận nghèo và con thứ hai: lấy mức cao hơn, không cộng",
        lambda c: c.takes("bán trú").granted("cận nghèo").granted("con thứ hai"),
        BASE + CARE,
    ),
    (
        "Con thứ hai: giảm 30 % chăm sóc",
        lambda c: c.takes("bán trú").granted("con thứ hai"),
        BASE + 2 * 182_000,
    ),
    ("Giảm 33 % nước uống", lambda c: c.granted("nước 33"), BASE - 2 * 5_280),
    (
        "Giảm nửa của 12.345: làm tròn nửa lên, còn 6.172",
        lambda c: c.takes("sổ").granted("cận nghèo"),
        BASE + 2 * 6_172,
    ),
    ("Đã có thẻ BHYT diện khác: không thu BHYT", lambda c: c.granted("thẻ khác"), BASE - 170_775),
    (
        "Miễn giảm chỉ trong tháng 11",
        lambda c: c.takes("bán trú").granted("cận nghèo", last=N),
        BASE + 130_000 + CARE,
    ),
    (
        "Miễn giảm từ tháng 12",
        lambda c: c.takes("bán trú").granted("cận nghèo", first=D),
        BASE + CARE + 130_000,
    ),
    (
        "Duyệt muộn sau hai phiếu: trả lại cả hai tháng",
        lambda c: c.takes("bán trú").billed().granted("cận nghèo"),
        BASE + CARE,
    ),
    (
        "Chính sách hết hiệu lực 01/11: không còn giảm",
        lambda c: c.takes("bán trú").granted("hết hạn"),
        BASE + 2 * CARE,
    ),
    (
        "Cận nghèo nghỉ 11 ngày: nửa và nửa không nhân đôi",
        lambda c: c.takes("bán trú", "ăn").granted("cận nghèo").away(n(2), n(16)),
        BASE + 10 * 35_000 + 130_000 + MEALS_D + 130_000,
    ),
    (
        "Con thứ hai nghỉ 11 ngày: nửa lớn hơn 30 %",
        lambda c: c.takes("bán trú", "ăn").granted("con thứ hai").away(n(2), n(16)),
        BASE + 10 * 35_000 + 130_000 + MEALS_D + 182_000,
    ),
    (
        "Hộ nghèo xin chỉ cho tháng 12 sau khi có phiếu",
        lambda c: c.takes(*BOARDS).billed().granted("hộ nghèo", first=D),
        BASE + BOARD_N,
    ),
    # One child's own quantity
    ("BHYT của em chỉ 2 tháng", lambda c: c.own("bhyt", D, 2), BASE - 56_925),
    ("BHYT: em đã có thẻ, 0 tháng", lambda c: c.own("bhyt", D, 0), BASE - 170_775),
    ("BHYT 12 tháng một lần", lambda c: c.own("bhyt", D, 12), BASE + 9 * 56_925),
    (
        "Xe của em 25 km trong tháng 11",
        lambda c: c.takes("xe").own("xe", N, 25),
        BASE + 225_000 + 360_000,
    ),
    (
        "Kỹ năng sống em học thêm 2 tiết",
        lambda c: c.takes("kns").own("kns", N, 6),
        BASE + 90_000 + 60_000,
    ),
    (
        "Sửa số km sau khi có phiếu: thu thêm phần chênh",
        lambda c: c.takes("xe").billed(N).own("xe", N, 50),
        BASE + 450_000 + 360_000,
    ),
    (
        "Số riêng đặt hai lần: lần sau có hiệu lực",
        lambda c: c.takes("xe").own("xe", N, 10).own("xe", N, 20),
        BASE + 180_000 + 360_000,
    ),
    # Wrong bills
    (
        "Thu hồi phiếu đúng: lập lại y như cũ",
        lambda c: c.takes(*BOARDS).billed().withdrawn(),
        BASE + BOARD,
    ),
    (
        "Thu hồi sau khi sửa đăng ký nhầm: chỉ còn khoản đúng",
        lambda c: c.takes("kns").billed(N).stops("kns", Period(2026, 10)).withdrawn(),
        BASE,
    ),
    (
        "Thu hồi phiếu có ngày nghỉ đã trừ: không trừ hai lần",
        lambda c: c.takes("ăn").billed(N).away(n(10)).billed(D).withdrawn(),
        BASE + 20 * 35_000 + MEALS_D,
    ),
    (
        "Phát hành lại nhiều lần không thu thêm đồng nào",
        lambda c: c.takes(*BOARDS).billed().billed().billed(),
        BASE + BOARD,
    ),
]
# fmt: on


@pytest.fixture(scope="module")
def place(app: Flask) -> Place:
    with app.app_context():
        return _place()


@pytest.fixture(autouse=True)
def _books_hold(context: Flask) -> Iterator[None]:
    yield
    assert breaches() == {}


def test_there_are_enough_situations() -> None:
    assert len(SITUATIONS) >= 60
    assert len({text for text, _tale, _amount in SITUATIONS}) == len(SITUATIONS)


@pytest.mark.parametrize(
    ("tale", "amount"),
    [pytest.param(tale, amount, id=text) for text, tale, amount in SITUATIONS],
)
def test_situation(context: Flask, place: Place, tale: Tale, amount: int) -> None:
    child = Child(place).joins()
    tale(child)
    child.billed(now=LATER)

    assert child.total == amount
    with scope.opened(scope.one_school(place.school.id)):
        lines = rows(
            "select legal_act, quantity, price, gross from invoice_lines where enrolment_id = :e",
            e=child.stay,
        )
    assert all(line.legal_act for line in lines)
