"""A small Stripe on the loopback: sessions, refunds, disputes, and genuinely signed events.

It answers as Stripe does where our side can notice: form-encoded nested keys, integer đồng, one
answer per idempotency key, no refund above the charge, events that may come twice, late or in any
order. Nothing of it is ever imported by the application.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import html
import json
import queue
import random
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

API_VERSION = "2026-10-28.endive"

Object = dict[str, Any]


class ApiError(Exception):
    """An answer of Stripe's that says no."""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        error = {"type": kind, "message": message, "code": code, "param": param}
        self.body = {"error": {name: value for name, value in error.items() if value}}


def _invalid(message: str, *, code: str = "", param: str = "", status: int = 400) -> ApiError:
    return ApiError(status, "invalid_request_error", message, code=code, param=param)


@dataclass(frozen=True)
class Call:
    """One request the peer received from the library."""

    method: str
    path: str
    params: Object
    version: str
    idempotency_key: str


@dataclass(frozen=True)
class Delivery:
    """One try to hand over an event, and the answer (0: nobody there)."""

    event_id: str
    type: str
    status: int


def nested(pairs: Sequence[tuple[str, str]]) -> Object:
    """a[0][b]=1 → {"a": [{"b": "1"}]}, as the form encoding of Stripe means it."""
    root: Object = {}
    for key, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+", key)
        place, name = root, first
        for part in rest:
            place = place.setdefault(name, {})
            name = part
        place[name] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(inner) for name, inner in value.items()}


