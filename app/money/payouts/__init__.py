"""Money that goes back to families or is given up: asked by one person, approved by another.

Refunds of credit, support of the State, credit passed to a brother or sister, debt written off.
Knows batches for the bank and what became of their rows; refuses to know statements, which close
the rows from above.
"""
