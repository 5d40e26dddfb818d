"""Contents of receipts as frozen values, and what a reader of their PDF sees."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from app.core.press import why_unavailable
from app.core.words import amount_sentence
from app.money.receipts import ReceiptChild, ReceiptContent, ReceiptLine
from app.money.receipts.content import SchoolHeader
from tests.conftest import unavailable

LINES = (
    ReceiptLine("Học phí", "Nhà nước chi trả 100 %", 1, "tháng", 95_000, 0),
    ReceiptLine("Tiền ăn bán trú", "", 21, "ngày", 35_000, 735_000),
    ReceiptLine("Trả lại ngày nghỉ", "07/10 và 21/10", 2, "ngày", -35_000, -70_000),
    ReceiptLine("Phục vụ bán trú", "", 1, "tháng", 260_000, 260_000),
    ReceiptLine("Nước uống", "", 1, "tháng", 16_000, 16_000),
    ReceiptLine("Kỹ năng sống", "giảm 50 %", 4, "tiết", 15_000, 30_000),
)
UONG = ReceiptChild("Nguyễn Hữu Ưỡng", "123456780", "Lớn 2", "2026-2027", "11/2026", LINES)
ANH = ReceiptChild("Đặng Thuỳ Ẫnh", "987654320", "4/1", "2026-2027", "10/2026, 11/2026", LINES[:4])


def child_with(count: int, name: str = "Nguyễn Hữu Ưỡng") -> ReceiptChild:
    """A child with so many lines of 1,000 đồng more each."""
    lines = tuple(
        ReceiptLine(f"Khoản thu {n}", "", 1, "tháng", n * 1000, n * 1000)
        for n in range(1, count + 1)
    )
    return ReceiptChild(name, "123456780", "Lớn 2", "2026-2027", "11/2026", lines)


def content(*children: ReceiptChild, **changes: object) -> ReceiptContent:
    """A receipt of a transfer; its sum and words are those of its lines."""
    children = children or (UONG,)
    amount = sum(line.amount for child in children for line in child.lines)
    values: dict[str, object] = {
        "form_number": "C45-BB",
        "circular": "Ban hành kèm theo Thông tư số 24/2024/TT-BTC",
        "school": SchoolHeader(
            "Trường Mầm non Sao Biển", "1099123", "12 đường Minh Họa, Đà Nẵng", "UBND phường"
        ),
        "series": "MN01-26",
        "number": 412,
        "book": "01/2026",
        "issued_at": "2026-11-24T01:14:07+00:00",
        "received_on": "2026-11-24",
        "occurred_at": "2026-11-24T01:13:00+00:00",
        "payer": "Phạm Thị Ngà",
        "payer_address": "24 đường Sơn Tùng, Đà Nẵng",
        "method": "Chuyển khoản",
        "transfer_text": "MBVCB.HP7K3M9Q5.PHAM THI NGA chuyen tien",
        "reference": "HP7K3M9Q5",
        "children": children,
        "amount": amount,
        "amount_words": amount_sentence(amount),
        "collected_by": "",
        "check_code": "K7QW2MDX",
        "previous": "000411 · 9F3A71C0",
        "replaces": "",
        "is_demo": False,
        **changes,
    }
    return ReceiptContent(**values)  # type: ignore[arg-type]


def need_printing() -> None:
    """Skip where papers cannot be drawn or read."""
    missing = why_unavailable()
    if missing:
        unavailable(f"papers cannot be drawn here: apt-get install {missing}")
    if not shutil.which("pdftotext"):
        unavailable("papers cannot be read here: apt-get install poppler-utils")


def words_of(paper: bytes, folder: Path, *options: str) -> str:
    """The text of a PDF, spaces squeezed."""
    file = folder / "paper.pdf"
    file.write_bytes(paper)
    done = subprocess.run(
        ["pdftotext", *options, str(file), "-"], capture_output=True, text=True, check=True
    )
    return " ".join(done.stdout.replace("\u00a0", " ").split())


def page_words(paper: bytes, folder: Path, page: int) -> str:
    """The text of one page."""
    return words_of(paper, folder, "-f", str(page), "-l", str(page))


def page_sizes(paper: bytes, folder: Path) -> list[tuple[int, int]]:
    """Width and height of every page in millimetres."""
    file = folder / "paper.pdf"
    file.write_bytes(paper)
    done = subprocess.run(
        ["pdfinfo", "-f", "1", "-l", "999", str(file)], capture_output=True, text=True, check=True
    )
    sizes = []
    for line in done.stdout.splitlines():
        if line.startswith("Page ") and " size:" in line:
            parts = line.split("size:")[1].split()
            sizes.append((_mm(parts[0]), _mm(parts[2])))
    return sizes


def _mm(points: str) -> int:
    return round(float(points) * 25.4 / 72)


def pictures_of(paper: bytes, folder: Path, *command: str) -> list[Path]:
    """What `pdftoppm` or `pdfimages` makes of a PDF, in order."""
    file = folder / "paper.pdf"
    file.write_bytes(paper)
    subprocess.run([*command, "-png", str(file), str(folder / command[0])], check=True)
    return sorted(folder.glob(f"{command[0]}*.png"))


def names_in(children: Sequence[ReceiptChild]) -> list[str]:
    """Every word of the children's names that is not an initial."""
    return [word for child in children for word in child.full_name.split()]


def texts(paper: bytes, folder: Path) -> list[str]:
    """The text of every page, laid out as on it."""
    (folder / "text.pdf").write_bytes(paper)
    done = subprocess.run(
        ["pdftotext", "-layout", str(folder / "text.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Syntax" not in done.stderr
    return done.stdout.split("\f")[:-1]


def dots(paper: bytes, folder: Path, name: str) -> list[bytes]:
    """Every page as its dots at 150 dpi, in colour."""
    (folder / f"{name}.pdf").write_bytes(paper)
    command = ["pdftoppm", "-r", "150", str(folder / f"{name}.pdf"), str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr
    return [file.read_bytes() for file in sorted(folder.glob(f"{name}-*.ppm"))]
