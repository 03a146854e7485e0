"""The audit trail: who did what, when, on which versions. Only added to, each row chained to the one before by its hash.

No row holds the words of a question or an answer. Whoever can write the database can also write the whole trail anew with hashes that
agree; what shows that is an anchor (a row's number and hash) that was copied elsewhere before.
"""

from __future__ import annotations

import hashlib
import json
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from assistant import guard, people, record
from assistant.storage.database import Database, StorageError
from assistant.storage.gate import NotKept, admitted, admitted_all
from assistant.storage.tables import audit_anchor, audit_event, audit_head, written

ANCHOR_EVERY = 100  # rows; what is cut or rewritten since the last anchor that was copied elsewhere is all that can go unseen
SHORTEST_REASON = 10
_MOST_TRIED = 100_000  # hashes, a fraction of a second, to find where moved rows belong; with more disorder the rest is said to be edited
EDITED, REMOVED, REORDERED, ADDED, TRUNCATED = "edited", "removed", "reordered", "added", "truncated"


_HEAD = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1).with_for_update()  # its lock is held to the commit
_ADD = insert(audit_event)
_SET_HEAD = update(audit_head).where(audit_head.c.id == 1)


@dataclass(frozen=True)
class Event:
    """One row of the trail."""

    seq: int
    at: str
    who: str
    what: str
    about: str
    versions: Mapping[str, str]
    detail: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Anchor:
    """The trail's last row when it was taken, and how many rows there were."""

    seq: int
    count: int
    hash: str
    at: str


@dataclass(frozen=True)
class Fault:
    """What is wrong with the rows from ``seq`` to ``last``: edited, removed, reordered (the first belongs at ``other``), added, truncated.

    Row 0 is what is kept of the trail's end. ``anchored``: the rows agree with each other and only an anchor shows it; then the first
    wrong one is among them.
    """

    seq: int
    what: str
    last: int
    other: int = 0
    anchored: bool = False


# --- adding ----------------------------------------------------------------------------------------------------------


def append(db: Connection, *, who: str, what: str, about: str = "", versions: Mapping[str, str] | None = None,
           detail: Mapping[str, Any] | None = None) -> int:
    """Add a row in the caller's transaction, last in it: the trail has one writer at a time from here to the commit. Gives its number.

    Raises ``NotKept`` when a text in it holds an identity number. Never give it the words of a question or an answer.
    """
    admitted_all([what, about, dict(versions or {}), dict(detail or {})])
    head = db.execute(_HEAD).first()
    if head is None:
        raise StorageError("Spårningen saknar sitt huvud: någon har ändrat databasen. Läs tillbaka den senaste säkerhetskopian.")
    row = {"seq": head.seq + 1, "at": written(datetime.now(UTC)), "who": who, "what": what, "about": about,
           "versions": _json(versions or {}), "detail": _json(detail or {}), "previous": head.hash}
    made = _hash(**row)
    db.execute(_ADD, {**row, "hash": made})
    db.execute(_SET_HEAD, {"seq": head.seq + 1, "hash": made})
    if (head.seq + 1) % ANCHOR_EVERY == 0:
        anchor(db)
    return int(head.seq) + 1


def answered(db: Connection, *, who: str, line: Mapping[str, Any]) -> int:
    """Add the row of one answered question: `record.line`, which holds versions and passages and no words."""
    detail = {name: value for name, value in line.items() if name not in ("time", "answer_id", "corpus")}
    return append(db, who=who, what="answer", about=str(line["answer_id"]), versions={"corpus": str(line["corpus"])}, detail=detail)


# --- reading ---------------------------------------------------------------------------------------------------------


def read(db: Connection, who: people.Person, reason: str, *, since: str = "", until: str = "", person: str = "", about: str = "",
         limit: int | None = 1000) -> tuple[Event, ...]:
    """Rows of the trail, the latest ``limit`` in order. That they are read, by whom and why, is recorded first: in a writing transaction.

    ``since`` and ``until`` are ISO days or times, ``until`` not included. Raises ``Forbidden``, and ``ValueError`` for a reason that says
    nothing or names somebody: it can never be deleted.
    """
    people.require(who, people.Operation.READ_AUDIT)
    reason = admitted(reason.strip())
    if len(reason) < SHORTEST_REASON:
        raise ValueError(f"Ange skälet till läsningen, minst {SHORTEST_REASON} tecken.")
    if guard.names_person(reason):
        raise NotKept("namn", "Skälet ser ut att innehålla en persons namn. Ange ärendets nummer i stället.")
    asked = {"since": since, "until": until, "person": person, "about": about}
    append(db, who=who.id, what="audit.read", detail={"reason": reason, **{name: value for name, value in asked.items() if value}})
    e = audit_event.c
    wanted = select(audit_event).order_by(e.seq.desc()).limit(limit)
    for given, condition in ((since, e.at >= since), (until, e.at < until), (person, e.who == person), (about, e.about == about)):
        wanted = wanted.where(condition) if given else wanted
    return tuple(Event(row.seq, row.at, row.who, row.what, row.about, json.loads(row.versions), json.loads(row.detail),
                       row.previous, row.hash)
                 for row in reversed(db.execute(wanted).all()))


