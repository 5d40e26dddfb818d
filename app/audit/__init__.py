"""Who did what, when, in which school and why: one append-only table and one function.

Refuses to know schools, users or money: it stores numbers and words it is given.
"""

from __future__ import annotations

from app.audit.services import MACHINE, Actor, Deed, record, record_many

__all__ = ["MACHINE", "Actor", "Deed", "record", "record_many"]
