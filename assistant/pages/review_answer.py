"""One answer under review: the answer on the left, its citations with the verdicts on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from assistant import texts
from assistant.grounds.checklist import shipped_steps
from assistant.pages import markup, parts
from assistant.pages.workbench import Item, Person, Verdict, Workbench, reviewers, said, tell, tried
from assistant.types import Answer, Citation
from corpus import lagrum
from corpus.index import Index
from corpus.passage import Passage

AROUND = 320  # characters shown before and after a quote; the rest is folded away
Given = dict[str, str | None]
NO_CHECKLIST = "ingen"
PHRASES = ("status", "must_cite", "may_cite", "must_say", "must_not_say")


# --- going to an answer, and on to the next -----------------------------------------------------------------------------


def go(number: int | None, numbers: Sequence[int] = ()) -> None:
    """Open an answer (None: the queue). ``numbers``: the ones that were listed, to go on through."""
    st.session_state["review_item"] = number
    st.session_state["review_turn"] = st.session_state.get("review_turn", 0) + 1
    if numbers:
        st.session_state["review_numbers"] = list(numbers)


def show(bench: Workbench, who: Person, number: int) -> None:
    """The page of one answer."""
    item = tried(bench, lambda: bench.item(number))
    if item is None:
        st.button(texts.REVIEW_TO_QUEUE, key="review_back", on_click=go, args=(None,))
        return
    _bar(number)
    st.html(f'<h1 class="ds-small" tabindex="-1" data-step="review-{number}-{st.session_state["review_turn"]}">{texts.REVIEW_HEADING}</h1>')
    said()
    guidelines(keys=True)
    answer = bench.answer(number)
    with st.container(key="ds-review-pair"):
        left, right = st.columns([1, 1.08], gap="large")
        with left:
            st.html(_asked(item, answer))
            st.html(f'<section class="ds-answer">{markup.said(answer)}</section>')
        with right:
            _right(bench, who, item, answer)
    _history(bench, item, open_to=bool(bench.decided(item) or len(item.verdicts) > 1))


def _bar(number: int) -> None:
    numbers: list[int] = st.session_state.get("review_numbers", [])
    at = numbers.index(number) if number in numbers else -1
    with st.container(key="ds-review-bar", horizontal=True, vertical_alignment="center"):
        st.button(texts.REVIEW_TO_QUEUE, key="review_back", on_click=go, args=(None,))
        if 0 <= at < len(numbers) - 1:
            st.button(texts.REVIEW_NEXT_ITEM, key="review_next", on_click=go, args=(numbers[at + 1],))
        if at >= 0:
            place = texts.REVIEW_PLACE.format(place=at + 1, total=len(numbers))
            st.html(f'<p class="ds-muted">{place}</p>', width="content")


def guidelines(*, keys: bool) -> None:
    """What the choices mean and how to choose by key. Always in view while an answer is reviewed."""
    scale = "".join(f"<li><kbd>{place}</kbd> <b>{name}</b> {meaning}</li>" for place, (name, meaning) in enumerate(texts.REVIEW_SCALE, 1))
    with st.container(key="ds-guide" if keys else "ds-guide-still"):
        st.html(f'<section class="ds-guidelines" aria-label="{texts.REVIEW_GUIDELINES}"><h2>{texts.REVIEW_GUIDELINES}</h2>'
                f"<ul>{scale}</ul><p>{texts.REVIEW_RULES}</p></section>")
        if keys:
            with st.container(key="ds-keys", horizontal=True, vertical_alignment="center"):
                on = st.checkbox(texts.REVIEW_KEYS_ON, value=True, key="review_keys", persist_state="session")
                pressed = "".join(f"<li><kbd>{key}</kbd> {does}</li>" for key, does in texts.REVIEW_KEY_LIST)
                st.html(f'<ul class="ds-keylist" aria-label="{texts.REVIEW_KEYS}" data-keys="{"on" if on else "off"}">{pressed}</ul>',
                        width="content")


def _asked(item: Item, answer: Answer) -> str:
    facts = {"origin": item.origin, "topic": texts.topic(item.topic), "reviewers": ", ".join(item.reviewers), "versions": ", ".join(
        f"{texts.REVIEW_VERSION_NAMES.get(name, name)} {value}" for name, value in item.versions)}
    rows = " · ".join(f"{texts.REVIEW_META[name]}: {escape(value)}" for name, value in facts.items() if value)
    words, tone = texts.REVIEW_STATES[str(item.state)]
    earlier = "".join(f"<li>{escape(content)}</li>" for role, content in item.history if role == "user")
    report = texts.REVIEW_REPORT.format(reason=item.report or texts.REVIEW_NO_REASON) if item.origin == "anmält" else ""
    return (f'<h2 class="ds-question"><span class="ds-lead">{texts.REVIEW_ASKED}</span>{escape(item.question)}</h2>'
            + (f'<details class="ds-near"><summary>{texts.REVIEW_EARLIER}</summary><ul>{earlier}</ul></details>' if earlier else "")
            + f'<p class="ds-meta">{markup.badge(words, tone)}{markup.state(answer)}</p><p class="ds-muted ds-origin">{rows}</p>'
            + (f'<div class="ds-callout">{escape(report)}</div>' if report else ""))


# --- the right side: what there is to do, or to see ----------------------------------------------------------------------


def _right(bench: Workbench, who: Person, item: Item, answer: Answer) -> None:
    names = [name.casefold() for name in item.reviewers]
    both = len(item.verdicts) > 1
    if bench.decided(item):
        _settled(bench, who, item, answer)
    elif both:
        _compared(bench, who, item, answer)
    elif who.name.casefold() in names and who.role == "jurist":
        _form(bench, who, item, answer)
    else:
        _standing(bench, who, item)
        _blocks(bench, answer, {})


def _standing(bench: Workbench, who: Person, item: Item) -> None:
    """Who an answer waits for, and how it gets its reviewers."""
    if who.role == "förvaltare":
        with st.form(f"assign-{item.number}", border=True):
            names = reviewers(bench.items(), f"assign-names-{item.number}", item.reviewers)
            if st.form_submit_button(texts.REVIEW_ASSIGN_ONE) and tried(bench, lambda: bench.assign(who, item.number, names)):
                tell(texts.REVIEW_ASSIGNED.format(count=1, names=" och ".join(names)))
                st.rerun()
    elif len(item.reviewers) < 2:
        with st.container(border=True, key="ds-take"):
            st.html(markup.paragraphs(texts.REVIEW_TAKE_WHY))
            if st.button(texts.REVIEW_TAKE, key="review_take", type="primary") and tried(
                    bench, lambda: bench.assign(who, item.number, [*item.reviewers, who.name])):
                st.rerun()
    if len(item.reviewers) > 1:
        st.html(markup.notice(texts.REVIEW_WAITING.format(names=" och ".join(_lacking(item)))))


def _lacking(item: Item) -> list[str]:
    done = {one.who.casefold() for one in item.verdicts}
    return [name for name in item.reviewers if name.casefold() not in done]


# --- the citations -----------------------------------------------------------------------------------------------------


def _blocks(bench: Workbench, answer: Answer, told: Mapping[str, str], given: Given | None = None, key: str = "") -> Given:
    """Every citation with its quote in its context; ``given``: ask, from these. ``told``: what to know of some, which then come first."""
    opened = parts.opened().index
    chosen: Given = {}
    if not answer.citations:
        st.html(markup.notice(texts.REVIEW_NO_CITATIONS))
    for number, one in sorted(enumerate(answer.citations, 1), key=lambda pair: pair[1].id not in told):
        with st.container(key=f"ds-judge-{number}", border=True):
            claim, quoted = _citation(answer, number, one, opened)
            st.html(claim + told.get(one.id, ""))
            if given is not None:  # before the quote: what has the focus must be in view however long the quote is
                chosen[one.id] = _choice(texts.REVIEW_CITATION.format(number=number), bench.carries, given.get(one.id), f"{key}-{one.id}")
            st.html(quoted)
    return chosen


def _choice(label: str, options: Sequence[str], now: str | None, key: str, words: Mapping[str, str] | None = None) -> str | None:
    """One question with its choices, numbered as the keys that choose them."""
    held = list(options)
    chosen: str | None = st.radio(label, held, index=held.index(now) if now in held and now else None, key=key, horizontal=True,
                                  format_func=lambda one: f"{held.index(one) + 1} {(words or {}).get(one, one)}")
    return chosen


def _citation(answer: Answer, number: int, one: Citation, index: Index) -> tuple[str, str]:
    """(which source is cited for which claim, the quote in its context)."""
    passage = index.by_id(one.passage_id)
    if passage and (passage.sha256 != one.passage_sha256 or passage.text[one.start:one.end] != one.quote):
        passage = None
    badges = markup.rank(one.kind) + markup.validity(one.status, one.valid_from, one.valid_to, passage.published if passage else None,
                                                     answer.as_of_date)
    claims = "".join(f'<p class="ds-claim"><span class="ds-lead">{texts.REVIEW_CLAIM}</span>{escape(claim.text)}</p>'
                     for claim in answer.claims if one.id in claim.citation_ids)
    heading = f'<h3 class="ds-cited"><span class="ds-number">[{number}]</span> {escape(one.label)}</h3>'
    quoted = _context(answer, number, one, passage) if passage else _kept(one)
    return f'{heading}<p class="ds-badges">{badges}</p>{claims}', f'{quoted}<p class="ds-actions">{markup.link(one.url)}</p>'


def _context(answer: Answer, number: int, one: Citation, passage: Passage) -> str:
    """The quote highlighted among the words around it, and the whole passage folded away when it is longer."""
    text = passage.text
    start = max(0, one.start - AROUND)
    end = min(len(text), one.end + AROUND)
    start = text.find(" ", start, one.start) + 1 or start if start else 0
    end = text.rfind(" ", one.end, end) if end < len(text) and " " in text[one.end:end] else end
    span = (one.start - start, one.end - start, markup.mark_id(answer, number))
    cut = ("… " if start else "") + markup.marked(text[start:end], [span]) + (" …" if end < len(text) else "")
    whole = (f'<details class="ds-near"><summary>{texts.REVIEW_WHOLE_TEXT}</summary><div class="ds-text">'
             f'{markup.marked(text, [(one.start, one.end, "")])}</div></details>' if (start, end) != (0, len(text)) else "")
    return f'{markup.path(passage, one.title)}<div class="ds-text">{cut}</div>{whole}'


def _kept(one: Citation) -> str:
    return f'<p class="ds-muted">{texts.REVIEW_MOVED}</p><div class="ds-text"><mark>{markup.words(markup.flowing(one.quote))}</mark></div>'


# --- a verdict, blind --------------------------------------------------------------------------------------------------


def _form(bench: Workbench, who: Person, item: Item, answer: Answer) -> None:
    """The form of one reviewer. It knows nothing of the other's verdict."""
    own = next(iter(bench.seen(item, who)), None)
    if own:
        st.html(markup.notice(texts.REVIEW_CHANGE_LATER.format(other=" och ".join(_lacking(item)))))
    key = f"judge-{item.number}"
    with st.form(key, border=False):
        verdict = _verdict(bench, answer, _given(own), own, key)
        sent = st.form_submit_button(texts.REVIEW_SAVE, type="primary")
        if sent and _whole(bench, answer, verdict) and tried(bench, lambda: bench.judge(who, item.number, verdict)):
            tell(texts.REVIEW_SAVED)
            waiting = [one.number for one in bench.items() if bench.mine(one, who)]
            go(waiting[0] if waiting else None, waiting)
            st.rerun()


