"""Money is whole, and a row of one school cannot point into another."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.model import db

#: one row for the whole area: a child is one row for life, the catalogue is the same for all
AREA = {
    "activation_codes",
    "area_runs",
    "days_off",
    "exemption_policies",
    "exemption_rates",
    "fee_caps",
    "fee_items",
    "forbidden_charges",
    "guardians",
    "guardianships",
    "handovers",
    "identity_changes",
    "insurance_rates",
    "memberships",
    "merge_parts",
    "merge_undos",
    "merges",
    "organisation_links",
    "organisation_units",
    "receipt_forms",
    "retention_terms",
    "school_years",
    "schools",
    "staff_identifiers",
    "staff_identities",
    "statement_layouts",
    "student_identifiers",
    "student_words",
    "students",
    "two_children",
    "users",
}
#: asked before any school can be known; each row leads to one school
LOOKUP = {
    "account_addresses",
    "attempt_addresses",
    "channel_addresses",
    "payment_codes",
    "receipt_codes",
}
#: kept before it is posted, and unique for ever in the whole area
INBOX = {"inbox_notices", "inbox_outcomes", "inbox_payloads"}
#: machinery; a row may be about one school, or about all
MACHINE = {"alembic_version", "audit_rows", "heartbeats", "jobs", "throttles"}
#: banks and wallets that collect for every school of the area
PARTNERS = {"api_answers", "api_keys", "api_partners"}


@pytest.fixture
def schema(app: Flask) -> sa.MetaData:
    """What the database says it is, not what the models hope."""
    found = sa.MetaData()
    with app.app_context():
        found.reflect(db.engine)
    return found


def _owned(schema: sa.MetaData) -> list[sa.Table]:
    other = AREA | LOOKUP | INBOX | MACHINE | PARTNERS
    return [table for table in schema.sorted_tables if table.name not in other]


def test_no_column_can_hold_a_fraction(schema: sa.MetaData) -> None:
    broken = [
        f"{column.table.name}.{column.name}"
        for table in schema.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.Numeric | sa.Float)
    ]
    assert broken == []


def test_every_other_table_belongs_to_a_school(schema: sa.MetaData) -> None:
    for table in _owned(schema):
        assert "school_id" in table.columns, (
            f"{table.name}: school_id, or a place in the sets above"
        )
        assert not table.columns["school_id"].nullable, table.name


def test_school_and_row_are_one_key(schema: sa.MetaData) -> None:
    for table in _owned(schema):
        keys = [
            {column.name for column in constraint.columns}
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
        ]
        assert any("school_id" in key for key in keys), f"{table.name}: no key holds school_id"


def test_references_inside_a_school_carry_the_school(schema: sa.MetaData) -> None:
    owned = {table.name for table in _owned(schema)}
    loose = [
        f"{table.name} → {constraint.referred_table.name}"
        for table in _owned(schema)
        for constraint in table.foreign_key_constraints
        # A transfer points at the old school's stay by that school: also a school in the key.
        if constraint.referred_table.name in owned
        and not any(key.endswith("school_id") for key in constraint.column_keys)
    ]
    assert loose == []


def test_the_lists_above_name_only_tables_that_exist(schema: sa.MetaData) -> None:
    assert set(schema.tables) >= AREA | LOOKUP | INBOX | MACHINE


def test_look_ups_lead_to_a_school(schema: sa.MetaData) -> None:
    for name in LOOKUP:
        assert not schema.tables[name].columns["school_id"].nullable, name
