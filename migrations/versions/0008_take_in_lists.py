"""Keep lists that are being taken in: the import, its rows, the remembered columns.

All new and empty. Rows live thirty days at most, so the tables stay below a hundred thousand rows;
imports number a few hundred a year.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, ROW_ID, nullable=nullable)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
    )


def _keys(table: str, *unique: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
        *(
            [sa.UniqueConstraint(*unique, name=op.f(f"uq_{table}_{'_'.join(unique)}"))]
            if unique
            else []
        ),
        _key(table, "school_id", "schools"),
    ]


def upgrade() -> None:
    op.create_table(
        "list_imports",
        _number("id"),
        _number("school_id"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("file_name", sa.String(120), nullable=False),
        sa.Column("uploaded_by", sa.String(120), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        _number("school_year_id"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("grid", sa.LargeBinary(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        _number("job_id", nullable=True),
        *(
            _number(name)
            for name in ("new", "changed", "unchanged", "doubtful", "refused", "missing")
        ),
        sa.Column("rehearsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.String(120), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.Date(), nullable=False),
        *_keys("list_imports"),
        _key("list_imports", "school_year_id", "school_years"),
    )
    op.create_index(
        "ix_list_imports_school_id_uploaded_at", "list_imports", ["school_id", "uploaded_at"]
    )
    op.create_table(
        "list_import_rows",
        _number("id"),
        _number("school_id"),
        _number("import_id"),
        _number("seq"),
        sa.Column("sheet", sa.String(60), nullable=False),
        _number("row_no"),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("class_name", sa.String(60), nullable=False),
        _number("student_id", nullable=True),
        _number("user_id", nullable=True),
        sa.Column("choice", sa.String(28), nullable=False),
        sa.Column("ticks", sa.String(120), nullable=False),
        _number("kept"),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        *_keys("list_import_rows", "school_id", "import_id", "seq"),
        _key("list_import_rows", "student_id", "students"),
        _key("list_import_rows", "user_id", "users"),
        sa.ForeignKeyConstraint(
            ["school_id", "import_id"],
            ["list_imports.school_id", "list_imports.id"],
            name=op.f("fk_list_import_rows_school_id_import_id_list_imports"),
        ),
    )
    op.create_index(
        "ix_list_import_rows_school_id_import_id_state",
        "list_import_rows",
        ["school_id", "import_id", "state"],
    )
    op.create_table(
        "list_mappings",
        _number("id"),
        _number("school_id"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(120), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("list_mappings", "school_id", "kind", "signature"),
    )


def downgrade() -> None:
    op.drop_table("list_mappings")
    op.drop_index("ix_list_import_rows_school_id_import_id_state", "list_import_rows")
    op.drop_table("list_import_rows")
    op.drop_index("ix_list_imports_school_id_uploaded_at", "list_imports")
    op.drop_table("list_imports")
