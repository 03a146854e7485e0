# ruff: noqa: E501
"""The booklet holds every rule; the map holds every step and is sound SVG."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import docx
import pytest

from assistant.grounds import booklet, wording
from assistant.grounds.booklet import booklet_docx, booklet_html, pages
from assistant.grounds.checklist import checklist, shipped_steps
from assistant.grounds.flowmap import place, svg
from assistant.grounds.load import Condition, Selector, shipped
from corpus.passage import Passage

LAW = shipped()
ON = date(2026, 2, 1)
NS = "{http://www.w3.org/2000/svg}"


class World:
    """An index with one provision."""

    def at(self, ref):
        return (0,) if ref == "SFS 2009:400 10 kap. 15 a §" else ()

    def get(self, positions):
        one = Passage("a", "SFS 2009:400 10 kap. 15 a §", "sfs-2009-400", "Lag", "lag", "paragraf", (), "15 a § <Provtext> & mer.", version="SFS 2025:934")
        return tuple(one for _ in positions)


@pytest.fixture(scope="module")
def html():
    return booklet_html(LAW, World())


@pytest.fixture(scope="module")
def small():
    """A law of a few rules, for the slower document."""
    kept = ("osl-10-15a", "lub-7-1", "lub-7-2", "lub-4", "bidragsbrott-6", "osl-10-18c", "sol-19-1-2026", "sapodat-2-17")
    rules = tuple(rule for rule in LAW.rules if rule.id in kept)
    signed = replace(rules[0], reviewed_by="Jurist A", reviewed_on=date(2026, 1, 2))
    return replace(LAW, rules=(signed, *rules[1:]))


# --- the booklet


def test_every_rule_is_in_the_booklet(html):
    for rule in LAW.rules:
        assert f"<p>{rule.id}</p>" in html
    assert html.count('class="rule"') == len(LAW.rules)


def test_each_provision_has_a_page_and_a_line_in_the_contents(html):
    refs = {rule.ref for rule in LAW.rules}
    anchors = re.findall(r'<section class="page" id="([^"]+)">', html)
    assert len(anchors) == len(set(anchors)) == len(refs) + 1
    assert sorted(re.findall(r'<a href="#([^"]+)">', html)) == sorted(anchors)
    assert html.count("<span>Granskad av</span>") == len(refs)
    assert "break-before:page" in html


def test_the_official_words_stand_beside_the_rule_where_they_are_indexed(html):
    assert html.count("<blockquote>") == 1
    assert "15 a § &lt;Provtext&gt; &amp; mer." in html
    assert html.count(booklet.NO_WORDS) == len({rule.ref for rule in LAW.rules}) - 1
    assert "<blockquote>" not in booklet_html(LAW, None)


def test_the_booklet_is_one_file_and_the_same_every_time(html):
    assert html == booklet_html(LAW, World())
    assert not re.search(r'(?:src|href)="(?!#)|@import|url\(', html)
    assert html.startswith("<!doctype html>")
    assert '<html lang="sv">' in html
    ElementTree.fromstring(html.split("\n", 1)[1].replace("<meta charset=\"utf-8\">", "").replace('<meta name="viewport" content="width=device-width, initial-scale=1">', ""))


def test_osl_comes_first_and_paragrafer_in_order():
    listed = [page.title for page in pages(LAW, None)]
    osl = [title for title in listed if title.endswith(" OSL")]
    assert listed[: len(osl)] == osl
    assert osl.index("10 kap. 2 § OSL") < osl.index("10 kap. 15 a § OSL") < osl.index("10 kap. 27 § OSL") < osl.index("15 kap. 3 a § OSL")
    assert [len(page.rules) for page in pages(LAW, None) if page.lagrum.ref == "SFS 2025:170 7 §"] == [2]


def test_a_rule_is_told_in_full():
    by_id = {rule.id: rule for rule in LAW.rules}
    told = {label: " | ".join(values) for label, values in booklet.rows(by_id["osl-10-15a"], LAW)}
    assert told["Slag"] == "Möjlighet"
    assert told["Lämnar"] == told["Tar emot"] == "alla myndigheter"
    assert "brottsförebyggande (P1)" in told["Syften"]
    assert "24 kap. 8 §" in told["Undantar"]
    assert "10 kap. 23 §" in told["Öppna frågor"]
    assert told["Gäller"].startswith("Från 1 december 2025, SFS 2025:934.")
    old = dict(booklet.rows(by_id["skoll-6a-10-2025"], LAW))
    assert " till 1 juli 2026" in old["Gäller"][0]
    assert "slutsats, inte ord i lagen" in " ".join(old["Osäkert"])
    assert "Öppna frågor" not in old


def test_the_word_booklet_has_the_same_pages(small):
    data = booklet_docx(small, World())
    assert data == booklet_docx(small, World())
    document = docx.Document(io.BytesIO(data))
    headings = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    assert headings == ["Innehåll", *(page.title for page in pages(small, None)), "Öppna rättsfrågor"]
    told = "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    for rule in small.rules:
        assert f"Regelns id: {rule.id}" in told
    assert "15 a § <Provtext> & mer." in told
    assert "Granskad av Jurist A 2026-01-02." in told
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        body = packed.read("word/document.xml").decode()
    anchors = set(re.findall(r'w:hyperlink w:anchor="([^"]+)"', body))
    assert anchors == set(re.findall(r'w:bookmarkStart w:id="\d+" w:name="([^"]+)"', body)) == {page.anchor for page in pages(small, None)}


# --- who and when, in words


def test_who_is_said_plainly():
    assert wording.who(Selector(), LAW) == "var och en"
    assert wording.who(Selector(private=True, foreign=True), LAW) == "enskilda, utländska myndigheter"
    told = wording.who(Selector(lists=frozenset({"LUB_2"}), excepted=frozenset({"Tullverket"}), not_activity=frozenset({"skola"})), LAW)
    assert "Polismyndigheten" in told
    assert told.endswith(", inte i verksamheten skola, utom Tullverket")
    assert wording.who(Selector(any=(Selector(authority=True), Selector(private=True))), LAW) == "alla myndigheter eller enskilda"
    assert wording.who(Selector(kinds=frozenset({"kommun"}), activity=frozenset({"skola"})), LAW) == "kommun (alla), i verksamheten skola"


@pytest.mark.parametrize(("condition", "said"), [
    (Condition(fact="narstaende", op="is", value=True), "Riktar sig risken mot en närstående? Svaret ska vara ja."),
    (Condition(fact="niva", op="is", value="misstanke"), "Svaret ska vara misstanke."),
    (Condition(fact="alder", op="below", value=21), "Svaret ska vara under 21."),
    (Condition(fact="alder", op="at_least", value=6), "Svaret ska vara minst 6."),
    (Condition(fact="niva", op="in", value=("misstanke", "kannedom")), "Svaret ska vara något av: misstanke, kannedom."),
    (Condition(any=(Condition(fact="narstaende", op="is", value=True), Condition(fact="alder", op="below", value=3))), " Eller: "),
])  # fmt: skip
def test_conditions_are_said_plainly(condition, said):
    assert said in wording.condition(condition, LAW)


def test_what_shuts_a_rule_is_a_condition_too():
    rule = replace(LAW.rules[0], when=(), unless=(Condition(fact="narstaende", op="is", value=True),))
    assert wording.conditions(rule, LAW) == ("Gäller inte om: Riktar sig risken mot en närstående? Svaret ska vara ja.",)


# --- the map


@pytest.mark.parametrize("name", shipped_steps().ids)
def test_the_map_is_sound_and_holds_every_step(name):
    made = checklist(name, max(ON, min(rule.valid_from for rule in shipped_steps().by_id[name])))
    root = ElementTree.fromstring(svg(made))
    assert root.tag == f"{NS}svg"
    drawn = " ".join(one.text or "" for one in root.iter(f"{NS}text"))
    plain = re.sub(r"\s+", " ", drawn)
    for step in made.steps:
        assert all(word in plain for word in step.question.split())
    assert len(root.findall(f"{NS}path")) == sum(len(made.following(step)) for step in made.steps)
    assert all(step.question in root.find(f"{NS}desc").text for step in made.steps)


@pytest.mark.parametrize("name", ["osl-10-15a", "lub-7", "osl-10-18a"])
def test_no_box_lies_on_another_and_no_line_runs_through_one(name):
    made = checklist(name, ON)
    boxes = place(made, 100)
    by_id = {box.step.id: box for box in boxes}
    for above, below in zip(boxes, boxes[1:], strict=False):
        assert above.bottom < below.y
    for box in boxes:
        for step in made.following(box.step):
            end = by_id[step.id]
            lane = end.column if end.column >= box.column else box.column
            assert not [other for other in boxes if box.number < other.number < end.number and other.column == lane]


def test_the_map_escapes_what_it_draws():
    made = checklist("osl-10-15a", ON)
    steps = tuple(replace(step, question=f"Är <{step.id}> & annat?") for step in made.steps)
    drawn = svg(replace(made, provision='<script> & "', steps=steps))
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn
    assert drawn == svg(replace(made, provision='<script> & "', steps=steps))
