"""The review queue in the database: events that are only added (triggers refuse the rest), whole transactions, one writer at a time.

Each act is also a row of the audit trail, in the same transaction: who, what and which answer, never a word of it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, text

from assistant import audit, guard
from assistant.storage.database import Database, StorageError
from assistant.storage.tables import audit_event, review_event, review_item, review_log, written
from assistant.types import Answer
from evals.review import Action, Enqueued, Event, Item, Person, Refused, Role, after, answer_of, canonical, check_words, clean, queue_body

_EVENTS = select(
    review_event.c.at, review_event.c.who, review_event.c.role, review_item.c.origin, review_item.c.case_id, review_event.c.action,
    review_event.c.body, review_event.c.taken_in, review_item.c.number,
).join(review_item, review_item.c.number == review_event.c.item).order_by(review_event.c.seq)
# Retention deletes events before items: taken in that order the two never wait for each other.
_ALONE = text("LOCK TABLE review_event, review_item IN SHARE ROW EXCLUSIVE MODE")


class _Undone(Exception):
    """Takes back what an import has written so far."""


class Store:
    """The queue. Every method does its whole work in one transaction: sessions and processes can't get in each other's way."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def enqueue(self, rows: Iterable[Mapping[str, Any]], origin: str, who: Person, versions: Mapping[str, str] | None = None,
                most: int | None = None) -> Enqueued:
        """Put rows, or the first ``most`` that can be, in the queue. What is there is left as it is; what can't be kept is told."""
        added: list[int] = []
        already, left_out = 0, []
        with self._writing() as db:
            for place, row in enumerate(rows, 1):
                if len(added) == most:
                    break
                case = str(row.get("id") or f"rad {place}")
                if _number(db, origin, case):
                    already += 1
                    continue
                try:
                    body, answer = queue_body(row, versions or {})
                    event = Event(now(), who.name, who.role, origin, case, Action.QUEUED, body)
                    check_words(event)
                    added.append(_add(db, event, after(None, event), answer))
                except Refused as error:
                    left_out.append((case[:60], str(error)))
            _audit(db, who, Action.QUEUED, added)
        return Enqueued(len(added), already, tuple(left_out))

    def act(self, number: int, who: Person, action: Action, body: Mapping[str, Any]) -> Item:
        """Do something to an answer. Raises ``Refused`` when it may not be done."""
        with self._writing() as db:
            done = _act(db, _folded(db, number), who, action, body)
            _audit(db, who, action, [number])
        return done

    def act_on_each(self, who: Person, action: Action, body: Mapping[str, Any], when: Callable[[Item], bool]) -> int:
        """Do the same to every answer for which ``when`` holds, all or none; how many they were."""
        with self._writing() as db:
            held = [item for item in _all(db) if when(item)]
            for item in held:
                _act(db, item, who, action, body)
            _audit(db, who, action, [item.number for item in held])
        return len(held)

    def items(self) -> tuple[Item, ...]:
        """All answers in the queue, in the order they came."""
        with self.database.reading() as db:
            return _all(db)

    def item(self, number: int) -> Item:
        """One answer. Raises ``Refused`` when there is none."""
        with self.database.reading() as db:
            return _folded(db, number)

    def answer(self, number: int) -> Answer:
        """The words of an answer in the queue."""
        with self.database.reading() as db:
            return replace(answer_of(json.loads(_answer(db, number))), answer_id=f"granskning-{number}")

    def history(self, number: int) -> tuple[Event, ...]:
        """All that happened to one answer, first things first."""
        with self.database.reading() as db:
            return tuple(event for event, _ in _events(db, number))

    def whole(self) -> list[tuple[Event, str]]:
        """Every event in order, the queued ones with their answer as JSON: all there is to export."""
        with self.database.reading() as db:
            return [(event, _answer(db, number) if event.action == Action.QUEUED else "") for event, number in _events(db)]

    def take_in(self, rows: Iterable[tuple[int, Event, str]], who: Person, file: str) -> tuple[int, int, tuple[tuple[int, str], ...]]:
        """Take in exported events, all or none: (new, already there, (row, reason) of what is wrong)."""
        if who.role is not Role.FORVALTARE:
            raise Refused("det här gör en förvaltare")
        told = f"{file_name(file)}, {who.name}, {now()[:16]}"
        done: list[bool] = []
        wrong: list[tuple[int, str]] = []
        try:
            with self._writing() as db:
                for place, event, answer in rows:
                    try:
                        done.append(_take_in(db, replace(event, taken_in=told), answer))
                    except (Refused, ValueError, TypeError) as error:
                        wrong.append((place, str(error)))
                if wrong:
                    raise _Undone
                _row(db, who, "taken_in", detail={"new": sum(done), "already": len(done) - sum(done)})
        except _Undone:
            return 0, len(done) - sum(done), tuple(wrong)
        return sum(done), len(done) - sum(done), ()

    def note(self, who: Person, what: str, act: str, about: str = "") -> None:
        """Keep in the log what was done outside the queue: an export, a signature, a release. ``act`` and ``about``: the same to the audit
        trail, which takes no free text."""
        with self.database.writing() as db:
            db.execute(insert(review_log).values(at=now(), who=who.name, role=who.role, what=what))
            _row(db, who, act, about)

    def log(self) -> list[tuple[str, str, str, str]]:
        """(time, name, role, what), the latest first."""
        wanted = select(review_log.c.at, review_log.c.who, review_log.c.role, review_log.c.what).order_by(review_log.c.seq.desc())
        with self.database.reading() as db:
            return [(at, who, role, what) for at, who, role, what in db.execute(wanted.limit(200))]

    def take_over(self, path: Path) -> int:
        """Take over, once, the queue of the file that held it before: all of it, in its order, events with their ids. How many events.

        The file is only read. That it is done stands in the audit trail, because what retention prunes here must not come back from it.
        Raises ``StorageError`` when the file can't be read or doesn't go with what is in the queue; then nothing of it is here.
        """
        if not path.is_file():
            return 0
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as before:
                return self._take_over(before)
        except (sqlite3.Error, Refused, ValueError, TypeError, KeyError) as error:
            why = error if isinstance(error, Refused) else type(error).__name__
            raise StorageError(f"Granskningens tidigare kö, {path}, kan inte tas över: {why}. Läs tillbaka filen från säkerhetskopian, "
                               "eller flytta undan den. Inget av den är övertaget, och den är orörd.") from error

    def _take_over(self, before: sqlite3.Connection) -> int:
        if not before.execute("PRAGMA user_version").fetchone()[0]:
            return 0  # made and never written to
        mark = _mark(before)
        done = select(audit_event.c.seq).where(audit_event.c.what == "review.taken_over", audit_event.c.about == mark)
        with self._writing() as db:
            if not mark or db.execute(done).first():
                return 0
            count = 0
            for kept_id, event, answer in _before(before):
                if event.id != kept_id:
                    raise Refused(f"händelse {kept_id} är ändrad i filen")
                count += _take_in(db, event, answer, words=False)
            lines = [dict(zip(("at", "who", "role", "what"), row, strict=True)) for row in before.execute(_LOG_BEFORE)]
            if lines:
                db.execute(insert(review_log), lines)
            audit.append(db, who="delningsstod", what="review.taken_over", about=mark, detail={"events": count, "log": len(lines)})
        return count

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that no other writer of the queue is inside of: what may happen depends on all that has happened."""
        with self.database.writing() as db:
            if not self.database.is_sqlite:
                db.execute(_ALONE)
            yield db


def now() -> str:
    """The time, as it is kept."""
    return written(datetime.now(UTC))


def file_name(name: str) -> str:
    """The name of a file that is taken in, as it is kept. Raises ``Refused`` when it holds an identity number."""
    kept = clean(name)[:80]
    if kind := guard.identity_number(kept):
        raise Refused(f"filens namn innehåller ett {kind}; byt namn på filen")
    return kept


def _events(db: Connection, number: int | None = None) -> Iterator[tuple[Event, int]]:
    wanted = _EVENTS if number is None else _EVENTS.where(review_item.c.number == number)
    for at, who, role, origin, case, action, body, taken_in, of in db.execute(wanted):
        yield Event(at, who, role, origin, case, action, json.loads(body), taken_in), of


def _all(db: Connection) -> tuple[Item, ...]:
    held: dict[int, Item] = {}
    for event, number in _events(db):
        held[number] = replace(after(held.get(number), event), number=number)
    return tuple(held.values())


def _folded(db: Connection, number: int) -> Item:
    item: Item | None = None
    for event, _ in _events(db, number):
        item = replace(after(item, event), number=number)
    if item is None:
        raise Refused("svaret finns inte i kön")
    return item


def _number(db: Connection, origin: str, case: str) -> int | None:
    if (clean(origin), clean(case)) != (origin, case):
        return None  # PostgreSQL can't even be asked about a NUL
    return db.execute(select(review_item.c.number).where(review_item.c.origin == origin, review_item.c.case_id == case)).scalar()


def _answer(db: Connection, number: int) -> str:
    return str(db.execute(select(review_item.c.answer).where(review_item.c.number == number)).scalar() or "")


def _act(db: Connection, item: Item, who: Person, action: Action, body: Mapping[str, Any]) -> Item:
    event = Event(now(), who.name, who.role, item.origin, item.case, action, body)
    check_words(event)
    done = after(item, event)
    _add(db, event, done)
    return done


def _add(db: Connection, event: Event, item: Item, answer: str = "") -> int:
    """Write an event, for a queued one its answer too; the answer's number."""
    number = item.number
    if event.action == Action.QUEUED:
        made = insert(review_item).values(origin=event.origin, case_id=event.case, answer=answer).returning(review_item.c.number)
        number = db.execute(made).scalar_one()
    db.execute(insert(review_event).values(id=event.id, item=number, at=event.at, who=event.who, role=event.role, action=event.action,
                                           body=canonical(event.body), taken_in=event.taken_in))
    return number


