"""Keep what money on a bank account is that no family paid, and notes brought to the bank.

Two new tables, empty; a few rows a day and school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cash_deposits",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("till_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("slip", sa.String(40), nullable=False),
        sa.Column("event_id", ROW_ID, nullable=False),
        sa.Column("deposited_by", sa.String(120), nullable=False),
        sa.Column("deposited_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cash_deposits_amount_positive")),
        *_keys("cash_deposits", till_id="tills", bank_account_id="bank_accounts"),
    )
    op.create_table(
        "movements",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("cause_kind", sa.String(16), nullable=False),
        sa.Column("cause_id", ROW_ID, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("account", sa.String(60), nullable=False),
        sa.Column("target_id", ROW_ID, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("event_id", ROW_ID, nullable=False),
        sa.Column("booked_by", sa.String(120), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0 and fee >= 0", name=op.f("ck_movements_amount_positive")),
        *_keys("movements", bank_account_id="bank_accounts"),
    )
    op.create_index(
        "ix_movements_school_id_cause_kind_cause_id",
        "movements",
        ["school_id", "cause_kind", "cause_id"],
    )


def _keys(table: str, **targets: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["school_id", column],
                [f"{target}.school_id", f"{target}.id"],
                name=op.f(f"fk_{table}_school_id_{target}"),
            )
            for column, target in {**targets, "event_id": "ledger_events"}.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def downgrade() -> None:
    op.drop_table("movements")
    op.drop_table("cash_deposits")
