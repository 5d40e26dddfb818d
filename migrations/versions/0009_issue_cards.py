"""Issue pupil cards, keep photos and the consents that carry them.

All tables are new and empty. A card a child and a consent or two a child, about 35,000 and 60,000
rows; photos the same number at up to 100 kB each, so about two gigabytes for a whole area.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column:
    return sa.Column("id", ROW_ID, nullable=False)


def _school() -> sa.Column:
    return sa.Column("school_id", ROW_ID, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _keys(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def _stay(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", "enrolment_id"],
        ["enrolments.school_id", "enrolments.id"],
        name=op.f(f"fk_{table}_school_id_enrolment_id_enrolments"),
    )


def upgrade() -> None:
    op.create_table(
        "photo_consents",
        _id(),
        _school(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("party", sa.String(8), nullable=False),
        sa.Column("guardian_id", ROW_ID, nullable=True),
        sa.Column("method", sa.String(12), nullable=False),
        sa.Column("form_no", sa.String(40), nullable=True),
        sa.Column("wording", sa.String(12), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        _at("recorded_at"),
        sa.CheckConstraint(
            "(party = 'guardian') = (guardian_id is not null)",
            name=op.f("ck_photo_consents_who_said_it"),
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardians.id"], name=op.f("fk_photo_consents_guardian_id_guardians")
        ),
        _stay("photo_consents"),
        *_keys("photo_consents"),
    )
    op.create_index(
        "ix_photo_consents_school_id_enrolment_id", "photo_consents", ["school_id", "enrolment_id"]
    )
    op.create_table(
        "photo_withdrawals",
        _id(),
        _school(),
        sa.Column("consent_id", ROW_ID, nullable=False),
        sa.Column("method", sa.String(12), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        _at("recorded_at"),
        sa.ForeignKeyConstraint(
            ["school_id", "consent_id"],
            ["photo_consents.school_id", "photo_consents.id"],
            name=op.f("fk_photo_withdrawals_school_id_consent_id_photo_consents"),
        ),
        sa.UniqueConstraint(
            "school_id", "consent_id", name="uq_photo_withdrawals_school_id_consent_id"
        ),
        *_keys("photo_withdrawals"),
    )
    op.create_table(
        "student_photos",
        _id(),
        _school(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("added_by", sa.String(120), nullable=False),
        _at("added_at"),
        _stay("student_photos"),
        sa.UniqueConstraint(
            "school_id", "enrolment_id", name="uq_student_photos_school_id_enrolment_id"
        ),
        *_keys("student_photos"),
    )
    op.create_table(
        "cards",
        _id(),
        _school(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        _at("issued_at"),
        sa.Column("issued_by", sa.String(120), nullable=False),
        sa.Column("printed", ROW_ID, nullable=False),
        sa.Column("printed_year_id", ROW_ID, nullable=True),
        _at("ended_at", nullable=True),
        sa.Column("end_reason", sa.String(12), nullable=True),
        sa.CheckConstraint(
            "(ended_at is null) = (end_reason is null)", name=op.f("ck_cards_end_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["printed_year_id"],
            ["school_years.id"],
            name=op.f("fk_cards_printed_year_id_school_years"),
        ),
        _stay("cards"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_cards_token_hash")),
        sa.UniqueConstraint("school_id", "number", name="uq_cards_school_id_number"),
        *_keys("cards"),
    )
    op.create_index("ix_cards_school_id_enrolment_id", "cards", ["school_id", "enrolment_id"])
    op.create_index(
        "uq_cards_one_live",
        "cards",
        ["school_id", "enrolment_id"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "card_prints",
        _id(),
        _school(),
        sa.Column("layout", sa.String(8), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("total", ROW_ID, nullable=False),
        sa.Column("job_id", ROW_ID, nullable=True),
        sa.Column("requested_by", sa.String(120), nullable=False),
        _at("requested_at"),
        _at("finished_at", nullable=True),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        *_keys("card_prints"),
    )


def downgrade() -> None:
    op.drop_table("card_prints")
    op.drop_index("uq_cards_one_live", "cards")
    op.drop_index("ix_cards_school_id_enrolment_id", "cards")
    op.drop_table("cards")
    op.drop_table("student_photos")
    op.drop_table("photo_withdrawals")
    op.drop_index("ix_photo_consents_school_id_enrolment_id", "photo_consents")
    op.drop_table("photo_consents")
