"""The demo: the same twice over, whole books, and the list testers work from."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.config import Settings
from app.core import scope
from app.core.db import rows, scalar
from app.core.model import Base, db
from app.core.text import normal_phone
from app.demo.load import Loaded, NotEmpty, Plan, load
from app.money import billing
from app.people.schools import Level
from app.people.students.services import activation_hash
from app.shell.verify import unsealed, verify

SMALL = Plan(as_of=date(2026, 11, 24), schools=4, students=48)


def _quiet(_line: str) -> None:
    pass


def _app(url: str, folder: Path) -> Flask:
    return create_app(Settings(database_url=url, app_env="test", instance_path=folder))


def _checksums() -> dict[str, str]:
    """A hash of every row of every table."""
    found = {}
    with scope.opened(scope.EVERY_SCHOOL):
        for table in Base.metadata.sorted_tables:
            digest = hashlib.sha256()
            for found_row in db.session.execute(
                sa.select(table).order_by(*table.primary_key.columns)
            ):
                digest.update(repr(tuple(found_row)).encode())
            found[table.name] = digest.hexdigest()
    return found


@pytest.fixture(scope="module")
def credentials_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("credentials") / "deep" / "demo.json"


@pytest.fixture(scope="module")
def loaded(app: Flask, credentials_file: Path) -> Loaded:
    with app.app_context():
        made = load(SMALL, say=_quiet, credentials=credentials_file)
        db.session.remove()
    return made


@pytest.fixture
def area(loaded: Loaded, context: Flask) -> Iterator[Flask]:
    with scope.opened(scope.EVERY_SCHOOL):
        yield context


@pytest.fixture
def known(loaded: Loaded, credentials_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(credentials_file.read_text("utf-8"))
    return content


def test_all_invariants_hold_and_all_is_sealed(area: Flask) -> None:
    assert [(f.number, f.breaches) for f in verify() if not f.holds] == []
    assert unsealed() == 0
    assert scalar("select count(*) from audit_seals") > 0


def test_it_makes_what_was_asked_for(area: Flask, loaded: Loaded) -> None:
    assert (loaded.schools, loaded.students) == (4, 48)
    assert scalar("select count(*) from students") == 48
    assert scalar("select count(*) from entries") == loaded.entries
    assert scalar("select count(*) from payments") == loaded.payments > 40


def test_two_months_are_billed_and_the_third_is_only_approved(area: Flask) -> None:
    runs = rows(
        "select billed_period, count(*) as n, count(issued_at) as issued from billing_runs"
        " group by billed_period order by billed_period"
    )
    assert [tuple(run) for run in runs] == [(202609, 4, 4), (202610, 4, 4)]
    approved = rows(
        "select distinct f.school_id from schedule_prices p join fee_schedules f"
        " on f.id = p.schedule_id and f.state = 'approved' where p.period = 202611"
    )
    assert len(approved) == 4
    drafters = rows("select drafted_by, approved_by from fee_schedules")
    assert all(drafter.drafted_by != drafter.approved_by for drafter in drafters)


def test_money_came_in_every_way(area: Flask) -> None:
    methods = {found.method for found in rows("select distinct method from payments")}
    assert {"cash", "transfer"} <= methods
    kinds = {found.account.partition(":")[0] for found in rows("select account from v_entry")}
    assert {"bank", "cash", "receivable", "income", "held"} <= kinds
    open_now = scalar("select sum(balance) from v_account_balance where account = 'receivable'")
    billed = scalar("select sum(total) from invoices")
    assert 0 < open_now < billed


def test_every_transfer_stands_in_the_inbox(area: Flask) -> None:
    missing = rows(
        "select p.external_id from v_payment p where p.provider = 'sepay' and not exists"
        " (select 1 from v_inbox i where i.provider = p.provider"
        "  and i.external_id = p.external_id and i.state = 'posted')"
    )
    assert missing == []


def test_an_account_that_reports_through_a_virtual_one_is_paid_there(area: Flask) -> None:
    virtual = rows("select id, school_id, parent_id from bank_accounts where kind = 'virtual'")
    assert len(virtual) == 1 and virtual[0].parent_id
    requests = rows(
        "select distinct bank_account_id from payment_requests where school_id = :school_id",
        school_id=virtual[0].school_id,
    )
    assert [request.bank_account_id for request in requests] == [virtual[0].id]


def test_people_are_written_properly_and_cannot_be_real(area: Flask) -> None:
    names = [
        *(found.full_name for found in rows("select full_name from students")),
        *(found.full_name for found in rows("select full_name from guardians")),
        *(found.name for found in rows("select name from school_details")),
        *(found.name for found in rows("select name from fee_items")),
        *(found.name for found in rows("select name from classes")),
    ]
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    phones = [found.phone for found in rows("select phone from guardians")]
    assert all(normal_phone(phone) == phone and phone[2:5] == "000" for phone in phones)
    pins = [found.value for found in rows("select value from student_identifiers")]
    assert all(pin.startswith("999") for pin in pins) and len(set(pins)) == len(pins)
    assert all(
        found.number.startswith("MINHHOA") for found in rows("select number from bank_accounts")
    )


def test_the_credentials_have_the_agreed_shape(known: dict[str, Any]) -> None:
    assert set(known) == {"schools", "staff", "parents", "bills"}
    for school in known["schools"]:
        assert set(school) == {"code", "name", "level", "account", "channels"}
        assert set(school["account"]) == {"bin", "number", "holder"}
        assert school["account"]["holder"].isascii()
        (channel,) = school["channels"]
        assert set(channel) == {"provider", "path", "secret", "scheme"}
        assert (channel["provider"], channel["scheme"]) == ("sepay", "hmac")
        assert channel["path"].startswith("/callbacks/sepay/")
    assert {school["level"] for school in known["schools"]} == {str(level) for level in Level}
    assert {person["role"] for person in known["staff"]} >= {
        "accountant",
        "principal",
        "cashier",
        "teacher",
        "officer",
        "auditor",
        "administrator",
    }
    for person in known["staff"]:
        assert set(person) == {"role", "school", "username", "password", "totp_secret"}
    for parent in known["parents"]:
        assert set(parent) == {"phone", "activation_code", "students"}
    for bill in known["bills"]:
        assert set(bill) == {"school", "student", "period", "amount", "reference", "pay_token"}
        assert bill["period"] == "2026-10"


def test_each_listed_bill_asks_for_its_amount(area: Flask, known: dict[str, Any]) -> None:
    assert known["bills"]
    for bill in known["bills"]:
        school_id = billing.school_of_token(bill["pay_token"])
        assert school_id is not None
        request = billing.find_request(school_id, token=bill["pay_token"])
        assert request is not None and request.reference == bill["reference"]
        assert billing.due(request).dong == bill["amount"] > 0


def test_families_codes_open_their_children(area: Flask, known: dict[str, Any]) -> None:
    for parent in known["parents"]:
        found = rows(
            "select s.code from activation_codes a join guardians g on g.id = a.guardian_id"
            " join guardianships r on r.guardian_id = g.id join students s on s.id = r.student_id"
            " where a.code_hash = :hash and g.phone = :phone order by s.id",
            hash=activation_hash(parent["activation_code"]),
            phone=parent["phone"],
        )
        assert [child.code for child in found] == parent["students"]


def test_a_second_load_is_refused(loaded: Loaded, context: Flask) -> None:
    with pytest.raises(NotEmpty):
        load(SMALL, say=_quiet)
    result = context.test_cli_runner().invoke(args=["demo", "load", "--schools", "1"])
    assert result.exit_code == 1
    assert "flask demo reset" in result.output


# One engine is enough from here on.


@pytest.fixture(scope="module")
def twin(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Plan], tuple[dict[str, str], str]]:
    """Loads a plan into a new SQLite database; the checksums and the credentials."""

    def make(plan: Plan) -> tuple[dict[str, str], str]:
        folder = tmp_path_factory.mktemp("twin")
        app = _app(new_database("sqlite"), folder)
        with app.app_context():
            load(plan, say=_quiet, credentials=folder / "c.json")
            sums = _checksums()
            db.session.remove()
            db.engine.dispose()
        return sums, (folder / "c.json").read_text("utf-8")

    return make


Twin = Callable[[Plan], tuple[dict[str, str], str]]


def test_the_same_seed_and_day_give_the_same_rows(twin: Twin) -> None:
    first, again = twin(SMALL), twin(SMALL)
    assert first == again
    other, _file = twin(Plan(as_of=SMALL.as_of, schools=4, students=48, seed=2))
    assert other["students"] != first[0]["students"]


def test_both_engines_are_given_the_same(twin: Twin, known: dict[str, Any]) -> None:
    assert json.loads(twin(SMALL)[1]) == known


def test_four_schools_have_thirty_open_bills_each(twin: Twin) -> None:
    content = json.loads(twin(Plan(as_of=SMALL.as_of, schools=4, students=320))[1])
    counted = Counter(bill["school"] for bill in content["bills"])
    assert len(counted) == 4 and min(counted.values()) >= 30


@pytest.mark.parametrize("as_of", [date(2026, 9, 3), date(2027, 1, 31), date(2027, 7, 15)])
def test_other_days_of_the_year_load_too(twin: Twin, as_of: date) -> None:
    sums, _file = twin(Plan(as_of=as_of, schools=3, students=18))
    assert sums["payments"] != hashlib.sha256().hexdigest()
