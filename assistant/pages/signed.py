"""Who is at the other end of this session, as the sign-on said; and what they may do here."""

from __future__ import annotations

from html import escape

import streamlit as st

from assistant import texts
from assistant.pages import markup
from assistant.people import LOCAL, Operation, Person, may
from assistant.service import signon
from assistant.settings import Settings

NEEDS = {  # what a page is for; a page that isn't here is nobody's
    "chat": Operation.ASK, "share": Operation.FIND_GROUNDS, "assessment": Operation.ASSESS, "sources": Operation.READ_SOURCES,
    "review": Operation.REVIEW, "about": Operation.READ_SOURCES,
}


def person() -> Person | None:
    """The person, asked anew at every step: a session that is over or signed out ends in an open window too. None: nobody is signed in.

    Without sign-on there is one person, on this machine. With it only what our own middleware sealed is believed, so that a window
    started past it (`streamlit run`) lets nobody in.
    """
    settings = Settings()
    if settings.identity == "off":
        return LOCAL
    held = signon.unsealed(st.context.headers.get(signon.HEADER) or "", signon.secret(settings), "window", settings)
    if held is None:
        return None
    if st.session_state.setdefault("signed_in", held.id) != held.id:  # another person in the same window gets nothing of the former's
        st.session_state.clear()
        st.session_state["signed_in"] = held.id
    return held.person(settings)


def allowed(who: Person, name: str) -> bool:
    """Whether the person may have a page."""
    return name in NEEDS and may(who, NEEDS[name])


def nobody() -> None:
    """What is shown where nobody is signed in, or no longer."""
    st.session_state.clear()
    st.html(f'{markup.alert(texts.SIGNED_OUT)}<p><a href="/signon/login" target="_self">{texts.SIGN_IN}</a></p>')


def shown(who: Person) -> None:
    """Who one is, and the way out; nothing where there is no sign-on."""
    if Settings().identity == "off":
        return
    out = f' · <a href="/signon/logout" target="_self">{texts.SIGN_OUT}</a>' if Settings().identity == "oidc" else ""
    st.html(f'<span class="ds-muted">{escape(who.name)}{out}</span>', width="content")
