"""What is kept, in a real browser: found after a reload and in another browser, gone on with, taken away for good."""

from __future__ import annotations

import re

import pytest

from assistant import texts
from tests import test_chat_browser as chat

pytestmark = chat.pytestmark
home, address, browser = chat.home, chat.address, chat.browser
QUESTION = "Vad säger 10 kap. 27 § OSL om giraffer?"


@pytest.fixture
def another(browser, address):
    """Opens the window in a browser of its own, with nothing from before."""
    contexts = []

    def open_at(path=""):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="sv-SE")
        context.set_default_timeout(chat.ANSWER)
        contexts.append(context)
        page = context.new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(f"{address}/{path}")
        return page

    yield open_at
    for context in contexts:
        assert [page.wrong for page in context.pages] == [[]]
        context.close()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def has_focus(page, words: str) -> None:
    page.wait_for_function("words => document.activeElement.textContent === words", arg=words)


def answer(page, reason: str) -> None:
    before = page.locator("[data-step]").first.get_attribute("data-step")
    page.get_by_role("radio").first.check(force=True)
    page.get_by_role("textbox", name=re.compile("^Skäl")).fill(reason)
    press(page, texts.ASSESS_NEXT)
    page.wait_for_function("before => document.querySelector('[data-step]')?.dataset.step !== before", arg=before)


def test_a_conversation_is_gone_on_with_after_a_reload_and_from_another_browser_and_taken_away(another, home):
    page = another()
    page.get_by_text(texts.TALKS_NONE).wait_for()
    chat.ask(page, QUESTION)
    page.get_by_text(texts.TALK_ABOUT).click()
    page.get_by_label(texts.CASE_NUMBER).fill("S 2026/123")
    press(page, texts.CASE_NUMBER_SAVE)
    page.get_by_text(texts.CASE_NUMBER_SAVED).wait_for()
    for later in (page, another()):
        later.reload()
        later.get_by_text(re.compile("dnr S 2026/123")).wait_for()
        press(later, texts.TALK_OPEN.format(number=1))
        later.locator(".ds-question").filter(has_text=QUESTION).wait_for()
        assert not re.search("[?#]", later.url)
    chat.ask(later, "Och 10 kap. 28 § OSL?")
    assert b"giraffer" in b"".join(path.read_bytes() for path in (home / "data").rglob("*") if path.is_file())
    later.get_by_text(texts.TALK_ABOUT).click()
    press(later, texts.TALK_REMOVE)
    has_focus(later, texts.TALK_REMOVE_SURE)
    press(later, texts.REMOVE_NOT)
    has_focus(later, texts.TALK_STAYS)
    press(later, texts.TALK_REMOVE)
    has_focus(later, texts.TALK_REMOVE_SURE)
    later.keyboard.press("Tab")
    later.keyboard.press("Enter")
    has_focus(later, texts.TALK_REMOVED)
    later.get_by_text(texts.TALKS_NONE).wait_for()
    assert b"giraffer" not in b"".join(path.read_bytes() for path in (home / "data").rglob("*") if path.is_file())


def test_an_assessment_begun_from_an_address_is_saved_and_a_change_elsewhere_loses_nothing(another):
    page = another("assessment?checklist=osl-10-15a")
    page.get_by_role("radio").first.wait_for()
    assert "?" not in page.url
    answer(page, "Båda är myndigheter.")
    other = another("assessment")
    other.get_by_text("1 av högst").wait_for()
    press(other, texts.SAVED_GO_ON.format(number=1))
    other.get_by_role("radio").first.wait_for()
    answer(other, "Ett skäl i den andra.")
    answer(page, "Ett skäl i den första.")
    page.get_by_role("alert").filter(has_text=texts.SAVED_CHANGED_MEANWHILE).wait_for()
    press(page, texts.SAVED_AS_OWN)
    press(page, texts.SAVED_LATER)
    page.get_by_text(texts.SAVED_FOR_LATER).wait_for()
    page.get_by_text("2 av högst").nth(1).wait_for()
    for _ in range(2):
        press(page, texts.SAVED_REMOVE_NUMBER.format(number=1))
        press(page, texts.REMOVE_FOR_GOOD)
        page.get_by_text(texts.SAVED_REMOVED).wait_for()
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.get_by_text(texts.SAVED_NONE).wait_for()
