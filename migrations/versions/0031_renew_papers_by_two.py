"""Keep requests for a new paper in place of a wrong one, and the second person's decision.

Two new tables, empty; a few rows a month and school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "paper_changes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("receipt_id", ROW_ID, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("payer", sa.String(120), nullable=False),
        sa.Column("payer_address", sa.String(200), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_by_id", ROW_ID, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_paper_changes_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "receipt_id"],
            ["receipts.school_id", "receipts.id"],
            name=op.f("fk_paper_changes_school_id_receipts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_changes")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_paper_changes_school_id_id")),
    )
    op.create_index(
        "ix_paper_changes_school_id_receipt_id", "paper_changes", ["school_id", "receipt_id"]
    )
    op.create_table(
        "paper_decisions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("change_id", ROW_ID, nullable=False),
        sa.Column("new_receipt_id", ROW_ID, nullable=True),
        sa.Column("decided_by", sa.String(120), nullable=False),
        sa.Column("decided_by_id", ROW_ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_paper_decisions_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "change_id"],
            ["paper_changes.school_id", "paper_changes.id"],
            name=op.f("fk_paper_decisions_school_id_paper_changes"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "new_receipt_id"],
            ["receipts.school_id", "receipts.id"],
            name=op.f("fk_paper_decisions_school_id_receipts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_decisions")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_paper_decisions_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "change_id", name=op.f("uq_paper_decisions_school_id_change_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("paper_decisions")
    op.drop_table("paper_changes")
