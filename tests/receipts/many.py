"""Receipts by the hundred, invented: names, items and sums as schools have them, in odd lengths."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from app.core.words import amount_sentence
from app.money.receipts import ReceiptChild, ReceiptContent, ReceiptLine
from app.money.receipts.content import SchoolHeader

_FAMILY = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Ưng",
    "Alăng",
    "Bh'nướch",
]
_MIDDLE = [
    "Thị",
    "Văn",
    "Ngọc",
    "Quỳnh",
    "Đức",
    "Thuỳ",
    "Hữu",
    "Mỹ",
    "Khánh",
    "Bảo",
    "Xuân",
    "Thiên",
    "Hoàng",
]
_GIVEN = [
    "Ánh",
    "Bích",
    "Cường",
    "Dũng",
    "Điệp",
    "Giang",
    "Hằng",
    "Huệ",
    "Khoẻ",
    "Lộc",
    "Nghĩa",
    "Phượng",
    "Quyên",
    "Thảo",
    "Vượng",
    "Ý",
    "Yến",
]
_ITEMS = (
    ("Học phí", "tháng"),
    ("Tiền ăn bán trú", "ngày"),
    ("Dịch vụ phục vụ, quản lý và vệ sinh bán trú", "tháng"),
    ("Nước uống tinh khiết", "tháng"),
    ("Bảo hiểm y tế học sinh", "năm"),
    ("Dạy học 2 buổi", "tiết"),
    ("Tiếng Anh có giáo viên người nước ngoài, thỏa thuận với cha mẹ học sinh của lớp", "tiết"),
    ("Sổ liên lạc điện tử", "học kỳ"),
    ("Thiết bị, vật dụng bán trú (trang bị mới)", ""),
    ("Kỹ năng sống", "tiết"),
    ("Nộp thừa, trừ vào tháng sau", ""),
)
_DETAILS = ("", "", "", "giảm 50 %", "07/10 và 21/10", "tháng 9/2026", "Nhà nước chi trả 100 %")
_SCHOOLS = (
    ("Trường Tiểu học Núi Thành", "1099124", "24 đường Minh Họa, phường Hòa Cường, Đà Nẵng"),
    ("Trường Mầm non Sao Biển", "", "12 đường Minh Họa, Đà Nẵng"),
    ("Trường THCS Lý Thường Kiệt", "1099125", ""),
)


def name(choose: random.Random, words: int) -> str:
    """A name of so many words."""
    parts = [choose.choice(_FAMILY), *(choose.choice(_MIDDLE) for _ in range(words - 2))]
    return " ".join([*parts, choose.choice(_GIVEN)])


def receipts(count: int, seed: int, *, most_lines: int = 12) -> Iterator[ReceiptContent]:
    """So many receipts, the same ones for the same seed."""
    choose = random.Random(seed)
    for number in range(1, count + 1):
        yield _receipt(choose, number, most_lines)


def ordinary(count: int, seed: int) -> Iterator[ReceiptContent]:
    """What a school prints in a month: eight items, one child, a transfer."""
    choose = random.Random(seed)
    items = [item for item in _ITEMS if item[1]][:8]
    for number in range(1, count + 1):
        lines = []
        for place, (item, unit) in enumerate(items):
            price = choose.randint(10, 900) * 1_000
            quantity = choose.randint(1, 24) if unit in ("ngày", "tiết") else 1
            detail = "giảm 50 %" if place == 2 else ""
            lines.append(ReceiptLine(item, detail, quantity, unit, price, price * quantity))
        child = ReceiptChild(
            name(choose, choose.choice((2, 3, 3, 4))),
            f"{choose.randrange(10**9):09d}",
            choose.choice(("4/1", "4/2", "9A10")),
            "2026-2027",
            "11/2026",
            tuple(lines),
        )
        plain = _receipt(choose, number, 1)
        amount = sum(line.amount for line in lines)
        yield replace(
            plain,
            school=SchoolHeader(*_SCHOOLS[0], "UBND phường"),
            payer=name(choose, 3).upper(),
            payer_address="24 đường Sơn Tùng, Đà Nẵng",
            children=(child,),
            amount=amount,
            amount_words=amount_sentence(amount),
            method="Chuyển khoản",
            reference=f"HP7K3M{choose.randrange(1000):03d}",
            collected_by="",
            replaces="",
        )


def _receipt(choose: random.Random, number: int, most_lines: int) -> ReceiptContent:
    children = tuple(
        ReceiptChild(
            name(choose, choose.choice((2, 3, 3, 4, 4, 7, 12))),
            f"{choose.randrange(10**9):09d}",
            choose.choice(("Lớn 2", "4/1", "9A10", "")),
            "2026-2027",
            choose.choice(("11/2026", "10/2026, 11/2026", "")),
            tuple(_line(choose) for _ in range(choose.randint(1, most_lines))),
        )
        for _ in range(choose.choice((1, 1, 1, 1, 1, 1, 2, 3)))
    )
    amount = sum(line.amount for child in children for line in child.lines)
    is_cash = choose.random() < 0.3
    return ReceiptContent(
        form_number="C45-BB",
        circular="Ban hành kèm theo Thông tư số 24/2024/TT-BTC",
        school=SchoolHeader(*choose.choice(_SCHOOLS), "UBND phường"),
        series="TH01-26",
        number=number,
        book="01/2026",
        issued_at=f"2026-11-{choose.randint(1, 28):02d}T0{choose.randint(0, 9)}:14:07+00:00",
        received_on=f"2026-11-{choose.randint(1, 28):02d}",
        occurred_at=f"2026-11-{choose.randint(1, 28):02d}T01:13:00+00:00",
        payer=choose.choice(
            (name(choose, 3).upper(), name(choose, 4), "Gia đình em " + name(choose, 3))
        ),
        payer_address=choose.choice(
            ("", "24 đường Sơn Tùng, Đà Nẵng", "Tổ 27, thôn Phú Sơn Tây, xã Hòa Khương, Đà Nẵng")
        ),
        method="Tiền mặt" if is_cash else "Chuyển khoản",
        transfer_text="",
        reference="" if is_cash else f"HP7K3M{choose.randrange(1000):03d}",
        children=children,
        amount=amount,
        amount_words=amount_sentence(amount),
        collected_by=name(choose, 3) if is_cash else "",
        check_code="".join(choose.choice("ABCDEFGHJKMNPQRSTVWXYZ23456789") for _ in range(8)),
        previous=f"{number - 1:06d} · {choose.randrange(16**8):08X}" if number > 1 else "",
        replaces=choose.choice(("", "", "", "", "TH01-26 / 000007")),
        is_demo=False,
    )


def _line(choose: random.Random) -> ReceiptLine:
    item, unit = choose.choice(_ITEMS)
    quantity = choose.randint(1, 24) if unit else None
    price = choose.randint(1, 900) * 1_000
    return ReceiptLine(
        item,
        choose.choice(_DETAILS),
        quantity,
        unit,
        price if quantity else None,
        price * (quantity or 1),
    )
