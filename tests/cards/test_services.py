"""Consents carry photos, cards end at once, and nothing of one school reaches another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask

from app.core import scope
from app.core.db import execute, rows, scalar, transaction
from app.core.errors import DomainError
from app.people import cards, students
from app.people.cards import Given, Method, Party, invariants, queries, services, tokens
from app.people.cards.errors import (
    BadConsent,
    CardNotFound,
    NoCard,
    NoConsent,
    NoGuardian,
    NotHere,
    NothingToPrint,
    NothingWithdrawn,
)
from app.people.cards.models import EndReason
from app.people.cards.pictures import photo_of
from tests.factories.cards import (
    OLD,
    TODAY,
    YOUNG,
    agree,
    asked,
    carded,
    child,
    drawn,
    guardian_of,
    pictured,
)
from tests.factories.people import make_class
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


@pytest.fixture
def here(school: MadeSchool) -> Iterator[MadeSchool]:
    """The school with its scope open."""
    with scope.opened(scope.one_school(school.id)):
        yield school


def state(school: MadeSchool, enrolment_id: int, day: date = TODAY) -> queries.ChildCard:
    with scope.opened(scope.one_school(school.id)):
        found = queries.child_card(school.id, enrolment_id, day)
    assert found is not None
    return found


def breaches() -> list[str]:
    with scope.opened(scope.EVERY_SCHOOL):
        return [line for rule in invariants.INVARIANTS for line in rule.find()]


# Consents


@pytest.mark.parametrize(
    ("born", "parties", "lacks"),
    [
        pytest.param(YOUNG, [], ("guardian",), id="under seven nobody was asked"),
        pytest.param(YOUNG, [Party.GUARDIAN], (), id="under seven the guardian is enough"),
        pytest.param(OLD, [Party.GUARDIAN], ("child",), id="from seven on the child is asked"),
        pytest.param(OLD, [Party.CHILD], ("guardian",), id="the child alone is not enough"),
        pytest.param(OLD, [Party.GUARDIAN, Party.CHILD], (), id="both agreed"),
        pytest.param(date(2019, 11, 24), [Party.GUARDIAN], ("child",), id="seven today"),
        pytest.param(date(2019, 11, 25), [Party.GUARDIAN], (), id="seven tomorrow"),
    ],
)
def test_whose_consent_is_needed_depends_on_the_age(
    here: MadeSchool, born: date, parties: list[Party], lacks: tuple[str, ...]
) -> None:
    who = child(here, make_class(here), born=born)
    if parties:
        agree(here, who, *parties)

    found = state(here, who.enrolment_id)

    assert found.lacks == lacks
    assert (who.enrolment_id in queries.consented(here.id, [who.enrolment_id], TODAY)) is not bool(
        lacks
    )


def test_the_seventh_birthday_of_a_leap_day_is_the_day_after() -> None:
    assert queries.seven_years_before(date(2027, 2, 28)) == date(2020, 2, 28)
    assert queries.seven_years_before(date(2028, 2, 29)) == date(2021, 2, 28)


def test_a_consent_recorded_twice_stands_once(here: MadeSchool) -> None:
    who = child(here, make_class(here))

    assert agree(here, who) == 2
    assert agree(here, who) == 0
    assert len(queries.consents_of(here.id, who.enrolment_id)) == 2


def _given(stay: int, guardian_id: int, changes: dict[str, object]) -> Given:
    values = {
        "enrolment_id": stay,
        "party": Party.GUARDIAN,
        "method": Method.PAPER,
        "given_on": TODAY,
        "guardian_id": guardian_id,
        "form_no": "ĐY-07",
    }
    return Given(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        pytest.param({"form_no": " "}, BadConsent, id="a signed form without its number"),
        pytest.param({"form_no": "x" * 41}, BadConsent, id="a number too long"),
        pytest.param({"given_on": TODAY + timedelta(days=1)}, BadConsent, id="tomorrow"),
        pytest.param({"given_on": date(2010, 1, 1)}, BadConsent, id="before the birth"),
        pytest.param({"guardian_id": None}, NoGuardian, id="nobody named"),
        pytest.param({"guardian_id": 999_999}, NoGuardian, id="a stranger"),
        pytest.param({"enrolment_id": 999_999}, CardNotFound, id="no such stay"),
    ],
)
def test_a_consent_that_proves_nothing_is_refused(
    here: MadeSchool, changes: dict[str, object], refusal: type[DomainError]
) -> None:
    who = child(here, make_class(here))
    given = _given(who.enrolment_id, guardian_of(who.student_id), changes)

    with pytest.raises(refusal), transaction():
        services.record_consents(here.id, [given], actor=ACCOUNTANT, now=NOON)


def test_consents_are_never_changed_or_deleted(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    agree(here, who)
    for statement in (
        "update photo_consents set given_on = '2020-01-01'",
        "delete from photo_consents",
    ):
        with pytest.raises(Exception, match="append-only"), transaction():
            execute(statement)


# Photos


def test_a_photo_is_kept_while_consent_holds_and_replaced_by_the_next(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    agree(here, who)
    pictured(here, who)
    first = state(here, who.enrolment_id)
    other = photo_of(drawn((700, 900)))
    with transaction():
        services.keep_photos(
            here.id, {who.enrolment_id: other}, taken_on=TODAY, actor=ACCOUNTANT, now=NOON
        )

    second = state(here, who.enrolment_id)

    assert first.shows_photo and second.shows_photo
    assert first.sha256 != second.sha256
    assert queries.photos_of(here.id, [who.enrolment_id], TODAY)[who.enrolment_id].picture == other
    assert breaches() == []


@pytest.mark.parametrize("parties", [[], [Party.GUARDIAN], [Party.CHILD]])
def test_no_photo_is_kept_without_the_consents(here: MadeSchool, parties: list[Party]) -> None:
    who = child(here, make_class(here))
    if parties:
        agree(here, who, *parties)

    with pytest.raises(NoConsent):
        pictured(here, who)
    assert scalar("select count(*) from student_photos where school_id = :id", id=here.id) == 0


@pytest.mark.parametrize("party", list(Party))
def test_taking_the_consent_back_deletes_the_photo_and_printed_files(
    here: MadeSchool, party: Party
) -> None:
    who = child(here, make_class(here))
    agree(here, who)
    pictured(here, who)
    printing = asked(here, who)
    with transaction():
        services.finish_print(
            here.id, printing.print_id, printing.card_ids, b"%PDF", year_id=here.year_id, now=NOON
        )
    with transaction():
        services.withdraw_consent(
            here.id, who.enrolment_id, party, method=Method.IN_PERSON, actor=ACCOUNTANT, now=NOON
        )

    found = state(here, who.enrolment_id)

    assert found.sha256 is None
    assert found.lacks == (party.value,)
    assert not queries.get_print(here.id, printing.print_id).has_file
    actions = [
        deed.action
        for deed in rows(
            "select action from audit_rows where school_id = :s order by id", s=here.id
        )
    ]
    assert actions[-2:] == ["photo.withdraw", "photo.delete"]
    with pytest.raises(NothingWithdrawn), transaction():
        services.withdraw_consent(
            here.id, who.enrolment_id, party, method=Method.IN_PERSON, actor=ACCOUNTANT, now=NOON
        )
    assert agree(here, who) == 1
    assert state(here, who.enrolment_id).lacks == ()
    assert breaches() == []


def test_a_photo_is_hidden_from_the_seventh_birthday_until_the_child_agrees(
    here: MadeSchool,
) -> None:
    who = child(here, make_class(here), born=date(2019, 12, 1))
    agree(here, who, Party.GUARDIAN)
    pictured(here, who)
    stays = [who.enrolment_id]

    assert queries.photos_of(here.id, stays, date(2026, 11, 30))
    assert not queries.photos_of(here.id, stays, date(2026, 12, 1))
    with transaction():
        services.forget(here.id, now=NOON + timedelta(days=25))
    assert state(here, who.enrolment_id).sha256
    agree(here, who, Party.CHILD)
    assert queries.photos_of(here.id, stays, date(2026, 12, 1))


def test_what_nobody_may_see_any_more_is_deleted_after_a_month(here: MadeSchool) -> None:
    turned, left = (child(here, make_class(here), born=born) for born in (date(2019, 12, 1), OLD))
    agree(here, turned, Party.GUARDIAN)
    agree(here, left)
    pictured(here, turned, left)
    carded(here, left)
    with transaction():
        students.end_enrolment(
            here.id,
            left.enrolment_id,
            ends_on=date(2026, 12, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
    stays = [turned.enrolment_id, left.enrolment_id]

    assert not queries.photos_of(here.id, stays[1:], date(2026, 12, 1))
    with transaction():
        services.forget(here.id, now=NOON + timedelta(days=30))
    assert scalar("select count(*) from student_photos where school_id = :id", id=here.id) == 2
    with transaction():
        services.forget(here.id, now=NOON + timedelta(days=38))
    assert scalar("select count(*) from student_photos where school_id = :id", id=here.id) == 0
    (card,) = queries.cards_of(here.id, left.enrolment_id)
    assert card.end_reason is EndReason.LEFT


# Cards


def test_numbers_run_within_a_school_and_asking_again_gives_the_same_card(
    here: MadeSchool,
) -> None:
    class_id = make_class(here)
    first, second, third = (child(here, class_id, f"Nguyễn Văn {name}") for name in "ABC")

    made = carded(here, first, second)
    again = carded(here, third, first)

    assert again[1] == made[0]
    numbers = [queries.cards_of(here.id, c.enrolment_id)[0].number for c in (first, second, third)]
    assert numbers == [1, 2, 3]
    assert breaches() == []


def token(school: MadeSchool, card_id: int) -> str:
    (card,) = queries.cards_to_print(school.id, [card_id], school.year_id)
    return card.token


def test_the_token_is_forty_digits_and_stored_nowhere(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    (card_id,) = carded(here, who)

    drawn_token = token(here, card_id)

    assert len(drawn_token) == 40 and drawn_token.isdigit()
    kept = rows("select * from cards where id = :id", id=card_id)[0]
    assert drawn_token not in str(tuple(kept))
    found = queries.find_by_token(here.id, drawn_token, TODAY)
    assert found is not None and (found.code, found.state) == (who.code, "live")


@pytest.mark.parametrize(
    "typed",
    [
        "http://127.0.0.1:8000/card/{0}",
        "{0}",
        " {0}\n",
        "http://127.0.0.1:8000/cảd/{0}",
        "HTTPS://SOTHU.VN/CARD/{0}/",
    ],
)
def test_a_scan_is_understood_however_the_keyboard_mangles_letters(typed: str) -> None:
    assert tokens.read_token(typed.format("1234567890" * 4)) == "1234567890" * 4


@pytest.mark.parametrize("typed", ["", "1" * 39, "1" * 41, "384102556", "١" * 40, "x" + "1" * 41])
def test_other_texts_are_no_scan(typed: str) -> None:
    assert tokens.read_token(typed) is None


@pytest.mark.parametrize("reason", [EndReason.LOST, EndReason.REPLACED])
def test_an_ended_card_opens_nothing_and_the_next_one_has_another_token(
    here: MadeSchool, reason: EndReason
) -> None:
    who = child(here, make_class(here))
    (old,) = carded(here, who)
    old_token = token(here, old)
    with transaction():
        services.end_card(here.id, who.enrolment_id, reason, actor=ACCOUNTANT, now=NOON)
    with pytest.raises(NoCard), transaction():
        services.end_card(here.id, who.enrolment_id, reason, actor=ACCOUNTANT, now=NOON)
    (new,) = carded(here, who)

    assert new != old
    assert token(here, new) != old_token
    scanned = queries.find_by_token(here.id, old_token, TODAY)
    assert scanned is not None and scanned.state == reason
    assert queries.cards_to_print(here.id, [old], here.year_id) == []
    assert breaches() == []


def test_the_end_of_the_stay_ends_the_card(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    (card_id,) = carded(here, who)
    secret = token(here, card_id)
    with transaction():
        students.end_enrolment(
            here.id, who.enrolment_id, ends_on=TODAY, reason="moved", actor=ACCOUNTANT, now=NOON
        )

    scanned = queries.find_by_token(here.id, secret, TODAY)

    assert scanned is not None and (scanned.state, scanned.ended_on) == ("left", TODAY)
    for work in (carded, agree):
        with pytest.raises(NotHere):
            work(here, who)


def test_a_card_the_server_can_no_longer_draw_is_replaced(app: Flask, here: MadeSchool) -> None:
    who = child(here, make_class(here))
    (old,) = carded(here, who)
    key = app.config["SECRET_KEY"]
    app.config["SECRET_KEY"] = "another key of the server, after a change"
    try:
        (new,) = carded(here, who)
        assert carded(here, who) == [new]
    finally:
        app.config["SECRET_KEY"] = key

    assert new != old
    assert queries.cards_of(here.id, who.enrolment_id)[-1].end_reason is EndReason.REPLACED


def test_another_schools_card_is_unknown(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    (card_id,) = carded(here, who)
    secret = token(here, card_id)
    other = make_school()
    with scope.opened(scope.one_school(other.id)):
        assert queries.find_by_token(other.id, secret, TODAY) is None
        with pytest.raises(scope.OutOfScope):
            queries.find_by_token(here.id, secret, TODAY)
        with pytest.raises(CardNotFound), transaction():
            cards.issue_cards(other.id, [who.enrolment_id], actor=ACCOUNTANT, now=NOON)


# Printing


def test_a_printing_counts_once_and_is_written_down_card_by_card(here: MadeSchool) -> None:
    class_id = make_class(here)
    children = [child(here, class_id, f"Nguyễn Văn {name}") for name in "AB"]
    printing = asked(here, *children)
    for _time in range(2):
        with transaction():
            services.finish_print(
                here.id,
                printing.print_id,
                printing.card_ids,
                b"%PDF",
                year_id=here.year_id,
                now=NOON,
            )

    assert [state(here, c.enrolment_id).state for c in children] == ["valid", "valid"]
    assert [queries.cards_of(here.id, c.enrolment_id)[0].printed for c in children] == [1, 1]
    told = rows(
        "select subject, cause from audit_rows where school_id = :s and action = 'card.print'"
        " order by id",
        s=here.id,
    )
    assert [deed.subject for deed in told] == [f"card:{card}" for card in printing.card_ids]
    assert {deed.cause for deed in told} == {f"card_print:{printing.print_id}"}
    assert breaches() == []


def test_nobody_gives_no_printing(here: MadeSchool) -> None:
    with pytest.raises(NothingToPrint):
        asked(here)


def test_files_of_printed_cards_are_thrown_away_after_a_day(here: MadeSchool) -> None:
    printing = asked(here, child(here, make_class(here)))
    with transaction():
        services.finish_print(
            here.id, printing.print_id, printing.card_ids, b"%PDF", year_id=here.year_id, now=NOON
        )
    with transaction():
        services.forget(here.id, now=NOON + timedelta(hours=23))
    assert queries.get_print(here.id, printing.print_id).has_file
    with transaction():
        services.forget(here.id, now=NOON + timedelta(hours=25))
    assert not queries.get_print(here.id, printing.print_id).has_file


def test_classes_are_counted(here: MadeSchool) -> None:
    class_id = make_class(here, "3/1")
    first, second, _third = (child(here, class_id, f"Nguyễn Văn {name}") for name in "ABC")
    agree(here, first)
    agree(here, second, Party.GUARDIAN)
    pictured(here, first)
    printing = asked(here, first)
    with transaction():
        services.finish_print(
            here.id, printing.print_id, printing.card_ids, b"%PDF", year_id=here.year_id, now=NOON
        )

    (counted,) = queries.by_class(queries.children(here.id, here.year_id, TODAY))

    assert (counted.children, counted.valid, counted.photos, counted.consents) == (3, 1, 1, 1)
    assert counted.missing == 2


def test_a_card_printed_for_another_year_counts_as_missing(here: MadeSchool) -> None:
    who = child(here, make_class(here))
    printing = asked(here, who)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        before = scalar(
            "insert into school_years (code, starts_on, ends_on)"
            " values (:code, '2024-09-01', '2025-05-31') returning id",
            code=f"20{here.id:02d}-x"[:9],
        )
    with transaction():
        services.finish_print(
            here.id, printing.print_id, printing.card_ids, b"%PDF", year_id=int(before), now=NOON
        )

    assert state(here, who.enrolment_id).state == "old"
