"""Reading schools, their accounts and channels; what is dated is asked for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.core.db import DAY, row, rows, scalar
from app.core.errors import NotFound
from app.people.schools.models import Level


@dataclass(frozen=True, slots=True)
class SchoolInfo:
    """A school with the details valid on the day asked for."""

    id: int
    code: str
    level: Level
    unit_id: int
    name: str
    short_name: str
    budget_code: str
    address: str
    phone: str
    parent_name: str


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """A receiving account."""

    id: int
    school_id: int
    kind: str
    bank_bin: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One way in for money."""

    id: int
    school_id: int
    public_id: str
    provider: str
    scheme: str
    bank_account_id: int | None
    surcharge_dong: int
    surcharge_permille: int


_SCHOOL = (
    "select s.id, s.code, s.level, s.unit_id, d.name, d.short_name,"
    " coalesce(d.budget_code, '') as budget_code, d.address, coalesce(d.phone, '') as phone,"
    " d.parent_name from schools s join school_details d on d.school_id = s.id"
    " and d.valid_from <= :day and (d.valid_to is null or d.valid_to > :day)"
)
_ACCOUNT = "select id, school_id, kind, bank_bin, number, holder from bank_accounts"
_CHANNEL = (
    "select id, school_id, public_id, provider, scheme, bank_account_id, surcharge_dong,"
    " surcharge_permille from channels"
)


def short_name_sql(school: str = "e.school_id", day: str = ":today") -> str:
    """A column with a school's short name on a day, the newest where it has none for that day."""
    return (
        f"(select d.short_name from school_details d where d.school_id = {school}"
        f" order by case when d.valid_from <= {day} then 0 else 1 end, d.valid_from desc limit 1)"
    )


def find_school(code: str, day: date) -> SchoolInfo | None:
    """The school with one of our codes, as it stood on a day."""
    found = row(f"{_SCHOOL} where s.code = :code", code=code.strip().upper(), day=day)
    return None if found is None else SchoolInfo(*found)


def school_info(school_id: int, day: date) -> SchoolInfo:
    """A school by number as it stood on a day, or NotFound."""
    found = row(f"{_SCHOOL} where s.id = :school_id", school_id=school_id, day=day)
    if found is None:
        raise NotFound
    return SchoolInfo(*found)


def schools_under(unit_id: int, day: date) -> list[SchoolInfo]:
    """The schools at or below a node of the organisation tree on a day, by code."""
    found = rows(
        "with recursive below(id) as (select cast(:unit as bigint) union"
        " select l.child_id from organisation_links l join below b on b.id = l.parent_id"
        " where l.valid_from <= :day and (l.valid_to is null or l.valid_to > :day))"
        f" {_SCHOOL} join below b on b.id = s.unit_id order by s.code",
        unit=unit_id,
        day=day,
    )
    return [SchoolInfo(*school) for school in found]


def receiving_account(school_id: int, day: date) -> AccountInfo | None:
    """The account new bills ask money for: open on the day and able to carry a QR (P7).

    Where a main account reports through a virtual one, only money sent to that one is told of.
    """
    found = row(
        f"{_ACCOUNT} where school_id = :school_id and kind <> 'treasury' and opened_on <= :day"
        " and (closed_on is null or closed_on > :day)"
        " order by case kind when 'virtual' then 1 else 2 end, id limit 1",
        school_id=school_id,
        day=day,
    )
    return None if found is None else AccountInfo(*found)


def receiving_accounts(school_id: int, day: date) -> list[AccountInfo]:
    """Every account new bills may ask money for on a day, the usual one first."""
    found = rows(
        f"{_ACCOUNT} where school_id = :school_id and kind <> 'treasury' and opened_on <= :day"
        " and (closed_on is null or closed_on > :day)"
        " order by case kind when 'virtual' then 1 else 2 end, id",
        school_id=school_id,
        day=day,
    )
    return [AccountInfo(*account) for account in found]


