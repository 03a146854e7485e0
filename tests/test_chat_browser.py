"""The web window in a real browser, by keyboard and on a narrow screen."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from assistant import desk, texts
from assistant.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
CHROMIUM = Path("/usr/bin/chromium")
NUMBER = "19121212-1212"
ENGLISH = ("Send message", "Press enter", "Deploy", "Main menu", "Feedback", "Copy to clipboard", "Stop", "Running", "Choose", "Select",
           "Skip to", "Upload", "Loading", "Submit", "Clear", "Close")
PLACE = "name => document.querySelector(name).getBoundingClientRect()"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
ANSWER = 60_000  # milliseconds: a ceiling for a machine that others use too, not an expectation

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with an index of the notes and the small world, and room for records."""
    folder = tmp_path_factory.mktemp("browser")
    desk.build(Settings(), [WORLD], folder=folder / "index")
    return folder


@contextlib.contextmanager
def served(home, **settings):
    """The address of the window, served from a process of its own with the index and the data of ``home``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DELNINGSSTOD_INDEX": str(home / "index"), "DELNINGSSTOD_DATA": str(home / "data"),
                   "DELNINGSSTOD_QUESTIONS_PER_MINUTE": "1000", **settings}  # the tests ask as one person
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"],
            cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def address(home):
    with served(home, DELNINGSSTOD_RECORD="true") as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield started
        started.close()


@pytest.fixture
def visit(browser, address):
    """Opens the start page at a size; what was requested and what went wrong is kept on the page object."""
    contexts = []

    def open_at(width=1400, height=900):
        context = browser.new_context(viewport={"width": width, "height": height}, locale="sv-SE")
        context.set_default_timeout(ANSWER)
        contexts.append(context)
        page = context.new_page()
        page.requested, page.wrong = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (page.wrong.append("dialog"), dialog.dismiss()))
        page.goto(address)
        page.get_by_role("heading", name=texts.TRY).wait_for()
        page.get_by_role("textbox", name=texts.QUESTION_PLACEHOLDER).wait_for()  # drawn by a script of its own, a moment later
        return page

    yield open_at
    for context in contexts:
        context.close()


def ask(page, question: str) -> None:
    """Write a question, send it, and wait for its answer, and until the page has been drawn to its end and moved to it."""
    before = page.locator("[data-answer]").count()
    field = page.get_by_role("textbox", name=texts.QUESTION_PLACEHOLDER)
    field.fill(question)
    field.press("Enter")
    page.locator("[data-answer]").nth(before).wait_for()
    settled(page)


def settled(page) -> None:
    """Wait until the page is drawn to its end and has brought what is new into view."""
    page.wait_for_timeout(150)
    page.locator(IDLE).wait_for(timeout=180_000)
    page.wait_for_timeout(250)


def focused(page) -> str:
    return page.evaluate("(e => `${e.tagName} ${e.getAttribute('aria-label') || e.textContent}`)(document.activeElement)")


def press_until(page, key: str, words: str, limit: int = 40) -> None:
    for _ in range(limit):
        if words in focused(page):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reached {words!r}; it stopped at {focused(page)!r}")


def test_by_keyboard_alone_from_skip_link_to_the_source_and_back(visit):
    page = visit()
    assert page.evaluate("document.documentElement.lang") == "sv"
    page.keyboard.press("Tab")
    assert "Hoppa till frågan" in focused(page)
    page.keyboard.press("Enter")
    assert texts.QUESTION_PLACEHOLDER in focused(page)
    press_until(page, "Tab", texts.EXAMPLES[2], 8)
    page.keyboard.press("Enter")
    page.locator(".ds-sources").wait_for()
    page.wait_for_function("document.querySelector('[aria-live]').textContent.startsWith('Svaret är klart')")
    press_until(page, "Tab", "Visa källa 1", 6)
    page.keyboard.press("Enter")
    assert focused(page).startswith("SUMMARY")
    mark = page.locator(".ds-card[open] mark.ds-now")
    assert mark.is_visible()
    assert mark.inner_text().strip()
    page.keyboard.press("Escape")
    assert "Visa källa 1" in focused(page)
    assert page.wrong == []


def test_an_answer_shows_sources_beside_it_and_the_way_to_the_checklist(visit):
    page = visit()
    page.get_by_role("button", name=texts.EXAMPLES[2]).click()
    pane = page.locator(".ds-sources")
    pane.wait_for()
    assert re.search(r"Källor i detta svar \(\d+\) – .*not \d", pane.locator("h3").inner_text())
    assert page.evaluate(f"({PLACE})('.ds-sources').left >= ({PLACE})('.ds-answer').right")
    assert page.get_by_role("button", name=texts.TO_CHECKLIST).is_visible()
    assert page.get_by_text(texts.DISCLAIMER).first.is_visible()


def test_two_citations_open_one_source_at_a_time(visit):
    page = visit()
    page.get_by_role("button", name=texts.EXAMPLES[1]).click()
    page.locator(".ds-sources").wait_for()
    first, last = page.locator(".ds-cite").first, page.locator(".ds-cite").last
    for button in (first, last):
        button.click()
        assert page.locator(".ds-card[open]").count() == 1
        assert page.locator(f"#{button.get_attribute('data-cite')}").is_visible()


def test_copying_says_so_in_swedish(visit):
    page = visit()
    ask(page, "Vad säger 10 kap. 27 § OSL?")
    button = page.locator(".ds-answer [data-copy]")
    text = button.get_attribute("data-copy")
    button.click()
    page.get_by_role("button", name=texts.COPIED).wait_for()
    assert text.startswith("Vad säger 10 kap. 27 § OSL?")
    assert texts.DISCLAIMER in text


def test_an_identity_number_is_stopped_and_found_neither_on_the_page_nor_on_disk(visit, home):
    page = visit()
    ask(page, f"Får jag lämna ut att {NUMBER} har bidrag?")
    page.get_by_text(texts.QUESTION_STOPPED).wait_for()
    assert page.get_by_role("alert").first.is_visible()
    assert NUMBER not in page.content()
    assert NUMBER not in page.evaluate("[...document.querySelectorAll('textarea, input')].map(e => e.value).join(' ')")
    kept = b"".join(path.read_bytes() for part in ("data", "log") for path in [home / part, *(home / part).rglob("*")] if path.is_file())
    assert NUMBER.encode() not in kept


def test_hostile_words_in_a_question_are_only_words(visit):
    page = visit()
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script><a href=javascript:alert(3)>x</a> Vad säger 10 kap. 27 § OSL?"
    ask(page, hostile)
    page.wait_for_timeout(300)
    assert hostile in page.locator(".ds-question").inner_text()
    assert page.locator(".ds-answer img, .ds-answer script, .ds-answer a, .ds-sources img").count() == 0
    assert page.wrong == []


def test_nothing_in_english_and_no_request_to_a_foreign_host(visit, address):
    page = visit()
    seen = []

    def look():
        seen.append(page.evaluate("document.body.innerText"))
        seen.extend(page.evaluate("[...document.querySelectorAll('[aria-label], [title], [placeholder]')].filter(e => e.offsetParent)"
                                  ".flatMap(e => ['aria-label', 'title', 'placeholder'].map(n => e.getAttribute(n) || ''))"))

    look()
    page.get_by_role("button", name="Välj datum").first.click()
    page.wait_for_timeout(300)
    look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=texts.EXAMPLES[0]).click()
    page.locator(".ds-sources").wait_for()
    page.get_by_role("button", name=texts.WRONG).click()
    page.get_by_label(texts.WHAT_WRONG).fill("Prov")
    look()
    for name in ("sources", "about"):
        page.get_by_role("navigation").get_by_role("link", name=texts.PAGES[name]).click()
        page.get_by_role("heading", name=texts.PAGES[name], exact=True).wait_for()
        page.wait_for_timeout(500)
        look()
    assert [word for word in ENGLISH if re.search(rf"\b{word}\b", "\n".join(seen))] == []
    foreign = [url for url in page.requested if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
    assert foreign == []


def test_at_400_percent_zoom_nothing_scrolls_sideways_and_sources_come_below(visit):
    page = visit(320, 600)
    narrow = "[document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"
    assert max(page.evaluate(narrow)) <= 320
    page.get_by_role("button", name=texts.EXAMPLES[2]).click()
    page.locator(".ds-sources").wait_for()
    assert page.evaluate(f"({PLACE})('.ds-sources').top >= ({PLACE})('.ds-answer').bottom")
    page.locator(".ds-cite").first.click()
    assert max(page.evaluate(narrow)) <= 320
    page.wait_for_function(f"(place => place.bottom > 0 && place.top < innerHeight)(({PLACE})('mark.ds-now'))")
    page.get_by_role("button", name=texts.BACK).locator("visible=true").first.click()
    assert "Visa källa" in focused(page)
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["sources"]).click()
    page.get_by_role("heading", name=texts.LISTED).wait_for()
    assert max(page.evaluate(narrow)) <= 320


def test_feedback_thanks_and_a_new_conversation_can_be_undone(visit):
    page = visit()
    ask(page, "Vad säger 10 kap. 27 § OSL?")
    page.get_by_role("button", name=texts.HELPED).click()
    page.get_by_text(texts.THANKS).wait_for()
    page.get_by_role("button", name=texts.NEW_CONVERSATION).click()
    page.get_by_role("heading", name=texts.GREETING).wait_for()
    page.get_by_role("button", name=texts.UNDO).click()
    page.locator("[data-answer]").wait_for()
