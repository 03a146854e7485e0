"""The whole of it on the official texts: what is read, found, quoted and handed on. Needs ../shared."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from assistant import pipeline, prefill, retrieve
from assistant.grounds import load
from assistant.types import Question, Status, Turn
from assistant.understand import understand
from corpus import documents
from tests.conftest import AS_OF, OFFICIAL, SHARED

pytestmark = pytest.mark.shared
GOLDEN = Path(__file__).resolve().parents[1] / "evals" / "golden"


@pytest.fixture(scope="module")
def desk(official):
    return pipeline.Desk(official, load.shipped())


def ask(desk, text, as_of=AS_OF):
    return pipeline.answer(Question(text, as_of), desk)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_everything_is_read_and_what_is_left_out_is_named(official):
    made = official.manifest
    assert made.passages > 35_000
    assert not [reason for _, reason in made.skipped if not reason.strip() or "kunde inte läsas (" in reason]
    skipped = {path.rsplit("/", 1)[-1] for path, _ in made.skipped}
    assert {"sfs-1980-100.md", "sfs-1980-620.md"} <= skipped


def test_no_repealed_statute_is_in_the_index(official):
    assert not official.holds("SFS 1980:100 ")
    assert not official.holds("SFS 1980:620 ")


def test_the_editors_comment_in_003_is_nowhere(official):
    at = [n for n in range(len(official)) if official.sources[n].startswith("seed:003")]
    text = " ".join(passage.text for passage in official.get(at))
    assert "Karin Wenander" not in text
    assert "Comment by" not in text
    assert "regeringen följer denna fråga noggrant" not in text


def test_bilaga_1_has_186_measures_in_17_lists():
    measures = documents.measures(documents.read(OFFICIAL / "seeds" / "004_2bd5e26fc7917682.txt"))
    assert len(measures) == 186
    assert len({one.authority for one in measures}) == 17


def test_page_headers_never_stand_in_a_passage_of_the_report(official):
    at = [n for n in range(len(official)) if official.refs[n].startswith("seed:004")]
    assert not [p.id for p in official.get(at) if re.search(r"Rapport \d+\(\d+\)|Datum Dnr", p.text)]


def test_a_lagrum_that_is_written_is_always_the_first_hit(official):
    law = load.shipped()
    osl = "SFS 2009:400"
    for ref, written in ((f"{osl} 10 kap. 27 §", "10 kap. 27 § OSL"), (f"{osl} 26 kap. 1 §", "26:1"), ("SFS 2025:170 6 §", "LUB 6 §"),
                         ("SFS 2024:307 2 §", "2 § LUFFA"), (f"{osl} 10 kap. 15 a §", "10:15a"),
                         ("SFS 2025:170 4 §", "4 § lagen (2025:170)")):
        understood = understand(Question(f"vad säger {written}?", AS_OF))
        hits = retrieve.search(understood, official, 5, found=prefill.look_up(understood, law).refs)
        assert hits[0].passage.ref == ref, written


def test_when_15_a_took_effect_is_the_laws_day_though_a_press_release_proposed_another(desk):
    answer = ask(desk, "när träder 15 a § i kraft?")
    short = " ".join(claim.text for claim in answer.claims if claim.role == "svar")
    assert "1 december 2025" in short
    assert "1 september" not in short
    assert any(one.ref == "SFS 2009:400 10 kap. 15 a §" and one.kind == "lag" for one in answer.citations)


def test_a_slogan_is_corrected_by_the_law_and_not_confirmed_by_the_press_release(desk):
    answer = ask(desk, "sekretessen är ju borttagen nu?")
    assert "finns kvar" in answer.claims[0].text
    cited = {one.id: one for one in answer.citations}
    assert {cited[name].kind for name in answer.claims[0].citation_ids} == {"lag"}


@pytest.mark.parametrize(("text", "ref"), [
    ("Vad sa regeringen 2017 i uppdraget till Polismyndigheten om terrorism och kommuner?", "seed:002_58ee93b5338a74ab.txt"),
    ("Vad svarade ministern 2016 på frågan om Säkerhetspolisens informationsdelning mot extremism?", "seed:003_65443ca5dc3bb9ea.txt")])
def test_older_documents_are_shown_as_older_law(desk, text, ref):
    answer = ask(desk, text)
    assert any(one.ref == ref for one in answer.citations)
    assert "outdated" in {warning.code for warning in answer.warnings}


def test_a_proposal_is_shown_as_a_proposal(desk):
    answer = ask(desk, "När skulle utredningens förslag om ny sekretessbrytande bestämmelse börja gälla enligt pressmeddelandet 2024?")
    assert "proposal" in {warning.code for warning in answer.warnings}


@pytest.mark.parametrize(("on", "ref"), [
    (date(2025, 11, 30), "SFS 2009:400 10 kap. 27 §"), (date(2025, 12, 1), "SFS 2009:400 10 kap. 15 a §")])
def test_the_ground_is_the_one_of_the_day(desk, on, ref):
    text = "Får kommunen lämna uppgifter till Skatteverket för att utreda skattefusk, med stöd av 15 a § eller generalklausulen?"
    answer = ask(desk, text, on)
    assert any(one.ref == ref for one in answer.citations)
    assert all(one.valid_from is None or one.valid_from <= on for one in answer.citations)


def test_every_quote_is_exact_and_in_force_and_the_gold_is_cited(desk):
    cited_all = right = 0
    questions = rows(SHARED / "evals" / "dev_questions.jsonl")
    for row in questions:
        turns = tuple(Turn(turn["role"], turn["content"]) for turn in row["history"])
        answer = pipeline.answer(Question(row["question"], date.fromisoformat(row["as_of"]), turns), desk)
        for one in answer.citations:
            passage = desk.index.by_id(one.passage_id)
            assert passage.text[one.start:one.end] == one.quote
            assert passage.applies(answer.as_of_date)
            assert one.verified
        cited_all += set(row["gold"]) <= {one.ref for one in answer.citations}
        handed, stopped = answer.handoff is not None, answer.status.value.startswith(("unanswerable", "refused"))
        expected = row["handoff"]["expected"]
        right += (expected == "conditional" or (expected == "yes") == handed) and (row["abstain"]["expected"] == "full") == stopped
    assert cited_all >= 16
    assert right >= 19


def test_our_own_questions_are_found_and_handed_on(desk, official):
    """Floors well below what is measured (docs/measurements.md): a slip in reading or ranking shows here."""
    law = load.shipped()
    questions = rows(GOLDEN / "staff_questions.jsonl")[::4]
    found = 0
    for row in questions:
        turns = tuple(Turn(turn["role"], turn["content"]) for turn in row["history"])
        understood = understand(Question(row["question"], AS_OF, turns), official.respelled)
        hits = retrieve.search(understood, official, 10, found=prefill.look_up(understood, law).refs)
        found += bool({*row["gold"], *row["gold_any"]} & {hit.passage.ref for hit in hits})
    assert found / len(questions) >= 0.93


@pytest.mark.parametrize("status", [
    "unanswerable_out_of_scope", "refused_personal_data", "refused_decision_on_person", "refused_manipulation",
    "unanswerable_no_source",
    "clarification_needed", "answered"])
def test_questions_to_decline_are_declined_in_their_kind_and_the_others_are_not(desk, status):
    questions = [row for row in rows(GOLDEN / "declined.jsonl") if row["expected"] == status]
    right = 0
    for row in questions:
        got = ask(desk, row["question"]).status
        right += got.value == status or (status == "answered" and got is Status.ANSWERED_WITH_HANDOFF)
    assert right / len(questions) >= (1.0 if status == "refused_personal_data" else 0.6)
