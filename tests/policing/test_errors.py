"""A refusal's code is what tests, logs and other systems hold on to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import app.wiring  # noqa: F401 - brings every room's errors
from app.core.errors import DomainError, Invalid, NotFound, Refused, TryAgain


def _all(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _all(child)


def test_every_domain_error_has_a_code_of_its_own() -> None:
    owners: dict[str, str] = {}
    for error in _all(DomainError):
        name = f"{error.__module__}.{error.__qualname__}"
        assert "code" in vars(error), f"{name} takes its code from its parent"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code), f"{name}: {error.code}"
        assert error.code not in owners, f"{name} and {owners[error.code]} share {error.code}"
        owners[error.code] = name


def test_every_domain_error_is_one_of_the_four_kinds() -> None:
    for error in _all(DomainError):
        assert issubclass(error, NotFound | Refused | Invalid | TryAgain), error.__qualname__
