"""What is kept, on SQLite and on PostgreSQL: the same code, the same tests."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, text, update
from sqlalchemy.exc import DBAPIError

from assistant import audit, guard
from assistant.cli import main
from assistant.people import LOCAL, Forbidden, Person, Role
from assistant.settings import Settings
from assistant.storage import assessments, conversations, feedback, keys, retention, tables
from assistant.storage import database as room
from assistant.storage.assessments import Conflict
from assistant.storage.conversations import NotFound
from assistant.storage.database import StorageError, alembic_config, opened, version
from assistant.storage.gate import NotKept, admitted_all
from assistant.storage.keys import KeyReused
from tests.databases import database, database_url, empty_url, postgresql  # noqa: F401 - fixtures

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NUMBER = "19121212-1212"
MARKER = "ögontröstmarkör"
ROOT = Path(__file__).resolve().parents[1]


def asked(db, owner="anna", case="", words="Får vi lämna ut uppgiften?", answer_id="svar-1", conversation=None):
    talk = conversation or conversations.begin(db, owner, case).id
    return conversations.ask(db, owner, talk, words, TODAY, answer_id)


def python(code: str, *args: str, **options) -> subprocess.Popen[str]:
    """Another process of this program."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code, *args], text=True, cwd=ROOT, **pipes, **options)


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_migrated_schema_is_the_one_in_the_code(database):
    with database.reading() as db:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(db, opts=options), tables.metadata) == []
        assert version(db) == tables.HEAD == ScriptDirectory.from_config(alembic_config(db)).get_current_head()


def test_processes_that_start_at_once_make_the_database_once(empty_url):
    code = "import sys; from assistant.storage.database import opened, version; print(version(opened(sys.argv[1]).engine.connect()))"
    started = [python(code, empty_url) for _ in range(4)]
    assert [(one.communicate(timeout=120)[0].strip(), one.returncode) for one in started] == [(tables.HEAD, 0)] * 4


def test_a_migration_that_breaks_leaves_nothing_behind(empty_url, monkeypatch):
    def broken(db, to=tables.HEAD):
        db.execute(text("CREATE TABLE half (id integer)"))
        raise StorageError("mitt i")

    with monkeypatch.context() as patched:
        patched.setattr(room, "migrate", broken)
        with pytest.raises(StorageError, match="mitt i"):
            opened(empty_url)
    database = opened(empty_url)
    with database.reading() as db:
        assert version(db) == tables.HEAD
        assert "half" not in inspect(db).get_table_names()
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(database):
    with database.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="nyare version"):
        opened(database.engine.url.render_as_string(hide_password=False))


def test_the_sqlite_file_is_ours_alone_and_loses_nothing_that_was_committed(tmp_path):
    path = tmp_path / "new" / "delningsstod.db"
    held = opened(f"sqlite:///{path}")
    with held.writing() as db:
        asked(db)
        assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        told = {name: db.execute(text(f"PRAGMA {name}")).scalar() for name in names}
    assert told == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


COME_AND_GONE = """
import sys
from sqlalchemy import text
from assistant.storage.database import opened
one = opened(sys.argv[1])
with one.reading() as db:
    print(db.execute(text("SELECT count(*) FROM feedback")).scalar())
one.close()
"""


