"""Say what a run is for, keep which bills were withdrawn, and the runs of the whole area.

A column with a default on the runs (a few hundred rows a year), and three new tables, empty. The
withdrawals are append-only; their guards are laid after the migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "billing_runs",
        sa.Column("kind", sa.String(12), nullable=False, server_default="month"),
    )
    op.create_table(
        "invoice_withdrawals",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("invoice_id", ROW_ID, nullable=False),
        sa.Column("note_id", ROW_ID, nullable=False),
        sa.Column("replacement_id", ROW_ID, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("withdrawn_by", sa.String(120), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_invoice_withdrawals_school_id_schools")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["school_id", column],
                ["invoices.school_id", "invoices.id"],
                name=op.f(f"fk_invoice_withdrawals_school_id_{column}_invoices"),
            )
            for column in ("invoice_id", "note_id", "replacement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_withdrawals")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_invoice_withdrawals_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "invoice_id", name=op.f("uq_invoice_withdrawals_school_id_invoice_id")
        ),
    )
    op.create_table(
        "area_runs",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("billed_period", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_runs")),
    )
    op.create_table(
        "area_run_schools",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("school_id", ROW_ID, nullable=False),
        sa.Column("area_run_id", ROW_ID, nullable=False),
        sa.Column("run_id", ROW_ID, nullable=True),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("invoices", ROW_ID, nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("unplaced", ROW_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_area_run_schools_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["area_run_id"],
            ["area_runs.id"],
            name=op.f("fk_area_run_schools_area_run_id_area_runs"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "run_id"],
            ["billing_runs.school_id", "billing_runs.id"],
            name=op.f("fk_area_run_schools_school_id_run_id_billing_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_run_schools")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_area_run_schools_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "area_run_id", name=op.f("uq_area_run_schools_school_id_area_run_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("area_run_schools")
    op.drop_table("area_runs")
    op.drop_table("invoice_withdrawals")
    with op.batch_alter_table("billing_runs") as runs:
        runs.drop_column("kind")
