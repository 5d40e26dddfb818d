"""Keep the departures of children from the area, their duties, and the days off that move terms.

Four new tables, empty; a few hundred rows a year for the area.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_departure(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "departure_id"],
            ["departures.school_id", "departures.id"],
            name=op.f(f"fk_{table}_school_id_departure_id_departures"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def upgrade() -> None:
    op.create_table(
        "days_off",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_days_off")),
    )
    op.create_index("ix_days_off_day", "days_off", ["day"])
    op.create_table(
        "departures",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("to_school", sa.String(160), nullable=False),
        sa.Column("to_place", sa.String(120), nullable=False),
        sa.Column("is_far", sa.Boolean(), nullable=False),
        sa.Column("wished_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_departures_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_departures_school_id_enrolment_id_enrolments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_departures_school_id_id")),
    )
    op.create_index(
        "ix_departures_school_id_enrolment_id", "departures", ["school_id", "enrolment_id"]
    )
    op.create_table(
        "departure_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("departure_id", ROW_ID, nullable=False),
        sa.Column("fact", sa.String(12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_of_departure("departure_steps"),
        sa.UniqueConstraint(
            "school_id",
            "departure_id",
            "fact",
            name=op.f("uq_departure_steps_school_id_departure_id_fact"),
        ),
    )
    op.create_table(
        "departure_marks",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("departure_id", ROW_ID, nullable=False),
        sa.Column("duty", sa.String(12), nullable=False),
        sa.Column("mark", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_of_departure("departure_marks"),
    )
    op.create_index(
        "ix_departure_marks_school_id_departure_id",
        "departure_marks",
        ["school_id", "departure_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_departure_marks_school_id_departure_id", "departure_marks")
    op.drop_table("departure_marks")
    op.drop_table("departure_steps")
    op.drop_index("ix_departures_school_id_enrolment_id", "departures")
    op.drop_table("departures")
    op.drop_index("ix_days_off_day", "days_off")
    op.drop_table("days_off")
