"""SePay notices: proved over raw bytes, read strictly, never guessed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.core.money import Vnd
from app.money.payments.adapters import (
    BadSignature,
    BankTransfer,
    StaleNotice,
    UnreadableNotice,
    sepay,
)

SECRET = "sepay_test_secret"
STAMP = 1700000000
NOW = datetime.fromtimestamp(STAMP, UTC)
PUBLISHED = (
    b'{"id":92704,"gateway":"Vietcombank","transactionDate":"2023-03-25 14:02:37",'
    b'"accountNumber":"0123499999","code":"HP7K3M9Q2X4A","content":"HP7K3M9Q2X4A",'
    b'"transferType":"in","transferAmount":450000,"accumulated":19077000,"subAccount":null,'
    b'"referenceCode":"MBVCB.3278907687","description":""}'
)
PUBLISHED_SIGNATURE = "sha256=5658cd0cdaa838df24c0c5e45ca754a8bd31116761f4667643982f7c7573d2ff"


def notice(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "id": 92704,
        "gateway": "Vietcombank",
        "transactionDate": "2026-11-24 08:14:05",
        "accountNumber": "1012345678",
        "subAccount": None,
        "code": "HP7K3M9Q5",
        "content": "HP7K3M9Q5 hoc phi",
        "transferType": "in",
        "description": "",
        "transferAmount": 450000,
        "accumulated": 19077000,
        "referenceCode": "MBVCB.3278907687",
    }
    fields.update(changes)
    kept = {name: value for name, value in fields.items() if value is not ...}
    return json.dumps(kept).encode()


def read(raw: bytes, *, secrets: tuple[str, ...] = (SECRET,), **changes: Any) -> BankTransfer:
    headers = changes.get("headers", sepay.sign(raw, SECRET, STAMP))
    now = changes.get("now", NOW)
    return sepay.read(raw, headers, scheme="hmac", secrets=secrets, now=now)


def test_the_known_signature_is_made_and_accepted() -> None:
    headers = sepay.sign(PUBLISHED, SECRET, STAMP)
    assert headers["X-SePay-Timestamp"] == "1700000000"
    assert headers["X-SePay-Signature"] == PUBLISHED_SIGNATURE
    assert read(PUBLISHED) == BankTransfer(
        provider="sepay",
        external_id="92704",
        account="0123499999",
        sub_account=None,
        amount=Vnd(450_000),
        is_incoming=True,
        occurred_at=datetime(2023, 3, 25, 7, 2, 37, tzinfo=UTC),
        booked_on=date(2023, 3, 25),
        text="HP7K3M9Q2X4A",
        reference=None,
        bank_ref="MBVCB.3278907687",
        payer_name=None,
        proof="account",
    )


def test_a_transfer_just_after_midnight_belongs_to_the_day_in_vietnam() -> None:
    transfer = read(notice(transactionDate="2026-11-24 00:30:00"))
    assert transfer.booked_on == date(2026, 11, 24)
    assert transfer.occurred_at == datetime(2026, 11, 23, 17, 30, tzinfo=UTC)


def test_money_going_out_says_so() -> None:
    assert not read(notice(transferType="out")).is_incoming


def test_a_virtual_account_is_kept() -> None:
    assert read(notice(subAccount="V3CAS7K3M9Q01")).sub_account == "V3CAS7K3M9Q01"
    assert read(notice(subAccount="")).sub_account is None


@pytest.mark.parametrize(
    ("code", "content", "description", "reference"),
    [
        ("HP7K3M9Q5", "x", "", "HP7K3M9Q5"),
        (None, "Nộp học phí hp7k 3m9q5", "", "HP7K3M9Q5"),
        (None, "", "BankAPINotify HP7K3M9Q5", "HP7K3M9Q5"),
        (None, "HP7K3M9Q5 HP2B8N5TR", "", None),
        ("HP7K3M9Q5", "HP2B8N5TR", "", None),
        ("HP7K3M9Q6", "hoc phi", "", None),
        (None, None, None, None),
    ],
)
def test_only_a_single_valid_reference_is_taken(
    code: str | None, content: str | None, description: str | None, reference: str | None
) -> None:
    transfer = read(notice(code=code, content=content, description=description))
    assert transfer.reference == reference
    assert transfer.text == (content or description or "")


def test_fields_that_may_be_missing_are_empty() -> None:
    transfer = read(
        notice(code=..., content=..., description=..., subAccount=..., referenceCode=...)
    )
    assert (transfer.text, transfer.bank_ref, transfer.reference) == ("", "", None)


def test_what_a_database_cannot_keep_leaves_the_text() -> None:
    assert read(notice(content="a\u0000b\ud800c\n")).text == "a b c"


def test_an_endless_text_is_cut_but_its_reference_is_found() -> None:
    transfer = read(notice(code=None, content="x" * 1000 + " HP7K3M9Q5", referenceCode="y" * 200))
    assert (len(transfer.text), len(transfer.bank_ref)) == (400, 80)
    assert transfer.reference == "HP7K3M9Q5"


def test_either_of_two_secrets_is_accepted_during_a_rotation() -> None:
    raw = notice()
    assert read(raw, secrets=("new", SECRET)) == read(raw, secrets=(SECRET, "new"))


def test_header_names_may_be_written_in_any_case() -> None:
    raw = notice()
    headers = {name.upper(): value for name, value in sepay.sign(raw, SECRET, STAMP).items()}
    assert read(raw, headers=headers).external_id == "92704"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda h: h.pop("X-SePay-Signature"), id="no signature"),
        pytest.param(lambda h: h.pop("X-SePay-Timestamp"), id="no time"),
        pytest.param(lambda h: h.update({"X-SePay-Timestamp": "1700000001"}), id="other time"),
        pytest.param(lambda h: h.update({"X-SePay-Timestamp": " 1700000000"}), id="blank in time"),
        pytest.param(lambda h: h.update({"X-SePay-Timestamp": "1" * 30}), id="endless time"),
        pytest.param(lambda h: h.update({"X-SePay-Timestamp": "١٧"}), id="foreign digits"),
        pytest.param(lambda h: h.update({"X-SePay-Signature": "sha256="}), id="empty signature"),
        pytest.param(lambda h: h.update({"X-SePay-Signature": "sha256=é"}), id="odd signature"),
        pytest.param(lambda h: h.update({"x-sepay-signature": "sha256=0"}), id="two signatures"),
        pytest.param(
            lambda h: h.update({"X-SePay-Signature": h["X-SePay-Signature"][7:]}), id="no scheme"
        ),
    ],
)
def test_a_notice_without_a_right_signature_is_refused(
    spoil: Callable[[dict[str, str]], object],
) -> None:
    raw = notice()
    headers = sepay.sign(raw, SECRET, STAMP)
    spoil(headers)
    with pytest.raises(BadSignature) as refusal:
        read(raw, headers=headers)
    assert refusal.value.status == 401
    assert refusal.value.message


@pytest.mark.parametrize("secrets", [(), ("",), ("wrong",), ("", "")])
def test_without_the_right_secret_nothing_is_accepted(secrets: tuple[str, ...]) -> None:
    raw = notice()
    for headers in (sepay.sign(raw, SECRET, STAMP), sepay.sign(raw, "", STAMP)):
        with pytest.raises(BadSignature):
            read(raw, secrets=secrets, headers=headers)


def test_a_signature_over_the_body_alone_is_refused() -> None:
    raw = notice()
    headers = sepay.sign(raw, SECRET, STAMP)
    headers["X-SePay-Signature"] = sepay.sign(b"", SECRET, STAMP)["X-SePay-Signature"]
    with pytest.raises(BadSignature):
        read(raw, headers=headers)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_allowed(seconds: int) -> None:
    assert read(notice(), now=NOW + timedelta(seconds=seconds)).external_id == "92704"


@pytest.mark.parametrize("seconds", [-301, 301, 86400 * 400])
def test_a_late_notice_is_refused_but_tells_what_to_look_for(seconds: int) -> None:
    with pytest.raises(StaleNotice) as refusal:
        read(notice(), now=NOW + timedelta(seconds=seconds))
    assert refusal.value.status == 401
    assert refusal.value.transfer == read(notice())


def test_a_late_notice_that_cannot_be_read_tells_nothing() -> None:
    with pytest.raises(StaleNotice) as refusal:
        read(b"{}", now=NOW + timedelta(hours=1))
    assert refusal.value.transfer is None


def test_a_late_notice_with_a_wrong_signature_is_no_hint() -> None:
    with pytest.raises(BadSignature):
        read(notice(), secrets=("wrong",), now=NOW + timedelta(hours=1))


#: Ellipsis stands for a field left out
WRONG: dict[str, list[object]] = {
    "transferAmount": [True, 450000.0, "450000", "1e6", None, 0, -1, 10**13, [], {}, ...],
    "id": [True, "92704", 1.5, None, 0, -5, 2**63, ...],
    "transferType": ["IN", "credit", None, True, [], ...],
    "transactionDate": [
        None,
        20261124,
        "2026-11-24",
        "2026-11-24T08:14:05",
        "24/11/2026 08:14:05",
        "2026-13-24 08:14:05",
        "2026-11-24 25:14:05",
        "0000-11-24 08:14:05",
        "0001-01-01 00:00:00",
        "2026-11-24 08:14:05Z",
        ...,
    ],
    "accountNumber": [None, 1012345678, "", " ", "1'--", "é", ...],
    "subAccount": [5, "a b", ["x"]],
    "content": [5],
    "code": [["HP7K3M9Q5"]],
    "referenceCode": [{}],
    "description": [False],
}


@pytest.mark.parametrize(
    "changes",
    [{name: value} for name, values in WRONG.items() for value in values],
    ids=str,
)
def test_a_signed_notice_of_another_shape_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableNotice) as refusal:
        read(notice(**changes))
    assert refusal.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"in"',
        b"{",
        b"\xff\xfe",
        notice().decode().encode("utf-16"),
        b"\xef\xbb\xbf" + notice(),
        notice()[:-1] + b',"transferAmount":1}',
        notice(accumulated=float("nan")),
        notice() + notice(),
        b"[" * 60_000,
        b'{"id":' + b"9" * 6000 + b"}",
    ],
    ids=lambda raw: repr(raw[:12]) + str(len(raw)),
)
def test_what_is_not_one_proper_object_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableNotice):
        read(raw)


def test_a_balance_may_be_any_number_since_it_is_not_used() -> None:
    assert read(notice(accumulated=-1.5, extra={"a": [1]})).amount == Vnd(450_000)


def test_a_notice_over_64_kilobytes_is_refused_before_anything_else() -> None:
    with pytest.raises(UnreadableNotice, match="64 KB"):
        read(notice(description="x" * 65_536), headers={})


def test_a_right_key_is_accepted_and_has_no_time() -> None:
    raw = notice()
    for headers in (sepay.key_header(SECRET), {"authorization": f"apikey {SECRET}"}):
        for secrets in ((SECRET,), ("new", SECRET)):
            transfer = sepay.read(raw, headers, scheme="apikey", secrets=secrets, now=NOW)
            assert transfer == read(raw)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Apikey"},
        {"Authorization": "Apikey "},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": SECRET},
        {"Authorization": f"Apikey {SECRET}x"},
        {"Authorization": "Apikey é"},
    ],
)
def test_a_wrong_key_is_refused(headers: dict[str, str]) -> None:
    for secrets in ((SECRET,), ("",), ()):
        with pytest.raises(BadSignature):
            sepay.read(notice(), headers, scheme="apikey", secrets=secrets, now=NOW)


def test_a_signature_does_not_open_a_channel_that_expects_a_key_nor_the_reverse() -> None:
    raw = notice()
    signed = sepay.sign(raw, SECRET, STAMP)
    with pytest.raises(BadSignature):
        sepay.read(raw, signed, scheme="apikey", secrets=[SECRET], now=NOW)
    with pytest.raises(BadSignature):
        read(raw, headers=sepay.key_header(SECRET))


def test_none_of_ten_thousand_altered_notices_is_accepted() -> None:
    rng = random.Random(20261124)
    raw = notice()
    headers = sepay.sign(raw, SECRET, STAMP)
    for _ in range(10_000):
        altered, sent = bytearray(raw), dict(headers)
        kind = rng.randrange(4)
        place = rng.randrange(len(raw))
        if kind == 0:
            altered[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del altered[place]
        elif kind == 2:
            altered.insert(place, rng.randrange(32, 127))
        else:
            name = rng.choice(["X-SePay-Timestamp", "X-SePay-Signature"])
            spot = rng.randrange(len(sent[name]))
            other = chr((ord(sent[name][spot]) + rng.randrange(1, 90)) % 128)
            sent[name] = sent[name][:spot] + other + sent[name][spot + 1 :]
        with pytest.raises(BadSignature):
            read(bytes(altered), headers=sent)