def test_what_is_written_after_another_process_has_come_and_gone_is_seen_by_the_next(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    service, window = opened(url), opened(url)  # one process opens the file more than once

    def seen() -> str:
        ran = subprocess.run([sys.executable, "-c", COME_AND_GONE, url], capture_output=True, text=True, check=True, timeout=60)
        return ran.stdout.strip()

    for number, one in enumerate((service, window, service)):
        assert seen() == str(number)
        with one.writing() as db:
            feedback.add(db, "anna", f"answer-{number}", "helped")
        opened(url).close()
    assert seen() == "3"


@pytest.mark.parametrize("url", [
    "", "hej", "mysql://u:hemligt@h/d", "sqlite://", "sqlite:///:memory:", "postgresql://u:hemligt@[/d", "oracle:x", "ngt://u:hemligt@h/d"])
def test_an_address_that_cannot_be_used_is_said_without_its_password(url):
    with pytest.raises(StorageError) as told:
        opened(url)
    assert "hemligt" not in str(told.value)
    assert "DATABASE_URL" in str(told.value)


def test_the_address_is_the_data_folders_file_unless_one_is_given(tmp_path):
    assert Settings(data=tmp_path, DATABASE_URL="").database == f"sqlite:///{tmp_path}/delningsstod.db"
    given = Settings(data=tmp_path, DATABASE_URL="postgresql://u:hemligt@h/d")
    assert given.database == "postgresql://u:hemligt@h/d"
    assert "hemligt" not in repr(given)


# --- transactions -----------------------------------------------------------------------------------------------------


def test_a_transaction_is_kept_whole_or_not_at_all(database):
    def half():
        with database.writing() as db:
            asked(db)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with database.reading() as db:
        assert conversations.listed(db, "anna") == ()


def test_nothing_can_be_written_while_reading_a_view_that_does_not_change(database):
    with database.writing() as db:
        talk = asked(db).conversation
    with database.reading() as db:
        before = conversations.turns(db, talk)
        with database.writing() as other:
            asked(other, conversation=talk, answer_id="svar-2")
        assert conversations.turns(db, talk) == before
    if not database.is_sqlite:
        with pytest.raises(StorageError, match="skrivskyddad"), database.reading() as db:
            asked(db)


def test_a_writer_that_waits_too_long_is_told_and_nothing_is_half_done(database_url, monkeypatch):
    monkeypatch.setattr(room, "WAIT_S", 1)
    one, other = opened(database_url), opened(database_url)
    with one.writing() as db:
        audit.append(db, who="anna", what="answer")
        with pytest.raises(StorageError, match="upptagen"), other.writing() as second:
            audit.append(second, who="bo", what="answer")
        if one.is_sqlite:  # in the same process too
            with pytest.raises(StorageError, match="upptagen"), one.writing():
                pass
    with other.writing() as db:
        assert audit.append(db, who="bo", what="answer") == 2
        assert audit.verify(db) == ()
    one.close()
    other.close()


# --- conversations ----------------------------------------------------------------------------------------------------


def test_a_question_is_kept_pending_until_its_answer_which_is_kept_once(database):
    with database.writing() as db:
        one = asked(db, words="Ord med åäö, emoji 🙂 och \"citat\"")
        two = asked(db, conversation=one.conversation, answer_id="svar-2")
    assert (one.number, two.number, one.state, one.answer) == (1, 2, "pending", None)
    with database.writing() as db:
        assert conversations.finish(db, "svar-1", {"text_md": "Ja\x00 🙂"})
        assert not conversations.finish(db, "svar-1", {"text_md": "Nej"})
        assert not conversations.finish(db, "finns-inte", {})
    with database.reading() as db:
        held = conversations.asked(db, "anna", "svar-1")
        assert (held.state, held.answer, held.text, held.as_of) == ("done", {"text_md": "Ja\x00 🙂"}, one.text, TODAY)
        assert held.asked_at == one.asked_at < held.done_at
        assert [turn.id for turn in conversations.turns(db, one.conversation)] == ["svar-1", "svar-2"]


def test_somebody_elses_is_as_if_it_were_not_there(database):
    with database.writing() as db:
        one = asked(db, owner="anna")
        saved = assessments.save(db, "anna", None, "osl-10-15a", TODAY, {})
    with database.writing() as db:
        told = []
        for act in (lambda who: conversations.get(db, who, one.conversation), lambda who: conversations.asked(db, who, one.id),
                    lambda who: asked(db, who, conversation=one.conversation, answer_id="x"),
                    lambda who: conversations.delete(db, who, one.conversation), lambda who: conversations.get(db, who, "finns-inte"),
                    lambda who: assessments.get(db, who, saved.id), lambda who: assessments.delete(db, who, saved.id),
                    lambda who: assessments.save(db, who, saved.id, "osl-10-15a", TODAY, {})):
            with pytest.raises(NotFound) as error:
                act("bo")
            told.append(str(error.value))
        assert set(told) == {"Samtalet finns inte.", "Svaret finns inte.", "Bedömningen finns inte."}
        assert conversations.listed(db, "bo") == assessments.listed(db, "bo") == ()
        assert conversations.get(db, "anna", one.conversation).owner == "anna"


def test_questions_asked_at_once_get_numbers_of_their_own(database):
    with database.writing() as db:
        talk = conversations.begin(db, "anna").id

    def one(n: int) -> int:
        with database.writing() as db:
            return asked(db, conversation=talk, answer_id=f"svar-{n}").number

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(one, range(40))) == list(range(1, 41))


