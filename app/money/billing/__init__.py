"""What is charged: runs, invoices and their lines, payment requests with code and QR.

Refuses to know who paid: what is open is asked of the ledger.
"""

from __future__ import annotations

from app.money.billing.allocation import Allocation, OpenLine, Share, allocate
from app.money.billing.issuing import Issued, allocation_order
from app.money.billing.preview import preview, unplaced
from app.money.billing.queries import (
    BilledLine,
    InvoiceRow,
    Request,
    bill_by_rules,
    credits_of,
    due,
    find_request,
    get_invoice,
    get_run,
    invoices_of,
    lines_of,
    list_invoices,
    list_runs,
    open_lines,
    requests_by_reference,
    requests_of,
    requests_of_many,
    school_of_code,
    school_of_token,
)
from app.money.billing.reference import find_references
from app.money.billing.services import draft_run, issue_run

__all__ = [
    "Allocation",
    "BilledLine",
    "InvoiceRow",
    "Issued",
    "OpenLine",
    "Request",
    "Share",
    "allocate",
    "allocation_order",
    "bill_by_rules",
    "credits_of",
    "draft_run",
    "due",
    "find_references",
    "find_request",
    "get_invoice",
    "get_run",
    "invoices_of",
    "issue_run",
    "lines_of",
    "list_invoices",
    "list_runs",
    "open_lines",
    "preview",
    "requests_by_reference",
    "requests_of",
    "requests_of_many",
    "school_of_code",
    "school_of_token",
    "unplaced",
]
