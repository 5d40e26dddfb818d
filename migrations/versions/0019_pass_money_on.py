"""Keep what was passed on to the insurer and others: the school does not refund it by itself.

Two new tables, empty: some ten batches a school and year, a row a child in each (a thousand rows a
school and year).
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "passed_on_batches",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("service_period", sa.Integer(), nullable=False),
        sa.Column("passed_on", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(160), nullable=False),
        sa.Column("paper_no", sa.String(60), nullable=False),
        sa.Column("children", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_by", sa.String(120), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_passed_on_batches_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["fee_items.id"], name=op.f("fk_passed_on_batches_item_id_fee_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passed_on_batches")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_passed_on_batches_school_id_id")),
    )
    op.create_table(
        "passed_on",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("batch_id", ROW_ID, nullable=False),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_passed_on_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "batch_id"],
            ["passed_on_batches.school_id", "passed_on_batches.id"],
            name=op.f("fk_passed_on_school_id_batch_id_passed_on_batches"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_passed_on_school_id_enrolment_id_enrolments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passed_on")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_passed_on_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "batch_id",
            "enrolment_id",
            name=op.f("uq_passed_on_school_id_batch_id_enrolment_id"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_passed_on_amount_positive")),
    )
    op.create_index(
        "ix_passed_on_school_id_enrolment_id", "passed_on", ["school_id", "enrolment_id"]
    )


def downgrade() -> None:
    op.drop_table("passed_on")
    op.drop_table("passed_on_batches")
