"""Take applications for exemptions with their steps and proofs; support and the sibling rule.

Three new tables, empty: a few hundred applications a year and school at most, each with proofs of
some hundred kilobytes. Two columns on the grounds (some ten rows).
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _keys() -> list[sa.Column]:
    return [
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
    ]


def _own(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def _of_application(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", "application_id"],
        ["exemption_applications.school_id", "exemption_applications.id"],
        name=op.f(f"fk_{table}_school_id_application_id_exemption_applications"),
    )


def upgrade() -> None:
    op.add_column("exemption_policies", sa.Column("support", sa.BigInteger(), nullable=True))
    op.add_column("exemption_policies", sa.Column("sibling_nth", ROW_ID, nullable=True))
    op.create_table(
        "exemption_applications",
        *_keys(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("policy_id", ROW_ID, nullable=False),
        sa.Column("first_period", sa.Integer(), nullable=False),
        sa.Column("last_period", sa.Integer(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("exemption_id", ROW_ID, nullable=True),
        *_own("exemption_applications"),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_exemption_applications_school_id_enrolment_id_enrolments"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "exemption_id"],
            ["exemptions.school_id", "exemptions.id"],
            name=op.f("fk_exemption_applications_school_id_exemption_id_exemptions"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["exemption_policies.id"],
            name=op.f("fk_exemption_applications_policy_id_exemption_policies"),
        ),
    )
    op.create_index(
        "ix_exemption_applications_school_id_received_on",
        "exemption_applications",
        ["school_id", "received_on"],
    )
    op.create_table(
        "exemption_application_steps",
        *_keys(),
        sa.Column("application_id", ROW_ID, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("actor_id", ROW_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_own("exemption_application_steps"),
        sa.ForeignKeyConstraint(
            ["school_id", "application_id"],
            ["exemption_applications.school_id", "exemption_applications.id"],
            name=op.f("fk_exemption_application_steps_of_application"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_exemption_application_steps_actor_id_users")
        ),
    )
    op.create_index(
        "ix_exemption_application_steps_school_id_application_id",
        "exemption_application_steps",
        ["school_id", "application_id"],
    )
    op.create_table(
        "exemption_proofs",
        *_keys(),
        sa.Column("application_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("added_by", sa.String(120), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        *_own("exemption_proofs"),
        _of_application("exemption_proofs"),
    )
    op.create_index(
        "ix_exemption_proofs_school_id_application_id",
        "exemption_proofs",
        ["school_id", "application_id"],
    )


def downgrade() -> None:
    op.drop_table("exemption_proofs")
    op.drop_table("exemption_application_steps")
    op.drop_table("exemption_applications")
    op.drop_column("exemption_policies", "sibling_nth")
    op.drop_column("exemption_policies", "support")
