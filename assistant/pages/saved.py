"""Saved assessments: kept after each answer, listed on the start page, gone on with from any window, and taken away for good."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from html import escape
from typing import Literal

import streamlit as st

from assistant import texts
from assistant.grounds import checklist as lists
from assistant.grounds import ongoing
from assistant.grounds.load import Law
from assistant.grounds.ongoing import Ongoing
from assistant.pages import findings, kept, markup, parts
from assistant.pages.kept import Removal
from assistant.service import operations
from assistant.storage.assessments import Conflict, Saved
from assistant.storage.conversations import NotFound

FEW = 5
MOST = 50  # as many as the operation lists
CHANGED, GONE = "changed", "gone"  # how a save ended when somebody, perhaps oneself in another window, was there first


# --- keeping ----------------------------------------------------------------------------------------------------------


def keep(now: Ongoing, case_number: str = "") -> None:
    """Save the assessment as the person's own. What can't be saved stays in this window, and it is said why."""
    held = st.session_state
    try:
        held["assess_kept"] = operations.save_assessment(kept.service(), kept.who(), now, held.get("assess_kept"), case_number)
        held.pop("assess_trouble", None)
    except Conflict:
        held["assess_trouble"] = CHANGED
    except NotFound:
        held["assess_trouble"] = GONE
    except Exception as error:
        held["assess_trouble"] = kept.reason(error)


def wrote(now: Ongoing, format: Literal["docx", "json"]) -> None:
    """Record that a protocol was taken out."""
    one: Saved | None = st.session_state.get("assess_kept")
    with kept.telling("assess_problem"):
        operations.record_protocol(kept.service(), kept.who(), now, format, one.id if one else "")


def is_kept() -> bool:
    """Whether all that is answered here is saved."""
    return bool(st.session_state.get("assess_kept")) and not st.session_state.get("assess_trouble")


def put_away() -> None:
    """Leave the assessment on the page: what is saved of it stays saved."""
    for name in ("assessment", "assess_kept", "assess_trouble", "assess_removing", "assess_asked", "assess_diary", "assess_who"):
        st.session_state.pop(name, None)


def trouble(now: Ongoing) -> None:
    """What kept the latest answers from being saved, and the ways on. Nothing that was answered here is lost by it."""
    said = st.session_state.get("assess_trouble")
    if not said:
        return
    st.html(markup.alert({CHANGED: texts.SAVED_CHANGED_MEANWHILE, GONE: texts.SAVED_GONE}.get(said) or texts.SAVED_NOT.format(reason=said)))
    with st.container(key="ds-saved-trouble", horizontal=True):
        if said in (CHANGED, GONE):
            st.button(texts.SAVED_AS_OWN, key="assess_own", type="primary", on_click=_keep_as_new, args=(now,))
        else:
            st.button(texts.SAVED_AGAIN, key="assess_again", type="primary", on_click=keep, args=(now,))
        if said == CHANGED:
            st.button(texts.SAVED_SHOW_OTHER, key="assess_other", on_click=_go_on, args=(st.session_state["assess_kept"].id,))


def _keep_as_new(now: Ongoing) -> None:
    number = st.session_state.pop("assess_kept").case_number
    keep(now, number)


# --- the list ---------------------------------------------------------------------------------------------------------


def listed(law: Law) -> None:
    """Every assessment of the person's, the latest changed first."""
    st.html(f"<h2>{texts.SAVED}</h2>")
    try:
        found = operations.saved_assessments(kept.service(), kept.who())
    except Exception as error:
        st.html(markup.notice(texts.SAVED_AWAY.format(reason=kept.reason(error))))
        return
    if not found:
        st.html(f'<p class="ds-muted">{texts.SAVED_NONE}</p>')
    shown = st.session_state.setdefault("assess_shown", FEW)
    for number, one in enumerate(found[:shown], 1):
        _row(number, one, law)
    if len(found) > shown:
        st.button(texts.MORE, key="assess_more", on_click=_more)
    elif len(found) == MOST:
        st.html(f'<p class="ds-muted">{texts.SAVED_MOST.format(count=MOST)}</p>')


def _more() -> None:
    st.session_state["assess_shown"] += 2 * FEW


def _row(number: int, one: Saved, law: Law) -> None:
    with st.container(key=f"ds-kept-assessment-{number}", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(f'<p class="ds-lead">{escape(_told(one))}</p><p>{number}. {escape(_named(one))}</p>'
                f'<p class="ds-muted">{escape(_how_far(one, law))}</p>', width="stretch")
        if not kept.is_asked(REMOVAL, one.id):
            st.button(texts.SAVED_GO_ON.format(number=number), key=f"assess_go_on_{one.id}", on_click=_go_on, args=(one.id,))
        kept.removal(REMOVAL, one.id, texts.SAVED_REMOVE_NUMBER.format(number=number), f"assess_remove_{one.id}")


def _named(one: Saved) -> str:
    rules = lists.shipped_steps().by_id.get(one.checklist, ())
    return rules[0].provision if rules else one.checklist


def _told(one: Saved) -> str:
    case = texts.TALK_CASE.format(number=one.case_number) if one.case_number else ""
    return texts.SAVED_WHEN.format(on=texts.day(one.as_of), changed=texts.day(one.changed_at.astimezone().date())) + case


def _how_far(one: Saved, law: Law) -> str:
    try:
        now, changed = _read(one, law)
    except ValueError as error:
        return findings.sentence(str(error))
    stands = ongoing.state(now)
    done, total = stands.progress
    far = texts.SAVED_DONE.format(outcome=stands.outcome.title) if stands.outcome else texts.SAVED_FAR.format(done=done, total=total)
    return f"{far} {texts.SAVED_CHANGED}" if changed else far


def _read(one: Saved, law: Law) -> tuple[Ongoing, bool]:
    when: datetime = one.changed_at.astimezone().replace(microsecond=0, tzinfo=None)
    return ongoing.resumed(json.dumps(one.state), law, when)


def _go_on(saved_id: str) -> None:
    """Show a saved assessment where it stands. One whose checklist reads otherwise by now is told so."""
    with kept.telling("assess_problem"):
        one = operations.saved_assessment(kept.service(), kept.who(), saved_id)
        try:
            now, changed = _read(one, parts.opened().law)
        except ValueError as error:
            st.session_state["assess_problem"] = findings.sentence(str(error))
            return
        put_away()
        st.session_state["assessment"], st.session_state["assess_kept"] = now, one
        st.session_state["assess_notice"] = texts.ASSESS_CHANGED if changed else texts.ASSESS_RESUMED


# --- taking one away --------------------------------------------------------------------------------------------------


def removal() -> None:
    """The way to take away the assessment on the page."""
    one: Saved | None = st.session_state.get("assess_kept")
    if one:
        kept.removal(REMOVAL, one.id, texts.SAVED_REMOVE, "assess_remove")


def _remove(saved_id: str) -> None:
    with suppress(NotFound):  # taken away in another window meanwhile: what was wanted
        operations.delete_assessment(kept.service(), kept.who(), saved_id)
    put_away()


REMOVAL = Removal("assess", texts.SAVED_REMOVE_SURE, texts.SAVED_STAYS, texts.SAVED_REMOVED, _remove)
