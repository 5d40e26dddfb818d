"""Tell whether a count of a drawer opened a shift or ended one.

One column on a small table; every count kept so far was made at the end of a shift.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column(
        "till_counts",
        sa.Column("kind", sa.String(12), nullable=False, server_default="closing"),
    )


def downgrade() -> None:
    op.drop_column("till_counts", "kind")
