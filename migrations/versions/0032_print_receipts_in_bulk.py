"""Keep printings of receipts and which receipts were in each: a second print is a copy.

Two new tables, empty; a row a printing, and one a receipt printed on paper by the school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "receipt_prints",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("bundle", sa.String(8), nullable=False),
        sa.Column("total", ROW_ID, nullable=False),
        sa.Column("copies", ROW_ID, nullable=False),
        sa.Column("receipt_ids", sa.Text(), nullable=False),
        sa.Column("job_id", ROW_ID, nullable=True),
        sa.Column("requested_by", sa.String(120), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stamped", ROW_ID, nullable=True),
        sa.Column("refusal", sa.String(400), nullable=True),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_receipt_prints_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_prints")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_receipt_prints_school_id_id")),
    )
    op.create_table(
        "receipt_printings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("receipt_id", ROW_ID, nullable=False),
        sa.Column("print_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_receipt_printings_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "receipt_id"],
            ["receipts.school_id", "receipts.id"],
            name=op.f("fk_receipt_printings_school_id_receipts"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "print_id"],
            ["receipt_prints.school_id", "receipt_prints.id"],
            name=op.f("fk_receipt_printings_school_id_receipt_prints"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_printings")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_receipt_printings_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "receipt_id",
            "print_id",
            name=op.f("uq_receipt_printings_school_id_receipt_id_print_id"),
        ),
    )
    op.create_index(
        "ix_receipt_printings_school_id_print_id", "receipt_printings", ["school_id", "print_id"]
    )


def downgrade() -> None:
    op.drop_table("receipt_printings")
    op.drop_table("receipt_prints")