def _take_in(db: Connection, event: Event, answer: str, *, words: bool = True) -> bool:
    """Take in an event from elsewhere; False when it is here. ``words``: whether the guard of today looks at them."""
    if db.execute(select(review_event.c.seq).where(review_event.c.id == event.id)).first():
        return False
    if words:
        check_words(event)
    number = _number(db, event.origin, event.case)
    if event.action != Action.QUEUED:
        _add(db, event, after(_folded(db, number) if number else None, event))
        return True
    if event.body.get("answer_sha256") != hashlib.sha256(answer.encode()).hexdigest():
        raise Refused("svarets text är ändrad efter exporten")
    if number and _answer(db, number) == answer:
        return False  # queued here too, from the same run: one answer, not two
    read = answer_of(json.loads(answer))
    if [[one.id, one.ref] for one in read.citations] != event.body.get("refs") or read.status != event.body.get("status"):
        raise Refused("hänvisningarna eller statusen stämmer inte med svaret")
    _add(db, event, after(_folded(db, number) if number else None, event), answer)
    return True


# --- the audit trail -----------------------------------------------------------------------------------------------


def _audit(db: Connection, who: Person, action: str, numbers: Sequence[int]) -> None:
    """A row for each answer; last in the transaction, because the trail has one writer at a time."""
    for number in numbers:
        _row(db, who, Action(action).name.lower(), str(number))


