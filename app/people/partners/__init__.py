"""Banks and wallets that collect for the schools of the area, and the keys they sign with.

Refuses to know what they ask and tell: that is the interface's (journeys/api).
"""

from __future__ import annotations

from app.people.partners.services import add_key, close_partner, end_key, open_partner

__all__ = ["add_key", "close_partner", "end_key", "open_partner"]
