"""What makes a service safe to call twice and hard to wear out: remembered replies, and how much each person has used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Dialect, Text, cast, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from assistant.storage.tables import idempotency, rate

KEPT = timedelta(hours=24)  # as long as a client can reasonably try again


class KeyReused(ValueError):
    """The same key came with another request."""


@dataclass(frozen=True)
class Reply:
    """What was replied the first time."""

    status: int
    body: Any


@dataclass(frozen=True)
class Allowance:
    """Whether one more is allowed, how many are left after it, and in how many seconds the window is whole again."""

    allowed: bool
    left: int
    reset_s: float


def remembered(db: Connection, owner: str, key: str, operation: str, request_sha256: str, now: datetime | None = None) -> Reply | None:
    """The reply to the same request under the same key. Raises ``KeyReused`` when the request was another."""
    since = (now or datetime.now(UTC)) - KEPT
    row = db.execute(select(idempotency).where(idempotency.c.owner == owner, idempotency.c.key == key, idempotency.c.operation == operation,
                                               idempotency.c.at > since)).first()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise KeyReused("Nyckeln (Idempotency-Key) är redan använd för en annan begäran.")
    return Reply(row.status, row.body)


def remember(db: Connection, owner: str, key: str, operation: str, request_sha256: str, status: int, body: Any,
             now: datetime | None = None) -> bool:
    """Keep the reply for a day. False when another process was first: ask `remembered` and undo what was done."""
    moment = now or datetime.now(UTC)
    clear(db, moment)
    made = _insert(db.dialect, idempotency).values(owner=owner, key=key, operation=operation, request_sha256=request_sha256, status=status,
                                                   body=body, at=moment)
    return db.execute(made.on_conflict_do_nothing().returning(idempotency.c.key)).first() is not None


def clear(db: Connection, now: datetime) -> None:
    """Forget the replies that nobody asks for any more."""
    db.execute(delete(idempotency).where(idempotency.c.at <= now - KEPT))


def forget(db: Connection, ids: Iterable[str]) -> None:
    """Forget the replies that name any of the ids: what they were about is deleted."""
    named: Sequence[str] = list(ids)
    for start in range(0, len(named), 50):
        db.execute(delete(idempotency).where(or_(*(cast(idempotency.c.body, Text).contains(one) for one in named[start:start + 50]))))


def spend(db: Connection, owner: str, kind: str, limit: int, window_s: float, now: datetime | None = None) -> Allowance:
    """Use one of ``limit`` in any ``window_s`` seconds, if there is one left. Only a use that is allowed counts."""
    mine = (rate.c.owner == owner) & (rate.c.kind == kind)
    db.execute(_insert(db.dialect, rate).values(owner=owner, kind=kind, times=[]).on_conflict_do_nothing())
    held = db.execute(select(rate.c.times).where(mine).with_for_update()).scalar_one()
    moment = (now or datetime.now(UTC)).timestamp()  # now that it is our turn: what others used while we waited is not after it
    times = sorted(at for at in held if at > moment - window_s)
    allowed = len(times) < limit
    if allowed:
        times = sorted([*times, moment])
    db.execute(update(rate).where(mine).values(times=times))
    return Allowance(allowed, max(0, limit - len(times)), round(times[0] + window_s - moment, 3) if times else window_s)


def _insert(dialect: Dialect, table: Any) -> Any:
    """An INSERT that can give way to a row that is there: both databases have it, SQLAlchemy has no common word for it."""
    return (sqlite if dialect.name == "sqlite" else postgresql).insert(table)
