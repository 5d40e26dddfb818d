"""Say what the law forbids to charge, what insurance is computed from, and what allows an item.

Two columns on the catalogue (about twenty rows) and two new tables; their first rows are those the
acts give. Caps of the area stay empty: no resolution with figures was found.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: name, words, level, act, from
FORBIDDEN = (
    (
        "Dạy thêm, học thêm trong trường có thu tiền",
        "day them|hoc them|phu dao|boi duong hoc sinh",
        None,
        "Thông tư 29/2024/TT-BGDĐT",
        date(2025, 2, 14),
    ),
    (
        "Học hai buổi một ngày ở trung học cơ sở",
        "hai buoi|2 buoi",
        "lower_secondary",
        "Chỉ thị 17, Công văn 9179/BTC-NSNN và Công văn 4567 của Bộ GD&ĐT",
        date(2025, 9, 1),
    ),
    (
        "Ban đại diện cha mẹ thu cho bảo vệ, trông xe, vệ sinh, khen thưởng, mua sắm, sửa chữa",
        "bao ve|trong xe|giu xe|ve sinh|khen thuong giao vien|mua sam|sua chua|xay dung",
        None,
        "Thông tư 55/2011/TT-BGDĐT, Điều 10",
        date(2011, 1, 1),
    ),
    (
        "Tài trợ có mức bình quân hoặc mức tối thiểu",
        "muc dong gop binh quan|muc toi thieu tai tro",
        None,
        "Thông tư 16/2018/TT-BGDĐT",
        date(2018, 1, 1),
    ),
)
#: base salary, state share, act, from
INSURANCE = (
    (2_340_000, 30, "Luật Bảo hiểm y tế; lương cơ sở 2.340.000 đồng", date(2024, 7, 1)),
    (2_340_000, 50, "Nghị định 188/2025/NĐ-CP; lương cơ sở 2.340.000 đồng", date(2025, 7, 1)),
    (2_530_000, 50, "Nghị định 188/2025/NĐ-CP; lương cơ sở 2.530.000 đồng", date(2026, 7, 1)),
)


def upgrade() -> None:
    op.add_column(
        "fee_items", sa.Column("allowed_by", sa.String(200), nullable=False, server_default="")
    )
    op.add_column(
        "fee_items", sa.Column("is_checked", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    forbidden = op.create_table(
        "forbidden_charges",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("words", sa.String(400), nullable=False),
        sa.Column("level", sa.String(24), nullable=True),
        sa.Column("legal_act", sa.String(200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forbidden_charges")),
    )
    op.bulk_insert(
        forbidden,
        [
            {"name": name, "words": words, "level": level, "legal_act": act, "valid_from": day}
            for name, words, level, act, day in FORBIDDEN
        ],
    )
    insurance = op.create_table(
        "insurance_rates",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("base_salary", sa.BigInteger(), nullable=False),
        sa.Column("state_share", ROW_ID, nullable=False),
        sa.Column("legal_act", sa.String(200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_rates")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_insurance_rates_valid_from")),
        sa.CheckConstraint(
            "state_share between 0 and 100", name=op.f("ck_insurance_rates_share_in_range")
        ),
        sa.CheckConstraint("base_salary > 0", name=op.f("ck_insurance_rates_base_positive")),
    )
    op.bulk_insert(
        insurance,
        [
            {"base_salary": base, "state_share": share, "legal_act": act, "valid_from": day}
            for base, share, act, day in INSURANCE
        ],
    )


def downgrade() -> None:
    op.drop_table("insurance_rates")
    op.drop_table("forbidden_charges")
    op.drop_column("fee_items", "is_checked")
    op.drop_column("fee_items", "allowed_by")