def test_what_nobody_finished_is_found_with_whose_it_is(database):
    with database.writing() as db:
        asked(db, owner="anna", answer_id="gammal")
        asked(db, owner="bo", answer_id="färdig")
        asked(db, owner="bo", answer_id="ny")
        conversations.finish(db, "färdig", {})
        db.execute(update(tables.turn).where(tables.turn.c.id == "gammal").values(asked_at=datetime.now(UTC) - timedelta(minutes=5)))
    with database.reading() as db:
        assert [(one.id, one.owner) for one in conversations.unfinished(db, 60)] == [("gammal", "anna")]
        assert [one.id for one in conversations.unfinished(db, 0)] == ["gammal", "ny"]


# --- the last gate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [
    lambda db, it: conversations.begin(db, "anna", it),
    lambda db, it: asked(db, words=it),
    lambda db, it: conversations.finish(db, "svar", {"handoff": {"prefill": {"purpose": it}}}),
    lambda db, it: conversations.finish(db, "svar", {"claims": [{"role": "svar", "text": it}]}),
    lambda db, it: assessments.save(db, "anna", None, "c", TODAY, {"answers": {"behov": {"value": "ja", "reason": it}}}),
    lambda db, it: assessments.save(db, "anna", None, "c", TODAY, {}, it),
    lambda db, it: feedback.add(db, "anna", "svar", "wrong", it),
    lambda db, it: feedback.add(db, "anna", "svar", "wrong", "", {"question": it}),
    lambda db, it: retention.set_(db, LOCAL, "feedback", 10, it),
])
def test_no_identity_number_gets_past_the_last_gate(database, keep):
    for number in (NUMBER, "191212121212", "121212-1212", "1912 12 12-1212", "１９１２１２１２-１２１２", "19121272-1219"):
        with pytest.raises(NotKept) as told, database.writing() as db:
            keep(db, f"Det gäller {number} nu")
        assert number not in str(told.value)


def test_our_own_ids_and_digests_are_not_taken_for_numbers():
    import hashlib

    for n in range(20_000):
        digest = hashlib.sha256(str(n).encode()).hexdigest()
        admitted_all([digest, digest[:32], digest[:16]] if not digest[:16].isdigit() else [digest])


def test_a_gate_that_breaks_lets_nothing_through(database, monkeypatch):
    monkeypatch.setattr(guard, "identity_number", lambda *_: 1 / 0)
    with pytest.raises(NotKept, match="kontrolleras"), database.writing() as db:
        asked(db)


@pytest.mark.parametrize("words", ["noll \x00 tecken", "halvt \ud800 par"])
def test_what_no_database_can_hold_is_refused_as_text(database, words):
    with pytest.raises(NotKept, match="tecken"), database.writing() as db:
        asked(db, words=words)


# --- assessments and feedback -----------------------------------------------------------------------------------------


