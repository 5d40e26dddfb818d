"""Stand-ins for what providers answer when they are asked: lists of movements, ends of tries."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit


class Asked(BaseHTTPRequestHandler):
    """Knows movements and orders, and answers only who proves itself."""

    key: ClassVar[str] = ""
    secret: ClassVar[str] = ""
    access: ClassVar[str] = ""
    #: rows as SePay and Casso list them, answers to questions about an order by its number
    sepay: ClassVar[list[dict[str, Any]]] = []
    casso: ClassVar[list[dict[str, Any]]] = []
    orders: ClassVar[dict[str, dict[str, Any]]] = {}
    is_broken: ClassVar[bool] = False

    def do_GET(self) -> None:
        """Lists, and payOS's payment links."""
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query))
        given = self.headers.get("Authorization", "")
        if self.is_broken:
            self._say({"error": "broken"}, 500)
        elif url.path == "/userapi/transactions/list" and given == f"Bearer {self.key}":
            self._say({"status": 200, "transactions": self.sepay})
        elif url.path == "/v2/transactions" and given == f"Apikey {self.key}":
            page = int(params["page"])
            records = self.casso[(page - 1) * 2 : page * 2]
            total = max(1, -(-len(self.casso) // 2))
            self._say({"error": 0, "data": {"totalPages": total, "records": records}})
        elif url.path.startswith("/v2/payment-requests/") and (
            self.headers.get("x-client-id"),
            self.headers.get("x-api-key"),
        ) == (self.access, self.key):
            order = url.path.rpartition("/")[2]
            found = self.orders.get(order)
            self._say({"code": "00", "data": found} if found else {"code": "101"})
        else:
            self._say({"error": "who are you"}, 401)

    def do_POST(self) -> None:
        """MoMo, ZaloPay and VNPAY are asked about one order."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v2/gateway/api/query":
            asked = json.loads(raw)
            text = (
                f"accessKey={self.access}&orderId={asked['orderId']}"
                f"&partnerCode=MOMO&requestId={asked['requestId']}"
            )
            is_right, order = asked["signature"] == self._hmac(text, "sha256"), asked["orderId"]
        elif self.path == "/v2/query":
            asked = dict(parse_qsl(raw.decode()))
            order = asked["app_trans_id"]
            mac = hmac.new(self.key.encode(), f"2553|{order}|{self.key}".encode(), hashlib.sha256)
            is_right = asked["mac"] == mac.hexdigest()
        else:
            asked = json.loads(raw)
            given = asked.pop("vnp_SecureHash")
            is_right = given == self._hmac("|".join(asked.values()), "sha512")
            order = asked["vnp_TxnRef"]
        if not is_right or self.is_broken:
            self._say({"error": "who are you"}, 403)
        else:
            self._say(self.orders.get(order, {"resultCode": 42, "return_code": 2}))

    def _hmac(self, text: str, algorithm: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), algorithm).hexdigest()

    def _say(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@contextmanager
def standing(*, key: str, secret: str, access: str) -> Iterator[str]:
    """A peer with these keys and nothing to tell yet; its address."""
    Asked.key, Asked.secret, Asked.access = key, secret, access
    Asked.sepay, Asked.casso, Asked.orders, Asked.is_broken = [], [], {}, False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
