"""Numbered papers about plain facts: counters, frozen content, voids, PDF.

Refuses to know invoices, webhooks and banks: it is handed a ReceiptDraft.
"""

from __future__ import annotations

from app.money.receipts.content import (
    ReceiptChild,
    ReceiptContent,
    ReceiptDraft,
    ReceiptLine,
    read_content,
)
from app.money.receipts.printing import forget_files
from app.money.receipts.queries import (
    ReceiptRow,
    find_by_check_code,
    get_receipt,
    list_receipts,
    receipts_between,
    receipts_of_payments,
    school_of_check_code,
    verified_content,
    void_notes,
)
from app.money.receipts.services import IssuedReceipt, issue_many, void_receipt

__all__ = [
    "IssuedReceipt",
    "ReceiptChild",
    "ReceiptContent",
    "ReceiptDraft",
    "ReceiptLine",
    "ReceiptRow",
    "find_by_check_code",
    "forget_files",
    "get_receipt",
    "issue_many",
    "list_receipts",
    "read_content",
    "receipts_between",
    "receipts_of_payments",
    "school_of_check_code",
    "verified_content",
    "void_notes",
    "void_receipt",
]
