"""A partner of the area and its signed requests."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import clock, scope
from app.core.db import transaction
from app.journeys.api.signing import sign
from app.people import partners
from tests.factories.schools import ACCOUNTANT

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Caller:
    """A partner with one key and a browser of its own."""

    client: FlaskClient
    code: str
    key_id: str
    secret: str

    def get(self, path: str, **query: str) -> TestResponse:
        """A signed question."""
        target = f"{path}?{urlencode(query)}" if query else path
        return self.client.get(target, headers=self.headers("GET", target, b""))

    def post(self, path: str, fields: Any, *, key: str = "", **changes: str) -> TestResponse:
        """A signed deed under a key of idempotency."""
        body = json.dumps(fields).encode()
        headers = {
            **self.headers("POST", path, body),
            "Idempotency-Key": key or f"key-{next(_numbers):08d}",
            **changes,
        }
        return self.client.post(path, data=body, content_type="application/json", headers=headers)

    def headers(self, method: str, target: str, body: bytes, *, age: int = 0) -> dict[str, str]:
        """The three headers of a signature."""
        stamp = str(int(clock.now().timestamp()) - age)
        return {
            "X-Api-Key": self.key_id,
            "X-Api-Timestamp": stamp,
            "X-Api-Signature": sign(self.secret, stamp, method, target, body),
        }


def make_caller(client: FlaskClient) -> Caller:
    """A new partner."""
    code = f"bank{next(_numbers)}"
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        key_id, secret = partners.open_partner(
            code, "Ngân hàng Minh Họa", actor=ACCOUNTANT, now=clock.now()
        )
    return Caller(client, code, key_id, secret)
