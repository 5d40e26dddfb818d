"""Banks that receive NAPAS transfers: the six digits a VietQR names them by. Reviewed data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank as payers know it and as papers name it."""

    bin: str
    short_name: str
    full_name: str


_ROWS: Final = (
    ("970436", "Vietcombank", "Ngân hàng TMCP Ngoại thương Việt Nam"),
    ("970418", "BIDV", "Ngân hàng TMCP Đầu tư và Phát triển Việt Nam"),
    ("970415", "VietinBank", "Ngân hàng TMCP Công thương Việt Nam"),
    ("970405", "Agribank", "Ngân hàng Nông nghiệp và Phát triển Nông thôn Việt Nam"),
    ("970422", "MB", "Ngân hàng TMCP Quân đội"),
    ("970407", "Techcombank", "Ngân hàng TMCP Kỹ thương Việt Nam"),
    ("970416", "ACB", "Ngân hàng TMCP Á Châu"),
    ("970432", "VPBank", "Ngân hàng TMCP Việt Nam Thịnh Vượng"),
    ("970423", "TPBank", "Ngân hàng TMCP Tiên Phong"),
    ("970403", "Sacombank", "Ngân hàng TMCP Sài Gòn Thương Tín"),
    ("970437", "HDBank", "Ngân hàng TMCP Phát triển Thành phố Hồ Chí Minh"),
    ("970441", "VIB", "Ngân hàng TMCP Quốc tế Việt Nam"),
    ("970443", "SHB", "Ngân hàng TMCP Sài Gòn – Hà Nội"),
    ("970431", "Eximbank", "Ngân hàng TMCP Xuất Nhập khẩu Việt Nam"),
    ("970426", "MSB", "Ngân hàng TMCP Hàng Hải Việt Nam"),
    ("970448", "OCB", "Ngân hàng TMCP Phương Đông"),
    ("970440", "SeABank", "Ngân hàng TMCP Đông Nam Á"),
    ("970449", "LPBank", "Ngân hàng TMCP Lộc Phát Việt Nam"),
    ("970412", "PVcomBank", "Ngân hàng TMCP Đại Chúng Việt Nam"),
    ("970428", "Nam A Bank", "Ngân hàng TMCP Nam Á"),
    ("970425", "ABBank", "Ngân hàng TMCP An Bình"),
    ("970454", "BVBank", "Ngân hàng TMCP Bản Việt"),
    ("970409", "Bac A Bank", "Ngân hàng TMCP Bắc Á"),
    ("970452", "Kienlongbank", "Ngân hàng TMCP Kiên Long"),
    ("970429", "SCB", "Ngân hàng TMCP Sài Gòn"),
    ("970427", "VietABank", "Ngân hàng TMCP Việt Á"),
    ("970419", "NCB", "Ngân hàng TMCP Quốc Dân"),
    ("970400", "Saigonbank", "Ngân hàng TMCP Sài Gòn Công Thương"),
    ("970433", "VietBank", "Ngân hàng TMCP Việt Nam Thương Tín"),
    ("970424", "Shinhan Bank", "Ngân hàng TNHH MTV Shinhan Việt Nam"),
    ("970446", "Co-opBank", "Ngân hàng Hợp tác xã Việt Nam"),
    ("970406", "DongA Bank", "Ngân hàng TMCP Đông Á"),
    ("546034", "CAKE", "Ngân hàng số CAKE by VPBank"),
    ("963388", "Timo", "Ngân hàng số Timo by BVBank"),
)

#: by BIN, the most used first
BANKS: Final = {row[0]: Bank(*row) for row in _ROWS}


def find_bank(bin: str) -> Bank | None:
    """The bank behind the six digits, if we know it."""
    return BANKS.get(bin)
