"""Every table there is, in one place. Text and whole numbers only: a value is the same, byte for byte, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

HEAD = "0001"  # the newest migration; known here so that a database that is up to date opens without loading alembic
ONLY_ADDED_TO = ("audit_event", "audit_anchor", "review_item", "review_event", "review_log")  # triggers refuse the rest
PRUNED = ("review_item", "review_event", "review_log")  # … but a retention decision may delete these (see prune_permit)


class Instant(TypeDecorator[datetime]):
    """A moment as ISO text in UTC with microseconds: it sorts as it is written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> str | None:
        return None if value is None else written(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A day as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, _dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A value as JSON text. Escaped to ASCII, because PostgreSQL stores no NUL and no half of a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def written(moment: datetime) -> str:
    """A moment as it is kept."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


metadata = MetaData(naming_convention={
    "pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"})


def _table(name: str, *parts: Any, **options: Any) -> Table:
    """STRICT: SQLite too keeps text as text and numbers as numbers."""
    return Table(name, metadata, *parts, sqlite_strict=True, **options)


# --- what a person has going -----------------------------------------------------------------------------------------

conversation = _table(
    "conversation",
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Index(None, "owner", "started_at"),
    Index(None, "case_number"),
)
turn = _table(  # one question and, when it is done, its answer
    "turn",
    Column("id", Text, primary_key=True),
    Column("conversation", Text, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("as_of", Day, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('pending', 'done')", name="state"), nullable=False),
    Column("answer", Json),
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    UniqueConstraint("conversation", "number"),
    Index(None, "state", "asked_at"),
)
assessment = _table(
    "assessment",
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("checklist", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("as_of", Day, nullable=False),
    Column("state", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
    Index(None, "owner", "changed_at"),
    Index(None, "case_number"),
)
feedback = _table(
    "feedback",
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("answer_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reported", Json),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
)

# --- the legal team's review; events are only added ------------------------------------------------------------------

review_item = _table(
    "review_item",
    Column("number", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("answer", Text, nullable=False),
    UniqueConstraint("origin", "case_id"),
    sqlite_autoincrement=True,
)
review_event = _table(
    "review_event",
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("item", Integer, ForeignKey("review_item.number"), nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("taken_in", Text, nullable=False),
    sqlite_autoincrement=True,
)
review_log = _table(
    "review_log",
    Column("seq", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("what", Text, nullable=False),
    sqlite_autoincrement=True,
)

# --- the audit trail -------------------------------------------------------------------------------------------------

audit_event = _table(  # text exactly as it was hashed
    "audit_event",
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
audit_head = _table(  # the last row's number and hash: tells a cut tail, and its lock lets one writer in at a time
    "audit_head",
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
audit_anchor = _table(
    "audit_anchor",
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Text, nullable=False),
)

# --- what keeps the house in order -----------------------------------------------------------------------------------

retention = _table(
    "retention",
    Column("kind", Text, primary_key=True),
    Column("days", Integer, CheckConstraint("days >= 0", name="days"), nullable=False),
    Column("decision", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)
prune_permit = _table(  # a row lives inside the transaction that prunes, and lets it through the triggers
    "prune_permit",
    Column("decision", Text, primary_key=True),
)
idempotency = _table(
    "idempotency",
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)
rate = _table(
    "rate",
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("times", Json, nullable=False),
)
