"""What this room must hold."""

from __future__ import annotations

from app.core.invariant import Invariant

INVARIANTS: list[Invariant] = []
