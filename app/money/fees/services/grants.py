"""Grounds of the law with their rates, and what children are granted of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.core.db import DAY, execute, rows, scalar
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import nfc
from app.money.fees.errors import (
    BadMonths,
    BadPolicy,
    ExemptionNotFound,
    ItemNotFound,
    PolicyExists,
    PolicyNotFound,
)
from app.money.fees.models import (
    Exemption,
    ExemptionPolicy,
    ExemptionRate,
)
from app.money.fees.services.rows import end, insert_rows, refuse_overlaps, refuse_strangers


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """A ground of the law; `rates` are item and percent."""

    code: str
    name: str
    legal_act: str
    valid_from: date
    rates: tuple[tuple[int, int], ...]
    applies_to_all: bool = False
    valid_to: date | None = None
    support: Vnd | None = None
    sibling_nth: int | None = None


def add_policy(policy: NewPolicy, *, actor: audit.Actor, now: datetime) -> int:
    """Write down an exemption policy with its rates; its id.

    Refuses a code used before, no rates, and a percentage outside 1 to 100. The caller commits.
    """
    if scalar("select count(*) from exemption_policies where code = :code", code=policy.code):
        raise PolicyExists(_("There is already a policy %(code)s.", code=policy.code))
    if not policy.rates or any(not 1 <= percent <= 100 for _item, percent in policy.rates):
        raise BadPolicy(_("A policy takes 1 to 100 percent off at least one item."))
    known = {found.id for found in rows("select id from fee_items")}
    if any(item not in known for item, _percent in policy.rates):
        raise ItemNotFound
    policy_id = insert_rows(
        ExemptionPolicy,
        [
            {
                "code": policy.code,
                "name": nfc(policy.name),
                "legal_act": nfc(policy.legal_act),
                "applies_to_all": policy.applies_to_all,
                "valid_from": policy.valid_from,
                "valid_to": policy.valid_to,
                "support": policy.support,
                "sibling_nth": policy.sibling_nth,
            }
        ],
    )[0]
    insert_rows(
        ExemptionRate,
        [
            {"policy_id": policy_id, "item_id": item, "percent": percent}
            for item, percent in policy.rates
        ],
    )
    audit.record(
        "exemption_policy.add",
        f"exemption_policy:{policy_id}",
        actor=actor,
        school_id=None,
        now=now,
    )
    return policy_id


def end_policy(policy_id: int, *, valid_to: date, actor: audit.Actor, now: datetime) -> None:
    """A ground holds no longer from a day on; months before it keep what was granted.

    Refuses an unknown ground, one that ends by then, and a day not after its first. The caller
    commits.
    """
    found = rows(
        "select valid_from, valid_to from exemption_policies where id = :id",
        types={"valid_from": DAY, "valid_to": DAY},
        id=policy_id,
    )
    if not found:
        raise PolicyNotFound
    if valid_to <= found[0].valid_from or (
        found[0].valid_to is not None and found[0].valid_to <= valid_to
    ):
        raise BadMonths
    execute(
        "update exemption_policies set valid_to = :day where id = :id", id=policy_id, day=valid_to
    )
    audit.record(
        "exemption_policy.end",
        f"exemption_policy:{policy_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=str(valid_to),
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """A policy for one enrolled child, from a month to a month."""

    enrolment_id: int
    policy_id: int
    first_period: Period
    last_period: Period | None = None


def grant_exemptions(
    school_id: int, grants: Sequence[Grant], *, actor: audit.Actor, now: datetime
) -> list[int]:
    """Grant policies to enrolled children; ids in the order given, all or none.

    Refuses a stay of another school, an unknown policy, months in the wrong order, and the same
    policy twice in a month. The caller commits.
    """
    refuse_strangers(school_id, (grant.enrolment_id for grant in grants))
    policies = {found.id for found in rows("select id from exemption_policies")}
    if any(grant.policy_id not in policies for grant in grants):
        raise PolicyNotFound
    refuse_overlaps(
        school_id,
        "exemptions",
        "policy_id",
        [(g.enrolment_id, g.policy_id, g.first_period, g.last_period) for g in grants],
        _("This pupil already has this exemption in one of these months."),
    )
    made = insert_rows(
        Exemption,
        [
            {
                "school_id": school_id,
                "enrolment_id": grant.enrolment_id,
                "policy_id": grant.policy_id,
                "first_period": grant.first_period,
                "last_period": grant.last_period,
                "granted_by": actor.name,
                "granted_at": now,
            }
            for grant in grants
        ],
    )
    audit.record_many(
        [
            audit.Deed("exemption.grant", f"exemption:{number}", f"enrolment:{grant.enrolment_id}")
            for number, grant in zip(made, grants, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return made


def end_exemption(
    school_id: int,
    exemption_id: int,
    *,
    last_period: Period,
    actor: audit.Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """Let an exemption end with a month, also one with a later end. Refuses one that ends by then.

    The caller commits.
    """
    end(
        school_id,
        "exemptions",
        exemption_id,
        last_period,
        ExemptionNotFound(),
    )
    audit.record(
        "exemption.end",
        f"exemption:{exemption_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"month:{last_period} {reason}".strip(),
    )