def _given(verdict: Verdict | None) -> Given:
    return {**dict(verdict.citations), **dict(verdict.answer), "severity": verdict.severity} if verdict else {}


def _verdict(bench: Workbench, answer: Answer, given: Given, own: Verdict | None, key: str,
             told: Mapping[str, str] | None = None, comment: str = texts.REVIEW_COMMENT) -> dict[str, Any]:
    """The fields of a verdict: the citations, the answer on the whole, how grave, in words."""
    told = told or {}
    citations = _blocks(bench, answer, told, given, key)
    st.html(f'<h3 class="ds-whole">{texts.REVIEW_WHOLE}</h3>')
    answers = {}
    for place, (name, options) in enumerate(bench.says.items()):
        with st.container(key=f"ds-judge-q{place}"):
            if name in told:
                st.html(told[name])
            answers[name] = _choice(texts.REVIEW_QUESTIONS[name], options, given.get(name), f"{key}-{name}")
    with st.container(key="ds-judge-severity"):
        if "allvar" in told:
            st.html(told["allvar"])
        severity = _choice(texts.REVIEW_SEVERITY, bench.severities, given.get("severity"), f"{key}-severity", texts.REVIEW_SEVERITIES)
    written = st.text_area(comment, value=own.comment if own else "", key=f"{key}-comment", height=96, max_chars=4000)
    corrected = st.text_area(texts.REVIEW_CORRECTED, value=own.corrected if own else "", key=f"{key}-corrected", height=96, max_chars=4000)
    return {"citations": _chosen(citations), "answer": _chosen(answers), "severity": severity or "", "comment": written or "",
            "corrected": corrected or ""}


