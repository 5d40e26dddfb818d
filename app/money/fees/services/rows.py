"""What the writes of this room share: inserting, ending a span of months, refusing overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert

from app.core.db import MONTH, execute, for_update, in_chunks, row, rows
from app.core.model import db
from app.core.period import Period
from app.money.fees.errors import (
    AlreadyGranted,
    BadMonths,
    ChoiceNotFound,
    ExemptionNotFound,
    StrangeEnrolment,
)


def insert_rows(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Many rows at once; their ids in the order given."""
    if not values:
        return []
    key = model.__table__.c.id  # type: ignore[attr-defined]
    statement = insert(model).returning(key, sort_by_parameter_order=True)
    return [int(made) for made in db.session.scalars(statement, list(values))]


def end(
    school_id: int,
    table: str,
    row_id: int,
    last_period: Period,
    missing: ExemptionNotFound | ChoiceNotFound,
) -> None:
    """Let a row of months end with a month; one that ends by then is `missing`."""
    found = row(
        f"select first_period, last_period from {table}"
        f" where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=row_id,
    )
    if found is None or (
        found.last_period is not None and Period.from_number(int(found.last_period)) <= last_period
    ):
        raise missing
    # A yes that never counted ends in the month before it began.
    if last_period < Period.from_number(int(found.first_period)).previous():
        raise BadMonths
    execute(
        f"update {table} set last_period = :last where school_id = :school_id and id = :id",
        school_id=school_id,
        id=row_id,
        last=last_period,
    )


def refuse_strangers(school_id: int, enrolment_ids: Iterable[int]) -> None:
    """Refuse stays that are not the school's."""
    wanted = set(enrolment_ids)
    for chunk in in_chunks(wanted):
        wanted -= {
            found.id
            for found in rows(
                "select id from enrolments where school_id = :school_id and id in :ids",
                school_id=school_id,
                ids=chunk,
            )
        }
    if wanted:
        raise StrangeEnrolment


#: Who, what, from, to.
Span = tuple[int, int, Period, Period | None]


def refuse_overlaps(
    school_id: int, table: str, what: str, spans: Sequence[Span], message: str
) -> None:
    """Refuse the same thing twice in a month: against what is stored, and among the new ones."""
    known: dict[tuple[int, int], list[tuple[Period, Period | None]]] = {}
    for chunk in in_chunks(sorted({span[0] for span in spans})):
        for found in rows(
            f"select enrolment_id, {what} as what, first_period, last_period from {table}"
            " where school_id = :school_id and enrolment_id in :ids",
            types={"first_period": MONTH, "last_period": MONTH},
            school_id=school_id,
            ids=chunk,
        ):
            spent = (found.first_period, found.last_period)
            known.setdefault((found.enrolment_id, found.what), []).append(spent)
    for who, thing, first, last in spans:
        if last is not None and last < first:
            raise BadMonths
        others = known.setdefault((who, thing), [])
        for begun, ended in others:
            if (last is None or begun <= last) and (ended is None or first <= ended):
                raise AlreadyGranted(message)
        others.append((first, last))