class StripePeer:
    """Runs in threads of its own: `with StripePeer(webhook_url=…) as peer`; see `peer.base`."""

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        webhook_secrets: Sequence[str] = ("whsec_test_secret",),
        api_key: str = "sk_test_peer",
        port: int = 0,
        clock: Callable[[], float] = time.time,
        attempts: int = 3,
        pause: float = 0.05,
    ) -> None:
        self.webhook_url = webhook_url
        self.webhook_secrets = tuple(webhook_secrets)
        self.api_key = api_key
        self.clock = clock
        self.attempts = attempts
        self.pause = pause
        #: how often each event is handed over although it was taken
        self.copies = 1
        self.objects: dict[str, Object] = {}
        self.events: list[Object] = []
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        self._held: list[Object] | None = None
        self._broken: list[int] = []
        self._answers: dict[str, tuple[str, int, Object]] = {}
        self._lock = threading.RLock()
        self._outgoing: queue.Queue[Object | None] = queue.Queue()
        self._server = _Server(port, self)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._send_outgoing, daemon=True),
        ]

    @property
    def base(self) -> str:
        """What STRIPE_API_BASE is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Hand over what is waiting, then be gone: the library meets a closed port."""
        self._outgoing.put(None)
        self._threads[1].join(10)
        self._server.shutdown()
        self._server.server_close()
        self._threads[0].join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What happens at Stripe without our asking.

    def pay(self, session_id: str) -> Object:
        """The payer's card is charged at once."""
        with self._lock:
            session = self._open_session(session_id)
            intent = self._intent(session)
            self._charge(intent)
            session.update(status="complete", payment_status="paid", url=None)
            self._emit("charge.succeeded", self.objects[intent["latest_charge"]])
            self._emit("payment_intent.succeeded", intent)
            self._emit("checkout.session.completed", session)
            return copy.deepcopy(session)

    def pay_later(self, session_id: str) -> Object:
        """The payer chose a way that takes days: the page is done, the money is not there."""
        with self._lock:
            session = self._open_session(session_id)
            self._intent(session)["status"] = "processing"
            session.update(status="complete", payment_status="unpaid", url=None)
            self._emit("checkout.session.completed", session)
            return copy.deepcopy(session)

    def settle(self, session_id: str, *, succeeded: bool) -> None:
        """The end of `pay_later`, good or bad."""
        with self._lock:
            session = self.objects[session_id]
            intent = self.objects[session["payment_intent"]]
            if succeeded:
                self._charge(intent)
                session["payment_status"] = "paid"
                self._emit("payment_intent.succeeded", intent)
                self._emit("checkout.session.async_payment_succeeded", session)
            else:
                self._fail(intent)
                self._emit("checkout.session.async_payment_failed", session)

    def decline(self, session_id: str) -> None:
        """The card is refused; the session stays open for another."""
        with self._lock:
            self._fail(self._intent(self._open_session(session_id)))

    def lapse(self, session_id: str) -> None:
        """The session's time is over."""
        with self._lock:
            self._expire(self._open_session(session_id))

    def fail_refund(self, refund_id: str) -> None:
        """The card's bank sent the refund back."""
        with self._lock:
            refund = self.objects[refund_id]
            refund.update(status="failed", failure_reason="expired_or_canceled_card")
            charge = self.objects[refund["charge"]]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._emit("refund.failed", refund)

    def dispute(self, payment_intent: str) -> str:
        """The cardholder's bank takes the money back for now."""
        with self._lock:
            charge = self.objects[self.objects[payment_intent]["latest_charge"]]
            dispute = self._keep(
                "dp",
                "dispute",
                amount=charge["amount"],
                currency="vnd",
                charge=charge["id"],
                payment_intent=payment_intent,
                reason="fraudulent",
                status="needs_response",
                metadata={},
            )
            self._emit("charge.dispute.created", dispute)
            self._emit("charge.dispute.funds_withdrawn", dispute)
            return str(dispute["id"])

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        """The dispute ends; won, the money comes back."""
        with self._lock:
            dispute = self.objects[dispute_id]
            dispute["status"] = "won" if won else "lost"
            self._emit("charge.dispute.closed", dispute)
            if won:
                self._emit("charge.dispute.funds_reinstated", dispute)

    def break_next(self, *statuses: int) -> None:
        """Answer the next calls with these statuses instead of doing anything."""
        self._broken.extend(statuses)

    # Events on their way to us.

    def hold(self) -> None:
        """Keep events back until `release`."""
        with self._lock:
            self._held = []

    def release(self, *, rng: random.Random | None = None) -> list[Object]:
        """Hand over what was kept back, newest first or shuffled: order is never promised."""
        with self._lock:
            held, self._held = self._held or [], None
        if rng is None:
            held.reverse()
        else:
            rng.shuffle(held)
        for event in held:
            self._outgoing.put(event)
        return held

    def drain(self) -> None:
        """Wait until everything on its way was taken or given up."""
        self._outgoing.join()

    def signed(
        self, event: Object, *, timestamp: int | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """The body and headers of one delivery, signed now with every live secret."""
        raw = json.dumps(event, indent=2, ensure_ascii=False).encode()
        moment = int(self.clock()) if timestamp is None else timestamp
        message = str(moment).encode() + b"." + raw
        marks = [
            hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
            for secret in self.webhook_secrets
        ]
        signature = ",".join([f"t={moment}", *(f"v1={mark}" for mark in marks)])
        return raw, {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
            "User-Agent": "Stripe/1.0",
        }

    def deliver(self, event: Object) -> int:
        """One try to hand the event over; the status of the answer, 0 when nobody is there."""
        if self.webhook_url is None:
            raise RuntimeError("the peer was given no webhook_url")
        raw, headers = self.signed(event)
        request = urllib.request.Request(self.webhook_url, raw, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status = int(answer.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                status = refusal.code
        except OSError:
            status = 0
        self.deliveries.append(Delivery(event["id"], event["type"], status))
        return status

    def _send_outgoing(self) -> None:
        while (event := self._outgoing.get()) is not None:
            for _copy in range(self.copies):
                for attempt in range(self.attempts):
                    if 200 <= self.deliver(event) < 300:
                        break
                    time.sleep(self.pause * 2**attempt)
            self._outgoing.task_done()
        self._outgoing.task_done()

    def _emit(self, type_: str, about: Object) -> None:
        event: Object = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.clock()),
            "data": {"object": copy.deepcopy(about)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }
        self.events.append(event)
        if self._held is not None:
            self._held.append(event)
        elif self.webhook_url is not None:
            self._outgoing.put(event)

    # What the API does.

    def answer(self, call: Call, key: str) -> tuple[int, Object, bool]:
        """Status, body, and whether it was said before under the same idempotency key."""
        with self._lock:
            self.calls.append(call)
            if self._broken:
                status = self._broken.pop(0)
                return status, {"error": {"type": "api_error", "message": "broken"}}, False
            if key != self.api_key:
                refusal = _invalid("Invalid API Key provided", status=401)
                return refusal.status, refusal.body, False
            asked = json.dumps([call.method, call.path, call.params], sort_keys=True)
            if call.idempotency_key in self._answers:
                before, status, body = self._answers[call.idempotency_key]
                if before == asked:
                    return status, body, True
                refusal = ApiError(
                    400,
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters.",
                )
                return refusal.status, refusal.body, False
            try:
                body = copy.deepcopy(self._do(call))
            except ApiError as refusal:
                # a refused request was never carried out, so its key stays free
                return refusal.status, refusal.body, False
            if call.method == "POST" and call.idempotency_key:
                self._answers[call.idempotency_key] = (asked, 200, body)
            return 200, body, False

    def _do(self, call: Call) -> Object:
        if call.method == "POST" and call.path == "/v1/checkout/sessions":
            return self._create_session(call.params)
        if call.method == "POST" and call.path == "/v1/refunds":
            return self._create_refund(call.params)
        if call.method == "GET" and call.path == "/v1/events":
            return self._list_events(call.params)
        found = re.fullmatch(
            r"/v1/(checkout/sessions|payment_intents|refunds|charges|disputes)/(\w+)(/expire)?",
            call.path,
        )
        if found is None or (found[3] is None) != (call.method == "GET"):
            raise _invalid(f"Unrecognized request URL ({call.method}: {call.path})", status=404)
        kept = self.objects.get(found[2])
        if kept is None:
            raise _invalid(
                f"No such object: '{found[2]}'", code="resource_missing", param="id", status=404
            )
        if found[1] == "checkout/sessions":
            self._look_at_clock(kept)
            if found[3]:
                if kept["status"] != "open":
                    raise _invalid("Only Checkout Sessions with a status of open can be expired.")
                self._expire(kept)
        return kept

    def _list_events(self, params: Object) -> Object:
        """Newest first, by pages, as Stripe lists them."""
        types = params.get("types") or []
        wanted = list(types.values()) if isinstance(types, dict) else types
        since = int((params.get("created") or {}).get("gte", 0))
        fitting = [
            event
            for event in reversed(self.events)
            if event["created"] >= since and (not wanted or event["type"] in wanted)
        ]
        after = params.get("starting_after")
        if after:
            place = [event["id"] for event in fitting].index(after)
            fitting = fitting[place + 1 :]
        page = fitting[: min(int(params.get("limit", 10)), 3)]
        return {
            "object": "list",
            "url": "/v1/events",
            "data": page,
            "has_more": len(fitting) > len(page),
        }

    def _create_session(self, params: Object) -> Object:
        if params.get("mode") != "payment":
            raise _invalid("You must provide mode: payment here", param="mode")
        total = 0
        for line in params.get("line_items") or []:
            price = line["price_data"]
            if price.get("currency") != "vnd":
                raise _invalid("This peer charges vnd only", param="line_items[0][price_data]")
            if not re.fullmatch(r"[0-9]{1,12}", price.get("unit_amount", "")):
                raise _invalid("Invalid integer", param="line_items[0][price_data][unit_amount]")
            if not price["product_data"]["name"]:
                raise _invalid("You passed an empty string for the name")
            total += int(price["unit_amount"]) * int(line.get("quantity", "1"))
        if not 0 < total <= 99_999_999:
            raise _invalid(
                "The total amount must be above zero and below 99,999,999", param="amount"
            )
        now = int(self.clock())
        expires_at = int(params.get("expires_at") or now + 86_400)
        if not now + 1800 - 5 <= expires_at <= now + 86_400 + 5:
            raise _invalid(
                "The `expires_at` timestamp must be 30 minutes to 24 hours away", param="expires_at"
            )
        for name in ("success_url", "cancel_url"):
            if not str(params.get(name, "")).startswith(("http://", "https://")):
                raise _invalid("Not a valid URL", code="url_invalid", param=name)
        if params.get("locale") not in (None, "auto", "vi", "en"):
            raise _invalid("Invalid locale", param="locale")
        session = self._keep(
            "cs_test",
            "checkout.session",
            amount_subtotal=total,
            amount_total=total,
            cancel_url=params["cancel_url"],
            client_reference_id=params.get("client_reference_id"),
            currency="vnd",
            expires_at=expires_at,
            line_items=[
                line["price_data"]["product_data"]["name"] for line in params["line_items"]
            ],
            locale=params.get("locale"),
            metadata=_metadata(params),
            mode="payment",
            # it comes into being when the payer pays, not with the session
            payment_intent=None,
            payment_intent_data=_metadata(params.get("payment_intent_data") or {}),
            payment_status="unpaid",
            status="open",
            success_url=params["success_url"],
        )
        session["url"] = f"{self.base}/pay/{session['id']}"
        return session

    def _create_refund(self, params: Object) -> Object:
        intent = self.objects.get(params.get("payment_intent", ""))
        if intent is None or intent["object"] != "payment_intent":
            raise _invalid(
                "No such payment_intent", code="resource_missing", param="payment_intent"
            )
        if not intent["latest_charge"]:
            raise _invalid("This PaymentIntent does not have a successful charge to refund.")
        charge = self.objects[intent["latest_charge"]]
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            raise _invalid("Charge has already been refunded.", code="charge_already_refunded")
        asked = params.get("amount", str(left))
        if not re.fullmatch(r"[1-9][0-9]*", asked):
            raise _invalid("Invalid positive integer", param="amount")
        if int(asked) > left:
            raise _invalid(
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
            metadata=_metadata(params),
            payment_intent=intent["id"],
            status="succeeded",
        )
        self._emit("refund.created", refund)
        self._emit("charge.refunded", charge)
        return refund

    def _keep(self, prefix: str, kind: str, **fields: Any) -> Object:
        id_ = f"{prefix}_{secrets.token_hex(12)}"
        kept = {
            "id": id_,
            "object": kind,
            "created": int(self.clock()),
            "livemode": False,
            **fields,
        }
        self.objects[id_] = kept
        return kept

    def _look_at_clock(self, session: Object) -> None:
        if session["status"] == "open" and self.clock() >= session["expires_at"]:
            self._expire(session)

    def _expire(self, session: Object) -> None:
        session.update(status="expired", url=None)
        self._emit("checkout.session.expired", session)

    def _open_session(self, session_id: str) -> Object:
        session = self.objects[session_id]
        self._look_at_clock(session)
        if session["status"] != "open":
            raise _invalid(f"This session is {session['status']}")
        return session

    def _intent(self, session: Object) -> Object:
        if session["payment_intent"]:
            return self.objects[session["payment_intent"]]
        intent = self._keep(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency="vnd",
            last_payment_error=None,
            latest_charge=None,
            metadata=dict(session["payment_intent_data"]),
            status="requires_payment_method",
        )
        session["payment_intent"] = intent["id"]
        return intent

    def _charge(self, intent: Object) -> None:
        charge = self._keep(
            "ch",
            "charge",
            amount=intent["amount"],
            amount_refunded=0,
            currency="vnd",
            # the intent's metadata is copied to its charge
            metadata=dict(intent["metadata"]),
            paid=True,
            payment_intent=intent["id"],
            refunded=False,
            status="succeeded",
        )
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charge["id"],
            last_payment_error=None,
        )

    def _fail(self, intent: Object) -> None:
        intent.update(
            status="requires_payment_method",
            last_payment_error={"type": "card_error", "code": "card_declined"},
        )
        self._emit("payment_intent.payment_failed", intent)

    # The hosted page.

    def page(self, session_id: str) -> str:
        """The page a payer sees; one button pays, one is a refused card, one takes days."""
        with self._lock:
            session = self.objects[session_id]
            self._look_at_clock(session)
            is_open = session["status"] == "open"
            names = "".join(f"<li>{html.escape(name)}</li>" for name in session["line_items"])
            vietnamese = session["locale"] == "vi"
        says = _PAGE_VI if vietnamese else _PAGE_EN
        amount = f"{session['amount_total']:,}".replace(",", "." if vietnamese else ",")
        buttons = "".join(
            f'<button name="do" value="{value}">{label}</button> '
            for value, label in (("pay", says[0]), ("decline", says[1]), ("later", says[2]))
        )
        body = f'<form method="post">{buttons}</form>' if is_open else f"<p>{says[3]}</p>"
        return (
            f'<!doctype html><html lang="{"vi" if vietnamese else "en"}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{says[4]}</title><h1>{says[4]}</h1><ul>{names}</ul><p>{amount} ₫</p>{body}"
            f'<p><a href="{html.escape(session["cancel_url"])}">{says[5]}</a></p></html>'
        )

    def press(self, session_id: str, button: str) -> str:
        """What a button of the page does; the address the payer is sent to."""
        if button == "decline":
            self.decline(session_id)
            return f"/pay/{session_id}"
        session = self.pay_later(session_id) if button == "later" else self.pay(session_id)
        return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session_id)


