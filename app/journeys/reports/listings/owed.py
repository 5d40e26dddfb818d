"""What the school owes to families: credit it holds for children, and what went back to them."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.clock import local_day
from app.core.db import MOMENT, rows, scalar
from app.core.money import Vnd
from app.journeys.reports.listings import pupils
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report
from app.money.payouts.models import Kind as PayoutKind
from app.money.payouts.models import Step
from app.money.payouts.sentences import kind_words, step_words


def read_credits(asked: Asked) -> Listing:
    """Children with credit at the end of a day, by class and name; the sum is what is owed."""
    found = rows(
        f"select s.code, s.full_name, c.credit, c.since, {pupils.NEWEST_CLASS} as class_name"
        " from (select student_id, -sum(amount) as credit, max(posted_at) as since from v_entry"
        "  where school_id = :school_id and account = 'credit' and posted_at < :end"
        "  group by student_id having sum(amount) <> 0) c"
        " join students s on s.id = c.student_id order by class_name, s.sort_key, s.id",
        types={"since": MOMENT},
        school_id=asked.school_id,
        end=asked.end,
    )
    held = scalar(
        "select coalesce(-sum(amount), 0) from v_entry where school_id = :school_id"
        " and account = 'credit' and posted_at < :end",
        school_id=asked.school_id,
        end=asked.end,
    )
    return Listing(
        columns=(
            *pupils.columns(),
            Column("since", _("Last change"), Kind.DAY),
            Column("credit", _("Held for the family"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (*pupils.named(one), local_day(one.since), Vnd(int(one.credit))),
                pupils.page(one),
            )
            for one in found
        ),
        meaning=_(
            "Money paid beyond the bills, and what bills gave back. The next bill uses it, or it"
            " goes back to the family; nobody loses it."
        ),
        in_ledger=Vnd(int(held)),
        checked="credit",
    )


def read_given_back(asked: Asked) -> Listing:
    """Payouts approved in these days with what became of them since."""
    found = rows(
        "select p.id, p.code, p.kind, p.amount, p.holder, p.reason, s.full_name, a.at,"
        " (select t.step from payout_steps t where t.school_id = p.school_id"
        "   and t.payout_id = p.id order by t.id desc limit 1) as step"
        " from payout_steps a"
        " join payouts p on p.school_id = a.school_id and p.id = a.payout_id"
        " join students s on s.id = p.student_id"
        " where a.school_id = :school_id and a.step = 'approved' and a.at >= :start and a.at < :end"
        " order by a.at, p.id",
        types={"at": MOMENT},
        **asked.span,
    )
    booked = scalar(
        "select coalesce(sum(e.amount), 0) from ledger_events v"
        " join entries e on e.school_id = v.school_id and e.event_id = v.id"
        " where v.school_id = :school_id and v.kind = 'payout_approved'"
        " and v.posted_at >= :start and v.posted_at < :end",
        **asked.span,
    )
    return Listing(
        columns=(
            Column("code", _("Code"), is_name=True),
            Column("approved", _("Approved"), Kind.DAY),
            Column("pupil", _("Pupil")),
            Column("kind", _("What for")),
            Column("holder", _("Account holder")),
            Column("reason", _("Reason")),
            Column("state", _("State")),
            Column("amount", _("Amount"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (
                    one.code,
                    local_day(one.at),
                    one.full_name,
                    kind_words(PayoutKind(one.kind)),
                    one.holder,
                    one.reason,
                    step_words(Step(one.step)),
                    Vnd(int(one.amount)),
                ),
                ("payouts.show_payout", {"payout_id": one.id}),
            )
            for one in found
        ),
        meaning=_("What was approved in these days; the state is that of today."),
        in_ledger=Vnd(int(booked)),
        checked="amount",
    )


CREDITS = Report(
    "credits",
    lambda: _("Held for families"),
    lambda: _("Credit of each child: what the school owes if all left today"),
    read_credits,
    "day",
    in_words=True,
)
GIVEN_BACK = Report(
    "given-back",
    lambda: _("Money given back"),
    lambda: _("Refunds, support, credit passed on, debts given up"),
    read_given_back,
    "span",
    is_wide=True,
    in_words=True,
)
