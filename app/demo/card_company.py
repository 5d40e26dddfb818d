"""The demo's card company: checkout pages, refunds and signed events, as Stripe has them.

Kept in memory; a restart forgets every page. It takes đồng only, in whole numbers.
"""

from __future__ import annotations

import copy
import json
import queue
import re
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from app.core import clock
from app.demo import bank
from app.money.payments.adapters import stripe

Thing = dict[str, Any]

API_VERSION: Final = "2026-10-28.endive"
LARGEST: Final = 99_999_999
#: seconds between tries to hand an event over; Stripe takes days, a demo has not so long
_WAITS: Final = (0.0, 0.5, 1, 2, 4, 8, 16)
_ADDRESS: Final = re.compile(
    r"/v1/(checkout/sessions|refunds|payment_intents|charges)/(\w+)(/\w+)?"
)


class ApiRefusal(Exception):
    """An answer that says no, in Stripe's shape."""

    def __init__(self, message: str, *, status: int = 400, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status = status
        error = {
            "type": "invalid_request_error",
            "message": message,
            "code": code,
            "param": param,
        }
        self.body: Thing = {"error": {name: value for name, value in error.items() if value}}


def read_form(pairs: Sequence[tuple[str, str]]) -> Thing:
    """`a[0][b]=1` as the nested thing it stands for."""
    root: Thing = {}
    for written, value in pairs:
        place = root
        *path, last = re.findall(r"[^\[\]]+", written) or [written]
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return {name: _with_lists(value) for name, value in root.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(part) for name, part in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


class CardCompany:
    """Sessions, payments and refunds behind one lock, and a thread that tells of them."""

    def __init__(self, base: str, api_key: str, webhook_secret: str, webhook_url: str) -> None:
        self.base = base
        self._key = api_key
        self._secret = webhook_secret
        self._webhook_url = webhook_url
        self._lock = threading.RLock()
        self._things: dict[str, Thing] = {}
        self._answers: dict[str, tuple[str, Thing]] = {}
        self._events: queue.Queue[Thing] = queue.Queue()
        threading.Thread(target=self._tell, daemon=True).start()

    # The API

    def answer(
        self, method: str, path: str, params: Thing, key: str, once: str
    ) -> tuple[int, Thing, bool]:
        """Status, body, and whether the same was asked before under the idempotency key `once`."""
        asked = json.dumps([method, path, params], sort_keys=True)
        with self._lock:
            try:
                if key != self._key:
                    raise ApiRefusal("Invalid API Key provided", status=401)
                if once in self._answers:
                    before, said = self._answers[once]
                    if before != asked:
                        raise ApiRefusal("This key was used with other parameters.")
                    return 200, said, True
                said = copy.deepcopy(self._do(method, path, params))
            except ApiRefusal as refusal:
                return refusal.status, refusal.body, False
            if method == "POST" and once:
                self._answers[once] = (asked, said)
            return 200, said, False

    def _do(self, method: str, path: str, params: Thing) -> Thing:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self._open_session(params)
        if (method, path) == ("POST", "/v1/refunds"):
            return self._refund(params)
        found = _ADDRESS.fullmatch(path)
        thing = self._things.get(found[2]) if found else None
        if found is None or thing is None:
            raise ApiRefusal("No such object", status=404, code="resource_missing", param="id")
        if thing["object"] == "checkout.session":
            self._look_at_clock(thing)
        if method == "POST" and found[3] == "/expire":
            if thing.get("status") != "open":
                raise ApiRefusal("Only sessions with a status of open can be expired.")
            self._expire(thing)
        return thing

    def _open_session(self, params: Thing) -> Thing:
        lines = [_read_line(line) for line in params.get("line_items") or []]
        total = sum(amount for _name, amount in lines)
        if params.get("mode") != "payment" or not 0 < total <= LARGEST:
            raise ApiRefusal("mode must be payment, the total between 1 and 99,999,999")
        for name in ("success_url", "cancel_url"):
            if not str(params.get(name, "")).startswith(("http://", "https://")):
                raise ApiRefusal("Not a valid URL", code="url_invalid", param=name)
        now = _now()
        expires_at = int(params.get("expires_at") or now + 86_400)
        # A try that is asked for once more keeps its old end, so a shorter time is let through.
        if not now < expires_at <= now + 86_400 + 60:
            raise ApiRefusal("expires_at is at most 24 hours away", param="expires_at")
        session = self._keep(
            "cs_demo",
            "checkout.session",
            amount_subtotal=total,
            amount_total=total,
            cancel_url=params["cancel_url"],
            client_reference_id=params.get("client_reference_id"),
            currency="vnd",
            expires_at=expires_at,
            lines_shown=[[name, amount] for name, amount in lines],
            locale=params.get("locale") or "vi",
            metadata=dict(params.get("metadata") or {}),
            intent_metadata=dict((params.get("payment_intent_data") or {}).get("metadata") or {}),
            mode="payment",
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            success_url=params["success_url"],
        )
        session["url"] = f"{self.base}/pay/{session['id']}"
        return session

    def _refund(self, params: Thing) -> Thing:
        intent = self._things.get(params.get("payment_intent", ""))
        charge = self._things.get((intent or {}).get("latest_charge") or "")
        if intent is None or charge is None:
            raise ApiRefusal("No such payment_intent with a charge", param="payment_intent")
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            raise ApiRefusal("Charge has already been refunded.", code="charge_already_refunded")
        asked = str(params.get("amount", left))
        if not re.fullmatch(r"[1-9][0-9]{0,11}", asked) or int(asked) > left:
            raise ApiRefusal(
                f"Refund amount ({asked}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        charge["amount_refunded"] += int(asked)
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        refund = self._keep(
            "re",
            "refund",
            amount=int(asked),
            charge=charge["id"],
            currency="vnd",
            metadata=dict(params.get("metadata") or {}),
            payment_intent=intent["id"],
            status="succeeded",
        )
        self._happened("refund.created", refund)
        self._happened("charge.refunded", charge)
        return refund

    # What the payer does on the page

    def session(self, session_id: str) -> Thing | None:
        """A copy of a session for its page."""
        with self._lock:
            session = self._things.get(session_id)
            if session is None or session["object"] != "checkout.session":
                return None
            self._look_at_clock(session)
            return copy.deepcopy(session)

    def pay(self, session_id: str) -> str:
        """The card is charged; where the payer goes next."""
        with self._lock:
            session = self._still_open(session_id)
            intent = self._intent(session)
            charge = self._keep(
                "ch",
                "charge",
                amount=intent["amount"],
                amount_refunded=0,
                currency="vnd",
                metadata=dict(intent["metadata"]),
                paid=True,
                payment_intent=intent["id"],
                refunded=False,
                status="succeeded",
            )
            intent.update(
                status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"]
            )
            session.update(status="complete", payment_status="paid", url=None)
            self._happened("payment_intent.succeeded", intent)
            self._happened("checkout.session.completed", session)
            return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session_id)

    def decline(self, session_id: str) -> None:
        """The card is refused; the page stays open for another."""
        with self._lock:
            intent = self._intent(self._still_open(session_id))
            intent["last_payment_error"] = {"type": "card_error", "code": "card_declined"}
            self._happened("payment_intent.payment_failed", intent)

    def _still_open(self, session_id: str) -> Thing:
        session = self._things.get(session_id)
        if session is None:
            raise ApiRefusal("No such page", status=404)
        self._look_at_clock(session)
        if session["status"] != "open":
            raise ApiRefusal("This page is closed", status=409)
        return session

    def _intent(self, session: Thing) -> Thing:
        if session["payment_intent"]:
            return self._things[session["payment_intent"]]
        intent = self._keep(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency="vnd",
            last_payment_error=None,
            latest_charge=None,
            metadata=session["intent_metadata"],
            status="requires_payment_method",
        )
        session["payment_intent"] = intent["id"]
        return intent

    def _keep(self, prefix: str, kind: str, **fields: Any) -> Thing:
        thing: Thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": _now(),
            "livemode": False,
            **fields,
        }
        self._things[thing["id"]] = thing
        return thing

    def _look_at_clock(self, session: Thing) -> None:
        if session["status"] == "open" and _now() >= session["expires_at"]:
            self._expire(session)

    def _expire(self, session: Thing) -> None:
        session.update(status="expired", url=None)
        self._happened("checkout.session.expired", session)

    # Events

    def _happened(self, type_: str, about: Thing) -> None:
        self._events.put(
            {
                "id": f"evt_{secrets.token_hex(12)}",
                "object": "event",
                "api_version": API_VERSION,
                "created": _now(),
                "data": {"object": copy.deepcopy(about)},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": type_,
            }
        )

    def _tell(self) -> None:
        while True:
            event = self._events.get()
            raw = json.dumps(event, ensure_ascii=False).encode()
            for wait in _WAITS:
                time.sleep(wait)
                headers = stripe.sign(raw, self._secret, _now())
                if bank.post(self._webhook_url, raw, headers).is_taken:
                    break


def _read_line(line: Thing) -> tuple[str, int]:
    price = line.get("price_data") or {}
    name = str((price.get("product_data") or {}).get("name") or "")
    amount = str(price.get("unit_amount", ""))
    if price.get("currency") != "vnd" or not name or not re.fullmatch(r"[0-9]{1,9}", amount):
        raise ApiRefusal("A line needs a name and whole đồng", param="line_items")
    return name, int(amount) * int(line.get("quantity", "1"))


def _now() -> int:
    return int(clock.now().timestamp())
