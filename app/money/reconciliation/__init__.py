"""The bank's statement against the books: read, proved, matched, posted; what is left over.

Stands above payments, through whose one door it posts. The machine gives money to a child only on
proof and never touches what a person decided.
"""
