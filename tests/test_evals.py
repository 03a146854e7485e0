"""The evaluation: cases are refused with line and reason, each planted error is caught by its own measure, a run can be trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from assistant import compose, guard, pipeline
from assistant.cli import BadInput
from assistant.grounds import load
from assistant.settings import Settings
from assistant.types import Handoff, Status
from evals import cases, cli, families, metrics, ragas_metrics, report, runs
from tests.misbehaving import Reply, Server

DATA = Path(__file__).parent / "data" / "evals"
ROOT = Path(__file__).resolve().parents[1]
MADE = runs.Made("utan-git", "korpus", "regler", "golden")


@pytest.fixture(scope="module")
def golden():
    return {case.id: case for case in cases.load(DATA / "cases")}


@pytest.fixture(scope="module")
def desk(small_world):
    return pipeline.Desk(small_world, load.shipped())


# --- cases -----------------------------------------------------------------------------------------------------------


def test_the_sample_cases_and_the_golden_ones_are_read():
    assert [case.id for case in cases.load(DATA / "cases")] == ["T001", "T002", "T003", "T004", "T005", "T006"]
    if cases.GOLDEN.is_dir():
        assert len(cases.load()) >= 140


@pytest.mark.parametrize(("line", "written", "at", "reason"), [
    ("  topic: cyklar", "  topic: ", 3, "topic: «None» ska vara text"),
    ("  topic: cyklar", "  ämne: cyklar", 3, "okänt fält «ämne»"),
    ("  topic: cyklar", "  topic: cyklar\n  topic: bilar", 4, "fältet «topic» står två gånger"),
    ("  topic: cyklar\n", "", 2, "fält saknas: topic"),
    ("  as_of: 2026-11-22", "  as_of: 2026-13-22", 5, "month must be in"),
    ("  as_of: 2026-11-22", "  as_of: i dag", 5, "as_of: «i dag» ska vara ett datum"),
    ("- id: T001", "- id: etta", 2, "id: «etta» ska vara en bokstav och tre eller fyra siffror"),
    ("  history: []", "  history: hej", 6, "history: ska vara en lista"),
    ("  history: []", "  history:\n    - hej\n    - 12", 8, "history: «12» ska vara text"),
    ("  documents: []", "  documents: [{title: x}]", 7, "ett dokument ska ha title och text"),
    ("  status: [answered]", "  status: []", 8, "status: listan får inte vara tom"),
    ("  status: [answered]", "  status: [svarad]", 8, "okänd status «svarad»"),
    ("  must_cite: [SFS 2099:10 2 kap. 1 §]", "  must_cite: [2 kap. 1 §]", 9, "«2 kap. 1 §» är ingen kanonisk hänvisning"),
    ("  may_cite: []", "  may_cite: [SFS 2099:10 2 kap. 1 §]", 2, "står i både must_cite och may_cite"),
    ("  must_say: [två veckor|fjorton dagar]", "  must_say: [två veckor|]", 11, "ska vara ord, med | mellan"),
    ("  handoff: []", "  handoff: [osl-99]", 13, "okänd checklista «osl-99»"),
    ("  handoff: []", "  handoff: [osl-10-15a]", 2, "handoff väntas, men status tillåter inte"),
    ("  question: Vad säger 2 kap. 1 § lagen (2099:10)?", "  question: ''", 2, "frågan är tom"),
    ("  reason: Sedan den 1 mars 2026 är tiden två veckor.", "  reason: !!python/name:os.system", 15, "could not determine a constructor"),
    ("  topic: cyklar", "  topic: [", 4, "inte YAML"),
])
def test_a_malformed_case_is_refused_with_file_line_and_reason(tmp_path, line, written, at, reason):
    text = (DATA / "cases" / "prov.yaml").read_text(encoding="utf-8").split("- id: T002")[0]
    assert text.count(line) == 1
    (tmp_path / "fel.yaml").write_text(text.replace(line, written), encoding="utf-8")
    with pytest.raises(cases.CaseError) as caught:
        cases.load(tmp_path)
    assert f"fel.yaml:{at}: " in str(caught.value)
    assert reason in str(caught.value)


def test_all_faults_are_told_at_once_and_an_id_counts_once(tmp_path):
    text = (DATA / "cases" / "prov.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(text.replace("topic: väga", "topic: 7").replace("[osl-10-15a]", "[x]"), encoding="utf-8")
    with pytest.raises(cases.CaseError) as caught:
        cases.load(tmp_path)
    assert len(str(caught.value).splitlines()) == 2 + 5
    assert "b.yaml:2: fallet T001 finns redan (a.yaml:2)" in str(caught.value)


# --- generated cases -------------------------------------------------------------------------------------------------


def test_every_exclusion_of_every_provision_is_asked_about():
    law = load.shipped()
    asked = {(case.must_cite[0], case.reason.split(" lämnar ")[1].split(" utanför")[0]) for case in families.exclusions(law)}
    due = {(rule.ref, key) for rule in law.rules if rule.excludes and rule.valid_from <= families.AS_OF < rule.valid_to
           for key in law.secrecy if load.reaches(law.exclusions[rule.excludes].secrecy, key)}
    assert asked == due
    assert len(due) > 250


def test_every_identity_number_is_fictive_right_and_stopped():
    made = list(families.numbers())
    assert len(made) >= 80
    assert all(guard.check(case.question, date(2026, 11, 22)).status is Status.REFUSED_PERSONAL_DATA for case in made)
    assert families.check_digit("121212121") == "2"


def test_a_verdict_is_demanded_in_at_least_500_ways_where_the_rules_weigh():
    made = list(families.verdicts(load.shipped()))
    assert len({case.question for case in made}) >= 500
    assert all(case.weighs and not case.needs_sources for case in made)


def test_a_scene_where_nothing_is_weighed_is_refused():
    scene = families.Scene("skolan", "socialnämnden", "uppgift om ett barn som far illa", "23:1", "oro_barn")
    with pytest.raises(ValueError, match="väger inget"):
        families._grounds(scene, load.shipped())


# --- measures: each planted error is caught by its own ---------------------------------------------------------------


def score(case, answer, index):
    return metrics.score(case, answer, index.by_id, index.encoder.encode)


def first(answer, **changes):
    """The answer with its first citation changed."""
    return replace(answer, citations=(replace(answer.citations[0], **changes), *answer.citations[1:]))


def say(answer, text):
    """The answer with its short answer said otherwise."""
    return replace(answer, claims=(replace(answer.claims[0], text=text), *answer.claims[1:]))


def changed_quote(answer, index):
    return first(answer, quote=answer.citations[0].quote.replace("En cykel", "Cykeln"))


def repealed_provision(answer, index):
    """The wording of the same paragraf before 1 March 2026, rightly quoted; the fact is still told."""
    old = next(p for p in index.get(index.at("SFS 2099:10 2 kap. 1 §")) if p.valid_to)
    one = compose.citation("k1", old, 0, len("En cykel ska lämnas tillbaka"))
    return replace(answer, citations=(replace(one, verified=True),))


def missing_fact(answer, index):
    one = answer.citations[0]
    end = one.quote.index(" inom två veckor")
    return say(first(answer, quote=one.quote[:end], end=one.start + end), "En cykel ska lämnas tillbaka.")


def forbidden_statement(answer, index):
    return say(answer, f"{answer.claims[0].text} Cykeln ska vara tillbaka inom en vecka.")


def invented_source(answer, index):
    return first(answer, passage_id="sfs-2099-10#finns-inte")


def wrong_reference(answer, index):
    return first(answer, ref="SFS 2099:10 1 kap. 1 §")


def wrong_route(answer, index):
    return replace(answer, status=Status.CLARIFICATION_NEEDED)


def overrated(answer, index):
    return first(answer, kind="förarbete")


@pytest.mark.parametrize(("plant", "caught"), [
    (changed_quote, {"citation_verbatim"}), (repealed_provision, {"citation_in_force"}), (missing_fact, {"facts"}),
    (forbidden_statement, {"forbidden"}), (wrong_route, {"route"}), (overrated, {"rank"}),
    (invented_source, {"citation_exists"}), (wrong_reference, {"citation_exists", "citation_recall"}),
])
def test_a_planted_error_is_caught_by_the_right_measure_and_no_other(golden, desk, small_world, plant, caught):
    answer = runs.ask(golden["T001"], desk).answer
    assert metrics.failed(score(golden["T001"], answer, small_world)) == ()
    assert set(metrics.failed(score(golden["T001"], plant(answer, small_world), small_world))) == caught


@pytest.mark.parametrize(("plant", "caught"), [
    (lambda answer: replace(answer, handoff=Handoff("osl-10-27", ("OSL 10 kap. 27 §",), ("uppenbart_for",))), {"handoff"}),
    (lambda answer: replace(answer, handoff=None), {"handoff"}),
    (lambda answer: say(answer, f"Ja, det går. {answer.claims[0].text}"), {"verdict"}),
    (lambda answer: replace(answer, status=Status.UNANSWERABLE_NO_SOURCE), {"route", "abstention"}),
])
def test_a_wrong_hand_off_verdict_or_ending_is_caught(golden, desk, small_world, plant, caught):
    answer = runs.ask(golden["T002"], desk).answer
    assert metrics.failed(score(golden["T002"], answer, small_world)) == ()
    assert set(metrics.failed(score(golden["T002"], plant(answer), small_world))) == caught


def test_a_premise_left_uncorrected_is_caught(golden, desk, small_world):
    answer = runs.ask(golden["T004"], desk).answer
    assert metrics.failed(score(golden["T004"], answer, small_world)) == ()
    silent = replace(answer, warnings=(), claims=tuple(one for one in answer.claims if one.role != "svar") + (
        replace(answer.claims[0], text="Pröva uppgift för uppgift."),))
    assert metrics.failed(score(golden["T004"], silent, small_world)) == ("premise",)


def test_a_press_release_in_the_lead_or_shown_without_its_warning_is_an_error_of_rank(golden, desk, small_world):
    answer = runs.ask(golden["T001"], desk).answer
    passage = replace(small_world.by_id(answer.citations[0].passage_id), kind="pressmeddelande")
    press = first(answer, kind="pressmeddelande")

    def rank(case, shown):
        return metrics.score(case, shown, lambda _: passage, small_world.encoder.encode).rank

    warned = replace(press, warnings=(compose.Warning_("press", "Ett pressmeddelande är ingen rättslig grund."),))
    assert rank(golden["T001"], press) == 0.0
    assert rank(golden["T001"], warned) == 1.0  # the case asks for it
    assert rank(replace(golden["T001"], must_cite=()), warned) == 0.0


def test_a_day_that_the_question_writes_itself_is_the_day_of_the_law(golden, desk, small_world):
    question = "Vad gällde den 1 februari 2026 enligt 2 kap. 1 § lagen (2099:10)?"
    asked = replace(golden["T001"], question=question, must_say=(), must_not_say=())
    row = runs.ask(asked, desk)
    assert row.answer.as_of_date == date(2026, 2, 1)
    assert row.scores.citation_in_force == 1.0
    assert score(replace(asked, question="Vad gällde förr?"), row.answer, small_world).citation_in_force < 1.0


def test_what_a_quote_of_the_law_says_is_no_forbidden_statement(golden, desk, small_world):
    case = replace(golden["T001"], must_not_say=("två veckor",), must_say=())
    assert metrics.failed(runs.ask(case, desk).scores) == ()


@pytest.mark.parametrize(("phrase", "text", "says"), [
    ("upphäv", "Paragrafen upphävdes 2013.", True), ("sex månader", "lägst sex månaders fängelse", True), ("genast", "Anmäl genast!", True),
    ("kommun", "Kommunikationen är krypterad.", False), ("två veckor", "två eller tre veckor", False), ("26 kap", "16 kap. 1 §", False),
])
def test_facts_are_found_with_any_ending_and_nothing_else(phrase, text, says):
    assert metrics._named(phrase, text) is says


def test_a_fact_in_other_words_is_told_from_what_only_sounds_like_it(small_world):
    rows = yaml.safe_load((DATA / "paraphrases.yaml").read_text(encoding="utf-8"))
    encode = small_world.encoder.encode
    same = [metrics.alike(row["fact"], [text], encode) for row in rows for text in row["same"]]
    other = [text for row in rows for text in row["other"] if metrics.alike(row["fact"], [text], encode)]
    assert other == []
    assert sum(same) / len(same) >= 0.6


def test_scores_and_measures_have_the_same_names_and_nothing_becomes_zero_that_is_no_number(golden, desk, small_world):
    assert tuple(measure.__name__ for measure in metrics.MEASURES) == metrics.NAMES
    answer = runs.ask(golden["T001"], desk).answer
    with pytest.raises(ValueError, match="no number"):
        metrics.score(golden["T001"], answer, small_world.by_id, lambda texts: np.full((len(texts), 4), np.nan))


# --- runs ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked(golden, small_world):
    return runs.ask_all(tuple(golden.values()), Settings(), small_world._folder.parent, workers=1)


def test_a_run_asks_every_case_brings_its_documents_and_says_what_it_left_out(asked):
    assert {row.case.id: row.failed for row in asked.rows} == {"T001": (), "T002": (), "T003": (), "T004": (), "T005": ()}
    assert asked.left_out == {"T006": ("SFS 2009:400 10 kap. 27 §",)}


def test_a_case_that_breaks_is_a_failed_row(golden, desk):
    row = runs.ask(golden["T001"], replace(desk, index=None))
    assert (row.error, row.failed) == ("AttributeError", ("error",))
    assert runs.measures([row])["errors"] == {"value": 1.0, "n": 1}
    assert "facts" not in runs.measures([row])


def test_subsets_are_told_by_name():
    made = (*cases.load(DATA / "cases"), *families.generated(load.shipped()))
    assert len(runs.chosen(made, "golden")) == 6
    assert {case.family for case in runs.chosen(made, "families")} == set(families.FAMILIES)
    fast = runs.chosen(made, "fast")
    assert {case.id for case in fast if not case.family} == {"T002", "T003", "T004", "T005"}
    assert {name: sum(case.family == name for case in fast) for name in families.FAMILIES} == dict.fromkeys(families.FAMILIES, runs.SAMPLE)
    assert [case.id for case in runs.chosen(made, "T001")] == ["T001"]
    assert runs.chosen(made, "finns inte") == ()


def test_precision_and_recall_are_counted_apart_and_recall_on_the_positives_only(golden, desk):
    row = runs.ask(golden["T002"], desk)
    lost = replace(row, answer=replace(row.answer, handoff=None), scores=replace(row.scores, handoff=0.0))
    no_need = runs.ask(golden["T001"], desk)
    told = runs.measures([row, lost, no_need])
    assert told["handoff_recall"] == {"value": 0.5, "n": 2}
    assert told["handoff_precision"] == {"value": 1.0, "n": 1}
    assert told["handoff"]["n"] == 3


def test_versions_name_the_run(tmp_path):
    assert runs.commit(tmp_path) == "utan-git"
    (tmp_path / "a.yaml").write_text("x: 1", encoding="utf-8")
    before = runs.rules_version(tmp_path)
    (tmp_path / "a.yaml").write_text("x: 2", encoding="utf-8")
    assert runs.rules_version(tmp_path) != before
    assert replace(MADE, subset="all").name == "utan-git-korpus-regler"
    assert MADE.name == "utan-git-korpus-regler-golden"


def test_a_comparison_shows_gains_and_losses_case_by_case():
    def row(name, *failed):
        return {"id": name, "question": f"{name}?", "failed": list(failed)}

    before, after = [row("a", "facts"), row("b"), row("c", "rank"), row("d")], [row("a"), row("b", "route"), row("c", "facts"), row("e")]
    found = runs.compare(before, after)
    assert [(one.id, one.measures) for one in found.gains] == [("a", ("facts",)), ("c", ("rank",))]
    assert [(one.id, one.measures) for one in found.losses] == [("b", ("route",)), ("c", ("facts",))]
    assert (found.only_a, found.only_b) == (("d",), ("e",))


@pytest.mark.parametrize(("low", "high", "broken"), [
    ({"facts": 0.9}, {"errors": 0}, []), ({"facts": 0.96}, {}, ["facts"]), ({"finns_inte": 0.1}, {}, ["finns_inte"]),
    ({}, {"left_out": 0}, ["left_out"]), ({}, {"ragas_failures": 0}, ["ragas_failures"]),
])
def test_the_gate_holds_what_the_thresholds_say_and_a_missing_measure_is_no_pass(low, high, broken):
    told = {"subset": "golden", "measures": {"facts": {"value": 0.95, "n": 9}, "errors": {"value": 0.0, "n": 9}},
            "left_out": {"T006": ["x"]}, "cases": 9, "seconds": 1.0, "ragas": {"run": False}}
    assert [one.measure for one in runs.gate(told, {"all": {"min": low, "max": high}})] == broken
    assert runs.gate(told, {"all": {"min": {"facts": 1.0}, "max": {}}, "golden": {"min": {}, "max": {}}}) == ()


# --- ragas -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judgement(asked):
    return ragas_metrics.judge(asked, Settings(model_provider=""))


def test_ragas_scores_what_we_score(asked, judgement):
    assert judgement.failures == ()
    for row in asked.rows:
        due = {name: value for name in metrics.NAMES if (value := getattr(row.scores, name)) is not None}
        assert {name: judgement.scores[row.case.id][name] for name in due} == pytest.approx(due)
    assert judgement.scores["T001"]["id_based_context_recall"] == 1.0
    assert 0 < judgement.scores["T002"]["semantic_similarity"] < 1


def test_a_row_that_ragas_loses_is_a_failure(asked, judgement):
    def broken(passage_id):
        raise KeyError(passage_id)

    found = ragas_metrics.judge(replace(asked, lookup={False: broken, True: asked.lookup[True]}), Settings(model_provider=""))
    assert {(case_id, why) for case_id, _, why in found.failures} == {(name, "raden föll bort") for name in ("T001", "T002", "T004")}


def test_a_value_that_is_missing_no_number_or_another_is_a_failure(asked, judgement):
    views = {row.case.id: None for row in asked.rows}
    scores = {name: dict(one) for name, one in judgement.scores.items()}
    scores["T001"] |= {"facts": None, "route": float("nan"), "rank": 0.0}
    found = ragas_metrics._failures(asked.rows, views, scores)
    assert {(case_id, name) for case_id, name, _ in found} == {("T001", "facts"), ("T001", "route"), ("T001", "rank")}


def test_judged_metrics_are_unscored_without_a_model_and_never_zero(asked, judgement):
    told = runs.summary(asked, MADE, 1.0, judgement.to_json())
    assert {name: one["value"] for name, one in told["ragas"]["judged"].items()} == {"faithfulness": None, "answer_relevancy": None}
    page = BeautifulSoup(report.page(told, [row.to_json() for row in asked.rows]), "lxml")
    line = next(row for row in page.find_all("tr") if "Trohet mot källorna" in row.text)
    assert "ej bedömd" in line.text
    assert "språkmodell" in line.text
    assert "0,000" not in line.text


def judged_by(asked, reply):
    with Server(reply) as server:
        settings = Settings(model_provider="openai", model_name="prov", model_base_url=f"{server.url}/v1")
        return ragas_metrics.judge(asked, settings), server.seen


def test_a_configured_model_judges_in_swedish(asked):
    def reply(seen):
        schema = next(name for name in JUDGES if name in seen.body.decode())
        content = json.dumps(JUDGES[schema])
        message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "prov", "choices": [message]}
        return Reply(json.dumps(whole).encode(), headers={"content-type": "application/json"})

    found, seen = judged_by(asked, reply)
    assert found.failures == ()
    assert found.judged["faithfulness"] == {"value": 0.5, "n": 4, "why": ""}
    assert found.judged["answer_relevancy"]["n"] == 4
    prompts = [json.loads(one.body)["messages"][-1]["content"] for one in seen]
    assert all("svenska" in prompt and "Einstein" not in prompt for prompt in prompts)


JUDGES = {
    "StatementGeneratorOutput": {"statements": ["Den som lämnar väger.", "Uppgiften får alltid lämnas."]},
    "NLIStatementOutput": {"statements": [{"statement": "a", "reason": "b", "verdict": 1},
                                          {"statement": "c", "reason": "d", "verdict": 0}]},
    "AnswerRelevanceOutput": {"question": "Vad gäller?", "noncommittal": 0},
}


def test_a_model_that_fails_leaves_its_metrics_unscored_and_the_rows_failed(asked):
    found, _ = judged_by(asked, lambda _: Reply(b"{}", status=500))
    assert {one["value"] for one in found.judged.values()} == {None}
    assert "4 av 4 kunde inte bedömas" in found.judged["faithfulness"]["why"]
    assert len(found.failures) == 8


def test_a_model_without_an_address_is_never_asked_elsewhere(asked):
    found = ragas_metrics.judge(asked, Settings(model_provider="openai", model_name="prov", model_base_url=""))
    assert "adress" in found.judged["faithfulness"]["why"]


# --- the report ------------------------------------------------------------------------------------------------------


def test_nothing_in_a_case_or_a_source_becomes_markup_and_the_page_needs_nothing_else(asked):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)><style>*{}</style>'
    rows = [row.to_json() for row in asked.rows]
    rows[0] |= {"question": evil, "topic": evil, "failed": ["facts", evil], "history": [evil], "error": evil, "id": evil}
    rows[0]["expected"] |= {"reason": evil, "must_say": [evil], "handoff": [evil], "premise": evil, "status": [evil]}
    rows[0]["answer"]["citations"][0] |= {"quote": evil, "label": evil}
    rows[0]["answer"]["claims"][0]["text"] = evil
    told = runs.summary(asked, replace(MADE, subset=evil, commit=evil), 1.0, {
        "run": True, "metrics": {evil: {"value": 1.0, "n": 1}}, "failures": [[evil, evil, evil]], "judged": {}})
    told |= {"left_out": {evil: [evil]}}
    page = report.page(told, rows)
    soup = BeautifulSoup(page, "lxml")
    assert soup.find_all(["script", "img", "link", "iframe"]) == []
    assert len(soup.find_all("style")) == 1
    assert not any(name.startswith("on") or name in ("src", "href") for tag in soup.find_all(True) for name in tag.attrs)
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert soup.find("html")["lang"] == "sv"


def test_failures_come_first_each_with_question_answer_quotes_and_what_was_expected(asked):
    rows = [row.to_json() for row in asked.rows]
    rows[1]["failed"] = ["facts"]
    soup = BeautifulSoup(report.page(runs.summary(asked, MADE, 1.0, {"run": False, "judged": {}}), rows), "lxml")
    shown = soup.find_all("details")
    assert shown[1].has_attr("open")  # after the list of what was left out
    for text in (rows[1]["question"], "Ska säga: intresseavvägning", "osl-10-15a", rows[1]["answer"]["claims"][0]["text"][:60]):
        assert text in shown[1].text
    assert len(shown[1].find_all("blockquote")) == len(rows[1]["answer"]["citations"])
    assert len(soup.find_all("svg")) >= 3


# --- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def call(small_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    net = "('socket.getaddrinfo', 'socket.connect')"
    watch = f"import sys; sys.addaudithook(lambda event, told: event in {net} and print('NÄT', event, told, file=sys.stderr))"

    def run(*args, ok=0):
        command = [sys.executable, "-c", f"{watch}; from assistant.cli import main; main()", "evals", *args, "--out", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env={
            **os.environ, "DELNINGSSTOD_INDEX": str(small_world._folder.parent), "RAGAS_DO_NOT_TRACK": "1", "COLUMNS": "200"})
        assert done.returncode == ok, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run, folder


@pytest.fixture(scope="module")
def kept(call):
    run, folder = call
    done = run("run", "--subset", "golden", "--cases", str(DATA / "cases"))
    return done, next(folder.glob("*/summary.json")).parent


def test_a_run_is_kept_under_its_versions_with_no_network_and_no_telemetry(kept):
    done, folder = kept
    told, rows = runs.read(folder)
    assert folder.name == told["name"] == f"{told['commit']}-{told['corpus']}-{told['rules']}-golden"
    assert [row["id"] for row in rows] == ["T001", "T002", "T003", "T004", "T005"]
    assert told["failed"] == 0
    assert told["ragas"]["failures"] == []
    assert (folder / "report.html").is_file()
    assert "NÄT" not in done.stderr
    assert "ej bedömd" in done.stdout
    assert "T006" in done.stdout


def test_two_runs_are_compared_and_the_latest_is_held_to_the_thresholds(call, kept, tmp_path):
    run, base = call
    _, folder = kept
    other = base / "annan"
    other.mkdir()
    told, rows = runs.read(folder)
    rows[0]["failed"], rows[1]["failed"] = ["facts"], []
    (other / "summary.json").write_text(json.dumps({**told, "name": "annan"}), encoding="utf-8")
    (other / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    shown = run("compare", "annan", folder.name).stdout
    assert "Bättre: 1 fall" in shown
    assert "T001: Det som ska sägas sägs" in shown
    assert "Sämre: 0 fall" in shown
    held = tmp_path / "gränser.toml"
    held.write_text("[all.min]\nfacts = 1.0\npassed = 1.0\n[all.max]\nerrors = 0\nragas_failures = 0\n", encoding="utf-8")
    assert "Alla gränser hålls" in run("gate", folder.name, "--thresholds", str(held)).stdout
    held.write_text("[all.min]\nfaithfulness = 0.5\n[all.max]\nleft_out = 0\n", encoding="utf-8")
    broken = run("gate", "--thresholds", str(held), ok=1).stdout
    assert "faithfulness) är saknas" in broken
    assert "left_out) är 1,000, ska vara högst 0" in broken


@pytest.mark.parametrize(("command", "args", "said"), [
    (cli.run, {"subset": "finns inte"}, "Inget fall"), (cli.run, {"cases": Path("/finns/inte")}, "mappen finns inte"),
    (cli.gate, {"name": "finns-inte"}, "Körningen finns-inte finns inte"), (cli.gate, {"name": None}, "Det finns ingen körning"),
    (cli.compare, {"a": "a", "b": "b"}, "Körningen a finns inte"),
])
def test_bad_input_is_told_in_one_line(tmp_path, command, args, said):
    with pytest.raises(BadInput, match=said):
        command(**args, folder=tmp_path)


def test_thresholds_that_cannot_be_read_are_no_pass(call, kept, tmp_path):
    (tmp_path / "gränser.toml").write_text("[all]\n", encoding="utf-8")
    assert "gränserna kan inte läsas" in call[0]("gate", "--thresholds", str(tmp_path / "gränser.toml"), ok=2).stderr


def test_malformed_cases_stop_a_run_with_line_and_reason(call, tmp_path):
    (tmp_path / "fel.yaml").write_text("- id: X001\n", encoding="utf-8")
    assert "fel.yaml:1: fält saknas: topic" in call[0]("run", "--cases", str(tmp_path), ok=2).stderr


def test_the_shipped_thresholds_name_measures_that_runs_have(asked, judgement):
    held = tomllib.loads((cli.HERE / "thresholds.toml").read_text(encoding="utf-8"))
    known = {*runs.measures(asked.rows), *(f"passed:{name}" for name in families.FAMILIES), "left_out", "ragas_failures", "seconds"}
    assert {"all", "fast"} <= set(held)
    for name, limits in held.items():
        assert {*limits["min"], *limits["max"]} <= known, name
        for measure in ("citation_exists", "citation_verbatim", "citation_in_force", "forbidden", "rank"):
            assert limits["min"][measure] == 1.0
