"""Reading money that came in: payments, what waits for a child, notices to look at, tills."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from app.core import clock
from app.core.db import DAY, MOMENT, VND, in_chunks, row, rows, scalar
from app.core.errors import DomainError
from app.core.ids import read_student_code
from app.core.money import ZERO, Vnd
from app.core.text import fold, normal_phone
from app.money import billing, receipts
from app.money.payments import gateways
from app.money.payments.adapters import casso, sepay
from app.money.payments.errors import PaymentNotFound
from app.money.payments.posting import SANE_TIMES, SMALLEST_SANE
from app.money.receipts import ReceiptRow
from app.people import students

Record = Row[*tuple[Any, ...]]

PAGE_SIZE: Final = 50
#: filters of the bank page
STATES: Final = ("all", "suspense", "matched", "moved", "returned")


# Payments


@dataclass(frozen=True, slots=True)
class MatchedChild:
    """A child a payment was given to, with its part."""

    student_id: int
    code: str
    full_name: str
    request_id: int | None
    amount: Vnd
    rule: str
    matched_by: str
    matched_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that reached the school, with its children and papers."""

    id: int
    school_id: int
    provider: str
    channel_id: int
    external_id: str
    method: str
    #: account, provider or till (M11)
    proof: str
    amount: Vnd
    surcharge: Vnd
    occurred_at: datetime
    received_at: datetime
    value_on: date
    booked_on: date
    payer: str | None
    text: str
    bank_ref: str
    bank_account_id: int | None
    till_id: int | None
    matched: Vnd
    #: what went back so far, a card's surcharge included
    returned: Vnd
    #: what of it is no family's, by a person's word
    moved: Vnd = ZERO
    children: tuple[MatchedChild, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()

    @property
    def state(self) -> str:
        """As in `v_payment`, but `returned` for refunds and reversals, `moved` for no family's."""
        if self.returned >= self.amount:
            return "returned"
        if self.moved:
            return "moved"
        if self.matched >= self.amount:
            return "matched"
        return "partly_matched" if self.matched else "suspense"

    @property
    def live_receipt(self) -> ReceiptRow | None:
        """The paper that holds for this payment now."""
        return next((paper for paper in reversed(self.receipts) if paper.state == "live"), None)

    @property
    def money_state(self) -> str:
        """The four cells: `provider`, `account` or `receipted`."""
        if self.live_receipt is not None:
            return "receipted"
        return "provider" if self.proof == "provider" else "account"

    def amount_of(self, student_id: int) -> Vnd:
        """The part of one child."""
        return Vnd(sum(c.amount.dong for c in self.children if c.student_id == student_id))


_PAYMENT: Final = (
    "select p.id, p.school_id, p.provider, p.channel_id, p.external_id, p.method, p.proof,"
    " p.amount, p.surcharge, p.occurred_at, p.received_at, p.value_on, p.booked_on, p.payer,"
    " p.text, p.bank_ref, p.bank_account_id, p.till_id,"
    " coalesce((select sum(m.amount) from v_matching m where m.school_id = p.school_id"
    "  and m.payment_id = p.id), 0) as matched,"
    " coalesce((select sum(r.amount) from reversals r where r.school_id = p.school_id"
    "  and r.payment_id = p.id), 0) as returned,"
    " coalesce((select sum(v.amount) from v_movement v where v.school_id = p.school_id"
    "  and v.cause_kind = 'payment' and v.cause_id = p.id), 0) as moved"
    " from payments p where p.school_id = :school_id"
)
_PAYMENT_TYPES: Final = {
    "amount": VND,
    "surcharge": VND,
    "occurred_at": MOMENT,
    "received_at": MOMENT,
    "value_on": DAY,
    "booked_on": DAY,
    "matched": VND,
    "returned": VND,
    "moved": VND,
}
_IS_MATCHED: Final = (
    "exists (select 1 from v_matching m where m.school_id = p.school_id and m.payment_id = p.id)"
)
_IS_RETURNED: Final = (
    "coalesce((select sum(r.amount) from reversals r where r.school_id = p.school_id"
    " and r.payment_id = p.id), 0) >= p.amount"
)
_IS_MOVED: Final = (
    "exists (select 1 from v_movement v where v.school_id = p.school_id"
    " and v.cause_kind = 'payment' and v.cause_id = p.id)"
)
_IS_WAITING: Final = f"not {_IS_MATCHED} and not {_IS_RETURNED} and not {_IS_MOVED}"


def get_payment(school_id: int, payment_id: int) -> PaymentRow:
    """One payment of the school, or PaymentNotFound."""
    found = _payments(school_id, " and p.id = :id", id=payment_id)
    if not found:
        raise PaymentNotFound
    return found[0]


def payments_by_id(school_id: int, payment_ids: Collection[int]) -> list[PaymentRow]:
    """Some payments of the school, in the order of their numbers."""
    if not payment_ids:
        return []
    return _payments(school_id, " and p.id in :ids order by p.id", ids=list(payment_ids))


def payments_of_student(
    school_id: int, student_id: int, *, bank_account_id: int | None = None
) -> list[PaymentRow]:
    """Payments given to a child, newest first; only for one receiving account when given."""
    account = ""
    parameters: dict[str, Any] = {"rows": list(students.rows_of([student_id]))}
    if bank_account_id is not None:
        account = (
            " and exists (select 1 from payment_requests q where q.school_id = c.school_id"
            " and q.id = c.request_id and q.bank_account_id = :account)"
        )
        parameters["account"] = bank_account_id
    return _payments(
        school_id,
        " and p.id in (select c.payment_id from v_matching c where c.school_id = :school_id"
        f" and c.student_id in :rows{account}) order by p.id desc",
        **parameters,
    )


def list_credits(
    school_id: int, *, state: str = "all", page: int = 1
) -> tuple[list[PaymentRow], int]:
    """Money that came without cash, newest first: one page of it, and how many there are."""
    where = " and p.method <> 'cash'"
    if state == "suspense":
        where += f" and {_IS_WAITING}"
    elif state == "matched":
        where += f" and {_IS_MATCHED} and not {_IS_RETURNED}"
    elif state == "moved":
        where += f" and {_IS_MOVED}"
    elif state == "returned":
        where += f" and {_IS_RETURNED}"
    found = _payments(
        school_id,
        f"{where} order by p.id desc limit :limit offset :offset",
        limit=PAGE_SIZE,
        offset=(max(page, 1) - 1) * PAGE_SIZE,
    )
    count = scalar(
        f"select count(*) from payments p where p.school_id = :school_id{where}",
        school_id=school_id,
    )
    return found, int(count)


def recent_cash(school_id: int, till_id: int, *, limit: int = 4) -> list[PaymentRow]:
    """The last payments taken at a till, newest first."""
    return _payments(
        school_id,
        " and p.till_id = :till order by p.id desc limit :limit",
        till=till_id,
        limit=limit,
    )


def _payments(school_id: int, where: str, **parameters: Any) -> list[PaymentRow]:
    found = rows(_PAYMENT + where, types=_PAYMENT_TYPES, school_id=school_id, **parameters)
    ids = [payment.id for payment in found]
    children = _children_of(school_id, ids)
    papers: dict[int, list[ReceiptRow]] = {}
    for paper in receipts.receipts_of_payments(school_id, ids):
        papers.setdefault(paper.payment_id, []).append(paper)
    return [
        PaymentRow(
            **payment._asdict(),
            children=tuple(children.get(payment.id, ())),
            receipts=tuple(papers.get(payment.id, ())),
        )
        for payment in found
    ]


def _children_of(school_id: int, payment_ids: Collection[int]) -> dict[int, list[MatchedChild]]:
    if not payment_ids:
        return {}
    found = rows(
        "select m.payment_id, m.student_id, s.code, s.full_name, m.request_id, m.amount, m.rule,"
        " m.matched_by, m.matched_at from v_matching m join students s on s.id = m.student_id"
        " where m.school_id = :school_id and m.payment_id in :payments order by m.id",
        types={"amount": VND, "matched_at": MOMENT},
        school_id=school_id,
        payments=list(payment_ids),
    )
    result: dict[int, list[MatchedChild]] = {}
    for payment_id, *child in found:
        result.setdefault(payment_id, []).append(MatchedChild(*child))
    return result


# What waits for its child


@dataclass(frozen=True, slots=True)
class SuspenseItem:
    """Money whose child is not known, with the reason as a stable word."""

    payment: PaymentRow
    #: no_code, unknown_code, other_school, several_codes, other_account, odd_amount, amount_differs
    reason: str
    #: references read in the text
    references: tuple[str, ...]
    #: the one child the text names, when it names one
    request: billing.Request | None
    due: Vnd
    #: the school whose code the text names, when it is another one
    other_school: str = ""

    def age(self, today: date) -> int:
        """Days since the bank's day."""
        return (today - self.payment.value_on).days


def suspense_items(school_id: int) -> list[SuspenseItem]:
    """All money of the school whose child is unknown, oldest first."""
    waiting = _payments(school_id, f" and {_IS_WAITING} order by p.value_on, p.id")
    read = [tuple(billing.find_references(p.text or p.bank_ref)) for p in waiting]
    named = {code for codes in read for code in codes}
    known = billing.requests_by_reference(school_id, named)
    foreign = _schools_of(named - set(known))
    return [
        _suspense(payment, codes, [known[code] for code in codes if code in known], foreign)
        for payment, codes in zip(waiting, read, strict=True)
    ]


def _schools_of(codes: Collection[str]) -> dict[str, str]:
    """The schools of the area whose codes these are, by the area-wide look-up."""
    return {
        one.reference: one.name
        for chunk in in_chunks(codes)
        for one in rows(
            "select c.reference, u.name from payment_codes c join schools s on s.id = c.school_id"
            " join organisation_units u on u.id = s.unit_id where c.reference in :codes",
            codes=chunk,
        )
    }


def _suspense(
    payment: PaymentRow,
    codes: tuple[str, ...],
    hits: Sequence[billing.Request],
    foreign: Mapping[str, str],
) -> SuspenseItem:
    request = hits[0] if len(hits) == 1 else None
    due = billing.due(request) if request is not None else ZERO
    if payment.method in ("card", "wallet"):
        reason = "amount_differs"
    elif not codes:
        reason = "no_code"
    elif not hits:
        reason = "other_school" if any(code in foreign for code in codes) else "unknown_code"
    elif request is None:
        reason = "several_codes"
    elif payment.bank_account_id not in (None, request.bank_account_id):
        reason = "other_account"
    elif due and not SMALLEST_SANE <= payment.amount <= Vnd(SANE_TIMES * due.dong):
        reason = "odd_amount"
    else:
        reason = "unclear"
    school = next((foreign[code] for code in codes if code in foreign), "")
    return SuspenseItem(payment, reason, codes, request, due, school)


def suspense_of_amount(school_id: int, amount: Vnd) -> list[PaymentRow]:
    """Unknown money of exactly this amount: perhaps the transfer a family speaks of at the desk."""
    return _payments(
        school_id,
        f" and p.amount = :amount and {_IS_WAITING} order by p.id",
        amount=amount,
    )


# Notices that need a person


@dataclass(frozen=True, slots=True)
class AttentionNotice:
    """A signed notice that nothing could be posted from."""

    id: int
    provider: str
    channel: str
    external_id: str
    received_at: datetime
    #: needs_attention or unverified
    state: str
    #: a stable word, perhaps with a detail behind a colon
    reason: str
    amount: Vnd | None
    text: str

    @property
    def cause(self) -> str:
        """The word of the reason without its detail."""
        return self.reason.partition(":")[0]


def attention_notices(school_id: int, *, limit: int = 50) -> list[AttentionNotice]:
    """Notices of the school that were signed and not posted, newest first."""
    found = rows(
        "select n.id, n.provider, n.channel, n.external_id, n.received_at, o.state, o.reason,"
        " p.body from inbox_notices n"
        " join inbox_outcomes o on o.notice_id = n.id and o.id = (select max(l.id)"
        "  from inbox_outcomes l where l.notice_id = n.id)"
        " left join inbox_payloads p on p.notice_id = n.id"
        " where n.school_id = :school_id and o.state in ('needs_attention', 'unverified')"
        " order by n.id desc limit :limit",
        types={"received_at": MOMENT},
        school_id=school_id,
        limit=limit,
    )
    notices = []
    for notice in found:
        values = notice._asdict()
        amount, text = _told(notice.provider, values.pop("body"))
        notices.append(AttentionNotice(**values, amount=amount, text=text))
    return notices


def _told(provider: str, body: Any) -> tuple[Vnd | None, str]:
    """The amount and text of a kept notice, as far as they can be read."""
    if body is None:
        return None, ""
    try:
        if provider == "sepay":
            transfer = sepay.parse(bytes(body))
            return transfer.amount, transfer.text
        if provider == "casso":
            first = casso.parse(bytes(body))[0]
            return first.amount, first.text
        if provider in gateways.METHODS:
            event = gateways.parse(provider, bytes(body), clock.now())
            return event.amount, event.text
        about = json.loads(bytes(body))["data"]["object"]
        value = about.get("amount_total", about.get("amount"))
        is_dong = about.get("currency") == "vnd" and type(value) is int
        currency = str(about.get("currency") or "").upper()
        if is_dong:
            return Vnd(value), ""
        return None, f"{value} {currency}" if value is not None else ""
    except (DomainError, ValueError, LookupError, TypeError, AttributeError):
        return None, ""


# The cash desk


@dataclass(frozen=True, slots=True)
class TillInfo:
    """A drawer."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class TillDay:
    """What a drawer took in a day."""

    amount: Vnd
    payments: int


def tills_of(school_id: int) -> list[TillInfo]:
    """The drawers of the school."""
    found = rows(
        "select id, name from tills where school_id = :school_id order by id", school_id=school_id
    )
    return [TillInfo(*till) for till in found]


def till_today(school_id: int, till_id: int, day: date) -> TillDay:
    """The cash of a day in one drawer, what went back taken off."""
    found = row(
        "select count(*) as payments, coalesce(sum(p.amount), 0) - coalesce(sum((select"
        " sum(r.amount) from reversals r where r.school_id = p.school_id"
        " and r.payment_id = p.id)), 0) as amount"
        " from payments p where p.school_id = :school_id and p.booked_on = :day"
        " and p.till_id = :till",
        school_id=school_id,
        day=day,
        till=till_id,
    )
    assert found is not None  # noqa: S101 - an aggregate always gives a row
    return TillDay(Vnd(int(found.amount)), int(found.payments))


@dataclass(frozen=True, slots=True)
class DeskChild:
    """A child as the desk finds it."""

    student_id: int
    code: str
    full_name: str
    class_name: str
    birth_date: date
    due: Vnd


_CHILD: Final = (
    "select s.id as student_id, s.code, s.full_name, coalesce((select c.name from enrolments e"
    "  join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
    "  join classes c on c.school_id = p.school_id and c.id = p.class_id"
    "  where e.school_id = :school_id and e.student_id = s.id"
    "  order by p.starts_on desc, p.id desc limit 1), '') as class_name, s.birth_date"
    " from students s where s.id in (select e.student_id from enrolments e"
    "  where e.school_id = :school_id)"
)


def find_child(school_id: int, code: str) -> DeskChild | None:
    """A child of the school by its code, former pupils too."""
    found = _desk_children(school_id, " and s.code = :code", code=code)
    return found[0] if found else None


def children_of(school_id: int, student_ids: Collection[int]) -> list[DeskChild]:
    """Children of the school by number."""
    return _desk_children(school_id, " and s.id in :ids", ids=list(student_ids))


def search_children(school_id: int, text: str, *, limit: int = 12) -> list[DeskChild]:
    """Children by name without accents, code, transfer reference, receipt number or phone."""
    typed = text.strip()
    code = read_student_code(typed)
    if code:
        return _desk_children(school_id, " and s.code = :code", code=code)
    references = billing.find_references(typed)
    if references:
        requests = billing.requests_by_reference(school_id, references)
        ids = [request.student_id for request in requests.values()]
        return _desk_children(school_id, " and s.id in :ids", ids=ids) if ids else []
    phone = normal_phone(typed)
    if phone:
        return _desk_children(
            school_id,
            " and s.id in (select r.student_id from guardianships r join guardians g"
            " on g.id = r.guardian_id where g.phone = :phone) order by s.sort_key limit :limit",
            phone=phone,
            limit=limit,
        )
    number = typed.rpartition("/")[2].strip()
    if number.isascii() and number.isdigit():
        return _desk_children(
            school_id,
            " and s.id in (select m.student_id from receipts r join matchings m"
            "  on m.school_id = r.school_id and m.payment_id = r.payment_id"
            "  where r.school_id = :school_id and r.number = :number)"
            " order by s.sort_key limit :limit",
            number=int(number[-9:]),
            limit=limit,
        )
    words = fold(typed).split()
    if not words:
        return []
    likes = {f"w{n}": f"% {_plain(word)}%" for n, word in enumerate(words[:6])}
    where = "".join(f" and ' ' || s.search_key like :{name} escape '!'" for name in likes)
    return _desk_children(
        school_id, f"{where} order by s.sort_key limit :limit", **likes, limit=limit
    )


def _plain(word: str) -> str:
    return word.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def siblings_of(school_id: int, student_id: int, day: date) -> list[DeskChild]:
    """Other children of the same guardians at this school."""
    return _desk_children(
        school_id,
        " and s.id <> :student and s.id in (select o.student_id from guardianships o"
        "  join guardianships g on g.guardian_id = o.guardian_id and g.student_id = :student"
        "  where (o.ends_on is null or o.ends_on > :day)"
        "  and (g.ends_on is null or g.ends_on > :day))"
        " order by s.sort_key",
        student=student_id,
        day=day,
    )


def _desk_children(school_id: int, where: str, **parameters: Any) -> list[DeskChild]:
    found = rows(_CHILD + where, types={"birth_date": DAY}, school_id=school_id, **parameters)
    open_now = billing.open_lines(school_id, [child.student_id for child in found])
    due = {student: sum(line.open.dong for line in lines) for student, lines in open_now.items()}
    return [DeskChild(**child._asdict(), due=Vnd(due.get(child.student_id, 0))) for child in found]


def owners_of_lines(school_id: int, line_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Whose billed lines these are, and on which account their money is asked for."""
    if not line_ids:
        return {}
    found = rows(
        "select l.id, coalesce(s.merged_into_id, s.id) as student_id, l.bank_account_id"
        " from invoice_lines l join invoices v"
        " on v.school_id = l.school_id and v.id = l.invoice_id"
        " join students s on s.id = v.student_id"
        " where l.school_id = :school_id and l.id in :lines",
        school_id=school_id,
        lines=list(line_ids),
    )
    return {line.id: (line.student_id, line.bank_account_id) for line in found}


#: how a paper names the one who pays; papers are Vietnamese by law
RELATIONS: Final = {
    "mother": "mẹ",
    "father": "bố",
    "grandmother": "bà",
    "grandfather": "ông",
}


def usual_payer(student_id: int, day: date) -> str:
    """The first guardian of a child with the relation, `Phạm Thị Hoa (mẹ)`; empty when unknown."""
    found = row(
        "select g.full_name, r.relation from guardianships r join guardians g"
        " on g.id = r.guardian_id where r.student_id = :student and r.starts_on <= :day"
        " and (r.ends_on is null or r.ends_on > :day)"
        " order by case when r.is_primary then 0 else 1 end, r.id limit 1",
        student=student_id,
        day=day,
    )
    if found is None:
        return ""
    relation = RELATIONS.get(found.relation)
    return f"{found.full_name} ({relation})" if relation else str(found.full_name)


def next_receipt_number(school_id: int, series: str) -> int:
    """The number the next receipt will most likely take."""
    last = scalar(
        "select last_number from receipt_counters where school_id = :school_id"
        " and series = :series",
        school_id=school_id,
        series=series,
    )
    return int(last or 0) + 1


def has_open_card_attempt(school_id: int, student_ids: Collection[int], since: datetime) -> bool:
    """Whether somebody is paying for one of the children by card just now."""
    if not student_ids:
        return False
    return bool(
        scalar(
            "select count(*) from payment_attempts a join payment_requests q"
            " on q.school_id = a.school_id and q.id = a.request_id"
            " where a.school_id = :school_id and q.student_id in :students"
            " and (a.state = 'processing' or (a.state = 'open' and a.session_ref is not null"
            "  and a.created_at > :since))",
            school_id=school_id,
            students=list(student_ids),
            since=since - timedelta(minutes=30),
        )
    )
