"""Saved assessments: a checklist being answered, kept so that it can be gone on with another day or in another process."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy import delete as deletion

from assistant.storage import keys
from assistant.storage.conversations import NotFound
from assistant.storage.gate import admitted, admitted_all
from assistant.storage.tables import assessment


class Conflict(ValueError):
    """Somebody else, or another window, has changed it since it was read."""


@dataclass(frozen=True)
class Saved:
    """An assessment as it was last saved. ``state``: answers, case and the checklist's version, as the assessment's page writes them."""

    id: str
    owner: str
    checklist: str
    case_number: str
    as_of: date
    state: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    revision: int


def save(db: Connection, owner: str, saved_id: str | None, checklist: str, as_of: date, state: dict[str, Any], case_number: str = "",
         revision: int | None = None) -> Saved:
    """Keep an assessment: a new one without ``saved_id``. With ``revision``, only if it is the one that is kept.

    Raises ``NotKept`` for a reason or case number with an identity number, ``NotFound`` and ``Conflict``.
    """
    admitted(case_number)
    admitted_all(state)
    now = datetime.now(UTC)
    if saved_id is None:
        made = Saved(uuid.uuid4().hex, owner, checklist, case_number, as_of, state, now, now, 1)
        db.execute(insert(assessment).values(**{one.name: getattr(made, one.name) for one in fields(made)}))
        return made
    held = _get(db, owner, saved_id, lock=True)
    if revision is not None and revision != held.revision:
        raise Conflict("Bedömningen har ändrats på ett annat håll sedan du läste den. Läs in den på nytt.")
    made = replace(held, checklist=checklist, case_number=case_number or held.case_number, as_of=as_of, state=state, changed_at=now,
                   revision=held.revision + 1)
    db.execute(update(assessment).where(assessment.c.id == saved_id).values(
        checklist=checklist, case_number=made.case_number, as_of=as_of, state=state, changed_at=now, revision=made.revision))
    return made


def get(db: Connection, owner: str, saved_id: str) -> Saved:
    """The person's assessment. Raises ``NotFound``."""
    return _get(db, owner, saved_id)


def listed(db: Connection, owner: str, limit: int = 50) -> tuple[Saved, ...]:
    """The person's assessments, the latest changed first."""
    wanted = select(assessment).where(assessment.c.owner == owner).order_by(assessment.c.changed_at.desc(), assessment.c.id).limit(limit)
    return tuple(_saved(row) for row in db.execute(wanted))


def delete(db: Connection, owner: str, saved_id: str) -> None:
    """Delete the assessment. Call ``Database.compact`` when it is committed. Raises ``NotFound``."""
    get(db, owner, saved_id)
    remove(db, [saved_id])


def remove(db: Connection, ids: Iterable[str]) -> int:
    """Delete assessments, whosever they are. How many there were."""
    count = 0
    for one in ids:
        keys.forget(db, [one])
        count += db.execute(deletion(assessment).where(assessment.c.id == one)).rowcount
    return count


def _get(db: Connection, owner: str, saved_id: str, *, lock: bool = False) -> Saved:
    wanted = select(assessment).where(assessment.c.id == saved_id, assessment.c.owner == owner)
    row = db.execute(wanted.with_for_update() if lock else wanted).first()
    if row is None:
        raise NotFound("Bedömningen finns inte.")
    return _saved(row)


def _saved(row: Row[Any]) -> Saved:
    return Saved(**row._mapping)
