"""Making children anonymous: the row and its code stay, the person does not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from app.core.db import execute, in_chunks, rows
from app.people.students.identity import lock_identities
from app.people.students.search import index_words

#: what stands where a name stood; data, and the same in every language
NOBODY: Final = "(đã ẩn danh)"
#: what stands where a birth date stood
NO_DAY: Final = date(1900, 1, 1)


def forget(student_ids: Collection[int], *, now: datetime) -> list[str]:
    """Take names, birth dates, numbers, families and history from these rows; the names they had.

    `student_ids` holds every row of each child (`rows_of`, merged records among them). Sex, stays,
    classes and codes stay: papers of money and statistics of past years lead to them. Guardians go
    when no other child is tied to them. Rows made anonymous before are left as they are. The caller
    has checked that the children may be forgotten, writes the trail, and commits.
    """
    lock_identities()
    names: list[str] = []
    forgotten: list[int] = []
    guardians: set[int] = set()
    for chunk in in_chunks(student_ids):
        found = rows(
            "select id, full_name from students where id in :ids and anonymised_at is null",
            ids=chunk,
        )
        ids = [child.id for child in found]
        if not ids:
            continue
        forgotten += ids
        names += [child.full_name for child in found]
        execute(
            "update students set full_name = :nobody, search_key = '', sort_key = '',"
            " birth_date = :no_day, verification = 'CHUA_CO_SO', no_number_reason = null,"
            " anonymised_at = :now where id in :ids",
            nobody=NOBODY,
            no_day=NO_DAY,
            now=now,
            ids=ids,
        )
        execute("delete from student_identifiers where student_id in :ids", ids=ids)
        # The guard of the history lets exactly this through: values of an anonymous child go.
        execute(
            "update identity_changes set old_value = null, new_value = null, reason = ''"
            " where student_id in :ids",
            ids=ids,
        )
        guardians |= {
            tie.guardian_id
            for tie in rows(
                "delete from guardianships where student_id in :ids returning guardian_id", ids=ids
            )
        }
    index_words(forgotten)
    for chunk in in_chunks(sorted(guardians)):
        alone = [
            guardian.id
            for guardian in rows(
                "select id from guardians where id in :ids and not exists (select 1"
                " from guardianships t where t.guardian_id = guardians.id)",
                ids=chunk,
            )
        ]
        if alone:
            execute("delete from activation_codes where guardian_id in :ids", ids=alone)
            # The row stays where a consent to a photo points at it.
            execute(
                "update guardians set full_name = :nobody, search_key = '', phone = null,"
                " phone_end = null, address = null where id in :ids",
                nobody=NOBODY,
                ids=alone,
            )
    return names
