"""The notes: enough of them, well-formed, in our own words, and never older than the provision they explain."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from assistant.grounds import load
from corpus import lagrum, notes
from tests.conftest import OFFICIAL, SHARED

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def every():
    return notes.load()


def test_there_are_at_least_220_notes(every):
    assert len(every) >= 220


def test_every_reference_is_canonical(every):
    for note in every:
        for ref in (note.ref, *note.also):
            assert not ref.startswith("SFS") or ref.endswith("bilaga") or lagrum.from_ref(ref), (note.id, ref)


def test_a_note_on_a_provision_is_not_valid_before_the_others_on_it(every):
    by_ref = defaultdict(set)
    for note in every:
        if note.ref.startswith("SFS"):
            by_ref[note.ref].add(note.valid_from)
    assert [ref for ref, days in by_ref.items() if None in days and len(days) > 1] == []


def test_no_note_on_a_weighing_ground_says_yes_or_no(every):
    weighing = {code for code, test in load.load().tests.items() if test.weighs}
    assert [note.id for note in every if note.test in weighing and re.match(r"(?:ja|nej)\b", note.short, re.I)] == []


def test_a_signature_has_a_name_and_a_day_or_neither(every):
    assert [note.id for note in every if (note.reviewed_by is None) != (note.reviewed_on is None)] == []


@pytest.mark.parametrize(("content", "reason"), [
    ("utan front matter", "front matter"), ("---\nid: x\n---\nKort: y\n", "exactly the keys"),
])
def test_a_malformed_note_is_refused_with_file_and_reason(tmp_path, content, reason):
    path = tmp_path / "x.md"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(notes.NoteError, match=reason):
        notes.load(tmp_path)


@pytest.mark.shared
def test_no_provision_that_a_note_explains_is_missing_from_a_statute_at_hand(every):
    from corpus import statutes

    held: dict[str, set[str]] = {}
    for folder, read in (("sfs_json", statutes.read_json), ("sfs_md", statutes.read_markdown)):
        for path in (OFFICIAL / folder).iterdir():
            number = "-".join(path.stem.split("-")[1:]).replace("-", ":", 1)
            if number not in held and any(note.ref.startswith(f"SFS {number} ") for note in every):
                source = read(path)  # what its file has torn is named in the build's summary and still explained by a note
                held[number] = {p.ref for p in source.passages} | {ref for note in source.notes for ref in re.split(r": |, ", note)}
    lost = [(note.id, note.ref) for note in every if note.ref.startswith("SFS ") and (n := note.ref.split()[1]) in held
            and note.ref not in held[n] and lagrum.from_ref(note.ref) and lagrum.from_ref(note.ref).paragraf]
    # Repealed or damaged provisions that a note names on purpose say so in their title or text.
    bodies = {note.id: note.body for note in every}
    assert [row for row in lost if not re.search(r"finns inte|upphäv|upphört|inte bland källorna|skadad", bodies[row[0]])] == []


@pytest.mark.shared
def test_no_run_of_12_words_stands_in_an_official_text():
    command = [sys.executable, str(SHARED / "tools" / "verbatim.py"), "--project", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
