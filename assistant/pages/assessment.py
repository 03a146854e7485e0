"""«Intresseavvägning»: one question a page, a summary to change answers from, the result, and the protocol."""

from __future__ import annotations

import base64
from datetime import date, datetime
from html import escape

import streamlit as st

from assistant import texts
from assistant.grounds import checklist as lists
from assistant.grounds import flowmap, ongoing, protocol
from assistant.grounds.checklist import OUTCOMES, Answered, Checklist, ChecklistError, Choice, State, Step
from assistant.grounds.ongoing import Ongoing
from assistant.guard import MAX_CHARACTERS, names_person
from assistant.pages import fields, findings, kept, markup, parts, saved
from assistant.pipeline import Desk
from corpus.index import Index

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def page() -> None:
    """The page, from top to bottom: the bar with the way out, then the question, the result or the start."""
    opened = parts.opened()
    kept.addressed()
    _arrive(opened)
    now: Ongoing | None = st.session_state.get("assessment")
    stands = ongoing.state(now) if now else None
    _bar(now, stands)
    st.html(f'<h1 class="{"ds-small" if now else ""}">{texts.PAGES["assessment"]}</h1>')
    kept.say("assess_problem", "assess_notice")
    if now is None or stands is None:
        _start(opened)
        return
    saved.trouble(now)
    step = ongoing.shown(now, stands)
    if st.session_state.get("handoff"):
        _two(now, opened)
    elif now.unconfirmed:
        _confirm(now, opened)
    elif step:
        _question(now, stands, step, opened.index)
    else:
        _result(now, stands, opened)


# --- the bar: where one stands, and the way out ------------------------------------------------------------------------


