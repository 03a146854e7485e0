"""The review's rules and files: states, blindness, agreement, what is refused, and that nothing is lost on the way out and in."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import sqlite3
import subprocess
import sys
import warnings
import zipfile
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant import pipeline, record
from assistant.types import Question, Turn
from evals import cases, review, review_files, workbench
from evals.review import Action, Event, Person, Refused, Role, State
from evals.review_store import Store

ANNA, BO, CIA = (Person(name, Role.JURIST) for name in ("Anna Ek", "Bo Alm", "Cia Dahl"))
FRIDA = Person("Frida Falk", Role.FORVALTARE)
NUMBER = "19121212-1212"
CITATION = {
    "id": "k1", "ref": "SFS 2009:400 10 kap. 15 a §", "pinpoint": "", "label": "10 kap. 15 a § OSL", "source": "sfs-2009-400",
    "kind": "lag", "quote": "Sekretess hindrar inte", "start": 0, "end": 22, "passage_id": "p1", "passage_sha256": "0" * 64, "version": "",
    "valid_from": "2025-12-01", "valid_to": None, "url": "", "status": "gällande", "title": "OSL", "page": None, "verified": True}
ANSWER = {
    "answer_id": "a1", "status": "answered", "completeness": "complete", "as_of_date": "2026-11-22", "law_as_of": "2026-01-01",
    "text_md": "Svar", "claims": [{"id": "p1", "text": "Ja.", "citation_ids": ["k1", "k2"], "role": "svar"}],
    "citations": [CITATION, {**CITATION, "id": "k2", "ref": "SFS 2009:400 10 kap. 27 §"}], "grounds": [], "handoff": None, "missing": [],
    "next_steps": [], "warnings": [], "withheld_claims": 0}
EXPECTED = {"status": ["answered"], "must_cite": ["SFS 2009:400 10 kap. 15 a §"], "may_cite": [], "must_say": ["övervägande skäl"],
            "must_not_say": [], "handoff": None}
RIGHT = {"korrekt": "ja", "fullständig": "ja", "rätt grund": "ja", "rätt tröskel": "ja", "borde ha avstått": "nej"}


def row(name="K001", **more):
    return {"id": name, "topic": "15a", "question": "Får vi tipsa Skatteverket?", "as_of": "2026-11-22", "answer": ANSWER, **more}


def verdict(k1="stödjer", severity="inget", comment="", **answers):
    return {"citations": {"k1": k1, "k2": "stödjer"}, "answer": {**RIGHT, **{key.replace("_", " "): one for key, one in answers.items()}},
            "severity": severity, "comment": comment, "corrected": ""}


WRONG = verdict("fel källa", "allvarligt", "Annan paragraf gäller.", korrekt="nej")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "review.sqlite")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    for name in ("data", "releases", "notes", "rules"):
        monkeypatch.setenv(f"DELNINGSSTOD_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("DELNINGSSTOD_GOLDEN", str(tmp_path / "golden" / "granskade.yaml"))
    return workbench.Workbench(workbench.Settings())


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
    db = sqlite3.connect(store.path)
    for statement in ("UPDATE event SET who = 'x'", "DELETE FROM event", "UPDATE item SET answer = ''", "DELETE FROM item"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            db.execute(statement)
    db.close()
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
def test_a_row_that_cannot_be_kept_is_left_out_and_told(store, broken, reason):
    done = store.enqueue([row("K001") | broken, row("K002")], "körning 1", FRIDA)
    assert done.added == 1
    assert reason in done.left_out[0][1]
    assert NUMBER.encode() not in store.path.read_bytes()


WRITE = """import sys
from pathlib import Path
from tests.test_review import FRIDA, Store, row
own = Store(Path(sys.argv[1]))
for number in range(25):
    own.enqueue([row(f"{sys.argv[2]}{number:03}")], "körning 1", FRIDA)
    own.enqueue([row(f"G{number:03}")], "körning 1", FRIDA)
"""


def test_two_processes_write_at_once_and_nothing_is_lost_or_doubled(tmp_path):
    path = tmp_path / "review.sqlite"
    both = [subprocess.Popen([sys.executable, "-c", WRITE, str(path), name], cwd=workbench.ROOT) for name in "AB"]
    assert [one.wait(120) for one in both] == [0, 0]
    held = [item.case for item in Store(path).items()]
    assert len(held) == len(set(held)) == 75


def test_a_stored_answer_reads_back_as_the_answer_it_was(store):
    number = queued(store)
    answer = store.answer(number)
    assert record.plain(answer) == {**ANSWER, "answer_id": f"granskning-{number}"}


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
def test_what_is_exported_is_taken_in_without_loss_and_only_once(store, tmp_path, kind):
    full(store)
    data = review_files.export(kind, store.whole(), store.items())
    other = Store(tmp_path / "other.sqlite")
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
@pytest.mark.parametrize("comment", HARD)
def test_words_that_spreadsheets_bend_come_back_to_the_letter(tmp_path, kind, comment):
    store = full(Store(tmp_path / "one.sqlite"), review.clean(comment))
    data = review_files.export(kind, store.whole(), store.items())
    other = Store(tmp_path / "two.sqlite")
    assert taken(other, kind, data)[2] == ()
    assert other.items()[0].settled.verdict.comment == review.clean(comment)


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
]


@pytest.mark.parametrize(("change", "place", "reason"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_a_bad_row_stops_the_whole_file_and_is_named(store, tmp_path, change, place, reason):
    number = disputed(store)
    store.act(number, CIA, Action.SETTLED, {**WRONG, "expected": EXPECTED})
    store.act(number, CIA, Action.MADE_CASE, {"case": "J001"})
    data = "\n".join(json.dumps(line) for line in change(_lines(store))).encode()
    other = Store(tmp_path / "other.sqlite")
    _, _, wrong = taken(other, "jsonl", data)
    assert wrong[0][0] == place
    assert reason in wrong[0][1]
    assert other.items() == ()


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


def test_a_comma_separated_file_is_read_too(store, tmp_path):
    full(store)
    table = csv.reader(io.StringIO(review_files.export("csv", store.whole(), ()).decode("utf-8-sig"), newline=""), delimiter=";")
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    assert taken(Store(tmp_path / "other.sqlite"), "csv", out.getvalue().encode())[2] == ()


def test_one_answer_queued_in_two_places_is_one_when_taken_in(store, tmp_path):
    other = Store(tmp_path / "other.sqlite")
    disputed(store)
    other.enqueue([row()], "körning 1", FRIDA)
    assert taken(other, "jsonl", review_files.export("jsonl", store.whole(), ())) == (3, 1, ())
    assert other.items()[0].state is State.DISPUTED


def test_only_a_steward_takes_in(store, tmp_path):
    full(store)
    with pytest.raises(Refused, match="förvaltare"):
        taken(Store(tmp_path / "other.sqlite"), "jsonl", review_files.export("jsonl", store.whole(), ()), ANNA)


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
def opened(tmp_path_factory, small_world):
    from assistant.grounds import load

    def recorded(line):
        raise AssertionError(line)

    return pipeline.Desk(small_world, load.load(), recorded)


def test_without_a_run_the_questions_are_answered_and_none_is_recorded(bench, opened, monkeypatch):
    monkeypatch.setattr(workbench, "BATCH", 3)
    told = []
    origin, done = bench.fill(FRIDA, opened, lambda *at: told.append(at))
    assert (done.added, told[-1]) == (3, (3, 3))
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


