"""Keep a family's word that it has transferred.

One new table, empty; a few rows a day and school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "declarations",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("request_id", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_declarations_amount_positive")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_declarations_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "request_id"],
            ["payment_requests.school_id", "payment_requests.id"],
            name=op.f("fk_declarations_school_id_payment_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declarations")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_declarations_school_id_id")),
    )
    op.create_index(
        "ix_declarations_school_id_request_id", "declarations", ["school_id", "request_id"]
    )


def downgrade() -> None:
    op.drop_table("declarations")
