"""The person's earlier conversations: the list, the one that is open, which case it is about, and taking it away for good."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from html import escape
from typing import Any

import streamlit as st

from assistant import texts
from assistant.pages import kept, markup
from assistant.pages.kept import Removal
from assistant.pages.markup import Exchange
from assistant.people import Person
from assistant.service import limits, operations, schema
from assistant.service.operations import Service
from assistant.storage.conversations import NotFound
from assistant.types import Answer

FEW = 5  # shown at once: the latest are the ones gone on with
MOST = 50  # as many as the operation lists
OPEN = ("exchanges", "conversation", "case_number", "asked", "asking")  # what the session holds of the conversation on the page
OPENING = 120  # characters of the first question: enough to know it by


# --- asking -----------------------------------------------------------------------------------------------------------


def answered(text: str, on: date) -> Answer:
    """The answer to a question that is kept before it is answered. Started over meanwhile, it goes on with the same question.

    Raises ``problems.TooMany``, and ``StorageError`` or ``NotKept`` when it can't be kept.
    """
    held, who = kept.service(), kept.who()
    if "asking" not in st.session_state:
        limits.question(held.database, who, held.settings.questions_per_minute)
        st.session_state["asking"] = _asked(held, who, text, on)
    answer_id = st.session_state["asking"]
    operations.complete(held, who.id, answer_id)
    return schema.answer(operations.answer(held, who, answer_id).answer or {})


def _asked(held: Service, who: Person, text: str, on: date) -> str:
    """The id of the kept question. The conversation begins with the first one, and anew where it was taken away in another window."""
    if now := st.session_state.get("conversation"):
        with suppress(NotFound):
            return operations.ask(held, who, now, text, on).id
    begun = operations.begin_conversation(held, who)
    st.session_state["conversation"], st.session_state["case_number"] = begun.id, ""
    return operations.ask(held, who, begun.id, text, on).id


# --- the list ---------------------------------------------------------------------------------------------------------


def listed() -> None:
    """Every conversation of the person's, the latest first."""
    st.html(f'<h2 class="ds-try">{texts.TALKS}</h2>')
    try:
        found = operations.list_conversations(kept.service(), kept.who()).conversations
    except Exception as error:
        st.html(markup.notice(texts.TALKS_AWAY.format(reason=kept.reason(error))))
        return
    if not found:
        st.html(f'<p class="ds-muted">{texts.TALKS_NONE}</p>')
    shown = st.session_state.setdefault("talks_shown", FEW)
    for number, one in enumerate(found[:shown], 1):
        _row(number, one)
    if len(found) > shown:
        st.button(texts.MORE, key="talks_more", on_click=_more)
    elif len(found) == MOST:
        st.html(f'<p class="ds-muted">{texts.TALKS_MOST.format(count=MOST)}</p>')


def _more() -> None:
    st.session_state["talks_shown"] += 2 * FEW


def _row(number: int, one: schema.ConversationListed) -> None:
    with st.container(key=f"ds-kept-talk-{number}", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(f'<p class="ds-lead">{escape(_told(one))}</p><p>{number}. {escape(_opening(one.opening))}</p>', width="stretch")
        if not kept.is_asked(REMOVAL, one.id):
            st.button(texts.TALK_OPEN.format(number=number), key=f"talk_open_{one.id}", on_click=_open, args=(one.id,))
        kept.removal(REMOVAL, one.id, texts.TALK_REMOVE_NUMBER.format(number=number), f"talk_remove_{one.id}")


def _told(one: schema.ConversationListed) -> str:
    begun = one.started_at.astimezone()
    case = texts.TALK_CASE.format(number=one.case_number) if one.case_number else ""
    return texts.TALK_BEGUN.format(day=texts.day(begun.date()), time=f"{begun:%H.%M}") + case


def _opening(text: str) -> str:
    """The first words of a conversation, cut between two words."""
    if not text:
        return texts.TALK_WORDLESS
    return text if len(text) <= OPENING else f"{text[:OPENING].rsplit(' ', 1)[0]} …"


def _open(conversation_id: str) -> None:
    """Show a conversation, to go on with it. A question that was never answered, because a process stopped, is answered now."""
    with kept.telling("talk_problem"):
        held, who = kept.service(), kept.who()
        shown = operations.get_conversation(held, who, conversation_id)
        waiting = [one.id for one in shown.turns if one.state == "pending"]
        for answer_id in waiting:
            operations.complete(held, who.id, answer_id)
        if waiting:
            shown = operations.get_conversation(held, who, conversation_id)
        put_away()
        st.session_state["exchanges"] = [_exchange(one, held) for one in shown.turns]
        st.session_state["conversation"], st.session_state["case_number"] = shown.id, shown.case_number
        for name in ("undo", "talk_removing"):
            st.session_state.pop(name, None)


def _exchange(one: schema.TurnShown, held: Service) -> Exchange:
    return markup.exchange(one.text, schema.answer(one.answer or {}), held.desk.index)


# --- the one that is open -----------------------------------------------------------------------------------------------


def about() -> None:
    """Which case the open conversation is about, and taking it away."""
    now = st.session_state.get("conversation")
    if not now:
        return
    with st.expander(texts.TALK_ABOUT, key="talk_about"):  # a label is Markdown: nothing that a person wrote stands in one
        kept.say("talk_problem", "talk_notice")
        with st.form(f"talk_case_form_{now}", border=False):
            field = f"talk_case_{now}"
            st.session_state.setdefault(field, st.session_state.get("case_number", ""))
            st.text_input(texts.CASE_NUMBER, key=field, max_chars=kept.LONGEST_CASE_NUMBER, placeholder=texts.CASE_NUMBER_EXAMPLE)
            st.form_submit_button(texts.CASE_NUMBER_SAVE, on_click=_name_case, args=(now,))
        st.html(f'<p class="ds-muted">{texts.TALK_KEPT}</p>')
        kept.removal(REMOVAL, now, texts.TALK_REMOVE, "talk_remove")


def _name_case(conversation_id: str) -> None:
    number = (st.session_state.get(f"talk_case_{conversation_id}") or "").strip()
    if refused := kept.refused(number):
        st.session_state[f"talk_case_{conversation_id}"] = ""
        st.session_state["talk_problem"] = refused
        return
    with kept.telling("talk_problem"):
        operations.set_case_number(kept.service(), kept.who(), conversation_id, number)
        st.session_state["case_number"] = number
        st.session_state["talk_notice"] = texts.CASE_NUMBER_SAVED


def put_away() -> dict[str, Any]:
    """Leave the open conversation, so that a new one can begin; gives what ``st.session_state.update`` brings it back with."""
    return {name: st.session_state.pop(name) for name in OPEN if name in st.session_state}


# --- taking one away --------------------------------------------------------------------------------------------------


def _remove(conversation_id: str) -> None:
    with suppress(NotFound):  # taken away in another window meanwhile: what was wanted
        operations.delete_conversation(kept.service(), kept.who(), conversation_id)
    if st.session_state.get("conversation") == conversation_id:
        put_away()
    if (st.session_state.get("undo") or {}).get("conversation") == conversation_id:
        del st.session_state["undo"]  # what is taken away doesn't come back by another door


REMOVAL = Removal("talk", texts.TALK_REMOVE_SURE, texts.TALK_STAYS, texts.TALK_REMOVED, _remove)