def _row(db: Connection, who: Person, act: str, about: str = "", detail: Mapping[str, Any] | None = None) -> None:
    audit.append(db, who=who.id or who.name, what=f"review.{act}", about=about, detail={"role": str(who.role), **(detail or {})})


# --- the file that held the queue before ---------------------------------------------------------------------------

_EVENTS_BEFORE = ("SELECT event.id, event.at, event.who, event.role, item.origin, item.case_id, event.action, event.body, event.taken_in, "
                  "CASE event.action WHEN 'köad' THEN item.answer END FROM event JOIN item ON item.number = event.item ORDER BY event.seq")
_LOG_BEFORE = "SELECT at, who, role, what FROM log ORDER BY seq"


def _before(db: sqlite3.Connection) -> Iterator[tuple[str, Event, str]]:
    """(its id as it was kept, the event, its answer) of every event in the file, in order."""
    for kept_id, at, who, role, origin, case, action, body, taken_in, answer in db.execute(_EVENTS_BEFORE):
        yield kept_id, Event(at, who, role, origin, case, action, json.loads(body), taken_in), answer or ""


def _mark(db: sqlite3.Connection) -> str:
    """What tells one file from another wherever it lies and whatever is added to it: its first rows. Empty when there are none."""
    first = [db.execute(f"{rows} LIMIT 1").fetchone() for rows in ("SELECT id FROM event ORDER BY seq", _LOG_BEFORE)]
    return hashlib.sha256(canonical(first).encode()).hexdigest()[:24] if any(first) else ""