def test_an_assessment_is_saved_gone_on_with_and_not_overwritten_unseen(database):
    state = {"checklist": "osl-10-15a", "answers": {"behov": {"value": "ja", "reason": "Därför \x00"}}}
    with database.writing() as db:
        one = assessments.save(db, "anna", None, "osl-10-15a", TODAY, state, "S2026/1")
        two = assessments.save(db, "anna", one.id, "osl-10-15a", TODAY, {**state, "more": 1}, revision=1)
    with pytest.raises(Conflict, match="på ett annat håll"), database.writing() as db:
        assessments.save(db, "anna", one.id, "osl-10-15a", TODAY, state, revision=1)
    with database.writing() as db:
        assert assessments.get(db, "anna", one.id) == two
        assert (two.revision, two.case_number, two.state["answers"], two.created_at) == (2, "S2026/1", state["answers"], one.created_at)
        assert assessments.listed(db, "anna") == (two,)
        assessments.delete(db, "anna", one.id)
        assert assessments.listed(db, "anna") == ()


def test_what_is_marked_as_wrong_reaches_the_review_without_who_marked_it(database):
    with database.writing() as db:
        feedback.add(db, "anna", "svar-1", "helped")
        feedback.add(db, "anna", "svar-2", "wrong", "Fel paragraf.", {"answer_id": "svar-2", "question": "Får vi?"})
        assert feedback.reported(db) == ({"answer_id": "svar-2", "question": "Får vi?"},)
    with pytest.raises(NotKept, match="namn"), database.writing() as db:
        feedback.add(db, "anna", "svar-3", "wrong", "Det gällde Anna Svensson.")


# --- idempotency and rates --------------------------------------------------------------------------------------------


def test_a_request_that_comes_again_is_told_from_another_under_the_same_key(database):
    with database.writing() as db:
        assert keys.remember(db, "anna", "k", "ask", "sha", 202, {"id": "svar-1"}, NOW)
        assert not keys.remember(db, "anna", "k", "ask", "sha", 202, {"id": "svar-2"}, NOW)
        assert keys.remembered(db, "anna", "k", "ask", "sha", NOW).body == {"id": "svar-1"}
        for owner, key, operation in (("bo", "k", "ask"), ("anna", "k2", "ask"), ("anna", "k", "begin")):
            assert keys.remembered(db, owner, key, operation, "sha", NOW) is None
        with pytest.raises(KeyReused):
            keys.remembered(db, "anna", "k", "ask", "annan", NOW)
        later = NOW + keys.KEPT
        assert keys.remembered(db, "anna", "k", "ask", "annan", later) is None
        assert keys.remember(db, "anna", "k", "ask", "annan", 202, {}, later)


def test_what_is_deleted_is_not_remembered_by_a_key_either(database):
    with database.writing() as db:
        one = asked(db)
        keys.remember(db, "anna", "k", "ask", "sha", 202, {"id": one.id})
        keys.remember(db, "anna", "k2", "ask", "sha", 202, {"id": "annat"})
        conversations.delete(db, "anna", one.conversation)
        assert keys.remembered(db, "anna", "k", "ask", "sha") is None
        assert keys.remembered(db, "anna", "k2", "ask", "sha") is not None


def test_no_window_of_a_minute_holds_more_than_the_limit(database):
    with database.writing() as db:
        def at(seconds: float, owner: str = "anna") -> tuple[bool, int, float]:
            spent = keys.spend(db, owner, "ask", 3, 60, NOW + timedelta(seconds=seconds))
            return spent.allowed, spent.left, spent.reset_s

        assert [at(second) for second in (0, 10, 20)] == [(True, 2, 60), (True, 1, 50), (True, 0, 40)]
        assert [at(second) for second in (21, 59.5)] == [(False, 0, 39), (False, 0, 0.5)]
        assert at(59, "bo") == (True, 2, 60)
        assert [at(second) for second in (60, 60.5, 70)] == [(True, 0, 10), (False, 0, 9.5), (True, 0, 10)]
        assert keys.spend(db, "anna", "other", 0, 60, NOW).allowed is False


def test_as_many_as_the_limit_get_through_when_all_come_at_once(database):
    def one(_: int) -> bool:
        with database.writing() as db:
            return keys.spend(db, "anna", "ask", 15, 600).allowed

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, range(60))) == 15


# --- retention --------------------------------------------------------------------------------------------------------


