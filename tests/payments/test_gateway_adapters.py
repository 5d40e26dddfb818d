"""Casso, payOS, VNPAY, MoMo and ZaloPay: proved signatures, strict reading, forgeries refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.core.money import Vnd
from app.money.payments.adapters import (
    BadSignature,
    GatewayEvent,
    UnreadableNotice,
    casso,
    momo,
    payos,
    vnpay,
    zalopay,
)

pytestmark = pytest.mark.usefixtures("context")
NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)

# The providers' own samples, and vectors recorded for these adapters.

CASSO_KEY = "mgExMrjj4i7a1p8Cs6LmFbpCd8lbw4sSX4LZXPag7TKazeIogtR90tvWYTkwQbvs"
CASSO_SAMPLE = {
    "error": 0,
    "data": {
        "id": 0,
        "reference": "MA_GIAO_DICH_THU_NGHIEM",
        "description": "giao dich thu nghiem",
        "amount": 599000,
        "runningBalance": 25000000,
        "transactionDateTime": "2024-10-03 15:06:37",
        "accountNumber": "88888888",
        "bankName": "VPBank",
        "bankAbbreviation": "VPB",
        "virtualAccountNumber": "",
        "virtualAccountName": "",
        "counterAccountName": "NGUYEN VAN A",
        "counterAccountNumber": "8888888888",
        "counterAccountBankId": "970415",
        "counterAccountBankName": "VietinBank",
    },
}
CASSO_SIGNATURE = (
    "t=1727948258788,v1=ed0a4bd2e826d5cb69988cdb141e6c1a080e21f3b57eb72cd78192220042b9e7"
    "dde0868fc667faea8e224900fa7904e7c88dfa098032fb2d6b6996856e8b7ff3"
)
PAYOS_KEY = "1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675"
PAYOS_DATA: dict[str, Any] = {
    "orderCode": 123,
    "amount": 3000,
    "description": "VQRIO123",
    "accountNumber": "12345678",
    "reference": "TF230204212323",
    "transactionDateTime": "2023-02-04 18:25:00",
    "currency": "VND",
    "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18",
    "code": "00",
    "desc": "Thành công",
    "counterAccountBankId": "",
    "counterAccountBankName": "",
    "counterAccountName": "",
    "counterAccountNumber": "",
    "virtualAccountName": "",
    "virtualAccountNumber": "",
}
PAYOS_SIGNATURE = "412e915d2871504ed31be63c8f62a149a4410d34c4c42affc9006ef9917eaa03"
VNPAY_KEY = "VNPAYTESTSECRET"
VNPAY_PAY = (
    "vnp_Amount=45000000&vnp_Command=pay&vnp_CreateDate=20261124083000&vnp_CurrCode=VND"
    "&vnp_ExpireDate=20261124084500&vnp_IpAddr=127.0.0.1&vnp_Locale=vn"
    "&vnp_OrderInfo=Hoc+phi+HP7K3M9Q2X4A&vnp_OrderType=other"
    "&vnp_ReturnUrl=https%3A%2F%2Fexample.vn%2Fpay%2Freturn&vnp_TmnCode=DEMOV210"
    "&vnp_TxnRef=HP7K3M9Q2X4A&vnp_Version=2.1.0"
)
VNPAY_HASH = (
    "e74c10da1e7d14d86702f6227a866cd325d4b28a55a1a2b944f5cb424da44840"
    "42475220f0779ce95cbf79f9bd2a9a1a438a325435b30b6dfab7a1b120c68473"
)
VNPAY_QUERY_HASH = (
    "55a2271a2a8bdfed92d7850320c542f4392abd4d9fe687f25de3ab1afdc2f37b"
    "86be75e2b90774018e076882c8e89679a0b5d1575ab80173f8fb9e44c4276d94"
)
VNPAY_REFUND_HASH = (
    "e8b8c0f84a11b940ca36c21a539e3d8d36c595f001d0f54195411849615b579f"
    "24fec7229a3d22005ecc145e64d54ddde863ceedc4dca2beabd9e499e2cb759e"
)
MOMO_KEY, MOMO_ACCESS = "K951B6PE1waDMi640xX08PD3vg6EkVlz", "F8BBA842ECF85"
MOMO_ORDER: dict[str, Any] = {
    "partnerCode": "MOMO",
    "orderId": "HP7K3M9Q2X4A-1",
    "requestId": "r-1",
    "amount": 450000,
    "orderInfo": "Hoc phi",
    "extraData": "",
}
MOMO_CREATE = "092df89884eebe9b0a83c0f42db38683431f36c0da3623297c8ac16fdb69b2e3"
MOMO_NOTICE = "061e67fee8a5aca78d49dccfdbc85edd87956dd96ae310c43446ca829d45ca55"
ZALO_KEY1, ZALO_KEY2 = "PcY4iZIKFCIdgZvA6ueMcMHHUbRLYjPL", "kLtgPl8HHhfvMuDHPwKfgfsY4Ydm9eIz"
ZALO_CREATE = "8d885ceb2a5cef585864ec288d22a54dc41c1cdc7a1513334c2e4bffb863913a"


def test_the_sample_of_casso_is_accepted_and_books_nothing() -> None:
    raw = json.dumps(CASSO_SAMPLE).encode()
    headers = {"X-Casso-Signature": CASSO_SIGNATURE}
    assert casso.read(raw, headers, scheme="hmac", secrets=[CASSO_KEY]) == []
    assert casso.sign(CASSO_SAMPLE, CASSO_KEY, 1727948258788)["X-Casso-Signature"] == (
        CASSO_SIGNATURE
    )


def test_the_sample_of_payos_is_accepted_and_one_dong_more_is_not() -> None:
    assert payos.signature_of(PAYOS_DATA, PAYOS_KEY) == PAYOS_SIGNATURE
    body = {"code": "00", "desc": "success", "success": True, "data": PAYOS_DATA}
    raw = json.dumps({**body, "signature": PAYOS_SIGNATURE}).encode()
    event = payos.read(raw, secrets=[PAYOS_KEY])
    assert (event.order, event.amount, event.state) == ("123", Vnd(3000), "paid")
    assert event.external_id == "124c33293c43417ab7879e14c8d9eb18:TF230204212323"
    assert event.occurred_at == datetime(2023, 2, 4, 11, 25, tzinfo=UTC)
    more = {**body, "data": {**PAYOS_DATA, "amount": 3001}, "signature": PAYOS_SIGNATURE}
    with pytest.raises(BadSignature):
        payos.read(json.dumps(more).encode(), secrets=[PAYOS_KEY])


def test_requests_to_payos_vnpay_momo_and_zalopay_are_signed_as_recorded() -> None:
    order = {
        "amount": 450000,
        "cancelUrl": "https://example.vn/c",
        "description": "HP7K3M9Q2",
        "orderCode": 1001,
        "returnUrl": "https://example.vn/r",
    }
    assert payos.signature_of(order, PAYOS_KEY) == (
        "a3fd23d3cbd08d693a1d947e3c8c8d6bb55a9cf27b9c37acca3907770feb5531"
    )
    assert vnpay.canonical(dict(parse_qsl(VNPAY_PAY))) == VNPAY_PAY
    assert vnpay.hash_of(dict(parse_qsl(VNPAY_PAY)), VNPAY_KEY) == VNPAY_HASH
    query = (
        "req0001|2.1.0|querydr|DEMOV210|HP7K3M9Q2X4A|20261124083000|20261124090000|127.0.0.1"
        "|Truy van HP7K3M9Q2X4A"
    )
    assert vnpay.joined_hash(query.split("|"), VNPAY_KEY) == VNPAY_QUERY_HASH
    refund = (
        "req0002|2.1.0|refund|DEMOV210|03|HP7K3M9Q2X4A|5000000|14831393|20261124083000|ketoan01"
        "|20261124091000|127.0.0.1|Hoan tien HP7K3M9Q2X4A"
    )
    assert vnpay.joined_hash(refund.split("|"), VNPAY_KEY) == VNPAY_REFUND_HASH
    create = {
        **MOMO_ORDER,
        "ipnUrl": "https://example.vn/ipn/momo",
        "redirectUrl": "https://example.vn/pay/return",
        "requestType": "captureWallet",
    }
    assert momo.create_signature(create, MOMO_KEY, MOMO_ACCESS) == MOMO_CREATE
    values = ["2553", "261124_HP7K3M9Q2X4A", "parent", "450000", "1795483577000", "{}", "[]"]
    assert zalopay.create_mac(values, ZALO_KEY1) == ZALO_CREATE


def test_the_address_of_vnpays_page_is_the_recorded_one() -> None:
    address = vnpay.payment_address(
        "https://pay.example.vn/p",
        merchant="DEMOV210",
        secret=VNPAY_KEY,
        order="HP7K3M9Q5-7",
        amount=Vnd(450_000),
        description="Học phí HP7K3M9Q5",
        return_url="https://example.vn/pay/return",
        ip="127.0.0.1",
        locale="vi",
        now=datetime(2026, 11, 24, 1, 30, tzinfo=UTC),
        expires_at=datetime(2026, 11, 24, 1, 45, tzinfo=UTC),
    )
    fields = dict(parse_qsl(address.partition("?")[2]))
    assert fields["vnp_Amount"] == "45000000"
    assert fields["vnp_CreateDate"] == "20261124083000"
    assert fields["vnp_OrderInfo"] == "HOC PHI HP7K3M9Q5"
    assert fields.pop("vnp_SecureHash") == vnpay.hash_of(fields, VNPAY_KEY)


# One genuine notice of each provider, as bytes, with the reader that must accept it.

Reader = Callable[[bytes], Any]


def casso_notice(number: int) -> tuple[bytes, Reader]:
    data = {
        **CASSO_SAMPLE["data"],  # type: ignore[dict-item]
        "id": 1000 + number,
        "description": f"Nộp học phí HP7K3M9Q5 {number}",
        "amount": 450_000 + number,
    }
    body = {"error": 0, "data": data}
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = casso.sign(body, CASSO_KEY, 1727948258788 + number)
    return raw, lambda sent: casso.read(sent, headers, scheme="hmac", secrets=["old", CASSO_KEY])


def payos_notice(number: int) -> tuple[bytes, Reader]:
    data = {**PAYOS_DATA, "orderCode": number + 1, "amount": 3000 + number}
    signature = payos.signature_of(data, PAYOS_KEY)
    raw = json.dumps({"data": data, "signature": signature}, ensure_ascii=False).encode()
    return raw, lambda sent: payos.read(sent, secrets=["old", PAYOS_KEY])


def vnpay_notice(number: int, **changes: str) -> tuple[bytes, Reader]:
    fields = {
        "vnp_Amount": str((450_000 + number) * 100),
        "vnp_BankCode": "NCB",
        "vnp_BankTranNo": f"VNP{number}",
        "vnp_CardType": "ATM",
        "vnp_OrderInfo": "HOC PHI HP7K3M9Q5",
        "vnp_PayDate": "20261124083500",
        "vnp_ResponseCode": "00",
        "vnp_TmnCode": "DEMOV210",
        "vnp_TransactionNo": str(14_000_000 + number),
        "vnp_TransactionStatus": "00",
        "vnp_TxnRef": f"HP7K3M9Q5-{number}",
        **changes,
    }
    query = f"{vnpay.canonical(fields)}&vnp_SecureHash={vnpay.hash_of(fields, VNPAY_KEY)}"
    return query.encode(), lambda sent: vnpay.read(
        sent, secrets=["old", VNPAY_KEY], merchant="DEMOV210", now=NOW
    )


def momo_notice(number: int, **changes: object) -> tuple[bytes, Reader]:
    notice: dict[str, object] = {
        **MOMO_ORDER,
        "orderId": f"HP7K3M9Q5-{number}",
        "amount": 450_000 + number,
        "orderType": "momo_wallet",
        "transId": 4_088_878_653 + number,
        "resultCode": 0,
        "message": "Successful.",
        "payType": "qr",
        "responseTime": 1721720663942,
        **changes,
    }
    signature = momo.notice_signature(notice, MOMO_KEY, MOMO_ACCESS)
    raw = json.dumps({**notice, "signature": signature}, ensure_ascii=False).encode()
    return raw, lambda sent: momo.read(
        sent, secrets=["old", MOMO_KEY], access_keys=[MOMO_ACCESS], merchant="MOMO"
    )


def zalopay_notice(number: int) -> tuple[bytes, Reader]:
    data = json.dumps(
        {
            "app_id": 2553,
            "app_trans_id": f"261124_HP7K3M9Q5-{number}",
            "app_time": 1795483577000,
            "app_user": "parent",
            "amount": 450_000 + number,
            "embed_data": "{}",
            "item": "[]",
            "zp_trans_id": 240_331_000_000_175 + number,
            "server_time": 1795483599000,
            "channel": 38,
        }
    )
    raw = json.dumps({"data": data, "mac": zalopay.mac_of(data, ZALO_KEY2), "type": 1}).encode()
    return raw, lambda sent: zalopay.read(sent, secrets=["old", ZALO_KEY2], merchant="2553")


NOTICES = {
    "casso": casso_notice,
    "payos": payos_notice,
    "vnpay": vnpay_notice,
    "momo": momo_notice,
    "zalopay": zalopay_notice,
}


def test_the_recorded_notice_of_momo_is_accepted() -> None:
    notice = {
        **MOMO_ORDER,
        "orderType": "momo_wallet",
        "transId": 4088878653,
        "resultCode": 0,
        "message": "Successful.",
        "payType": "qr",
        "responseTime": 1721720663942,
    }
    assert momo.notice_signature(notice, MOMO_KEY, MOMO_ACCESS) == MOMO_NOTICE


@pytest.mark.parametrize("provider", NOTICES)
def test_a_thousand_genuine_notices_are_accepted(provider: str) -> None:
    for number in range(1_000):
        raw, read = NOTICES[provider](number)
        found = read(raw)
        event = found[0] if isinstance(found, list) else found
        assert event.amount.dong % 1_000 in (number % 1_000, (450_000 + number) % 1_000)


@pytest.mark.parametrize("provider", NOTICES)
def test_of_ten_thousand_altered_notices_none_is_accepted(provider: str) -> None:
    rng = random.Random(provider)
    raw, read = NOTICES[provider](7)
    genuine = read(raw)
    signs = b'0123456789abcdefXYZ&=%{}",:. '
    for _try in range(10_000):
        changed = bytearray(raw)
        kind = rng.randrange(4)
        place = rng.randrange(len(changed))
        if kind == 0:
            changed[place] = rng.choice(signs)
        elif kind == 1:
            changed.insert(place, rng.choice(signs))
        elif kind == 2:
            del changed[place]
        else:
            other = rng.randrange(len(changed))
            changed[place], changed[other] = changed[other], changed[place]
        if bytes(changed) == raw:
            continue
        try:
            found = read(bytes(changed))
        except (BadSignature, UnreadableNotice):
            continue
        # A blank between two signs of JSON, or a field nobody signs, says the same.
        assert found == genuine, bytes(changed)


@pytest.mark.parametrize("provider", NOTICES)
def test_another_key_and_a_truncated_notice_are_refused(provider: str) -> None:
    raw, read = NOTICES[provider](1)
    with pytest.raises((BadSignature, UnreadableNotice)):
        read(raw[:-1])
    with pytest.raises((BadSignature, UnreadableNotice)):
        read(b"")
    with pytest.raises((BadSignature, UnreadableNotice)):
        read(b"\xff\xfe{}")


def test_casso_tells_several_movements_with_a_key_and_money_out_below_zero() -> None:
    def one(number: int, amount: int) -> dict[str, object]:
        return {
            "id": number,
            "tid": f"BANK{number}",
            "description": "HP7K3M9Q5 hoc phi",
            "amount": amount,
            "cusum_balance": 1,
            "when": "2026-11-24 08:14:05",
            "bank_sub_acc_id": "1012345678",
        }

    raw = json.dumps({"error": 0, "data": [one(1, 450_000), one(2, -20_000)]}).encode()
    found = casso.read(raw, casso.key_header("k2"), scheme="apikey", secrets=["k1", "k2"])
    assert [(t.external_id, t.amount.dong, t.is_incoming) for t in found] == [
        ("1", 450_000, True),
        ("2", 20_000, False),
    ]
    assert found[0].reference == "HP7K3M9Q5"
    assert found[0].bank_ref == "BANK1"
    with pytest.raises(BadSignature):
        casso.read(raw, casso.key_header("k3"), scheme="apikey", secrets=["k1", "k2"])


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (("00", "00"), "paid"),
        (("00", "01"), "failed"),
        (("24", "02"), "failed"),
        (("07", "00"), "held"),
    ],
)
def test_vnpay_says_paid_only_when_both_codes_say_so(codes: tuple[str, str], state: str) -> None:
    raw, read = vnpay_notice(3, vnp_ResponseCode=codes[0], vnp_TransactionStatus=codes[1])
    event: GatewayEvent = read(raw)
    assert (event.state, event.amount) == (state, Vnd(450_003))
    assert event.reference == "HP7K3M9Q5"


@pytest.mark.parametrize(("code", "state"), [(0, "paid"), (9000, "pending"), (1006, "failed")])
def test_momo_says_paid_only_for_result_zero(code: int, state: str) -> None:
    raw, read = momo_notice(3, resultCode=code)
    assert read(raw).state == state


def test_a_notice_for_another_merchant_is_refused_however_well_signed() -> None:
    raw, _read = vnpay_notice(1)
    with pytest.raises(BadSignature):
        vnpay.read(raw, secrets=[VNPAY_KEY], merchant="OTHER", now=NOW)
    raw, _read = momo_notice(1)
    with pytest.raises(BadSignature):
        momo.read(raw, secrets=[MOMO_KEY], access_keys=[MOMO_ACCESS], merchant="OTHER")
    raw, _read = zalopay_notice(1)
    with pytest.raises(BadSignature):
        zalopay.read(raw, secrets=[ZALO_KEY2], merchant="1")
