"""The notes and the rules say the same of a provision: which test it asks for, and from which day."""

from collections import defaultdict

import pytest

from assistant.grounds.checklist import checklist_id
from assistant.grounds.load import shipped
from corpus import notes

NEWEST = "the notes describe only the newest wording; a rule holds for an older one too"
APART = {  # provisions whose first note and first rule begin on different days, and why both are right
    "SFS 1993:387 15 §": NEWEST,
    "SFS 2010:659 6 kap. 15 §": NEWEST,
    "SFS 2010:800 29 kap. 13 §": NEWEST,
    "SFS 2010:800 3 kap. 12 j §": NEWEST,
    "SFS 2010:800 6 a kap. 10 §": NEWEST,
    "SFS 2010:800 7 kap. 22 §": NEWEST,
    "SFS 2025:400 19 kap. 6 §": NEWEST,
    "SFS 2009:400 18 kap. 8 b §": "the number changed hands: the rule is the old 8 b §, now 8 c §; the note is the new 8 b §",
    "SFS 2006:97 7 kap. 7 §": "the rule also covers 7 a and 8 b §§, in their wording of SFS 2023:158",
    "SFS 2016:774 2 §": "the rule names the authorities of F (2016:775) as listed since SFS 2025:334; the note explains the statute",
}


@pytest.fixture(scope="module")
def law():
    return shipped()


@pytest.fixture(scope="module")
def pairs(law):
    """Each note on a provision that has rules, with those rules."""
    rules = defaultdict(list)
    for rule in law.rules:
        rules[rule.ref].append(rule)
    return [(note, rules[note.ref]) for note in notes.load() if note.ref in rules]


def test_every_test_a_note_names_is_in_the_register(law):
    named = {note.id: note.test for note in notes.load() if note.test}
    assert {id: code for id, code in named.items() if code not in law.tests or code == "none"} == {}


def test_a_note_that_names_a_test_names_the_one_of_the_rules(pairs):
    codes = [(note.id, note.test, {rule.test for rule in rules}) for note, rules in pairs if note.test]
    assert [row for row in codes if len(row[2]) == 1 and row[1] not in row[2]] == []


def test_a_note_and_the_rules_agree_whether_interests_are_weighed(law, pairs):
    weighed = [(note.id, law.tests[note.test].weighs, {law.tests[rule.test].weighs for rule in rules})
               for note, rules in pairs if note.test]
    assert [row for row in weighed if row[1] not in row[2]] == []


def test_the_note_on_a_provision_as_a_whole_names_the_test_its_rules_share(pairs):
    whole = [(note, {rule.test for rule in rules}) for note, rules in pairs
             if note.id == checklist_id(note.ref) and note.kind in ("grund", "skyldighet")]
    assert len(whole) >= 100
    assert [(note.id, note.test, codes) for note, codes in whole if len(codes) == 1 and {note.test or "none"} != codes] == []


def test_notes_and_rules_on_a_provision_begin_on_the_same_day(pairs):
    said, ruled = defaultdict(set), {}
    for note, rules in pairs:
        if note.valid_from:  # null: the day is not in the sources
            said[note.ref].add(note.valid_from)
        ruled[note.ref] = min(rule.valid_from for rule in rules)
    apart = {ref: (min(days), ruled[ref]) for ref, days in said.items() if min(days) != ruled[ref]}
    assert {ref: days for ref, days in apart.items() if ref not in APART} == {}
    assert sorted(set(APART) - set(apart)) == [], "no longer apart: take it out of the table"


def test_no_note_begins_before_the_rules_unless_the_table_says_why(pairs):
    early = {note.ref for note, rules in pairs if note.valid_from and note.valid_from < min(rule.valid_from for rule in rules)}
    assert {ref for ref in early if APART.get(ref, NEWEST) == NEWEST} == set()