def _whole(bench: Workbench, answer: Answer, verdict: Mapping[str, Any]) -> bool:
    """Whether every question is answered; says which are not."""
    left = [f"[{number}]" for number, one in enumerate(answer.citations, 1) if one.id not in verdict["citations"]]
    left += [texts.REVIEW_ALL_QUESTIONS[name].lower() for name in bench.says if name not in verdict["answer"]]
    left += [texts.REVIEW_ALL_QUESTIONS["allvar"].lower()] if not verdict["severity"] else []
    if left:
        st.html(markup.alert(texts.REVIEW_LEFT.format(names=", ".join(left))))
    return not left


def _chosen(given: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}


# --- both have answered ---------------------------------------------------------------------------------------------------


def _compared(bench: Workbench, who: Person, item: Item, answer: Answer) -> None:
    """Both verdicts, what differs, and the way to settle it."""
    st.html(_differences(bench, item))
    if item.settled:
        _proposal(bench, who, item)
    told = _said_by_both(bench, item)
    if who.role == "jurist" and not (item.settled and _by(who, item)):
        _settle(bench, who, item, answer, told)
    else:
        _blocks(bench, answer, told)


def _by(who: Person, item: Item) -> bool:
    return who.name.casefold() in [name.casefold() for name in item.settled.by]


