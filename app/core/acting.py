"""One deed of a person on a page: one transaction, and a refusal answered in its own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.core.db import transaction
from app.core.errors import DomainError, NotFound

Answer = TypeVar("Answer")


def attempt(deed: Callable[[], object], refused: Callable[[str, int], Answer]) -> Answer | None:
    """Do it, or give the page that says why not; None once it is done.

    `refused` takes the words and the status. What is not there stays a page of its own (404).
    """
    try:
        with transaction():
            deed()
    except NotFound:
        raise
    except DomainError as refusal:
        return refused(refusal.message, refusal.status)
    return None
