"""The paper is wrong and the money is right: asked by one, decided by another, no entry made."""

from __future__ import annotations

import pytest
from flask import Flask

from app.audit import Actor
from app.core import clock, scope
from app.core.db import scalar, transaction
from app.core.errors import DomainError
from app.core.money import Vnd
from app.money import receipts
from app.money.payments import cash, papers
from app.money.receipts.errors import ReceiptNotFound
from app.people.access.models import Role
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, PRINCIPAL, make_school
from tests.factories.staff import signed_in, token, words
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
WHY = "Ghi nhầm tên người nộp"


@pytest.fixture
def child() -> Billed:
    found = billed_child()
    with scope.opened(scope.one_school(found.school.id)), transaction():
        cash.take_cash(
            found.school.id,
            requests=[found.request],
            ticked=list(found.lines),
            amount=Vnd(found.due),
            given=Vnd(found.due),
            payer="Nguyễn Văn Nhầm",
            till_id=found.school.till_id,
            key="paper-1",
            actor=ACCOUNTANT,
            now=clock.now(),
        )
    return found


def papers_of(child: Billed) -> list[receipts.ReceiptRow]:
    today = clock.today()
    with scope.opened(scope.one_school(child.school.id)):
        found, _count = receipts.list_receipts(
            child.school.id, first=today, last=today, text="", offset=0, limit=20
        )
    return sorted(found, key=lambda one: one.number)


def ask(
    child: Billed, *, payer: str = "Trần Thị Đúng", reason: str = WHY, actor: Actor = ACCOUNTANT
) -> int:
    receipt = papers_of(child)[-1]
    with scope.opened(scope.one_school(child.school.id)), transaction():
        return papers.ask_for_paper(
            child.school.id,
            receipt.id,
            payer=payer,
            payer_address=receipt.paper.payer_address,
            reason=reason,
            actor=actor,
            now=clock.now(),
        )


def decide(child: Billed, change: int, *, yes: bool = True, actor: Actor = PRINCIPAL) -> object:
    with scope.opened(scope.one_school(child.school.id)), transaction():
        return papers.decide_paper(
            child.school.id, change, is_approved=yes, actor=actor, now=clock.now()
        )


def entries(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return int(
            scalar(
                "select count(*) from entries where school_id = :school_id",
                school_id=child.school.id,
            )
        )


def test_the_new_paper_names_the_old_one_which_says_void_and_no_entry_is_made(
    child: Billed,
) -> None:
    before = entries(child)
    decide(child, ask(child))
    old, new = papers_of(child)
    assert (old.state, new.state) == ("replaced", "live")
    assert (old.amount, old.paper.payer) == (new.amount, "Nguyễn Văn Nhầm")
    assert (new.paper.payer, new.paper.replaces) == ("Trần Thị Đúng", old.full_number)
    assert new.paper.children == old.paper.children
    assert entries(child) == before
    assert_books_hold()


def test_the_new_paper_can_be_renewed_again(child: Billed) -> None:
    decide(child, ask(child))
    decide(child, ask(child, payer="Trần Thị Đúng Hẳn"))
    assert [one.state for one in papers_of(child)] == ["replaced", "replaced", "live"]
    assert_books_hold()


def test_who_asked_does_not_decide(child: Billed) -> None:
    change = ask(child)
    with pytest.raises(papers.OwnPaper):
        decide(child, change, actor=ACCOUNTANT)
    assert len(papers_of(child)) == 1


def test_a_refused_paper_stays_and_may_be_asked_for_again(child: Billed) -> None:
    assert decide(child, ask(child), yes=False) is None
    assert [one.state for one in papers_of(child)] == ["live"]
    decide(child, ask(child))
    assert len(papers_of(child)) == 2
    assert_books_hold()


def test_it_is_decided_once(child: Billed) -> None:
    change = ask(child)
    decide(child, change)
    with pytest.raises(papers.PaperDecided):
        decide(child, change)
    assert len(papers_of(child)) == 2


@pytest.mark.parametrize(
    ("payer", "reason"),
    [("Nguyễn Văn Nhầm", WHY), ("", WHY), ("Trần Thị Đúng", "sai"), ("Trần Thị Đúng", "   ")],
    ids=["says the same", "nobody", "too short", "blank"],
)
def test_a_question_without_a_change_or_a_reason_is_refused(
    child: Billed, payer: str, reason: str
) -> None:
    with pytest.raises(papers.PaperUnchanged):
        ask(child, payer=payer, reason=reason)


def test_one_question_waits_at_a_time_and_a_replaced_paper_is_not_asked_about(
    child: Billed,
) -> None:
    first = papers_of(child)[0]
    change = ask(child)
    with pytest.raises(papers.PaperAsked):
        ask(child)
    decide(child, change)
    with (
        scope.opened(scope.one_school(child.school.id)),
        pytest.raises(papers.PaperNotLive),
        transaction(),
    ):
        papers.ask_for_paper(
            child.school.id,
            first.id,
            payer="Ai Đó",
            payer_address="",
            reason=WHY,
            actor=ACCOUNTANT,
            now=clock.now(),
        )


def test_a_paper_of_another_school_is_not_there(child: Billed) -> None:
    other = make_school()
    receipt = papers_of(child)[0]
    change = ask(child)
    with scope.opened(scope.one_school(other.id)), transaction():
        for deed in (
            lambda: papers.ask_for_paper(
                other.id,
                receipt.id,
                payer="Ai Đó",
                payer_address="",
                reason=WHY,
                actor=ACCOUNTANT,
                now=clock.now(),
            ),
            lambda: papers.decide_paper(
                other.id, change, is_approved=True, actor=PRINCIPAL, now=clock.now()
            ),
        ):
            with pytest.raises(DomainError) as refused:
                deed()
            assert isinstance(refused.value, ReceiptNotFound | papers.PaperChangeNotFound)


def test_the_accountant_asks_and_the_principal_finds_it_on_the_first_page(
    app: Flask, child: Billed
) -> None:
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    listed = accountant.get("/receipts")
    assert "Biên lai ghi sai" in words(listed)
    address = f"/receipts/{papers_of(child)[0].id}/renew"
    page = accountant.get(address)
    form = {"csrf_token": token(page), "payer": "Trần Thị Đúng", "reason": "sai"}
    refused = accountant.post(address, data=form)
    assert refused.status_code == 422
    assert 'value="Trần Thị Đúng"' in refused.text
    asked = accountant.post(address, data={**form, "reason": WHY}, follow_redirects=True)
    assert "chờ người thứ hai" in words(asked)

    principal = signed_in(app, child.school.unit_id, Role.PRINCIPAL)
    assert "Biên lai chờ cấp lại" in words(principal.get("/today"))
    page = principal.get("/receipts/changes")
    with scope.opened(scope.one_school(child.school.id)):
        (change,) = papers.list_changes(child.school.id)
    answer = principal.post(
        f"/receipts/changes/{change.id}",
        data={"csrf_token": token(page), "answer": "yes"},
        follow_redirects=True,
    )
    assert "đã cấp lại số" in words(answer)
    assert [one.state for one in papers_of(child)] == ["replaced", "live"]
    assert_books_hold()