def length(db: Connection) -> int:
    """How many rows there are."""
    return int(db.execute(select(func.count()).select_from(audit_event)).scalar_one())


# --- anchors ---------------------------------------------------------------------------------------------------------


def anchor(db: Connection) -> Anchor | None:
    """The trail's last row as an anchor, kept in the database too; None when the trail is empty."""
    head = db.execute(_HEAD).first()
    if head is None or not head.seq:
        return None
    held = db.execute(select(audit_anchor).where(audit_anchor.c.seq == head.seq)).first()
    if held is not None:
        return Anchor(*held)
    made = Anchor(head.seq, head.seq, head.hash, written(datetime.now(UTC)))
    db.execute(insert(audit_anchor).values(**asdict(made)))
    return made


def keep_anchors(database: Database, path: Path) -> tuple[Anchor, ...]:
    """Write to the file, one a line, the anchors it doesn't have yet: those that are new. The file is there to be copied elsewhere."""
    last = max((one.seq for one in kept_anchors(path)), default=0)
    with database.reading() as db:
        new = tuple(Anchor(*row) for row in db.execute(select(audit_anchor).where(audit_anchor.c.seq > last).order_by(audit_anchor.c.seq)))
    for one in new:
        record.append(path, asdict(one))
    return new


def kept_anchors(path: Path) -> tuple[Anchor, ...]:
    """The anchors of a file. A last line without its end is passed over: a machine stopped in the middle of it. Else ``ValueError``."""
    if not path.exists():
        return ()
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break
        try:
            found.append(Anchor(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}, rad {number}: inget ankare.") from error
    return tuple(found)


# --- verifying -------------------------------------------------------------------------------------------------------


def verify(db: Connection, anchors: Iterable[Anchor] = ()) -> tuple[Fault, ...]:
    """Every fault of the trail, in order; none when it is whole. ``anchors``: those kept elsewhere, besides the database's own."""
    known = sorted((one for one in (*(Anchor(*row) for row in db.execute(select(audit_anchor))), *anchors) if one.seq > 0),
                   key=lambda one: one.seq)
    head = db.execute(select(audit_head.c.seq, audit_head.c.hash)).first()
    seen = _walked(db, head.seq if head else sys.maxsize, frozenset(one.seq for one in known))
    end = head.seq if head else seen.last
    moved = _moved(seen, _copied(db) if seen.bad else frozenset())
    faults = [*_joined(_unlike(seen, moved)), *_absent(seen, moved, end)]
    if head is None:
        faults.append(Fault(0, REMOVED, 0))
    elif seen.last == end and seen.last_hash != head.hash and end not in seen.bad:
        faults.append(Fault(end, EDITED, end))
    faults += _against(known, {**seen.anchored, **{place: seen.bad[at].hash for at, place in moved.items()}}, end, faults)
    return _joined(faults)


@dataclass
class _Seen:
    """What one walk through the trail shows. ``bad``: rows that don't match their own hash; ``loose``: rows the next one doesn't continue;
    ``beside``: rows before the first or after the last; ``gaps``: numbers without a row; ``last``: the last row that isn't beside.
    """

    bad: dict[int, Row[Any]] = field(default_factory=dict)
    loose: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    anchored: dict[int, str] = field(default_factory=dict)
    last: int = 0
    last_hash: str = ""


def _walked(db: Connection, end: int, anchored: frozenset[int]) -> _Seen:
    seen = _Seen()
    for row in db.execute(select(audit_event).order_by(audit_event.c.seq).execution_options(yield_per=1000)):
        fits = _own_hash(row) == row.hash
        if not fits:
            seen.bad[row.seq] = row
        if not 1 <= row.seq <= end:
            seen.beside.append(row.seq)
            continue
        if row.seq > seen.last + 1:
            seen.gaps.append((seen.last + 1, row.seq - 1))
        elif fits and seen.last not in seen.bad and seen.last_hash != row.previous:
            seen.loose.append(max(seen.last, 1))
        if row.seq in anchored:
            seen.anchored[row.seq] = row.hash
        seen.last, seen.last_hash = row.seq, row.hash
    return seen


def _copied(db: Connection) -> frozenset[str]:
    """Hashes that several rows have: one row's words in another's place."""
    return frozenset(db.execute(select(audit_event.c.hash).group_by(audit_event.c.hash).having(func.count() > 1)).scalars())


def _moved(seen: _Seen, copied: frozenset[str]) -> dict[int, int]:
    """Row → the number under which it matches its hash: its own place, when it was given another number."""
    gaps = [number for start, end in seen.gaps for number in range(start, min(end, start + _MOST_TRIED) + 1)]
    places = [*gaps, seen.last + 1, *seen.bad]
    found: dict[int, int] = {}
    step, tried = 1, 0
    for at, row in seen.bad.items():
        for place in (at + step, at - 1, *places) if row.hash not in copied else ():
            tried += 1
            if place != at and _own_hash(row, place) == row.hash:
                found[at], step = place, place - at
                break
        if tried > _MOST_TRIED:
            break
    return found


def _unlike(seen: _Seen, moved: Mapping[int, int]) -> Iterator[Fault]:
    """Rows that are there and aren't what was written there. One that stands in another's place was added, unless it has moved too."""
    added = {*seen.beside, *(place for place in moved.values() if not _is_empty(seen, place))} - set(moved)
    for seq in sorted({*seen.bad, *seen.loose, *added}):
        if seq in moved:
            yield Fault(seq, REORDERED, seq, moved[seq])
        else:
            yield Fault(seq, ADDED if seq in added else EDITED, seq)


def _is_empty(seen: _Seen, number: int) -> bool:
    before = bisect_right(seen.gaps, (number, sys.maxsize)) - 1
    return number > seen.last or before >= 0 and number <= seen.gaps[before][1]


def _absent(seen: _Seen, moved: Mapping[int, int], end: int) -> Iterator[Fault]:
    """Numbers whose row is nowhere. When they are the last ones the trail is truncated."""
    taken = sorted(set(moved.values()))
    spans = [(at, at) for at in set(moved) - set(taken) if 1 <= at <= end]
    for start, stop in [*seen.gaps, (seen.last + 1, end)]:
        inside = taken[bisect_left(taken, start):bisect_right(taken, stop)]
        spans += [(before + 1, after - 1) for before, after in pairwise([start - 1, *inside, stop + 1])]
    joined = _joined(Fault(start, REMOVED, stop) for start, stop in spans if start <= stop)
    yield from (replace(one, what=TRUNCATED) if one.last == end else one for one in joined)


def _against(anchors: Iterable[Anchor], hashes: Mapping[int, str], end: int, faults: Sequence[Fault]) -> Iterator[Fault]:
    """What only the anchors show. After the first that doesn't hold they say nothing more. ``hashes``: of the rows, in their own places."""
    held = 0
    for seq, of in groupby(anchors, key=lambda one: one.seq):
        if seq > end:
            yield Fault(end + 1, TRUNCATED, seq, anchored=True)
            return
        if {one.hash for one in of} == {hashes.get(seq)}:
            held = seq
        elif not any(fault.seq <= seq <= fault.last for fault in faults):
            yield Fault(held + 1, EDITED, seq, anchored=True)
            return


def _joined(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The faults in order, neighbours of one kind as one."""
    out: list[Fault] = []
    for one in sorted(set(faults), key=lambda fault: (fault.anchored, fault.what, fault.seq)):
        last = out[-1] if out else None
        if last and (last.what, last.anchored, last.other and last.other - last.seq) == (
                one.what, one.anchored, one.other and one.other - one.seq) and one.seq <= last.last + 1:
            out[-1] = replace(last, last=max(last.last, one.last))
        else:
            out.append(one)
    return tuple(sorted(out, key=lambda fault: (fault.seq, fault.what)))


def _own_hash(row: Row[Any], seq: int | None = None) -> str:
    """What the row's hash should be, or would be under another number."""
    return _hash(row.seq if seq is None else seq, row.at, row.who, row.what, row.about, row.versions, row.detail, row.previous)


def _hash(seq: int, at: str, who: str, what: str, about: str, versions: str, detail: str, previous: str) -> str:
    return hashlib.sha256(_json([seq, at, who, what, about, versions, detail, previous]).encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)  # repr: what a hand put in a cell need not be text
