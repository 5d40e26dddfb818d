"""Keep children's transfers between schools, with every step and the papers of the dossier.

Three new tables, empty; a few hundred rows a year for the area.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_transfer(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "transfer_id"],
            ["transfers.school_id", "transfers.id"],
            name=op.f(f"fk_{table}_school_id_transfer_id_transfers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("student_id", ROW_ID, nullable=False),
        sa.Column("from_school_id", ROW_ID, nullable=False),
        sa.Column("from_enrolment_id", ROW_ID, nullable=False),
        sa.Column("wished_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_transfers_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["from_school_id"], ["schools.id"], name=op.f("fk_transfers_from_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_transfers_student_id_students")
        ),
        sa.ForeignKeyConstraint(
            ["from_school_id", "from_enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_transfers_from_school_id_from_enrolment_id_enrolments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_transfers_school_id_id")),
    )
    op.create_index("ix_transfers_from_school_id", "transfers", ["from_school_id"])
    op.create_index("ix_transfers_student_id", "transfers", ["student_id"])
    op.create_table(
        "transfer_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("transfer_id", ROW_ID, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("enrolment_id", ROW_ID, nullable=True),
        *_of_transfer("transfer_steps"),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_transfer_steps_school_id_id")),
    )
    op.create_index("ix_transfer_steps_transfer_id", "transfer_steps", ["transfer_id"])
    op.create_table(
        "transfer_papers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("transfer_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_of_transfer("transfer_papers"),
        sa.UniqueConstraint(
            "school_id",
            "transfer_id",
            "kind",
            name=op.f("uq_transfer_papers_school_id_transfer_id_kind"),
        ),
    )


def downgrade() -> None:
    op.drop_table("transfer_papers")
    op.drop_index("ix_transfer_steps_transfer_id", "transfer_steps")
    op.drop_table("transfer_steps")
    op.drop_index("ix_transfers_student_id", "transfers")
    op.drop_index("ix_transfers_from_school_id", "transfers")
    op.drop_table("transfers")
