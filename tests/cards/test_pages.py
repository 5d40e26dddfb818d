"""The pages of cards, and what a scan opens for whom."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import jobs, press, scope
from app.core.db import scalar
from app.people.access import Role
from app.people.cards import queries
from app.people.students import Enrolled
from tests.factories.cards import TODAY, agree, carded, child, drawn, pictured
from tests.factories.people import make_class
from tests.factories.schools import MadeSchool, make_school
from tests.factories.staff import Browser, set_clock, signed_in, token, visitor, words

PRINTS = pytest.mark.skipif(press.why_unavailable() is not None, reason="no PDF libraries")


@dataclass(frozen=True)
class Here:
    """A school with a class of three; the first child has consents and a photo."""

    school: MadeSchool
    class_id: int
    an: Enrolled
    binh: Enrolled
    chi: Enrolled
    clerk: Browser


@pytest.fixture
def here(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Here:
    set_clock(monkeypatch)
    school = make_school()
    class_id = make_class(school, "3/1")
    an, binh, chi = (
        child(school, class_id, name) for name in ("Trần Hoài An", "Lê Thái Bình", "Vũ Mai Chi")
    )
    agree(school, an)
    pictured(school, an)
    clerk = signed_in(context, school.unit_id, Role.ACCOUNTANT)
    return Here(school, class_id, an, binh, chi, clerk)


def post(browser: Browser, page: str, address: str, **data: object) -> TestResponse:
    """Send a form with the token of a page."""
    return browser.post(address, data={"csrf_token": token(browser.get(page)), **data})


def card_secret(here: Here, who: Enrolled) -> str:
    (card_id,) = carded(here.school, who)
    with scope.opened(scope.one_school(here.school.id)):
        (card,) = queries.cards_to_print(here.school.id, [card_id], here.school.year_id)
    return card.token


def found(here: Here, who: Enrolled) -> queries.ChildCard:
    with scope.opened(scope.one_school(here.school.id)):
        card = queries.child_card(here.school.id, who.enrolment_id, TODAY)
    assert card is not None
    return card


# Scanning


def test_a_scan_opens_the_pupil_for_staff_of_the_school(context: Flask, here: Here) -> None:
    secret = card_secret(here, here.an)
    teacher = signed_in(context, here.school.unit_id, Role.TEACHER)

    for browser in (here.clerk, teacher):
        answer = browser.get(f"/card/{secret}")
        assert answer.status_code == 303
        assert answer.location.endswith(f"/students/{here.an.code}")


def test_for_everybody_else_every_card_gives_the_same_empty_page(
    context: Flask, here: Here
) -> None:
    secret = card_secret(here, here.an)
    ended = card_secret(here, here.binh)
    post(
        here.clerk,
        f"/students/{here.binh.code}/card",
        f"/students/{here.binh.code}/card/end",
        reason="lost",
    )
    stranger = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    kitchen = signed_in(context, here.school.unit_id, Role.KITCHEN)
    for browser in (visitor(context), stranger, kitchen):
        answers = [browser.get(f"/card/{code}") for code in (secret, ended, "1" * 40, "rubbish")]
        texts = {re.sub(r"[0-9]{40}", "", words(answer)) for answer in answers}
        assert {answer.status_code for answer in answers} == {200}
        assert len(texts) == 1
        for secret_word in (here.an.code, "Trần Hoài An", "Minh Họa", "3/1"):
            assert secret_word not in texts.pop() if len(texts) == 1 else True
    assert "next=" in visitor(context).get(f"/card/{secret}").text


def test_an_ended_card_says_so_to_staff_and_names_nobody(here: Here) -> None:
    secret = card_secret(here, here.binh)
    post(
        here.clerk,
        f"/students/{here.binh.code}/card",
        f"/students/{here.binh.code}/card/end",
        reason="lost",
    )

    answer = here.clerk.get(f"/card/{secret}")

    assert answer.status_code == 410
    assert "Lê Thái Bình" not in answer.text
    assert here.binh.code not in answer.text


def test_guessing_is_throttled(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.people.cards.routes.MOST_SCANS", 3)
    secret = card_secret(here, here.an)
    for number in range(3):
        assert here.clerk.get(f"/card/{number:040d}").status_code == 200

    assert here.clerk.get(f"/card/{secret}").status_code == 429


@pytest.mark.parametrize("typed", ["http://vi.du/card/{0}", "http://vi.du/cảd/{0}", "{0}"])
def test_the_search_box_takes_a_scanned_card(here: Here, typed: str) -> None:
    answer = here.clerk.get(
        "/students", query_string={"q": typed.format(card_secret(here, here.an))}
    )

    assert answer.status_code == 303
    assert answer.location.endswith(f"/students/{here.an.code}")


def test_the_cash_desk_takes_a_scanned_card(here: Here) -> None:
    scan = f"https://so-thu.vi.du/card/{card_secret(here, here.an)}"

    page = here.clerk.get("/cash-desk", query_string={"q": scan})

    assert here.an.code in page.text


def test_the_search_box_takes_the_bars_of_a_card(here: Here) -> None:
    answer = here.clerk.get("/students", query_string={"q": here.an.code})

    assert answer.location.endswith(f"/students/{here.an.code}")


# Photos


def test_a_photo_is_shown_to_staff_of_the_school_only(context: Flask, here: Here) -> None:
    address = f"/students/{here.an.code}/photo"
    photo = here.clerk.get(address)

    assert (photo.status_code, photo.mimetype) == (200, "image/jpeg")
    assert photo.headers["Cache-Control"] == "private, no-cache"
    again = here.clerk.get(address, headers={"If-None-Match": photo.headers["ETag"]})
    assert again.status_code == 304
    assert (
        signed_in(context, make_school().unit_id, Role.ACCOUNTANT).get(address).status_code == 404
    )
    assert signed_in(context, here.school.unit_id, Role.KITCHEN).get(address).status_code == 403
    assert visitor(context).get(address).status_code == 303
    assert here.clerk.get(f"/students/{here.binh.code}/photo").status_code == 404


def test_a_photo_is_sent_replaced_and_deleted(here: Here) -> None:
    page = f"/students/{here.an.code}/card"
    before = found(here, here.an).sha256
    sent = post(
        here.clerk, page, f"{page}/photo", photo=(BytesIO(drawn((2000, 3000))), "IMG_1.jpg")
    )
    assert sent.status_code == 303
    assert found(here, here.an).sha256 not in (None, before)
    assert post(here.clerk, page, f"{page}/photo/delete").status_code == 303
    assert found(here, here.an).sha256 is None


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"GIF89a"])
def test_a_bad_picture_is_answered_with_what_to_do(here: Here, data: bytes) -> None:
    page = f"/students/{here.an.code}/card"
    before = found(here, here.an).sha256

    answer = post(here.clerk, page, f"{page}/photo", photo=(BytesIO(data), "a.jpg"))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert found(here, here.an).sha256 == before


def test_a_large_phone_picture_passes_and_a_huge_upload_does_not(here: Here) -> None:
    page = f"/students/{here.an.code}/card"
    mark = token(here.clerk.get(page)).encode()

    def sent(picture: bytes) -> int:
        # Written by hand: the client would put so much into a file and leave it open.
        parts = (
            b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + mark,
            b'\r\n--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n',
            picture + b"\r\n--x--\r\n",
        )
        return here.clerk.post(
            f"{page}/photo",
            data=b"".join(parts),
            content_type="multipart/form-data; boundary=x",
        ).status_code

    assert sent(drawn((3000, 4000), quality=95) + bytes(5 * 2**20)) == 303
    assert sent(bytes(12 * 2**20)) == 413


def test_photos_of_a_class_are_kept_by_code_and_the_rest_is_told_why(here: Here) -> None:
    agree(here.school, here.binh)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"lop/{here.binh.code}.jpg", drawn())
        packed.writestr(f"lop/{here.binh.code} (2).jpg", drawn())
        packed.writestr(f"lop/{here.chi.code}.jpg", drawn())
        packed.writestr(f"lop/{here.an.code}.png", b"rubbish")
        packed.writestr("lop/IMG_0001.jpg", drawn())
    archive.seek(0)

    answer = post(here.clerk, "/cards", "/cards/photos", photos=(archive, "lop.zip"))

    assert answer.status_code == 422
    assert found(here, here.binh).shows_photo
    assert not found(here, here.chi).sha256
    listed = re.findall(r'<th scope="row">([^<]+\.(?:jpg|png))</th>', answer.text)
    assert listed == [
        f"{here.binh.code} (2).jpg",
        f"{here.chi.code}.jpg",
        f"{here.an.code}.png",
        "IMG_0001.jpg",
    ]
    good = post(
        here.clerk, "/cards", "/cards/photos", photos=(BytesIO(drawn()), f"{here.an.code}.jpg")
    )
    assert good.status_code == 303


# Consents


def test_consents_of_a_class_are_recorded_at_once(here: Here) -> None:
    page = f"/cards/classes/{here.class_id}"
    form = {"party": ["guardian", "child"], "method": "paper", "given_on": "2026-11-20"}
    stays = [here.binh.enrolment_id, here.chi.enrolment_id]

    without = post(here.clerk, page, f"{page}/consents", stay=stays, form_no="", **form)
    assert without.status_code == 422
    assert found(here, here.binh).lacks
    done = post(here.clerk, page, f"{page}/consents", stay=stays, form_no="Tập 3/1", **form)

    assert done.status_code == 303
    assert not found(here, here.binh).lacks
    assert not found(here, here.chi).lacks


def test_one_consent_is_recorded_and_taken_back(here: Here) -> None:
    page = f"/students/{here.an.code}/card"
    back = post(here.clerk, page, f"{page}/withdrawals", party="child", method="in_person")
    assert back.status_code == 303
    assert found(here, here.an).sha256 is None
    assert here.clerk.get(f"/students/{here.an.code}/photo").status_code == 404
    form = {"party": "child", "method": "in_person", "given_on": "2026-11-24"}
    assert post(here.clerk, page, f"{page}/consents", **form).status_code == 303
    assert not found(here, here.an).lacks


def test_nobody_agrees_by_leaving_the_form_as_it_is(here: Here) -> None:
    page = f"/students/{here.binh.code}/card"
    opened = here.clerk.get(page)
    boxes = re.findall(r'<input[^>]*name="party"[^>]*>', opened.text)

    assert boxes and not any("checked" in box for box in boxes)
    assert post(here.clerk, page, f"{page}/consents", method="paper").status_code == 422


def test_only_the_office_changes_cards(context: Flask, here: Here) -> None:
    teacher = signed_in(context, here.school.unit_id, Role.TEACHER)
    pages = ("/cards", f"/cards/classes/{here.class_id}", f"/students/{here.an.code}/card")
    assert [teacher.get(page).status_code for page in pages] == [200, 200, 200]
    mark = token(teacher.get(f"/students/{here.an.code}"))
    for address in (
        "/cards/prints",
        "/cards/photos",
        f"/cards/classes/{here.class_id}/consents",
        *(f"/students/{here.an.code}/card/{act}" for act in ("photo", "consents", "end", "print")),
    ):
        assert teacher.post(address, data={"csrf_token": mark}).status_code == 403, address


def test_the_pupils_page_shows_card_and_photo(here: Here) -> None:
    page = here.clerk.get(f"/students/{here.an.code}")

    assert f"/students/{here.an.code}/photo?v=" in page.text
    assert f'href="/students/{here.an.code}/card"' in page.text


def test_a_child_of_another_school_has_no_card_page(context: Flask, here: Here) -> None:
    stranger = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    for address in (f"/students/{here.an.code}/card", f"/cards/classes/{here.class_id}"):
        assert stranger.get(address).status_code == 404


# Printing


@PRINTS
def test_a_few_cards_are_printed_at_once(here: Here) -> None:
    page = f"/cards/classes/{here.class_id}"
    asked = post(here.clerk, page, "/cards/prints", what="chosen", stay=[here.an.enrolment_id])
    assert asked.status_code == 303
    paper = here.clerk.get(asked.location)

    assert paper.data.startswith(b"%PDF")
    assert paper.headers["Cache-Control"] == "no-store"
    assert found(here, here.an).state == "valid"
    missing = post(here.clerk, "/cards", "/cards/prints", what="missing", class_id=here.class_id)
    assert missing.status_code == 303
    assert found(here, here.chi).state == "valid"
    nothing = post(here.clerk, page, "/cards/prints", what="missing")
    assert nothing.status_code == 409


@PRINTS
def test_many_cards_are_drawn_by_the_worker(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.people.cards.routes.AT_ONCE", 1)
    asked = post(here.clerk, "/cards", "/cards/prints", what="missing", layout="single")
    waiting = here.clerk.get(asked.location)
    assert 'http-equiv="refresh"' in waiting.text
    assert here.clerk.get(f"{asked.location}/cards.pdf").status_code == 404
    while jobs.run_one():
        pass
    ready = here.clerk.get(asked.location)

    assert "/cards.pdf" in ready.text and "refresh" not in ready.text
    assert here.clerk.get(f"{asked.location}/cards.pdf").data.startswith(b"%PDF")


@PRINTS
def test_a_lost_card_is_replaced_in_one_step(here: Here) -> None:
    secret = card_secret(here, here.an)
    page = f"/students/{here.an.code}/card"
    done = post(here.clerk, page, f"{page}/end", reason="lost", again="1")

    assert done.status_code == 303 and done.location.endswith("/cards.pdf")
    assert here.clerk.get(f"/card/{secret}").status_code == 410
    assert found(here, here.an).state == "valid"
    assert "2" in words(here.clerk.get(page))


def test_a_printing_of_another_school_is_not_found(context: Flask, here: Here) -> None:
    stranger = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    with scope.opened(scope.EVERY_SCHOOL):
        print_id = scalar("select max(id) from card_prints") or 1
    assert stranger.get(f"/cards/prints/{print_id}").status_code == 404
    assert stranger.get(f"/cards/prints/{print_id}/cards.pdf").status_code == 404