def _of_every_kind(db, days_ago: int, mark: str) -> None:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    talk = asked(db, words=f"Fråga {mark}", case="S2026/7", answer_id=f"svar-{mark}")
    conversations.finish(db, talk.id, {"text_md": f"Svar {mark} " + "utfyllnad " * 2000 + mark})
    saved = assessments.save(db, "anna", None, "c", TODAY, {"reason": f"Skäl {mark}"}, "S2026/7")
    said = feedback.add(db, "anna", talk.id, "wrong", f"Fel {mark}", {"question": mark})
    item = db.execute(insert(tables.review_item).values(origin="o", case_id=mark, answer=mark)).inserted_primary_key[0]
    event = {"id": mark, "item": item, "at": tables.written(at), "who": "j", "role": "jurist", "action": "köad", "body": mark}
    db.execute(insert(tables.review_event).values(**event, taken_in=""))
    for table, column, key in ((tables.turn, "asked_at", talk.id), (tables.conversation, "started_at", talk.conversation),
                               (tables.assessment, "changed_at", saved.id), (tables.feedback, "at", said)):
        db.execute(update(table).where(table.c.id == key).values({column: at}))


def _kept(db) -> list[int]:
    return [db.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in ("conversation", "turn", "assessment", "feedback", "review_item", "review_event")]


def test_what_is_past_its_time_is_deleted_kind_by_kind_and_recorded_with_the_decision(database):
    with database.writing() as db:
        _of_every_kind(db, 40, "gammal")
        _of_every_kind(db, 20, "ny")
        assert retention.apply(db, datetime.now(UTC)) == {}
        retention.set_(db, LOCAL, "conversations", 30, "RA-MS 2026:1")
        assert retention.due(db, datetime.now(UTC)) == retention.apply(db, datetime.now(UTC)) == {"conversations": 1}
        assert _kept(db) == [1, 1, 2, 2, 2, 2]
        for kind in retention.KINDS:
            retention.set_(db, LOCAL, kind, 30, "RA-MS 2026:2")
        assert retention.apply(db, datetime.now(UTC)) == {"assessments": 1, "conversations": 0, "feedback": 1, "reviews": 1}
        assert _kept(db) == [1] * 6
        told = [row.detail for row in audit.read(db, LOCAL, "test av gallringens spår") if row.what == "retention.apply"]
    assert told[0] == {"decision": "RA-MS 2026:1", "days": 30, "count": 1}
    assert len(told) == 4
    with pytest.raises(DBAPIError, match="only added to"), database.writing() as db:
        db.execute(text("DELETE FROM review_event"))  # the permit is gone with the transaction


def test_a_rule_can_be_changed_and_taken_away(database):
    with database.writing() as db:
        retention.set_(db, LOCAL, "feedback", 30, "A")
        retention.set_(db, LOCAL, "feedback", 60, "B")
        assert [(rule.kind, rule.days, rule.decision, rule.set_by) for rule in retention.rules(db)] == [("feedback", 60, "B", "lokal")]
        retention.unset(db, LOCAL, "feedback")
        assert retention.rules(db) == ()


@pytest.mark.parametrize(("kind", "days", "decision"), [
    ("allt", 1, "A"), ("feedback", -1, "A"), ("feedback", 10**6, "A"), ("feedback", 1, " ")])
def test_a_rule_that_means_nothing_is_refused(database, kind, days, decision):
    with pytest.raises(ValueError, match=r"\w"), database.writing() as db:
        retention.set_(db, LOCAL, kind, days, decision)


def test_only_a_manager_sets_rules_and_takes_cases_out(database):
    for role in (Role.LASARE, Role.HANDLAGGARE, Role.JURIST):
        who = Person("anna", "Anna", frozenset({role}))
        for act in (lambda db, who=who: retention.set_(db, who, "feedback", 1, "A"),
                    lambda db, who=who: retention.unset(db, who, "feedback"), lambda db, who=who: retention.export_case(db, who, "S1")):
            with pytest.raises(Forbidden), database.writing() as db:
                act(db)


