"""Keep the days of meals, what others pay of them, and quantities of one child's own.

New columns on prices (thousands of rows) and on issued lines (about a million a year; a default
only, no rewrite), and seven new tables, empty. Marks and registers grow by about 5,000 rows a
school and year. Issued lines keep their guards, which are laid after the migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _own(table: str, *constraints: sa.Constraint) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
        *constraints,
    ]


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["item_id"], ["fee_items.id"], name=op.f(f"fk_{table}_item_id_fee_items")
    )


def _of_stay(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", "enrolment_id"],
        ["enrolments.school_id", "enrolments.id"],
        name=op.f(f"fk_{table}_school_id_enrolment_id_enrolments"),
    )


def _keys() -> list[sa.Column]:
    return [
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
    ]


def upgrade() -> None:
    op.add_column("schedule_prices", sa.Column("second_price", sa.BigInteger(), nullable=True))
    op.add_column("schedule_prices", sa.Column("second_from", sa.Date(), nullable=True))
    for name, kind in (
        ("quantity_before", ROW_ID),
        ("price_before", sa.BigInteger()),
        ("subsidy", sa.BigInteger()),
    ):
        op.add_column("invoice_lines", sa.Column(name, kind, nullable=False, server_default="0"))
    op.create_table(
        "fee_subsidies",
        *_keys(),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.String(120), nullable=False),
        sa.Column("legal_act", sa.String(200), nullable=False),
        sa.Column("first_period", sa.Integer(), nullable=False),
        sa.Column("last_period", sa.Integer(), nullable=True),
        *_own(
            "fee_subsidies",
            _of_item("fee_subsidies"),
            sa.UniqueConstraint(
                "school_id",
                "item_id",
                "first_period",
                name=op.f("uq_fee_subsidies_school_id_item_id_first_period"),
            ),
            sa.CheckConstraint("amount > 0", name=op.f("ck_fee_subsidies_amount_positive")),
        ),
    )
    op.create_table(
        "fee_halvings",
        *_keys(),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("above_days", ROW_ID, nullable=False),
        sa.Column("percent", ROW_ID, nullable=False),
        sa.Column("first_period", sa.Integer(), nullable=False),
        sa.Column("last_period", sa.Integer(), nullable=True),
        *_own(
            "fee_halvings",
            _of_item("fee_halvings"),
            sa.UniqueConstraint(
                "school_id",
                "item_id",
                "first_period",
                name=op.f("uq_fee_halvings_school_id_item_id_first_period"),
            ),
            sa.CheckConstraint(
                "percent between 1 and 100", name=op.f("ck_fee_halvings_percent_in_range")
            ),
            sa.CheckConstraint(
                "above_days between 0 and 31", name=op.f("ck_fee_halvings_days_in_range")
            ),
        ),
    )
    op.create_table(
        "fee_quantities",
        *_keys(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("quantity", ROW_ID, nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("set_by", sa.String(120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        *_own(
            "fee_quantities",
            _of_item("fee_quantities"),
            _of_stay("fee_quantities"),
            sa.CheckConstraint(
                "quantity between 0 and 1000", name=op.f("ck_fee_quantities_quantity_in_range")
            ),
        ),
    )
    op.create_index(
        "ix_fee_quantities_school_id_period",
        "fee_quantities",
        ["school_id", "period", "enrolment_id", "item_id"],
    )
    op.create_table(
        "meal_days",
        *_keys(),
        sa.Column("item_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_served", sa.Boolean(), nullable=False),
        *_own(
            "meal_days",
            _of_item("meal_days"),
            sa.UniqueConstraint(
                "school_id", "item_id", "day", name=op.f("uq_meal_days_school_id_item_id_day")
            ),
        ),
    )
    op.create_index("ix_meal_days_school_id_day", "meal_days", ["school_id", "day"])
    op.create_table(
        "meal_marks",
        *_keys(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_away", sa.Boolean(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_own("meal_marks", _of_stay("meal_marks")),
    )
    op.create_index(
        "ix_meal_marks_school_id_enrolment_id_day",
        "meal_marks",
        ["school_id", "enrolment_id", "day"],
    )
    op.create_index("ix_meal_marks_school_id_day", "meal_marks", ["school_id", "day"])
    op.create_table(
        "meal_registers",
        *_keys(),
        sa.Column("class_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("present", ROW_ID, nullable=False),
        sa.Column("away", ROW_ID, nullable=False),
        sa.Column("closed_by", sa.String(120), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        *_own(
            "meal_registers",
            sa.ForeignKeyConstraint(
                ["school_id", "class_id"],
                ["classes.school_id", "classes.id"],
                name=op.f("fk_meal_registers_school_id_class_id_classes"),
            ),
        ),
    )
    op.create_index(
        "ix_meal_registers_school_id_day", "meal_registers", ["school_id", "day", "class_id"]
    )
    op.create_table(
        "meal_contests",
        *_keys(),
        sa.Column("enrolment_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_by_id", ROW_ID, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_accepted", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_own(
            "meal_contests",
            _of_stay("meal_contests"),
            sa.ForeignKeyConstraint(
                ["asked_by_id"], ["users.id"], name=op.f("fk_meal_contests_asked_by_id_users")
            ),
        ),
    )
    op.create_index(
        "ix_meal_contests_school_id_enrolment_id_day",
        "meal_contests",
        ["school_id", "enrolment_id", "day"],
    )


def downgrade() -> None:
    op.drop_table("meal_contests")
    op.drop_table("meal_registers")
    op.drop_table("meal_marks")
    op.drop_table("meal_days")
    op.drop_table("fee_quantities")
    op.drop_table("fee_halvings")
    op.drop_table("fee_subsidies")
    for name in ("subsidy", "price_before", "quantity_before"):
        op.drop_column("invoice_lines", name)
    op.drop_column("schedule_prices", "second_from")
    op.drop_column("schedule_prices", "second_price")
