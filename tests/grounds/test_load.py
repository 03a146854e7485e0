# ruff: noqa: E501
"""The loader refuses every kind of mistake, with file, line and reason."""

import json
import shutil
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from assistant.grounds import load as loading
from assistant.grounds.load import HERE, LawError, covers, load, provision, shipped

GOOD = """statute: {name: Provlagen, short: PL, sfs: "2030:1"}
rules:
- id: prov-1
  provision: Provlagen 1 §
  ref: SFS 2030:1 1 §
  says: Ett prov.
  kind: duty
  gate: 28st1
  purposes: [P1]
  test: none
  valid_from: 2030-01-01
  before: ny
  sfs: "2030:1"
  reviewed_by: null
  reviewed_on: null
"""


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(HERE / "register", tmp_path / "register")
    (tmp_path / "rules").mkdir()
    for name in ("osl_10_kap.yaml", "luffa.yaml", "sfb.yaml"):
        shutil.copy(HERE / "rules" / name, tmp_path / "rules" / name)
    (tmp_path / "rules" / "prov.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_the_shipped_law_loads():
    law = shipped()
    assert len(law.rules) > 200
    assert law.as_of == date(2025, 12, 16)
    assert law.actor("kassan").name == "Försäkringskassan"
    assert law.actor("Sagomyndigheten") is None


def test_a_good_file_loads(folder):
    assert "prov-1" in {rule.id for rule in load(folder).rules}


RULE_MISTAKES = [
    ("gate: 28st1", "gate: 29st1", "prov.yaml:3: okänt värde «29st1» i gate"),
    ("kind: duty", "kind: plikt", "prov.yaml:3: okänt värde «plikt» i kind"),
    ("kind: duty", "kind: permission", "prov.yaml:3: okänt värde «» i tier"),
    ("purposes: [P1]", "purposes: [P9]", "okänt värde «P9» i purposes"),
    ("purposes: [P1]", "purposes: [P1]\n  modes: [alltid]", "okänt värde «alltid» i modes"),
    ("purposes: [P1]", "purposes: [P1]\n  purpose_fact: saknas", "okänt värde «saknas» i purpose_fact"),
    ("test: none", "test: gissa", "okänt värde «gissa» i test"),
    ("before: ny", "before: gammal", "okänt värde «gammal» i before"),
    ("test: none", "test: none\n  giver: {actors: [Sagomyndigheten]}", "okänt värde «Sagomyndigheten» i actors"),
    ("test: none", "test: none\n  recipient: {except: [Sagomyndigheten]}", "okänt värde «Sagomyndigheten» i except"),
    ("test: none", "test: none\n  giver: {kinds: [drake]}", "okänt värde «drake» i kinds"),
    ("test: none", "test: none\n  giver: {lists: [SAGA]}", "okänt värde «SAGA» i lists"),
    ("test: none", "test: none\n  giver: {activity: [trolleri]}", "okänt värde «trolleri» i activity"),
    ("test: none", "test: none\n  giver: {vem: [kommun]}", "okänt fält «vem» i Selector"),
    ("test: none", "test: none\n  excludes: SAGA", "okänt värde «SAGA» i excludes"),
    ("test: none", "test: none\n  exclusion_scope: allt", "okänt värde «allt» i exclusion_scope"),
    ("test: none", "test: none\n  lifts: [26]", "prov.yaml:3: «26» ska vara text"),
    ("test: none", 'test: none\n  lifts: ["26 kap"]', "«26 kap» är ingen sekretessbestämmelse"),
    ("test: none", "test: none\n  when: [{fact: saknas, is: true}]", "okänt värde «saknas» i fact"),
    ("test: none", "test: none\n  when: [{fact: alder}]", "ett villkor ska ha ett av is, below, at_least, in"),
    (
        "test: none",
        "test: none\n  joined: [{actor: Sagomyndigheten, since: 2030-01-02, note: x}]",
        "okänt värde «Sagomyndigheten» i joined",
    ),
    ("ref: SFS 2030:1 1 §", "ref: Provlagen 1", "felaktigt lagrum «Provlagen 1» i ref"),
    ('sfs: "2030:1"\n  reviewed', "sfs: prov\n  reviewed", "felaktigt SFS-nummer «prov»"),
    ("valid_from: 2030-01-01", "valid_from: 2030-01-01\n  valid_to: 2029-01-01", "inte före valid_to"),
    ("valid_from: 2030-01-01", "valid_from: nyligen", "«nyligen» ska vara date"),
    ("says: Ett prov.", "says: Ett prov.\n  sager: två", "prov.yaml:3: okänt fält «sager» i Rule"),
    ("  says: Ett prov.\n", "", "prov.yaml:3: fältet «says» saknas i Rule"),
    ("says: Ett prov.", "says: Ett prov.\n  says: Två.", "fältet «says» står två gånger"),
    ("- id: prov-1", "- id: luffa-2", "id «luffa-2» står två gånger"),
    ("statute: {name: Provlagen, short: PL", "statute: {name: Provlagen, kort: PL", "statute ska ha name, short och sfs"),
    ("rules:", "regler:", "filen ska ha fälten statute och rules"),
    ("statute: {", "statute: {{", "går inte att läsa som YAML"),
]


@pytest.mark.parametrize(("old", "new", "reason"), RULE_MISTAKES, ids=[new for _, new, _ in RULE_MISTAKES])
def test_a_mistake_in_a_rule(folder, old, new, reason):
    path = folder / "rules" / "prov.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LawError) as error:
        load(folder)
    assert reason in str(error.value)


def test_wordings_may_not_overlap(folder):
    two = GOOD.replace("- id: prov-1", "- id: prov-1\n  wording_of: prov").split("rules:\n")[1]
    second = two.replace("prov-1", "prov-2").replace("2030-01-01", "2031-01-01")
    path = folder / "rules" / "prov.yaml"
    path.write_text(GOOD.split("rules:\n")[0] + "rules:\n" + two + second, encoding="utf-8")
    with pytest.raises(LawError, match=r"prov.yaml:17: prov-2 överlappar prov-1 i tiden"):
        load(folder)
    ended = two.replace("valid_from: 2030-01-01", "valid_from: 2030-01-01\n  valid_to: 2031-01-01")
    path.write_text(GOOD.split("rules:\n")[0] + "rules:\n" + ended + second, encoding="utf-8")
    assert len([r for r in load(folder).rules if r.wording_of == "prov"]) == 2


REGISTER_MISTAKES = [
    ("actors.yaml", "- {name: Hittepå, kind: enskild, osl: false, recipient_kind: enskild, aliases: [FK], lists: []}", "pekar på både"),
    ("actors.yaml", "- Hittepå", "väntade fält för Actor"),
    ("secrecy.yaml", '- {key: "26:x", protects: p, strength: rakt, holders: h, activity: [], words: []}', "ingen sekretessbestämmelse"),
    (
        "secrecy.yaml",
        '- {key: "26:90", protects: p, strength: stark, holders: h, activity: [], words: []}',
        "okänt värde «stark» i strength",
    ),
    ("secrecy.yaml", '- {key: "26:1", protects: p, strength: rakt, holders: h, activity: [], words: []}', "«26:1» står två gånger"),
    (
        "secrecy.yaml",
        '- {key: "26:90", protects: p, strength: rakt, holders: h, activity: [], words: [], stop: {blocks: [dörr], citation: c}}',
        "«dörr»",
    ),
    ("facts.yaml", "- {name: alder, type: int, question: Ålder}", "«alder» står två gånger"),
    ("exclusions.yaml", '- {name: X, ref: r, secrecy: ["1"]}', "ingen sekretessbestämmelse"),
    ("open_questions.yaml", "- {id: x, effect: gissa, code: c, reason: r, citation: c}", "okänt värde «gissa» i effect"),
    ("open_questions.yaml", "- {id: x, effect: warn, rules: [saknas], code: c, reason: r, citation: c}", "okänt värde «saknas» i rules"),
    ("open_questions.yaml", "- {id: x, effect: warn, fact: saknas, code: c, reason: r, citation: c}", "okänt värde «saknas» i fact"),
    (
        "open_questions.yaml",
        "- {id: x, effect: warn, exclusion_list: saknas, code: c, reason: r, citation: c}",
        "okänt värde «saknas» i exclusion_list",
    ),
]


@pytest.mark.parametrize(("name", "line", "reason"), REGISTER_MISTAKES, ids=[line for _, line, _ in REGISTER_MISTAKES])
def test_a_mistake_in_a_register(folder, name, line, reason):
    path = folder / "register" / name
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(LawError, match=reason):
        load(folder)


COVERS = [
    ("25:1-5", "25:5", True),
    ("25:1-5", "25:5a", False),
    ("25:1-5", "25:6", False),
    ("26:1-6", "26:1a st1", True),
    ("26:1-6", "26:6a", False),
    ("26:1", "26:1a", False),
    ("26:1a st1", "26:1a st1", True),
    ("26:1a st1", "26:1a st2", False),
    ("26:1a st1", "26:1a", None),
    ("15-20", "20:1", True),
    ("15-20", "21:1", False),
    ("15-20", "PSL 6:12", False),
    ("PSL 6:12", "PSL 6:12", True),
    ("PSL 6:12", "6:12", False),
    ("LSS 29", "LSS 29", True),
]


@pytest.mark.parametrize(("item", "key", "answer"), COVERS)
def test_covers(item, key, answer):
    assert covers(item, key) is answer


@pytest.mark.parametrize("key", ["", "26", "26:", "26:1 st", "26:1 st0", "kap 26", "26:1aa", "100:1"])
def test_no_provision(key):
    with pytest.raises(LawError):
        provision(key)


def test_every_rule_file_fits_the_schema():
    schema = json.loads((HERE / "rule_format.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in sorted((HERE / "rules").glob("*.yaml")):
        document = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))
        jsonschema.validate(document, schema)


def test_the_schema_refuses_what_the_loader_refuses():
    schema = json.loads((HERE / "rule_format.schema.json").read_text(encoding="utf-8"))
    document = json.loads(json.dumps(yaml.safe_load(GOOD), default=str))
    jsonschema.validate(document, schema)
    for field, value in (("kind", "plikt"), ("ref", "Provlagen 1"), ("okant", 1), ("tier", "hög")):
        wrong = {**document, "rules": [{**document["rules"][0], field: value}]}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_every_rule_waits_for_a_lawyer_and_names_its_statute():
    for path in sorted((HERE / "rules").glob("*.yaml")):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            assert {"reviewed_by", "reviewed_on"} <= set(rule), rule["id"]


def test_an_unknown_rule_has_no_line(folder):
    assert loading.line_of(folder, "finns-inte") == ""


def test_shipped_reads_once():
    assert shipped() is shipped()
    assert Path(HERE, "register", "actors.yaml").exists()
