"""Money collected for others that went to them: recorded by item and month, never refunded alone.

What was passed on to the insurer is not the school's to give back: a run bills more for such a
month where the rules give more, and never less.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, MOMENT, MONTH, VND, execute, for_update, row, rows
from app.core.model import db
from app.core.money import Vnd, total_of
from app.core.period import Period
from app.core.text import nfc
from app.money.billing.errors import BadBatch, BatchNotFound
from app.money.billing.models import PassedOn, PassedOnBatch


@dataclass(frozen=True, slots=True)
class Collected:
    """An item and month that families paid for others."""

    item_id: int
    item: str
    item_en: str
    period: Period
    children: int
    billed: Vnd
    open: Vnd
    passed_children: int
    passed: Vnd

    @property
    def held(self) -> Vnd:
        """Paid by families and not passed on yet; below zero where the school paid ahead."""
        return self.billed - self.open - self.passed


@dataclass(frozen=True, slots=True)
class Child:
    """One child with what was billed for the item and month."""

    enrolment_id: int
    code: str
    full_name: str
    class_name: str
    quantity: int
    billed: Vnd
    open: Vnd
    #: the batch it went with, or None
    batch_id: int | None

    @property
    def is_paid(self) -> bool:
        """Whether nothing is open."""
        return not self.open


#: Each child with what it was billed for an item of others and a month, and what is still open.
_BILLED = (
    "select l.enrolment_id, l.item_id, l.service_period, sum(l.amount) as billed,"
    " sum(l.quantity) as quantity, sum(coalesce(o.open, 0)) as open"
    " from invoice_lines l left join (select e.invoice_line_id as line_id,"
    "   sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
    "  from accounts a join entries e on e.school_id = a.school_id"
    "   and a.id in (e.debit_id, e.credit_id)"
    "  where a.school_id = :school_id and a.code = 'receivable' and e.invoice_line_id is not null"
    "  group by e.invoice_line_id) o on o.line_id = l.id"
    " where l.school_id = :school_id and l.category = 'collect_for' {only}"
    " group by l.enrolment_id, l.item_id, l.service_period having sum(l.amount) <> 0"
)


def collected(school_id: int) -> list[Collected]:
    """Every item and month collected for others, the newest month first."""
    found = rows(
        "select b.item_id, i.name as item, i.name_en as item_en, b.service_period as period,"
        " count(*) as children, sum(b.billed) as billed, sum(b.open) as open,"
        " count(g.id) as passed_children, sum(coalesce(g.amount, 0)) as passed"
        f" from ({_BILLED.format(only='')}) b join fee_items i on i.id = b.item_id"
        " left join (select x.id, x.enrolment_id, x.amount, t.item_id, t.service_period"
        "  from passed_on x join passed_on_batches t on t.school_id = x.school_id"
        "   and t.id = x.batch_id and t.cancelled_at is null where x.school_id = :school_id) g"
        "  on g.enrolment_id = b.enrolment_id and g.item_id = b.item_id"
        "  and g.service_period = b.service_period"
        " group by b.item_id, i.name, i.name_en, b.service_period"
        " order by b.service_period desc, b.item_id",
        types={"period": MONTH, "billed": VND, "open": VND, "passed": VND},
        school_id=school_id,
    )
    return [
        Collected(
            **{
                **one._asdict(),
                "children": int(one.children),
                "passed_children": int(one.passed_children),
            }
        )
        for one in found
    ]


def children_of(school_id: int, item_id: int, period: Period) -> list[Child]:
    """The children billed for an item and month, in the order of the class lists."""
    only = "and l.item_id = :item and l.service_period = :period"
    found = rows(
        "select b.enrolment_id, s.code, s.full_name,"
        " coalesce((select c.name from placements p join classes c on c.id = p.class_id"
        "  where p.school_id = e.school_id and p.enrolment_id = e.id"
        "  order by p.starts_on desc, p.id desc limit 1), '') as class_name,"
        " b.quantity, b.billed, b.open, g.batch_id"
        f" from ({_BILLED.format(only=only)}) b"
        " join enrolments e on e.school_id = :school_id and e.id = b.enrolment_id"
        " join students s on s.id = e.student_id"
        " left join (select x.enrolment_id, x.batch_id from passed_on x"
        "  join passed_on_batches t on t.school_id = x.school_id and t.id = x.batch_id"
        "   and t.cancelled_at is null and t.item_id = :item and t.service_period = :period"
        "  where x.school_id = :school_id) g on g.enrolment_id = b.enrolment_id"
        " order by class_name, s.sort_key",
        types={"billed": VND, "open": VND},
        school_id=school_id,
        item=item_id,
        period=period.number,
    )
    return [Child(**{**one._asdict(), "quantity": int(one.quantity)}) for one in found]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was passed on at once."""

    id: int
    passed_on: date
    recipient: str
    paper_no: str
    children: int
    amount: Vnd
    recorded_by: str
    recorded_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None
    cancel_reason: str | None