def accounts_of(school_id: int, day: date) -> list[AccountInfo]:
    """Every account of the school on a day, also those that carry no QR, the main one first."""
    found = rows(
        f"{_ACCOUNT} where school_id = :school_id and opened_on <= :day"
        " and (closed_on is null or closed_on > :day)"
        " order by case kind when 'main' then 1 when 'virtual' then 2 else 3 end, id",
        school_id=school_id,
        day=day,
    )
    return [AccountInfo(*account) for account in found]


def reporting_through(school_id: int, account_id: int) -> tuple[int, ...]:
    """The virtual accounts whose money arrives on an account."""
    found = rows(
        "select id from bank_accounts where school_id = :school_id and parent_id = :id",
        school_id=school_id,
        id=account_id,
    )
    return tuple(int(one.id) for one in found)


def get_account(school_id: int, account_id: int) -> AccountInfo:
    """An account of the school, or NotFound."""
    found = row(
        f"{_ACCOUNT} where school_id = :school_id and id = :id", school_id=school_id, id=account_id
    )
    if found is None:
        raise NotFound
    return AccountInfo(*found)


def school_of_channel(public_id: str) -> int | None:
    """Area-wide look-up of a callback address."""
    found = scalar("select school_id from channel_addresses where public_id = :id", id=public_id)
    return None if found is None else int(found)


def channel_of_address(school_id: int, public_id: str, provider: str) -> ChannelInfo | None:
    """The channel of a callback address; closed ones still take late notices."""
    found = row(
        f"{_CHANNEL} where school_id = :school_id and public_id = :id and provider = :provider",
        school_id=school_id,
        id=public_id,
        provider=provider,
    )
    return None if found is None else ChannelInfo(*found)


def channels_of(school_id: int, day: date) -> list[ChannelInfo]:
    """The channels open on a day, free ones first."""
    found = rows(
        f"{_CHANNEL} where school_id = :school_id and opened_on <= :day"
        " and (closed_on is null or closed_on > :day)"
        " order by surcharge_permille, surcharge_dong, id",
        school_id=school_id,
        day=day,
    )
    return [ChannelInfo(*channel) for channel in found]


def secrets_of(school_id: int, channel_id: int, purpose: str, now: datetime) -> list[str]:
    """The living secrets of a channel, newest first; two while they are exchanged."""
    found = rows(
        "select secret from channel_secrets where school_id = :school_id and channel_id = :channel"
        " and purpose = :purpose and valid_from <= :now and (valid_to is null or valid_to > :now)"
        " order by valid_from desc, id desc",
        school_id=school_id,
        channel=channel_id,
        purpose=purpose,
        now=now,
    )
    return [secret.secret for secret in found]


@dataclass(frozen=True, slots=True)
class Year:
    """A school year."""

    id: int
    code: str
    starts_on: date
    ends_on: date


def year_of(day: date) -> Year | None:
    """The school year a day belongs to; the summer belongs to the year before it."""
    found = row(
        "select id, code, starts_on, ends_on from school_years where starts_on <= :day"
        " order by starts_on desc limit 1",
        types={"starts_on": DAY, "ends_on": DAY},
        day=day,
    )
    return None if found is None else Year(*found)


def years() -> list[Year]:
    """Every school year of the area, oldest first."""
    found = rows(
        "select id, code, starts_on, ends_on from school_years order by starts_on, id",
        types={"starts_on": DAY, "ends_on": DAY},
    )
    return [Year(*year) for year in found]


def current_year(day: date) -> Year:
    """Like year_of, but NotFound when no year was ever opened."""
    year = year_of(day)
    if year is None:
        raise NotFound
    return year


def setting(school_id: int, name: str, day: date) -> str | None:
    """The value of a dated setting, or None where the product's default holds."""
    found = scalar(
        "select value from school_settings where school_id = :school_id and name = :name"
        " and valid_from <= :day order by valid_from desc limit 1",
        school_id=school_id,
        name=name,
        day=day,
    )
    return None if found is None else str(found)
