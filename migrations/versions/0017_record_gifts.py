"""Record sponsorship and the parents' fund apart from what is charged.

One new table, empty; some ten rows a school and year. It has nothing to do with bills or debts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "gifts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("cancels_id", ROW_ID, nullable=True),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("giver", sa.String(160), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("goods", sa.String(200), nullable=False),
        sa.Column("proof_no", sa.String(60), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_gifts_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gifts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_gifts_school_id_id")),
        sa.UniqueConstraint("school_id", "cancels_id", name=op.f("uq_gifts_school_id_cancels_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "cancels_id"],
            ["gifts.school_id", "gifts.id"],
            name=op.f("fk_gifts_school_id_gifts"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_gifts_amount_not_below_zero")),
    )


def downgrade() -> None:
    op.drop_table("gifts")
