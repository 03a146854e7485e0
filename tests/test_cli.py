"""The command line: the contract's forms, its exit codes, and one plain line for what a person can cause."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run(small_world):
    folder = small_world._folder.parent

    def call(*args, ok=None, **env):
        command = [sys.executable, "-c", "from assistant.cli import main; main()", *args]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
                                env={**os.environ, "DELNINGSSTOD_INDEX": str(folder), "DELNINGSSTOD_RECORD": "false", **env})
        if ok is not None:
            assert result.returncode == ok, result.stderr
        return result

    return call


def test_ask_answers_in_the_terminal_with_numbered_sources(run):
    out = run("ask", "När träder 15 a § i kraft?", ok=0).stdout
    assert "1 december 2025" in out
    assert "[1]" in out


def test_ask_and_search_in_batch_keep_ids_and_order(run, tmp_path):
    earlier = [{"role": "user", "content": "Får soc lämna uppgifter till Skatteverket?"}]
    rows = [{"id": "a", "question": "Vad är generalklausulen?", "as_of": "2026-11-22", "extra": 1},
            {"id": "b", "question": "och till polisen?", "history": earlier}]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    run("ask", "--batch", str(source), "--out", str(tmp_path / "a.jsonl"), ok=0)
    run("search", "--batch", str(source), "--out", str(tmp_path / "s.jsonl"), "--k", "3", ok=0)
    answers = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    hits = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [row["id"] for row in answers] == ["a", "b"] == [row["id"] for row in hits]
    assert answers[0]["answer"]["status"] == "answered"
    assert {"ref", "source", "kind", "score", "text"} <= set(hits[0]["hits"][0])
    assert hits[0]["hits"][0]["ref"] == "SFS 2009:400 10 kap. 27 §"


def test_grounds_finds_in_one_case_and_in_batch(run, tmp_path):
    case = {"id": "c", "date": "2026-02-01", "sender_actor": "Försäkringskassan", "recipient_actor": "Skatteverket",
            "sender_osl": True, "recipient_kind": "myndighet", "datum_public": False, "secrecy": ["28:1"], "purpose_code": "P4",
            "mode": "own"}
    (tmp_path / "case.json").write_text(json.dumps(case), encoding="utf-8")
    found = json.loads(run("grounds", "--case", str(tmp_path / "case.json"), "--json", ok=0).stdout)
    assert found["outcome"] == "PERMITTED_AFTER_INTEREST_TEST"
    (tmp_path / "in.jsonl").write_text(json.dumps(case), encoding="utf-8")
    run("grounds", "--batch", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out.jsonl"), ok=0)
    assert json.loads((tmp_path / "out.jsonl").read_text())["finding"] == found


@pytest.mark.parametrize(("args", "code", "said"), [
    (["ask"], 2, "Skriv en fråga"), (["ask", "x", "--as-of", "2026-13-01"], 2, "inget datum"),
    (["ask", "x", "--history", "/finns/inte"], 2, "finns inte"),
    (["ask", "--batch", "/finns/inte.jsonl", "--out", "/tmp/x"], 2, "finns inte"), (["ask", "--batch", "README.md"], 2, "--out"),
    (["corpus", "build", "--add", "/finns/inte"], 2, "finns inte"), (["grounds"], 2, "--case"), (["flyg"], 2, "delningsstod --help"),
    (["corpus", "fetch", "--source", "okänd"], 2, "Okänd källa"), (["search", " "], 2, "sökfråga"),
    (["ask", "19121212-1212 bor var?"], 1, ""), (["ask", "Vad blir det för väder i morgon?"], 1, ""),
])
def test_bad_input_gets_one_plain_line_and_its_exit_code(run, args, code, said):
    result = run(*args, ok=code)
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "1212-1212" not in result.stdout + result.stderr


def test_a_bad_line_in_a_batch_is_named(run, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 1, "question": "a"}\nnonsense\n', encoding="utf-8")
    assert "rad 2" in run("ask", "--batch", str(source), "--out", str(tmp_path / "o"), ok=2).stderr


def test_a_missing_index_is_built_before_the_first_answer(run, tmp_path):
    result = run("ask", "Vad är generalklausulen?", DELNINGSSTOD_INDEX=str(tmp_path / "new"), ok=0)
    assert "10 kap. 27 §" in result.stdout
    assert (tmp_path / "new" / "current").is_file()
