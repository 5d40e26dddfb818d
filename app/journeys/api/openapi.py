"""The description of `/api/v1` in OpenAPI 3.1, kept beside what it describes."""

from __future__ import annotations

from typing import Any, Final

_CODE: Final = {"type": "string", "minLength": 6, "maxLength": 20}
_BILL_CODE: Final = {"type": "string", "minLength": 1, "maxLength": 20}
_NUMBER: Final = {"type": "string", "pattern": "^[0-9A-Za-z_.:\\-]{1,64}$"}
_AMOUNT: Final = {"type": "integer", "minimum": 1, "maximum": 999_999_999_999}
_CURRENCY: Final = {"type": "string", "const": "VND"}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


_ERROR: Final = _object(
    {
        "success": {"type": "boolean"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "number": {"type": "string"},
    },
    optional=("message", "number"),
)
_BILL: Final = _object(
    {
        "bill_code": {"type": "string"},
        "amount": _AMOUNT,
        "currency": _CURRENCY,
        "due_on": {"type": "string", "format": "date"},
        "reason": {"type": "string"},
        "payer": _object({"initials": {"type": "string"}, "masked_name": {"type": "string"}}),
        "payee": _object(
            {
                "school_code": {"type": "string"},
                "school_name": {"type": "string"},
                "account": _object(
                    {
                        "bin": {"type": "string"},
                        "number": {"type": "string"},
                        "holder": {"type": "string"},
                    }
                ),
            }
        ),
    }
)
_PAYMENT: Final = _object(
    {
        "transaction_id": {"type": "string"},
        "bill_code": {"type": "string"},
        "amount": _AMOUNT,
        "currency": _CURRENCY,
        "state": {"enum": ["accepted", "reversed"]},
        "receipt": {"type": ["string", "null"]},
        "received_at": {"type": "string", "format": "date-time"},
    }
)
_DAY: Final = _object(
    {
        "date": {"type": "string", "format": "date"},
        "count": {"type": "integer"},
        "amount": {"type": "integer"},
        "currency": _CURRENCY,
        "payments": {
            "type": "array",
            "items": _object(
                {
                    "transaction_id": {"type": "string"},
                    "bill_code": {"type": ["string", "null"]},
                    "school_code": {"type": "string"},
                    "amount": _AMOUNT,
                    "state": {"enum": ["accepted", "reversed"]},
                    "paid_at": {"type": "string", "format": "date-time"},
                }
            ),
        },
    }
)


def _answer(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _refusals(**more: str) -> dict[str, Any]:
    texts = {
        "400": "the request cannot be read",
        "401": "not signed by a key that is valid now",
        "413": "the body is larger than 16 KB",
        "422": "a field is missing or cannot be used",
        "429": "too many requests in this minute; Retry-After says when",
        "503": "busy; Retry-After says when",
        **more,
    }
    return {status: _answer(words, _ERROR) for status, words in texts.items()}


_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "The same key with the same request gives the same answer and no second deed.",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z_.:\\-]{8,80}$"},
}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


DOCUMENT: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Sổ Thu: school fees for banks and wallets",
        "version": "1",
        "description": (
            "Every request carries X-Api-Key, X-Api-Timestamp (unix seconds, five minutes off at"
            " most) and X-Api-Signature: the hex HMAC-SHA256, by the key's secret, of four lines"
            " joined by line feeds: the timestamp, the method, the path with its query as sent, and"
            " the hex SHA-256 of the body. Two keys of a partner may be valid at once. Amounts are"
            " whole đồng. An answer names school, initials and a masked name, nothing else of a"
            " person."
        ),
    },
    "security": [{"key": []}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}
    },
    "paths": {
        "/api/v1/bills": {
            "get": {
                "operationId": "listBills",
                "summary": "What is payable for a pupil's code or a transfer code",
                "parameters": [{"name": "code", "in": "query", "required": True, "schema": _CODE}],
                "responses": {
                    "200": _answer(
                        "the open bills",
                        _object({"bills": {"type": "array", "items": _BILL}}),
                    ),
                    **_refusals(**{"404": "no bill with this code"}),
                },
            }
        },
        "/api/v1/payments": {
            "get": {
                "operationId": "listPayments",
                "summary": "Everything of the partner booked on a day",
                "parameters": [
                    {
                        "name": "date",
                        "in": "query",
                        "required": True,
                        "schema": {"type": "string", "format": "date"},
                    }
                ],
                "responses": {"200": _answer("the day's list", _DAY), **_refusals()},
            },
            "post": {
                "operationId": "tellPayment",
                "summary": "A payment the partner took",
                "parameters": [_KEY_HEADER],
                "requestBody": _body(
                    _object(
                        {
                            "transaction_id": _NUMBER,
                            "bill_code": _BILL_CODE,
                            "amount": _AMOUNT,
                            "currency": _CURRENCY,
                            "paid_at": {"type": "string", "format": "date-time"},
                            "payer": {"type": ["string", "null"], "maxLength": 120},
                        },
                        optional=("currency", "payer"),
                    )
                ),
                "responses": {
                    "201": _answer("booked", _PAYMENT),
                    "200": _answer("this transaction was booked before", _PAYMENT),
                    **_refusals(
                        **{
                            "404": "no bill with this code",
                            "409": "the key or the transaction was used for something else",
                        }
                    ),
                },
            },
        },
        "/api/v1/payments/{transaction_id}/reversals": {
            "post": {
                "operationId": "tellReversal",
                "summary": "A payment taken back, whole",
                "parameters": [
                    {
                        "name": "transaction_id",
                        "in": "path",
                        "required": True,
                        "schema": _NUMBER,
                    },
                    _KEY_HEADER,
                ],
                "requestBody": _body(
                    _object(
                        {
                            "reversal_id": _NUMBER,
                            "reason": {"type": "string", "minLength": 1, "maxLength": 200},
                        }
                    )
                ),
                "responses": {
                    "200": _answer("taken back", _PAYMENT),
                    **_refusals(
                        **{
                            "404": "no payment of yours with this number",
                            "409": "the key was used for something else, or nothing is left",
                        }
                    ),
                },
            }
        },
    },
}
