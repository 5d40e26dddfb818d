"""The sample bank and the sample card company against the running app."""

from __future__ import annotations

import http.cookiejar
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.model import db
from app.core.money import Vnd
from app.demo.card_company import read_form
from app.demo.load import Plan, load
from app.demo.providers import Providers
from app.money.payments.adapters.stripe import StripeAdapter, StripeRefused
from tests.servers import ROOT, Running

pytestmark = pytest.mark.slow


@dataclass
class Town:
    """The running demo and its credentials."""

    server: Running
    known: dict[str, Any]

    def bill(self, school: str, place: int = 0) -> dict[str, Any]:
        bills = [bill for bill in self.known["bills"] if bill["school"] == school]
        found: dict[str, Any] = bills[place]
        return found

    def account(self, school: str) -> str:
        numbers = {s["code"]: s["account"]["number"] for s in self.known["schools"]}
        return str(numbers[school])

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=self.server.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def state(self, bill: dict[str, Any]) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.server.url}/pay/{bill['pay_token']}/state") as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def wait_for(self, bill: dict[str, Any], state: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while (found := self.state(bill))["state"] != state and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found["state"] == state
        return found


class Browser:
    """Keeps cookies and follows redirects."""

    def __init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, url: str) -> str:
        with self._opener.open(url) as answer:
            return str(answer.read().decode())

    def post(self, url: str, **fields: str) -> tuple[str, str]:
        with self._opener.open(url, urlencode(fields).encode()) as answer:
            return answer.url, answer.read().decode()


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def town(
    new_database: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
    serve: Callable[..., Running],
) -> Town:
    folder = tmp_path_factory.mktemp("town")
    url = new_database("sqlite")
    app = create_app(Settings(database_url=url, app_env="test", instance_path=folder))
    with app.app_context():
        load(
            Plan(clock.today(), schools=4, students=40),
            say=lambda _line: None,
            credentials=folder / "c.json",
        )
        db.session.remove()
        db.engine.dispose()
    server = serve(url, workers=1, providers=True, app_env="demo")
    return Town(server, json.loads((folder / "c.json").read_text("utf-8")))


def test_the_command_sends_a_signed_notice_that_counts_once(town: Town) -> None:
    # The fourth school's bank reports through a virtual account.
    bill = town.bill("TH02")
    account = town.account("TH02")
    assert account.endswith("VA")
    arguments = ["--account", account, "--amount", str(bill["amount"])]
    sent = town.flask("demo", "bank", *arguments, "--text", bill["reference"], "--times", "3")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert sent.stdout.count("-> 200") == 3
    assert town.state(bill)["state"] == "paid"
    assert town.state(bill)["due"] == 0


def test_the_command_says_when_nobody_has_the_account(town: Town) -> None:
    sent = town.flask("demo", "bank", "--account", "NOBODY", "--amount", "1", "--text", "x")
    assert sent.returncode == 1
    assert "Error" in sent.stderr


def test_the_sample_bank_app_pays_a_bill(town: Town) -> None:
    bill = town.bill("MN01")
    browser = Browser()
    query = urlencode(
        {
            "reference": bill["reference"],
            "amount": bill["amount"],
            "account": town.account("MN01"),
        }
    )
    page = browser.get(f"{town.server.url}/demo/bank?{query}")
    assert "TRUONG MAM NON SAO BIEN" in page and bill["reference"] in page
    address, page = browser.post(
        f"{town.server.url}/demo/bank",
        csrf_token=token_in(page),
        account=town.account("MN01"),
        amount=f"{bill['amount']:,}".replace(",", "."),
        reference=bill["reference"],
        repeat="1",
    )
    assert "sent=1" in address and f"/pay/{bill['pay_token']}" in page
    assert town.wait_for(bill, "paid")["receipt"]


def test_a_card_is_declined_and_then_taken(town: Town) -> None:
    # The third school's card channel has a surcharge.
    bill = town.bill("CS01")
    browser = Browser()
    page = browser.get(f"{town.server.url}/pay/{bill['pay_token']}")
    address, page = browser.post(
        f"{town.server.url}/pay/{bill['pay_token']}/card", csrf_token=token_in(page)
    )
    assert address.startswith(town.server.providers_url)
    total = f"{bill['amount'] + 3_300:,}".replace(",", ".")
    assert total in page and "minh họa" in page
    _address, page = browser.post(address, do="decline")
    assert "Thẻ bị từ chối" in page
    assert town.state(bill)["state"] == "open"
    back, _page = browser.post(address, do="pay")
    assert back == f"{town.server.url}/pay/{bill['pay_token']}/return"
    assert town.wait_for(bill, "paid")["due"] == 0
    assert town.flask("verify").returncode == 0


