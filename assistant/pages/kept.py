"""What the window keeps, through the same operations as every other channel: as the person of this session, in the storage they share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from assistant import guard, texts
from assistant.grounds import checklist as lists
from assistant.pages import markup, parts, signed
from assistant.people import Forbidden, Person
from assistant.service import operations, problems
from assistant.service import texts as told
from assistant.service.operations import Service
from assistant.settings import Settings
from assistant.storage import database
from assistant.storage.conversations import NotFound
from assistant.storage.database import Database, StorageError
from assistant.storage.gate import NotKept
from assistant.storage.retention import Rule

LONGEST_CASE_NUMBER = 80


def service() -> Service:
    """What the operations work with. Raises ``StorageError`` when the database can't be had."""
    settings = Settings()
    return Service(parts.opened(), _shared(settings.database), settings)


def _opened(url: str) -> Database:
    return database.opened(url)


_shared = st.cache_resource(show_spinner=False)(_opened)  # one for all sessions; an error isn't remembered, so the next step tries again


def who() -> Person:
    """The person of this session. Raises ``Forbidden`` where it is over meanwhile; the frame says so as well."""
    person = signed.person()
    if person is None:
        raise Forbidden(texts.SIGNED_OUT)
    return person


# --- what goes wrong --------------------------------------------------------------------------------------------------


def reason(error: Exception) -> str:
    """Why it couldn't be done, in Swedish and without a word of what was to be kept."""
    if isinstance(error, StorageError | NotKept | Forbidden | problems.TooMany | problems.Refused | problems.NotNow):
        return str(error)
    return told.NOT_FOUND[""] if isinstance(error, NotFound) else parts.trouble(error)


@contextmanager
def telling(name: str) -> Iterator[None]:
    """What goes wrong in here is said where the page looks for ``name``."""
    try:
        yield
    except Exception as error:
        st.session_state[name] = reason(error)


def say(problem: str, notice: str) -> None:
    """What the last press of a button has to say."""
    if said := st.session_state.pop(problem, ""):
        st.html(markup.alert(said))
    if said := st.session_state.pop(notice, ""):
        say_here(said, uuid.uuid4().hex)


def say_here(said: str, occasion: str, width: Literal["stretch", "content"] = "stretch") -> None:
    """A notice that gets the focus, once an occasion: the button that led to it is often gone."""
    st.html(f'<p class="ds-notice" role="status" tabindex="-1" data-step="{escape(occasion)}">{escape(said)}</p>', width=width)


def refused(case_number: str) -> str:
    """Why a case number isn't kept, or nothing."""
    refusal = guard.check(case_number) if case_number else None
    kind = "namn" if guard.names_person(case_number) else refusal.kind if refusal else ""
    return texts.CASE_NUMBER_REFUSED.format(kind=texts.CASE_NUMBER_KINDS.get(kind, kind)) if kind else ""


# --- taking away ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Removal:
    """How a kind of kept thing is taken away for good: after a question, and with a word of how it went."""

    name: str  # what the session's own keys and the buttons' begin with
    sure: str  # the question
    stays: str  # said when the answer is no
    removed: str  # said when it is gone
    act: Callable[[str], None]  # takes away the one with this id


def is_asked(kind: Removal, kept_id: str) -> bool:
    """Whether the person is being asked about this one."""
    return bool(st.session_state.get(f"{kind.name}_removing") == kept_id)


def removal(kind: Removal, kept_id: str, label: str, key: str) -> None:
    """The button that takes a thing away, and once it is pressed the question in its place."""
    if not is_asked(kind, kept_id):
        st.button(label, key=key, on_click=_ask, args=(kind, kept_id))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        say_here(kind.sure, st.session_state[f"{kind.name}_asked"], "content")
        st.button(texts.REMOVE_FOR_GOOD, key=f"{kind.name}_remove_yes", type="primary", on_click=_remove, args=(kind, kept_id))
        st.button(texts.REMOVE_NOT, key=f"{kind.name}_remove_no", on_click=_stay, args=(kind,))


def _ask(kind: Removal, kept_id: str) -> None:
    st.session_state[f"{kind.name}_removing"], st.session_state[f"{kind.name}_asked"] = kept_id, uuid.uuid4().hex


def _stay(kind: Removal) -> None:
    st.session_state.pop(f"{kind.name}_removing", None)
    st.session_state[f"{kind.name}_notice"] = kind.stays


def _remove(kind: Removal, kept_id: str) -> None:
    with telling(f"{kind.name}_problem"):
        kind.act(kept_id)
        st.session_state[f"{kind.name}_notice"] = kind.removed
    st.session_state.pop(f"{kind.name}_removing", None)


# --- how long ---------------------------------------------------------------------------------------------------------


def how_long() -> tuple[str, ...]:
    """How long each kind of thing is kept, by which decision, and how it goes away."""
    try:
        rules = {rule.kind: rule for rule in operations.how_long(service(), who())}
    except Exception as error:
        return (texts.KEPT_UNKNOWN.format(reason=reason(error)),)
    return tuple(_until(name, kind, rules.get(kind)) for kind, name in texts.KEPT_KINDS.items())


def _until(name: str, kind: str, rule: Rule | None) -> str:
    if rule is None:
        return texts.KEPT_UNDECIDED[kind].format(name=name)
    return texts.KEPT_DAYS[kind].format(name=name, days=texts.amount(rule.days), decision=rule.decision)


# --- the address ------------------------------------------------------------------------------------------------------


def addressed() -> bool:
    """Take up the checklist that the page's address names; whether there was one. It is the only thing an address may say here, and it is
    taken out of it, so that a reload goes on rather than begins again."""
    name = st.query_params.get("checklist")
    if name is None:
        return False
    st.query_params.clear()
    if name in lists.shipped_steps().ids:
        st.session_state["handoff"] = {"checklist": name, "prefill": {}, "confirmed": True}
    else:
        st.session_state["assess_problem"] = texts.ASSESS_NO_SUCH
    return True
