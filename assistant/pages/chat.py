"""The chat: a question, its answer, the sources beside it. Questions and answers are kept as the person's own conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from html import escape
from typing import Literal

import streamlit as st

from assistant import guard, pipeline, texts
from assistant.pages import earlier, kept, markup, parts
from assistant.pages.markup import Exchange
from assistant.pipeline import Desk
from assistant.service import operations
from assistant.storage.conversations import NotFound
from assistant.storage.database import StorageError
from assistant.storage.gate import NotKept
from assistant.types import Answer, Question, Status, Turn

EARLIEST, LATEST = date(1990, 1, 1), date(2040, 12, 31)
NEVER_KEPT = (Status.REFUSED_PERSONAL_DATA, Status.ERROR_EMPTY, Status.ERROR_TOO_LONG)
THANKS = {"nothing": texts.THANKS, "question_and_answer": texts.THANKS_QUEUED, "versions_only": texts.THANKS_WORDLESS}


def page() -> None:
    """The page, from top to bottom. The question field keeps its place in it, so that it keeps the focus too."""
    opened = parts.opened()
    if kept.addressed():
        st.switch_page(parts.page_file("assessment"))
    intro, conversation, composer, below = (st.container(key=f"ds-{name}") for name in ("intro", "talk", "ask", "below"))
    with composer:
        written, on = _composer()
    if written:
        _ask(written)
    asked = st.session_state.get("asked")  # kept until it is answered: a change elsewhere on the page may start this page over
    exchanges: list[Exchange] = st.session_state.setdefault("exchanges", [])
    with intro:
        _intro(quiet=bool(exchanges or asked))
        if not exchanges:
            kept.say("talk_problem", "talk_notice")
    with conversation:
        for number in range(len(exchanges)):
            _exchange(exchanges, number, latest=not asked and number == len(exchanges) - 1)
        if asked:
            place = st.empty()
            place.html(markup.notice(texts.WORKING))
            fresh = _answered(asked, on, exchanges, opened)
            for name in ("asked", "asking"):
                st.session_state.pop(name, None)
            if isinstance(fresh, str):
                place.html(markup.alert(fresh))
                st.button(texts.ASK_AGAIN, key="again", on_click=_ask, args=(asked,))
            else:
                exchanges.append(fresh)
                place.empty()
                _exchange(exchanges, len(exchanges) - 1, latest=True)
    with below:
        if exchanges:
            earlier.about()
        else:
            _examples()
            earlier.listed()


# --- asking --------------------------------------------------------------------------------------------------------


def _intro(*, quiet: bool) -> None:
    if quiet:
        st.html(f'<h1 class="ds-hidden">{texts.PAGES["chat"]}</h1>')
        return
    st.html(f'<div class="ds-greeting"><h1>{texts.GREETING}</h1><p>{texts.SCOPE}</p><p><strong>{texts.NO_PERSONAL_DATA}</strong></p></div>')
    if st.session_state.get("undo"):
        with st.container(key="ds-undo", horizontal=True, vertical_alignment="center"):
            st.html(markup.notice(texts.CLEARED), width="content")
            st.button(texts.UNDO, on_click=_undo)


def _composer() -> tuple[str | None, date]:
    """(what was just asked, the day it is asked for)."""
    written = st.chat_input(texts.QUESTION_PLACEHOLDER, key="composer", max_chars=guard.MAX_CHARACTERS)
    with st.container(key="ds-day", horizontal=True, vertical_alignment="center"):
        on = st.date_input(texts.AS_OF, key="as_of", format="YYYY-MM-DD", min_value=EARLIEST, max_value=LATEST, width=280,
                           persist_state="session")
        st.html(f'<p class="ds-muted">{texts.AS_OF_WHY}</p>', width="content")
        if written or any(st.session_state.get(name) for name in ("exchanges", "asked")):
            st.button(texts.NEW_CONVERSATION, key="new", on_click=_clear)
        st.html(f'<p class="ds-always">{texts.DISCLAIMER}</p>', width="content")
    return written, on or date.today()


def _examples() -> None:
    st.html(f'<h2 class="ds-try">{texts.TRY}</h2>')
    for number, example in enumerate(texts.EXAMPLES):
        st.button(example, key=f"example-{number}", on_click=_ask, args=(example,), width="stretch")


def _ask(text: str) -> None:
    st.session_state["asked"] = text
    st.session_state.pop("undo", None)


def _clear() -> None:
    st.session_state["undo"] = earlier.put_away()


def _undo() -> None:
    st.session_state.update(st.session_state.pop("undo", {}))


def _answered(text: str, on: date, exchanges: list[Exchange], opened: Desk) -> Exchange | str:
    """The answer to ``text``, kept in the conversation where it may and can be; or what to say when there is none."""
    try:
        refusal = guard.check_question(text)
        if refusal and refusal.status in NEVER_KEPT:
            return _unkept(text, on, exchanges, opened)
        try:
            return markup.exchange(text, earlier.answered(text, on), opened.index)
        except (StorageError, NotKept, NotFound) as error:
            return replace(_unkept(text, on, exchanges, opened), unkept=kept.reason(error))
    except Exception as error:
        return kept.reason(error)


def _unkept(text: str, on: date, exchanges: list[Exchange], opened: Desk) -> Exchange:
    """An answer for this window alone."""
    answer = pipeline.answer(Question(text, on, _history(exchanges)), replace(opened, record=None))
    return markup.exchange(text, answer, opened.index)


def _history(exchanges: list[Exchange]) -> tuple[Turn, ...]:
    return tuple(turn for one in exchanges if one.question for turn in (Turn("user", one.question), Turn("assistant", one.answer.text_md)))


# --- one answer ----------------------------------------------------------------------------------------------------


def _exchange(exchanges: list[Exchange], number: int, *, latest: bool) -> None:
    one = exchanges[number]
    answer = one.answer
    with st.container(key=f"ds-turn-{number}"):
        left, right = st.columns([1.55, 1], gap="large") if one.sources else (st.container(), None)
        with left:
            st.html(one.opening)
            if one.unkept:
                st.html(markup.alert(texts.NOT_KEPT.format(reason=one.unkept)))
            _next_steps(one, number, latest=latest)
            if not one.unkept and (answer.claims or answer.status is Status.UNANSWERABLE_NO_SOURCE):
                _feedback(answer)
        if right is not None:
            right.html(one.sources)


def _next_steps(one: Exchange, number: int, *, latest: bool) -> None:
    answer = one.answer
    said = [step.text for step in answer.next_steps if step.type in ("contact_lawyer", "rephrase") and step.text not in answer.text_md]
    if not (answer.handoff or said or (latest and answer.missing)):
        return
    if answer.status is not Status.CLARIFICATION_NEEDED:
        st.html(f'<h3 class="ds-next">{texts.NEXT}</h3>{"".join(markup.paragraphs(text) for text in said)}')
    if answer.handoff:
        _handoff(answer, number)
    if latest and answer.missing:
        _complete(one, number)


def _handoff(answer: Answer, number: int) -> None:
    handoff = answer.handoff
    assert handoff is not None
    test = parts.opened().law.tests[handoff.tests[0]].formula
    with st.container(key=f"ds-handoff-{number}", border=True):
        st.html(f'<p class="ds-lead">{escape(", ".join(handoff.provisions))}</p>{markup.paragraphs(texts.HANDOFF)}'
                + markup.paragraphs(texts.TEST.format(test=test)) + markup.paragraphs(texts.PREFILLED))
        if st.button(texts.TO_CHECKLIST, key=f"to-checklist-{number}", type="primary"):
            st.session_state["handoff"] = {"checklist": handoff.checklist, "prefill": dict(handoff.prefill), "missing": handoff.missing}
            st.switch_page(parts.page_file("assessment"))


def _complete(one: Exchange, number: int) -> None:
    """The missing facts as fields; what is filled in is added to the question, and it is asked again."""
    with st.form(key=f"complete-{number}", border=True):
        if one.answer.status is not Status.CLARIFICATION_NEEDED:
            st.html(f'<h3 class="ds-next">{texts.COMPLETE}</h3><p>{texts.COMPLETE_WHY}</p>')
        written = {name: _missing(name, number) for name in one.answer.missing if name in texts.ASK}
        if st.form_submit_button(texts.SEARCH_AGAIN, type="primary"):
            told = {name: value for name, value in written.items() if value}
            if told:
                _ask(_completed(one.question, told))
                st.rerun()
            st.html(markup.alert(texts.FILL_ONE))


def _missing(name: str, number: int) -> str:
    """One missing fact: the usual answers as buttons, and a field for any other, which wins when both are given."""
    label = f"{texts.FIELDS.get(name, name)} – {texts.ASK[name]}"
    usual = texts.USUAL.get(name, ())
    pressed = st.pills(label, usual, key=f"usual-{number}-{name}") if usual else None
    own = st.text_input(f"{texts.FIELDS.get(name, name)} – {texts.WRITE_OWN}" if usual else label, key=f"missing-{number}-{name}",
                        max_chars=200, placeholder=texts.WRITE_OWN if usual else None, label_visibility="collapsed" if usual else "visible")
    return own.strip() or pressed or ""


def _completed(question: str, told: dict[str, str]) -> str:
    way = [f"{word} {told[name]}" for name, word in (("sender", "från"), ("recipient", "till")) if name in told]
    out = [question, f"Uppgiften lämnas {' '.join(way)}." if way else ""]
    out += [f"{texts.FIELDS.get(name, name)}: {value}." for name, value in told.items() if name not in ("sender", "recipient")]
    return " ".join(part for part in out if part)


# --- feedback ------------------------------------------------------------------------------------------------------


def _feedback(answer: Answer) -> None:
    key = f"feedback-{answer.answer_id}"
    state = st.session_state.get(key)
    with st.container(key=f"ds-{key}"):
        if state in THANKS:
            st.html(markup.notice(THANKS[state]))
            return
        with st.container(horizontal=True):
            if st.button(texts.HELPED, key=f"helped-{answer.answer_id}"):
                _store(answer, "helped", "")
            if st.button(texts.WRONG, key=f"wrong-{answer.answer_id}"):
                st.session_state[key] = state = "wrong"
        if state == "wrong":
            with st.form(key=f"why-{answer.answer_id}", border=False):
                reason = st.text_area(texts.WHAT_WRONG, key=f"reason-{answer.answer_id}", height=96)
                st.html(f'<p class="ds-muted">{texts.WRONG_IS_KEPT}</p>')
                if st.form_submit_button(texts.SEND):
                    _store(answer, "wrong", reason or "")


def _store(answer: Answer, verdict: Literal["helped", "wrong"], reason: str) -> None:
    """Keep the verdict. The reason is checked like a question first. What is marked as wrong goes to the legal team, where it may."""
    refused = _refused(reason)
    if refused:
        st.html(markup.alert(refused))
        return
    try:
        stored = operations.give_feedback(kept.service(), kept.who(), answer.answer_id, verdict, reason)
    except Exception as error:
        st.html(markup.alert(texts.FEEDBACK_FAILED.format(reason=kept.reason(error))))
        return
    st.session_state[f"feedback-{answer.answer_id}"] = stored.forwarded
    st.rerun()


def _refused(reason: str) -> str:
    """Why a reason is not kept, or nothing. Words that would steer an answer are harmless here: no one obeys them."""
    if not reason.strip():
        return ""
    refusal = guard.check(reason)
    if refusal and refusal.status is Status.REFUSED_PERSONAL_DATA:
        return texts.REASON_PERSON.format(kind=refusal.kind)
    if refusal and refusal.status is Status.ERROR_TOO_LONG:
        return texts.REASON_LONG.format(limit=guard.MAX_CHARACTERS)
    if refusal and refusal.status is Status.ERROR_INTERNAL:
        return texts.INTERNAL.format(code=refusal.kind)
    return texts.REASON_NAME if guard.names_person(reason) else ""


page()
