"""Families' yeses to optional items, from a month to a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.core.period import Period
from app.money.fees import queries
from app.money.fees.errors import (
    ChoiceNotFound,
    ItemNotFound,
    NotOptional,
)
from app.money.fees.models import (
    FeeChoice,
)
from app.money.fees.services.rows import end, insert_rows, refuse_overlaps, refuse_strangers


@dataclass(frozen=True, slots=True)
class Choice:
    """A family's yes to an optional item, from a month to a month."""

    enrolment_id: int
    item_id: int
    first_period: Period
    chosen_on: date
    last_period: Period | None = None
    source: str = "paper"


def record_choices(
    school_id: int, choices: Sequence[Choice], *, actor: audit.Actor, now: datetime
) -> list[int]:
    """Record families' choices; ids in the order given, all or none.

    Refuses a stay of another school, an item everybody is charged, months in the wrong order, and
    the same choice twice in a month. The caller commits.
    """
    refuse_strangers(school_id, (choice.enrolment_id for choice in choices))
    items = queries.all_items()
    for choice in choices:
        item = items.get(choice.item_id)
        if item is None:
            raise ItemNotFound
        if item.is_compulsory:
            raise NotOptional(_("%(item)s is charged to everybody.", item=item.name))
    refuse_overlaps(
        school_id,
        "fee_choices",
        "item_id",
        [(c.enrolment_id, c.item_id, c.first_period, c.last_period) for c in choices],
        _("This pupil already takes part in one of these months."),
    )
    made = insert_rows(
        FeeChoice,
        [
            {
                "school_id": school_id,
                "enrolment_id": choice.enrolment_id,
                "item_id": choice.item_id,
                "first_period": choice.first_period,
                "last_period": choice.last_period,
                "source": choice.source[:40],
                "chosen_on": choice.chosen_on,
            }
            for choice in choices
        ],
    )
    audit.record_many(
        [
            audit.Deed(
                "fee_choice.record", f"fee_choice:{number}", f"enrolment:{choice.enrolment_id}"
            )
            for number, choice in zip(made, choices, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return made


def withdraw_choice(
    school_id: int, choice_id: int, *, last_period: Period, actor: audit.Actor, now: datetime
) -> None:
    """Let a choice end with a month. Refuses one that ends already. The caller commits."""
    end(school_id, "fee_choices", choice_id, last_period, ChoiceNotFound())
    audit.record(
        "fee_choice.withdraw",
        f"fee_choice:{choice_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"month:{last_period}",
    )