_PAGE_EN = ("Pay", "Pay with a refused card", "Pay in some days", "This page is closed.",
            "Pay by card (test)", "Back")  # fmt: skip
_PAGE_VI = ("Thanh toán", "Dùng thẻ bị từ chối", "Tiền về sau vài ngày", "Trang này đã đóng.",
            "Thanh toán thẻ (thử nghiệm)", "Quay lại")  # fmt: skip


def _metadata(params: Object) -> dict[str, str]:
    metadata = params.get("metadata") or {}
    if len(metadata) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in metadata.items()):
        raise _invalid("Metadata is too large", param="metadata")
    return {str(name): str(value) for name, value in metadata.items()}


class _Server(ThreadingHTTPServer):
    """Knows its peer; forgets its threads."""

    daemon_threads = True

    def __init__(self, port: int, peer: StripePeer) -> None:
        self.peer = peer
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the peer of its server."""

    server: _Server

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/pay/"):
            self._show(url.path.removeprefix("/pay/"))
        else:
            self._api("GET", url.path, parse_qsl(url.query))

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        pairs = parse_qsl(self.rfile.read(size).decode(), keep_blank_values=True)
        path = urlsplit(self.path).path
        if path.startswith("/pay/"):
            self._press(path.removeprefix("/pay/"), dict(pairs).get("do", "pay"))
        else:
            self._api("POST", path, pairs)

    def _show(self, session_id: str) -> None:
        if session_id not in self.server.peer.objects:
            self._send(404, "text/plain", b"no such page")
        else:
            self._send(200, "text/html; charset=utf-8", self.server.peer.page(session_id).encode())

    def _press(self, session_id: str, button: str) -> None:
        try:
            address = self.server.peer.press(session_id, button)
        except (ApiError, KeyError):
            self._send(409, "text/plain", b"this page is closed")
        else:
            self._send(303, "text/plain", b"", Location=address)

    def _api(self, method: str, path: str, pairs: list[tuple[str, str]]) -> None:
        call = Call(
            method=method,
            path=path,
            params=nested(pairs),
            version=self.headers.get("Stripe-Version", ""),
            idempotency_key=self.headers.get("Idempotency-Key", ""),
        )
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body, replayed = self.server.peer.answer(call, key)
        headers = {"Request-Id": f"req_{secrets.token_hex(7)}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        self._send(status, "application/json", json.dumps(body).encode(), **headers)

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the tests read `calls` and `deliveries`."""
