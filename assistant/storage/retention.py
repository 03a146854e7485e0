"""How long things are kept, by which decision (gallringsbeslut), and what is taken out when the time is up. Without a rule all is kept.

The audit trail isn't pruned: it holds no words of questions or answers, and a chain with holes proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from assistant import audit, people, record
from assistant.people import Operation, Person
from assistant.storage import assessments, conversations
from assistant.storage.gate import admitted
from assistant.storage.tables import (
    assessment,
    conversation,
    feedback,
    prune_permit,
    retention,
    review_event,
    review_item,
    review_log,
    turn,
    written,
)

KINDS = ("conversations", "assessments", "feedback", "reviews")
LONGEST_DAYS = 36_500


@dataclass(frozen=True)
class Rule:
    """A kind is kept for ``days`` after it was last changed, by a decision of the authority's."""

    kind: str
    days: int
    decision: str
    set_by: str
    set_at: datetime


def rules(db: Connection) -> tuple[Rule, ...]:
    """The rules there are, by kind."""
    return tuple(Rule(**row._mapping) for row in db.execute(select(retention).order_by(retention.c.kind)))


def set_(db: Connection, who: Person, kind: str, days: int, decision: str) -> Rule:
    """Set how long a kind is kept, or change it. Raises ``Forbidden``, and ``ValueError`` for what can't be."""
    people.require(who, Operation.SET_RETENTION)
    made = Rule(_kind(kind), days, admitted(decision.strip()), who.id, datetime.now(UTC))
    if not 0 <= days <= LONGEST_DAYS:
        raise ValueError(f"Antalet dagar ska vara 0–{LONGEST_DAYS}.")
    if not made.decision:
        raise ValueError("Ange gallringsbeslutets beteckning.")
    db.execute(delete(retention).where(retention.c.kind == kind))
    db.execute(insert(retention).values(**asdict(made)))
    audit.append(db, who=who.id, what="retention.set", about=kind, detail={"days": days, "decision": made.decision})
    return made


def unset(db: Connection, who: Person, kind: str) -> None:
    """Take a rule away: the kind is kept until there is a new one."""
    people.require(who, Operation.SET_RETENTION)
    db.execute(delete(retention).where(retention.c.kind == _kind(kind)))
    audit.append(db, who=who.id, what="retention.unset", about=kind)


def due(db: Connection, now: datetime) -> dict[str, int]:
    """How many of each kind that has a rule are past their time."""
    return {rule.kind: len(_due(db, rule, now)) for rule in rules(db)}


def apply(db: Connection, now: datetime, who: str = "gallring") -> dict[str, int]:
    """Delete what is past its time; how many of each kind. Call ``Database.compact`` when it is committed: only then it is gone."""
    done = {}
    for rule in rules(db):
        ids = _due(db, rule, now)
        done[rule.kind] = _remove(db, rule, ids, now)
        if ids:
            audit.append(db, who=who, what="retention.apply", about=rule.kind,
                         detail={"decision": rule.decision, "days": rule.days, "count": done[rule.kind]})
    return done


def export_case(db: Connection, who: Person, case_number: str) -> dict[str, Any]:
    """All that is kept on a case, as JSON, in a writing transaction: that it is taken out is recorded. Raises ``Forbidden``."""
    people.require(who, Operation.EXPORT_CASE)
    if not case_number.strip():
        raise ValueError("Ange ett ärendenummer.")
    held = conversation.c.case_number == case_number.strip()
    talks = db.execute(select(conversation).where(held).order_by(conversation.c.started_at, conversation.c.id)).all()
    saved = db.execute(select(assessment).where(assessment.c.case_number == case_number.strip())
                       .order_by(assessment.c.created_at, assessment.c.id)).all()
    told = [{**row._mapping, "questions": [asdict(one) for one in conversations.turns(db, row.id)]} for row in talks]
    answers = [one["id"] for talk in told for one in talk["questions"]]
    said = [row for start in range(0, len(answers), 500) for row in
            db.execute(select(feedback).where(feedback.c.answer_id.in_(answers[start:start + 500])))]
    out = {"case_number": case_number.strip(), "exported_at": written(datetime.now(UTC)), "conversations": told,
           "assessments": [dict(row._mapping) for row in saved], "feedback": [dict(row._mapping) for row in said]}
    audit.append(db, who=who.id, what="case.export", about=case_number.strip(),
                 detail={name: len(value) for name, value in out.items() if isinstance(value, list)})
    plain: dict[str, Any] = record.plain(out)
    return plain


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} är ingen sort; välj bland {', '.join(KINDS)}.")
    return kind


# --- what is past its time, and how it is taken out ------------------------------------------------------------------


def _due(db: Connection, rule: Rule, now: datetime) -> list[Any]:
    return list(db.execute(_OLDER[rule.kind](now - timedelta(days=rule.days))).scalars())


def _old_conversations(before: datetime) -> Select[Any]:
    last = func.coalesce(func.max(turn.c.asked_at), conversation.c.started_at)
    return (select(conversation.c.id).outerjoin(turn, turn.c.conversation == conversation.c.id)
            .group_by(conversation.c.id, conversation.c.started_at).having(last < before))


def _old_assessments(before: datetime) -> Select[Any]:
    return select(assessment.c.id).where(assessment.c.changed_at < before)


def _old_feedback(before: datetime) -> Select[Any]:
    return select(feedback.c.id).where(feedback.c.at < before)


def _old_reviews(before: datetime) -> Select[Any]:
    return select(review_event.c.item).group_by(review_event.c.item).having(func.max(review_event.c.at) < written(before))


def _remove(db: Connection, rule: Rule, ids: Sequence[Any], now: datetime) -> int:
    if rule.kind == "conversations":
        return conversations.remove(db, ids)
    if rule.kind == "assessments":
        return assessments.remove(db, ids)
    if rule.kind == "feedback":
        return sum(db.execute(delete(feedback).where(feedback.c.id == one)).rowcount for one in ids)
    return _remove_reviews(db, rule, ids, now)


def _remove_reviews(db: Connection, rule: Rule, ids: Sequence[int], now: datetime) -> int:
    """Reviews are only added to; a permit, which never outlives the transaction, lets a retention decision through the triggers."""
    db.execute(insert(prune_permit).values(decision=rule.decision))
    for one in ids:
        db.execute(delete(review_event).where(review_event.c.item == one))
        db.execute(delete(review_item).where(review_item.c.number == one))
    db.execute(delete(review_log).where(review_log.c.at < written(now - timedelta(days=rule.days))))
    db.execute(delete(prune_permit))
    return len(ids)


_OLDER: dict[str, Callable[[datetime], Select[Any]]] = {
    "conversations": _old_conversations, "assessments": _old_assessments, "feedback": _old_feedback, "reviews": _old_reviews}
