"""Lists of pupils and staff taken in from spreadsheets and given out again.

Owns the rehearsal and its memory; every write about a child or a person goes through their rooms.
Refuses to know money, and file formats: it begins with a grid of values.
"""

from __future__ import annotations

from app.people.lists.forgetting import forget_children

__all__ = ["forget_children"]
