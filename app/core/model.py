"""The declarative base, the typed columns, and the naming convention of constraints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from app.core.money import Vnd
from app.core.period import Period

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: SQLite numbers rows by itself only in a column spelt INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Plain declarative base; a dataclass base does not live with Flask-SQLAlchemy and 2.1."""

    metadata = MetaData(naming_convention=CONVENTION)


# One integer type everywhere, so that a key and what points at it never differ.
Base.registry.update_type_annotation_map({int: RowId})


class UtcDateTime(TypeDecorator[datetime]):
    """Stored in UTC, always given back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a moment needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class VndColumn(TypeDecorator[Vnd]):
    """Whole đồng in a 64-bit integer."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Vnd | None, dialect: Dialect) -> int | None:
        return None if value is None else value.dong

    def process_result_value(self, value: Any, dialect: Dialect) -> Vnd | None:
        return None if value is None else Vnd(int(value))


class PeriodColumn(TypeDecorator[Period]):
    """A month as the number yyyymm."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Period | None, dialect: Dialect) -> int | None:
        return None if value is None else value.number

    def process_result_value(self, value: Any, dialect: Dialect) -> Period | None:
        return None if value is None else Period.from_number(int(value))


class SchoolOwned:
    """Mixin of every table that belongs to one school: reads are narrowed, writes are checked."""

    __abstract__ = True

    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"), nullable=False)


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False},
)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
