# ruff: noqa: E501
"""The record: the same bytes for the same input, valid JSON, nothing personal let through, and a document one can file."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import docx
import jsonschema
import pytest

from assistant.grounds import paper, protocol, wording
from assistant.grounds.case import Case
from assistant.grounds.checklist import ChecklistError, Reply, answer, checklist, state
from assistant.grounds.find import find
from assistant.grounds.load import shipped
from assistant.grounds.protocol import PersonalData, assessment, from_json, identity_warnings, to_docx, to_json
from corpus.passage import Passage

LAW = shipped()
WHEN = datetime(2026, 2, 1, 10, 15)
SCHEMA = json.loads((Path(protocol.__file__).parent / "protocol.schema.json").read_text(encoding="utf-8"))
CASE = {
    "date": "2026-02-01", "sender": "Enheten för kontroll", "sender_actor": "Försäkringskassan", "recipient": "Skatteverket",
    "recipient_actor": "Skatteverket", "datum": "Att någon verkar arbeta vid sidan av ersättningen", "datum_public": False,
    "datum_subject": "fysisk person", "secrecy": ["28:1"], "purpose": "Kontroll av avgifter", "purpose_code": "P4", "mode": "own",
    "facts": {"massutlamnande": False, "alder": 40, "purpose_overlap": ["P5"]},
}  # fmt: skip
NUMBER = "19121212-1212"  # the well-known test number


class World:
    """An index of one provision, in two wordings, and a note."""

    def __init__(self):
        ref = "SFS 2009:400 10 kap. 15 a §"
        statute = Passage("a", ref, "sfs-2009-400", "Sekretesslagen", "lag", "paragraf", (), "15 a § Provtext.", valid_from=date(2025, 12, 1), version="SFS 2025:934")
        self.passages = (
            replace(statute, id="n", kind="not", text="En not."),
            replace(statute, id="b", text="Kommande ord.", valid_from=date(2027, 1, 1)),
            statute,
        )

    def at(self, ref):
        return tuple(n for n, one in enumerate(self.passages) if one.ref == ref)

    def get(self, positions):
        return tuple(self.passages[n] for n in positions)


def walked(made, wanted=(), reason="Skälen är dessa."):
    given, wanted = {}, dict(wanted)
    while (step := state(made, given).next) is not None:
        value = wanted.get(step.id) or next((one.value for one in step.answers if one.to not in ("jurist", "behover_mer")), "")
        given = answer(made, given, step.id, value, reason)
    return state(made, given)


def record(wanted=(), case=CASE, index=None, **more):
    law_case = Case.from_json(case, LAW)
    done = walked(checklist("osl-10-15a", date(2026, 2, 1)), {"sekretess": "absolut", **dict(wanted)})
    told = {"who": "Handläggare", "when": WHEN, "diarienummer": "2026/123", **more}
    return assessment("DS-1", law_case, find(law_case, LAW), done, LAW, index=index, **told)


def words(data):
    """All text of a document, tables included."""
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


# --- same input, same bytes


@pytest.mark.parametrize("write", [to_json, to_docx])
def test_the_same_assessment_is_the_same_bytes(write):
    assert write(record(index=World())) == write(record(index=World()))
    assert write(record()) != write(record(who="Någon annan"))


def test_the_document_holds_no_clock_and_no_order_of_its_own():
    with zipfile.ZipFile(io.BytesIO(to_docx(record()))) as packed:
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = packed.namelist()
        assert names == ["[Content_Types].xml", *sorted(names[1:])]
        core = packed.read("docProps/core.xml").decode()
    assert "2026-02-01T10:15:00Z" in core
    assert "Delningsstöd" in core


# --- JSON


@pytest.mark.parametrize("wanted", [{}, {"behov": "nej"}, {"minimering": "vet_inte"}, {"skyddade": "ja", "skyddade-jurist": "nej"}])
def test_json_follows_the_schema_and_comes_back(wanted):
    made = record(wanted, index=World())
    text = to_json(made)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert from_json(text) == made
    assert to_docx(from_json(text)) == to_docx(made)


def test_a_record_without_a_case_is_a_record_too():
    done = walked(checklist("lub-4", date(2026, 2, 1)), {"sekretess": "absolut"})
    made = assessment("DS-2", Case(), None, done, LAW, who="Handläggare", when=WHEN)
    jsonschema.validate(json.loads(to_json(made)), SCHEMA)
    assert from_json(to_json(made)) == made
    told = words(to_docx(made))
    assert "Inga uppgifter om ärendet är ifyllda." in told
    assert "Grunder som har prövats" not in told
    assert "Lagtext" not in told
    assert "Anges vid registrering" in told


def test_the_schema_refuses_what_is_not_a_record():
    data = json.loads(to_json(record()))
    for wrong in ({**data, "extra": 1}, {**data, "outcome": {**data["outcome"], "code": "kanske"}}, {k: v for k, v in data.items() if k != "who"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_a_record_that_was_changed_afterwards_is_refused():
    data = json.loads(to_json(record()))
    with pytest.raises(ValueError, match="har ändrats sedan det skrevs"):
        from_json(json.dumps({**data, "who": "Någon annan"}))
    with pytest.raises(ValueError, match="har ändrats"):
        from_json(json.dumps({**data, "schema": "annat"}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x"}', '{"sha256": "x", "schema": "y", "smak": 1}'])
def test_what_is_not_a_record_is_refused(text):
    with pytest.raises(ValueError, match="protokollet går inte att läsa"):
        from_json(text)


def test_the_record_names_versions_and_quotes_the_law():
    made = record(index=World())
    assert [(one.text, one.version) for one in made.quotes] == [("15 a § Provtext.", "SFS 2025:934")]
    assert made.version == checklist("osl-10-15a", date(2026, 2, 1)).version
    assert [(one.id, one.sfs, one.reviewed_by) for one in made.rules] == [("osl-10-15a", "2025:934", None)]
    assert made.law_as_of == LAW.as_of
    assert record().quotes == ()


def test_an_unfinished_assessment_is_no_record():
    with pytest.raises(ChecklistError, match="inte klar"):
        assessment("DS-3", Case(), None, state(checklist("lub-4", date(2026, 2, 1)), {}), LAW, who="H", when=WHEN)


def test_only_the_test_that_was_asked_is_recorded():
    made = checklist("lub-7", date(2026, 2, 1))
    asked = assessment("DS-4", Case(), None, walked(made, {"sekretess": "absolut", "lub7-stycke": "eget"}), LAW, who="H", when=WHEN)
    assert [one.test for one in asked.directions] == ["overvagande_skal_mot_allm"]
    stopped = assessment("DS-5", Case(), None, walked(made, {"lub7-rektor": "nej"}), LAW, who="H", when=WHEN)
    assert len(stopped.directions) == 2


# --- identity numbers


@pytest.mark.parametrize("field", ["who", "diarienummer"])
def test_an_identity_number_in_a_field_stops_the_record(field):
    made = record(**{field: f"Se {NUMBER}"})
    assert len(identity_warnings(made)) == 1
    for write in (to_json, to_docx):
        with pytest.raises(PersonalData, match="personnummer") as stopped:
            write(made)
        assert NUMBER not in str(stopped.value)
        assert stopped.value.warnings == identity_warnings(made)
        assert write(made, acknowledged=True)


def test_an_identity_number_in_reasons_and_case_is_found():
    done = walked(checklist("osl-10-15a", date(2026, 2, 1)), {"sekretess": "absolut"}, f"Gäller {NUMBER}.")
    case = Case.from_json({**CASE, "datum": f"Lön för {NUMBER}"}, LAW)
    warned = identity_warnings(assessment("DS-6", case, None, done, LAW, who="H", when=WHEN))
    assert "Uppgift: texten innehåller ett personnummer." in warned
    assert any(one.startswith("Skälen till «") for one in warned)
    assert NUMBER not in " ".join(warned)


def test_an_ordinary_record_warns_of_nothing():
    assert identity_warnings(record()) == ()


# --- the document


def test_the_document_says_what_an_authority_files():
    told = words(to_docx(record(index=World())))
    for said in (
        "Bedömning inför utlämnande av uppgift", "Uppgiften kan lämnas", "Ärendet", "Enheten för kontroll (Försäkringskassan)",
        "28 kap. 1 §", "Kontroll av avgifter", "På eget initiativ", "Grunder som har prövats", "Öppen", "Stängd", "LUFFA 2 §", "Prövningen",
        "Utgångsläget är att uppgiften får lämnas", "Väger det jämnt", "Frågor, svar och skäl", "Skälen är dessa.", "Lagtext",
        "15 a § Provtext.", "Underskrift", "2026/123", "1 februari 2026 kl. 10.15", "Stöd för bedömning – beslutet fattas av dig", "Regeln är inte granskad av jurist.",
        "Bilaga: listor som visades", "25 kap. 8 §", "Namnförtydligande",
    ):  # fmt: skip
        assert said in told, said
    for one in record().answers:
        assert one.question in told
        assert one.answer in told


def test_the_document_lists_what_is_to_be_found_out():
    told = words(to_docx(record({"minimering": "vet_inte"})))
    assert "Mer behöver utredas först" in told
    assert "Gå igenom vad som behövs, uppgift för uppgift." in told


def test_a_stop_without_lists_has_no_annex():
    done = state(checklist("osl-10-27", date(2026, 2, 1)), {})
    made = checklist("lub-4", date(2026, 2, 1))
    given = answer(made, {}, "parter", "nej")
    short = assessment("DS-7", Case(), None, state(made, given), LAW, who="H", when=WHEN)
    assert "Bilaga" in words(to_docx(short))
    bare = replace(short, answers=tuple(replace(one, points=(), lagrum=()) for one in short.answers))
    assert "Bilaga" not in words(to_docx(bare))
    assert done.outcome is None


def test_warnings_of_the_finder_and_a_reviewed_rule_are_shown():
    made = record()
    shown = replace(made, warnings=("Tänk på detta.",), rules=tuple(replace(one, reviewed_by="Jurist A") for one in made.rules))
    told = words(to_docx(shown))
    assert "Tänk på detta." in told
    assert "Granskad av Jurist A." in told


def test_odd_characters_do_not_break_the_record():
    made = replace(record(), who="Hand\x00läggare \ud800 \x0b <b>&amp;</b>")
    assert "Handläggare   <b>&amp;</b>" in words(to_docx(made))
    assert json.loads(to_json(made))["who"] == "Handläggare   <b>&amp;</b>"
    to_json(made).encode()
    assert paper.clean("a\tb\nc\x07") == "a\tb\nc"


def test_answers_from_an_older_checklist_are_not_recorded_as_answers():
    made = checklist("lub-4", date(2026, 2, 1))
    given = {**answer(made, {}, "parter", "nej"), "borttaget-steg": Reply("ja")}
    assert [one.step for one in assessment("DS-8", Case(), None, state(made, given), LAW, who="H", when=WHEN).answers] == ["parter"]


# --- the law in words


def test_secrecy_keys_are_written_as_lawyers_write_them():
    written = {"26:1a st1": "26 kap. 1 a § första stycket", "25:1-8": "25 kap. 1–8 §§", "15-20": "15–20 kap.", "PSL 6:12": "PSL 6 kap. 12 §",
               "LSS 29": "LSS 29 §"}  # fmt: skip
    assert {item: wording.key(item) for item in written} == written
    assert wording.ref_of("26:1a st1") == "SFS 2009:400 26 kap. 1 a §"
    assert wording.ref_of("PSL 6:12") == "SFS 2010:659 6 kap. 12 §"
    assert wording.ref_of("LSS 29") == "SFS 1993:387 29 §"
    assert wording.secrecy("99:1", LAW) == "99 kap. 1 §"
    assert wording.label("OSL 10 kap. 15 a § andra stycket") == "OSL 10 kap. 15 a § andra stycket"


def test_facts_are_read_as_words():
    rows = dict(protocol.in_words(Case.from_json({**CASE, "facts": {"massutlamnande": True, "okänd": "ja", "purpose_overlap": ["P5", "P1"]}}, LAW), LAW))
    assert rows["Andra uppgifter"].splitlines() == [
        "Ska uppgifter om många lämnas rutinmässigt? Ja.",
        "Okänd: Ja.".replace("Okänd", "okänd"),
        "Kan syftet också vara något av de andra syftena? P5, P1.",
    ]
    assert protocol.side("", None) == ""
    absolute = dict(protocol.in_words(Case.from_json({**CASE, "secrecy": ["27:1"]}, LAW), LAW))
    assert "(absolut)" in absolute["Sekretess"]
