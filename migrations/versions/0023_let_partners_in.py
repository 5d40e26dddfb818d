"""Banks and wallets that ask and tell by signed requests: partners, keys, answers given once.

Three new tables, empty. Answers grow with the payments partners tell, some hundred thousand a year.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_partners",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_partners")),
        sa.UniqueConstraint("code", name=op.f("uq_api_partners_code")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner_id", ROW_ID, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("secret", sa.String(120), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["api_partners.id"], name=op.f("fk_api_keys_partner_id_api_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_api_keys_key_id")),
    )
    op.create_table(
        "api_answers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner_id", ROW_ID, nullable=False),
        sa.Column("idempotency_key", sa.String(80), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", ROW_ID, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["api_partners.id"],
            name=op.f("fk_api_answers_partner_id_api_partners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_answers")),
        sa.UniqueConstraint(
            "partner_id",
            "idempotency_key",
            name=op.f("uq_api_answers_partner_id_idempotency_key"),
        ),
    )


def downgrade() -> None:
    op.drop_table("api_answers")
    op.drop_table("api_keys")
    op.drop_table("api_partners")