def _differences(bench: Workbench, item: Item) -> str:
    first, second = item.verdicts[:2]
    apart = bench.differing(item)
    total = len(first.citations) + len(first.answer) + 1
    lead = texts.REVIEW_DIFFERS.format(count=len(apart), total=total) if apart else texts.REVIEW_SAME
    words = [texts.REVIEW_COMMENT_OF.format(name=one.who, comment=one.comment) for one in (first, second) if one.comment]
    words += [texts.REVIEW_CORRECTED_OF.format(name=one.who, corrected=one.corrected) for one in (first, second) if one.corrected]
    return (f'<h2 class="ds-both">{texts.REVIEW_BOTH}</h2><p class="ds-meta">{markup.badge(lead, "warn" if apart else "ok")}</p>'
            + (_table(item, apart, apart) if apart else "") + "".join(markup.paragraphs(one) for one in words)
            + f'<details class="ds-near"><summary>{texts.REVIEW_ALL_ROWS}</summary>{_table(item, apart)}</details>')


def _table(item: Item, apart: Sequence[str], only: Sequence[str] = ()) -> str:
    """Question by question, what each of the two said; ``only``: of these questions."""
    first, second = item.verdicts[:2]
    labels = {one: f"[{number}]" for number, (one, _) in enumerate(item.refs, 1)} | texts.REVIEW_ALL_QUESTIONS
    mine, yours = ({**_given(one), "allvar": one.severity} for one in (first, second))
    rows = "".join(
        f'<tr class="{"ds-apart" if name in apart else ""}"><th scope="row">{escape(labels[name])}</th><td>{escape(str(mine[name]))}</td>'
        f"<td>{escape(str(yours[name]))}</td><td>{markup.badge(texts.REVIEW_DIFFERENT, 'warn') if name in apart else ''}</td></tr>"
        for name in mine if name != "severity" and (not only or name in only))
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in (texts.REVIEW_TABLE[0], first.who, second.who, texts.REVIEW_TABLE[1]))
    return (f'<div class="ds-wide ds-compare" tabindex="0" role="group" aria-label="{texts.REVIEW_BOTH}"><table class="ds-table">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")


def _said_by_both(bench: Workbench, item: Item) -> dict[str, str]:
    """What each said on each question, where they differ."""
    first, second = item.verdicts[:2]
    mine, yours = ({**_given(one), "allvar": one.severity} for one in (first, second))
    words = {name: texts.REVIEW_SAID_BY.format(first=first.who, mine=mine[name], second=second.who, yours=yours[name])
             for name in bench.differing(item)}
    return {name: f'<p class="ds-meta">{markup.badge(one, "warn")}</p>' for name, one in words.items()}


def _proposal(bench: Workbench, who: Person, item: Item) -> None:
    with st.container(key="ds-proposal", border=True):
        st.html(f"<h3>{escape(texts.REVIEW_PROPOSAL.format(name=', '.join(item.settled.by)))}</h3>{_result(item)}")
        reviewer = who.name.casefold() in [name.casefold() for name in item.reviewers]
        if who.role == "jurist" and reviewer and not _by(who, item) and st.button(
                texts.REVIEW_CONFIRM, key="review_confirm", type="primary") and tried(
                bench, lambda: bench.confirm(who, item.number, item.settled.id)):
            st.rerun()


def _settle(bench: Workbench, who: Person, item: Item, answer: Answer, told: Mapping[str, str]) -> None:
    """The form that settles an answer, filled with what the two agree on."""
    first, second = item.verdicts[:2]
    given: Given = {name: value for name, value in _given(first).items() if _given(second).get(name) == value}
    own = item.settled.verdict if item.settled else None
    others = [name for name in item.reviewers if name.casefold() != who.name.casefold()]
    st.html(f'<h2 class="ds-both">{texts.REVIEW_SETTLE}</h2>'
            + markup.paragraphs(texts.REVIEW_SETTLE_WHY[len(others) > 1].format(other=others[0])))
    key = f"settle-{item.number}"
    with st.form(key, border=False):
        verdict = _verdict(bench, answer, _given(own) if own else given, own, key, told, texts.REVIEW_SETTLE_COMMENT)
        expected = _expected(item, answer, given, key)
        sent = st.form_submit_button(texts.REVIEW_SETTLE_SAVE, type="primary")
        if sent and _whole(bench, answer, verdict) and tried(bench, lambda: bench.settle(who, item.number, verdict, expected)):
            go(item.number)
            st.rerun()


def _expected(item: Item, answer: Answer, given: Given, key: str) -> dict[str, Any]:
    """What a right answer holds: from the proposal, the golden case behind the row, or what both found right."""
    now = _proposed(item, answer, given)
    st.html(f'<h3 class="ds-whole">{texts.REVIEW_EXPECTED}</h3>')
    status = st.multiselect(texts.REVIEW_STATUS, list(texts.STATUS), default=now["status"], format_func=texts.STATUS.__getitem__,
                            key=f"{key}-status", select_all=False, placeholder=texts.CHOOSE)
    cited = {}
    refs = list(dict.fromkeys([*(ref for _, ref in item.refs), *now["must_cite"], *now["may_cite"]]))
    for name, label in (("must_cite", texts.REVIEW_MUST_CITE), ("may_cite", texts.REVIEW_MAY_CITE)):
        cited[name] = st.multiselect(label, refs, default=now[name], format_func=_short, accept_new_options=True, key=f"{key}-{name}",
                                     select_all=False, placeholder=texts.REVIEW_CITE_CHOOSE)
    say = {name: st.text_area(label, value="\n".join(now[name]), key=f"{key}-{name}", height=80, max_chars=4000)
           for name, label in (("must_say", texts.REVIEW_MUST_SAY), ("must_not_say", texts.REVIEW_MUST_NOT_SAY))}
    names = {NO_CHECKLIST: texts.REVIEW_CHECKLIST_NONE, **{one: one for one in shipped_steps().ids}}
    lists = st.multiselect(texts.REVIEW_CHECKLIST, list(names), default=now["handoff"], format_func=names.__getitem__, key=f"{key}-handoff",
                           select_all=False, placeholder=texts.CHOOSE)
    handoff = [one for one in lists if one != NO_CHECKLIST]
    lines = {name: [line.strip() for line in (text or "").split("\n") if line.strip()] for name, text in say.items()}
    return {"status": status, **cited, **lines, "handoff": handoff if lists else None}


def _short(ref: str) -> str:
    """A reference as lawyers write it; a document's as it stands."""
    address = lagrum.from_ref(ref)
    return address.short() if address else ref


def _proposed(item: Item, answer: Answer, given: Given) -> dict[str, list[str]]:
    held: Mapping[str, Any] | None = None
    if item.settled:
        held = {name: getattr(item.settled.expected, name) for name in (*PHRASES, "handoff")}
    elif item.wanted:
        held = item.wanted
    if held is not None:
        lists = [NO_CHECKLIST] if held["handoff"] is not None and not held["handoff"] else list(held["handoff"] or ())
        return {**{name: list(held[name]) for name in PHRASES}, "handoff": lists}
    good = {one.ref for one in answer.citations if given.get(one.id) == "stödjer"}
    short = {one for claim in answer.claims if claim.role == "svar" for one in claim.citation_ids}
    must = list(dict.fromkeys(one.ref for one in answer.citations if one.id in short and one.ref in good))
    right = given.get("korrekt") == "ja" and given.get("borde ha avstått") == "nej"
    handoff = [answer.handoff.checklist] if answer.handoff else [NO_CHECKLIST]
    return {"status": [item.status] if right else [], "must_cite": must, "may_cite": sorted(good - set(must)), "must_say": [],
            "must_not_say": [], "handoff": [one for one in handoff if right and one in (NO_CHECKLIST, *shipped_steps().ids)]}


# --- settled -----------------------------------------------------------------------------------------------------------


def _settled(bench: Workbench, who: Person, item: Item, answer: Answer) -> None:
    held = item.settled
    on = texts.day(datetime.fromisoformat(held.verdict.at).date())
    with st.container(key="ds-proposal", border=True):
        st.html(f"<h3>{escape(texts.REVIEW_SETTLED.format(names=' och '.join(held.by), day=on))}</h3>{_result(item)}")
        if item.golden:
            st.html(markup.notice(texts.REVIEW_CASE_MADE.format(id=item.golden)))
        else:
            st.html(f'<p class="ds-muted">{texts.REVIEW_CASE_WHY}</p>')
            if st.button(texts.REVIEW_MAKE_CASE, key="review_case", type="primary") and tried(
                    bench, lambda: bench.make_case(who, item.number)):
                st.rerun()
    st.html(_differences(bench, item))
    final = dict(held.verdict.citations)
    _blocks(bench, answer, {one: f'<p class="ds-meta">{markup.badge(value, "ok" if value == "stödjer" else "warn")}</p>'
                                  for one, value in final.items()})
    if who.role == "jurist":
        more = st.expander(texts.REVIEW_SETTLE_AGAIN, key=f"review_again_{item.number}", on_change="rerun")
        if more.open:
            with more:
                _settle_again(bench, who, item)


def _settle_again(bench: Workbench, who: Person, item: Item) -> None:
    """The words of a settlement can be changed; the marks on the citations stand above and are kept."""
    held = item.settled
    key = f"again-{item.number}"
    with st.form(key, border=False):
        comment = st.text_area(texts.REVIEW_SETTLE_COMMENT, value=held.verdict.comment, key=f"{key}-comment", height=96, max_chars=4000)
        corrected = st.text_area(texts.REVIEW_CORRECTED, value=held.verdict.corrected, key=f"{key}-corrected", height=96, max_chars=4000)
        expected = _expected(item, bench.answer(item.number), {}, key)
        verdict = {"citations": dict(held.verdict.citations), "answer": dict(held.verdict.answer), "severity": held.verdict.severity,
                   "comment": comment or "", "corrected": corrected or ""}
        if st.form_submit_button(texts.REVIEW_SETTLE_SAVE) and tried(
                bench, lambda: bench.settle(who, item.number, verdict, expected)):
            go(item.number)
            st.rerun()


def _result(item: Item) -> str:
    """What was settled, or is proposed, as facts."""
    held, expected = item.settled.verdict, item.settled.expected
    handoff = texts.REVIEW_NOT_JUDGED if expected.handoff is None else ", ".join(expected.handoff) or texts.REVIEW_CHECKLIST_NONE
    values = {"severity": held.severity, "comment": held.comment, "corrected": held.corrected,
              "status": ", ".join(texts.STATUS[one] for one in expected.status), "handoff": handoff,
              **{name: "; ".join(map(_short, getattr(expected, name))) for name in PHRASES[1:]}}
    wrong = ", ".join(f"{texts.REVIEW_ALL_QUESTIONS[name]}: {value}" for name, value in held.answer)
    rows = "".join(f"<dt>{label}</dt><dd>{escape(values[name])}</dd>" for name, label in texts.REVIEW_RESULT.items() if values[name])
    return f'<p class="ds-muted">{escape(wrong)}</p><dl class="ds-facts">{rows}</dl>'


# --- the history ---------------------------------------------------------------------------------------------------------


def _history(bench: Workbench, item: Item, *, open_to: bool) -> None:
    """Every edit with who and when. What a verdict said is left out while it is blind."""
    events = bench.history(item.number)
    names = {one: f"[{number}]" for number, (one, _) in enumerate(item.refs, 1)}
    lines = "".join(f"<li>{_event(one, names if open_to else None)}</li>" for one in events)
    heading = texts.REVIEW_HISTORY.format(count=len(events))
    st.html(f'<details class="ds-near ds-history"><summary>{heading}</summary><ol>{lines}</ol></details>')


def _event(event: Any, names: Mapping[str, str] | None) -> str:
    """One event in words. ``names``: the citations' numbers; None while verdicts are blind, and then nothing of one is told."""
    at = datetime.fromisoformat(event.at).astimezone()
    body = event.body
    does = texts.REVIEW_ACTIONS[str(event.action)].format(names=", ".join(body.get("reviewers", ())), case=body.get("case", ""))
    taken = f" ({texts.REVIEW_TAKEN_IN.format(file=event.taken_in)})" if event.taken_in else ""
    line = f"{at:%Y-%m-%d %H:%M} {event.who} ({event.role}) {does}{taken}"
    if "citations" not in body or names is None:
        return escape(line)
    told = [f"{names[one]} {body['citations'][one]}" for one in names if body["citations"].get(one) != "stödjer"]
    told = told or [texts.REVIEW_ALL_SUPPORT]
    told += [f"{label.lower()}: {body['answer'][name]}" for name, label in texts.REVIEW_ALL_QUESTIONS.items() if name in body["answer"]]
    comment = f" – {body['comment']}" if body["comment"] else ""
    return f'{escape(line)} <span class="ds-muted">{escape("; ".join(told) + comment)}</span>'
