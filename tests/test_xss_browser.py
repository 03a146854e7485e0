"""500 hostile texts in every place a text can come from, shown in a real browser: nothing runs, nothing is fetched, all is read as words.

They stand in documents (titles, headings, text, file names), questions, earlier turns, a model's answers, reasons and review files.
"""

from __future__ import annotations

import json
import re
from datetime import date
from html import escape
from pathlib import Path

import pytest

from assistant import desk, pipeline, record, texts
from assistant.grounds import load
from assistant.settings import Settings
from assistant.storage import database
from assistant.types import Question
from corpus import embed, index
from evals import review_files
from evals.review import SAYS, Action, Person, Role
from evals.review_store import Store
from tests import test_accessibility as window
from tests import test_chat_browser as chat
from tests import test_review_browser as review
from tests.data.xss.payloads import HOST, payloads
from tests.misbehaving import Reply, Seen, Server

pytestmark = chat.pytestmark
browser = chat.browser

ALL = payloads()
FLAT = tuple(" ".join(one.split()) for one in ALL)  # as a document keeps them: white space is one space
LONGEST = 3_900  # characters of a question, room left for what makes it one
FRIDA, ANNA, BO = Person("Frida Falk", Role.FORVALTARE), Person("Anna Ek", Role.JURIST), Person("Bo Alm", Role.JURIST)
ITEMS = 10  # answers in the queue to share the texts between

# What a browser was made to do, or could be: what ran, attributes that would run, addresses that would, what points out.
FOUND = """host => {
  const all = [...document.querySelectorAll("*")];
  const bad = (one) => [...one.attributes].filter(({ name, value }) => /^on/i.test(name)
    || (/^(src|srcset|href|xlink:href|action|formaction|data|poster|background|srcdoc|style|content)$/i.test(name)
      && (/^[\\s\\x00-\\x1f]*javascript:/i.test(value.replace(/\\s/g, "")) || /data:text\\/html/i.test(value) || value.includes(host))));
  const told = all.flatMap((one) => bad(one).map(({ name, value }) => `${one.tagName} ${name}=${value.slice(0, 60)}`));
  return [...(window.ran === undefined ? [] : [`ran ${window.ran}`]), ...told,
          ...[...document.querySelectorAll("main :is(script, iframe, object, embed, base, meta, link, form[action], video, audio, math)")]
            .filter((one) => !one.closest(".st-key-ds-script")).map((one) => one.outerHTML.slice(0, 100))];
}"""


def in_parts(most: int, pieces: tuple[str, ...] = ALL) -> list[list[str]]:
    """The texts in parts, none longer than ``most`` when its texts stand on lines of their own."""
    parts: list[list[str]] = [[]]
    for one in pieces:
        if sum(len(other) + 1 for other in parts[-1]) + len(one) > most:
            parts.append([])
        parts[-1].append(one)
    return parts


# --- documents, and an index of them -----------------------------------------------------------------------------------


def write_documents(folder: Path) -> None:
    """Statutes with five texts each in title and words, a document with all as headings and as words, files that can't be read."""
    folder.mkdir()
    for n in range(0, len(FLAT), 5):
        name, said = f"2098:{n // 5 + 1}", " ".join(FLAT[n:n + 5])
        (folder / f"s{n}.json").write_text(json.dumps({
            "beteckning": name, "rubrik": f"Lag ({name}) om cyklar {said}", "ikraftDateTime": "2020-01-01T00:00:00",
            "forfattningstypNamn": "Lag", "upphavdDateTime": None, "andringsforfattningar": [],
            "fulltext": {"andringInford": None, "uppdateradDateTime": "2025-12-16T00:00:00",
                         "forfattningstext": f"1 § Denna lag gäller cyklar som lånas ut. {said}\r\n"}}), encoding="utf-8")
    safe = [escape(one) for one in FLAT]
    body = "".join("".join(f"<h{level}>{one}</h{level}>" for level, one in enumerate(safe[n:n + 5], 2))
                   + "".join(f"<p>Om cyklar. {one}</p>" for one in safe[n:n + 5]) for n in range(0, len(safe), 5))
    (folder / "cyklar.html").write_text(f"<!doctype html><meta charset=utf-8><title>Cykelregister</title><h1>Cykelregister</h1>{body}",
                                        encoding="utf-8")
    for one in FLAT[:100]:
        (folder / f"{one.replace('/', '⁄')[:80]}.pdf").write_bytes(b"nej")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xss")
    write_documents(folder / "papers")
    desk.build(Settings(), [folder / "papers"], folder=folder / "index")
    return folder


@pytest.fixture(scope="module")
def opened(home):
    return index.open_index(index.Settings(home / "index"), embed.encoder())


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the language model is to say: set before each question."""
    return []


@pytest.fixture(scope="module")
def model(said):
    """A language model that repeats hostile words, each in a sentence with a source's words and mark around it."""
    def answer(_: Seen) -> Reply:
        words = " ".join(f"Lagen gäller cyklar som lånas ut {one} [K1]." for one in said)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": words}}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return Reply(json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    with Server(answer) as server:
        yield server


