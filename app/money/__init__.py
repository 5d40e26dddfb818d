"""The money path: ledger, fees, billing, receipts, payments."""
