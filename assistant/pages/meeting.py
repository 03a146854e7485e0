"""A meeting with several: each ordered pair found on its own, shown as a matrix and pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import streamlit as st

from assistant import texts
from assistant.grounds.case import Case, Finding
from assistant.grounds.find import find
from assistant.grounds.load import Law
from assistant.pages import fields, findings, markup
from assistant.pipeline import Desk

MOST = 6


@dataclass(frozen=True)
class Pair:
    """One who gives, one who gets, and what the finder says of it."""

    case: Case
    finding: Finding

    @property
    def outcome(self) -> tuple[str, str, str]:
        return findings.outcome(self.case, self.finding)


def show(opened: Desk) -> None:
    """The tab, from top to bottom."""
    st.html(markup.paragraphs(texts.MEETING_INTRO))
    names = fields.actors(opened.law)
    who: list[str] = st.multiselect(texts.MEETING_WHO, list(names), format_func=names.__getitem__, placeholder=texts.ACTOR_CHOOSE,
                                    max_selections=MOST, key="meeting_who", filter_mode="contains", select_all=False,
                                    persist_state="session")
    if len(who) < 2:
        st.html(markup.notice(texts.MEETING_FEW))
        return
    _form(who, opened.law)
    told: dict[str, Any] | None = st.session_state.get("meeting")
    if told is None or told["who"] != who:
        return
    pairs = found(told, opened.law)
    st.html(f'<h2 tabindex="-1" data-step="meeting-{told["turn"]}">{texts.MEETING_MATRIX}</h2>{matrix(who, pairs)}')
    for number, ((sender, recipient), pair) in enumerate(pairs.items()):
        heading = texts.PAIR.format(sender=fields.capital(sender), recipient=fields.capital(recipient), outcome=pair.outcome[0])
        folded = st.expander(heading, key=f"meeting_pair_{number}", on_change="rerun")
        if folded.open:
            with folded:
                _pair(pair, opened, number)


def _form(who: list[str], law: Law) -> None:
    with st.form("meeting_form", border=True):
        fields.purpose(texts.MEETING_PURPOSE, "meeting_purpose", law)
        with st.container(horizontal=True, gap="large"):
            fields.mode(texts.MEETING_MODE, "meeting_mode", texts.MEETING_MODES)
            fields.day("meeting_date")
        for name, called in ((one, fields.capital(one)) for one in who):
            left, right = st.columns([1.6, 1], gap="medium")
            with left:
                fields.secrecy(texts.MEETING_SECRECY.format(name=called), f"meeting_secrecy_{name}", law)
            with right:
                fields.purpose(texts.MEETING_OWN_PURPOSE.format(name=called), f"meeting_purpose_{name}", law, texts.MEETING_SAME)
        st.form_submit_button(texts.MEETING_SHOW, type="primary", on_click=_filled, args=(who,))


def _filled(who: list[str]) -> None:
    kept = st.session_state
    chosen: date | None = kept.get("meeting_date")
    kept["meeting"] = {
        "who": list(who), "mode": kept.get("meeting_mode"), "date": chosen.isoformat() if chosen else None,
        "secrecy": {name: list(kept.get(f"meeting_secrecy_{name}") or []) for name in who},
        "purpose": {name: kept.get(f"meeting_purpose_{name}") or kept.get("meeting_purpose") for name in who},
        "turn": (kept.get("meeting") or {"turn": 0})["turn"] + 1,
    }


def found(told: dict[str, Any], law: Law) -> dict[tuple[str, str], Pair]:
    """The finding of every ordered pair: what one may give another says nothing of the other way round."""
    pairs = {}
    for sender in told["who"]:
        for recipient in told["who"]:
            if sender != recipient:
                case = Case.from_json({"sender_actor": sender, "recipient_actor": recipient, "secrecy": told["secrecy"][sender],
                                       "purpose_code": told["purpose"][sender], "mode": told["mode"], "date": told["date"],
                                       "datum_public": False}, law)
                pairs[sender, recipient] = Pair(case, find(case, law))
    return pairs


def matrix(who: list[str], pairs: dict[tuple[str, str], Pair]) -> str:
    """Senders as rows, recipients as columns; each cell says the outcome in words."""
    head = "".join(f'<th scope="col">{escape(fields.capital(name))}</th>' for name in who)
    rows = "".join(f'<tr><th scope="row">{escape(fields.capital(name))}</th>'
                   f'{"".join(_cell(pairs.get((name, other))) for other in who)}</tr>' for name in who)
    return (f'<div class="ds-wide" tabindex="0" role="group" aria-label="{texts.MEETING_MATRIX}"><table class="ds-table"><thead><tr>'
            f'<td class="ds-muted">{texts.MEETING_CORNER}</td>{head}</tr></thead><tbody>{rows}</tbody></table></div>')


def _cell(pair: Pair | None) -> str:
    if pair is None:
        return f'<td class="ds-muted">{texts.MEETING_SELF}</td>'
    short, tone, _ = pair.outcome
    return f"<td>{markup.badge(short, tone)}</td>"


def _pair(pair: Pair, opened: Desk, number: int) -> None:
    if pair.finding.missing:
        st.html(f'<div class="ds-callout"><strong>{texts.FACTS_HEADING}</strong>'
                f'{findings.items(one.question for one in pair.finding.missing)}</div>')
    if not findings.unknown(pair.case):
        findings.show(pair.case, pair.finding, opened.law, opened.index, f"pair{number}")
    st.button(texts.PAIR_OPEN, key=f"pair_open_{number}", on_click=_opened, args=(pair.case,))


def _opened(case: Case) -> None:
    """Fill the form of the first tab with the pair, and show it there."""
    kept = st.session_state
    for name in ("sender_actor", "recipient_actor", "purpose_code", "mode", "date"):
        kept[f"share_{name}"] = getattr(case, name)
    kept["share_secrecy"], kept["share_datum_public"] = list(case.secrecy), False
    base = {name: kept[f"share_{name}"] for name in ("sender_actor", "recipient_actor", "purpose_code", "mode", "secrecy", "datum_public")}
    kept["share"], kept["share_extra"] = {**base, "date": case.date.isoformat() if case.date else None}, {}
    kept["share_turn"] = kept.get("share_turn", 0) + 1
    kept["share_tabs"] = texts.SHARE_TABS[0]