@pytest.fixture(scope="module")
def address(home, model):
    with chat.served(home, DELNINGSSTOD_GOLDEN=str(home / "golden.yaml"), DELNINGSSTOD_RELEASES=str(home / "releases"),
                     DELNINGSSTOD_MODEL_PROVIDER="openai", DELNINGSSTOD_MODEL_NAME="m", DELNINGSSTOD_MODEL_BASE_URL=f"{model.url}/v1",
                     DELNINGSSTOD_QUESTIONS_PER_MINUTE="1000") as url:
        yield url


@pytest.fixture
def visit(browser, address):
    """Opens a page of the window; what was asked for, said in the console or went wrong is kept on the page object."""
    contexts = []

    def open_at(path=""):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="sv-SE")
        context.set_default_timeout(chat.ANSWER)
        contexts.append(context)
        page = context.new_page()
        watched(page)
        page.goto(f"{address}/{path}")
        page.locator("h1").first.wait_for(timeout=180_000)  # the first visit opens the index
        window.settled(page)
        return page

    yield open_at
    for context in contexts:
        context.close()


def watched(page) -> None:
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(f"error {error}"))
    page.on("console", lambda message: page.wrong.append(f"console {message.text}") if re.search(f"{HOST}|top.ran", message.text) else None)
    page.on("dialog", lambda dialog: (page.wrong.append("dialog"), dialog.dismiss()))
    page.on("popup", lambda _: page.wrong.append("a new window"))


def harmless(page, address: str, shown: int = 0) -> None:
    """Nothing ran, nothing was fetched from elsewhere, nothing is there to run or lead out; at least ``shown`` of the texts can be read."""
    window.settled(page)
    assert page.evaluate(FOUND, HOST) == []
    assert page.wrong == []
    assert [url for url in page.asked if not url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))] == []
    assert page.url.startswith(address)
    words = " ".join(page.evaluate("document.querySelector('main').textContent").split())
    assert sum(one in words for one in FLAT) >= shown


# --- the texts themselves ----------------------------------------------------------------------------------------------


def test_the_texts_do_harm_where_nothing_is_escaped(browser):
    """Written out as they are they run, fetch or plant what could: else the rest would prove nothing."""
    assert len(set(ALL)) == 500
    context = browser.new_context()
    context.route("**/*", lambda route: route.abort())
    page = context.new_page()
    watched(page)
    page.set_content("<main></main>")
    harmful = 0
    for one in ALL:
        before = len(page.asked)
        page.evaluate("text => { delete window.ran; document.querySelector('main').innerHTML = text; }", f"<textarea></textarea>{one}")
        harmful += bool(page.evaluate(FOUND, HOST)) or len(page.asked) > before
    context.close()
    assert harmful >= 350, harmful


# --- where they are shown ----------------------------------------------------------------------------------------------


