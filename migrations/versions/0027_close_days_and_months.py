"""Keep days and months as they were closed, and which account of a circular ours are.

Three new tables, empty; a row a day, a few a month.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "day_closings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("closed_by", sa.String(120), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("day_closings"),
        sa.UniqueConstraint("school_id", "day", name=op.f("uq_day_closings_school_id_day")),
    )
    op.create_table(
        "month_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("version", ROW_ID, nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("actor_id", ROW_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys("month_steps"),
        sa.UniqueConstraint(
            "school_id",
            "period",
            "version",
            "step",
            name=op.f("uq_month_steps_school_id_period_version_step"),
        ),
    )
    op.create_index("ix_month_steps_school_id_period", "month_steps", ["school_id", "period"])
    op.create_table(
        "account_mappings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("prefix", sa.String(60), nullable=False),
        sa.Column("target", sa.String(20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("account_mappings"),
    )


def _keys(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def downgrade() -> None:
    for table in ("account_mappings", "month_steps", "day_closings"):
        op.drop_table(table)
