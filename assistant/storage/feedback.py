"""What staff say of answers. One that is marked as wrong carries the question and answer to the legal team, when nobody is named in it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from assistant import guard
from assistant.storage.gate import NotKept, admitted, admitted_all
from assistant.storage.tables import feedback


def add(db: Connection, owner: str, answer_id: str, verdict: str, reason: str = "", reported: dict[str, Any] | None = None) -> str:
    """Keep a verdict; gives its id. ``reported``: `record.report`, what the review takes in.

    Raises ``NotKept`` for an identity number, and for a reason that names somebody.
    """
    if guard.names_person(admitted(reason)):
        raise NotKept("namn", "Texten ser ut att innehålla en persons namn och sparas därför inte.")
    admitted_all(reported)
    made = uuid.uuid4().hex
    db.execute(insert(feedback).values(id=made, owner=owner, answer_id=answer_id, verdict=verdict, reason=reason, reported=reported,
                                       at=datetime.now(UTC)))
    return made


def reported(db: Connection) -> tuple[dict[str, Any], ...]:
    """What was marked as wrong, the earliest first, as the review takes it in. Who marked it isn't said."""
    wanted = select(feedback.c.reported).where(feedback.c.reported.is_not(None)).order_by(feedback.c.at, feedback.c.id)
    return tuple(db.execute(wanted).scalars())
