"""Series of receipts: no number missing, none twice, and a month's end that can be proved later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import local_day, start_of
from app.core.db import MOMENT, VND, rows, scalar
from app.core.errors import NotFound
from app.core.money import Vnd
from app.core.period import Period
from app.money.receipts.content import chain_hash, content_hash


class SeriesNotFound(NotFound):
    """The school issued nothing of this series then."""

    code = "receipt_series_not_found"


@dataclass(frozen=True, slots=True)
class Series:
    """All numbers of a school's series, from its first."""

    name: str
    #: the number the counter holds: the next one is one more
    last_number: int
    issued: int
    void: int
    replaced: int
    amount: Vnd
    #: numbers that no paper has, from and to
    gaps: tuple[tuple[int, int], ...]
    #: months with papers, newest first
    months: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class VoidPaper:
    """A number of the month that counts no longer."""

    number: int
    issued_at: datetime
    amount: Vnd
    reason: str
    approved_by: str
    #: the number that stands instead, empty when none does
    replaced_by: str


@dataclass(frozen=True, slots=True)
class MonthProof:
    """What a month issued of a series, from the end of the chain before to its own end."""

    series: str
    month: Period
    first: int
    last: int
    issued: int
    #: what the valid papers say was received
    live: int
    amount: Vnd
    papers: tuple[VoidPaper, ...]
    chain_before: str
    chain_end: str
    #: the chain was reckoned again from every stored paper and came to the same end
    is_proved: bool

    @property
    def is_whole(self) -> bool:
        """Whether no number between the first and the last is missing."""
        return self.issued == self.last - self.first + 1


def series_of(school_id: int) -> list[Series]:
    """The series of a school, newest first, each with the numbers it lacks."""
    counters = rows(
        "select series, last_number from receipt_counters where school_id = :school_id"
        " order by id desc",
        school_id=school_id,
    )
    found = rows(
        "select series, count(*) as issued,"
        " sum(case when state = 'void' then 1 else 0 end) as void,"
        " sum(case when state = 'replaced' then 1 else 0 end) as replaced,"
        " sum(case when state = 'live' then amount else 0 end) as amount, max(number) as newest"
        " from v_receipt where school_id = :school_id group by series",
        school_id=school_id,
    )
    sums = {one.series: one for one in found}
    ends = {one.series: int(one.newest) for one in found}
    spans = {
        one.series: (one.first, one.last)
        for one in rows(
            "select series, min(issued_at) as first, max(issued_at) as last from receipts"
            " where school_id = :school_id group by series",
            types={"first": MOMENT, "last": MOMENT},
            school_id=school_id,
        )
    }
    lacking = _lacking(school_id)
    return [
        Series(
            counter.series,
            counter.last_number,
            int(sums[counter.series].issued) if counter.series in sums else 0,
            int(sums[counter.series].void) if counter.series in sums else 0,
            int(sums[counter.series].replaced) if counter.series in sums else 0,
            Vnd(int(sums[counter.series].amount)) if counter.series in sums else Vnd(0),
            _to_the_end(
                lacking.get(counter.series, []), ends.get(counter.series, 0), counter.last_number
            ),
            _months(*spans[counter.series]) if counter.series in spans else (),
        )
        for counter in counters
    ]


def _lacking(school_id: int) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for one in rows(
        "select series, number, before from (select series, number, coalesce(lag(number)"
        "  over (partition by series order by number), 0) as before"
        "  from receipts where school_id = :school_id) n"
        " where number <> before + 1 order by series, number",
        school_id=school_id,
    ):
        found.setdefault(one.series, []).append((int(one.before) + 1, int(one.number) - 1))
    return found


def _to_the_end(
    gaps: Sequence[tuple[int, int]], newest: int, last_number: int
) -> tuple[tuple[int, int], ...]:
    """Numbers the counter gave out and no paper has are missing, too."""
    end = [(newest + 1, last_number)] if newest < last_number else []
    return (*gaps, *end)


def _months(first: datetime, last: datetime) -> tuple[Period, ...]:
    months = Period.of(local_day(first)).through(Period.of(local_day(last)))
    return tuple(reversed(months))


def month_proof(school_id: int, series: str, month: Period) -> MonthProof:
    """A month of a series proved from its stored papers. Raises SeriesNotFound for an empty one."""
    span = {"first": start_of(month.first_day), "end": start_of(month.next().first_day)}
    papers = rows(
        "select number, amount, content, content_hash, chain from receipts"
        " where school_id = :school_id and series = :series and issued_at >= :first"
        " and issued_at < :end order by number",
        types={"amount": VND},
        school_id=school_id,
        series=series,
        **span,
    )
    if not papers:
        raise SeriesNotFound
    before = scalar(
        "select chain from receipts where school_id = :school_id and series = :series"
        " and number = :number",
        school_id=school_id,
        series=series,
        number=papers[0].number - 1,
    )
    chain_before = str(before or "")
    chain, is_proved = chain_before, True
    for paper in papers:
        digest = content_hash(paper.content)
        chain = chain_hash(chain, series, paper.number, paper.amount.dong, digest)
        is_proved = is_proved and digest == paper.content_hash and chain == paper.chain
    voided = _voided(school_id, series, papers[0].number, papers[-1].number)
    gone = {paper.number for paper in voided}
    return MonthProof(
        series=series,
        month=month,
        first=papers[0].number,
        last=papers[-1].number,
        issued=len(papers),
        live=len(papers) - len(gone),
        amount=Vnd(sum(one.amount.dong for one in papers if one.number not in gone)),
        papers=voided,
        chain_before=chain_before,
        chain_end=papers[-1].chain,
        is_proved=is_proved,
    )


def _voided(school_id: int, series: str, first: int, last: int) -> tuple[VoidPaper, ...]:
    found = rows(
        "select r.number, r.issued_at, r.amount, coalesce(d.reason, '') as reason,"
        " coalesce(d.approved_by, '') as approved_by, n.series as new_series, n.number as new"
        " from receipts r"
        " left join receipt_voids d on d.school_id = r.school_id and d.receipt_id = r.id"
        " left join receipts n on n.school_id = r.school_id and n.replaces_id = r.id"
        " where r.school_id = :school_id and r.series = :series"
        " and r.number between :first and :last and (d.id is not null or n.id is not null)"
        " order by r.number, n.id",
        types={"issued_at": MOMENT, "amount": VND},
        school_id=school_id,
        series=series,
        first=first,
        last=last,
    )
    by_number = {
        one.number: VoidPaper(
            one.number,
            one.issued_at,
            one.amount,
            one.reason,
            one.approved_by,
            f"{one.new_series} / {one.new:06d}" if one.new_series else "",
        )
        for one in found
    }
    return tuple(by_number.values())


def fingerprint(chain: str) -> Sequence[str]:
    """A chain's end in groups a person can read aloud."""
    return [chain[start : start + 8].upper() for start in range(0, len(chain), 8)]
