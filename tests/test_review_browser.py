"""A whole review round in a real browser: two jurister in two sessions, 20 answers blind, dispute, adjudication, golden cases, files."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from assistant import desk, texts
from assistant.settings import Settings
from assistant.storage import feedback
from assistant.storage.database import opened
from evals import cases, review_files, workbench
from evals.review import Person, Role
from evals.review_store import Store
from tests import test_chat_browser as chat

pytestmark = chat.pytestmark
browser = chat.browser
ANNA, BO, CIA, FRIDA = "Anna Ek", "Bo Alm", "Cia Dahl", "Frida Falk"
DISPUTED = 4  # of the twenty: enough to see a few become cases, few enough to be quick
NARROW = "[document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"
# Answers every question of the form as a mouse would: the first choice of each, but «nej» to the last question on the whole.
PRESS = """wrong => {
  for (const stop of document.querySelectorAll("[class*='st-key-ds-judge-']")) {
    const choices = [...stop.querySelectorAll("input[type=radio]")];
    if (!choices.length) continue;
    const at = stop.className.includes("ds-judge-q4") || (wrong && /ds-judge-(1|q0|severity)( |$)/.test(stop.className)) ? 1 : 0;
    choices[at].click();
  }
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with an index of the notes and the small world, and room for the review."""
    folder = tmp_path_factory.mktemp("review")
    desk.build(Settings(), [chat.WORLD], folder=folder / "index")
    return folder


@pytest.fixture(scope="module")
def address(home):
    """The window, with every file of the review in a folder of its own."""
    note = next(path for path in sorted(workbench.NOTES.rglob("*.md")) if path.name != "README.md")
    (home / "notes").mkdir()
    shutil.copy(note, home / "notes")
    with chat.served(home, DELNINGSSTOD_GOLDEN=str(home / "golden" / "granskade.yaml"), DELNINGSSTOD_RELEASES=str(home / "releases"),
                     DELNINGSSTOD_NOTES=str(home / "notes")) as url:
        yield url


@pytest.fixture
def enter(browser, address):
    """Opens the review in a session of its own, as a person; what went wrong is kept on the page object."""
    contexts = []

    def open_as(name, role, width=1280, height=900):
        context = browser.new_context(viewport={"width": width, "height": height}, locale="sv-SE", accept_downloads=True)
        context.set_default_timeout(chat.ANSWER)
        contexts.append(context)
        page = context.new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(f"{address}/review")
        page.get_by_label(texts.REVIEW_NAME).fill(name)
        page.get_by_text(texts.REVIEW_ROLES[role]).click()
        page.get_by_role("button", name=texts.REVIEW_ENTER).click()
        page.get_by_text(texts.REVIEW_IS.format(name=name, role=role)).wait_for()
        return page

    yield open_as
    for context in contexts:
        context.close()


def store(home):
    return queue(home / "data" / "delningsstod.db")


def queue(path):
    return Store(opened(f"sqlite:///{path}"))


def go_to(page, part):
    page.get_by_role("radio", name=texts.REVIEW_PARTS[part]).click()


def fill_and_assign(page):
    """As a förvaltare: twenty answers into the queue, and both jurister to all of them."""
    page.get_by_role("button", name=texts.REVIEW_FILL).click()
    page.get_by_text("20 svar lades i kön").wait_for(timeout=60_000)
    field = page.locator(".st-key-ds-steward [data-testid=stMultiSelect] input").first
    for name in (ANNA, BO):
        field.fill(name)
        page.get_by_role("option").first.wait_for()
        field.press("Enter")
        page.locator(".st-key-ds-steward").get_by_text(name, exact=True).first.wait_for()
    field.press("Escape")
    page.get_by_role("button", name=texts.REVIEW_ASSIGN_ALL.format(count=20)).click()
    page.get_by_text(texts.REVIEW_ASSIGNED.format(count=20, names=f"{ANNA} och {BO}")).wait_for()


def judge(page, wrong=False):
    """Fill in the form that is open and save it; wait until the next page is there."""
    heading = page.locator("[data-step]")
    before = heading.get_attribute("data-step")
    page.locator(f".st-key-judge-{before.split('-')[1]}-corrected").wait_for()  # the last field of this answer's form
    page.wait_for_function("document.querySelectorAll('[data-testid=stBaseButton-primaryFormSubmit]').length === 1")  # the former is gone
    page.evaluate(PRESS, wrong)
    if wrong:
        page.get_by_label(texts.REVIEW_COMMENT).fill("En annan bestämmelse borde ha citerats.")
    page.get_by_role("button", name=texts.REVIEW_SAVE).click()
    page.wait_for_function("before => document.querySelector('[data-step]')?.dataset.step !== before", arg=before)


def review_all(page, wrong=0):
    """Every answer that waits for the person, one after another; the first ``wrong`` get a fault."""
    page.locator("[class*=st-key-ds-row-] button").first.click()
    for number in range(20):
        judge(page, wrong=number < wrong)
    page.get_by_role("radio", name=texts.REVIEW_PARTS["queue"], exact=True).wait_for()


def settle(page, comment="Den allmänna bestämmelsen bär inte påståendet."):
    """Adjudicate the answer that is open."""
    page.get_by_role("button", name=texts.REVIEW_SETTLE_SAVE).wait_for()
    page.evaluate(PRESS, True)
    page.get_by_label(texts.REVIEW_SETTLE_COMMENT, exact=True).fill(comment)
    chosen = page.locator("[data-testid=stMultiSelect]").filter(has_text=texts.REVIEW_STATUS)
    if not chosen.locator("[data-baseweb=tag], [data-testid=stMultiSelectTag]").count():
        field = chosen.locator("input")
        field.fill(texts.STATUS["answered"])
        page.get_by_role("option").first.wait_for()
        field.press("Enter")
        field.press("Escape")
    page.get_by_role("button", name=texts.REVIEW_SETTLE_SAVE).click()


def open_disputed(page, place=0):
    page.get_by_role("radio", name=texts.REVIEW_FILTERS["disputed"]).click()
    page.locator("[class*=st-key-ds-row-] button").nth(place).click()


def test_without_a_name_and_a_role_nothing_is_shown(browser, address):
    page = browser.new_context(locale="sv-SE").new_page()
    page.set_default_timeout(chat.ANSWER)
    page.goto(f"{address}/review")
    page.get_by_role("button", name=texts.REVIEW_ENTER).click()
    page.get_by_text(texts.REVIEW_ROLE_FIRST).wait_for()
    page.get_by_text(texts.REVIEW_ROLES["jurist"]).click()
    page.get_by_role("button", name=texts.REVIEW_ENTER).click()
    page.get_by_text("ange ett namn").wait_for()
    assert page.get_by_role("radio", name=texts.REVIEW_PARTS["figures"]).count() == 0


def test_a_round_from_queue_to_golden_cases_and_files(enter, home, tmp_path):
    frida = enter(FRIDA, "förvaltare")
    fill_and_assign(frida)
    anna, bo = enter(ANNA, "jurist"), enter(BO, "jurist")
    review_all(anna)

    bo.reload()  # a fresh session asks who one is: nothing of it is kept in the browser
    bo = enter(BO, "jurist")
    bo.locator("[class*=st-key-ds-row-] button").first.click()
    bo.get_by_role("button", name=texts.REVIEW_SAVE).wait_for()
    assert bo.locator("input[type=radio]:checked").count() == 0  # blind: nothing of Anna's is here
    assert texts.REVIEW_BOTH not in bo.content()
    bo.get_by_role("button", name=texts.REVIEW_TO_QUEUE).click()
    review_all(bo, wrong=DISPUTED)
    held = store(home).items()
    assert [str(item.state) for item in held] == ["oeniga"] * DISPUTED + ["eniga"] * (20 - DISPUTED)

    # A third person adjudicates one and makes it a case; one of the two proposes another and the other confirms.
    cia = enter(CIA, "jurist")
    open_disputed(cia)
    settle(cia)
    cia.get_by_role("button", name=texts.REVIEW_MAKE_CASE).click()
    cia.get_by_text(texts.REVIEW_CASE_MADE.format(id="J001")).wait_for()
    open_disputed(anna)
    settle(anna)
    anna.get_by_text(texts.REVIEW_PROPOSAL.format(name=ANNA)).wait_for()
    open_disputed(bo)
    bo.get_by_role("button", name=texts.REVIEW_CONFIRM).click()
    bo.get_by_role("button", name=texts.REVIEW_MAKE_CASE).click()
    bo.get_by_text(texts.REVIEW_CASE_MADE.format(id="J002")).wait_for()
    made = cases.load(home / "golden")
    assert [(one.id, one.reviewed_by) for one in made] == [("J001", CIA), ("J002", f"{ANNA}, {BO}")]
    assert [one.question for one in made] == [item.question for item in held[:2]]

    _figures(frida, store(home))
    _files(frida, home, tmp_path)
    assert [page.wrong for page in (frida, anna, bo, cia)] == [[], [], [], []]


def _figures(page, held):
    """The window's kappa is scikit-learn's, on the same verdicts."""
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*((dict(item.verdicts[0].answer)["korrekt"], dict(item.verdicts[1].answer)["korrekt"]) for item in held.items()),
                        strict=True)
    go_to(page, "figures")
    line = page.locator("tr", has=page.get_by_role("rowheader", name="Korrekt", exact=True)).first
    line.wait_for()
    assert line.inner_text().split("\t")[1:] == ["20", "80\u00a0%", texts.decimal(cohen_kappa_score(first, second))]
    page.locator("[data-testid=stVegaLiteChart]").nth(2).wait_for()


def _files(page, home, folder):
    """Each format comes out, and goes in again: nothing new here, everything in an empty queue."""
    go_to(page, "files")
    for kind in review_files.FORMATS:
        with page.expect_download() as download:
            page.get_by_role("button", name=texts.REVIEW_EXPORT_BUTTON.format(kind=kind.upper())).click()
        path = folder / f"granskning.{kind}"
        download.value.save_as(path)
        good, wrong = review_files.read(path.name, path.read_bytes())
        other = queue(folder / f"{kind}.db")
        added, _, bad = other.take_in(good, Person("Frida Falk", Role.FORVALTARE), path.name)
        assert (wrong, bad, added) == ([], (), len(store(home).whole()))
        assert other.items() == store(home).items()
        assert [(event.id, answer) for event, answer in other.whole()] == [(event.id, answer) for event, answer in store(home).whole()]
    page.locator("input[type=file]").set_input_files(folder / "granskning.xlsx")
    page.get_by_text("granskning.xlsx").first.wait_for()
    page.get_by_role("button", name=texts.REVIEW_IMPORT_BUTTON, exact=True).click()
    page.get_by_text(texts.REVIEW_IMPORTED.format(added=0, already=len(good))).wait_for()
    lines = (folder / "granskning.jsonl").read_text(encoding="utf-8").split("\n")
    forged = json.dumps({**json.loads(lines[0]), "fråga": "Något helt annat?"})
    (folder / "fel.jsonl").write_text("\n".join([forged, *lines[1:], " " * 1_500_000]), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(folder / "fel.jsonl")
    page.get_by_text("fel.jsonl").first.wait_for()
    page.get_by_role("button", name=texts.REVIEW_IMPORT_BUTTON, exact=True).click()
    page.get_by_text("Rad 1: raden är ändrad efter exporten.").wait_for()


def test_keys_choose_and_move_but_not_while_writing_and_can_be_turned_off(enter, home):
    held = store(home)
    frida = Person(FRIDA, Role.FORVALTARE)
    number = next(item.number for item in held.items() if str(item.state) == "eniga")
    body = json.loads(next(answer for event, answer in held.whole() if event.case == held.item(number).case and answer))
    held.enqueue([{"id": "T001", "topic": "prov", "question": "Hur blir det med tangenterna?", "as_of": "2026-11-22", "answer": body}],
                 "tangenter", frida)
    held.act(held.items()[-1].number, frida, "tilldelad", {"reviewers": [ANNA, BO]})
    page = enter(ANNA, "jurist")
    page.locator("[class*=st-key-ds-row-] button").first.click()
    page.get_by_role("button", name=texts.REVIEW_SAVE).wait_for()
    page.locator("[data-keys=on]").wait_for()
    page.wait_for_function("document.activeElement.dataset.step")
    checked = "number => [...document.querySelectorAll(`.st-key-ds-judge-${number} input[type=radio]`)].findIndex(one => one.checked)"
    page.keyboard.press("j")
    page.keyboard.press("3")
    page.wait_for_function(f"({checked})('1') === 2")
    if page.evaluate("!!document.querySelector('.st-key-ds-judge-2')"):
        page.keyboard.press("j")
        page.keyboard.press("1")
        page.wait_for_function(f"({checked})('2') === 0")
        page.keyboard.press("k")
        page.keyboard.press("2")
        page.wait_for_function(f"({checked})('1') === 1")
    comment = page.get_by_label(texts.REVIEW_COMMENT)
    comment.click()
    page.keyboard.type("jk 12345")
    assert comment.input_value() == "jk 12345"
    page.get_by_text(texts.REVIEW_KEYS_ON).click()
    page.locator("[data-keys=off]").wait_for()
    page.locator(".st-key-ds-judge-1 input[type=radio]").first.focus()
    page.keyboard.press("4")
    page.wait_for_timeout(300)
    assert page.evaluate(f"({checked})('1')") != 3
    assert page.wrong == []


def test_what_is_wrong_in_the_chat_lands_in_the_queue_with_its_reason_and_not_when_it_names_somebody(enter, address, home):
    page = enter(FRIDA, "förvaltare")
    for question in ("Vad säger 10 kap. 27 § OSL?", "Statsminister Anna Svensson har sagt att generalklausulen ändras, vad gäller"):
        page.goto(address)
        chat.ask(page, question)
        page.get_by_role("button", name=texts.WRONG).click()
        page.get_by_text(texts.WRONG_IS_KEPT).wait_for()
        page.get_by_label(texts.WHAT_WRONG).fill("Fel stycke citeras.")
        page.get_by_role("button", name=texts.SEND, exact=True).click()
        page.get_by_text("Tack.").first.wait_for()
    assert page.get_by_text(texts.THANKS_WORDLESS).is_visible()
    with store(home).database.reading() as db:
        held = feedback.reported(db)
    assert ["answer" in one for one in held] == [True, False]
    assert "Svensson" not in str(held)
    page = enter(FRIDA, "förvaltare")
    page.get_by_text(texts.REVIEW_WORDLESS.format(count=1)).wait_for()
    page.get_by_role("button", name=texts.REVIEW_REPORTED.format(count=1)).click()
    page.get_by_text("1 svar lades i kön").wait_for()
    page.get_by_role("radio", name=texts.REVIEW_FILTERS["unassigned"]).click()
    page.get_by_role("button", name="Vad säger 10 kap. 27 § OSL?").click()
    page.get_by_text(texts.REVIEW_REPORT.format(reason="Fel stycke citeras.")).wait_for()


def test_an_approved_version_is_shown_in_about(enter, home):
    page = enter(FRIDA, "förvaltare")
    go_to(page, "release")
    page.get_by_label(texts.REVIEW_RELEASE_VERSION).fill("0.9")
    page.get_by_label(texts.REVIEW_RELEASE_LIMITS).fill("Gäller inte domstolar.\nÄldre lydelser saknas.")
    page.get_by_role("button", name=texts.REVIEW_RELEASE_BUTTON).click()
    page.get_by_text(texts.REVIEW_RELEASED.format(version="0.9")).wait_for()
    front = yaml.safe_load((home / "releases" / "0.9.md").read_text(encoding="utf-8").split("---\n")[1])
    assert (front["approved_by"], front["limits"][1]) == (FRIDA, "Äldre lydelser saknas.")
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["about"]).click()
    page.get_by_role("heading", name=texts.PAGES["about"], exact=True).wait_for()
    page.get_by_text(f"Version 0.9, godkänd av {FRIDA}").wait_for()
    assert page.get_by_text("Gäller inte domstolar.").is_visible()


def test_a_jurist_reads_a_note_beside_the_law_and_signs_it(enter, home):
    page = enter(ANNA, "jurist")
    go_to(page, "papers")
    page.locator(".st-key-review_paper_kind input").click()
    page.get_by_role("option", name=texts.REVIEW_PAPER_KINDS["not"]).click()
    field = page.locator(".st-key-review_paper_not input")
    field.click()
    page.get_by_role("option").first.click()
    page.get_by_role("heading", name=texts.LAW_TEXT).wait_for()
    page.get_by_role("button", name=texts.REVIEW_SIGN, exact=True).click()
    note = next((home / "notes").glob("*.md"))
    page.get_by_text(texts.REVIEW_SIGNED.format(id=note.stem)).wait_for()
    assert f'reviewed_by: "{ANNA}"' in note.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [400, 320])
def test_on_a_narrow_screen_nothing_scrolls_sideways_and_nothing_is_in_english(enter, width):
    page = enter(CIA, "jurist", width, 800)
    seen = []

    def look():
        page.wait_for_timeout(300)
        seen.append(page.evaluate("document.body.innerText"))
        seen.extend(page.evaluate("[...document.querySelectorAll('[aria-label], [title], [placeholder]')].filter(e => e.offsetParent)"
                                  ".flatMap(e => ['aria-label', 'title', 'placeholder'].map(n => e.getAttribute(n) || ''))"))
        assert max(page.evaluate(NARROW)) <= width

    look()
    open_disputed(page)
    page.get_by_role("button", name=texts.REVIEW_SETTLE_SAVE).wait_for()
    look()
    page.get_by_role("button", name=texts.REVIEW_TO_QUEUE).click()
    for part in ("figures", "papers"):
        go_to(page, part)
        page.wait_for_timeout(700)
        look()
    page.get_by_role("button", name=texts.REVIEW_CHANGE).click()
    page.get_by_label(texts.REVIEW_NAME).fill(FRIDA)
    page.get_by_text(texts.REVIEW_ROLES["förvaltare"]).click()
    page.get_by_role("button", name=texts.REVIEW_ENTER).click()
    for part in ("files", "release"):
        page.get_by_role("radio", name=texts.REVIEW_PARTS[part]).wait_for()
        go_to(page, part)
        page.wait_for_timeout(700)
        look()
    found = {word: [text for text in seen if re.search(rf"\b{word}\b", text)] for word in chat.ENGLISH}
    assert {word: texts for word, texts in found.items() if texts} == {}
    assert page.wrong == []


def test_every_field_of_the_form_has_a_name_and_the_guidelines_stay_in_view(enter):
    page = enter(CIA, "jurist")
    open_disputed(page)
    page.get_by_role("button", name=texts.REVIEW_SETTLE_SAVE).wait_for()
    nameless = page.evaluate("""() => [...document.querySelectorAll('[data-testid=stForm] :is(textarea, input, [role=radiogroup])')]
        .filter(one => one.type !== 'radio' && !one.ariaLabel && !one.getAttribute('aria-labelledby') && !one.labels?.length)
        .map(one => one.outerHTML.slice(0, 120))""")
    assert nameless == []
    page.get_by_role("button", name=texts.REVIEW_SETTLE_SAVE).scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.get_by_role("region", name=texts.REVIEW_GUIDELINES).bounding_box()
    assert 0 <= box["y"] < 60