def test_outside_the_demo_there_is_no_bank_app(app: Any) -> None:
    assert app.test_client().get("/demo/bank").status_code == 404


# The card company alone, spoken to by the product's own adapter.


@pytest.fixture
def company() -> Iterator[Providers]:
    # Nobody listens at the app's address; events are given up in the background.
    server = Providers(0, app_url="http://127.0.0.1:9", api_key="sk", webhook_secret="whsec")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def _open(adapter: StripeAdapter, key: str, amount: int = 50_000) -> Any:
    return adapter.create_session(
        request_reference="HPY2WV7A9",
        attempt_id=1,
        amount=Vnd(amount),
        surcharge=Vnd(0),
        description="MN Sao Biển",
        success_url="http://127.0.0.1:9/ok",
        cancel_url="http://127.0.0.1:9/no",
        metadata={"school": "MN01"},
        idempotency_key=key,
        expires_at=clock.now().replace(microsecond=0) + timedelta(hours=1),
        locale="vi",
    )


def test_the_company_keeps_stripes_promises(company: Providers) -> None:
    adapter = StripeAdapter("sk", api_base=company.base, webhook_secrets=["whsec"], retries=0)
    session = _open(adapter, "key-1")
    assert session.url == f"{company.base}/pay/{session.id}"
    with pytest.raises(StripeRefused):  # the same key with another amount
        _open(adapter, "key-1", 60_000)
    company.cards.pay(session.id)
    paid = adapter.retrieve_session(session.id)
    assert (paid.status, paid.payment_status, paid.amount) == ("complete", "paid", Vnd(50_000))
    assert paid.payment_intent
    with pytest.raises(StripeRefused):
        adapter.expire_session(session.id)
    refund = {"payment_intent": paid.payment_intent, "metadata": {"refund": "1"}}
    assert adapter.refund(**refund, amount=Vnd(20_000), idempotency_key="r-1").amount.dong == 20_000
    adapter.refund(**refund, amount=Vnd(20_000), idempotency_key="r-1")  # said before, not done
    with pytest.raises(StripeRefused):
        adapter.refund(**refund, amount=Vnd(40_000), idempotency_key="r-2")
    other = _open(adapter, "key-2")
    assert adapter.expire_session(other.id).status == "expired"


def test_a_wrong_key_is_refused(company: Providers) -> None:
    with pytest.raises(StripeRefused):
        _open(StripeAdapter("other", api_base=company.base, retries=0), "key-1")


def test_nested_forms_are_read() -> None:
    pairs = [("a[0][b]", "1"), ("a[1][b]", "2"), ("c[d][e]", "x"), ("f", "")]
    assert read_form(pairs) == {"a": [{"b": "1"}, {"b": "2"}], "c": {"d": {"e": "x"}}, "f": ""}


def test_the_sender_passes_on_callbacks_only(company: Providers) -> None:
    task = {"path": "/callbacks/sepay/x", "body": "{}", "headers": {}}
    assert company.send_notices(task)
    assert not company.send_notices({**task, "path": "//elsewhere/"})
    assert not company.send_notices({**task, "body": ""})


def test_reset_asks_and_builds_anew(new_database: Callable[[str], str], tmp_path: Path) -> None:
    url = new_database("sqlite")
    app = create_app(Settings(database_url=url, app_env="test", instance_path=tmp_path))
    size = ["--schools", "1", "--students", "4", "--as-of", str(date(2026, 11, 24))]
    runner = app.test_cli_runner()
    assert runner.invoke(args=["demo", "load", *size]).exit_code == 0
    assert runner.invoke(args=["demo", "reset", *size], input="n\n").exit_code == 1
    done = runner.invoke(args=["demo", "reset", *size, "--yes"])
    assert done.exit_code == 0, done.output
    assert "4 children" in done.output
    with app.app_context():
        db.engine.dispose()
