"""One small process on the loopback that plays the bank's sender and the card company."""

from __future__ import annotations

import html
import json
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from app.core.money import format_vnd
from app.demo import bank
from app.demo.card_company import ApiRefusal, CardCompany, Thing, read_form

#: SePay tries eight times, with these minutes between; here a minute lasts half a second
_WAITS: Final = tuple(minutes / 2 for minutes in (0, 1, 1, 2, 3, 5, 8, 13))
_LARGEST: Final = 256 * 1024
_CALLBACK: Final = re.compile(r"/callbacks/[a-z0-9/_-]+")
_MOST_COPIES: Final = 20


class Providers(ThreadingHTTPServer):
    """Answers on 127.0.0.1 only, and sends to one app only."""

    daemon_threads = True

    def __init__(self, port: int, *, app_url: str, api_key: str, webhook_secret: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.app_url = app_url.rstrip("/")
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.cards = CardCompany(
            self.base, api_key, webhook_secret, f"{self.app_url}/callbacks/stripe"
        )

    def send_notices(self, task: dict[str, Any]) -> bool:
        """Take a signed notice over and send it until the app takes it; False when it is none."""
        path, body = str(task.get("path", "")), str(task.get("body", ""))
        headers = {str(name): str(value) for name, value in dict(task.get("headers") or {}).items()}
        if not _CALLBACK.fullmatch(path) or not body:
            return False
        times = min(max(int(task.get("times", 1)), 1), _MOST_COPIES)
        for _copy in range(times):
            threading.Thread(
                target=self._send, args=(path, body.encode(), headers), daemon=True
            ).start()
        return True

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        for wait in _WAITS:
            time.sleep(wait)
            if bank.post(f"{self.app_url}{path}", body, headers).is_taken:
                return


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the providers."""

    server: Providers
    protocol_version = "HTTP/1.1"
    #: an idle connection must not hold its thread for ever
    timeout = 60

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/pay/"):
            self._show(url.path.removeprefix("/pay/"), dict(parse_qsl(url.query)))
        elif url.path == "/healthz":
            self._send(200, "text/plain", b"ok")
        else:
            self._api("GET", url.path, parse_qsl(url.query))

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= _LARGEST:
            self.close_connection = True
            self._send(413, "text/plain", b"too large")
            return
        raw = self.rfile.read(size)
        path = urlsplit(self.path).path
        if path == "/bank/notices":
            self._take_notice(raw)
            return
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        if path.startswith("/pay/"):
            self._press(path.removeprefix("/pay/"), dict(pairs).get("do", "pay"))
        else:
            self._api("POST", path, pairs)

    def _take_notice(self, raw: bytes) -> None:
        try:
            is_taken = self.server.send_notices(json.loads(raw))
        except (ValueError, TypeError, AttributeError):
            is_taken = False
        status, word = (202, b"on its way") if is_taken else (422, b"no notice")
        self._send(status, "text/plain", word)

    def _api(self, method: str, path: str, pairs: list[tuple[str, str]]) -> None:
        status, body, is_repeat = self.server.cards.answer(
            method,
            path,
            read_form(pairs),
            self.headers.get("Authorization", "").removeprefix("Bearer "),
            self.headers.get("Idempotency-Key", "") if method == "POST" else "",
        )
        headers = {"Request-Id": f"req_{secrets.token_hex(7)}"}
        if is_repeat:
            headers["Idempotent-Replayed"] = "true"
        self._send(status, "application/json", json.dumps(body).encode(), **headers)

    def _show(self, session_id: str, asked: dict[str, str]) -> None:
        session = self.server.cards.session(session_id)
        if session is None:
            self._send(404, "text/plain; charset=utf-8", b"no such page")
            return
        page = draw_page(session, is_declined="declined" in asked)
        self._send(200, "text/html; charset=utf-8", page.encode())

    def _press(self, session_id: str, button: str) -> None:
        try:
            if button == "decline":
                self.server.cards.decline(session_id)
                address = f"/pay/{session_id}?declined=1"
            else:
                address = self.server.cards.pay(session_id)
        except ApiRefusal as refusal:
            if refusal.status == 404:
                self._send(404, "text/plain", b"no such page")
                return
            address = f"/pay/{session_id}"
        self._send(303, "text/plain", b"", Location=address)

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tokens and references have no place in a log."""


# The hosted page is not ours in real life, so it carries its own words and looks.

_WORDS: Final = {
    "vi": {
        "title": "Thanh toán thẻ (minh họa)",
        "mark": "dữ liệu minh họa",
        "note": "Trang này đóng vai công ty thẻ. Không có thẻ thật, không có tiền thật.",
        "total": "Tổng cộng",
        "number": "Số thẻ",
        "until": "Hết hạn",
        "code": "Mã bảo mật",
        "pay": "Trả {amount}",
        "decline": "Dùng thẻ bị từ chối",
        "declined": "Thẻ bị từ chối, chưa trừ tiền. Bấm Trả để thử thẻ khác.",
        "complete": "Đã trả xong.",
        "expired": "Trang này đã hết hạn, chưa trừ tiền.",
        "back": "Quay lại trang nộp tiền",
    },
    "en": {
        "title": "Pay by card (sample)",
        "mark": "sample data",
        "note": "This page plays the card company. No real card, no real money.",
        "total": "Total",
        "number": "Card number",
        "until": "Valid until",
        "code": "Security code",
        "pay": "Pay {amount}",
        "decline": "Use a card that is refused",
        "declined": "The card was refused, nothing was taken. Press Pay to try another.",
        "complete": "This is paid.",
        "expired": "This page has expired; nothing was taken.",
        "back": "Back to the bill",
    },
}
_LOOK: Final = (
    "body{margin:0;background:#f2f2f7;color:#1f1b2e;font:16px/25px system-ui,sans-serif}"
    "main{max-width:420px;margin:0 auto;padding:24px 16px}"
    "h1{font-size:20px;line-height:28px;margin:0 0 4px}"
    ".mark{display:inline-block;border:1px dashed #6b6780;border-radius:4px;padding:0 8px;"
    "font-size:13px;color:#55516a}"
    ".card{background:#fff;border:1px solid #c9c6d8;border-radius:6px;padding:16px;margin:16px 0}"
    "dl{display:grid;grid-template-columns:1fr auto;gap:4px 16px;margin:0}dd{margin:0}"
    ".sum{font-weight:700;border-top:1px solid #1f1b2e;padding-top:6px}"
    "label{display:block;font-size:13px;color:#55516a;margin-top:10px}"
    "input{width:100%;box-sizing:border-box;font:inherit;padding:9px 10px;border:1px solid #8a86a0;"
    "border-radius:4px;background:#f7f7fb;color:#55516a}"
    "button{width:100%;min-height:48px;font:inherit;font-weight:600;border-radius:4px;"
    "border:1px solid #43308a;background:#43308a;color:#fff;margin-top:16px;cursor:pointer}"
    "button.plain{background:#fff;color:#43308a;margin-top:8px}a{color:#43308a}"
    ".note{background:#fdf3dc;border-left:4px solid #9a6200;padding:8px 12px;margin:16px 0}"
    ":focus-visible{outline:3px solid #f0b429;outline-offset:2px}"
)


def draw_page(session: Thing, *, is_declined: bool) -> str:
    """The page a payer pays on: what it is for, a card that is filled in already, two buttons."""
    language = "en" if session["locale"] == "en" else "vi"
    words = _WORDS[language]
    amount = format_vnd(session["amount_total"], language)
    rows = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{format_vnd(dong, language)}</dd>"
        for name, dong in session["lines_shown"]
    )
    rows += f'<dt class="sum">{words["total"]}</dt><dd class="sum">{amount}</dd>'
    body = f'<div class="card"><dl>{rows}</dl></div>'
    if is_declined and session["status"] == "open":
        body += f'<p class="note" role="alert">{words["declined"]}</p>'
    if session["status"] == "open":
        pay = words["pay"].format(amount=amount)
        body += (
            '<form class="card" method="post">'
            f'<label for="number">{words["number"]}</label>'
            '<input id="number" value="4242 4242 4242 4242" readonly>'
            f'<label for="until">{words["until"]}</label><input id="until" value="12/30" readonly>'
            f'<label for="code">{words["code"]}</label><input id="code" value="123" readonly>'
            f'<button name="do" value="pay">{pay}</button>'
            f'<button class="plain" name="do" value="decline">{words["decline"]}</button></form>'
        )
    else:
        body += f'<p class="note">{words[session["status"]]}</p>'
    back = html.escape(session["cancel_url"])
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{words['title']}</title><style>{_LOOK}</style></head><body><main>"
        f'<h1>{words["title"]}</h1><span class="mark">{words["mark"]}</span>'
        f'<p>{words["note"]}</p>{body}<p><a href="{back}">{words["back"]}</a></p>'
        "</main></body></html>"
    )
