"""Keep the scans of signed consent forms, class by class.

One new table, empty; some sixty rows a school and year with a paper of some hundred kilobytes each.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "consent_scans",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("class_id", ROW_ID, nullable=False),
        sa.Column("form_no", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(120), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_consent_scans_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["fee_items.id"], name=op.f("fk_consent_scans_item_id_fee_items")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "class_id"],
            ["classes.school_id", "classes.id"],
            name=op.f("fk_consent_scans_school_id_class_id_classes"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_scans")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_consent_scans_school_id_id")),
    )
    op.create_index(
        "ix_consent_scans_school_id_class_id",
        "consent_scans",
        ["school_id", "class_id", "item_id"],
    )


def downgrade() -> None:
    op.drop_table("consent_scans")
