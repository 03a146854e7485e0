"""The review's rules and files: states, blindness, agreement, what is refused, and that nothing is lost on the way out and in."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import csv
import io
import json
import math
import random
import sqlite3
import subprocess
import sys
import uuid
import warnings
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from assistant import audit, pipeline, record
from assistant.storage import feedback, tables
from assistant.storage.database import StorageError
from assistant.storage.database import opened as opened_database
from assistant.types import Question, Turn
from evals import cases, review, review_files, workbench
from evals.review import Action, Event, Refused, State
from evals.review_store import Store
from tests import reviewing
from tests.databases import database, database_url, postgresql  # noqa: F401 - fixtures
from tests.reviewing import ANNA, ANSWER, BO, CIA, CITATION, FRIDA, MANY, NUMBER, WRONG, many, row, verdict

EXPECTED = {"status": ["answered"], "must_cite": ["SFS 2009:400 10 kap. 15 a §"], "may_cite": [], "must_say": ["övervägande skäl"],
            "must_not_say": [], "handoff": None}


@pytest.fixture
def store(database):
    return Store(database)


@pytest.fixture
def other(database_url, tmp_path, request):
    """Another queue, in another database of the same kind."""
    url = f"sqlite:///{tmp_path}/other.db"
    if not database_url.startswith("sqlite"):
        server, name = request.getfixturevalue("postgresql"), f"o{uuid.uuid4().hex[:12]}"
        server.sql("postgres", f"CREATE DATABASE {name}")
        url = server.url(name)
    made = opened_database(url)
    yield Store(made)
    made.close()


@pytest.fixture
def bench(tmp_path, monkeypatch, database):
    for name in ("data", "releases", "notes", "rules"):
        monkeypatch.setenv(f"DELNINGSSTOD_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("DELNINGSSTOD_GOLDEN", str(tmp_path / "golden" / "granskade.yaml"))
    return workbench.Workbench(workbench.Settings(), database)


def everything(store):
    """All that the database holds, as one text."""
    with store.database.reading() as db:
        return "\n".join(str(held) for table in tables.metadata.sorted_tables for held in db.execute(select(table)))


def trail(store):
    """(who, what, about) of every row of the audit trail, which is whole."""
    with store.database.reading() as db:
        assert audit.verify(db) == ()
        rows = db.execute(select(tables.audit_event).order_by(tables.audit_event.c.seq)).all()
    return [(row.who, row.what, row.about) for row in rows]


def queued(store, **more):
    """One answer in the queue, with Anna and Bo to review it."""
    store.enqueue([row(**more)], "körning 1", FRIDA, {"commit": "abc", "corpus": "v1"})
    number = store.items()[-1].number
    store.act(number, FRIDA, Action.ASSIGNED, {"reviewers": [ANNA.name, BO.name]})
    return number


def disputed(store, **more):
    number = queued(store, **more)
    store.act(number, ANNA, Action.JUDGED, verdict())
    store.act(number, BO, Action.JUDGED, WRONG)
    return number


# --- states and blindness ----------------------------------------------------------------------------------------------


def test_an_answer_goes_from_unassigned_over_dispute_to_adjudicated(store):
    store.enqueue([row()], "körning 1", FRIDA)
    number = store.items()[0].number
    steps = [(FRIDA, Action.ASSIGNED, {"reviewers": [ANNA.name, BO.name]}, State.WAITING), (ANNA, Action.JUDGED, verdict(), State.WAITING),
             (BO, Action.JUDGED, WRONG, State.DISPUTED), (CIA, Action.SETTLED, {**WRONG, "expected": EXPECTED}, State.ADJUDICATED)]
    assert store.item(number).state is State.UNASSIGNED
    for who, action, body, state in steps:
        assert store.act(number, who, action, body).state is state
        assert store.item(number).state is state
    assert store.item(number).settled.by == (CIA.name,)


def test_two_who_agree_need_no_adjudication(store):
    number = queued(store)
    store.act(number, ANNA, Action.JUDGED, verdict())
    assert store.act(number, BO, Action.JUDGED, verdict()).state is State.AGREED


@pytest.mark.parametrize(("count", "reader", "seen"), [
    (0, "Anna Ek", []), (1, "Anna Ek", ["Anna Ek"]), (1, "anna ek", ["Anna Ek"]), (1, "Bo Alm", []), (1, "Frida Falk", []),
    (2, "Anna Ek", ["Anna Ek", "Bo Alm"]), (2, "Frida Falk", ["Anna Ek", "Bo Alm"])])
def test_nobody_sees_the_others_verdict_until_both_have_answered(store, count, reader, seen):
    number = queued(store)
    for who in (ANNA, BO)[:count]:
        store.act(number, who, Action.JUDGED, verdict())
    assert [one.who for one in review.may_see(store.item(number).verdicts, reader)] == seen


def test_a_verdict_can_be_changed_until_the_other_has_answered_and_not_after(store):
    number = queued(store)
    store.act(number, ANNA, Action.JUDGED, verdict())
    assert store.act(number, ANNA, Action.JUDGED, WRONG).verdicts[0].citations[0] == ("k1", "fel källa")
    store.act(number, BO, Action.JUDGED, verdict())
    with pytest.raises(Refused, match="låsta"):
        store.act(number, ANNA, Action.JUDGED, verdict())
    assert [one.action for one in store.history(number)].count(Action.JUDGED) == 3


def test_one_of_the_two_only_proposes_and_the_other_confirms_what_was_read(store):
    number = disputed(store)
    assert store.act(number, ANNA, Action.SETTLED, {**WRONG, "expected": EXPECTED}).state is State.DISPUTED
    read = store.item(number).settled.id
    with pytest.raises(Refused, match="den andra"):
        store.act(number, ANNA, Action.CONFIRMED, {"settled": read})
    store.act(number, ANNA, Action.SETTLED, {**WRONG, "comment": "Ändrat skäl.", "expected": EXPECTED})
    with pytest.raises(Refused, match="har ändrats"):
        store.act(number, BO, Action.CONFIRMED, {"settled": read})
    done = store.act(number, BO, Action.CONFIRMED, {"settled": store.item(number).settled.id})
    assert (done.state, done.settled.by) == (State.ADJUDICATED, (ANNA.name, BO.name))


REFUSED = [
    ("otilldelad person", CIA, Action.JUDGED, verdict(), "inte tilldelat"), ("förvaltare", FRIDA, Action.JUDGED, verdict(), "en jurist"),
    ("utan kommentar", ANNA, Action.JUDGED, verdict("fel källa", "litet"), "kommentar"),
    ("fel utan allvar", ANNA, Action.JUDGED, verdict("fel källa", "inget", "Fel."), "allvaret"),
    ("allvar utan fel", ANNA, Action.JUDGED, verdict(severity="litet"), "allvaret"),
    ("en hänvisning för lite", ANNA, Action.JUDGED, {**verdict(), "citations": {"k1": "stödjer"}}, "1 återstår"),
    ("okänd hänvisning", ANNA, Action.JUDGED, {**verdict(), "citations": dict.fromkeys(("k1", "k2", "k9"), "stödjer")}, "stämmer inte"),
    ("okänt val", ANNA, Action.JUDGED, verdict("kanske", "litet", "Fel."), "okänt val"),
    ("personnummer", ANNA, Action.JUDGED, verdict("fel källa", "litet", f"Gäller {NUMBER}."), "ett personnummer"),
    ("namn", ANNA, Action.JUDGED, verdict("fel källa", "litet", "Gäller Anna Svensson."), "ett namn"),
    ("fält för mycket", ANNA, Action.JUDGED, {**verdict(), "mer": 1}, "rätt fält"),
    ("lång kommentar", ANNA, Action.JUDGED, verdict("fel källa", "litet", "a" * 4001), "längre än"),
    ("styrtecken", ANNA, Action.JUDGED, verdict("fel källa", "litet", "a\x1bb"), "tecken"),
    ("fastställd för tidigt", CIA, Action.SETTLED, {**verdict(), "expected": EXPECTED}, "båda granskarna"),
    ("bekräftad utan förslag", ANNA, Action.CONFIRMED, {"settled": "x"}, "på nytt"),
    ("testfall för tidigt", ANNA, Action.MADE_CASE, {"case": "J001"}, "fastställt"),
    ("tre granskare", FRIDA, Action.ASSIGNED, {"reviewers": ["A", "B", "C"]}, "två olika"),
    ("samma granskare två gånger", FRIDA, Action.ASSIGNED, {"reviewers": ["Anna Ek", "anna ek"]}, "två olika"),
    ("jurist delar ut", CIA, Action.ASSIGNED, {"reviewers": ["Cia Dahl", "Bo Alm"]}, "egen del"),
    ("namn utan bokstav", FRIDA, Action.ASSIGNED, {"reviewers": ["12"]}, "ange ett namn"),
]


@pytest.mark.parametrize(("who", "action", "body", "reason"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_may_not_be_done_is_refused_with_a_reason_and_leaves_no_trace(store, who, action, body, reason):
    number = queued(store)
    before = store.history(number)
    with pytest.raises(Refused, match=reason):
        store.act(number, who, action, body)
    assert store.history(number) == before


def test_a_jurist_can_take_a_free_answer_and_one_who_answered_cannot_be_replaced(store):
    store.enqueue([row()], "körning 1", FRIDA)
    number = store.items()[0].number
    store.act(number, CIA, Action.ASSIGNED, {"reviewers": [CIA.name]})
    store.act(number, ANNA, Action.ASSIGNED, {"reviewers": [CIA.name, ANNA.name]})
    store.act(number, CIA, Action.JUDGED, verdict())
    with pytest.raises(Refused, match="inte bytas"):
        store.act(number, FRIDA, Action.ASSIGNED, {"reviewers": [ANNA.name, BO.name]})


def test_history_is_only_added_to(store):
    number = disputed(store)
    store.note(FRIDA, "hämtade kön som csv", "exported", "csv")
    for table, column in (("review_event", "who"), ("review_item", "answer"), ("review_log", "what")):
        for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="only added"), store.database.writing() as db:
                db.execute(text(statement))
    assert [(one.who, one.action) for one in store.history(number)] == [
        (FRIDA.name, "köad"), (FRIDA.name, "tilldelad"), (ANNA.name, "bedömd"), (BO.name, "bedömd")]


# --- the queue ---------------------------------------------------------------------------------------------------------


def test_nothing_is_queued_twice(store):
    rows = [row("K001"), row("K002"), row("K001")]
    assert (store.enqueue(rows, "körning 1", FRIDA).added, store.enqueue(rows, "körning 1", FRIDA).already) == (2, 3)
    assert store.enqueue(rows, "körning 2", FRIDA).added == 2
    assert len(store.items()) == 4


@pytest.mark.parametrize(("broken", "reason"), [
    ({"question": f"Får vi tipsa om {NUMBER}?"}, "ett personnummer"), ({"question": "Ska Anna Svensson få bidrag?"}, "ett namn"),
    ({"history": [f"Det gäller {NUMBER}."]}, "ett personnummer"), ({"answer": None}, "inget svar"), ({"answer": {}}, "går inte att läsa"),
    ({"answer": {**ANSWER, "citations": [{**CITATION, "quote": 7}]}}, "går inte att läsa"),
    ({"answer": {**ANSWER, "citations": [CITATION, CITATION]}}, "samma id"), ({"question": " "}, "frågan saknas"),
    ({"as_of": "i går"}, "rätt form"), ({"id": "x" * 200}, "namn går inte"),
    ({"answer": {**ANSWER, "text_md": "a" * 250_000}}, "för långt")])
def test_a_row_that_cannot_be_kept_is_left_out_and_told(store, tmp_path, broken, reason):
    done = store.enqueue([row("K001") | broken, row("K002")], "körning 1", FRIDA)
    assert done.added == 1
    assert reason in done.left_out[0][1]
    assert NUMBER not in everything(store)
    assert not any(NUMBER.encode() in path.read_bytes() for path in tmp_path.glob("*.db*"))


def test_a_stored_answer_reads_back_as_the_answer_it_was(store):
    number = queued(store)
    answer = store.answer(number)
    assert record.plain(answer) == {**ANSWER, "answer_id": f"granskning-{number}"}


@pytest.mark.parametrize(("written", "kept"), [("a\0b", "ab"), ("  åäö.xlsx ", "åäö.xlsx"), ("x" * 100, "x" * 80)])
def test_the_name_of_a_file_is_kept_clean(store, other, written, kept):
    queued(store)
    other.take_in([(1, event, answer) for event, answer in store.whole()], FRIDA, written)
    assert {event.taken_in.split(", ")[0] for event, _ in other.whole()} == {kept}


# --- several at once -------------------------------------------------------------------------------------------------------

def at_once(url, *works):
    """Processes of their own, one a work, let go at the same moment when all have opened the database; what each said."""
    command = [sys.executable, "-m", "tests.reviewing", url]
    running = [subprocess.Popen([*command, one.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=workbench.ROOT)
               for one in works]
    assert [one.stdout.readline() for one in running] == ["ready\n"] * len(works)
    for one in running:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120)[0].split() for one in running]
    assert [one.returncode for one in running] == [0] * len(works)
    return said


def test_two_reviewers_judge_the_same_answers_at_the_same_moment_and_both_are_kept(store, database_url):
    assert many(store) == MANY
    assert at_once(database_url, reviewing.anna_judges, reviewing.bo_judges) == [["done"] * MANY] * 2
    assert [item.state for item in store.items()] == [State.AGREED] * MANY
    assert sum(what == "review.judged" for _, what, _ in trail(store)) == 2 * MANY


def test_a_verdict_is_not_changed_behind_the_other_who_answers_at_the_same_moment(store, database_url):
    many(store)
    reviewing.anna_judges(store)
    changed, answered = at_once(database_url, reviewing.anna_changes_her_mind, reviewing.bo_judges)
    assert answered == ["done"] * MANY
    for item, could in zip(store.items(), changed, strict=True):
        judged = [event.who for event in store.history(item.number) if event.action == Action.JUDGED]
        assert judged == ([ANNA.name, ANNA.name, BO.name] if could == "done" else [ANNA.name, BO.name])
        assert item.state is (State.DISPUTED if could == "done" else State.AGREED)


def test_two_who_take_a_free_answer_at_the_same_moment_do_not_push_each_other_out(store, database_url):
    store.enqueue([row(f"K{number:03}") for number in range(MANY)], "körning 1", FRIDA)
    first, second = at_once(database_url, reviewing.anna_takes_hers, reviewing.bo_takes_his)
    assert [{one, other} for one, other in zip(first, second, strict=True)] == [{"done", "refused"}] * MANY
    assert [item.reviewers for item in store.items()] == [(ANNA.name,) if one == "done" else (BO.name,) for one in first]


def test_two_stewards_queue_the_same_run_at_once_and_nothing_is_there_twice(bench, database_url):
    a_run(bench, [row(f"K{number:03}") for number in range(35)])
    at_once(database_url, reviewing.fill, reviewing.fill)
    assert sorted(item.case for item in bench.items()) == [f"K{number:03}" for number in range(35)]
    assert [about for _, what, about in trail(bench) if what == "review.queued"] == [str(item.number) for item in bench.items()]


def test_rows_queued_one_by_one_from_three_processes_are_there_once_each(store, database_url):
    at_once(database_url, reviewing.queue_in_turns, reviewing.queue_in_turns, reviewing.queue_in_turns)
    assert [item.case for item in store.items()] == [f"K{number:03}" for number in range(MANY)]


# --- the audit trail -------------------------------------------------------------------------------------------------------


def test_every_act_is_in_the_audit_trail_without_a_word_of_it(bench):
    who = bench.person("Cia Dahl", "jurist", "cia@myndigheten")
    number = settled(bench)
    bench.make_case(who, number)
    bench.export(FRIDA, "csv")
    told = [(FRIDA.name, "review.queued"), (FRIDA.name, "review.assigned"), (ANNA.name, "review.judged"), (BO.name, "review.judged"),
            (CIA.name, "review.settled"), (who.id, "review.made_case")]
    assert trail(bench) == [*((name, what, str(number)) for name, what in told), (FRIDA.name, "review.exported", "csv")]
    with bench.database.reading() as db:
        rows = str(db.execute(select(tables.audit_event)).all())
    assert not [word for word in ("tipsa", WRONG["comment"], *EXPECTED["must_say"]) if word in rows]


def test_what_is_refused_is_not_in_the_audit_trail(store):
    number = queued(store)
    before = trail(store)
    with pytest.raises(Refused):
        store.act(number, CIA, Action.JUDGED, verdict())
    assert store.enqueue([row()], "körning 1", FRIDA).already == 1
    assert trail(store) == before


# --- the queue of earlier versions ------------------------------------------------------------------------------------------

BEFORE = Path(__file__).parent / "data" / "review" / "before.sql"  # a queue with every kind of event, as the version before wrote it
ALL = (
    "SELECT e.*, i.* FROM {0}event e JOIN {0}item i ON i.number = e.item ORDER BY e.seq",
    "SELECT * FROM {0}log ORDER BY seq",
)


@pytest.fixture
def before(bench):
    """The file that held the queue, where the settings would have it."""
    path = bench.settings.data / "review.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"PRAGMA journal_mode = WAL; {BEFORE.read_text(encoding='utf-8')}")
    return path


def in_file(path):
    with closing(sqlite3.connect(path)) as db:
        return [db.execute(one.format("")).fetchall() for one in ALL]


def in_database(store):
    with store.database.reading() as db:
        return [[tuple(row) for row in db.execute(text(one.format("review_")))] for one in ALL]


def test_an_earlier_queue_is_taken_over_whole_once_and_its_file_left_as_it_was(bench, before, database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    held, data = in_file(before), before.read_bytes()
    opened = workbench.opened()
    assert in_database(opened) == held
    assert [(item.case, item.state, item.golden) for item in opened.items()] == [
        ("K001", State.ADJUDICATED, "J001"), ("K002", State.ADJUDICATED, ""), ("a-1", State.UNASSIGNED, ""), ("Z9", State.UNASSIGNED, "")]
    assert opened.answer(1).claims
    opened.assign(FRIDA, 3, [ANNA.name, BO.name])
    assert before.read_bytes() == data
    assert bench.store.take_over(before) == 0
    assert len(bench.store.whole()) == len(held[0]) + 1
    assert [what for _, what, _ in trail(bench)] == ["review.taken_over", "review.assigned"]
    opened.database.close()


def test_two_processes_that_open_at_once_take_it_over_once(store, before, database_url):
    held = in_file(before)
    said = at_once(database_url, reviewing.take_over, reviewing.take_over)
    assert sorted(said) == [["0"], [str(len(held[0]))]]
    assert in_database(store) == held


def test_what_was_pruned_after_the_taking_over_does_not_come_back(store, before):
    store.take_over(before)
    with store.database.writing() as db:
        db.execute(text("INSERT INTO prune_permit VALUES ('beslut 1')"))
        for table in ("review_event", "review_item", "review_log", "prune_permit"):
            db.execute(text(f"DELETE FROM {table}"))
    assert store.take_over(before) == 0
    assert store.items() == ()


KILLED = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2]); os._exit(9)"


def test_what_a_killed_process_left_beside_the_file_is_taken_over_too(store, before):
    last = "INSERT INTO log (at, who, role, what) VALUES ('2026-11-22T10:00:00+00:00', 'Anna Ek', 'jurist', 'signerade not b')"
    assert subprocess.run([sys.executable, "-c", KILLED, str(before), last], check=False).returncode == 9
    assert before.with_name("review.sqlite-wal").stat().st_size
    store.take_over(before)
    assert store.log()[0][3] == "signerade not b"


def test_a_queue_that_was_exported_and_taken_in_already_is_not_doubled(store, before, other):
    store.take_over(before)
    assert other.take_in([(1, event, answer) for event, answer in store.whole()], FRIDA, "a.jsonl")[0] == len(store.whole())
    assert other.take_over(before) == 0
    assert other.items() == store.items()


@pytest.mark.parametrize(("damage", "reason"), [
    ("DROP TRIGGER event_update; UPDATE event SET who = 'Eva Ask' WHERE seq = 3", "händelse 6d3dfe7071b3df7cf45974b1 är ändrad"),
    ("DROP TRIGGER item_update; UPDATE item SET answer = '{}'", "svarets text är ändrad"), ("DROP TABLE log", "OperationalError"),
    (b"ingen databas" * 100, "DatabaseError")])
def test_an_earlier_queue_that_is_damaged_is_told_and_not_taken_over_in_part(store, before, damage, reason):
    if isinstance(damage, bytes):
        before.write_bytes(damage)
    else:
        with closing(sqlite3.connect(before)) as db:
            db.executescript(damage)
    with pytest.raises(StorageError, match=reason) as told:
        store.take_over(before)
    assert str(before) in str(told.value)
    assert (in_database(store), trail(store)) == ([[], []], [])


def test_no_file_and_an_empty_one_are_nothing_to_take_over(store, tmp_path):
    (tmp_path / "empty.sqlite").touch()
    assert [store.take_over(tmp_path / name) for name in ("none.sqlite", "empty.sqlite")] == [0, 0]
    assert not (tmp_path / "none.sqlite").exists()


# --- agreement -----------------------------------------------------------------------------------------------------------


def test_kappa_equals_scikit_learns_over_random_tables():
    from sklearn.metrics import cohen_kappa_score

    chance = random.Random(7)
    for _ in range(200):
        labels = "abcde"[: chance.randint(1, 5)]
        held = [(chance.choice(labels), chance.choice(labels)) for _ in range(chance.randint(1, 40))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = cohen_kappa_score([one for one, _ in held], [other for _, other in held])
        ours = review.kappa(held)
        assert (ours is None) == math.isnan(theirs)
        assert ours is None or ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(("held", "kappa"), [
    ([], None), ([("a", "a")], None), ([("a", "b")], 0.0), ([("a", "a"), ("b", "b")], 1.0), ([("a", "b"), ("b", "a")], -1.0)])
def test_kappa_at_its_edges(held, kappa):
    assert review.kappa(held) == kappa


def test_agreement_is_told_per_question_and_over_all(store):
    disputed(store)
    number = queued(store, name="K002")
    for who in (ANNA, BO):
        store.act(number, who, Action.JUDGED, verdict())
    told = {one.question: one for one in review.agreement(store.items())}
    assert (told["hänvisningar"].count, told["hänvisningar"].share) == (4, 0.75)
    assert (told["korrekt"].count, told["korrekt"].share, told["korrekt"].kappa) == (2, 0.5, 0.0)
    assert told["rätt grund"].kappa is None
    assert told["samtliga"].count == 14


def test_shares_rest_on_clear_outcomes_only(store):
    number = disputed(store)
    assert review.per_topic(store.items()) == ()
    store.act(number, CIA, Action.SETTLED, {**WRONG, "expected": EXPECTED})
    assert review.per_topic(store.items()) == (review.Share("15a", 0, 1),)
    assert review.per_source(store.items(), workbench.source_name) == (review.Share("OSL", 1, 2),)


# --- out and in ------------------------------------------------------------------------------------------------------------


def full(store, comment="Fel."):
    """A queue with every kind of event."""
    number = disputed(store, question="=1+1 är frågan?\nRad två")
    store.act(number, CIA, Action.SETTLED, {**WRONG, "comment": comment, "corrected": "-rätt", "expected": EXPECTED})
    store.act(number, CIA, Action.MADE_CASE, {"case": "J001"})
    other = disputed(store, name="K002", history=["Tidigare fråga"], answer={**ANSWER, "text_md": "lång text " * 9_000})
    store.act(other, ANNA, Action.SETTLED, {**WRONG, "expected": EXPECTED})
    store.act(other, BO, Action.CONFIRMED, {"settled": store.item(other).settled.id})
    return store


def taken(store, kind, data, who=FRIDA):
    good, wrong = review_files.read(f"granskning.{kind}", data)
    return store.take_in(good, who, f"granskning.{kind}") if not wrong else (0, 0, tuple(wrong))


@pytest.mark.parametrize("kind", review_files.FORMATS)
def test_what_is_exported_is_taken_in_without_loss_and_only_once(store, other, kind):
    full(store)
    data = review_files.export(kind, store.whole(), store.items())
    count = len(store.whole())
    assert taken(other, kind, data) == (count, 0, ())
    assert taken(other, kind, data) == (0, count, ())
    assert [(one.id, answer) for one, answer in other.whole()] == [(one.id, answer) for one, answer in store.whole()]
    assert other.items() == store.items()
    again = review_files.export(kind, other.whole(), other.items())
    assert again == data or kind == "xlsx"
    assert [row[1:] for row in review_files.read(f"x.{kind}", again)[0]] == [row[1:] for row in review_files.read(f"x.{kind}", data)[0]]


HARD = ("=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "'citat", "''två", "a;b,c\"d", "rad\nrad", "_x000D_", "åäö 🙂", "a\u2028b",
        "#N/A", "1e5", "00123", "\ttab inne\ti", "TRUE", "2026-11-22")


@pytest.mark.parametrize("kind", review_files.FORMATS)
def test_words_that_spreadsheets_bend_come_back_to_the_letter(store, other, kind):
    for place, comment in enumerate(map(review.clean, HARD)):
        number = disputed(store, name=f"K{place:03}", topic=comment)
        store.act(number, CIA, Action.SETTLED, {**WRONG, "comment": comment, "corrected": comment, "expected": EXPECTED})
    data = review_files.export(kind, store.whole(), store.items())
    assert taken(other, kind, data)[2] == ()
    read = [(item.topic, item.settled.verdict.comment, item.settled.verdict.corrected) for item in other.items()]
    assert read == [(review.clean(comment),) * 3 for comment in HARD]


@given(st.text())
def test_a_cell_is_never_a_formula_and_reads_back(cell):
    written = review_files.neutral(cell)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert review_files.literal(written) == cell


def test_no_cell_of_a_file_is_a_formula_or_too_long(store):
    full(store)
    data = review_files.export("xlsx", store.whole(), store.items())
    from openpyxl import load_workbook

    cells = [cell for sheet in load_workbook(io.BytesIO(data)) for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert max(len(cell.value) for cell in cells) <= 32_767
    table = list(csv.reader(io.StringIO(review_files.export("csv", store.whole(), ()).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert not [cell for line in table for cell in line if cell.startswith(("=", "+", "-", "@"))]


def _lines(store):
    return [json.loads(line) for line in review_files.export("jsonl", store.whole(), ()).decode().split("\n") if line]


def _changed(at, **more):
    def change(lines):
        return [{**line, **more} if place == at else line for place, line in enumerate(lines)]

    return change


def _signed(line):
    """A row with its digest made anew, as one who forges it would."""
    body = review_files._body(line, line["händelse"])
    event = Event(line["tid"], line["vem"], line["roll"], line["körning"], line["fall"], line["händelse"], body)
    return {**line, "id": event.id}


HOSTILE = [
    ("changed cell", _changed(2, kommentar="Ändrad."), 3, "ändrad"), ("unknown column", _changed(1, **{"=cmd": "x"}), 2, "okänd kolumn"),
    ("unknown event", _changed(1, händelse="raderad"), 2, "okänd händelse"), ("no name", _changed(1, vem=""), 2, "vem är tom"),
    ("number for text", _changed(1, vem=7), 2, "inte text"), ("broken json", _changed(0, samtal="[[["), 1, "går inte att läsa"),
    ("answer changed", _changed(0, svar="{}"), 1, "svarets text"), ("first row gone", lambda lines: lines[1:], 1, "finns inte i kön"),
    ("forged verdict", lambda lines: [*lines[:2], _signed({**lines[2], "vem": "Eva Ask"})], 3, "inte tilldelat"),
    ("forged role", lambda lines: [*lines[:2], _signed({**lines[2], "roll": "förvaltare"})], 3, "en jurist"),
    ("forged personal number", lambda lines: [*lines[:2], _signed({**lines[2], "kommentar": NUMBER})], 3, "ett personnummer"),
    ("forged time", lambda lines: [*lines[:2], _signed({**lines[2], "tid": "nyss"})], 3, "tid"),
    ("not an object", lambda lines: [*lines, [1]], 7, "inget objekt"),
    ("a NUL in a queued case", lambda lines: [_signed({**lines[0], "fall": "K\0"})], 1, "namn går inte"),
    ("a NUL in a judged case", lambda lines: [*lines[:2], _signed({**lines[2], "fall": "K\0"})], 3, "finns inte i kön"),
    ("half a character in a run", lambda lines: [_signed({**lines[0], "körning": "\ud800"})], 1, "namn går inte"),
]


@pytest.mark.parametrize(("change", "place", "reason"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_a_bad_row_stops_the_whole_file_and_is_named(store, other, change, place, reason):
    number = disputed(store)
    store.act(number, CIA, Action.SETTLED, {**WRONG, "expected": EXPECTED})
    store.act(number, CIA, Action.MADE_CASE, {"case": "J001"})
    data = "\n".join(json.dumps(line) for line in change(_lines(store))).encode()
    _, _, wrong = taken(other, "jsonl", data)
    assert wrong[0][0] == place
    assert reason in wrong[0][1]
    assert other.items() == ()
    assert trail(other) == []


def _bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * (review_files.LARGEST + 1))
    return out.getvalue()


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("a.exe", b"x", "sluta på"), ("a.csv", b"\xff\xfe", "UTF-8"), ("a.csv", b"", "första raden"), ("a.csv", b"id;tid\n1;2", "första raden"),
    ("a.csv", b'id;"tid', "CSV"), ("a.jsonl", b"", "tom"), ("a.xlsx", b"PK\x03\x04", "XLSX"), ("a.xlsx", _bomb(), "för stor"),
    ("a.jsonl", b"[" * 100_000, None)])
def test_a_file_that_is_no_export_is_refused_in_plain_words(name, data, reason):
    if reason is None:
        assert review_files.read(name, data)[1] == [(1, "raden är inte JSON")]
        return
    with pytest.raises(Refused, match=reason):
        review_files.read(name, data)


def test_a_comma_separated_file_is_read_too(store, other):
    full(store)
    table = csv.reader(io.StringIO(review_files.export("csv", store.whole(), ()).decode("utf-8-sig"), newline=""), delimiter=";")
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    assert taken(other, "csv", out.getvalue().encode())[2] == ()


def test_one_answer_queued_in_two_places_is_one_when_taken_in(store, other):
    disputed(store)
    other.enqueue([row()], "körning 1", FRIDA)
    assert taken(other, "jsonl", review_files.export("jsonl", store.whole(), ())) == (3, 1, ())
    assert other.items()[0].state is State.DISPUTED


def test_only_a_steward_takes_in_and_not_a_file_named_by_a_personal_number(store, other):
    full(store)
    data = review_files.export("jsonl", store.whole(), ())
    with pytest.raises(Refused, match="förvaltare"):
        taken(other, "jsonl", data, ANNA)
    with pytest.raises(Refused, match="filens namn"):
        other.take_in(review_files.read("a.jsonl", data)[0], FRIDA, f"granskning {NUMBER}.jsonl")
    assert other.whole() == []


# --- from verdict to test ----------------------------------------------------------------------------------------------------


def settled(bench, right=None, **more):
    bench.store.enqueue([row(**more)], "körning 1", FRIDA)
    number = bench.items()[-1].number
    bench.assign(FRIDA, number, [ANNA.name, BO.name])
    bench.judge(ANNA, number, verdict())
    bench.judge(BO, number, WRONG)
    bench.settle(CIA, number, WRONG, {**EXPECTED, **(right or {})})
    return number


def test_an_adjudicated_answer_becomes_one_case_however_often_it_is_pressed(bench):
    number = settled(bench)
    assert [bench.make_case(CIA, number), bench.make_case(ANNA, number)] == ["J001", "J001"]
    second = settled(bench, name="K002", question="En annan fråga?")
    assert bench.make_case(CIA, second) == "J002"
    first, other = cases.load(bench.settings.golden.parent)
    assert (first.question, first.must_cite, first.handoff) == ("Får vi tipsa Skatteverket?", ("SFS 2009:400 10 kap. 15 a §",), None)
    assert (first.reviewed_by, first.reviewed_on) == (CIA.name, date.fromisoformat(bench.item(number).settled.verdict.at[:10]))
    assert other.id == "J002"


def test_a_golden_case_that_was_wrong_is_corrected_where_it_stands(bench):
    wanted = {"documents": [], "premise": None, **EXPECTED}
    old = {"id": "K001", "topic": "15a", "question": row()["question"], "as_of": date(2026, 11, 22), "history": [], **wanted,
           "reason": "Skäl.", "source": "OSL", "reviewed_by": None, "reviewed_on": None}
    file = bench.settings.golden.parent / "15a.yaml"
    file.parent.mkdir(parents=True)
    several = (old, {**old, "id": "K002", "question": "Annat?"})
    both = "\n".join(yaml.safe_dump([one], allow_unicode=True, sort_keys=False) for one in several)
    file.write_text(f"# ledtext\n{both}", encoding="utf-8")
    number = settled(bench, {"must_cite": ["OSL 10:27"]}, expected=wanted)
    assert bench.make_case(CIA, number) == "K001"
    first, second = cases.load(file.parent)
    assert (first.must_cite, first.reviewed_by) == (("SFS 2009:400 10 kap. 27 §",), CIA.name)
    assert (second.must_cite, second.reviewed_by) == (("SFS 2009:400 10 kap. 15 a §",), None)
    assert (first.source, first.reason) == ("OSL", WRONG["comment"])
    assert file.read_text(encoding="utf-8").startswith("# ledtext\n")
    assert bench.make_case(CIA, number) == "K001"
    assert not bench.settings.golden.exists()


@pytest.mark.parametrize(("expected", "reason"), [
    ({"must_cite": ["trams"]}, "inget lagrum"), ({"status": []}, "minst en status"), ({"may_cite": EXPECTED["must_cite"]}, "både"),
    ({"handoff": ["osl-10-15a"]}, "handoff"), ({"must_say": [f"nummer {NUMBER}"]}, "ett personnummer")])
def test_what_could_not_become_a_case_is_not_settled(bench, expected, reason):
    with pytest.raises(Refused, match=reason):
        settled(bench, expected)
    assert bench.items()[0].state is State.DISPUTED


NOTE = '---\nid: a\ntitle: "T"\nref: "SFS 2009:400"\nreviewed_by: null\nreviewed_on: null\n---\nKort: reviewed_by: null\n'
RULES = ("rules:\n- id: ett\n  says: a\n  reviewed_by: null\n  reviewed_on: null\n\n- id: två\n  says: b\n  reviewed_by: null\n"
         "  reviewed_on: null\n")


@pytest.mark.parametrize(("text", "rule", "signed"), [
    (NOTE, "", NOTE.replace("\nreviewed_by: null\nreviewed_on: null", '\nreviewed_by: "Anna Ek"\nreviewed_on: 2026-11-22')),
    (RULES, "två", RULES.replace("b\n  reviewed_by: null\n  reviewed_on: null", 'b\n  reviewed_by: "Anna Ek"\n  reviewed_on: 2026-11-22'))])
def test_signing_changes_two_lines_and_not_a_letter_else(text, rule, signed):
    assert review_files.sign(text, "Anna Ek", date(2026, 11, 22), rule) == signed
    with pytest.raises(Refused, match="redan signerad"):
        review_files.sign(signed, "Bo Alm", date(2026, 11, 22), rule)


def test_every_rule_and_note_of_ours_can_be_signed():
    papers = review_files.papers(workbench.NOTES, workbench.LAW / "rules")
    assert len(papers) > 500
    for paper in papers[::7]:
        text = paper.path.read_text(encoding="utf-8")
        if not paper.reviewed_by:
            done = review_files.sign(text, 'Anna "A" Ek', date(2026, 11, 22), paper.id if paper.kind == "regel" else "")
            assert [a != b for a, b in zip(text.split("\n"), done.split("\n"), strict=True)].count(True) == 2


def test_a_signature_stands_in_the_file_and_in_the_log(bench):
    bench.settings.notes.mkdir()
    (bench.settings.notes / "a.md").write_text(NOTE, encoding="utf-8")
    with pytest.raises(Refused, match="en jurist"):
        bench.sign(FRIDA, bench.papers()[0])
    assert bench.sign(ANNA, bench.papers()[0]) == "a"
    assert (bench.papers()[0].reviewed_by, bench.log()[0][1:]) == (ANNA.name, (ANNA.name, "jurist", "signerade not a"))


# --- runs, reports, releases ------------------------------------------------------------------------------------------------


def a_run(bench, rows, name="run-1", **told):
    folder = bench.settings.data / "evals" / name
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    summary = {"name": name, "commit": "abc", "corpus": "v1", "rules": "r1", "measures": {"passed": {"value": 0.5, "n": 2}}, **told}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")


def test_twenty_are_taken_from_the_newest_run_then_the_next_with_every_topic_among_them(bench):
    kept = {name: value for name, value in ANSWER.items() if name not in ("answer_id", "grounds")}  # as a run keeps it
    rows = [row(f"K{number:03}", topic="15a" if number < 30 else "duty", answer=kept) for number in range(35)]
    rows += [row("F001", family="utkast"), row("K900", topic="a", answer=None), row("K901", topic="b", question=f"Och {NUMBER}?")]
    a_run(bench, rows)
    assert bench.fill(FRIDA, None, lambda *_: None)[1].added == 20
    assert {item.topic for item in bench.items()} == {"15a", "duty"}
    assert bench.items()[0].versions == (("commit", "abc"), ("corpus", "v1"), ("rules", "r1"))
    assert [bench.fill(FRIDA, None, lambda *_: None)[1].added for _ in range(2)] == [15, 0]


@pytest.fixture(scope="module")
def opened(small_world):
    from assistant.grounds import load

    return pipeline.Desk(small_world, load.load(), None)


def test_without_a_run_the_questions_are_answered_and_none_is_recorded(bench, opened, monkeypatch):
    monkeypatch.setattr(workbench, "BATCH", 3)
    told, lines = [], []
    origin, done = bench.fill(FRIDA, replace(opened, record=lines.append), lambda *at: told.append(at))
    assert (done.added, told[-1], lines) == (3, (3, 3), [])
    assert origin.startswith("personalfrågor ")
    assert bench.answer(bench.items()[0].number).claims


def reported(opened, question, reason, history=()):
    asked = Question(question, date(2026, 11, 22), history)
    answer = pipeline.answer(Question("Vad säger 10 kap. 27 § OSL?", date(2026, 11, 22)), opened)
    return record.report(asked, answer, reason, {"corpus": "v1"})


@pytest.mark.parametrize(("question", "reason", "history", "whole"), [
    ("Vad säger 10 kap. 27 § OSL?", "Fel paragraf.", (), True), ("Vad säger 10 kap. 27 § OSL?", "", (), True),
    (f"Får vi lämna ut {NUMBER}?", "", (), False), ("Har ministern Anna Svensson sagt något om generalklausulen?", "", (), False),
    ("Vad säger 10 kap. 27 § OSL?", f"Gällde {NUMBER}.", (), False), ("Vad säger 10 kap. 27 § OSL?", "Gällde Anna Svensson.", (), False),
    ("Och annars?", "", (Turn("user", f"Gäller {NUMBER}"),), False), ("Och annars?", "", (Turn("user", "Vad gäller?"),), True)])
def test_a_report_keeps_words_only_when_none_points_at_a_person(opened, question, reason, history, whole):
    kept = reported(opened, question, reason, history)
    assert ("answer" in kept) == whole
    if not whole:
        assert set(kept) == {"time", "answer_id", "versions"}
    else:
        assert kept["answer"]["handoff"] is None or kept["answer"]["handoff"]["prefill"] == {}


def test_reports_land_in_the_queue_once(bench, opened):
    path = bench.settings.data / "reported.jsonl"
    for question, reason in (("Vad säger 10 kap. 27 § OSL?", "Fel."), (f"Får vi lämna {NUMBER}?", "")):
        record.append(path, reported(opened, question, reason))
    assert bench.reported() == (1, 1)
    assert bench.take_reported(FRIDA).added == 1
    assert (bench.reported(), bench.take_reported(FRIDA).already) == ((0, 1), 1)
    assert (bench.items()[0].origin, bench.items()[0].report) == (review.REPORTED, "Fel.")


def test_a_report_in_the_file_and_in_the_database_lands_in_the_queue_once(bench, opened):
    both, kept, wordless = (reported(opened, question, "Fel.") for question in ("Vad gäller?", "Och annars?", f"Gäller {NUMBER}?"))
    record.append(bench.settings.data / "reported.jsonl", both)
    with bench.database.writing() as db:
        for one in (both, kept, wordless):
            feedback.add(db, "anna@myndigheten", one["answer_id"], "wrong", "Fel.", one)
    assert bench.reported() == (2, 1)
    assert bench.take_reported(FRIDA).added == 2
    assert (bench.reported(), bench.take_reported(FRIDA).added) == ((0, 1), 0)
    assert [item.case for item in bench.items()] == [both["answer_id"], kept["answer_id"]]


def test_a_release_is_signed_once_with_its_figures_and_limits(bench, opened):
    settled(bench)
    a_run(bench, [row()])
    with pytest.raises(Refused, match="förvaltare"):
        bench.approve(ANNA, "1.0", ["Gräns"], opened)
    with pytest.raises(Refused, match="begränsning"):
        bench.approve(FRIDA, "1.0", ["", " "], opened)
    path = bench.approve(FRIDA, "1.0", ["Bara svenska | ![x](http://x)", "Inga domstolar"], opened)
    told = bench.releases()[0]
    assert (told["version"], told["approved_by"], told["run"], told["figures"]) == ("1.0", FRIDA.name, "run-1", {"passed": 0.5})
    assert (told["review"]["granskade svar"], told["limits"][1]) == (1, "Inga domstolar")
    assert "![x](" not in path.read_text(encoding="utf-8").split("---\n", 2)[2]
    with pytest.raises(Refused, match="redan godkänd"):
        bench.approve(FRIDA, "1.0", ["Annat"], opened)


@pytest.mark.parametrize("version", ["", "../../etc/x", ".hidden", "a b", "x" * 60])
def test_a_release_cannot_be_written_elsewhere(bench, opened, version):
    with pytest.raises(Refused, match="versionen skrivs"):
        bench.approve(FRIDA, version, ["Gräns"], opened)


