"""The parents' side: the pay page by link, and whether an account is really the school's.

Refuses to change money: it shows what the books say and opens a provider's page.
"""

from __future__ import annotations
