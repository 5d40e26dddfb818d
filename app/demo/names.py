"""Invented people, streets, phones and schools: plausible in Vietnamese, and nobody's.

Weights follow what every class list looks like; no list of real people was used.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from app.core.text import ascii_upper, nfc
from app.people.schools.models import Level
from app.people.students.models import Sex


def _weighted(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """`Nguyễn 38, Trần 12` as words and weights; a word without a number weighs one."""
    words, weights = [], []
    for part in nfc(text).split(","):
        word, _, weight = part.strip().rpartition(" ")
        if not weight.isdecimal():
            word, weight = part.strip(), "1"
        words.append(word)
        weights.append(int(weight))
    return tuple(words), tuple(weights)


FAMILY: Final = _weighted(
    "Nguyễn 36, Trần 12, Lê 10, Phạm 7, Huỳnh 6, Phan 5, Võ 5, Đặng 4, Bùi 3, Đỗ 3, Hồ 3, Ngô 3,"
    " Dương 2, Đoàn 2, Trương 2, Lương 2, Mai 2, Tạ 1, Thái 1, Châu 1, Tôn Thất 1, Nguyễn Hữu 2,"
    " Nguyễn Phước 1, Lý 1, Đinh 2, Hà 1, Cao 1, Kiều 1, Ông 1, Bạch 1"
)
MIDDLE: Final = {
    Sex.FEMALE: _weighted(
        "Thị 10, Ngọc 14, Bảo 12, Thùy 6, Khánh 9, Minh 9, Phương 7, Quỳnh 6, Gia 7, Hoài 3,"
        " Thanh 6, Kim 3, Diệu 2, Hà 4, An 5, Thục 1, Tường 2, Yến 2, Ánh 2, Cát 1, Tuệ 3"
    ),
    Sex.MALE: _weighted(
        "Văn 5, Minh 15, Gia 14, Quốc 8, Đức 7, Hữu 4, Anh 7, Bảo 9, Hoàng 8, Nhật 7, Thiên 4,"
        " Tuấn 5, Công 3, Đình 3, Quang 5, Trọng 2, Xuân 2, Khôi 2, Phúc 4, Tấn 2"
    ),
}
GIVEN: Final = {
    Sex.FEMALE: _weighted(
        "Anh 14, Ngọc 8, Hân 9, Vy 9, Thảo 6, Trâm 6, Nhi 9, Linh 8, Ngân 6, My 6, Hà 4, Châu 5,"
        " An 6, Chi 5, Khuê 2, Thư 6, Trang 5, Như 4, Tuyết 1, Hiền 2, Ánh 2, Yến 3, Nguyệt 1,"
        " Quỳnh 4, Diễm 1, Uyên 3, Ẩn 1, Đan 2, Dung 1, Phụng 1, Tuệ 2, Ân 2, Ỷ Lan 1"
    ),
    Sex.MALE: _weighted(
        "Khang 9, Huy 9, Bảo 9, Minh 9, Khoa 7, Phúc 8, Đạt 4, Nam 5, Long 5, Quân 6, Kiệt 5,"
        " Hưng 4, Nguyên 6, Khôi 7, Thịnh 4, Phát 5, Tài 2, Lộc 3, Trí 4, Đăng 5, Việt 2, Hiếu 3,"
        " Ấn 1, Thuận 2, Tấn 1, Nghĩa 2, Quý 1, Bửu 1, Dũng 2, Vũ 3, Nhẫn 1, Đức 2"
    ),
}
#: grown-ups of two generations ago had other fashions
ADULT_GIVEN: Final = {
    Sex.FEMALE: _weighted(
        "Hương 8, Hạnh 7, Thủy 8, Nga 6, Lan 7, Hoa 6, Mai 7, Hằng 6, Vân 6, Thu 5, Tuyết 4,"
        " Phượng 5, Loan 4, Hồng 5, Liên 4, Nguyệt 3, Trinh 4, Nhung 4, Diệp 2, Ngà 2, Sương 3"
    ),
    Sex.MALE: _weighted(
        "Hùng 8, Dũng 8, Tuấn 8, Sơn 6, Hải 6, Thành 6, Cường 6, Bình 5, Phong 4, Toàn 4, Lợi 3,"
        " Thắng 5, Hòa 4, Tâm 4, Vinh 4, Quang 5, Tiến 4, Lâm 3, Thạnh 2, Ẩn 1, Đông 2"
    ),
}
ADULT_MIDDLE: Final = {
    Sex.FEMALE: _weighted("Thị 40, Thị Thu 8, Thị Kim 5, Thị Minh 4, Thị Hồng 4, Thanh 4, Ngọc 4"),
    Sex.MALE: _weighted("Văn 26, Đức 6, Minh 7, Quốc 6, Hữu 5, Xuân 4, Ngọc 4, Đình 4, Thanh 4"),
}
#: invented streets; none of them is on a map of the city
STREETS: Final = tuple(
    nfc(f"đường {name}")
    for name in (
        "Minh Họa",
        "Bàng Vuông",
        "Cánh Buồm",
        "Đá Cuội",
        "Gió Nồm",
        "Hàng Dừa Xanh",
        "Hoa Muống Biển",
        "Lưới Chài",
        "Mái Chèo",
        "Ngọn Hải Đăng",
        "Sóng Bạc",
        "Thuyền Thúng",
        "Vỏ Ốc",
        "Xóm Chài",
    )
)


@dataclass(frozen=True, slots=True)
class SchoolName:
    """An invented school: code, level and how it is written in each place."""

    code: str
    level: Level
    short: str
    full: str
    #: as a bank app shows the holder
    holder: str


#: prefix of the code, short word, full words, the level's invented names
_KINDS: Final = {
    Level.NURSERY: (
        "MN",
        "MN",
        "Trường Mầm non",
        (
            "Sao Biển, Tuổi Hồng, Họa Mi, Anh Đào, Vành Khuyên, Hướng Dương, Bồ Công Anh, Nắng Mai,"
            " Hoa Sen, Măng Xanh"
        ),
    ),
    Level.PRIMARY: (
        "TH",
        "TH",
        "Trường Tiểu học",
        (
            "Phượng Vĩ, Cầu Vồng, Gió Biển, Thuyền Giấy, Lúa Vàng, Cánh Diều, Ngọc Lan, Bình Minh,"
            " Sơn Ca, Đồi Thông, Hoa Gạo, Bàng Vuông, Sông Xanh, Hải Vân, Mây Trắng, Hàng Dừa"
        ),
    ),
    Level.LOWER_SECONDARY: (
        "CS",
        "THCS",
        "Trường THCS",
        (
            "Hòn Sơn Chà, Tiên Sa, Rạng Đông, Ánh Dương, Bờ Đông, Nguồn Sáng, Sao Mai, Cửa Đại,"
            " Biển Khơi, Trường Thi"
        ),
    ),
}
#: so that any few schools at the head of the list show all levels
_TURNS: Final = (Level.NURSERY, Level.PRIMARY, Level.LOWER_SECONDARY, Level.PRIMARY)


def school_names() -> list[SchoolName]:
    """The 36 invented schools, levels in turn: 10 nurseries, 16 primary, 10 lower secondary."""
    waiting = {level: _named(level) for level in _KINDS}
    found: list[SchoolName] = []
    turn = 0
    while any(waiting.values()):
        level = _TURNS[turn % len(_TURNS)]
        if waiting[level]:
            found.append(waiting[level].pop(0))
        turn += 1
    return found


def _named(level: Level) -> list[SchoolName]:
    prefix, short, full, names = _KINDS[level]
    holder = full.replace("THCS", "Trung học cơ sở")
    return [
        SchoolName(
            code=f"{prefix}{number:02d}",
            level=level,
            short=nfc(f"{short} {name}"),
            full=nfc(f"{full} {name}"),
            holder=ascii_upper(f"{holder} {name}"),
        )
        for number, name in enumerate((part.strip() for part in names.split(",")), start=1)
    ]


class Names:
    """Draws people from one source of chance, so that the same seed gives the same town."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._phones = 0
        self._staff: set[str] = set()

    def family(self) -> str:
        """A family name."""
        return self._draw(FAMILY)

    def sex(self) -> Sex:
        """A girl or a boy."""
        return Sex.FEMALE if self._rng.random() < 0.49 else Sex.MALE

    def child(self, family: str, sex: Sex) -> str:
        """A child's full name under a family name; middle and given name never repeat a word."""
        while True:
            middle, given = self._draw(MIDDLE[sex]), self._draw(GIVEN[sex])
            if middle != given:
                return f"{family} {middle} {given}"

    def adult(self, sex: Sex, family: str | None = None) -> str:
        """A grown-up's full name."""
        while True:
            middle, given = self._draw(ADULT_MIDDLE[sex]), self._draw(ADULT_GIVEN[sex])
            if given not in middle.split():
                return f"{family or self.family()} {middle} {given}"

    def staff(self, sex: Sex) -> str:
        """A member of staff; no two share a name, for whoever drafts must not approve."""
        while (name := self.adult(sex)) in self._staff:
            pass
        self._staff.add(name)
        return name

    def address(self) -> str:
        """A house in an invented street."""
        return f"{self._rng.randint(1, 188)} {self._rng.choice(STREETS)}, Đà Nẵng"

    def phone(self) -> str:
        """A number nobody has: 09 or 03 and then 000, a block no operator gives out."""
        self._phones += 1
        # Neighbours in a class list should not have neighbouring numbers.
        scattered = self._phones * 7919 % 100_000
        return f"{'09' if self._phones % 3 else '03'}000{scattered:05d}"

    def _draw(self, source: tuple[tuple[str, ...], tuple[int, ...]]) -> str:
        return self._rng.choices(source[0], source[1])[0]
