"""Schools, the dated organisation tree, bank accounts, channels, school years, settings.

Refuses to know children and money.
"""

from __future__ import annotations

from app.people.schools.calendar import Calendar, calendar, set_day_off
from app.people.schools.models import AccountKind, Level, Provider, Relation, UnitKind
from app.people.schools.queries import (
    AccountInfo,
    ChannelInfo,
    SchoolInfo,
    Year,
    accounts_of,
    channel_of_address,
    channels_of,
    current_year,
    find_school,
    get_account,
    receiving_account,
    receiving_accounts,
    reporting_through,
    school_info,
    school_of_channel,
    schools_under,
    secrets_of,
    setting,
    short_name_sql,
    year_of,
    years,
)
from app.people.schools.settings import Wording, set_setting, wording

__all__ = [
    "AccountInfo",
    "AccountKind",
    "Calendar",
    "ChannelInfo",
    "Level",
    "Provider",
    "Relation",
    "SchoolInfo",
    "UnitKind",
    "Wording",
    "Year",
    "accounts_of",
    "calendar",
    "channel_of_address",
    "channels_of",
    "current_year",
    "find_school",
    "get_account",
    "receiving_account",
    "receiving_accounts",
    "reporting_through",
    "school_info",
    "school_of_channel",
    "schools_under",
    "secrets_of",
    "set_day_off",
    "set_setting",
    "setting",
    "short_name_sql",
    "wording",
    "year_of",
    "years",
]
