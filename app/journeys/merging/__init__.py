"""One child recorded twice: finding such pairs, joining them, and parting them again.

The old record stays with its code, its bills and its receipts; stays, numbers, family and money go
to the child it is. Money goes by ledger entries, school by school, never from school to school.
"""
