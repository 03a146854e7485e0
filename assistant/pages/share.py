"""«Får jag dela?»: a case in a form, the grounds in order with why and why not; and a meeting, pair by pair."""

from __future__ import annotations

from typing import Any

import streamlit as st

from assistant import texts
from assistant.grounds.case import QUESTIONS, Case, Missing
from assistant.grounds.find import find
from assistant.grounds.load import Law
from assistant.pages import fields, findings, markup, meeting, parts
from assistant.pipeline import Desk

BASE = ("sender_actor", "recipient_actor", "secrecy", "datum_public", "purpose_code", "mode", "date")


def page() -> None:
    """The page, from top to bottom."""
    opened = parts.opened()
    st.html(f'<h1>{texts.PAGES["share"]}</h1><p>{texts.SHARE_INTRO}</p>')
    one, several = st.tabs(texts.SHARE_TABS, key="share_tabs", on_change="rerun")
    with one:
        _one(opened)
    with several:
        meeting.show(opened)


def _one(opened: Desk) -> None:
    _form(opened.law)
    base: dict[str, Any] | None = st.session_state.get("share")
    if base is None:
        st.html(markup.notice(texts.SHARE_EMPTY))
        return
    extra: dict[str, Any] = st.session_state.setdefault("share_extra", {})
    case = findings.case_of(base, extra, opened.law)
    finding = find(case, opened.law)
    st.html(f'<h2 tabindex="-1" data-step="share-{st.session_state["share_turn"]}">{texts.FINDING}</h2>')
    lacking = findings.unknown(case)
    if lacking:
        empty = findings.items(one.question for one in finding.missing if one.field in lacking)
        st.html(f'<div class="ds-callout ds-grave" role="alert"><strong>{texts.FILL_IN}</strong>{empty}</div>')
    asked = fields.asked(finding.missing, opened.law)
    if asked:
        _questions(case, asked, extra, opened.law)
    if not lacking:
        findings.show(case, finding, opened.law, opened.index, "one")
        how = st.expander(texts.TRACE.format(count=len(finding.trace)), key="share_trace", on_change="rerun")
        if how.open:
            how.html(findings.trace(finding, opened.law))
    if extra and not asked:
        _questions(case, (), extra, opened.law)


# --- the form ---------------------------------------------------------------------------------------------------------


def _form(law: Law) -> None:
    with st.form("share_form", border=True):
        left, right = st.columns(2, gap="medium")
        with left:
            fields.actor(texts.SENDER, "share_sender_actor", law)
        with right:
            fields.actor(texts.RECIPIENT, "share_recipient_actor", law)
        fields.secrecy(texts.SECRECY, "share_secrecy", law)
        st.checkbox(texts.IS_PUBLIC, key="share_datum_public", persist_state="session")
        fields.purpose(texts.PURPOSE, "share_purpose_code", law)
        with st.container(horizontal=True, gap="large"):
            fields.mode(texts.MODE, "share_mode", texts.MODES)
            fields.day("share_date")
        with st.container(horizontal=True):
            st.form_submit_button(texts.SHOW_GROUNDS, type="primary", on_click=_filled)
            st.form_submit_button(texts.ANOTHER_CASE, on_click=_emptied)


def _filled() -> None:
    """Keep the case. What was answered beside it stays while the two parties do."""
    told = {name: st.session_state.get(f"share_{name}") for name in BASE}
    base = {**told, "date": told["date"].isoformat() if told["date"] else None}
    before = st.session_state.get("share") or {}
    if any(base[name] != before.get(name) for name in ("sender_actor", "recipient_actor")):
        st.session_state["share_extra"] = {}
    st.session_state["share"] = base
    st.session_state["share_turn"] = st.session_state.get("share_turn", 0) + 1


def _emptied() -> None:
    for name in BASE:
        st.session_state.pop(f"share_{name}", None)
    for name in ("share", "share_extra"):
        st.session_state.pop(name, None)


# --- what the finder asks for -----------------------------------------------------------------------------------------


def _questions(case: Case, asked: tuple[Missing, ...], extra: dict[str, Any], law: Law) -> None:
    """The missing facts as questions; what has been answered stays, to be changed."""
    kept = tuple(Missing(name, law.facts[name].question) for name in extra if name in law.facts)
    kept += tuple(Missing(name, QUESTIONS[name]) for name in extra if name in fields.PARTIES)
    with st.form("share_facts", border=True):
        st.html(f'<h3 class="ds-next">{texts.FACTS_HEADING}</h3><p>{texts.FACTS_WHY}</p>' if asked else
                f'<h3 class="ds-next">{texts.FACTS_ANSWERED}</h3>')
        told: dict[str, Any] = {}
        for one in dict.fromkeys((*kept, *asked)):
            if one.field != "stycke":
                told[one.field] = fields.fact(one, extra, law, f"share_fact_{one.field}")
        narrowed = [item for item in extra if item in st.session_state["share"]["secrecy"]]
        wanted = fields.stycken(case, law) if any(one.field == "stycke" for one in asked) else []
        for item in (*narrowed, *wanted):
            told[item] = fields.stycke(item, extra.get(item), f"share_stycke_{item}")
        if st.form_submit_button(texts.ANSWER_FACTS, type="primary"):
            st.session_state["share_extra"] = {name: value for name, value in told.items() if value is not None}
            st.session_state["share_turn"] += 1
            st.rerun()


page()
