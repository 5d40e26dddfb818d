"""Let an item's money go to an account of its own.

One new table, empty; some ten rows a school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "item_accounts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=True),
        sa.Column("set_by", sa.String(120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_item_accounts_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["fee_items.id"], name=op.f("fk_item_accounts_item_id_fee_items")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "bank_account_id"],
            ["bank_accounts.school_id", "bank_accounts.id"],
            name=op.f("fk_item_accounts_school_id_bank_account_id_bank_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_accounts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_item_accounts_school_id_id")),
    )
    op.create_index("ix_item_accounts_school_id_item_id", "item_accounts", ["school_id", "item_id"])


def downgrade() -> None:
    op.drop_table("item_accounts")
