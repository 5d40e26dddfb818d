"""VietQR texts: published ones are read, ours are built byte for byte, damage is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Vnd
from app.money.billing.vietqr import UnbuildableQr, UnreadableQr, VietQr, build, crc, read
from app.people.schools.banks import BANKS, find_bank

A = (
    "00020101021238570010A00000072701270006970436011300110018008790208QRIBFTTA"
    "530370454061000005802VN62130809nhan tien6304D1EF"
)
B = (
    "00020101021238540010A00000072701240006970422011003429710860208QRIBFTTA"
    "53037045405500005802VN62240820SUB220260930AB3KX9MQ6304ACE2"
)
C = (
    "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA"
    "53037045405100005802VN62150811Chuyen tien630453E6"
)
D = "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F"
E = (
    "00020101021238570010A00000072701270006970415011300110019324180208QRIBFTTA"
    "530370454061200005802VN62170813ung ho lu lut6304C15C"
)
F = (
    "00020101021238570010A000000727012700069704220113VQRQAENYI05290208QRIBFTTA"
    "53037045405100005802VN62160812TT70111213146304EC4E"
)
G = (
    "00020101021226110007vn.momo38620010A00000072701320006970454011899MM25121O000000420208QRIBFTTA"
    "5303704540410005802VN62450515MMT5VjsnYzj97QR0822Thanh toan hop dong 196304EE49"
)
H = (
    "00020101021238540010A00000072701240006970436011010123456780208QRIBFTTA"
    "530370454064500005802VN62130809HP7K3M9Q56304FD93"
)
I = (  # noqa: E741
    "00020101021238570010A000000727012700069704180113V3CAS7K3M9Q010208QRIBFTTA"
    "5303704540712500005802VN62130809HP2B8N5TR6304537A"
)
J = (
    "00020101021238560010A0000007270126000697041501121133666688880208QRIBFTTA"
    "53037045405790005802VN62220818Ung Ho Quy Vac Xin63043ACF"
)

READ = [
    pytest.param(A, VietQr("970436", "0011001800879", Vnd(100_000), "nhan tien"), id="A"),
    pytest.param(B, VietQr("970422", "0342971086", Vnd(50_000), "SUB220260930AB3KX9MQ"), id="B"),
    pytest.param(C, VietQr("970416", "257678859", Vnd(10_000), "Chuyen tien"), id="C"),
    pytest.param(D, VietQr("970416", "257678859", None, ""), id="D, no amount"),
    pytest.param(E, VietQr("970415", "0011001932418", Vnd(120_000), "ung ho lu lut"), id="E"),
    pytest.param(F, VietQr("970422", "VQRQAENYI0529", Vnd(10_000), "TT7011121314"), id="F"),
    pytest.param(
        G,
        VietQr(
            "970454",
            "99MM25121O00000042",
            Vnd(1_000),
            "Thanh toan hop dong 19",
            reference_label="MMT5VjsnYzj97QR",
        ),
        id="G, a wallet",
    ),
    pytest.param(H, VietQr("970436", "1012345678", Vnd(450_000), "HP7K3M9Q5"), id="H"),
    pytest.param(I, VietQr("970418", "V3CAS7K3M9Q01", Vnd(1_250_000), "HP2B8N5TR"), id="I"),
    pytest.param(J, VietQr("970415", "113366668888", Vnd(79_000), "Ung Ho Quy Vac Xin"), id="J"),
]
BUILT = [case for case in READ if case.id != "G, a wallet"]


def test_the_check_sum_is_the_published_one() -> None:
    assert crc("123456789") == "29B1"


@pytest.mark.parametrize(("text", "meaning"), READ)
def test_a_known_qr_is_read(text: str, meaning: VietQr) -> None:
    assert read(text) == meaning


@pytest.mark.parametrize(("text", "meaning"), BUILT)
def test_a_known_qr_is_built_byte_for_byte(text: str, meaning: VietQr) -> None:
    assert build(meaning.bin, meaning.account, meaning.amount, meaning.purpose) == text


@pytest.mark.parametrize("text", [A, B, C, D, E, F, G, H, I, J], ids="ABCDEFGHIJ")
def test_every_altered_digit_is_refused(text: str) -> None:
    for place, right in enumerate(text):
        if right.isdigit():
            for wrong in "0123456789".replace(right, ""):
                with pytest.raises(UnreadableQr):
                    read(text[:place] + wrong + text[place + 1 :])


def test_a_right_check_sum_alone_is_not_enough() -> None:
    wrong_start = "000200" + H[6:-4]
    with pytest.raises(UnreadableQr, match="not a VietQR"):
        read(wrong_start + crc(wrong_start))


def _resealed(text: str) -> str:
    return text[:-4] + crc(text[:-4])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a VietQR"),
        ("https://example.vn", "not a VietQR"),
        (H.lower(), "damaged"),
        (H[:-1], "damaged"),
        (H + "0", "damaged"),
        ("000201Ế" + H[6:], "not a VietQR"),
        (_resealed(H.replace("5303704", "5303840")), "currency"),
        (_resealed(H.replace("QRIBFTTA", "QRIBFTTC")), "bank account"),
        (_resealed(H.replace("A000000727", "A000000728")), "bank account"),
        (_resealed(H.replace("5406450000", "5406045000")), "amount"),
        (_resealed(H.replace("5406450000", "5406450.00")), "amount"),
        (_resealed(H.replace("5802VN", "58020N58020N")), "twice"),
        (_resealed(H.replace("5802VN", "5802VN5900")), "cut off"),
        ("0002016304" + crc("0002016304"), "currency"),
    ],
)
def test_what_is_no_transfer_in_dong_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnreadableQr, match=why):
        read(text)


@pytest.mark.parametrize(
    ("bin", "account", "amount", "purpose"),
    [
        ("97043", "1012345678", Vnd(1), "HP7K3M9Q5"),
        ("97043a", "1012345678", Vnd(1), "HP7K3M9Q5"),
        ("970436", "", Vnd(1), "HP7K3M9Q5"),
        ("970436", "1" * 20, Vnd(1), "HP7K3M9Q5"),
        ("970436", "101-234", Vnd(1), "HP7K3M9Q5"),
        ("970436", "1012345678", Vnd(0), "HP7K3M9Q5"),
        ("970436", "1012345678", Vnd(-5), "HP7K3M9Q5"),
        ("970436", "1012345678", Vnd(10**13), "HP7K3M9Q5"),
        ("970436", "1012345678", Vnd(1), "học phí"),
        ("970436", "1012345678", Vnd(1), "A" * 26),
        ("970436", "1012345678", Vnd(1), " HP7K3M9Q5"),
        ("970436", "1012345678", Vnd(1), "HP7K3M9Q5\n"),
        ("970436", "1012345678", Vnd(1), "hoc  phi"),
    ],
)
def test_what_a_bank_would_change_is_not_built(
    bin: str, account: str, amount: Vnd, purpose: str
) -> None:
    with pytest.raises(UnbuildableQr):
        build(bin, account, amount, purpose)


@given(
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.from_regex(r"[0-9A-Za-z]{1,19}", fullmatch=True),
    st.none() | st.integers(1, 10**13 - 1).map(Vnd),
    st.just("") | st.from_regex(r"[0-9A-Z]{1,25}", fullmatch=True),
)
def test_what_is_built_is_read_back(
    bin: str, account: str, amount: Vnd | None, purpose: str
) -> None:
    assert read(build(bin, account, amount, purpose)) == VietQr(bin, account, amount, purpose)


def test_the_ten_largest_banks_have_their_numbers() -> None:
    assert [(bank.short_name, bank.bin) for bank in list(BANKS.values())[:10]] == [
        ("Vietcombank", "970436"),
        ("BIDV", "970418"),
        ("VietinBank", "970415"),
        ("Agribank", "970405"),
        ("MB", "970422"),
        ("Techcombank", "970407"),
        ("ACB", "970416"),
        ("VPBank", "970432"),
        ("TPBank", "970423"),
        ("Sacombank", "970403"),
    ]


def test_every_bank_is_listed_once_and_has_both_names() -> None:
    assert len(BANKS) == 34
    assert len({bank.short_name for bank in BANKS.values()}) == len(BANKS)
    for number, bank in BANKS.items():
        assert number == bank.bin and len(number) == 6 and number.isdigit()
        assert bank.full_name.startswith("Ngân hàng")
    vietcombank = find_bank("970436")
    assert vietcombank is not None and vietcombank.short_name == "Vietcombank"
    assert find_bank("970410") is None
