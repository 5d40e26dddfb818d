"""Keep for how long records are kept, and the requests to make children anonymous.

Three new tables; the terms begin with five rows taken from the acts, the requests are empty. The
history of identities gets its guards, which are laid after the migration.
"""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LAWNET = "lawnet.vn, bài về thời hạn lưu trữ tài liệu kế toán"
#: kind, term, years, counted from, act, source, certainty, valid from
TERMS = (
    (
        "vouchers",
        "years",
        10,
        "fiscal_year",
        "Nghị định 174/2016/NĐ-CP, Điều 12–15",
        LAWNET,
        "read",
        date(2026, 1, 1),
    ),
    (
        "slips",
        "years",
        5,
        "fiscal_year",
        "Nghị định 174/2016/NĐ-CP, Điều 12–15",
        LAWNET,
        "read",
        date(2026, 1, 1),
    ),
    (
        "learning",
        "for_ever",
        None,
        "nothing",
        "Nghị định 88/2026/NĐ-CP, Điều 8",
        "Bản tóm tắt của bên thứ ba",
        "second_hand",
        date(2026, 5, 15),
    ),
    (
        "pupils",
        "open",
        None,
        "leaving",
        "Luật 91/2025/QH15 và Nghị định 356/2025/NĐ-CP",
        "Chưa tìm thấy số năm trong văn bản; cơ quan quản lý quyết định",
        "second_hand",
        date(2026, 1, 1),
    ),
    (
        "photos",
        "consent",
        None,
        "withdrawal",
        "Luật 91/2025/QH15, Điều 24",
        "plo.vn, bài ngày 29/12/2025",
        "read",
        date(2026, 1, 1),
    ),
)


def upgrade() -> None:
    terms = op.create_table(
        "retention_terms",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("term", sa.String(8), nullable=False),
        sa.Column("years", ROW_ID, nullable=True),
        sa.Column("counted_from", sa.String(12), nullable=False),
        sa.Column("act", sa.String(200), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("certainty", sa.String(12), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("set_by", sa.String(120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(term = 'years') = (years is not null)",
            name=op.f("ck_retention_terms_years_where_counted"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_terms")),
        sa.UniqueConstraint("kind", "valid_from", name=op.f("uq_retention_terms_kind_valid_from")),
    )
    names = ("kind", "term", "years", "counted_from", "act", "source", "certainty", "valid_from")
    op.bulk_insert(
        terms,
        [
            {
                **dict(zip(names, row, strict=True)),
                "valid_to": None,
                "set_by": "Sổ Thu",
                "set_at": datetime(2026, 11, 24, tzinfo=UTC),
            }
            for row in TERMS
        ],
    )
    op.create_table(
        "forgetting_requests",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("asked_by_id", ROW_ID, nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by_id", ROW_ID, nullable=True),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.String(200), nullable=False),
        sa.CheckConstraint(
            "(decided_at is null) = (approved is null)",
            name=op.f("ck_forgetting_requests_decided_at_once"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_forgetting_requests_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_forgetting_requests_asked_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_forgetting_requests_decided_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgetting_requests")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_forgetting_requests_school_id_id")),
    )
    op.create_table(
        "forgetting_children",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("request_id", ROW_ID, nullable=False),
        sa.Column("student_id", ROW_ID, nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_forgetting_children_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "request_id"],
            ["forgetting_requests.school_id", "forgetting_requests.id"],
            name=op.f("fk_forgetting_children_school_id_request_id_forgetting_requests"),
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_forgetting_children_student_id_students")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgetting_children")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_forgetting_children_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "request_id",
            "student_id",
            name=op.f("uq_forgetting_children_school_id_request_id_student_id"),
        ),
    )
    op.create_index("ix_forgetting_children_student_id", "forgetting_children", ["student_id"])


def downgrade() -> None:
    op.drop_index("ix_forgetting_children_student_id", "forgetting_children")
    op.drop_table("forgetting_children")
    op.drop_table("forgetting_requests")
    op.drop_table("retention_terms")
