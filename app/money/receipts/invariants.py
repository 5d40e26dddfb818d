"""What must always be true of numbered papers (invariants 23 to 26)."""

from __future__ import annotations

from app.core.db import VND, execute, rows
from app.core.invariant import Invariant, query
from app.core.words import amount_sentence
from app.money.receipts.content import chain_hash, content_hash, read_content

#: enough to find the fault; the rest is of the same make
_MOST = 20

# Money that a payment still gives to children and that takes a receipt: lines whose paper is one,
# and credit; what went back is taken off. A void or replaced paper says nothing any more.
_EVENTS = (
    "select school_id, payment_id, event_id from matchings"
    " union select school_id, payment_id, event_id from reversals"
    # What was taken back of a matching counts against it.
    " union select m.school_id, m.payment_id, t.id from matchings m join ledger_events t"
    "  on t.school_id = m.school_id and t.reverses_id = m.event_id"
)
_TAKES_ONE = "({0}.code = 'credit' or ({0}.code = 'receivable' and l.document_kind = 'receipt'))"
_WORTHY = (
    "select x.school_id, x.payment_id,"
    f" sum(case when {_TAKES_ONE.format('c')} then e.amount else 0 end)"
    f" - sum(case when {_TAKES_ONE.format('d')} then e.amount else 0 end) as worthy"
    f" from ({_EVENTS}) x"
    " join entries e on e.school_id = x.school_id and e.event_id = x.event_id"
    " join accounts c on c.id = e.credit_id join accounts d on d.id = e.debit_id"
    " left join invoice_lines l on l.id = e.invoice_line_id"
    " group by x.school_id, x.payment_id"
)
_LIVE = (
    "select school_id, payment_id, sum(amount) as live from v_receipt where state = 'live'"
    " group by school_id, payment_id"
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
        " (partition by school_id, series order by number) as previous from receipts) later"
        " where later.previous > later.issued_at",
    ),
    query(
        "25",
        "every matched payment has live receipts for exactly the money that takes one",
        "select w.school_id, w.payment_id, w.worthy, coalesce(p.live, 0) as live"
        f" from ({_WORTHY}) w left join ({_LIVE}) p"
        " on p.school_id = w.school_id and p.payment_id = w.payment_id"
        " where w.worthy <> coalesce(p.live, 0)"
        " union all"
        f" select p.school_id, p.payment_id, 0, p.live from ({_LIVE}) p"
        " where not exists (select 1 from matchings m"
        "  where m.school_id = p.school_id and m.payment_id = p.payment_id)",
    ),
    query(
        "26r",
        "every printing names the papers it was asked for, and counts its copies",
        "select p.school_id, p.id, p.total, p.copies, coalesce(c.papers, 0) as papers,"
        " coalesce(c.copies, 0) as printed_before from receipt_prints p left join"
        " (select x.school_id, x.print_id, count(*) as papers,"
        "  sum(case when exists (select 1 from receipt_printings b where"
        "   b.school_id = x.school_id and b.receipt_id = x.receipt_id and b.print_id < x.print_id)"
        "   then 1 else 0 end) as copies"
        "  from receipt_printings x group by x.school_id, x.print_id) c"
        " on c.school_id = p.school_id and c.print_id = p.id"
        " where p.total <> coalesce(c.papers, 0) or p.copies <> coalesce(c.copies, 0)",
    ),
    Invariant("26", "every paper is as issued: hash, chain, figures, words and lines", _papers),
]
