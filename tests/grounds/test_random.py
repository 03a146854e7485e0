# ruff: noqa: E501
"""Thousands of cases drawn by chance: never an exception, always a trace, never a ground both open and closed."""

import json
import random
from datetime import date, timedelta

from assistant.grounds.case import OUTCOMES, Case
from assistant.grounds.find import find
from assistant.grounds.load import shipped

LAW = shipped()
ACTORS = sorted({a.name for a in LAW.actors.values()})
KEYS, PURPOSES, FACTS = sorted(LAW.secrecy), sorted(LAW.purposes), sorted(LAW.facts.values(), key=lambda f: f.name)
USUAL = ["26:1", "25:1", "23:2", "27:1", "28:1", "35:1", "18:1", "34:1", "24:8", "15:1a", "35:3", "27:5 st2", "26:1a", "21:1"]


def value(fact, chance):
    drawn = {
        "bool": chance.random() < 0.7,
        "int": chance.randrange(40),
        "list": chance.sample(PURPOSES, 1),
        "str": chance.choice(fact.values or ("BrB 3", "alkohollagen", "socialtjänst")),
    }
    return drawn[fact.type]


def draw(chance):
    return {
        "date": (date(2024, 1, 1) + timedelta(days=chance.randrange(1000))).isoformat(),
        "sender_actor": chance.choice(ACTORS),
        "recipient_actor": chance.choice(ACTORS),
        "sender_osl": chance.choice([None, None, True, False]),
        "recipient_kind": chance.choice([None, None, None, "myndighet", "enskild", "utländsk"]),
        "datum_public": chance.random() < 0.05,
        "datum_subject": chance.choice([None, "fysisk person", "juridisk person"]),
        "secrecy": chance.sample(chance.choice([KEYS, USUAL]), chance.choice([0, 1, 1, 1, 2, 3])),
        "purpose_code": chance.choice(PURPOSES),
        "mode": chance.choice(["request", "own"]),
        "facts": {fact.name: value(fact, chance) for fact in chance.sample(FACTS, chance.randrange(6))},
    }


HOW_MANY = 10_000


def test_whatever_the_case_the_finding_agrees_with_itself():
    chance = random.Random(20260201)
    for _ in range(HOW_MANY):
        row = draw(chance)
        found = find(Case.from_json(row, LAW), LAW).to_json()
        assert found["outcome"] in OUTCOMES, row
        assert found["trace"], row
        opened, closed = {g["provision"] for g in found["available"]}, {g["provision"] for g in found["blocked"]}
        assert not opened & closed, row
        assert found["handoff_to_checklist"] == bool(found["interest_assessment"]["kind"]), row
        assert not (found["outcome"] == "BLOCKED" and opened), row
        if found["outcome"].startswith(("DUTY", "PERMITTED", "ONLY", "MIXED")):
            lifted = {key for g in found["available"] for key in g["lifts"]}
            assert lifted >= {key for key in row["secrecy"] if key != "21:1"} or row["sender_osl"] is False, row


def test_the_same_case_gives_the_same_bytes():
    chance = random.Random(7)
    for _ in range(50):
        row = draw(chance)
        once, twice = (json.dumps(find(Case.from_json(row, LAW), LAW).to_json(), ensure_ascii=False) for _ in range(2))
        assert once == twice


def test_statuses_change_only_on_the_days_of_the_rules():
    """Between two days on which some rule or list begins or ends, the finding stands still."""
    days = {r.valid_from for r in LAW.rules} | {r.valid_to for r in LAW.rules if r.valid_to.year < 9999}
    days |= {j.since for r in LAW.rules for j in r.joined} | {s.stop.valid_from for s in LAW.secrecy.values() if s.stop}
    days |= {s.valid_from for s in LAW.secrecy.values()} | {s.valid_to for s in LAW.secrecy.values()}
    turns = sorted(day for day in days if date(2024, 1, 1) <= day < date(2027, 1, 1))
    chance = random.Random(11)
    for _ in range(60):
        row = draw(chance)
        for start, end in zip(turns, turns[1:], strict=False):
            same = [plain({**row, "date": day.isoformat()}) for day in (start, end - timedelta(days=1))]
            assert same[0] == same[1], (row, start, end)


def test_a_new_ground_does_not_vanish_the_day_it_comes():
    chance = random.Random(13)
    for rule in LAW.rules:
        if rule.before != "ny" or rule.valid_from.year < 2025:
            continue
        row = draw(chance)
        before = plain({**row, "date": (rule.valid_from - timedelta(days=1)).isoformat()})
        assert rule.id not in {g["rule"] for g in before["available"]}


def plain(row):
    found = find(Case.from_json(row, LAW), LAW).to_json()
    return {**found, "warnings": []}
