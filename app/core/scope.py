"""Which schools the work at hand may read, and the one it may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class NoScope(RuntimeError):
    """The database was asked before anybody said for which schools."""


class OutOfScope(RuntimeError):
    """A row of another school was about to be read or written."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Schools that may be read (`None`: every one) and the one that may be written."""

    readable: frozenset[int] | None
    writable: int | None = None

    def may_read(self, school_id: int) -> bool:
        """Whether rows of the school may be seen."""
        return self.readable is None or school_id in self.readable


#: A visitor without a school: area-wide look-up tables only.
NOBODY = Scope(frozenset())
#: Machines that look after all schools: sealer, verify, migrations, look-ups of the demo.
EVERY_SCHOOL = Scope(None)

_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope:
    """The open scope; without one it is a programming error to touch the database."""
    scope = _current.get()
    if scope is None:
        raise NoScope("open a scope before using the database")
    return scope


def one_school(school_id: int) -> Scope:
    """Read and write one school and no other."""
    return Scope(frozenset({school_id}), school_id)


@contextmanager
def opened(scope: Scope) -> Iterator[Scope]:
    """Work under a scope; the former one returns afterwards."""
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


def enter(scope: Scope) -> None:
    """Set the scope for the rest of this request or job (the entry point resets it at its end)."""
    _current.set(scope)


def leave() -> None:
    """Forget the scope: the end of a request."""
    _current.set(None)