def _on_disk(database, marker: str) -> list[str]:
    """The database's files that hold the marker; PostgreSQL's own log of writes aside, which it recycles by itself."""
    if database.is_sqlite:
        files = list(Path(database.engine.url.database).parent.glob("delningsstod.db*"))
    else:
        with database.writing() as db:
            db.execute(text("CHECKPOINT"))
        folder = Path(str(database.engine.url.query["host"])) / "data"
        files = [path for path in (folder / "base").rglob("*") if path.is_file()]
    wanted = [marker.encode(), json.dumps(marker)[1:-1].encode()]
    return [path.name for path in files if any(one in path.read_bytes() for one in wanted)]


def test_what_is_pruned_is_nowhere_in_the_databases_files(database):
    with database.writing() as db:
        for n in range(30):
            _of_every_kind(db, 40, f"{MARKER}{n}")
        _of_every_kind(db, 1, "kvar")
        for kind in retention.KINDS:
            retention.set_(db, LOCAL, kind, 30, "RA-MS 2026:1")
    assert _on_disk(database, MARKER)
    with database.writing() as db:
        retention.apply(db, datetime.now(UTC))
    assert database.compact()
    assert _on_disk(database, MARKER) == []
    assert _on_disk(database, "kvar")
    with database.reading() as db:
        assert audit.verify(db) == ()


def test_a_conversation_that_its_owner_deletes_is_gone_from_sqlites_files_at_once(tmp_path):
    database = opened(f"sqlite:///{tmp_path}/delningsstod.db")
    with database.writing() as db:
        asked(db, answer_id="kvar")
        one = asked(db, words=MARKER)
        conversations.finish(db, one.id, {"text_md": MARKER * 3000})
    assert _on_disk(database, MARKER)
    with database.writing() as db:
        conversations.delete(db, "anna", one.conversation)
    assert database.compact(thorough=False)
    assert _on_disk(database, MARKER) == []


def test_a_reader_in_the_way_of_emptying_the_log_is_told_and_holds_nobody_up_for_long(tmp_path):
    database = opened(f"sqlite:///{tmp_path}/delningsstod.db")
    with database.writing() as db:
        one = asked(db)
    with database.reading() as db:
        conversations.listed(db, "anna")
        with database.writing() as other:
            conversations.delete(other, "anna", one.conversation)
        started = time.monotonic()
        assert not database.compact(thorough=False)
        assert time.monotonic() - started < 10
    assert database.compact(thorough=False)
    assert (tmp_path / "delningsstod.db-wal").stat().st_size == 0


def test_all_that_is_kept_on_a_case_comes_out_whole_and_is_recorded(database):
    with database.writing() as db:
        _of_every_kind(db, 3, "ett")
        asked(db, case="S2026/8", answer_id="annat")
        told = retention.export_case(db, LOCAL, " S2026/7 ")
        trail = audit.read(db, LOCAL, "test av utlämnandet")
    assert json.loads(json.dumps(told)) == told
    assert [one["questions"][0]["text"] for one in told["conversations"]] == ["Fråga ett"]
    assert told["conversations"][0]["questions"][0]["answer"]["text_md"].startswith("Svar ett")
    assert [one["state"] for one in told["assessments"]] == [{"reason": "Skäl ett"}]
    assert [one["reason"] for one in told["feedback"]] == ["Fel ett"]
    assert [(row.what, row.about, row.detail) for row in trail[:-1]] == [
        ("case.export", "S2026/7", {"conversations": 1, "assessments": 1, "feedback": 1})]


# --- when the disk or the server fails --------------------------------------------------------------------------------


def _fill(database, kept: list[int]) -> None:
    for n in range(10_000):
        with database.writing() as db:
            conversations.finish(db, asked(db, answer_id=f"svar-{n}").id, {"text_md": os.urandom(10_000).hex()})
        kept.append(n)


def _read_all(url: str) -> None:
    database = opened(url)
    with database.reading() as db:
        for one in conversations.listed(db, "anna", 100):
            conversations.turns(db, one.id)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, where this process may have one."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk can't be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_is_said_and_costs_nothing_that_was_kept(tmp_path):
    with small_disk(tmp_path / "small", "1m") as disk:
        _filled_and_freed(f"sqlite:///{disk}/delningsstod.db", disk)


