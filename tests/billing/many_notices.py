"""Fee notices by the hundred, invented, in odd lengths."""

from __future__ import annotations

import random
from collections.abc import Iterator

from app.core.money import Vnd
from app.core.words import amount_sentence
from app.money.billing import notices, vietqr
from tests.receipts.many import name

_ITEMS = (
    ("Học phí", "Nhà nước chi trả 100 %", "1 tháng"),
    ("Tiền ăn bán trú", "tháng 10/2026", "22 ngày"),
    ("Tiền ăn bán trú", "trả lại 2 ngày", "2 ngày"),
    ("Dịch vụ phục vụ, quản lý và vệ sinh bán trú", "giảm 50 %", "1 tháng"),
    ("Nước uống tinh khiết", "", "1 tháng"),
    ("Bảo hiểm y tế học sinh", "", "1 năm"),
    ("Tiếng Anh có giáo viên người nước ngoài (tự nguyện)", "", "8 tiết"),
    ("Các phiếu trước còn lại", "", ""),
)
_ACT = "Nghị quyết số 12/2026/NQ-HĐND ngày 12/07/2026 của Hội đồng nhân dân thành phố Đà Nẵng"
_DAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Chủ Nhật")


def many(count: int, seed: int) -> Iterator[notices.Notice]:
    """So many notices, the same ones for the same seed."""
    choose = random.Random(seed)
    for _number in range(count):
        rows, total = [], 0
        for item, detail, quantity in choose.sample(_ITEMS, choose.randint(1, 8)):
            amount = choose.randrange(1, 900) * 1_000
            total += amount
            figure = f"{amount:,}".replace(",", ".")
            price = figure if quantity else ""
            rows.append(
                notices.Row(item, detail, quantity, price, figure, choose.choice(("", _ACT)))
            )
        acts = notices.acts_of(rows)
        account = f"10{choose.randrange(10**8):08d}"
        reference = f"HP{choose.randrange(10**7):07d}"
        yield notices.Notice(
            period="tháng 11/2026",
            full_name=name(choose, choose.choice((2, 3, 4, 4, 6))),
            class_name=choose.choice(("4/1", "Lớn 2", "9A10")),
            rows=tuple(rows),
            acts=acts,
            total=f"{total:,}".replace(",", "."),
            words=amount_sentence(total),
            due_on=f"{choose.choice(_DAYS)} {choose.randint(1, 28):02d}/11/2026",
            reference=reference,
            bank=choose.choice(("Vietcombank", "BIDV", "MB")),
            account=account,
            holder=choose.choice(("TRUONG TIEU HOC NUI THANH", "TRUONG MAM NON SAO BIEN")),
            token="",
            qr_text=vietqr.build("970436", account, Vnd(total), reference),
            density=notices.density_of(rows, acts),
        )
