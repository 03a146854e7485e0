"""From question to protocol in a real browser, by keyboard alone; and «Får jag dela?» the same way."""

from __future__ import annotations

import re
import zipfile

import pytest

from assistant import texts
from tests import test_chat_browser as chat

pytestmark = chat.pytestmark
home, address, browser, visit = chat.home, chat.address, chat.browser, chat.visit
NUMBER = "19121212-1212"
QUESTION = "Får vi på Försäkringskassan tipsa Skatteverket om svart lön?"
IDLE = chat.IDLE
NARROW = "[document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"


def tab_to(page, selector: str, limit: int = 40, key: str = "Tab") -> None:
    """Press Tab until the focus is on what the selector names, on a page that is drawn to its end."""
    page.locator(IDLE).wait_for()
    for _ in range(limit):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reached {selector}; it stopped at {chat.focused(page)}")


def reach(page, words: str, limit: int = 80, key: str = "Tab") -> None:
    """Press Tab until the focus is on a button (or what opens something) that says the words, on a page that is drawn to its end.

    A button that is drawn anew between the focus and the press takes no press; a person who waits for the page never meets that.
    """
    page.locator(IDLE).wait_for()
    said = "words => document.activeElement.matches('button, summary') && document.activeElement.innerText.includes(words)"
    for _ in range(limit):
        if page.evaluate(said, words):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reached «{words}»; it stopped at {chat.focused(page)}")


def press(page, button: str) -> None:
    reach(page, button)
    page.keyboard.press("Enter")


def turned(page, before: str) -> str:
    """Wait for the next page of the checklist, drawn to its end: its heading has the focus."""
    page.wait_for_function("before => (at => at && at !== before)(document.activeElement.dataset.step)", arg=before)
    page.locator(IDLE).wait_for()
    return page.evaluate("document.activeElement.dataset.step")


def choose(page, label: str, words: str) -> None:
    """Pick from a list by keyboard: reach it, type, take the first hit."""
    tab_to(page, f"input[aria-label*='{label}'], [data-testid=stSelectbox]:has(label) input, [data-testid=stMultiSelect] input")
    for _ in range(30):
        if label in page.evaluate("document.activeElement.closest('.stSelectbox, .stMultiSelect')?.innerText || ''"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type(words)
    page.get_by_role("option").filter(has_text=re.compile(re.escape(words), re.I)).first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)


