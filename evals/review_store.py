"""The review queue on disk: one SQLite file, events that are only added (triggers refuse the rest), whole transactions."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.types import Answer
from evals.review import Action, Enqueued, Event, Item, Person, Refused, Role, after, answer_of, canonical, check_words, queue_body

_SCHEMA = """
CREATE TABLE item (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, case_id TEXT NOT NULL, answer TEXT NOT NULL, UNIQUE (origin, case_id));
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, item INTEGER NOT NULL REFERENCES item (number),
  at TEXT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL, body TEXT NOT NULL, taken_in TEXT NOT NULL);
CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, what TEXT NOT NULL);
CREATE INDEX event_item ON event (item);
""" + "".join(f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'only added to'); END;\n"
              for table in ("item", "event", "log") for verb in ("update", "delete"))
_EVENT = ("SELECT event.at, event.who, event.role, item.origin, item.case_id, event.action, event.body, event.taken_in, item.number "
          "FROM event JOIN item ON item.number = event.item")


class Store:
    """The queue on disk. Every method opens, does its whole work in one transaction, and closes: sessions can't get in each other's way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def enqueue(self, rows: Iterable[Mapping[str, Any]], origin: str, who: Person, versions: Mapping[str, str] | None = None,
                most: int | None = None) -> Enqueued:
        """Put rows, or the first ``most`` that can be, in the queue. What is there is left as it is; what can't be kept is told."""
        added, already, left_out = 0, 0, []
        with self._writing() as db:
            for place, row in enumerate(rows, 1):
                if added == most:
                    break
                case = str(row.get("id") or f"rad {place}")
                if _number(db, origin, case):
                    already += 1
                    continue
                try:
                    body, answer = queue_body(row, versions or {})
                    event = Event(now(), who.name, who.role, origin, case, Action.QUEUED, body)
                    check_words(event)
                    _add(db, event, after(None, event), answer)
                    added += 1
                except Refused as error:
                    left_out.append((case[:60], str(error)))
        return Enqueued(added, already, tuple(left_out))

    def act(self, number: int, who: Person, action: Action, body: Mapping[str, Any]) -> Item:
        """Do something to an answer. Raises ``Refused`` when it may not be done."""
        with self._writing() as db:
            item = _folded(db, number)
            event = Event(now(), who.name, who.role, item.origin, item.case, action, body)
            check_words(event)
            done = after(item, event)
            _add(db, event, done)
        return done

    def items(self) -> tuple[Item, ...]:
        """All answers in the queue, in the order they came."""
        held: dict[int, Item] = {}
        with self._reading() as db:
            for event, number in _events(db):
                held[number] = replace(after(held.get(number), event), number=number)
        return tuple(held.values())

    def item(self, number: int) -> Item:
        """One answer. Raises ``Refused`` when there is none."""
        with self._reading() as db:
            return _folded(db, number)

    def answer(self, number: int) -> Answer:
        """The words of an answer in the queue."""
        with self._reading() as db:
            return replace(answer_of(json.loads(_answer(db, number))), answer_id=f"granskning-{number}")

    def history(self, number: int) -> tuple[Event, ...]:
        """All that happened to one answer, first things first."""
        with self._reading() as db:
            return tuple(event for event, _ in _events(db, number))

    def whole(self) -> list[tuple[Event, str]]:
        """Every event in order, the queued ones with their answer as JSON: all there is to export."""
        with self._reading() as db:
            return [(event, _answer(db, number) if event.action == Action.QUEUED else "") for event, number in _events(db)]

    def take_in(self, rows: Iterable[tuple[int, Event, str]], who: Person, file: str) -> tuple[int, int, tuple[tuple[int, str], ...]]:
        """Take in exported events, all or none: (new, already there, (row, reason) of what is wrong)."""
        if who.role is not Role.FORVALTARE:
            raise Refused("det här gör en förvaltare")
        added, already, wrong = 0, 0, []
        told = f"{file[:80]}, {who.name}, {now()[:16]}"
        with self._writing() as db:
            for place, event, answer in rows:
                try:
                    if _take_in(db, replace(event, taken_in=told), answer):
                        added += 1
                    else:
                        already += 1
                except (Refused, ValueError, TypeError) as error:
                    wrong.append((place, str(error)))
            if wrong:
                db.execute("ROLLBACK")
                db.execute("BEGIN")
                added = 0
        return added, already, tuple(wrong)

    def note(self, who: Person, what: str) -> None:
        """Keep in the log what was done outside the queue: an export, a signature, a release."""
        with self._writing() as db:
            db.execute("INSERT INTO log (at, who, role, what) VALUES (?, ?, ?, ?)", (now(), who.name, who.role, what))

    def log(self) -> list[tuple[str, str, str, str]]:
        """(time, name, role, what), the latest first."""
        with self._reading() as db:
            return list(db.execute("SELECT at, who, role, what FROM log ORDER BY seq DESC LIMIT 200"))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer is inside of; taken back whole when anything goes wrong."""
        with self._reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            _ready(db)
            yield db
        finally:
            db.close()


def now() -> str:
    """The time, as it is kept."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _ready(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA user_version").fetchone()[0]:
        return
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    if not db.execute("PRAGMA user_version").fetchone()[0]:  # another session may have been first
        for statement in re.findall(r"CREATE .*?;\n(?=CREATE|\Z)", _SCHEMA.strip() + "\n", re.S):
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
    db.execute("COMMIT")


def _events(db: sqlite3.Connection, number: int | None = None) -> Iterator[tuple[Event, int]]:
    rows = db.execute(f"{_EVENT} WHERE item.number = ? ORDER BY event.seq", (number,)) if number is not None else db.execute(
        f"{_EVENT} ORDER BY event.seq")
    for at, who, role, origin, case, action, body, taken_in, of in rows:
        yield Event(at, who, role, origin, case, action, json.loads(body), taken_in), of


def _folded(db: sqlite3.Connection, number: int) -> Item:
    item: Item | None = None
    for event, _ in _events(db, number):
        item = replace(after(item, event), number=number)
    if item is None:
        raise Refused("svaret finns inte i kön")
    return item


def _number(db: sqlite3.Connection, origin: str, case: str) -> int | None:
    row = db.execute("SELECT number FROM item WHERE origin = ? AND case_id = ?", (origin, case)).fetchone()
    return int(row[0]) if row else None


def _answer(db: sqlite3.Connection, number: int) -> str:
    row = db.execute("SELECT answer FROM item WHERE number = ?", (number,)).fetchone()
    return str(row[0]) if row else ""


def _add(db: sqlite3.Connection, event: Event, item: Item, answer: str = "") -> None:
    number = item.number
    if event.action == Action.QUEUED:
        row = (event.origin, event.case, answer)
        number = db.execute("INSERT INTO item (origin, case_id, answer) VALUES (?, ?, ?)", row).lastrowid or 0
    db.execute("INSERT INTO event (id, item, at, who, role, action, body, taken_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               (event.id, number, event.at, event.who, event.role, event.action, canonical(event.body), event.taken_in))


def _take_in(db: sqlite3.Connection, event: Event, answer: str) -> bool:
    if db.execute("SELECT 1 FROM event WHERE id = ?", (event.id,)).fetchone():
        return False
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


