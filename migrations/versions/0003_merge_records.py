"""Join two records of one child and remember what was moved.

Four new tables, empty, a few rows a year: a double record is an accident.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _what_was_said() -> list[sa.Column]:
    return [
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    ]


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
    )


def upgrade() -> None:
    op.create_table(
        "merges",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("survivor_id", ROW_ID, nullable=False),
        sa.Column("merged_id", ROW_ID, nullable=False),
        *_what_was_said(),
        sa.CheckConstraint("survivor_id <> merged_id", name=op.f("ck_merges_two_records")),
        _key("merges", "survivor_id", "students"),
        _key("merges", "merged_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index("ix_merges_survivor_id", "merges", ["survivor_id"])
    op.create_index("ix_merges_merged_id", "merges", ["merged_id"])
    op.create_table(
        "merge_parts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("merge_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("row_id", ROW_ID, nullable=False),
        sa.Column("before", sa.String(120), nullable=True),
        _key("merge_parts", "merge_id", "merges"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_parts")),
    )
    op.create_index("ix_merge_parts_merge_id", "merge_parts", ["merge_id"])
    op.create_table(
        "merge_undos",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("merge_id", ROW_ID, nullable=False),
        *_what_was_said(),
        _key("merge_undos", "merge_id", "merges"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_undos")),
        sa.UniqueConstraint("merge_id", name=op.f("uq_merge_undos_merge_id")),
    )
    op.create_table(
        "two_children",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("first_id", ROW_ID, nullable=False),
        sa.Column("second_id", ROW_ID, nullable=False),
        *_what_was_said(),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_two_children_in_order")),
        _key("two_children", "first_id", "students"),
        _key("two_children", "second_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_two_children")),
        sa.UniqueConstraint(
            "first_id", "second_id", name=op.f("uq_two_children_first_id_second_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("two_children")
    op.drop_table("merge_undos")
    op.drop_index("ix_merge_parts_merge_id", "merge_parts")
    op.drop_table("merge_parts")
    op.drop_index("ix_merges_merged_id", "merges")
    op.drop_index("ix_merges_survivor_id", "merges")
    op.drop_table("merges")
