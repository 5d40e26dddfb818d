"""Applications for exemptions from receipt to decision, their proofs, and what follows from grants.

Refuses to know bills: a grant changes what the rules give, and the next run bills the difference.
"""
