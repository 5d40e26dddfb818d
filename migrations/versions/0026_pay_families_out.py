"""Keep money that goes back to families: what was asked, its steps, the batches for the bank.

Three new tables, empty; a few rows a month and school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "payouts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("way", sa.String(12), nullable=False),
        sa.Column("student_id", ROW_ID, nullable=False),
        sa.Column("to_student_id", ROW_ID, nullable=True),
        sa.Column("payment_id", ROW_ID, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("bank_bin", sa.String(6), nullable=False),
        sa.Column("account", sa.String(24), nullable=False),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_by_id", ROW_ID, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount > 0 and amount <= 1000000000000", name=op.f("ck_payouts_amount_positive")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_payouts_student_id_students")
        ),
        sa.ForeignKeyConstraint(
            ["to_student_id"], ["students.id"], name=op.f("fk_payouts_to_student_id_students")
        ),
        sa.UniqueConstraint("code", name=op.f("uq_payouts_code")),
        *_keys("payouts", payment_id="payments"),
    )
    op.create_index("ix_payouts_school_id_student_id", "payouts", ["school_id", "student_id"])
    op.create_table(
        "payout_batches",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("profile", sa.String(20), nullable=False),
        sa.Column("row_count", ROW_ID, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(80), nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total > 0", name=op.f("ck_payout_batches_total_positive")),
        *_keys("payout_batches", bank_account_id="bank_accounts"),
    )
    op.create_table(
        "payout_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("payout_id", ROW_ID, nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("batch_id", ROW_ID, nullable=True),
        sa.Column("event_id", ROW_ID, nullable=True),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("actor_id", ROW_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys(
            "payout_steps",
            payout_id="payouts",
            batch_id="payout_batches",
            event_id="ledger_events",
        ),
    )
    for column in ("payout_id", "batch_id"):
        op.create_index(
            f"ix_payout_steps_school_id_{column}", "payout_steps", ["school_id", column]
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
            for column, target in targets.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def downgrade() -> None:
    for table in ("payout_steps", "payout_batches", "payouts"):
        op.drop_table(table)