def batches_of(school_id: int, item_id: int, period: Period) -> list[Batch]:
    """What was passed on of an item and month, the newest first, with what was taken back."""
    return [
        Batch(*one)
        for one in rows(
            "select id, passed_on, recipient, paper_no, children, amount, recorded_by,"
            " recorded_at, cancelled_by, cancelled_at, cancel_reason from passed_on_batches"
            " where school_id = :school_id and item_id = :item and service_period = :period"
            " order by id desc",
            types={
                "passed_on": DAY,
                "amount": VND,
                "recorded_at": MOMENT,
                "cancelled_at": MOMENT,
            },
            school_id=school_id,
            item=item_id,
            period=period.number,
        )
    ]


def pass_on(
    school_id: int,
    item_id: int,
    period: Period,
    enrolment_ids: Collection[int],
    *,
    passed_on: date,
    recipient: str,
    paper_no: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Record that what these children were billed went to whom it belongs; the batch.

    Refuses no child, one without a bill of the item and month, one passed on before, no recipient,
    and a day to come. Holds the school's billing. The caller commits.
    """
    execute(f"select id from schools where id = :school_id{for_update()}", school_id=school_id)
    known = {one.enrolment_id: one for one in children_of(school_id, item_id, period)}
    wanted = sorted(set(enrolment_ids))
    who = " ".join(nfc(recipient).split())[:160]
    if not wanted or any(one not in known for one in wanted):
        raise BadBatch(_("Tick children who were billed for this month."))
    if any(known[one].batch_id is not None for one in wanted):
        raise BadBatch(_("Some of these children were passed on before. Open the page again."))
    if any(known[one].billed <= Vnd(0) for one in wanted):
        raise BadBatch(_("One of these children has nothing to pass on."))
    if not who:
        raise BadBatch(_("Say to whom the money went."))
    if passed_on > clock.local_day(now):
        raise BadBatch(_("It cannot have gone on a day to come."))
    batch_id = int(
        db.session.scalar(
            insert(PassedOnBatch)
            .values(
                school_id=school_id,
                item_id=item_id,
                service_period=period,
                passed_on=passed_on,
                recipient=who,
                paper_no=" ".join(nfc(paper_no).split())[:60],
                children=len(wanted),
                amount=total_of([known[one].billed for one in wanted]),
                recorded_by=actor.name,
                recorded_at=now,
            )
            .returning(PassedOnBatch.id)
        )
        or 0
    )
    db.session.execute(
        insert(PassedOn),
        [
            {
                "school_id": school_id,
                "batch_id": batch_id,
                "enrolment_id": one,
                "amount": known[one].billed,
            }
            for one in wanted
        ],
    )
    audit.record(
        "passed_on.record",
        f"passed_on_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"fee_item:{item_id} {period} children:{len(wanted)}",
    )
    return batch_id


def cancel_batch(
    school_id: int, batch_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> None:
    """Take a record back: the money did not go, or came back. The rules then hold again.

    Refuses an unknown batch, one taken back before, and a reason under ten letters. The caller
    commits.
    """
    said = " ".join(nfc(reason).split())[:200]
    if len(said) < 10:
        raise BadBatch(_("Say why, in at least ten letters."))
    found = row(
        "select cancelled_at from passed_on_batches where school_id = :school_id and id = :id"
        + for_update(),
        school_id=school_id,
        id=batch_id,
    )
    if found is None:
        raise BatchNotFound
    if found.cancelled_at is not None:
        raise BadBatch(_("This record was taken back before."))
    execute(
        "update passed_on_batches set cancelled_by = :name, cancelled_at = :now,"
        " cancel_reason = :reason where school_id = :school_id and id = :id",
        school_id=school_id,
        id=batch_id,
        name=actor.name,
        now=now,
        reason=said,
    )
    audit.record(
        "passed_on.cancel",
        f"passed_on_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=said,
    )


def is_passed_on(school_id: int, invoice_id: int) -> bool:
    """Whether money of a bill's items and months went on."""
    found = rows(
        "select 1 from invoice_lines l join passed_on g on g.school_id = l.school_id"
        "  and g.enrolment_id = l.enrolment_id"
        " join passed_on_batches t on t.school_id = g.school_id and t.id = g.batch_id"
        "  and t.cancelled_at is null and t.item_id = l.item_id"
        "  and t.service_period = l.service_period"
        " where l.school_id = :school_id and l.invoice_id = :invoice limit 1",
        school_id=school_id,
        invoice=invoice_id,
    )
    return bool(found)
