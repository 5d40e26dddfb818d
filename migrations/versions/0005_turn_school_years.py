"""Turn school years: outcomes, names of next classes, turns with what they did, hand-overs.

All tables are new and empty. Outcomes and turn items grow by one row a child and year, about 33,000
each; hand-overs by one for each child that changes its level, about 6,000.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "year_turns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "school_year_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "next_year_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("turned_by", sa.String(length=120), nullable=False),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=120), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["next_year_id"],
            ["school_years.id"],
            name=op.f("fk_year_turns_next_year_id_school_years"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_year_turns_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_year_id"],
            ["school_years.id"],
            name=op.f("fk_year_turns_school_year_id_school_years"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_turns")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_turns_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "school_year_id",
            "seq",
            name=op.f("uq_year_turns_school_id_school_year_id_seq"),
        ),
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "school_year_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "from_school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "from_enrolment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "to_school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("way", sa.String(length=12), nullable=True),
        sa.Column("assigned_by", sa.String(length=120), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "admitted_enrolment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("admitted_by", sa.String(length=120), nullable=True),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_school_id", "from_enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_handovers_from_school_id_from_enrolment_id_enrolments"),
        ),
        sa.ForeignKeyConstraint(
            ["from_school_id"], ["schools.id"], name=op.f("fk_handovers_from_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_year_id"],
            ["school_years.id"],
            name=op.f("fk_handovers_school_year_id_school_years"),
        ),
        sa.ForeignKeyConstraint(
            ["to_school_id", "admitted_enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_handovers_to_school_id_admitted_enrolment_id_enrolments"),
        ),
        sa.ForeignKeyConstraint(
            ["to_school_id"], ["schools.id"], name=op.f("fk_handovers_to_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
        sa.UniqueConstraint(
            "from_school_id",
            "from_enrolment_id",
            "school_year_id",
            name=op.f("uq_handovers_from_school_id_from_enrolment_id_school_year_id"),
        ),
    )
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_handovers_from_school_id", ["from_school_id", "school_year_id"], unique=False
        )
        batch_op.create_index(
            "ix_handovers_to_school_id", ["to_school_id", "school_year_id"], unique=False
        )

    op.create_table(
        "year_class_plans",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "school_year_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("class_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column(
            "school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "class_id"],
            ["classes.school_id", "classes.id"],
            name=op.f("fk_year_class_plans_school_id_class_id_classes"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_year_class_plans_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_year_id"],
            ["school_years.id"],
            name=op.f("fk_year_class_plans_school_year_id_school_years"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_class_plans")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_class_plans_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "school_year_id",
            "class_id",
            name=op.f("uq_year_class_plans_school_id_school_year_id_class_id"),
        ),
    )
    op.create_table(
        "year_outcomes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "school_year_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "enrolment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_year_outcomes_school_id_enrolment_id_enrolments"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_year_outcomes_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_year_id"],
            ["school_years.id"],
            name=op.f("fk_year_outcomes_school_year_id_school_years"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_outcomes")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_outcomes_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "school_year_id",
            "enrolment_id",
            name=op.f("uq_year_outcomes_school_id_school_year_id_enrolment_id"),
        ),
    )
    op.create_table(
        "year_turn_classes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("turn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("class_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column(
            "school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "turn_id"],
            ["year_turns.school_id", "year_turns.id"],
            name=op.f("fk_year_turn_classes_school_id_turn_id_year_turns"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_year_turn_classes_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_turn_classes")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_turn_classes_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "turn_id",
            "class_id",
            name=op.f("uq_year_turn_classes_school_id_turn_id_class_id"),
        ),
    )
    op.create_table(
        "year_turn_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("turn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "enrolment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("class_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "placement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("placement_ends_on", sa.Date(), nullable=True),
        sa.Column("stay_ends_on", sa.Date(), nullable=True),
        sa.Column("stay_end_reason", sa.String(length=24), nullable=True),
        sa.Column(
            "next_class_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "next_placement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "class_id"],
            ["classes.school_id", "classes.id"],
            name=op.f("fk_year_turn_items_school_id_class_id_classes"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_year_turn_items_school_id_enrolment_id_enrolments"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "turn_id"],
            ["year_turns.school_id", "year_turns.id"],
            name=op.f("fk_year_turn_items_school_id_turn_id_year_turns"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_year_turn_items_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_turn_items")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_turn_items_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "turn_id",
            "enrolment_id",
            name=op.f("uq_year_turn_items_school_id_turn_id_enrolment_id"),
        ),
    )
    with op.batch_alter_table("year_turn_items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_year_turn_items_school_id_enrolment_id", ["school_id", "enrolment_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("year_turn_items", schema=None) as batch_op:
        batch_op.drop_index("ix_year_turn_items_school_id_enrolment_id")

    op.drop_table("year_turn_items")
    op.drop_table("year_turn_classes")
    op.drop_table("year_outcomes")
    op.drop_table("year_class_plans")
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.drop_index("ix_handovers_to_school_id")
        batch_op.drop_index("ix_handovers_from_school_id")

    op.drop_table("handovers")
    op.drop_table("year_turns")
