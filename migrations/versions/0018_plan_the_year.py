"""Plan the school year: cost estimate, the parents' agreement, days to pay, consent from above.

Four new tables, empty: some thirty rows a school and year, one of them with a paper of some hundred
kilobytes. Three nullable columns on the schedules (some ten rows a school).
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _keys() -> list[sa.Column]:
    return [
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("schedule_id", ROW_ID, nullable=False),
    ]


def _own(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "schedule_id"],
            ["fee_schedules.school_id", "fee_schedules.id"],
            name=op.f(f"fk_{table}_school_id_schedule_id_fee_schedules"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["item_id"], ["fee_items.id"], name=op.f(f"fk_{table}_item_id_fee_items")
    )


def upgrade() -> None:
    op.add_column("fee_schedules", sa.Column("copied_from_id", ROW_ID, nullable=True))
    op.add_column("fee_schedules", sa.Column("consented_by", sa.String(120), nullable=True))
    op.add_column(
        "fee_schedules", sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "schedule_costs",
        *_keys(),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_own("schedule_costs"),
        _of_item("schedule_costs"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_schedule_costs_amount_positive")),
    )
    op.create_index(
        "ix_schedule_costs_school_id_schedule_id", "schedule_costs", ["school_id", "schedule_id"]
    )
    op.create_table(
        "schedule_takers",
        *_keys(),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("pupils", ROW_ID, nullable=False),
        *_own("schedule_takers"),
        _of_item("schedule_takers"),
        sa.UniqueConstraint(
            "school_id",
            "schedule_id",
            "item_id",
            name=op.f("uq_schedule_takers_school_id_schedule_id_item_id"),
        ),
        sa.CheckConstraint("pupils >= 0", name=op.f("ck_schedule_takers_pupils_not_below_zero")),
    )
    op.create_table(
        "parents_agreements",
        *_keys(),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("minutes_no", sa.String(60), nullable=False),
        sa.Column("asked", ROW_ID, nullable=False),
        sa.Column("agreed", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        *_own("parents_agreements"),
        sa.CheckConstraint(
            "asked > 0 and agreed between 0 and asked",
            name=op.f("ck_parents_agreements_agreed_among_asked"),
        ),
    )
    op.create_index(
        "ix_parents_agreements_school_id_schedule_id",
        "parents_agreements",
        ["school_id", "schedule_id"],
    )
    op.create_table(
        "schedule_due_dates",
        *_keys(),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        *_own("schedule_due_dates"),
        sa.UniqueConstraint(
            "school_id",
            "schedule_id",
            "period",
            name=op.f("uq_schedule_due_dates_school_id_schedule_id_period"),
        ),
    )


def downgrade() -> None:
    for table in ("schedule_due_dates", "parents_agreements", "schedule_takers", "schedule_costs"):
        op.drop_table(table)
    with op.batch_alter_table("fee_schedules") as batch:
        for column in ("consented_at", "consented_by", "copied_from_id"):
            batch.drop_column(column)
