"""Stand-ins for payOS, MoMo and ZaloPay: they check what we sign and open a page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from app.money.payments.adapters import momo, payos, zalopay

ZALOPAY = ("app_id", "app_trans_id", "app_user", "amount", "app_time", "embed_data", "item")
PAYOS = ("amount", "cancelUrl", "description", "orderCode", "returnUrl")


class Peer(BaseHTTPRequestHandler):
    """Answers creates; `refuse` makes it say no, `asked` holds what it was asked."""

    secret: ClassVar[str] = ""
    access: ClassVar[str] = ""
    refuse: ClassVar[bool] = False
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        """One create."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v2/create":
            fields: dict[str, Any] = dict(parse_qsl(raw.decode(), keep_blank_values=True))
            names = (
                "app_id",
                "app_trans_id",
                "app_user",
                "amount",
                "app_time",
                "embed_data",
                "item",
            )
            is_right = fields["mac"] == zalopay.create_mac([fields[n] for n in names], self.secret)
            good: dict[str, Any] = {"return_code": 1, "order_url": f"{self._own()}/zalo"}
            bad: dict[str, Any] = {"return_code": 2}
        elif self.path == "/v2/gateway/api/create":
            fields = json.loads(raw)
            is_right = fields["signature"] == momo.create_signature(
                fields, self.secret, self.access
            )
            good, bad = {"resultCode": 0, "payUrl": f"{self._own()}/momo"}, {"resultCode": 11007}
        else:
            fields = json.loads(raw)
            names = ("amount", "cancelUrl", "description", "orderCode", "returnUrl")
            is_right = (
                fields["signature"]
                == payos.signature_of({name: fields[name] for name in names}, self.secret)
                and self.headers["x-client-id"] == self.access
            )
            good, bad = (
                {"code": "00", "data": {"checkoutUrl": f"{self._own()}/payos"}},
                {"code": "201"},
            )
        self.asked.append(fields)
        answer = json.dumps(good if is_right and not self.refuse else bad).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _own(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@contextmanager
def standing(secret: str, access: str) -> Iterator[str]:
    """A peer with these keys; its address."""
    Peer.secret, Peer.access, Peer.refuse, Peer.asked = secret, access, False, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
