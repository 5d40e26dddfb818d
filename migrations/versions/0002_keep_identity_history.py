"""Keep how far an identity is proved, what it was before, and which child it turned out to be.

Students number about 33,000; the new columns come with a constant default, so nothing is
rewritten, and one statement marks those who have a personal number as not sent yet. The history
is empty. SQLite adds the reference in the column itself: rebuilding a table that half the schema
points to would need the foreign keys switched off.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "students",
        sa.Column("verification", sa.String(16), nullable=False, server_default="CHUA_CO_SO"),
    )
    op.add_column("students", sa.Column("no_number_reason", sa.String(16), nullable=True))
    op.add_column("students", sa.Column("anonymised_at", sa.DateTime(timezone=True), nullable=True))
    kind = "integer" if op.get_bind().dialect.name == "sqlite" else "bigint"
    op.execute(
        f"alter table students add column merged_into_id {kind}"
        " constraint fk_students_merged_into_id_students references students (id)"
    )
    op.create_index("ix_students_merged_into_id", "students", ["merged_into_id"])
    op.execute(
        "update students set verification = 'CHUA_GUI' where id in"
        " (select student_id from student_identifiers where scheme = 'pin' and valid_to is null)"
    )
    op.create_table(
        "identity_changes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("student_id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=True),
        sa.Column("field", sa.String(12), nullable=False),
        sa.Column("old_value", sa.String(120), nullable=True),
        sa.Column("new_value", sa.String(120), nullable=True),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_identity_changes_student_id_students")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_identity_changes_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_changes")),
    )
    op.create_index("ix_identity_changes_student_id", "identity_changes", ["student_id"])


def downgrade() -> None:
    op.drop_index("ix_identity_changes_student_id", "identity_changes")
    op.drop_table("identity_changes")
    op.drop_index("ix_students_merged_into_id", "students")
    for column in ("merged_into_id", "anonymised_at", "no_number_reason", "verification"):
        op.execute(f"alter table students drop column {column}")
