"""The audit trail, on both databases: what is added, who may read it, and that no edit of it goes unseen."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import pytest
from sqlalchemy import Connection, insert, text, update
from sqlalchemy.exc import DBAPIError

from assistant import audit
from assistant.audit import ADDED, EDITED, REMOVED, REORDERED, TRUNCATED, Anchor, Fault
from assistant.people import LOCAL, Forbidden, Person, Role
from assistant.storage.commands import told
from assistant.storage.database import StorageError
from assistant.storage.gate import NotKept
from assistant.storage.tables import ONLY_ADDED_TO, audit_anchor, audit_event, audit_head
from tests.databases import database, database_url, postgresql  # noqa: F401 - fixtures

REASON = "Kontroll enligt ärende S2026/100"
NUMBER = "19121212-1212"
CELLS = ("at", "who", "what", "about", "versions", "detail", "previous", "hash")


def filled(database, rows: int) -> None:
    with database.writing() as db:
        for n in range(rows):
            audit.append(db, who=f"person-{n % 3}", what="answer", about=f"svar-{n}", versions={"corpus": "v1"}, detail={"n": n})


def faults(database, anchors=()) -> tuple[Fault, ...]:
    with database.reading() as db:
        return audit.verify(db, anchors)


@contextmanager
def without_triggers(database) -> Iterator[Connection]:
    """A transaction in which everything can be changed, as whoever owns the database can; taken back at the end."""
    with database.engine.connect() as plain:
        db = plain.execution_options(writing=True)
        outer = db.begin()
        if database.is_sqlite:
            for (name,) in db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                db.execute(text(f"DROP TRIGGER {name}"))
        else:
            db.execute(text("SET session_replication_role = replica"))
        yield db
        outer.rollback()


# --- adding -----------------------------------------------------------------------------------------------------------


def test_a_row_says_who_did_what_to_what_and_on_which_versions(database):
    with database.writing() as db:
        assert audit.append(db, who="anna", what="answer", about="a1", versions={"corpus": "v1"}, detail={"withheld": 0}) == 1
        row = audit.read(db, LOCAL, REASON)[0]
    assert (row.who, row.what, row.about, row.versions, row.detail) == ("anna", "answer", "a1", {"corpus": "v1"}, {"withheld": 0})


def test_a_transaction_that_is_taken_back_leaves_no_row_and_no_gap(database):
    filled(database, 2)
    with pytest.raises(NotKept), database.writing() as db:
        assert [audit.append(db, who="anna", what=what) for what in ("answer", NUMBER)]
    filled(database, 1)
    assert faults(database) == ()
    with database.reading() as db:
        assert audit.length(db) == 3


@pytest.mark.parametrize("given", [
    {"what": NUMBER}, {"about": NUMBER}, {"detail": {"reason": f"Det gällde {NUMBER}"}}, {"detail": {"deep": [{"er": NUMBER}]}},
    {"versions": {NUMBER: "v"}}, {"detail": {"n": 191212121212}}])
def test_no_row_holds_an_identity_number(database, given):
    with pytest.raises(NotKept), database.writing() as db:
        audit.append(db, **{"who": "anna", "what": "answer", **given})
    with database.reading() as db:
        assert audit.length(db) == 0


@pytest.mark.parametrize("table", ONLY_ADDED_TO)
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_is_only_added_to(database, table, change):
    filled(database, 1)
    with database.writing() as db:
        audit.anchor(db)
        db.execute(text("INSERT INTO review_item (origin, case_id, answer) VALUES ('o', 'c', '')"))
        db.execute(text("INSERT INTO review_event (id, item, at, who, role, action, body, taken_in) "
                        "VALUES ('', 1, '', '', '', '', '', '')"))
        db.execute(text("INSERT INTO review_log (at, who, role, what) VALUES ('', '', '', '')"))
    column = "origin" if table == "review_item" else "at"
    with pytest.raises(DBAPIError, match="only added to"), database.writing() as db:
        db.execute(text(change.format(table, column, "'x'")))


def test_rows_added_at_once_by_many_threads_make_one_chain(database):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: filled(database, 5), range(32)))
    with database.reading() as db:
        assert audit.length(db) == 160
        assert audit.verify(db) == ()


def test_an_added_row_costs_little_over_its_transaction(database):
    """The figure is shown with -s; the limit is wide, since the machine is shared."""
    def once(rows: int) -> float:
        started = time.perf_counter()
        filled(database, rows)
        return time.perf_counter() - started

    filled(database, 50)
    one, twenty = ([once(rows) for _ in range(40)] for rows in (1, 21))
    cost = (statistics.median(twenty) - statistics.median(one)) / 20 * 1000
    print(f"\naudit row, {database.engine.dialect.name}: {cost:.2f} ms over a transaction of {statistics.median(one) * 1000:.1f} ms")
    assert cost < 10


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("roles", [frozenset(), frozenset({Role.LASARE}), frozenset({Role.HANDLAGGARE}), frozenset({Role.JURIST})])
def test_only_a_manager_may_read(database, roles):
    with pytest.raises(Forbidden), database.writing() as db:
        audit.read(db, Person("anna", "Anna", roles), REASON)


@pytest.mark.parametrize("reason", ["", "kort", "         ", f"Det gällde {NUMBER} i går", "Kontroll av Anna Svensson i går"])
def test_a_reading_needs_a_reason_that_says_something_and_names_nobody(database, reason):
    with pytest.raises(ValueError, match=r"\w"), database.writing() as db:
        audit.read(db, LOCAL, reason)
    with database.reading() as db:
        assert audit.length(db) == 0


def test_a_reading_is_itself_recorded_with_its_reason_before_anything_is_read(database):
    filled(database, 3)
    with database.writing() as db:
        rows = audit.read(db, replace(LOCAL, id="frida"), REASON, person="person-1")
    assert [row.about for row in rows] == ["svar-1"]
    with database.writing() as db:
        last = audit.read(db, LOCAL, REASON)[-2]
    assert (last.who, last.what, last.detail) == ("frida", "audit.read", {"reason": REASON, "person": "person-1"})


def test_rows_are_chosen_by_person_thing_and_time(database):
    filled(database, 9)
    with database.writing() as db:
        rows = audit.read(db, LOCAL, REASON)
        for chosen, wanted in (({"person": "person-2"}, [3, 6, 9]), ({"about": "svar-4"}, [5]),
                               ({"since": rows[7].at, "person": "person-1"}, [8]), ({"until": rows[2].at}, [1, 2]),
                               ({"until": rows[6].at, "limit": 2}, [5, 6])):
            assert [row.seq for row in audit.read(db, LOCAL, REASON, **chosen)] == wanted


# --- anchors ----------------------------------------------------------------------------------------------------------


def test_anchors_come_by_themselves_and_go_to_a_file_once(database, tmp_path):
    path = tmp_path / "anchors.jsonl"
    filled(database, audit.ANCHOR_EVERY * 2 + 3)
    assert [one.seq for one in audit.keep_anchors(database, path)] == [100, 200]
    with database.writing() as db:
        assert audit.anchor(db) == audit.anchor(db)
    assert [one.seq for one in audit.keep_anchors(database, path)] == [203]
    assert audit.keep_anchors(database, path) == ()
    assert [one.seq for one in audit.kept_anchors(path)] == [100, 200, 203]
    assert faults(database, audit.kept_anchors(path)) == ()


def test_an_empty_trail_is_whole_and_has_nothing_to_anchor(database):
    with database.writing() as db:
        assert audit.anchor(db) is None
    assert faults(database) == ()


def test_a_file_of_anchors_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path):
    path = tmp_path / "anchors.jsonl"
    line = json.dumps(asdict(Anchor(5, 5, "h", "t")))
    path.write_text(f"{line}\n{line[:20]}")
    assert [one.seq for one in audit.kept_anchors(path)] == [5]
    path.write_text(f"{line[:20]}\n{line}\n")
    with pytest.raises(ValueError, match="rad 1"):
        audit.kept_anchors(path)


# --- a thousand edits -------------------------------------------------------------------------------------------------

ROWS = 40


@dataclass(frozen=True)
class Done:
    """What an edit did: to which row, and by which names that may be told."""

    row: int
    named: tuple[str, ...]
    anchors: tuple[Anchor, ...] = ()


def edit_a_cell(db: Connection, rng: random.Random) -> Done:
    row, cell = rng.randint(1, ROWS), rng.choice(CELLS)
    was = db.execute(audit_event.select().where(audit_event.c.seq == row)).one()._mapping[cell]
    at = rng.randrange(len(was)) if was else 0
    new = rng.choice([was[:at] + was[at + 1:], was[:at] + rng.choice("xyzåÅ9 ") + was[at:], was.upper() + " ", ""])
    new = new if new != was else was + "x"
    db.execute(update(audit_event).where(audit_event.c.seq == row).values({cell: new}))
    return Done(row, (EDITED,))


def renumber(db: Connection, rng: random.Random) -> Done:
    row, new = rng.randint(1, ROWS), rng.choice([-5, 0, ROWS + 1, ROWS + 900])
    db.execute(update(audit_event).where(audit_event.c.seq == row).values(seq=new))
    return Done(new, (REORDERED,))


def delete_rows(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS - 1)
    last = rng.randint(row, min(row + 3, ROWS - 1))
    db.execute(audit_event.delete().where(audit_event.c.seq.between(row, last)))
    return Done(last, (REMOVED,))


def delete_and_close_the_gap(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS - 1)
    db.execute(audit_event.delete().where(audit_event.c.seq == row))
    for seq in range(row + 1, ROWS + 1):
        db.execute(update(audit_event).where(audit_event.c.seq == seq).values(seq=seq - 1))
    return Done(row, (REMOVED,))


def swap(db: Connection, rng: random.Random) -> Done:
    one, other = rng.sample(range(1, ROWS + 1), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        db.execute(update(audit_event).where(audit_event.c.seq == old).values(seq=new))
    return Done(rng.choice([one, other]), (REORDERED,))


def copy_into(db: Connection, rng: random.Random) -> Done:
    """One row's words in another's place."""
    one, other = rng.sample(range(1, ROWS + 1), 2)
    words = dict(db.execute(audit_event.select().where(audit_event.c.seq == one)).one()._mapping)
    db.execute(update(audit_event).where(audit_event.c.seq == other).values({**words, "seq": other}))
    return Done(other, (EDITED, ADDED))


def _forged(db: Connection, seq: int) -> dict[str, object]:
    before = db.execute(audit_event.select().where(audit_event.c.seq == seq - 1)).first()
    row = {"seq": seq, "at": "2026-01-01T00:00:00.000000+00:00", "who": "anna", "what": "answer", "about": "", "versions": "{}",
           "detail": "{}", "previous": before.hash if before else ""}
    return {**row, "hash": audit._hash(**row)}


def add_at_the_end(db: Connection, rng: random.Random) -> Done:
    seq = ROWS + rng.choice([1, 1, 2, 50])
    db.execute(insert(audit_event).values(**_forged(db, seq)))
    return Done(seq, (ADDED,))


def add_in_the_middle(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS)
    for seq in range(ROWS, row - 1, -1):
        db.execute(update(audit_event).where(audit_event.c.seq == seq).values(seq=seq + 1))
    db.execute(insert(audit_event).values(**_forged(db, row)))
    return Done(row, (ADDED,))


def replace_with_a_fitting_row(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS)
    db.execute(update(audit_event).where(audit_event.c.seq == row).values(**_forged(db, row)))
    return Done(row, (EDITED,))


def truncate(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS)
    db.execute(audit_event.delete().where(audit_event.c.seq >= row))
    return Done(rng.randint(row, ROWS), (TRUNCATED,))


def change_the_head(db: Connection, rng: random.Random) -> Done:
    row, values, named = rng.choice([
        (ROWS, {"hash": "0" * 64}, EDITED), (ROWS, {"seq": ROWS - 1}, ADDED), (ROWS + 1, {"seq": ROWS + 1}, TRUNCATED)])
    db.execute(update(audit_head).values(**values))
    return Done(row, (named,))


def remove_the_head(db: Connection, rng: random.Random) -> Done:
    db.execute(audit_head.delete())
    return Done(0, (REMOVED,))


def _anchor(db: Connection, seq: int) -> Anchor:
    return Anchor(seq, seq, db.execute(audit_event.select().where(audit_event.c.seq == seq)).one().hash, "")


def rewrite(db: Connection, rng: random.Random) -> Done:
    """From a row on, all hashes made anew and the head too: nothing inside the database can show it."""
    row = rng.randint(1, ROWS - 1)
    anchors = (_anchor(db, rng.randint(1, row)), _anchor(db, rng.randint(row, ROWS)))
    if anchors[0].seq == row:
        anchors = anchors[1:]
    db.execute(update(audit_event).where(audit_event.c.seq == row).values(who="någon annan"))
    before = "" if row == 1 else _anchor(db, row - 1).hash
    for seq in range(row, ROWS + 1):
        held = dict(db.execute(audit_event.select().where(audit_event.c.seq == seq)).one()._mapping)
        held = {**held, "previous": before}
        del held["hash"]
        before = audit._hash(**held)
        db.execute(update(audit_event).where(audit_event.c.seq == seq).values(previous=held["previous"], hash=before))
    db.execute(update(audit_head).values(hash=before))
    db.execute(audit_anchor.delete())
    assert audit.verify(db) == ()
    return Done(row, (EDITED,), anchors)


def truncate_and_mend_the_head(db: Connection, rng: random.Random) -> Done:
    row = rng.randint(1, ROWS)
    anchor = _anchor(db, rng.randint(row, ROWS))
    db.execute(audit_event.delete().where(audit_event.c.seq >= row))
    db.execute(update(audit_head).values(seq=row - 1, hash=_anchor(db, row - 1).hash if row > 1 else ""))
    db.execute(audit_anchor.delete())
    assert audit.verify(db) == ()
    return Done(row, (TRUNCATED,), (anchor,))


EDITS: tuple[Callable[[Connection, random.Random], Done], ...] = (
    edit_a_cell, edit_a_cell, edit_a_cell, renumber, delete_rows, delete_and_close_the_gap, swap, copy_into, add_at_the_end,
    add_in_the_middle, replace_with_a_fitting_row, truncate, change_the_head, remove_the_head, rewrite, truncate_and_mend_the_head)


def test_a_thousand_edits_of_the_trail_are_all_found_and_their_row_named(database):
    filled(database, ROWS)
    rng, missed = random.Random(20261122), []
    with without_triggers(database) as db:
        for number in range(1000):
            edit = EDITS[number % len(EDITS)]
            inner = db.begin_nested()
            done = edit(db, rng)
            found = audit.verify(db, done.anchors)
            if not any(fault.what in done.named and fault.seq <= done.row <= fault.last for fault in found):
                missed.append((edit.__name__, done, found))
            assert all(told(fault).endswith(".") for fault in found)
            inner.rollback()
        assert missed == []
        assert audit.verify(db) == ()


def test_only_the_rows_that_were_edited_are_named(database):
    filled(database, ROWS)
    for edits, wanted in (
        (["UPDATE audit_event SET who = 'x' WHERE seq = 7"], [Fault(7, EDITED, 7)]),
        (["DELETE FROM audit_event WHERE seq IN (3, 4, 9)"], [Fault(3, REMOVED, 4), Fault(9, REMOVED, 9)]),
        ([f"DELETE FROM audit_event WHERE seq > {ROWS - 3}"], [Fault(ROWS - 2, TRUNCATED, ROWS)]),
        (["UPDATE audit_event SET seq = -1 WHERE seq = 5", "UPDATE audit_event SET seq = 5 WHERE seq = 8",
          "UPDATE audit_event SET seq = 8 WHERE seq = -1"], [Fault(5, REORDERED, 5, 8), Fault(8, REORDERED, 8, 5)]),
        (["DELETE FROM audit_event WHERE seq = 1", "UPDATE audit_event SET about = 'y' WHERE seq = 2",
          "UPDATE audit_event SET hash = '' WHERE seq = 30"],
         [Fault(1, REMOVED, 1), Fault(2, EDITED, 2), Fault(30, EDITED, 30)]),
        (["DELETE FROM audit_event"], [Fault(1, TRUNCATED, ROWS)]),
    ):
        with without_triggers(database) as db:
            for statement in edits:
                db.execute(text(statement))
            assert list(audit.verify(db)) == wanted, edits


def test_a_long_trail_that_was_closed_up_after_a_removal_is_told_in_two_lines(database):
    filled(database, 5000)
    with without_triggers(database) as db:
        db.execute(text("DELETE FROM audit_event WHERE seq = 2"))
        db.execute(text("UPDATE audit_event SET seq = -seq WHERE seq > 2"))
        db.execute(text("UPDATE audit_event SET seq = -seq - 1 WHERE seq < 0"))
        assert audit.verify(db) == (Fault(2, REMOVED, 2), Fault(2, REORDERED, 4999, 3))


def test_more_disorder_than_is_worth_sorting_out_is_still_all_named(database, monkeypatch):
    monkeypatch.setattr(audit, "_MOST_TRIED", 10)
    filled(database, ROWS)
    with without_triggers(database) as db:
        for seq in range(1, ROWS + 1, 2):
            db.execute(update(audit_event).where(audit_event.c.seq == seq).values(who="någon annan"))
        assert audit.verify(db) == tuple(Fault(seq, EDITED, seq) for seq in range(1, ROWS + 1, 2))


def test_a_trail_without_its_head_takes_no_more_rows(database):
    filled(database, 1)
    with without_triggers(database) as db:
        db.execute(audit_head.delete())
        with pytest.raises(StorageError, match="säkerhetskopian"):
            audit.append(db, who="anna", what="answer")
