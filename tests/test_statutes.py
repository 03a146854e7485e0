"""Reading statutes: the made-up one for each trap, and the invariants on every official statute at hand."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from corpus import lagrum, statutes, temporal
from corpus.layout import Kind
from tests.conftest import OFFICIAL

WORLD = Path(__file__).parent / "data" / "world"
BEFORE, AFTER = date(2026, 2, 28), date(2026, 3, 1)


@pytest.fixture(scope="module")
def cykel():
    return statutes.read_json(WORLD / "sfs-2099-10.json")


def at(source, ref, on):
    return [p for p in source.passages if p.ref == f"SFS 2099:10 {ref}" and p.applies(on)]


def test_a_wrapped_reference_is_no_paragraf(cykel):
    (passage,) = at(cykel, "1 kap. 1 §", BEFORE)
    assert "1 och 2 §§ utan att betala." in passage.text
    assert [p.ref for p in cykel.passages if p.zone == "paragraf" and p.applies(BEFORE)] == [
        "SFS 2099:10 1 kap. 1 §", "SFS 2099:10 1 kap. 2 §", "SFS 2099:10 2 kap. 1 §"]


def test_the_wording_changes_on_the_day_and_not_before(cykel):
    assert "inom en vecka" in at(cykel, "2 kap. 1 §", BEFORE)[0].text
    assert "två veckor" in at(cykel, "2 kap. 1 §", AFTER)[0].text
    assert not at(cykel, "2 kap. 1 a §", BEFORE)
    assert at(cykel, "2 kap. 1 a §", AFTER)[0].headings[-1] == "Avgift"


def test_what_the_government_has_yet_to_date_is_not_in_force(cykel):
    assert not any("delas mellan kommuner" in p.text for p in cykel.passages)


def test_markers_are_not_part_of_the_text(cykel):
    assert not any("/" in p.text for p in cykel.passages)


def test_transitional_rules_are_passages_of_their_own(cykel):
    (rule,) = [p for p in cykel.passages if p.zone == "övergång"]
    assert "lånats före ikraftträdandet" in rule.text
    assert rule.version == "SFS 2099:30"


def test_stycken_and_punkter_have_exact_spans(cykel):
    (passage,) = at(cykel, "1 kap. 2 §", BEFORE)
    found = [(part.stycke, part.punkt, passage.text[part.start:part.end]) for part in passage.parts]
    assert found == [(1, None, "Kommunen ska hålla"), (1, "1", "1. cyklar för barn,"), (1, "2", "2. cyklar för vuxna, och"),
                     (1, "3", "3. hjälmar."), (2, None, "Hjälmar behövs inte för den som\nhar fyllt nittio år.")]


def test_a_wording_applies_from_the_day_its_amendment_took_effect(cykel):
    assert at(cykel, "1 kap. 2 §", BEFORE)[0].valid_from == date(2022, 7, 1)
    assert at(cykel, "1 kap. 1 §", BEFORE)[0].valid_from == date(2020, 1, 1)


def test_markdown_keeps_the_list_inside_its_paragraf_and_reads_links_by_their_text():
    source = statutes.read_markdown(WORLD / "sfs-2099-11.md")
    refs = [p.ref for p in source.passages]
    assert refs == ["SFS 2099:11 1 §", "SFS 2099:11 2 §"]
    assert "- badhus." in source.passages[0].text
    assert "5 kap. 3 § plankalendern (2099:99)" in source.passages[0].text
    assert "1-3 §§ till trots" in source.passages[1].text


@pytest.mark.parametrize(("content", "reason"), [
    ("{", "inte läsbar JSON"), ("[]", "ingen författning"), ('{"beteckning": "2099:1", "fulltext": null}', "texten saknas"),
    (('{"beteckning": "2099:1", "upphavdDateTime": "2001-01-01T00:00:00", "fulltext": {"uppdateradDateTime": "2025-01-01T00:00:00", '
      '"forfattningstext": "1 § Detta är en lag som inte gäller längre, och det ska synas."}}'), "upphävd 2001-01-01"),
])
def test_what_is_no_statute_in_force_is_refused_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "sfs.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(statutes.StatuteError, match=reason):
        statutes.read_json(path)


@pytest.mark.parametrize(("head", "reason"), [
    ("beteckning: 1980:100\nrubrik: Sekretesslag", "upphävd"), ("rubrik: Utan nummer", "SFS-nummer"),
    ("beteckning: 2098:1\nrubrik: Tom", "texten saknas"),
    (('beteckning: 2098:2\nrubrik: X\nandringsforfattningar:\n  - beteckning: "2099:1"\n'
      '    rubrik: "Lag (2099:1) om upphävande av lagen (2098:2)"'),
     "upphävd")])
def test_markdown_that_must_not_be_cited_is_refused_with_the_reason(tmp_path, head, reason):
    path = tmp_path / "sfs.md"
    body = "" if "Tom" in head else "\n### 1 §\n\nEn text som är lång nog för att räknas som en brödtext.\n"
    path.write_text(f"---\n{head}\n---\n{body}", encoding="utf-8")
    with pytest.raises(statutes.StatuteError, match=reason):
        statutes.read_markdown(path)


# --- every official statute at hand ---------------------------------------------------------------------------------

pytestmark_days = [date(2025, 12, 16), date(2026, 1, 1), date(2026, 1, 15), date(2026, 3, 1), date(2028, 7, 1)]


def _json_texts():
    for path in sorted((OFFICIAL / "sfs_json").glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        text = ((data.get("fulltext") or {}).get("forfattningstext") or "").replace("\r\n", "\n")
        if text.strip():
            yield path.name, text


@pytest.mark.shared
def test_invariants_hold_on_every_official_statute():
    count, wrong = 0, []
    for name, text in _json_texts():
        count += 1
        for on in (date(2025, 12, 20), date(2026, 7, 1)):
            whole = temporal.in_force(text, on)
            found = statutes.segments(whole)
            if "".join(segment.text for segment in found) != whole:
                wrong.append((name, on, "joined segments differ from the text"))
            last: dict[str | None, tuple[int, str]] = {}
            for segment in found:
                if segment.kind is Kind.KAPITEL:
                    last.pop(segment.kapitel, None)
                if segment.kind is not Kind.PARAGRAF:
                    continue
                key = lagrum.order(segment.paragraf)
                body = re.sub(r"^\d+(?: ?[a-zåäö]{1,2})? ?§\s+", "", segment.text.strip())
                if key <= last.get(segment.kapitel, (0, "")):
                    wrong.append((name, segment.kapitel, segment.paragraf, "numbers do not ascend"))
                if body.startswith("§ samt") or segment.text.rstrip().endswith(","):
                    wrong.append((name, segment.kapitel, segment.paragraf, "torn text"))
                last[segment.kapitel] = key
    assert count >= 430
    assert wrong == []


@pytest.fixture(scope="module")
def osl():
    return statutes.read_json(OFFICIAL / "sfs_json" / "sfs-2009-400.json")


@pytest.mark.shared
@pytest.mark.parametrize("on", pytestmark_days)
def test_osl_has_no_duplicated_paragraf_on_any_day(osl, on):
    refs = Counter(p.ref for p in osl.passages if p.zone == "paragraf" and p.applies(on))
    assert [ref for ref, count in refs.items() if count > 1] == []
    assert len(refs) > 600


@pytest.mark.shared
@pytest.mark.parametrize("where", ["10 kap. 15 a §", "10 kap. 16 §", "10 kap. 17 §", "34 kap. 2 §", "35 kap. 8 §"])
def test_osl_has_the_paragrafer_that_naive_parsers_lose(osl, where):
    assert any(p.ref == f"SFS 2009:400 {where}" and p.applies(date(2025, 12, 16)) for p in osl.passages)


@pytest.mark.shared
def test_15_a_exists_from_1_december_2025_and_not_the_day_before(osl):
    (passage,) = [p for p in osl.passages if p.ref == "SFS 2009:400 10 kap. 15 a §"]
    assert not passage.applies(date(2025, 11, 30))
    assert passage.applies(date(2025, 12, 1))
    assert [part.punkt for part in passage.parts if part.punkt] == ["1", "2", "3", "4", "5"]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "count"), [("sfs-2025-170", 8), ("sfs-2024-307", 4)])
def test_lub_has_8_and_luffa_4_paragrafer(name, count):
    source = statutes.read_markdown(OFFICIAL / "sfs_md" / f"{name}.md")
    assert len([p for p in source.passages if p.zone == "paragraf"]) == count


@pytest.mark.shared
def test_the_list_of_authorities_stands_inside_lub_5():
    source = statutes.read_markdown(OFFICIAL / "sfs_md" / "sfs-2025-170.md")
    (five,) = [p for p in source.passages if p.ref == "SFS 2025:170 5 §"]
    assert five.text.count("\n- ") == 21
    assert "utlandsmyndigheterna" in five.text


@pytest.mark.shared
def test_damaged_markdown_is_named_and_not_quotable():
    source = statutes.read_markdown(OFFICIAL / "sfs_md" / "sfs-2017-630.md")
    assert any("skadad text" in note for note in source.notes)
    assert not any(re.search(r"direktiv \d{4}EU", p.text) for p in source.passages)
    assert any(p.ref == "SFS 2017:630 4 a kap. 3 §" for p in source.passages)
