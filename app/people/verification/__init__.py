"""Proving identities against the national population database, by exchange of files.

Refuses to know how an identity is corrected (the students' room does that) and what it costs.
"""

from __future__ import annotations

from app.people.verification.models import Kind, Source
from app.people.verification.results import Taken, rehearse, take, upload
from app.people.verification.services import (
    Decision,
    close_batch,
    decide,
    forget,
    make_batch,
    prove,
)
from app.people.verification.staff import save_staff

__all__ = [
    "Decision",
    "Kind",
    "Source",
    "Taken",
    "close_batch",
    "decide",
    "forget",
    "make_batch",
    "prove",
    "rehearse",
    "save_staff",
    "take",
    "upload",
]
