"""`make pictures`: every screen at 360 and 1366 px, in both languages, and every PDF page, as PNG."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app import create_app
from app.config import Settings
from app.core.model import db
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
    Shot("students-teacher", "teacher", "/students"),
    Shot("fee-schedules", "accountant", "/fee-schedules"),
    Shot("billing-runs", "accountant", "/billing-runs"),
    Shot("invoices", "accountant", "/invoices"),
    Shot("cash-desk", "accountant", "/cash-desk"),
    Shot("bank", "accountant", "/bank"),
    Shot("receipts", "accountant", "/receipts"),
    Shot("report-collection", "principal", "/reports/collection"),
    Shot("area", "officer", "/area"),
)
#: pages reached by the first link of another page: name, role, from, the link's beginning
FOLLOWED = (
    ("student", "accountant", "/students", "/students/"),
    ("student-teacher", "teacher", "/students", "/students/"),
    ("fee-schedule", "accountant", "/fee-schedules", "/fee-schedules/"),
    ("fee-schedule-principal", "principal", "/fee-schedules", "/fee-schedules/"),
    ("billing-run-issued", "accountant", "/billing-runs", "/billing-runs/"),
    ("invoice", "accountant", "/invoices", "/invoices/"),
    ("area-school", "officer", "/area", "/area/"),
)
PAPERS = (
    ("report-collection", "principal", "/reports/collection.pdf"),
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


@contextmanager
def _demo() -> Iterator[tuple[Running, dict[str, list[dict[str, str]]]]]:
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


def _take(
    browser: Browser,
    app: Running,
    credentials: dict[str, list[dict[str, str]]],
    language: str,
    wanted: list[str],
) -> None:
    for size, (width, height) in WIDTHS.items():
        folder = OUT / language / size
        folder.mkdir(parents=True, exist_ok=True)
        contexts: dict[str, BrowserContext] = {}

        def page_of(role: str) -> Page:
            if role not in contexts:
                contexts[role] = browser.new_context(  # noqa: B023 - used inside this round only
                    viewport={"width": width, "height": height},  # noqa: B023
                    locale=f"{language}-VN",
                    device_scale_factor=2 if width < 600 else 1,  # noqa: B023
                )
                if role != PUBLIC:
                    _sign_in(contexts[role].new_page(), app.url, role)
            return contexts[role].new_page()

        def shoot(name: str, role: str, address: str) -> None:
            if wanted and not any(word in name for word in wanted):
                return
            page = page_of(role)
            sign = "&" if "?" in address else "?"
            page.goto(f"{app.url}{address}{sign}lang={language}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}.png", full_page=True)  # noqa: B023
            page.close()

        for shot in SHOTS:
            shoot(shot.name, shot.role, shot.address)
        for name, role, start, beginning in FOLLOWED:
            address = _first_link(page_of(role), app.url + start, beginning)
            if address:
                shoot(name, role, address)
        bill = credentials["bills"][0]
        shoot("pay", PUBLIC, f"/pay/{bill['pay_token']}")
        if size == "desk" and language == "vi":
            _papers(page_of, app.url, wanted)
        for context in contexts.values():
            context.close()


def _sign_in(page: Page, url: str, role: str) -> None:
    """One click on the first invented person of the role."""
    page.goto(f"{url}/staff?lang=en")
    label = {
        "accountant": "Accountant",
        "principal": "Principal",
        "teacher": "Class teacher",
        "officer": "Area officer",
    }[role]
    page.get_by_role("button", name=label).first.click()
    page.wait_for_load_state("networkidle")
    page.close()


def _first_link(page: Page, address: str, beginning: str) -> str:
    page.goto(address)
    links = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    page.close()
    return next((link for link in links if link.startswith(beginning)), "")


def _papers(page_of: object, url: str, wanted: list[str]) -> None:
    folder = OUT / "pdf"
    folder.mkdir(parents=True, exist_ok=True)
    assert callable(page_of)
    page: Page = page_of("accountant")
    page.goto(f"{url}/receipts")
    links = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    receipt = next((link for link in links if link.endswith(".pdf")), "")
    papers = [("receipt", "accountant", receipt), *PAPERS] if receipt else list(PAPERS)
    for name, role, address in papers:
        if wanted and not any(word in name for word in wanted):
            continue
        answer = page_of(role).request.get(url + address)
        if not answer.ok:
            print(f"no paper {name}: {answer.status}")
            continue
        file = folder / f"{name}.pdf"
        file.write_bytes(answer.body())
        subprocess.run(["pdftoppm", "-png", "-r", "110", file, folder / name], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
