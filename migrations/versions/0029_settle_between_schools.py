"""Keep claims on money that came to the wrong school, with their steps.

Two new tables, empty; a few rows a year and school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "school_claims",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("to_school_id", ROW_ID, nullable=False),
        sa.Column("payment_id", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.CheckConstraint(
            "amount > 0 and to_school_id <> school_id", name=op.f("ck_school_claims_two_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_claims_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["to_school_id"], ["schools.id"], name=op.f("fk_school_claims_to_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "payment_id"],
            ["payments.school_id", "payments.id"],
            name=op.f("fk_school_claims_school_id_payments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_claims")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_school_claims_school_id_id")),
    )
    op.create_index("ix_school_claims_to_school_id", "school_claims", ["to_school_id"])
    op.create_table(
        "school_claim_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("claim_id", ROW_ID, nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_claim_steps_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "claim_id"],
            ["school_claims.school_id", "school_claims.id"],
            name=op.f("fk_school_claim_steps_school_id_school_claims"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_claim_steps")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_school_claim_steps_school_id_id")),
    )
    op.create_index(
        "ix_school_claim_steps_school_id_claim_id", "school_claim_steps", ["school_id", "claim_id"]
    )


def downgrade() -> None:
    op.drop_table("school_claim_steps")
    op.drop_table("school_claims")