def test_a_servers_full_disk_is_said_and_costs_nothing_that_was_kept(postgresql):
    with small_disk(postgresql.folder / "small", "12m") as disk:
        owner = (postgresql.folder / "data").stat()
        os.chown(disk, owner.st_uid, owner.st_gid)
        postgresql.sql("postgres", f"CREATE TABLESPACE small LOCATION '{disk}'")
        url = postgresql.make("filled", where="small")
        _filled_and_freed(url, disk)
        postgresql.sql("postgres", "DROP DATABASE filled WITH (FORCE)")
        postgresql.sql("postgres", "DROP TABLESPACE small")


def _filled_and_freed(url: str, disk: Path) -> None:
    database, kept = opened(url), []
    with pytest.raises(StorageError, match="disk.* är full"):
        _fill(database, kept)
    with database.reading() as db:
        assert len(conversations.listed(db, "anna", 10_000)) == len(kept) > 0
        if database.is_sqlite:
            assert db.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    with database.writing() as db:
        asked(db, answer_id="åter")
    database.close()


def test_a_read_only_database_can_be_read_and_says_why_it_is_not_written(tmp_path):
    path = tmp_path / "delningsstod.db"
    with opened(f"sqlite:///{path}").writing() as db:
        asked(db)
    database = opened(f"sqlite:///file:{path}?mode=ro&uri=true")
    with database.reading() as db:
        assert len(conversations.listed(db, "anna")) == 1
    with pytest.raises(StorageError, match="skrivskyddad"), database.writing() as db:
        asked(db, answer_id="två")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "fil").write_text("")
    with pytest.raises(StorageError, match="kan inte öppnas"):
        opened(f"sqlite:///{tmp_path}/fil/delningsstod.db")