def test_documents_are_words(visit, address, opened):
    held = opened.get(range(len(opened)))
    words = " ".join(" ".join(f"{one.text} {one.title} {' '.join(one.headings)}" for one in held).split())
    assert all(one in words for one in FLAT)
    page = visit("sources")
    for _ in range(4):
        page.get_by_role("button", name=texts.MORE).last.click()
        window.settled(page)
    page.get_by_text(texts.SHOW_LIST).first.click()
    harmless(page, address, 500)
    window.pick(page, "source", "Cykelregister")
    page.locator(".ds-card").first.wait_for()
    for _ in range(3):
        page.get_by_role("button", name=texts.MORE).first.click()
        window.settled(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    harmless(page, address, 500)
    page.get_by_label(texts.PROVISION_FIELD).fill("1 § lagen (2098:7)")
    page.get_by_label(texts.PROVISION_FIELD).press("Enter")
    page.get_by_text(FLAT[30]).first.wait_for()
    page.locator(".st-key-source input").click()  # the titles as choices
    page.get_by_role("option").first.wait_for()
    harmless(page, address)


def test_questions_earlier_turns_and_a_models_answers_are_words(visit, address, said):
    page = visit()
    parts = in_parts(LONGEST)
    for number, part in enumerate(parts, 1):
        said[:] = part
        window.ask(page, f"Vad säger 1 § lagen (2098:{number})? " + "\n".join(part))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    asked = " ".join(" ".join(page.locator(".ds-question").all_inner_texts()).split())
    assert sum(one in asked for one in FLAT) >= 475  # marks that don't show are gone from the rest
    harmless(page, address, 475)
    page.get_by_role("button", name=texts.WRONG).last.click()
    page.get_by_label(texts.WHAT_WRONG).fill("\n".join(parts[0]))
    page.get_by_role("button", name=texts.SEND, exact=True).click()
    page.get_by_text("Tack.").last.wait_for()
    harmless(page, address)
    page.get_by_role("button", name=texts.NEW_CONVERSATION).click()  # what was asked is listed, and shown again when it is opened
    page.get_by_role("heading", name=texts.GREETING).wait_for()
    harmless(page, address)
    page.get_by_role("button", name=texts.TALK_OPEN.format(number=1)).click()
    page.locator("[data-answer]").nth(len(parts) - 1).wait_for()
    harmless(page, address, 475)


def test_the_reasons_of_an_assessment_are_words(visit, address):
    page = visit()
    window.to_checklist(page)
    window.confirm(page)
    for part in in_parts(LONGEST)[:3]:
        before = page.locator("[data-step]").get_attribute("data-step")
        page.locator("main [role=radiogroup] input").first.check(force=True)
        page.locator("textarea").first.fill("\n".join(part))
        page.get_by_role("button", name=texts.ASSESS_NEXT).click()
        page.wait_for_function("before => (at => at && at.dataset.step !== before)(document.querySelector('[data-step]'))", arg=before)
        window.settled(page)
    window.unfold(page)
    harmless(page, address, 80)


def hostile_reviews(folder: Path, opened) -> Path:
    """A review file as another machine would export it: hostile in question, history, report, answer, comments and corrections."""
    question = Question("Vad säger 1 § lagen (2098:1)?", date(2026, 11, 22))
    made = record.plain(pipeline.answer(question, pipeline.Desk(opened, load.shipped())))
    parts = [ALL[n::ITEMS] for n in range(ITEMS)]
    rows = [{"id": f"X{number}", "topic": FLAT[number], "question": "\n".join(part[:30]), "report": "\n".join(part[:15]),
             "history": [{"role": "user", "content": one} for one in part[30:]], "as_of": "2026-11-22", "answer": hostile(made, part)}
            for number, part in enumerate(parts)]
    store = Store(database.opened(f"sqlite:///{folder / 'annan.db'}"))
    done = store.enqueue(rows, "anmält", FRIDA)
    assert (done.added, done.left_out) == (ITEMS, ())
    for item, part in zip(store.items(), parts, strict=True):
        store.act(item.number, FRIDA, Action.ASSIGNED, {"reviewers": [ANNA.name, BO.name]})
        for who, chosen in ((ANNA, 0), (BO, -1)):
            store.act(item.number, who, Action.JUDGED, {
                "citations": {one: "stödjer" for one, _ in item.refs}, "answer": {name: choices[chosen] for name, choices in SAYS.items()},
                "severity": "litet", "comment": "\n".join(part[:25]), "corrected": "\n".join(part[25:])})
    path = folder / "<img src=x onerror=top.ran=1>.jsonl"
    path.write_bytes(review_files.export("jsonl", store.whole(), store.items()))
    return path


def hostile(made: dict, part: tuple[str, ...]) -> dict:
    """An answer with hostile words in every field that is shown."""
    answer = json.loads(json.dumps(made))
    for number, claim in enumerate(answer["claims"]):
        claim["text"] = " ".join(part[number::len(answer["claims"])])
    for number, one in enumerate(answer["citations"]):
        words = " ".join(part[number::len(answer["citations"])])
        answer["citations"][number] = {**one, "label": words, "title": words, "quote": words, "url": f"javascript:top.ran={number}"}
    answer["text_md"] = " ".join(part)
    return answer


def test_a_review_file_taken_in_is_words(visit, address, home, opened):
    file = hostile_reviews(home, opened)
    page = visit("review")
    window.sign_in(page, review.FRIDA, "förvaltare")
    review.go_to(page, "files")
    page.locator("input[type=file]").set_input_files(file)
    page.locator(f"[data-testid=stFileChipName][title='{file.name}']").wait_for()
    page.get_by_role("button", name=texts.REVIEW_IMPORT_BUTTON, exact=True).click()
    page.get_by_text(texts.REVIEW_IMPORTED.format(added=ITEMS * 4, already=0)).wait_for()
    harmless(page, address)
    bad = home / "fel.jsonl"
    bad.write_text("\n".join(json.dumps({"id": one, "händelse": one, one: one}) for one in FLAT[:50]), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(bad)
    page.locator("[data-testid=stFileChipName][title='fel.jsonl']").wait_for()
    page.get_by_role("button", name=texts.REVIEW_IMPORT_BUTTON, exact=True).click()
    page.get_by_role("alert").first.wait_for()
    harmless(page, address)
    review.go_to(page, "queue")
    window.settled(page)
    harmless(page, address)
    page.locator("[class*=st-key-ds-row-] button").first.click()
    for _ in range(ITEMS):
        page.get_by_role("heading", name=texts.REVIEW_BOTH).wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        harmless(page, address, 45)
        onward = page.get_by_role("button", name=texts.REVIEW_NEXT_ITEM)
        if onward.count():
            before = page.locator("[data-step]").get_attribute("data-step")
            onward.click()
            page.wait_for_function("before => document.querySelector('[data-step]')?.dataset.step !== before", arg=before)
            window.settled(page)
    page.get_by_role("button", name=texts.REVIEW_TO_QUEUE).click()
    review.go_to(page, "figures")
    page.locator("[data-testid=stVegaLiteChart]").first.wait_for()
    harmless(page, address)
