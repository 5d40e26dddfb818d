"""The main job in a browser: issue the month, pay one bill three ways, print, prove the books."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import DemoArea
from tests.servers import Running


@pytest.fixture(scope="module")
def area(load_demo: Callable[..., DemoArea]) -> DemoArea:
    return load_demo("sqlite", schools=3, students=60)


@pytest.fixture(scope="module")
def house(area: DemoArea, serve: Callable[..., Running]) -> Running:
    return serve(area.url, app_env="demo", workers=4, worker=True, providers=True)


def _in_english(page: Page) -> None:
    page.get_by_role("button", name="English").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def _issue_the_month(page: Page, url: str) -> None:
    page.goto(f"{url}/staff")
    _in_english(page)
    page.get_by_role("button", name=re.compile("^Accountant")).first.click()
    page.wait_for_url("**/today")
    page.goto(f"{url}/billing-runs")
    page.get_by_label("Month", exact=True).select_option("2026-11")
    page.get_by_role("button", name="Draft and preview").click()
    page.locator("[data-opens='issue']").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Issue")).click()
    expect(page.get_by_text("Bills issued").first).to_be_visible()


def _bills(page: Page, url: str) -> list[str]:
    """The addresses of bills of the month that ask for money."""
    page.goto(f"{url}/invoices?period=2026-11")
    unpaid = page.locator("main tr", has_text="Not paid").locator("a[href^='/invoices/']")
    return [str(link.get_attribute("href")) for link in unpaid.all()]


def _pay_link(page: Page, url: str, bill: str) -> str:
    page.goto(f"{url}{bill}")
    found = re.search(r"/pay/[A-Za-z0-9_-]{16,}", page.content())
    assert found, "the bill shows its pay link"
    return found[0]


def _pdf_text(page: Page, address: str, folder: Path) -> str:
    answer = page.request.get(address)
    assert answer.ok and answer.body().startswith(b"%PDF")
    file = folder / "receipt.pdf"
    file.write_bytes(answer.body())
    return subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout


def test_from_an_approved_price_list_to_three_receipts(
    house: Running, area: DemoArea, browser: Browser, page: Page, tmp_path: Path
) -> None:
    _issue_the_month(page, house.url)
    bills = _bills(page, house.url)
    by_bank, by_card = (_pay_link(page, house.url, bill) for bill in bills[:2])

    # A parent's phone shows the bill; in the bank's app of another device the money is sent.
    phone = browser.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    waiting, bank = phone.new_page(), phone.new_page()
    waiting.goto(f"{house.url}{by_bank}")
    _in_english(waiting)
    expect(waiting.get_by_text("Waiting for the money to reach the school account")).to_be_visible()
    bank.goto(f"{house.url}{by_bank}")
    bank.get_by_role("link", name="Open the sample bank app").click()
    bank.get_by_role("button", name="Transfer the money").click()
    sent = time.monotonic()
    expect(waiting.get_by_text("All done. Please do not pay again.")).to_be_visible(timeout=8_000)
    assert time.monotonic() - sent < 8
    text = _pdf_text(
        waiting,
        house.url
        + str(waiting.get_by_role("link", name="Download the receipt").get_attribute("href")),
        tmp_path,
    )
    assert "BIÊN LAI THU TIỀN" in text

    # The same for a card: the provider's page, then back to a bill that turns to paid by itself.
    card = phone.new_page()
    card.goto(f"{house.url}{by_card}")
    card.get_by_role("button", name=re.compile("by card")).click()
    card.wait_for_url(f"{house.providers_url}/**")
    card.get_by_role("button", name=re.compile("^(Pay|Nộp|Trả|Thanh toán)")).first.click()
    card.wait_for_url(f"{house.url}{by_card}/return*")
    expect(card.get_by_text("All done. Please do not pay again.")).to_be_visible(timeout=10_000)
    text = _pdf_text(
        card,
        house.url
        + str(card.get_by_role("link", name="Download the receipt").get_attribute("href")),
        tmp_path,
    )
    assert "Thẻ ngân hàng" in text
    phone.close()

    # Cash at the desk, found by the transfer code on the paper.
    page.goto(f"{house.url}{bills[2]}")
    reference = re.search(r"HP[0-9A-Z]{7}", page.content())
    assert reference
    page.goto(f"{house.url}/cash-desk")
    page.get_by_role("searchbox").last.fill(reference[0])
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Exact").click()
    page.get_by_role("button", name=re.compile("^Collect and print")).click()
    page.wait_for_url("**/cash-desk?*done=*")
    receipt = page.locator("main a[href*='/receipts/'][href*='.pdf']").first
    text = _pdf_text(page, house.url + str(receipt.get_attribute("href")), tmp_path)
    assert "Tiền mặt" in text

    assert "invariants hold" in area.flask("verify")
