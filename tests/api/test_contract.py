"""The served description against the interface itself: machine-made requests of every shape."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.core import clock
from app.journeys.api import routes
from app.journeys.api.signing import sign
from tests.api.partners import Caller, make_caller
from tests.factories.money import billed_child
from tests.factories.staff import visitor
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
Start = Callable[..., Any]


class Signing:
    """Signs whatever passes, as a partner's own client would."""

    def __init__(self, app: Flask, caller: Caller) -> None:
        self._app, self._caller = app, caller

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["PATH_INFO"] != "/api/v1/openapi.json":
            query = environ.get("QUERY_STRING")
            target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
            target = target or (environ["PATH_INFO"] + (f"?{query}" if query else ""))
            stamp = str(int(clock.now().timestamp()))
            method = environ["REQUEST_METHOD"]
            environ["HTTP_X_API_KEY"] = self._caller.key_id
            environ["HTTP_X_API_TIMESTAMP"] = stamp
            environ["HTTP_X_API_SIGNATURE"] = sign(self._caller.secret, stamp, method, target, body)
        return self._app(environ, start)


def test_every_answer_is_one_the_description_names(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST", 10**6)
    child = billed_child()
    caller = make_caller(visitor(app))
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", Signing(app, caller))
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) == 4
    counter = itertools.count(1)
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=30,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            if isinstance(case.body, dict) and next(counter) % 2:
                # Half of the payments are of a bill there is.
                case.body["bill_code"] = child.request.reference
                case.body["paid_at"] = clock.now().isoformat()
            case.call_and_validate(checks=CHECKS)

        ask()
    # The machine's payments were real ones.
    today = clock.today().isoformat()
    assert caller.get("/api/v1/payments", date=today).get_json()["count"] > 0
    assert_books_hold()
