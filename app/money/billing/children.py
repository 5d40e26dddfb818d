"""What a child's pages show of money, asked of fees and bills; given to the students' room."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from app.core.db import DAY, MONTH, rows, scalar
from app.core.i18n import language
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money.billing import queries
from app.money.fees.words import source_word
from app.people import students
from app.people.students.money import ChildBill, ChildState, Relief, Taken

#: How far money is proven, weakest first.
_PROOFS = ("provider", "account", "receipted")

# What paid a line: the account on the other side of the receivable says how far it is proven.
_PAID = """
select v.id as invoice_id, coalesce(s.merged_into_id, s.id) as student_id,
  case when l.document_kind = 'receipt' or other.code in ('credit', 'write_off') then 'receipted'
       when substr(other.code, 1, 9) = 'clearing:' then 'provider' else 'account' end as proof,
  sum(case when e.credit_id = a.id then e.amount else -e.amount end) as amount
from invoices v
join students s on s.id = v.student_id
join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id
join accounts a on a.school_id = v.school_id and a.code = 'receivable'
join entries e on e.invoice_line_id = l.id and a.id in (e.debit_id, e.credit_id)
join ledger_events k on k.id = e.event_id and k.kind <> 'invoice_issued'
join accounts other on other.id = case when e.debit_id = a.id then e.credit_id else e.debit_id end
where v.school_id = :school_id and v.student_id in :rows{month}
group by 1, 2, 3
"""


def month(school_id: int, today: date) -> Period:
    """The newest month with bills, or the month of today while there are none."""
    newest = scalar(
        "select max(billed_period) from invoices where school_id = :school_id", school_id=school_id
    )
    return Period.from_number(int(newest)) if newest else Period.of(today)


def percents(school_id: int, enrolment_ids: Collection[int], period: Period) -> dict[int, int]:
    """The largest percentage granted to each child in a month; none for those without."""
    if not enrolment_ids:
        return {}
    found = rows(
        "select x.enrolment_id, max(r.percent) as percent from exemptions x"
        " join exemption_policies p on p.id = x.policy_id and p.valid_from <= :last"
        "  and (p.valid_to is null or p.valid_to > :first)"
        " join exemption_rates r on r.policy_id = x.policy_id"
        " where x.school_id = :school_id and x.enrolment_id in :ids and x.first_period <= :month"
        " and (x.last_period is null or x.last_period >= :month) group by x.enrolment_id",
        school_id=school_id,
        ids=list(enrolment_ids),
        month=period,
        first=period.first_day,
        last=period.last_day,
    )
    return {child.enrolment_id: int(child.percent) for child in found}


def states(school_id: int, student_ids: Collection[int], period: Period) -> dict[int, ChildState]:
    """How far the bills of a month are paid; children without a bill are absent."""
    if not student_ids:
        return {}
    asked = rows(
        "select coalesce(s.merged_into_id, s.id) as student_id, sum(v.total) as total"
        " from invoices v join students s on s.id = v.student_id"
        " where v.school_id = :school_id and v.student_id in :rows"
        " and v.billed_period = :month group by 1",
        school_id=school_id,
        rows=list(students.rows_of(student_ids)),
        month=period,
    )
    paid: dict[int, dict[str, int]] = {}
    for part in _paid(school_id, student_ids, period):
        proofs = paid.setdefault(part.student_id, {})
        proofs[part.proof] = proofs.get(part.proof, 0) + int(part.amount)
    return {
        child.student_id: _state(Vnd(int(child.total)), paid.get(child.student_id, {}))
        for child in asked
    }


def _paid(school_id: int, student_ids: Collection[int], period: Period | None) -> Any:
    month: dict[str, Any] = {} if period is None else {"month": period}
    return rows(
        _PAID.format(month="" if period is None else " and v.billed_period = :month"),
        school_id=school_id,
        rows=list(students.rows_of(student_ids)),
        **month,
    )


def _state(asked: Vnd, proofs: dict[str, int]) -> ChildState:
    paid = Vnd(sum(proofs.values()))
    if asked <= ZERO:
        return ChildState("zero", asked, ZERO)
    if paid <= ZERO:
        return ChildState("unpaid", asked, ZERO)
    weakest = next((proof for proof in _PROOFS if proofs.get(proof, 0) > 0), "receipted")
    return ChildState(weakest, asked, paid)


def bills(school_id: int, student_id: int) -> list[ChildBill]:
    """All bills of a child at one school, newest first."""
    proofs: dict[int, dict[str, int]] = {}
    for part in _paid(school_id, [student_id], None):
        proofs.setdefault(part.invoice_id, {})[part.proof] = int(part.amount)
    return [
        ChildBill(
            id=bill.id,
            period=bill.billed_period,
            seq=bill.seq,
            total=bill.total,
            open=bill.open,
            due_on=bill.due_on,
            state=_state(bill.total, proofs.get(bill.id, {})),
        )
        for bill in queries.invoices_of(school_id, student_id)
    ]


def credit(school_id: int, student_id: int) -> Vnd:
    """Money the school holds for the child."""
    return queries.credits_of(school_id, [student_id]).get(student_id, ZERO)


def reliefs(school_id: int, enrolment_ids: Collection[int]) -> list[Relief]:
    """The exemptions of some stays at a school, newest first."""
    found = rows(
        "select x.id, p.name, p.legal_act, x.first_period, x.last_period, r.percent,"
        " i.name as item, i.name_en as item_en from exemptions x"
        " join exemption_policies p on p.id = x.policy_id"
        " join exemption_rates r on r.policy_id = p.id join fee_items i on i.id = r.item_id"
        " where x.school_id = :school_id and x.enrolment_id in :enrolments"
        " order by x.first_period desc, x.id desc, i.id",
        types={"first_period": MONTH, "last_period": MONTH},
        school_id=school_id,
        enrolments=list(enrolment_ids),
    )
    granted: dict[int, list[Any]] = {}
    for rate in found:
        granted.setdefault(rate.id, []).append(rate)
    return [
        Relief(
            policy=rates[0].name,
            legal_act=rates[0].legal_act,
            rates=tuple((_named(rate), int(rate.percent)) for rate in rates),
            first=rates[0].first_period,
            last=rates[0].last_period,
        )
        for rates in granted.values()
    ]


def taken(school_id: int, enrolment_id: int) -> list[Taken]:
    """The optional items of a stay, those that stand first."""
    found = rows(
        "select i.name as item, i.name_en as item_en, c.first_period, c.last_period, c.chosen_on,"
        " c.source from fee_choices c join fee_items i on i.id = c.item_id"
        " where c.school_id = :school_id and c.enrolment_id = :enrolment"
        " order by case when c.last_period is null then 0 else 1 end, i.id, c.first_period desc",
        types={"first_period": MONTH, "last_period": MONTH, "chosen_on": DAY},
        school_id=school_id,
        enrolment=enrolment_id,
    )
    return [
        Taken(_named(c), c.first_period, c.last_period, c.chosen_on, source_word(c.source))
        for c in found
    ]


def _named(found: Any) -> str:
    return str(found.item_en if language() == "en" else found.item)