def to_checklist(page) -> str:
    """Ask in the chat, follow the hand-off, confirm each proposal; all by keyboard."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link, to the question
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator("[data-answer]").wait_for()
    page.wait_for_timeout(500)
    press(page, texts.TO_CHECKLIST)
    page.get_by_role("heading", name=texts.ASSESS_CONFIRM).wait_for()
    at = turned(page, "")
    boxes = page.get_by_role("checkbox")
    for number in range(boxes.count()):
        page.keyboard.press("Tab")
        tab_to(page, "input[type=checkbox]", 4)
        page.keyboard.press("Space")
        page.wait_for_timeout(100)
        assert boxes.nth(number).is_checked()
    press(page, texts.ASSESS_CONFIRMED)
    return turned(page, at)


def answer(page, at: str, reason: str) -> str:
    """Answer the question on the page with its first choice, unless one is taken already."""
    tab_to(page, "[role=radiogroup] input")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    tab_to(page, "textarea")
    page.keyboard.press("Control+a")
    page.keyboard.type(reason)
    press(page, texts.ASSESS_NEXT)
    return turned(page, at)


def test_from_question_to_protocol_by_keyboard_alone(visit, tmp_path):
    page = visit()
    at = to_checklist(page)
    assert "?" not in page.url
    reach(page, texts.PROPOSAL_USE)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('textarea')?.value === 'Försäkringskassan lämnar till Skatteverket.'")
    for _ in range(40):
        if not page.locator("[role=radiogroup]").count():
            break
        at = answer(page, at, "Skäl som rör saken.")
    assert page.get_by_role("heading", name="Uppgiften kan lämnas").is_visible()
    assert page.get_by_text(texts.DECIDED_BY_YOU).first.is_visible()
    reach(page, texts.ASSESS_DOCX)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "protokoll.docx")
    words = re.sub(r"<[^>]+>", " ", zipfile.ZipFile(tmp_path / "protokoll.docx").read("word/document.xml").decode())
    assert all(said in words for said in ("Försäkringskassan", "Skatteverket", "Skäl som rör saken.", texts.DISCLAIMER))
    assert page.wrong == []


def test_a_case_is_filled_in_by_keyboard_and_gives_the_grounds_in_order(visit):
    page = visit()
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["share"]).click()
    page.get_by_label(texts.SENDER).wait_for()
    page.wait_for_timeout(500)
    choose(page, texts.SENDER, "Försäkringskassan")
    page.keyboard.press("Tab")
    choose(page, texts.RECIPIENT, "Skatteverket")
    page.keyboard.press("Tab")
    choose(page, texts.SECRECY, "28 kap. 1 §")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    choose(page, texts.PURPOSE, "Upptäcka eller utreda att en förmån")
    tab_to(page, "[role=radiogroup] input")
    page.keyboard.press("ArrowDown")
    page.get_by_role("radio", name=texts.MODES["own"]).press("Space")
    press(page, texts.SHOW_GROUNDS)
    page.locator(".ds-ground").first.wait_for()
    grounds = page.locator(".ds-ground").all_inner_texts()
    assert grounds[0].startswith("1. OSL 10 kap. 15 a §")
    press(page, "Stängda grunder")
    assert "Gäller bara på begäran." in page.locator("details[open] .ds-why").all_inner_texts()[-1]
    reach(page, texts.WEIGH, key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Fråga 1 av högst").wait_for()
    assert page.wrong == []


def test_a_meeting_is_a_matrix_in_words(visit):
    page = visit()
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["share"]).click()
    page.get_by_role("tab", name=texts.SHARE_TABS[1]).click()
    field = page.get_by_label(texts.MEETING_WHO)
    for name in ("Polismyndigheten", "Försäkringskassan"):
        field.fill(name)
        page.get_by_role("option").first.wait_for()
        field.press("Enter")
        page.wait_for_timeout(600)
    field.press("Escape")
    page.get_by_role("button", name=texts.MEETING_SHOW).click()
    page.get_by_role("heading", name=texts.MEETING_MATRIX).wait_for()
    page.locator(".ds-table td .ds-badge").first.wait_for()
    cells = page.locator(".ds-table td .ds-badge").all_inner_texts()
    assert cells == [texts.UNKNOWN[0]] * 2  # nothing said of secrecy, purpose or mode: nothing guessed


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_scrolls_sideways_and_the_way_out_is_always_in_view(visit, width):
    page = visit(width, 700)
    to_checklist(page)
    assert max(page.evaluate(NARROW)) <= width
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(300)
    way_out = page.get_by_role("button", name=texts.ASSESS_LEAVE)
    box = way_out.bounding_box()
    assert 0 <= box["y"] <= 100
    way_out.click()
    page.get_by_role("textbox", name=texts.QUESTION_PLACEHOLDER).wait_for()
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["share"]).click()
    page.get_by_role("button", name=texts.SHOW_GROUNDS).wait_for()
    assert max(page.evaluate(NARROW)) <= width
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["assessment"]).click()
    page.get_by_text(texts.ASSESS_PICK).wait_for()  # the answers are gone: the start is shown
    assert max(page.evaluate(NARROW)) <= width


def test_an_identity_number_in_the_reasons_is_stopped_and_nothing_is_in_english(visit):
    page = visit()
    at = to_checklist(page)
    tab_to(page, "[role=radiogroup] input")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    tab_to(page, "textarea")
    page.keyboard.type(f"Rör {NUMBER}. Resten är allmänt.")
    press(page, texts.ASSESS_NEXT)
    page.get_by_role("alert").filter(has_text="personnummer").wait_for()
    page.wait_for_function("document.querySelector('textarea')?.value === 'Resten är allmänt.'")
    assert NUMBER not in page.content()
    press(page, texts.ASSESS_NEXT)
    turned(page, at)
    seen = page.evaluate("[document.body.innerText, ...[...document.querySelectorAll('[aria-label], [title], [placeholder]')].filter("
                         "e => e.offsetParent).flatMap(e => ['aria-label', 'title', 'placeholder'].map(n => e.getAttribute(n) || ''))]")
    assert [word for word in (*chat.ENGLISH, "progress") if re.search(rf"\b{word}\b", "\n".join(seen))] == []