def _bar(now: Ongoing | None, stands: State | None) -> None:
    asking = now is not None and not now.unconfirmed
    with st.container(key="ds-bar", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute" if asking else "right"):
        if now and stands and asking:
            done, total = stands.progress
            at = next((n for n, one in enumerate(stands.path, 1) if one.step.id == now.at), done + 1)
            said = texts.ASSESS_PROGRESS.format(number=at, total=total) if ongoing.shown(now, stands) else texts.ASSESS_DONE
            st.progress(min(done / total, 1.0) if total else 1.0, text=said)
        if saved.is_kept():
            st.button(texts.SAVED_LATER, key="assess_later", on_click=_later)
        elif st.button(texts.ASSESS_LEAVE, key="assess_leave"):
            _forget()
            st.switch_page(parts.page_file("chat"))


def _later() -> None:
    """Go back to the start: every answer is saved already."""
    _forget()
    st.session_state["assess_notice"] = texts.SAVED_FOR_LATER


def _forget() -> None:
    """Clear every answer from the window, and what it came from."""
    for name in [name for name in st.session_state if str(name).startswith(("assess", "handoff"))]:
        del st.session_state[name]


# --- the start --------------------------------------------------------------------------------------------------------


def _arrive(opened: Desk) -> None:
    """Take up a hand-off. One that would displace answers waits for the person to choose."""
    handoff = st.session_state.get("handoff")
    now: Ongoing | None = st.session_state.get("assessment")
    if not handoff or (now and now.answers):
        return
    _begin(opened)


def _begin(opened: Desk) -> None:
    handoff = st.session_state.pop("handoff")
    saved.put_away()
    try:
        st.session_state["assessment"] = ongoing.begun(handoff, opened.law, date.today())
    except (ChecklistError, ValueError) as error:
        st.session_state["assess_problem"] = findings.sentence(str(error))


def _two(now: Ongoing, opened: Desk) -> None:
    new = st.session_state["handoff"]["checklist"]
    provision = lists.shipped_steps().by_id[new][0].provision if new in lists.shipped_steps().by_id else new
    two = texts.ASSESS_TWO.format(old=now.checklist.provision, new=provision)
    st.html(markup.paragraphs(f"{two} {texts.ASSESS_TWO_KEPT}" if saved.is_kept() else two))
    with st.container(horizontal=True):
        st.button(texts.ASSESS_KEEP, key="assess_keep", type="primary", on_click=lambda: st.session_state.pop("handoff"))
        st.button(texts.ASSESS_NEW, key="assess_new", on_click=_begin, args=(opened,))


def _start(opened: Desk) -> None:
    st.html(f"<p>{texts.ASSESS_INTRO}</p>")
    with st.container(key="ds-begin"):
        on = fields.day("assess_day")
        names = dict(ongoing.listed(on))
        chosen = st.selectbox(texts.ASSESS_PICK, list(names), index=None, format_func=names.__getitem__,
                              placeholder=texts.ASSESS_PICK_CHOOSE, key="assess_pick", filter_mode="contains")
        st.button(texts.ASSESS_START, key="assess_start", type="primary", on_click=_picked, args=(chosen, on))
        st.page_link(parts.page_file("share"), label=texts.ASSESS_FIND)
        with st.expander(texts.ASSESS_RESUME):
            st.text_area(texts.ASSESS_RESUME_FIELD, key="assess_saved", height=140)
            st.button(texts.ASSESS_RESUME_BUTTON, key="assess_resume", on_click=_resume)
    saved.listed(opened.law)


def _picked(chosen: str | None, on: date) -> None:
    if not chosen:
        st.session_state["assess_problem"] = texts.ASSESS_PICK_FIRST
        return
    st.session_state["handoff"] = {"checklist": chosen, "prefill": {"date": on.isoformat()}, "confirmed": True}


def _resume() -> None:
    """Read pasted answers. An identity number in them stops it, and nothing is kept."""
    text = st.session_state.pop("assess_saved", "") or ""
    kind = ongoing.cleaned(text, date.today())[1]
    if kind:
        st.session_state["assess_problem"] = texts.ASSESS_RESUME_PERSON.format(kind=kind)
        return
    try:
        now, changed = ongoing.resumed(text, parts.opened().law, datetime.now().replace(microsecond=0))
    except ValueError as error:
        st.session_state["assess_problem"] = findings.sentence(str(error))
        return
    st.session_state["assessment"] = now
    st.session_state["assess_notice"] = texts.ASSESS_CHANGED if changed else texts.ASSESS_RESUMED
    saved.keep(now)


# --- what the question said -------------------------------------------------------------------------------------------


def _confirm(now: Ongoing, opened: Desk) -> None:
    """Each thing the question said, to be confirmed on its own."""
    st.html(f'{_heading(now, texts.ASSESS_CONFIRM)}<p>{texts.ASSESS_CONFIRM_WHY}</p>')
    with st.form("assess_confirm", border=True):
        for name, value in now.unconfirmed:
            st.checkbox(f"{texts.ASSESS_CONFIRM_FIELDS[name]}: {ongoing.said(name, value, opened.law)}", key=f"assess_ok_{name}")
        unsaid = [texts.FIELDS.get(name, name).lower() for name in now.unsaid]
        if unsaid:
            st.html(f'<p class="ds-muted">{escape(texts.ASSESS_UNSAID.format(fields=", ".join(unsaid)))}</p>')
        st.form_submit_button(texts.ASSESS_CONFIRMED, type="primary", on_click=_confirmed, args=(opened,))


def _confirmed(opened: Desk) -> None:
    now: Ongoing = st.session_state["assessment"]
    kept = tuple(name for name, _ in now.unconfirmed if st.session_state.get(f"assess_ok_{name}"))
    st.session_state["assessment"] = ongoing.confirmed(now, kept, opened.law)


def _heading(now: Ongoing, words: str, lead: str = "") -> str:
    """The heading of a page of the assessment: it gets the focus when the page turns."""
    over = f'<span class="ds-lead">{escape(lead)}</span>' if lead else ""
    return f'<h2 class="ds-step" tabindex="-1" data-step="{now.checklist.id}-{now.turn}">{over}{escape(words)}</h2>'


# --- one question -----------------------------------------------------------------------------------------------------


def _question(now: Ongoing, stands: State, step: Step, index: Index) -> None:
    with st.container(key="ds-turn-step"):
        left, right = st.columns([1.55, 1], gap="large")
        with left:
            st.html(_asked(now, stands, step))
            _proposal(now, stands, step)
            _form(now, stands, step)
        with right:
            _beside(now, step, index)
    if stands.path:
        with st.expander(texts.ASSESS_SUMMARY_SO_FAR.format(count=len(stands.path))):
            _summary(stands)
            _save(now)
    _flow(now.checklist)


def _asked(now: Ongoing, stands: State, step: Step) -> str:
    """The question, what it means, an example, the list it turns on, which way the test points."""
    problem = stands.problem if stands.next == step else ""
    earlier = dict(stands.aside).get(step.id)
    choice = step.choice(earlier.value) if earlier else None
    again = " ".join(filter(None, (problem, texts.ASSESS_EARLIER.format(answer=choice.text) if choice else "")))
    direction = [f"<strong>{texts.ASSESS_DIRECTION}.</strong> {escape(step.direction)} {escape(step.strength)}"] if step.direction else []
    return "".join((
        _heading(now, step.question, step.part),
        f'<div class="ds-callout" role="status">{escape(again)}</div>' if again else "",
        markup.paragraphs(step.help),
        f'<p class="ds-muted">{escape(texts.ASSESS_HELP_EXAMPLE.format(example=step.example))}</p>' if step.example else "",
        "".join(f'<div class="ds-short"><p>{one}</p></div>' for one in direction),
        f'<p class="ds-lead">{escape(step.points_label)}</p>' if step.points_label else "",
        findings.items(step.points) if step.points else "",
    ))


def _proposal(now: Ongoing, stands: State, step: Step) -> None:
    """What the question or the case said, to be taken up by the person; never an answer by itself."""
    proposal = stands.proposal(step.id)
    if proposal is None or not now.origin:
        return
    choice = step.choice(proposal.value)
    said = " ".join(filter(None, (f"{choice.text}." if choice else "", proposal.reason)))
    with st.container(key="ds-handoff-proposal", border=True):
        st.html(f'<p class="ds-lead">{texts.PROPOSAL_FROM[now.origin]}</p><p>{escape(said)}</p>')
        st.button(texts.PROPOSAL_USE, key="assess_use", on_click=_use, args=(step.id, proposal.value, proposal.reason))


def _use(step: str, value: str, reason: str) -> None:
    """Fill in the proposal; it is answered only by «Nästa»."""
    if value:
        st.session_state[f"assess_answer_{step}"] = value
    if reason:
        st.session_state[f"assess_reason_{step}"] = reason


def _form(now: Ongoing, stands: State, step: Step) -> None:
    given = now.answers.get(step.id)
    holds = given if given and any(one.step.id == step.id for one in stands.path) else None
    with st.form(f"assess_form_{step.id}", border=False):
        names = {one.value: one.text for one in step.answers}
        answer, reason = f"assess_answer_{step.id}", f"assess_reason_{step.id}"
        st.session_state.setdefault(answer, holds.value if holds else None)
        st.session_state.setdefault(reason, given.reason if given else "")
        st.radio(step.question, list(names), format_func=names.__getitem__, key=answer, label_visibility="collapsed")
        st.text_area(_reason_label(step), key=reason, height=120, max_chars=MAX_CHARACTERS, help=None,
                     placeholder=step.write or texts.ASSESS_REASON_HELP)
        with st.container(horizontal=True):
            st.form_submit_button(texts.ASSESS_NEXT, type="primary", on_click=_answer, args=(step.id,))
            if ongoing.before(now, stands):
                st.form_submit_button(texts.ASSESS_BACK, on_click=_back)


def _reason_label(step: Step) -> str:
    if step.reason:
        return texts.ASSESS_REASON
    return texts.ASSESS_REASON_SOME if any(one.reason for one in step.answers) else texts.ASSESS_REASON_FREE


def _answer(step: str) -> None:
    """Take the answer and save it, or say why not. An identity number goes no further than here, nor does a name."""
    held = st.session_state
    now: Ongoing = held["assessment"]
    value, written = held.get(f"assess_answer_{step}"), held.get(f"assess_reason_{step}") or ""
    reason, kind = ongoing.cleaned(written, date.today())
    if kind:
        held[f"assess_reason_{step}"] = reason
        held["assess_problem"] = texts.ASSESS_NUMBER.format(kind=kind)
    elif names_person(reason):
        held["assess_problem"] = texts.ASSESS_NAME
    elif not value:
        held["assess_problem"] = texts.ASSESS_CHOOSE_ONE
    else:
        try:
            held["assessment"] = ongoing.answered(now, step, value, reason, datetime.now().replace(microsecond=0))
            saved.keep(held["assessment"])
        except ChecklistError as error:
            held["assess_problem"] = findings.sentence(str(error))


def _back() -> None:
    now: Ongoing = st.session_state["assessment"]
    st.session_state["assessment"] = ongoing.moved(now, ongoing.before(now, ongoing.state(now)), back=True)


def _beside(now: Ongoing, step: Step, index: Index) -> None:
    """The law's words beside the question, and what to do when it is urgent."""
    refs = dict.fromkeys((*step.lagrum, now.checklist.ref))
    law = texts.ASSESS_LAW_OF.format(provision=now.checklist.provision, day=texts.day(now.checklist.on))
    st.html(f'<div class="ds-sources"><h3>{texts.LAW_TEXT}</h3><p class="ds-muted">{escape(law)}</p>'
            + "".join(findings.law_text(index, ref, now.checklist.on, unfolded=n == 0) for n, ref in enumerate(refs))
            + f'<details class="ds-near"><summary>{texts.ASSESS_URGENT}</summary>{findings.items(now.checklist.emergency)}</details></div>')


# --- the answers so far -----------------------------------------------------------------------------------------------


def _summary(stands: State) -> None:
    for number, one in enumerate(stands.path, 1):
        with st.container(key=f"ds-answered-{number}", horizontal=True, vertical_alignment="top", horizontal_alignment="distribute"):
            st.html(_said(number, one), width="stretch")
            st.button(texts.ASSESS_CHANGE.format(number=number), key=f"assess_change_{number}", on_click=_change, args=(one.step.id,))


def _said(number: int, one: Answered) -> str:
    reason = f"<p>{escape(one.reply.reason)}</p>" if one.reply.reason else ""
    return (f'<p class="ds-lead">{number}. {escape(one.step.question)}</p><p><strong>{escape(one.choice.text)}</strong></p>{reason}')


def _change(step: str) -> None:
    st.session_state["assessment"] = ongoing.moved(st.session_state["assessment"], step)


# --- the result -------------------------------------------------------------------------------------------------------


def _result(now: Ongoing, stands: State, opened: Desk) -> None:
    outcome = stands.outcome
    assert outcome
    st.html(f'{_heading(now, outcome.title, texts.ASSESS_RESULT)}<div class="ds-short"><p>{escape(outcome.says)}</p>'
            f'<p class="ds-always">{texts.DECIDED_BY_YOU}</p></div>'
            + _listing(texts.ASSESS_BECAUSE, outcome.because) + _follows(stands)
            + _listing(texts.ASSESS_FETCH, outcome.fetch) + _listing(texts.ASSESS_DO, outcome.do))
    _protocol(now, stands, opened)
    st.html(f"<h3>{texts.ASSESS_SUMMARY}</h3>")
    _summary(stands)
    _flow(now.checklist)


def _listing(heading: str, said: tuple[str, ...]) -> str:
    return f"<h3>{heading}</h3>{findings.items(said)}" if said else ""


def _follows(stands: State) -> str:
    """The test in words, and what was answered to it: the outcome follows from the two."""
    asked = [one for one in stands.path if one.step.part == "Bedömningen"]
    directions = protocol.used(stands.checklist.directions, stands.path)
    test = "".join(f"<p>{escape(findings.sentence(one.formula))} {escape(one.points)} {escape(one.strength)}</p>" for one in directions)
    said = "".join(f"<p><strong>{escape(one.step.question)}</strong> {escape(one.choice.text)}.</p><p>{escape(one.reply.reason)}</p>"
                   for one in asked)
    return f"<h3>{texts.ASSESS_FOLLOWS}</h3>{test}{said}" if asked else ""


def _protocol(now: Ongoing, stands: State, opened: Desk) -> None:
    st.html(f"<h3>{texts.ASSESS_PROTOCOL}</h3><p>{texts.ASSESS_PROTOCOL_WHY}</p>")
    with st.container(key="ds-protocol", border=True):
        left, right = st.columns(2)
        with left:
            who = _field(texts.ASSESS_WHO, "assess_who")
        with right:
            diary = _diary(now)
        when = now.ended or datetime.now().replace(microsecond=0)
        record = protocol.assessment(f"{now.checklist.id}-{when:%Y%m%d-%H%M%S}", now.case, ongoing.finding(now.case, opened.law), stands,
                                     opened.law, who=who, when=when, diarienummer=diary, index=opened.index)
        with st.container(horizontal=True):
            st.download_button(texts.ASSESS_DOCX, protocol.to_docx(record), f"protokoll-{record.id}.docx", WORD, key="assess_docx",
                               type="primary", on_click=saved.wrote, args=(now, "docx"))
            st.download_button(texts.ASSESS_JSON, protocol.to_json(record), f"protokoll-{record.id}.json", "application/json",
                               key="assess_json", on_click=saved.wrote, args=(now, "json"))
    _save(now)


def _field(label: str, key: str) -> str:
    """A line of the protocol; an identity number in it is taken away before it is kept."""
    def check() -> None:
        text, kind = ongoing.cleaned(st.session_state[key] or "", date.today())
        if kind:
            st.session_state[key], st.session_state["assess_problem"] = text, texts.ASSESS_NUMBER_FIELD.format(kind=kind)

    return (st.text_input(label, key=key, max_chars=120, on_change=check) or "").strip()


def _diary(now: Ongoing) -> str:
    """The case number, saved with the assessment. What points at a person in it is taken away and said."""
    def check() -> None:
        number = (st.session_state["assess_diary"] or "").strip()
        if refused := kept.refused(number):
            st.session_state["assess_diary"], st.session_state["assess_problem"] = "", refused
        elif number:
            saved.keep(now, number)

    before = st.session_state.get("assess_kept")
    st.session_state.setdefault("assess_diary", before.case_number if before else "")
    return (st.text_input(texts.CASE_NUMBER, key="assess_diary", max_chars=kept.LONGEST_CASE_NUMBER, on_change=check) or "").strip()


def _save(now: Ongoing) -> None:
    """The answers as a file to take away, and the way to take away what is saved here."""
    st.html(f'<p class="ds-muted">{texts.ASSESS_SAVE_WHY if saved.is_kept() else texts.ASSESS_SAVE_NONE}</p>')
    st.download_button(texts.ASSESS_SAVE_BUTTON, ongoing.saved(now), f"svar-{now.checklist.id}.json", "application/json", key="assess_save",
                       on_click="ignore")
    saved.removal()


# --- the flow ---------------------------------------------------------------------------------------------------------


def _flow(made: Checklist) -> None:
    folded = st.expander(texts.ASSESS_FLOW, key="assess_flow", on_change="rerun")
    if folded.open:
        folded.html(_drawn(made))


def _drawn(made: Checklist) -> str:
    picture = base64.b64encode(flowmap.svg(made).encode()).decode()
    alt = escape(texts.ASSESS_FLOW_ALT.format(provision=made.provision))
    numbers = {step.id: number for number, step in enumerate(made.steps, 1)}
    steps = "".join(f"<li>{escape(step.question)}<ul>{''.join(_goes(one, numbers) for one in step.answers)}</ul></li>"
                    for step in made.steps)
    return (f'<div class="ds-wide ds-flow" tabindex="0" role="group" aria-label="{texts.ASSESS_FLOW}">'
            f'<img src="data:image/svg+xml;base64,{picture}" alt="{alt}"></div>'
            f'<details class="ds-near"><summary>{texts.ASSESS_FLOW_WORDS}</summary><ol>{steps}</ol></details>')


def _goes(one: Choice, numbers: dict[str, int]) -> str:
    where = flowmap.CHIPS[one.to][0] if one.to in OUTCOMES else f"fråga {numbers[one.to]}"
    return f"<li>{escape(one.text)} → {escape(where)}</li>"


page()
