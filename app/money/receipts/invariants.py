"""What must always be true of numbered papers (invariants 23 to 26)."""

from __future__ import annotations

from app.core.db import MOMENT, VND, execute, rows
from app.core.invariant import Invariant, query
from app.core.words import amount_sentence
from app.money.receipts.content import chain_hash, content_hash, read_content

#: enough to find the fault; the rest is of the same make
_MOST = 20

# Money of a payment's event that a receipt is due for: lines whose paper is a receipt, and credit.
_WORTHY = (
    "select m.school_id, m.event_id, sum(case when a.code = 'credit' or l.document_kind = 'receipt'"
    " then e.amount else 0 end) as worthy"
    " from (select distinct school_id, event_id from matchings) m"
    " join entries e on e.school_id = m.school_id and e.event_id = m.event_id"
    " join accounts a on a.id = e.credit_id and a.code in ('receivable', 'credit')"
    " left join invoice_lines l on l.id = e.invoice_line_id"
    " group by m.school_id, m.event_id"
)
# A void paper counts when the money itself went back; one that was merely wrong has a replacement.
_PAPERS = (
    "select r.school_id, r.event_id,"
    " sum(case when v.state = 'live' then r.amount else 0 end) as live,"
    " sum(case when v.state = 'void' and d.event_id is not null then r.amount else 0 end) as gone"
    " from receipts r join v_receipt v on v.receipt_id = r.id"
    " left join receipt_voids d on d.school_id = r.school_id and d.receipt_id = r.id"
    " group by r.school_id, r.event_id"
)


def _papers() -> list[str]:
    """Every paper read again: hash, chain, figures, words, sum of lines, number printed."""
    breaches: list[str] = []
    chains: dict[tuple[int, str], str] = {}
    found = execute(
        "select id, school_id, series, number, amount, check_code, content, content_hash, chain"
        " from receipts order by school_id, series, number",
        types={"amount": VND},
    )
    for receipt in found.yield_per(500):
        key = (receipt.school_id, receipt.series)
        digest = content_hash(receipt.content)
        chain = chain_hash(
            chains.get(key, ""), receipt.series, receipt.number, receipt.amount.dong, digest
        )
        chains[key] = receipt.chain
        wrong = []
        if digest != receipt.content_hash:
            wrong.append("content does not match its hash")
        if chain != receipt.chain:
            wrong.append("chain is broken")
        wrong += _misprints(receipt.content, receipt)
        if wrong:
            breaches.append(f"receipt={receipt.id}: {'; '.join(wrong)}")
        if len(breaches) >= _MOST:
            return breaches
    return breaches + _ends(chains)


def _misprints(stored: str, receipt: object) -> list[str]:
    try:
        paper = read_content(stored)
    except (ValueError, TypeError, KeyError):
        return ["content cannot be read"]
    lines = sum(line.amount for child in paper.children for line in child.lines)
    amount = receipt.amount.dong  # type: ignore[attr-defined]
    wrong = []
    if paper.amount != amount or lines != amount:
        wrong.append(f"amount {amount}, in figures {paper.amount}, lines {lines}")
    if paper.amount_words not in {
        amount_sentence(amount, zero_tens=zero, four=four)
        for zero in ("lẻ", "linh")
        for four in ("bốn", "tư")
    }:
        wrong.append("words differ from figures")
    printed = (paper.series, paper.number, paper.check_code)
    if printed != (receipt.series, receipt.number, receipt.check_code):  # type: ignore[attr-defined]
        wrong.append("another number or check code is printed")
    return wrong


def _ends(chains: dict[tuple[int, str], str]) -> list[str]:
    """The counters hold the end of each chain, so that the last papers cannot be cut off."""
    counters = rows("select school_id, series, last_chain from receipt_counters")
    held = {(counter.school_id, counter.series): counter.last_chain for counter in counters}
    return [
        f"school={school}, series={series}: the counter holds another end of the chain"
        for school, series in sorted(chains.keys() | held.keys())
        if chains.get((school, series), "") != held.get((school, series), "")
    ][:_MOST]


INVARIANTS = [
    query(
        "23",
        "numbers of every series run from 1 to the counter without hole or double",
        "select c.school_id, c.series, c.last_number, coalesce(r.papers, 0) as papers"
        " from receipt_counters c left join (select school_id, series, count(*) as papers,"
        "  count(distinct number) as numbers, min(number) as lowest, max(number) as highest"
        "  from receipts group by school_id, series) r"
        " on r.school_id = c.school_id and r.series = c.series"
        " where coalesce(r.papers, 0) <> c.last_number or coalesce(r.numbers, 0) <> c.last_number"
        " or coalesce(r.highest, 0) <> c.last_number or coalesce(r.lowest, 1) <> 1"
        " union all"
        " select r.school_id, r.series, 0, count(*) from receipts r"
        " where not exists (select 1 from receipt_counters c"
        "  where c.school_id = r.school_id and c.series = r.series)"
        " group by r.school_id, r.series",
    ),
    query(
        "24",
        "the time of issue never runs against the numbers",
        "select later.id as receipt from (select id, issued_at, lag(issued_at) over"
        " (partition by school_id, series order by number) as before from receipts) later"
        " where later.before > later.issued_at",
    ),
    query(
        "25",
        "every matched payment has live receipts for exactly the money that takes one",
        "select w.school_id, w.event_id, w.worthy, coalesce(p.live, 0) as live,"
        " coalesce(p.gone, 0) as gone"
        f" from ({_WORTHY}) w left join ({_PAPERS}) p"
        " on p.school_id = w.school_id and p.event_id = w.event_id"
        " where w.worthy <> coalesce(p.live, 0) + coalesce(p.gone, 0)"
        " union all"
        f" select p.school_id, p.event_id, 0, p.live, p.gone from ({_PAPERS}) p"
        " where p.live > 0 and (exists (select 1 from ledger_events v"
        "  where v.school_id = p.school_id and v.reverses_id = p.event_id)"
        "  or not exists (select 1 from matchings m"
        "   where m.school_id = p.school_id and m.event_id = p.event_id))",
    ),
    Invariant("26", "every paper is as issued: hash, chain, figures, words and lines", _papers),
]
