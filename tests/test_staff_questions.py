"""The public staff questions keep to their format, stand on the official text and are no copies of the notes' wordings."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from corpus import questions

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "evals" / "golden"
OFFICIAL = Path(__file__).parents[2] / "shared" / "official"
official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason=f"de officiella texterna finns inte i {OFFICIAL}")

KINDS = {"formal", "colloquial", "misspelt", "keywords", "long_facts", "english", "giver", "receiver", "follow_up"}
TOPICS = {"15a", "27", "osl10", "secrecy", "LUFFA", "LUB", "duty", "basics", "report", "dates"}
INTENTS = {"sharing", "knowledge", "when"}
EXPECTED = {
    "unanswerable_out_of_scope",
    "unanswerable_no_source",
    "refused_personal_data",
    "refused_decision_on_person",
    "refused_manipulation",
    "clarification_needed",
    "answered",
}
FIELDS = {"id", "question", "gold", "gold_any", "anchors", "kind", "topic", "intent", "handoff", "history"}
REF = re.compile(r"SFS \d{4}:\d+(?: \d+(?: [a-z])? kap\.)? \d+(?: [a-z])? §|SFS \d{4}:\d+ bilaga|seed:\S+\.txt")
ANCHOR_WORDS = 9
PERSONAL_NUMBER = re.compile(r"(?<!\d)(?:\d{2})?(\d{6}[-+ ]?\d{4})(?!\d)")


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines()]


def folded(text: str) -> str:
    return " ".join(text.split())


def bare(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.casefold()))


def is_personal_number(digits: str) -> bool:
    """Ten digits that can be a personal or coordination number: month, day (or day + 60) and check digit right."""
    month, day = int(digits[2:4]), int(digits[4:6])
    if not 1 <= month <= 12 or not (1 <= day <= 31 or 61 <= day <= 91):
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def personal_numbers(text: str) -> list[str]:
    numbers = (re.sub(r"\D", "", match[1]) for match in PERSONAL_NUMBER.finditer(text))
    return [number for number in numbers if is_personal_number(number)]


@cache
def official_text(ref: str) -> str | None:
    if ref.startswith("seed:"):
        path = OFFICIAL / "seeds" / ref.removeprefix("seed:")
        return folded(path.read_text(encoding="utf-8")) if path.is_file() else None
    stem = "sfs-" + ref.split()[1].replace(":", "-")
    if (path := OFFICIAL / "sfs_json" / f"{stem}.json").is_file():
        return folded(json.loads(path.read_text(encoding="utf-8"))["fulltext"]["forfattningstext"])
    if (path := OFFICIAL / "sfs_md" / f"{stem}.md").is_file():
        return folded(path.read_text(encoding="utf-8"))
    return None


STAFF = read("staff_questions.jsonl")
DECLINED = read("declined.jsonl")


@pytest.mark.parametrize("row", STAFF, ids=lambda row: row["id"])
def test_each_staff_question_keeps_to_the_format(row):
    assert set(row) == FIELDS
    assert re.fullmatch(r"S\d{3}", row["id"])
    assert row["question"].strip() == row["question"] != ""
    assert row["kind"] in KINDS
    assert row["topic"] in TOPICS
    assert row["intent"] in INTENTS
    assert row["handoff"] in (True, False, None)
    assert 1 <= len(row["gold"]) <= 3
    assert all(REF.fullmatch(ref) for ref in [*row["gold"], *row["gold_any"]])
    assert not set(row["gold"]) & set(row["gold_any"])
    assert [anchor["ref"] for anchor in row["anchors"]] == row["gold"]
    assert all(1 <= len(re.findall(r"\w+", anchor["text"])) <= ANCHOR_WORDS for anchor in row["anchors"])
    assert all(anchor["text"] == folded(anchor["text"]) for anchor in row["anchors"])
    assert bool(row["history"]) == (row["kind"] == "follow_up")
    roles = [turn["role"] for turn in row["history"]]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert all(set(turn) == {"role", "content"} and turn["content"].strip() for turn in row["history"])
    said = [row["question"], *(turn["content"] for turn in row["history"])]
    assert not any(personal_numbers(text) for text in said)


def test_there_are_enough_staff_questions_of_every_kind_and_topic():
    assert len(STAFF) >= 250
    assert {row["kind"] for row in STAFF} == KINDS
    assert {row["topic"] for row in STAFF} == TOPICS
    assert {row["intent"] for row in STAFF} == INTENTS


def test_no_id_and_no_question_comes_twice():
    rows = [*STAFF, *DECLINED]
    assert len({row["id"] for row in rows}) == len(rows)
    asked = [(bare(row["question"]) or row["question"], json.dumps(row.get("history"))) for row in rows]
    assert len(set(asked)) == len(asked)


@official
@pytest.mark.parametrize("row", STAFF, ids=lambda row: row["id"])
def test_each_anchor_stands_in_the_official_text(row):
    for anchor in row["anchors"]:
        text = official_text(anchor["ref"])
        assert text is not None, f"{anchor['ref']} finns inte i de officiella texterna"
        assert anchor["text"] in text, anchor


def test_no_question_is_a_staff_wording_from_the_notes():
    wordings = {bare(one.text) for one in questions.load()}
    if not wordings:
        pytest.skip("noterna har inga formuleringar från personal än")
    assert not [row["id"] for row in [*STAFF, *DECLINED] if bare(row["question"]) in wordings]


@pytest.mark.parametrize("row", DECLINED, ids=lambda row: row["id"])
def test_each_declined_question_keeps_to_the_format(row):
    assert set(row) == {"id", "question", "expected", "why"}
    assert re.fullmatch(r"N\d{3}", row["id"])
    assert row["question"].strip() == row["question"] != ""
    assert row["why"].strip()
    assert row["expected"] in EXPECTED
    assert bool(personal_numbers(row["question"])) == (row["expected"] == "refused_personal_data")


def test_there_are_enough_declined_questions_of_every_outcome():
    assert len([row for row in DECLINED if row["expected"] != "answered"]) >= 70
    assert len([row for row in DECLINED if row["expected"] == "answered"]) >= 20
    assert {row["expected"] for row in DECLINED} == EXPECTED
