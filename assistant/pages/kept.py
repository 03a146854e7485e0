"""What the window keeps, through the same operations as every other channel: as the person of this session, in the storage they share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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
