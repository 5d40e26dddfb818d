"""600 payments told about 1,800 times in any order by 8 clients to 2 web processes."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import local
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar
from app.core.model import db
from app.money import ledger
from app.money.payments.adapters import sepay
from tests.factories.money import Billed, billed_children
from tests.payments.books import assert_books_hold
from tests.servers import Running

SCHOOLS, CHILDREN, SECOND_PAYMENTS = 4, 125, 100
CLIENTS, MOST_DELIVERIES = 8, 5


def notice(child: Billed, number: int) -> bytes:
    return json.dumps(
        {
            "id": number,
            "gateway": "VietinBank",
            "transactionDate": "2026-11-24 08:14:05",
            "accountNumber": child.school.account_number,
            "subAccount": None,
            "code": None,
            "content": f"MBVCB.{number}.{child.request.reference}.CT tu 0041xxxx",
            "transferType": "in",
            "description": "",
            "transferAmount": child.due,
            "accumulated": 0,
            "referenceCode": f"FT{number}",
        }
    ).encode()


@pytest.mark.usefixtures("context")
def test_every_notice_is_posted_once(
    app: Flask, database_url: str, serve: Callable[..., Running]
) -> None:
    rng = random.Random(20261124)
    children = [child for _ in range(SCHOOLS) for child in billed_children(CHILDREN)]
    payers = [*children, *rng.sample(children, SECOND_PAYMENTS)]
    notices = [(child, notice(child, number)) for number, child in enumerate(payers, 1)]
    deliveries = [told for told in notices for _copy in range(rng.randint(1, MOST_DELIVERIES))]
    rng.shuffle(deliveries)

    # What was read until now must not hold an old picture of the books open.
    db.session.rollback()
    server = serve(database_url, workers=2)
    address = urlsplit(server.url).netloc
    kept = local()

    def deliver(told: tuple[Billed, bytes]) -> int:
        child, raw = told
        if not hasattr(kept, "line"):
            kept.line = HTTPConnection(address, timeout=60)
        headers = sepay.sign(raw, child.school.secret, int(time.time()))
        kept.line.request("POST", f"/callbacks/sepay/{child.school.channel}", raw, headers)
        answer = kept.line.getresponse()
        answer.read()
        return int(answer.status)

    with ThreadPoolExecutor(CLIENTS) as clients:
        statuses = Counter(clients.map(deliver, deliveries))
    assert statuses == {200: len(deliveries)}, server.log()

    with scope.opened(scope.EVERY_SCHOOL):
        counts = Counter(row.state for row in rows("select state from v_payment"))
        assert counts == {"matched": len(payers)}
        assert Counter(row.state for row in rows("select state from v_inbox")) == {
            "posted": len(payers)
        }
        due = children[0].due
        credits = rows(
            "select student_id, -sum(amount) as credit from v_entry where account = 'credit'"
            " group by student_id"
        )
        assert sorted(int(child.credit) for child in credits) == [due] * SECOND_PAYMENTS
        assert scalar("select sum(amount) from v_entry where account = 'receivable'") == 0
        papers = rows("select school_id, series, number from v_receipt where state = 'live'")
        assert len(papers) == len(payers)
        by_series: dict[tuple[int, str], list[int]] = {}
        for paper in papers:
            by_series.setdefault((paper.school_id, paper.series), []).append(paper.number)
        assert len(by_series) == SCHOOLS
        for numbers in by_series.values():
            assert sorted(numbers) == list(range(1, len(numbers) + 1))
        for child in children[::CHILDREN]:
            assert ledger.trial_balance(child.school.id).dong == 0
    assert_books_hold()
