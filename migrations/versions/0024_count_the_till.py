"""Keep the counts of cash drawers: notes by kind, what the books said, the difference and why.

One new table, empty; a row a drawer and day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "till_counts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("till_id", ROW_ID, nullable=False),
        sa.Column("notes", sa.String(200), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("handed_to", sa.String(120), nullable=False),
        sa.Column("counted_by", sa.String(120), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_till_counts_counted_not_negative")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_till_counts_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "till_id"],
            ["tills.school_id", "tills.id"],
            name=op.f("fk_till_counts_school_id_tills"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_counts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_till_counts_school_id_id")),
    )
    op.create_index("ix_till_counts_school_id_till_id", "till_counts", ["school_id", "till_id"])


def downgrade() -> None:
    op.drop_table("till_counts")
