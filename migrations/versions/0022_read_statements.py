"""Keep the statements of bank accounts: files, their rows, what each row was found to be.

Five new tables, empty. Rows grow with the transfers of a school, some ten thousand a year; layouts
are the area's, a few rows in all; uploads are emptied once their columns are named.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("file_name", sa.String(160), nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("layout", sa.String(40), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("debits", sa.BigInteger(), nullable=False),
        sa.Column("row_count", ROW_ID, nullable=False),
        sa.Column("known_count", ROW_ID, nullable=False),
        sa.Column("imported_by", sa.String(120), nullable=False),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_statements_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "bank_account_id"],
            ["bank_accounts.school_id", "bank_accounts.id"],
            name=op.f("fk_statements_school_id_bank_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_statements_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "bank_account_id",
            "file_hash",
            name=op.f("uq_statements_school_id_bank_account_id_file_hash"),
        ),
    )
    op.create_table(
        "statement_rows",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("statement_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.String(400), nullable=False),
        sa.Column("ref", sa.String(80), nullable=False),
        sa.Column("payer", sa.String(120), nullable=False),
        sa.Column("payer_account", sa.String(40), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_statement_rows_amount_positive")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_statement_rows_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "statement_id"],
            ["statements.school_id", "statements.id"],
            name=op.f("fk_statement_rows_school_id_statements"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_rows")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_statement_rows_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "bank_account_id",
            "key",
            name=op.f("uq_statement_rows_school_id_bank_account_id_key"),
        ),
    )
    op.create_index(
        "ix_statement_rows_school_id_statement_id", "statement_rows", ["school_id", "statement_id"]
    )
    op.create_table(
        "statement_findings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("row_id", ROW_ID, nullable=False),
        sa.Column("payment_id", ROW_ID, nullable=False),
        sa.Column("finding", sa.String(12), nullable=False),
        sa.Column("found_by", sa.String(120), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_statement_findings_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "row_id"],
            ["statement_rows.school_id", "statement_rows.id"],
            name=op.f("fk_statement_findings_school_id_statement_rows"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "payment_id"],
            ["payments.school_id", "payments.id"],
            name=op.f("fk_statement_findings_school_id_payments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_findings")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_statement_findings_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "row_id", name=op.f("uq_statement_findings_school_id_row_id")
        ),
    )
    op.create_index(
        "ix_statement_findings_school_id_payment_id",
        "statement_findings",
        ["school_id", "payment_id"],
    )
    op.create_table(
        "statement_uploads",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("bank_account_id", ROW_ID, nullable=False),
        sa.Column("file_name", sa.String(160), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.String(120), nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_statement_uploads_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "bank_account_id"],
            ["bank_accounts.school_id", "bank_accounts.id"],
            name=op.f("fk_statement_uploads_school_id_bank_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_uploads")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_statement_uploads_school_id_id")),
    )
    op.create_table(
        "statement_layouts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("bank_bin", sa.String(6), nullable=False),
        sa.Column("signature", sa.String(32), nullable=False),
        sa.Column("titles", sa.Text(), nullable=False),
        sa.Column("taught_by", sa.String(120), nullable=False),
        sa.Column("taught_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_layouts")),
        sa.UniqueConstraint(
            "bank_bin", "signature", name=op.f("uq_statement_layouts_bank_bin_signature")
        ),
    )


def downgrade() -> None:
    for table in (
        "statement_layouts",
        "statement_uploads",
        "statement_findings",
        "statement_rows",
        "statements",
    ):
        op.drop_table(table)
