# ruff: noqa: E501
"""The 36 worked cases of ../shared/law: the examples of the contract."""

import json
import re
from pathlib import Path

import pytest

from assistant.grounds.case import Case
from assistant.grounds.find import find
from assistant.grounds.load import shipped

SCENARIOS = Path(__file__).parents[3] / "shared" / "law" / "scenarios.jsonl"
ROWS = [json.loads(line) for line in SCENARIOS.read_text(encoding="utf-8").splitlines()] if SCENARIOS.exists() else []

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not ROWS, reason="../shared/law/scenarios.jsonl is not here")]
STATUSES = ("osl_10_15a", "osl_10_27", "luffa2", "luffa4", "lub", "handoff_to_checklist", "handoff_to_lawyer")


def paragraf(label: str) -> str:
    """«Alkohollagen (2010:1622) 9 kap. 8 § fjärde stycket» and «SFB 110 kap. 31 § + …» down to the paragraf; LSS keeps its point."""
    plain = re.sub(r"\(\d{4}:\d+\) ?", "", label).split(" + ")[0]
    return plain if plain.startswith("LSS") else re.sub(r"(§§?).*", r"\1", plain)


@pytest.fixture(params=ROWS, ids=lambda row: f"{row['id']} {row['title']}")
def row(request):
    return request.param


def found(row):
    law = shipped()
    return find(Case.from_json(row, law), law).to_json()


def test_outcome(row):
    expected = row["expected"]
    assert found(row)["outcome"] in [expected["outcome"], *expected.get("outcome_also", [])]


def test_statuses(row):
    finding = found(row)
    assert {name: finding[name] for name in STATUSES} == {name: row["expected"][name] for name in STATUSES}


def test_interest_assessment(row):
    expected, given = row["expected"]["interest_assessment"], found(row)["interest_assessment"]
    assert given["required"] == expected["required"]
    assert given["kind"] in [expected["kind"], *row["expected"].get("kind_also", [])]
    assert given.get("per_layer") == expected.get("per_layer")


def test_every_expected_ground_is_open(row):
    given = {(paragraf(g["provision"]), g["kind"], g["assessment"]) for g in found(row)["available"]}
    for ground in row["expected"]["available"]:
        assert (paragraf(ground["provision"]), ground["kind"], ground["assessment"]) in given


def test_nothing_open_where_nothing_is_expected(row):
    if not row["expected"]["available"]:
        assert found(row)["available"] == []
