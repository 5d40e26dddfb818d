"""`make pictures`: every screen at 360 and 1366 px in both languages, every PDF page, as PNG."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import flask_migrate
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PageLost

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.model import db
from app.core.text import ascii_upper
from tests.servers import Running, running

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "pictures"
WIDTHS = {"phone": (360, 740), "desk": (1366, 768)}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to look at, as whom."""

    name: str
    role: str
    address: str


PUBLIC = "public"
ROLE_WORDS = {
    "accountant": {"vi": "Kế toán", "en": "Accountant"},
    "principal": {"vi": "Hiệu trưởng", "en": "Principal"},
    "teacher": {"vi": "Giáo viên", "en": "Class teacher"},
    "officer": {"vi": "Chuyên viên", "en": "Area officer"},
}
SHOTS = (
    Shot("front-door", PUBLIC, "/"),
    Shot("staff-door", PUBLIC, "/staff"),
    Shot("components", PUBLIC, "/components"),
    Shot("check", PUBLIC, "/check"),
    Shot("demo-bank", PUBLIC, "/demo/bank"),
    Shot("home-accountant", "accountant", "/today"),
    Shot("home-principal", "principal", "/today"),
    Shot("home-teacher", "teacher", "/today"),
    Shot("memberships", "accountant", "/staff/memberships"),
    Shot("students", "accountant", "/students"),
    Shot("students-search", "accountant", "/students?q=nguyen"),
    Shot("students-search-nobody", "accountant", "/students?q=khongaica"),
    Shot("students-teacher", "teacher", "/students"),
    Shot("lists", "accountant", "/lists/pupils"),
    Shot("lists-staff", "principal", "/lists/staff"),
    Shot("fee-schedules", "accountant", "/fee-schedules"),
    Shot("billing-runs", "accountant", "/billing-runs"),
    Shot("invoices", "accountant", "/invoices"),
    Shot("cash-desk", "accountant", "/cash-desk"),
    Shot("till-count", "accountant", "/cash-desk/count"),
    Shot("bank", "accountant", "/bank"),
    Shot("bank-statements", "accountant", "/bank/statements"),
    Shot("cash-deposits", "accountant", "/cash-desk/deposits"),
    Shot("closing-accounts", "accountant", "/closing/accounts"),
    Shot("between-schools", "accountant", "/bank/between-schools"),
    Shot("channels", "principal", "/bank/channels"),
    Shot("closing-area", "officer", "/area/closing"),
    Shot("partners", "officer", "/area/partners"),
    Shot("receipts", "accountant", "/receipts"),
    Shot("receipt-series", "principal", "/receipts/series"),
    Shot("reports-all", "principal", "/reports"),
    Shot("report-arrears", "principal", "/reports/lists/arrears"),
    Shot("report-by-day", "principal", "/reports/lists/by-day"),
    Shot("report-receipts", "principal", "/reports/lists/receipts"),
    Shot("report-reductions", "principal", "/reports/lists/reductions?from=2026-09-01"),
    Shot("report-insurance", "principal", "/reports/lists/insurance?from=2026-09-01"),
    Shot("report-years", "principal", "/reports/lists/years"),
    Shot("receipt-prints", "accountant", "/receipts/prints"),
    Shot("year-end", "principal", "/year-end"),
    Shot("year-end-next-classes", "accountant", "/year-end/next-classes"),
    Shot("year-end-finishing", "accountant", "/year-end/finishing"),
    Shot("year-end-area", "officer", "/area/year-end"),
    Shot("year-end-hand-over", "officer", "/area/hand-over"),
    Shot("report-collection", "principal", "/reports/collection"),
    Shot("area", "officer", "/area"),
    Shot("cards", "accountant", "/cards"),
    Shot("cards-teacher", "teacher", "/cards"),
    Shot("card-found", PUBLIC, "/card/" + "1" * 40),
    Shot("retention", "officer", "/retention"),
    Shot("retention-pupils", "officer", "/retention/pupils"),
    Shot("retention-principal", "principal", "/retention"),
    Shot("recorded-twice", "principal", "/duplicates"),
    Shot("transfers", "accountant", "/transfers"),
    Shot("transfers-area", "officer", "/area/transfers"),
    Shot("meals", "accountant", "/meals?day={school_day}"),
    Shot("meals-teacher", "teacher", "/meals?day={school_day}"),
    Shot("meals-calendar", "accountant", "/meals/calendar/{month}"),
    Shot("meals-month", "accountant", "/meals/months/{month}"),
    Shot("meals-contests", "accountant", "/meals/contests"),
    Shot("catalogue", "officer", "/catalogue"),
    Shot("catalogue-school", "accountant", "/catalogue"),
    Shot("exemptions", "principal", "/exemptions"),
    Shot("exemptions-lists", "accountant", "/exemptions/lists"),
    Shot("exemptions-grounds", "officer", "/exemptions/grounds"),
    Shot("collected", "accountant", "/passed-on"),
    Shot("item-accounts", "principal", "/item-accounts"),
    Shot("day-rules", "principal", "/day-rules"),
    Shot("day-rules-read", "accountant", "/day-rules"),
    Shot("consents", "accountant", "/consents"),
    Shot("plans-area", "officer", "/area/plans"),
    Shot("consents-area", "officer", "/area/consents"),
    Shot("gifts", "accountant", "/gifts"),
    Shot("area-billing-runs", "officer", "/area/billing-runs"),
    Shot("verification", "accountant", "/verification"),
    Shot("verification-differs", "accountant", "/verification/lists/differs"),
    Shot("verification-not-found", "accountant", "/verification/lists/not-found"),
    Shot("verification-staff", "accountant", "/verification?kind=staff"),
    Shot("verification-area", "officer", "/verification/area"),
    Shot("admission", "accountant", "/admission"),
    Shot("classes", "accountant", "/classes"),
)
#: the office's pages about the first child of the list
CHILD_PAGES = ("identity", "family", "class", "leave", "file", "departure", "exemption")
#: pages reached by the first link of another page: name, role, from, the link's beginning
FOLLOWED = (
    ("student", "accountant", "/students", "/students/"),
    ("student-teacher", "teacher", "/students", "/students/"),
    ("class-to-place", "accountant", "/classes", "/classes?"),
    ("fee-schedule", "accountant", "/fee-schedules", "/fee-schedules/"),
    ("collected-children", "accountant", "/passed-on", "/passed-on/"),
    ("consents-class", "accountant", "/consents", "/consents/"),
    ("plan", "accountant", "/fee-schedules/1", "/fee-schedules/1/plan"),
    ("plan-public", "accountant", "/fee-schedules/1/plan", "/schools/"),
    ("plan-consent", "officer", "/area/plans", "/area/plans/"),
    ("fee-schedule-principal", "principal", "/fee-schedules", "/fee-schedules/"),
    ("meals-register", "teacher", "/meals?day={school_day}", "/meals/20"),
    ("exemptions-application", "principal", "/exemptions", "/exemptions/1"),
    ("billing-run-issued", "accountant", "/billing-runs", "/billing-runs/"),
    ("invoice", "accountant", "/invoices", "/invoices/"),
    ("verification-batch", "accountant", "/verification", "/verification/batches/"),
    ("verification-results", "accountant", "/verification", "/verification/results/"),
    ("verification-pupil", "accountant", "/verification/lists/differs", "/verification/pupils/"),
    (
        "verification-person",
        "accountant",
        "/verification/lists/no-number?kind=staff",
        "/verification/staff/",
    ),
    ("area-school", "officer", "/area", "/area/MN"),
    ("cards-class", "accountant", "/cards", "/cards/classes/"),
    ("year-end-class", "accountant", "/year-end", "/year-end/classes/"),
)
#: a list as a school hands one in, with what is usually wrong in it
LIST = """Tên lớp;Họ và tên;Ngày sinh;Giới tính;CCCD;Họ tên mẹ;SĐT mẹ;Dân tộc
Lớn 9;TRẦN MINH HỌA AN;5/9/2021;Nam;001099000001;Lê Thị Minh Họa;905000001;Kinh
Lớn 9;Trần Minh Họa Ân;5/9/2021;Nam;001099000002;Lê Thị Minh Họa;0905 000 001;Kinh
Lớn 9;Đỗ Minh Họa;31/2/2021;Nữ;4.82E+11;Đỗ Thị Minh Họa;0905000002;Kinh
""".encode()
PAPERS = (
    ("report-collection", "principal", "/reports/collection.pdf"),
    ("report-arrears", "principal", "/reports/lists/arrears.pdf"),
    ("report-by-day", "principal", "/reports/lists/by-day.pdf"),
    ("report-receipts", "principal", "/reports/lists/receipts.pdf"),
    ("report-years", "principal", "/reports/lists/years.pdf"),
    ("report-reductions", "principal", "/reports/lists/reductions.pdf?from=2026-09-01"),
    ("report-insurance", "principal", "/reports/lists/insurance.pdf?from=2026-09-01"),
    ("area", "officer", "/area.pdf"),
)