@pytest.mark.parametrize("damage", ["text", "header", "middle", "cut"])
def test_a_damaged_file_is_said_and_left_as_it_is(tmp_path, damage):
    path = tmp_path / "delningsstod.db"
    database = opened(f"sqlite:///{path}")
    with database.writing() as db:
        for n in range(50):
            conversations.finish(db, asked(db, answer_id=f"svar-{n}").id, {"text_md": "x" * 3000})
    database.compact()
    database.close()
    data = path.read_bytes()
    harmed = {"text": b"Hej, det var en textfil.\n" * 200, "header": b"\xff" * 100 + data[100:], "cut": data[:len(data) // 3],
              "middle": data[:4096] + b"\xa5" * (len(data) - 4096)}[damage]
    path.write_bytes(harmed)
    with pytest.raises(StorageError, match=r"skadad.*säkerhetskopian"):
        _read_all(f"sqlite:///{path}")
    assert path.read_bytes() == harmed


def test_a_server_that_stops_is_said_and_found_again_when_it_is_back(postgresql):
    database = opened(postgresql.make("stopped"))
    with database.writing() as db:
        asked(db)
    postgresql.stop()
    try:
        for use in (database.reading, database.writing):
            with pytest.raises(StorageError, match="svarar inte"), use() as db:
                conversations.listed(db, "anna")
        with pytest.raises(StorageError, match="svarar inte"):
            opened(postgresql.url("stopped"))
    finally:
        postgresql.start()
    with database.reading() as db:
        assert len(conversations.listed(db, "anna")) == 1
    database.close()
    with pytest.raises(StorageError, match="godtar inte"):
        opened(postgresql.url("finns_inte"))


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(database_url, tmp_path, monkeypatch, capsys):
    """The command line: (exit code, what it said)."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DELNINGSSTOD_DATA", str(tmp_path / "data"))

    def command(*args: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["delningsstod", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, "".join(capsys.readouterr())

    return command


def test_the_commands_for_what_is_kept(run, database_url, tmp_path):
    with opened(database_url).writing() as db:
        _of_every_kind(db, 40, "gammal")
    out = tmp_path / "ärende.json"
    for args, code, said in (
        (["storage", "migrate"], 0, "i ordning"),
        (["storage", "retention"], 0, "feedback: sparas tills vidare"),
        (["storage", "prune"], 0, "allt sparas"),
        (["storage", "retention", "feedback"], 2, "--decision"),
        (["storage", "retention", "feedback", "--days", "30"], 2, "beteckning"),
        (["storage", "retention", "feedback", "--days", "30", "--decision", "RA-MS 2026:1"], 0, "Ändrat"),
        (["storage", "retention"], 0, "feedback: 30 dagar enligt RA-MS 2026:1"),
        (["storage", "prune", "--dry-run"], 0, "feedback: 1"),
        (["storage", "prune"], 0, "feedback: 1"),
        (["storage", "prune"], 0, "feedback: 0"),
        (["storage", "export-case", "S2026/7", "--out", str(out)], 0, "1 samtal, 1 bedömningar och 0 omdömen"),
        (["storage", "export-case", "finns inte", "--out", str(tmp_path / "x")], 1, "Inget är sparat"),
        (["storage", "retention", "feedback", "--remove"], 0, "Ändrat"),
        (["storage", "retention"], 0, "feedback: sparas tills vidare"),
        (["audit", "verify"], 0, "hel: 5 rader"),
    ):
        told = run(*args)
        assert (told[0], said in told[1]) == (code, True), (args, told)
    assert json.loads(out.read_text())["case_number"] == "S2026/7"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_the_commands_for_the_audit_trail(run, database_url, tmp_path):
    with opened(database_url).writing() as db:
        for n in range(3):
            audit.append(db, who="=anna", what="answer", about=f"svar-{n}")
    out, kept = tmp_path / "spår.csv", tmp_path / "kept.jsonl"
    lines = tmp_path / "spår.jsonl"
    for args, code, said in (
        (["audit", "read"], 2, "--reason"),
        (["audit", "read", "--reason", "kort"], 2, "minst 10 tecken"),
        (["audit", "read", "--reason", "Ärende S2026/1", "--since", "igår"], 2, "inget datum"),
        (["audit", "read", "--reason", "Ärende S2026/1", "--about", "svar-1"], 0, "svar-1"),
        (["audit", "export", "--reason", "Ärende S2026/1", "--out", str(out)], 0, "5 rader"),
        (["audit", "export", "--reason", "Ärende S2026/1", "--out", "spår.txt"], 2, ".csv"),
        (["audit", "export", "--reason", "Ärende S2026/1", "--out", str(lines)], 0, "6 rader"),
        (["audit", "read", "--reason", "Ärende S2026/1", "--json", "--since", "2026-01-01", "--until", "9999-12-31"], 0, '"seq": 7'),
        (["audit", "anchor"], 0, "Rad 7"),
        (["audit", "verify"], 0, "hel: 7 rader, prövade mot 1 ankare"),
        (["audit", "verify", "--anchors", str(kept)], 2, "finns inte"),
    ):
        told = run(*args)
        assert (told[0], said in told[1]) == (code, True), (args, told)
    assert "'=anna" in out.read_text()
    assert [json.loads(row)["seq"] for row in lines.read_text().splitlines()] == [1, 2, 3, 4, 5, 6]
    line = json.loads((tmp_path / "data" / "audit-anchors.jsonl").read_text())
    kept.write_text(json.dumps({**line, "hash": "0" * 64}) + "\n")
    assert run("audit", "verify", "--anchors", str(kept)) == (
        1, "Raderna 1–7: minst en är ändrad, och hashvärdena är omräknade. Ankaret för rad 7 visar det.\n")
    kept.write_text("inget ankare\n")
    assert run("audit", "verify", "--anchors", str(kept))[0] == 2


def test_a_command_makes_no_database_where_there_is_none(tmp_path):
    done = python("from assistant.cli import main; main()", "audit", "verify",
                  env={**os.environ, "DATABASE_URL": "", "DELNINGSSTOD_DATA": str(tmp_path / "tom")})
    assert "Ingen databas finns" in done.communicate()[1]
    assert done.returncode == 2
    assert not (tmp_path / "tom").exists()
