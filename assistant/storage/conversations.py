"""Conversations: questions, each with its answer when it is done. What is somebody else's is told apart from what isn't there by nobody."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy import delete as deletion

from assistant.storage import keys
from assistant.storage.gate import admitted, admitted_all
from assistant.storage.tables import conversation, turn

PENDING, DONE = "pending", "done"


class NotFound(LookupError):
    """There is no such thing, or it is somebody else's: which of the two isn't told."""


@dataclass(frozen=True)
class Conversation:
    """A conversation that one person has, perhaps about one case."""

    id: str
    owner: str
    case_number: str
    started_at: datetime


@dataclass(frozen=True)
class Asked:
    """One question of a conversation. ``answer``: the whole answer as JSON when ``state`` is done; ``id`` is the answer's id."""

    id: str
    conversation: str
    number: int
    text: str
    as_of: date
    state: str
    answer: dict[str, Any] | None
    asked_at: datetime
    done_at: datetime | None
    owner: str


def begin(db: Connection, owner: str, case_number: str = "") -> Conversation:
    """A new conversation. Raises ``NotKept`` for a case number that holds an identity number."""
    made = Conversation(uuid.uuid4().hex, owner, admitted(case_number), datetime.now(UTC))
    db.execute(insert(conversation).values(id=made.id, owner=owner, case_number=case_number, started_at=made.started_at))
    return made


def listed(db: Connection, owner: str, limit: int = 50) -> tuple[Conversation, ...]:
    """The person's conversations, the latest first."""
    wanted = select(conversation).where(conversation.c.owner == owner).order_by(conversation.c.started_at.desc(), conversation.c.id)
    return tuple(_conversation(row) for row in db.execute(wanted.limit(limit)))


def get(db: Connection, owner: str, conversation_id: str) -> Conversation:
    """The person's conversation. Raises ``NotFound``."""
    row = db.execute(_own(owner, conversation_id)).first()
    if row is None:
        raise NotFound("Samtalet finns inte.")
    return _conversation(row)


def openings(db: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The first question of each conversation, by the conversation's id; one whose words were never kept isn't there."""
    worded = turn.c.conversation.in_(list(ids)) & (turn.c.text != "")
    at = select(turn.c.conversation, func.min(turn.c.number).label("number")).where(worded).group_by(turn.c.conversation).subquery()
    said = select(turn.c.conversation, turn.c.text).join(at, (turn.c.conversation == at.c.conversation) & (turn.c.number == at.c.number))
    return {row.conversation: row.text for row in db.execute(said)}


def set_case(db: Connection, owner: str, conversation_id: str, case_number: str) -> None:
    """Say which case the conversation is about; empty: none. Raises ``NotFound``, and ``NotKept`` for an identity number."""
    own = (conversation.c.id == conversation_id) & (conversation.c.owner == owner)
    if not db.execute(update(conversation).where(own).values(case_number=admitted(case_number))).rowcount:
        raise NotFound("Samtalet finns inte.")


def turns(db: Connection, conversation_id: str) -> tuple[Asked, ...]:
    """The questions of a conversation in order. The caller has made sure whose it is (``get``)."""
    return tuple(_asked(row) for row in db.execute(_TURNS.where(turn.c.conversation == conversation_id).order_by(turn.c.number)))


def ask(db: Connection, owner: str, conversation_id: str, text: str, as_of: date, answer_id: str) -> Asked:
    """The question, kept until it is answered: once the transaction is committed it isn't lost. The caller has guarded the text.

    Raises ``NotFound``, and ``NotKept`` for what must not be kept.
    """
    admitted(text)
    if db.execute(_own(owner, conversation_id).with_for_update()).first() is None:  # locked: two questions don't get one number
        raise NotFound("Samtalet finns inte.")
    last = db.execute(select(func.max(turn.c.number)).where(turn.c.conversation == conversation_id)).scalar() or 0
    made = Asked(answer_id, conversation_id, last + 1, text, as_of, PENDING, None, datetime.now(UTC), None, owner)
    db.execute(insert(turn).values(id=answer_id, conversation=conversation_id, number=made.number, text=text, as_of=as_of, state=PENDING,
                                   asked_at=made.asked_at))
    return made


def asked(db: Connection, owner: str, answer_id: str) -> Asked:
    """The question with the answer's id. Raises ``NotFound``."""
    row = db.execute(_TURNS.where(turn.c.id == answer_id, conversation.c.owner == owner)).first()
    if row is None:
        raise NotFound("Svaret finns inte.")
    return _asked(row)


def finish(db: Connection, answer_id: str, answer: dict[str, Any]) -> bool:
    """Keep the answer. False when there was one already (the first stands) or the conversation is deleted meanwhile.

    Raises ``NotKept`` when what comes from the question rather than from a source holds an identity number.
    """
    admitted_all([answer.get("handoff"), [one.get("text") for one in answer.get("claims") or () if one.get("role") == "svar"]])
    waiting = update(turn).where(turn.c.id == answer_id, turn.c.state == PENDING)
    return db.execute(waiting.values(state=DONE, answer=answer, done_at=datetime.now(UTC))).rowcount == 1


def unfinished(db: Connection, older_than_s: float) -> tuple[Asked, ...]:
    """Questions that have waited longer than anyone works on one: the process that took them is gone. The oldest first."""
    before = datetime.now(UTC) - timedelta(seconds=older_than_s)
    return tuple(_asked(row) for row in db.execute(
        _TURNS.where(turn.c.state == PENDING, turn.c.asked_at <= before).order_by(turn.c.asked_at, turn.c.id)))


def delete(db: Connection, owner: str, conversation_id: str) -> None:
    """Delete the conversation with all of its questions and answers. Call ``Database.compact`` when it is committed. ``NotFound``."""
    get(db, owner, conversation_id)
    remove(db, [conversation_id])


def remove(db: Connection, ids: Iterable[str]) -> int:
    """Delete conversations, whosever they are, with what is remembered of them elsewhere. How many there were."""
    count = 0
    for one in ids:
        answers = db.execute(select(turn.c.id).where(turn.c.conversation == one)).scalars().all()
        keys.forget(db, [one, *answers])
        db.execute(deletion(turn).where(turn.c.conversation == one))
        count += db.execute(deletion(conversation).where(conversation.c.id == one)).rowcount
    return count


_TURNS = select(turn, conversation.c.owner).join(conversation, conversation.c.id == turn.c.conversation)


def _own(owner: str, conversation_id: str) -> Select[Any]:
    return select(conversation).where(conversation.c.id == conversation_id, conversation.c.owner == owner)


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(row.id, row.owner, row.case_number, row.started_at)


def _asked(row: Row[Any]) -> Asked:
    return Asked(row.id, row.conversation, row.number, row.text, row.as_of, row.state, row.answer, row.asked_at, row.done_at, row.owner)