def main(wanted: list[str]) -> int:
    """Take all pictures, or those whose name contains one of the words."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with _demo() as (app, credentials), sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, CHROMIUM)), None)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for language in ("vi", "en"):
            _take(browser, app, credentials, language, wanted)
        browser.close()
    pictures = sorted(OUT.rglob("*.png"))
    print(f"{len(pictures)} pictures under {OUT.relative_to(ROOT)}")
    return 0


def _dated(address: str) -> str:
    """An address with the newest school day and the month in it."""
    day = clock.today()
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return address.format(school_day=day, month=f"{day:%Y-%m}")


@contextmanager
def _demo() -> Iterator[tuple[Running, dict[str, list[dict[str, Any]]]]]:
    folder = ROOT / "build" / "pictures-app"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder / 'sothu.db'}"
    app = create_app(Settings(app_env="demo", database_url=url, instance_path=folder))
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        db.session.remove()
        db.engine.dispose()
    file = folder / "credentials.json"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "load"]
    command += ["--students", "1080", "--credentials", str(file)]
    subprocess.run(
        command,
        cwd=ROOT,
        check=True,
        env=os.environ | {"DATABASE_URL": url, "INSTANCE_PATH": str(folder), "APP_ENV": "demo"},
    )
    served = running(url, folder, app_env="demo", worker=True, providers=True)
    try:
        yield served, json.loads(file.read_text("utf-8"))
    finally:
        served.stop()


class Camera:
    """Takes the pictures of one language at one width, signed in as whoever is needed."""

    def __init__(self, browser: Browser, app: Running, language: str, size: str) -> None:
        self._browser, self._app, self._language = browser, app, language
        self._width, self._height = WIDTHS[size]
        self._contexts: dict[str, BrowserContext] = {}
        self.folder = OUT / language / size
        self.folder.mkdir(parents=True, exist_ok=True)

    def page(self, role: str) -> Page:
        """A page of somebody of a role."""
        if role not in self._contexts:
            self._contexts[role] = self._browser.new_context(
                viewport={"width": self._width, "height": self._height},
                locale=f"{self._language}-VN",
                device_scale_factor=2 if self._width < 600 else 1,
            )
            page = self._contexts[role].new_page()
            page.goto(f"{self._app.url}/staff")
            if self._language == "en":
                page.get_by_role("button", name="English").first.click()
                page.wait_for_load_state("networkidle")
            if role != PUBLIC:
                page.get_by_role("button", name=ROLE_WORDS[role][self._language]).first.click()
                page.wait_for_load_state("networkidle")
            page.close()
        return self._contexts[role].new_page()

    def shoot(self, name: str, role: str, address: str) -> None:
        """One picture of the whole page."""
        page = self.page(role)
        page.goto(f"{self._app.url}{_dated(address)}")
        self._keep(page, name)
        page.close()

    def steps(self, bill: dict[str, Any], phones: dict[str, str]) -> None:
        """What no address alone shows: a bill unlocked, paid and checked, the desk, a draft."""
        page = self.page(PUBLIC)
        page.goto(f"{self._app.url}/pay/{bill['pay_token']}")
        page.fill("#digits", phones[bill["student"]][-4:])
        self._press(page, "form[action$='/unlock'] button")
        self._keep(page, "pay-unlocked")
        page.goto(f"{self._app.url}/pay/{bill['pay_token']}/child")
        self._keep(page, "pay-child")
        page.goto(f"{self._app.url}/pay/{bill['pay_token']}")
        page.locator("a[href*='/demo/bank']").first.click()
        self._press(page, "main form[method='post'] button[type='submit']")
        page.goto(f"{self._app.url}/pay/{bill['pay_token']}")
        genuine = page.locator("a[href*='/check/']:not([href*='account'])").first
        genuine.wait_for()
        self._keep(page, "pay-paid")
        page.goto(f"{self._app.url}{genuine.get_attribute('href')}")
        self._keep(page, "check-genuine")
        page.close()
        desk = self.page("accountant")
        child = self.first_link("accountant", "/students", "/students/").rpartition("/")[2]
        desk.goto(f"{self._app.url}/cash-desk?student={child}")
        self._keep(desk, "cash-desk-child")
        desk.goto(f"{self._app.url}/billing-runs")
        self._press(desk, "form[action$='/billing-runs'] button[type='submit']")
        self._keep(desk, "billing-run-draft")
        desk.goto(f"{self._app.url}/lists/pupils")
        desk.set_input_files("#file", {"name": "lop.csv", "mimeType": "text/csv", "buffer": LIST})
        self._press(desk, "form[enctype] button[type='submit']")
        self._keep(desk, "list-columns")
        self._press(desk, "form[action$='/columns'] button[type='submit']")
        for tab in ("new", "refused"):
            desk.goto(f"{desk.url.partition('?')[0]}?tab={tab}")
            self._keep(desk, f"list-{tab}")
        desk.close()

    def together(self, bill: dict[str, Any], phones: dict[str, str]) -> None:
        """All children of a family on one page."""
        page = self.page(PUBLIC)
        page.goto(f"{self._app.url}/pay/{bill['pay_token']}")
        page.fill("#digits", phones[bill["student"]][-4:])
        self._press(page, "form[action$='/unlock'] button")
        self._press(page, "a[href$='/together']")
        self._keep(page, "pay-together")
        page.close()

    def partners(self) -> None:
        """A partner opened, its key on the page this once."""
        page = self.page("officer")
        page.goto(f"{self._app.url}/area/partners")
        page.fill("#name", "Ví Minh Họa")
        page.fill("#code", f"vi{self._language}{self._width}")
        self._press(page, "form[action$='/area/partners'] button")
        self._keep(page, "partners-key")
        page.close()

    def counted(self) -> None:
        """A drawer counted with a difference, a shift opened, and the voucher of the count."""
        page = self.page("accountant")
        for button in ("button[value='opening']", "button:not([name])"):
            page.goto(f"{self._app.url}/cash-desk/count")
            page.fill("#note-500000", "40")
            page.fill("#note-200000", "11")
            page.fill("#reason", "Trả nhầm tiền thừa cho phụ huynh")
            page.fill("#handed_to", "Trần Thị Bình")
            if page.locator(f"form.stack {button}").count():
                self._press(page, f"form.stack {button}")
            page.goto(f"{self._app.url}/cash-desk")
            self._keep(page, "till-shift-desk")
        page.goto(f"{self._app.url}/cash-desk/count")
        self._keep(page, "till-counted")
        address = page.locator("a[href$='.pdf']").last.get_attribute("href")
        page.close()
        if self._width > 600 and self._language == "vi" and address:
            self.paper("till-voucher", "accountant", address)

    def renewed_paper(self) -> None:
        """A receipt whose paper is wrong: asked by the accountant, seen by the principal."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}/receipts")
        turn = 2 * (self._language == "en") + (self._width > 600)
        address = page.locator("a[href$='/renew']").nth(turn)
        page.goto(f"{self._app.url}{address.get_attribute('href')}")
        self._keep(page, "paper-ask")
        page.fill("#payer", "Trần Thị Thu Hà")
        page.fill("#reason", "Ghi nhầm tên người nộp tiền")
        self._press(page, "form[action$='/renew'] button")
        page.close()
        second = self.page("principal")
        second.goto(f"{self._app.url}/receipts/changes")
        self._keep(second, "paper-changes")
        second.close()

    def printed(self) -> None:
        """The receipts of the month so far, printed as one file; then asked for once more."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}/receipts/prints")
        self._press(page, "form[method='post'][action$='/prints'] button[type='submit']")
        self._keep(page, "receipt-print-running")
        page.wait_for_selector("a[href$='/file']", timeout=120_000)
        self._keep(page, "receipt-print-done")
        page.goto(f"{self._app.url}/receipts/prints")
        self._keep(page, "receipt-prints-again")
        page.close()

    def _press(self, page: Page, button: str) -> None:
        with page.expect_navigation():
            page.locator(button).first.click()

    def _keep(self, page: Page, name: str) -> None:
        # A page that is led on while it loads loses the question; then it is asked again.
        for _try in range(5):
            page.wait_for_load_state()
            with suppress(PageLost):
                page.evaluate("document.fonts.ready")
                break
            page.wait_for_timeout(300)
        # Not `wait_for_function`: it asks again by `eval`, which the pages' policy forbids.
        page.evaluate(
            "Promise.all([...document.images].map(i => i.complete ||"
            " new Promise(done => { i.onload = i.onerror = done })))"
        )
        wide = int(page.evaluate("document.documentElement.scrollWidth"))
        if wide > self._width:
            print(f"{self._language}, {name}: {wide} px wide in a window of {self._width}")
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)

    def first_link(self, role: str, address: str, beginning: str, rest: str = ".*") -> str:
        """The first link of a page that begins so and goes on like a pattern, or nothing."""
        page = self.page(role)
        page.goto(self._app.url + _dated(address))
        links = page.eval_on_selector_all(
            "main a[href]", "all => all.map(a => a.getAttribute('href'))"
        )
        page.close()
        wanted = re.compile(re.escape(beginning) + rest)
        return next((str(link) for link in links if wanted.fullmatch(str(link))), "")

    def paper(self, name: str, role: str, address: str) -> None:
        """A PDF and its pages."""
        folder = OUT / "pdf"
        folder.mkdir(parents=True, exist_ok=True)
        answer = self.page(role).request.get(self._app.url + address)
        if not answer.ok:
            print(f"no paper {name}: {answer.status}")
            return
        file = folder / f"{name}.pdf"
        file.write_bytes(answer.body())
        subprocess.run(["pdftoppm", "-png", "-r", "110", file, folder / name], check=True)

    def cards(self) -> None:
        """A pupil's card page, and the cards of a class on paper, which only a form asks for."""
        address = self.first_link("accountant", "/cards", "/cards/classes/")
        page = self.page("accountant")
        page.goto(self._app.url + address)
        form = {
            name: page.locator(f"input[name={name}]").first.get_attribute("value") or ""
            for name in ("csrf_token", "year", "class_id")
        }
        page.locator("#cards-of-class th a").first.click()
        self._keep(page, "card-of-pupil")
        answer = page.request.post(f"{self._app.url}/cards/prints", form={**form, "what": "class"})
        file = OUT / "pdf" / "cards.pdf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.body())
        subprocess.run(["pdftoppm", "-png", "-r", "110", file, file.with_suffix("")], check=True)
        page.close()

    def child_file(self, address: str) -> None:
        """The file over all years on paper, which only a form asks for."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}{address}/file")
        token = page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
        answer = page.request.post(f"{self._app.url}{address}/file.pdf", form={"csrf_token": token})
        file = OUT / "pdf" / "child-file.pdf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.body())
        subprocess.run(["pdftoppm", "-png", "-r", "110", file, file.with_suffix("")], check=True)
        page.close()

    def departure(self, child: str) -> None:
        """A pupil on its way out of the area, with its papers, and the sheet that goes along."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}{child}/departure")
        if page.locator("#to_school").count():
            page.fill("#to_school", "Trường Tiểu học Minh Họa Xa")
            page.fill("#to_place", "phường Minh Họa, Hà Nội")
            page.check("#is_far")
            page.fill("#wished_on", f"{clock.today() + timedelta(days=14):%d/%m/%Y}")
            self._press(page, "main form[method='post'] button[type='submit']")
            self._press(page, "form[action$='/accepted'] button")
            page.locator("input[name=done]").first.check()
            self._press(page, "form[action$='/duties'] button")
        self._keep(page, "departure-running")
        self.paper("departure", "accountant", page.url.removeprefix(self._app.url) + ".pdf")
        page.close()

    def day_rules(self) -> None:
        """Another payer and a rule of days away, and a draft whose price changes in a month."""
        page = self.page("principal")
        page.goto(f"{self._app.url}/day-rules")
        if not page.locator("main tbody").count():
            page.fill("#subsidy-amount", "8.000")
            page.fill("#subsidy-payer", "Ngân sách thành phố (minh họa)")
            page.fill("#subsidy-legal_act", "Nghị quyết minh họa 01/2026, 01/09/2026")
            self._press(page, "form[action$='/subsidies'] button[type='submit']")
            page.fill("#halving-above_days", "10")
            page.fill("#halving-percent", "50")
            self._press(page, "form[action$='/halvings'] button[type='submit']")
        self._keep(page, "day-rules-filled")
        page.close()
        page = self.page("accountant")
        page.goto(f"{self._app.url}/fee-schedules")
        page.locator("main tbody th a").first.click()
        page.wait_for_load_state()
        copy = "form[action$='/copy'] button"
        if page.locator(copy).count():
            self._press(page, copy)
        # The first row by the day: its sub-line says so in either language.
        line = page.locator("tbody tr", has_text=re.compile("theo ngày|per day|mỗi ngày|/ngày"))
        line.first.locator("a").first.click()
        page.wait_for_load_state()
        if not page.locator("#second_price").is_visible():
            page.locator("#price-form summary").click()
        page.fill("#quantities", "20")
        page.fill("#price", "30.000")
        page.fill("#second_price", "35.000")
        page.fill("#second_from", "16/03/2027")
        self._keep(page, "fee-schedule-price-changes")
        self._press(page, "#price-form button[type='submit']")
        self._keep(page, "fee-schedule-price-changed")
        page.close()

    def statements(self, credentials: dict[str, list[dict[str, Any]]]) -> None:
        """A bank's file with a bit of everything: its plan, after posting, a broken one."""
        page = self.page("accountant")
        school = next(one["school"] for one in credentials["staff"] if one["role"] == "accountant")
        account = next(
            one["account"]["number"] for one in credentials["schools"] if one["code"] == school
        )
        bills = [one for one in credentials["bills"] if one["school"] == school][-9:]
        # Each camera has a day and numbers of its own: a movement is taken in once.
        mark = f"{self._language}{self._width}".upper()
        moves = [(bill["amount"], f"MBVCB {bill['reference']} hoc phi {mark}") for bill in bills]
        moves[1] = (moves[1][0] // 2, moves[1][1])
        moves[2] = (moves[2][0] + 50_000, moves[2][1])
        moves += [
            (350_000, f"Chuyen tien ban tru cho con lop 3A {mark}"),
            (120_000, f"{self._names(page)} nop tien {mark}"),
            (-1_250_000, f"Tra tien thuc pham tuan 4 {mark}"),
            (-11_000, f"Phi dich vu {mark}"),
        ]
        held, lines = 25_000_000, []
        for number, (amount, text) in enumerate(moves):
            held += amount
            out, came = (str(-amount), "") if amount < 0 else ("", str(amount))
            lines.append(f"24/11/2026;FT{mark}{number:06d};{text};{out};{came};{held}")
        head = (
            f"Số tài khoản;{account}\nSố dư đầu kỳ;25000000\n"
            "Ngày giao dịch;Số tham chiếu;Mô tả;Ghi nợ;Ghi có;Số dư\n"
        )
        self._hand_in(page, head + "\n".join([*lines[:3], *lines[4:]]))
        self._keep(page, "statement-refused")
        self._hand_in(page, head + "\n".join(lines))
        self._keep(page, "statement-plan")
        self._press(page, "form[action$='/post'] button")
        where = page.url
        self._keep(page, "statement-posted")
        page.goto(f"{self._app.url}/bank")
        page.locator("td a[href*='payment='], th a[href*='payment=']").first.click()
        page.wait_for_load_state()
        self._keep(page, "bank-suggestions")
        page.locator("a[href*='undo=']").first.click()
        page.wait_for_load_state()
        self._keep(page, "bank-undo")
        page.goto(f"{self._app.url}/bank")
        page.locator("td a[href*='payment='], th a[href*='payment=']").first.click()
        page.wait_for_load_state()
        page.locator("a[href$='/purpose']").first.click()
        page.wait_for_load_state()
        self._keep(page, "bank-purpose")
        page.goto(where)
        page.locator("a[href$='/purpose']").first.click()
        page.wait_for_load_state()
        self._keep(page, "statement-purpose")
        self._hand_in(page, f"Bảng kê;;\nKhi nào;Bao nhiêu {mark};Nói gì\n24/11/2026;1000;x")
        self._keep(page, "statement-columns")
        page.close()

    def money_out(self, child: str) -> None:
        """A payment to a family: asked, approved, in a batch."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}/payouts/new")
        self._keep(page, "payouts-new")
        page.goto(f"{self._app.url}/payouts/new?student={child}")
        page.check("input[name='what'][value='support:transfer']")
        page.fill("#amount", "450.000")
        page.fill("#reason", "Hỗ trợ chi phí học tập học kỳ I")
        page.select_option("#bank_bin", "970436")
        page.fill("#account", "1012345678")
        page.fill("#holder", "Phạm Thị Hòa")
        self._keep(page, "payouts-ask")
        self._press(page, "main form[action$='/payouts/new'] button[type='submit']")
        self._keep(page, "payouts-asked")
        principal = self.page("principal")
        principal.goto(f"{self._app.url}/payouts")
        principal.locator("input[name='payout']").first.check()
        self._keep(principal, "payouts-to-approve")
        self._press(principal, "form[action$='/payouts/approve'] button[type='submit']")
        principal.close()
        page.goto(f"{self._app.url}/payouts")
        self._keep(page, "payouts-ready")
        self._press(page, "form[action$='/payouts/batches'] button[type='submit']")
        self._keep(page, "payouts-batch")
        page.locator("tbody th a").first.click()
        page.wait_for_load_state()
        self._keep(page, "payouts-one")
        page.close()

    def closing(self) -> None:
        """A day that waits, what stands in it, a month and its book."""
        page = self.page("accountant")
        page.goto(f"{self._app.url}/closing")
        self._keep(page, "closing")
        month = page.locator("a[href*='/closing/months/']").last.get_attribute("href")
        page.locator("a[href*='/closing/days/']").first.click()
        page.wait_for_load_state()
        self._keep(page, "closing-day")
        for item in page.locator(".reason-field").all():
            item.fill("Kiểm quỹ cuối tuần, số khớp sổ")
        if page.locator("form[action*='/closing/days/'] button[type='submit']").count():
            self._press(page, "form[action*='/closing/days/'] button[type='submit']")
            page.goto(f"{self._app.url}/closing")
            self._keep(page, "closing-after")
        page.goto(f"{self._app.url}{month}")
        self._keep(page, "closing-month")
        page.locator("a[href*='/closing/books/']").first.click()
        page.wait_for_load_state()
        self._keep(page, "closing-book")
        page.close()

    def _names(self, page: Page) -> str:
        """A child of the school as a bank writes it, for money without a code."""
        page.goto(f"{self._app.url}/students")
        return ascii_upper(page.locator("main tbody th a").first.inner_text())

    def _hand_in(self, page: Page, text: str) -> None:
        page.goto(f"{self._app.url}/bank/statements")
        page.set_input_files(
            "#file", {"name": "sao-ke.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        self._press(page, "form[enctype] button[type='submit']")

    def close(self) -> None:
        """Put the browser's profiles away."""
        for context in self._contexts.values():
            context.close()


def _take(
    browser: Browser,
    app: Running,
    credentials: dict[str, list[dict[str, Any]]],
    language: str,
    wanted: list[str],
) -> None:
    def is_wanted(name: str) -> bool:
        return not wanted or any(word in name for word in wanted)

    bill, *others = credentials["bills"]
    phones = {
        student: parent["phone"]
        for parent in credentials["parents"]
        for student in parent["students"]
    }
    # Each camera pays a bill of its own, whose family is in the list.
    payable = [one for one in others if one["student"] in phones]
    billed = {one["student"]: one for one in others}
    families = [
        [billed[student] for student in parent["students"] if student in billed]
        for parent in credentials["parents"]
    ]
    of_several = max(families, key=len)[0]
    for number, size in enumerate(WIDTHS, start=2 * (language == "en")):
        camera = Camera(browser, app, language, size)
        shots = [*SHOTS, Shot("pay", PUBLIC, f"/pay/{bill['pay_token']}")]
        shots += [
            Shot(name, role, camera.first_link(role, start, beginning))
            for name, role, start, beginning in FOLLOWED
            if is_wanted(name)
        ]
        child = camera.first_link("accountant", "/students", "/students/")
        shots += [Shot(f"student-{part}", "accountant", f"{child}/{part}") for part in CHILD_PAGES]
        for shot in shots:
            if shot.address and is_wanted(shot.name):
                camera.shoot(shot.name, shot.role, shot.address)
        deeds: dict[str, Callable[[], None]] = {
            "steps": partial(camera.steps, payable[number], phones),
            "departure": partial(camera.departure, child),
            "cards": camera.cards,
            "day-rules-filled": camera.day_rules,
            "statements-and-bank-suggestions": partial(camera.statements, credentials),
            "payouts-money-out": partial(camera.money_out, child.rpartition("/")[2]),
            "closing-days": camera.closing,
            "partners-key": camera.partners,
            "paper-renewed": camera.renewed_paper,
            "till-counted": camera.counted,
            "receipts-printed": camera.printed,
            "pay-together": partial(camera.together, of_several, phones),
        }
        for name, deed in deeds.items():
            if is_wanted(name):
                deed()
        if size == "desk" and language == "vi":
            if is_wanted("child-file"):
                camera.child_file(child)
            receipt = camera.first_link("accountant", "/receipts", "/receipts/", r"\d+\.pdf")
            open_bill = camera.first_link("accountant", "/invoices", "/invoices/")
            notice = camera.first_link("accountant", open_bill, "/notices.pdf")
            proof = camera.first_link("accountant", "/receipts/series", "/receipts/series/")
            papers = (
                ("receipt", "accountant", receipt),
                ("receipt-series-month", "accountant", proof),
                ("notice", "accountant", notice),
                *PAPERS,
            )
            for name, role, address in papers:
                if is_wanted(name) and address:
                    camera.paper(name, role, address)
        camera.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
