"""Keep what was asked of the population database, what it answered, and who the staff are.

All tables are new and empty. Items grow by the number of children proved (about 33,000 once, then
some thousands a year), results and differences likewise.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTE_ORDER = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def _school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
    )


def _person(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f(f"fk_{table}_student_id_students")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id_users")),
        sa.CheckConstraint(
            "(student_id is null) <> (user_id is null)", name=op.f(f"ck_{table}_one_person")
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "staff_identities",
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("full_name", sa.String(120), nullable=False),
        sa.Column("sort_key", BYTE_ORDER, nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
        sa.Column("verification", sa.String(16), nullable=False),
        sa.Column("revision", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_staff_identities_user_id_users")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_staff_identities")),
    )
    op.create_table(
        "staff_identifiers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("scheme", sa.String(12), nullable=False),
        sa.Column("value", sa.String(24), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_staff_identifiers_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_identifiers")),
    )
    op.create_index("ix_staff_identifiers_user_id", "staff_identifiers", ["user_id"])
    op.create_index("ix_staff_identifiers_value", "staff_identifiers", ["value"])
    op.create_table(
        "verification_batches",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.String(120), nullable=False),
        sa.Column("count", ROW_ID, nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        _school("verification_batches"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_batches")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_verification_batches_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "number", name=op.f("uq_verification_batches_school_id_number")
        ),
    )
    op.create_table(
        "verification_uploads",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("filename", sa.String(120), nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("uploaded_by", sa.String(120), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        _school("verification_uploads"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_uploads")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_verification_uploads_school_id_id")),
    )
    op.create_table(
        "verification_items",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("batch_id", ROW_ID, nullable=True),
        sa.Column("student_id", ROW_ID, nullable=True),
        sa.Column("user_id", ROW_ID, nullable=True),
        sa.Column("row_key", sa.String(12), nullable=False),
        sa.Column("full_name", sa.String(120), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
        sa.Column("pin", sa.String(24), nullable=False),
        sa.Column("revision", ROW_ID, nullable=False),
        _school("verification_items"),
        *_person("verification_items"),
        sa.ForeignKeyConstraint(
            ["school_id", "batch_id"],
            ["verification_batches.school_id", "verification_batches.id"],
            name=op.f("fk_verification_items_batch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_items")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_verification_items_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "row_key", name=op.f("uq_verification_items_school_id_row_key")
        ),
    )
    op.create_index(
        "ix_verification_items_school_id_batch_id", "verification_items", ["school_id", "batch_id"]
    )
    op.create_index("ix_verification_items_student_id", "verification_items", ["student_id"])
    op.create_index("ix_verification_items_user_id", "verification_items", ["user_id"])
    op.create_table(
        "verification_results",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("student_id", ROW_ID, nullable=True),
        sa.Column("user_id", ROW_ID, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("upload_id", ROW_ID, nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _school("verification_results"),
        *_person("verification_results"),
        sa.ForeignKeyConstraint(
            ["school_id", "item_id"],
            ["verification_items.school_id", "verification_items.id"],
            name=op.f("fk_verification_results_item"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "upload_id"],
            ["verification_uploads.school_id", "verification_uploads.id"],
            name=op.f("fk_verification_results_upload"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_results")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_verification_results_school_id_id")),
    )
    op.create_index(
        "ix_verification_results_school_id_item_id",
        "verification_results",
        ["school_id", "item_id"],
    )
    op.create_index("ix_verification_results_student_id", "verification_results", ["student_id"])
    op.create_index("ix_verification_results_user_id", "verification_results", ["user_id"])
    op.create_table(
        "verification_differences",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("result_id", ROW_ID, nullable=False),
        sa.Column("field", sa.String(12), nullable=False),
        sa.Column("given_value", sa.String(120), nullable=True),
        _school("verification_differences"),
        sa.ForeignKeyConstraint(
            ["school_id", "result_id"],
            ["verification_results.school_id", "verification_results.id"],
            name=op.f("fk_verification_differences_result"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_differences")),
        sa.UniqueConstraint(
            "school_id", "id", name=op.f("uq_verification_differences_school_id_id")
        ),
        sa.UniqueConstraint(
            "school_id",
            "result_id",
            "field",
            name=op.f("uq_verification_differences_school_id_result_id_field"),
        ),
    )


def downgrade() -> None:
    for table in (
        "verification_differences",
        "verification_results",
        "verification_items",
        "verification_uploads",
        "verification_batches",
        "staff_identifiers",
        "staff_identities",
    ):
        op.drop_table(table)
