"""No number of a series is missing, and a month's end can be proved years later."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from app.core import clock, scope
from app.core.db import scalar, transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money.payments import cash
from app.money.payments.reversals import reverse_payment
from app.money.receipts import queries, series
from app.people.access.models import Role
from app.people.schools import wording
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, MadeSchool, make_school
from tests.factories.staff import signed_in, token, words

pytestmark = pytest.mark.usefixtures("context")


def pay(child: Billed, amounts: list[int]) -> list[int]:
    """Cash taken now, so many times; the ids of the payments."""
    taken = []
    for n, amount in enumerate(amounts):
        with scope.opened(scope.one_school(child.school.id)), transaction():
            taken.append(
                cash.take_cash(
                    child.school.id,
                    requests=[child.request],
                    ticked=list(child.lines),
                    amount=Vnd(amount),
                    given=Vnd(amount),
                    payer="",
                    till_id=child.school.till_id,
                    key=f"series-{n}",
                    keep_rest=True,
                    actor=ACCOUNTANT,
                    now=clock.now(),
                ).payment_id
            )
    return taken


def seen(school: MadeSchool) -> list[series.Series]:
    with scope.opened(scope.one_school(school.id)):
        return series.series_of(school.id)


def proof(school: MadeSchool, name: str) -> series.MonthProof:
    with scope.opened(scope.one_school(school.id)):
        return series.month_proof(school.id, name, Period.of(clock.today()))


def test_a_series_counts_its_papers_and_lacks_none() -> None:
    child = billed_child()
    pay(child, [100_000, 50_000, 8_000])
    (found,) = seen(child.school)
    assert (found.last_number, found.issued, found.void) == (3, 3, 0)
    assert (found.amount, found.gaps) == (Vnd(158_000), ())
    assert found.months == (Period.of(clock.today()),)


@pytest.mark.parametrize(
    ("gaps", "newest", "last", "shown"),
    [
        ([], 3, 3, ()),
        ([(1, 1)], 3, 3, ((1, 1),)),
        ([(2, 4)], 5, 7, ((2, 4), (6, 7))),
        ([], 0, 2, ((1, 2),)),
    ],
)
def test_numbers_given_out_and_never_printed_are_missing(
    gaps: list[tuple[int, int]], newest: int, last: int, shown: tuple[tuple[int, int], ...]
) -> None:
    assert series._to_the_end(gaps, newest, last) == shown


def test_a_void_number_stays_in_the_count_and_is_named_with_its_reason() -> None:
    child = billed_child()
    first, _second = pay(child, [100_000, 50_000])
    with scope.opened(scope.one_school(child.school.id)), transaction():
        reverse_payment(
            child.school.id,
            first,
            amount=Vnd(100_000),
            kind="refund",
            external_id="series-1",
            actor=ACCOUNTANT,
            now=clock.now(),
        )
    (found,) = seen(child.school)
    assert (found.issued, found.void, found.amount) == (2, 1, Vnd(50_000))
    told = proof(child.school, found.name)
    assert (told.first, told.last, told.live, told.amount) == (1, 2, 1, Vnd(50_000))
    assert [one.number for one in told.papers] == [1]
    assert told.papers[0].reason
    assert told.is_whole
    assert told.is_proved


def test_the_proof_of_a_month_ends_where_the_counter_stands() -> None:
    child = billed_child()
    pay(child, [100_000, 50_000])
    (found,) = seen(child.school)
    told = proof(child.school, found.name)
    with scope.opened(scope.one_school(child.school.id)):
        held = scalar(
            "select last_chain from receipt_counters where school_id = :school_id",
            school_id=child.school.id,
        )
    assert told.chain_before == ""
    assert told.chain_end == held
    assert "".join(series.fingerprint(told.chain_end)).lower() == held


def test_a_month_without_papers_has_no_proof() -> None:
    school = make_school()
    assert seen(school) == []
    with (
        scope.opened(scope.one_school(school.id)),
        pytest.raises(series.SeriesNotFound),
    ):
        series.month_proof(school.id, "X-26", Period(2026, 11))


def test_the_paper_of_a_month_names_numbers_sum_and_seal(app: Flask, tmp_path: Path) -> None:
    child = billed_child()
    pay(child, [100_000, 50_000])
    client = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = client.get("/receipts/series")
    address = re.search(r'href="(/receipts/series/[^"]+\.pdf)"', page.text)
    assert address
    paper = client.get(address[1])
    assert paper.content_type == "application/pdf"
    file = tmp_path / "month.pdf"
    file.write_bytes(paper.data)
    text = subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True
    ).stdout
    (found,) = seen(child.school)
    told = proof(child.school, found.name)
    assert "000001 đến 000002, liên tục" in text
    assert "150.000 đồng" in text
    assert series.fingerprint(told.chain_end)[0] in text


def test_a_school_chooses_the_words_of_its_papers_and_issued_ones_stay(app: Flask) -> None:
    child = billed_child()
    pay(child, [105_000])
    client = signed_in(app, child.school.unit_id, Role.PRINCIPAL)
    page = client.get("/receipts/series")
    assert "Hai mươi bốn triệu một trăm lẻ năm nghìn đồng chẵn" in words(page)
    form = {"csrf_token": token(page), "zero_tens": "linh", "four": "tư"}
    answer = client.post("/receipts/wording", data=form, follow_redirects=True)
    assert "Hai mươi tư triệu một trăm linh năm nghìn đồng chẵn" in words(answer)
    pay_again(child)
    today = clock.today()
    with scope.opened(scope.one_school(child.school.id)):
        assert wording(child.school.id, date(2020, 1, 1)).zero_tens == "lẻ"
        papers = [
            one.paper.amount_words
            for one in queries.receipts_between(child.school.id, today, today)
        ]
    assert papers == ["Một trăm lẻ năm nghìn đồng chẵn", "Hai mươi tư nghìn đồng chẵn"]


def pay_again(child: Billed) -> None:
    with scope.opened(scope.one_school(child.school.id)), transaction():
        cash.take_cash(
            child.school.id,
            requests=[child.request],
            ticked=list(child.lines),
            amount=Vnd(24_000),
            given=Vnd(24_000),
            payer="",
            till_id=child.school.till_id,
            key="series-again",
            keep_rest=True,
            actor=ACCOUNTANT,
            now=clock.now(),
        )


def test_other_words_are_refused_and_an_accountant_does_not_choose(app: Flask) -> None:
    school = make_school()
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    page = principal.get("/receipts/series")
    form = {"csrf_token": token(page), "zero_tens": "không", "four": "tư"}
    assert principal.post("/receipts/wording", data=form).status_code == 422
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    form = {
        "csrf_token": token(accountant.get("/receipts/series")),
        "zero_tens": "lẻ",
        "four": "tư",
    }
    assert accountant.post("/receipts/wording", data=form).status_code == 403
