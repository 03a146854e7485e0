"""Staff's wordings: enough of them for every provision, each tied to a note that exists, none taken from an evaluation."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from corpus import lagrum, notes, questions
from corpus.passage import Passage
from tests.conftest import SHARED

GOLDEN = Path(__file__).resolve().parents[1] / "evals" / "golden"


@pytest.fixture(scope="module")
def every():
    return questions.load()


def plain(text):
    return " ".join(re.findall(r"\w+", text.lower()))


def test_there_are_at_least_2500_different_wordings(every):
    assert len({plain(one.text) for one in every}) >= 2_500


def test_every_note_is_asked_for_and_every_wording_is_answered_by_the_note_on_its_provision(every):
    of = {note.id: note.ref for note in notes.load()}
    assert {one.note for one in every} - {questions.LAW} == set(of)
    assert [one for one in every if one.note != questions.LAW and of[one.note] != one.ref] == []


def test_every_provision_is_written_canonically(every):
    assert [one.ref for one in every if one.ref.startswith("SFS") and not one.ref.endswith("bilaga") and not lagrum.from_ref(one.ref)] == []


def test_no_wording_is_given_twice_for_one_provision(every):
    assert [row for row, count in Counter((one.ref, plain(one.text)) for one in every).items() if count > 1] == []


@pytest.mark.parametrize(("content", "reason"), [
    ("- en lista", "must map a provision"), ('"SFS 2009:400 8 kap. 1 §": text', "must map a note"),
    ('"SFS 2009:400 8 kap. 1 §": {lagen: [a, b]}', "at least 3"), ('"SFS 2009:400 8 kap. 1 §": {lagen: [a, b, 3]}', "must list"),
    ("a: [", "not YAML"),
])
def test_a_malformed_file_is_refused_with_its_name(tmp_path, content, reason):
    (tmp_path / "fel.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(questions.QuestionsError, match=rf"fel\.yaml.*{reason}"):
        questions.load(tmp_path)


def test_a_wording_of_the_law_is_placed_at_each_wording_of_the_provision_and_nowhere_without_it():
    def passage(ref, source, zone, end):
        return Passage(id=source + end, ref=ref, source=source, title="", kind="lag" if zone == "paragraf" else "not", zone=zone,
                       headings=(), text=end)

    held = [passage("A 1 §", "a", "paragraf", "äldre"), passage("A 1 §", "a", "paragraf", "ny"), passage("A 1 §", "not:n", "not", "#0")]
    asked = [questions.Wording("x", "A 1 §", questions.LAW), questions.Wording("y", "A 1 §", "n"), questions.Wording("z", "B 2 §", "lagen")]
    assert questions.placed(asked, held) == ((0, "x"), (1, "x"), (2, "y"))


@pytest.mark.shared
def test_no_evaluation_question_is_among_the_wordings(every):
    files = [*(SHARED / "evals").glob("*.jsonl"), GOLDEN / "staff_questions.jsonl"]
    asked = {plain(json.loads(line)["question"]) for path in files for line in path.read_text(encoding="utf-8").splitlines()}
    assert sorted({plain(one.text) for one in every} & asked) == []
