"""A finding on the page: what applies, the open grounds in order, the closed ones with the reason, and how it was worked out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from typing import Any

import streamlit as st

from assistant import texts
from assistant.grounds import checklist as lists
from assistant.grounds import ongoing, wording
from assistant.grounds.case import Blocked, Case, Finding, Ground, TraceLine
from assistant.grounds.checklist import Checklist, ChecklistError
from assistant.grounds.find import basics_missing
from assistant.grounds.load import Law
from assistant.pages import fields, markup, parts
from corpus.index import Index

_KEY = re.compile(r"\b\d{1,2}:\d{1,2}[a-z]?( st\d)?\b(?! ?§)")


# --- the case ---------------------------------------------------------------------------------------------------------


def case_of(base: Mapping[str, Any], extra: Mapping[str, Any], law: Law) -> Case:
    """The case from the form and what was answered beside it: the parties' standing, the stycke, the facts."""
    own = {name: value for name, value in extra.items() if name in fields.PARTIES}
    narrowed = {item: value for item, value in extra.items() if item in base.get("secrecy", ())}
    told = {name: value for name, value in extra.items() if name in law.facts}
    secrecy = [narrowed.get(item, item) for item in base.get("secrecy", ())]
    return Case.from_json({**base, **own, "secrecy": secrecy, "facts": told}, law)


def unknown(case: Case) -> tuple[str, ...]:
    """The fields of the form that must be filled in first."""
    return tuple(name for name in basics_missing(case) if name not in fields.PARTIES)


def outcome(case: Case, finding: Finding) -> tuple[str, str, str]:
    """(the outcome in few words, its tone, the outcome in a sentence)."""
    if basics_missing(case) or (finding.outcome == "LEGAL_REVIEW" and finding.missing and not finding.handoff_to_lawyer):
        return texts.UNKNOWN
    return texts.FINDINGS[finding.outcome]


# --- the whole --------------------------------------------------------------------------------------------------------


def show(case: Case, finding: Finding, law: Law, index: Index, key: str) -> None:
    """The finding, from what applies to how it was worked out. ``key`` keeps the buttons of several findings apart."""
    st.html(opening(case, finding))
    if finding.available:
        st.html(f"<h3>{texts.OPEN_GROUNDS.format(count=len(finding.available))}</h3>")
    for number, ground in enumerate(finding.available, 1):
        _ground(number, ground, case, law, index, f"{key}-{number}")
    others = closed(finding.blocked) + beside(finding.also_consider, law)
    if others:
        st.html(others)


def opening(case: Case, finding: Finding) -> str:
    """What applies in a sentence, which ground comes first, when to ask a lawyer, what to mind."""
    short, tone, said = outcome(case, finding)
    first = "" if basics_missing(case) or not finding.primary else markup.paragraphs(texts.FIRST.format(provision=plain(finding.primary)))
    out = [f'<div class="ds-short"><p>{markup.badge(short, tone)}</p><p>{escape(said)}</p>{first}</div>']
    if finding.handoff_to_lawyer:
        out.append(f'<div class="ds-callout ds-grave"><strong>{texts.TO_LAWYER}</strong> {texts.TO_LAWYER_WHY}</div>')
    if finding.warnings:
        out.append(f'<div class="ds-callout"><strong>{texts.WARNINGS}</strong>{items(plain(one) for one in finding.warnings)}</div>')
    return "".join(out)


# --- a ground ---------------------------------------------------------------------------------------------------------


def _ground(number: int, ground: Ground, case: Case, law: Law, index: Index, key: str) -> None:
    on = case.date or date.today()
    made = checklist_of(ground, on)
    with st.container(key=f"ds-ground-{key}", border=True):
        st.html(ground_said(number, ground, made, law) + law_text(index, ground.ref, on))
        if made is None:
            st.html(f'<p class="ds-muted">{texts.NO_CHECKLIST_NEEDED}</p>')
        elif st.button(texts.WEIGH if made.weighs else texts.TRY_CONDITIONS, key=f"to-{key}",
                       type="primary" if made.weighs else "secondary"):
            st.session_state["handoff"] = {"checklist": made.id, "prefill": ongoing.told(case), "missing": (), "confirmed": True}
            st.switch_page(parts.page_file("assessment"))


def checklist_of(ground: Ground, on: date) -> Checklist | None:
    try:
        return lists.for_ground(ground, on)
    except ChecklistError:  # an older wording that is not held
        return None


def ground_said(number: int, ground: Ground, made: Checklist | None, law: Law) -> str:
    """A ground's kind, its test and which way it points, what it hangs on and what it lifts."""
    label, tone = texts.GROUND_KINDS[ground.kind]
    direction = next((one for one in made.directions if one.test == ground.test), None) if made else None
    formula = sentence(law.tests[ground.test].formula)
    test = f"{formula} {direction.points} {direction.strength}" if direction else formula
    lifts = texts.GROUND_LIFTS.format(keys=", ".join(wording.key(item) for item in ground.lifts)) if ground.lifts else ""
    rows = ((texts.GROUND_TEST, test), (texts.GROUND_DEPENDS, " ".join(filter(None, (sentence(plain(ground.note)), lifts)))))
    facts = "".join(f"<dt>{name}</dt><dd>{escape(said)}</dd>" for name, said in rows if said)
    badges = markup.badge(label, tone) + "".join(markup.badge(fields.capital(wording.MODES[one])) for one in ground.modes)
    return (f'<h4 class="ds-ground"><span class="ds-number">{number}.</span> {escape(ground.provision)}</h4>'
            f'<p class="ds-badges">{badges}</p><dl class="ds-facts">{facts}</dl>')


def law_text(index: Index, ref: str, on: date, *, unfolded: bool = False) -> str:
    """The provision's official words as they are stored, to open; said where they are not held."""
    quote = wording.official(index, ref, on)
    label = escape(wording.label(ref))
    if quote is None:
        return f'<p class="ds-muted">{label}: {texts.LAW_TEXT_MISSING}</p>'
    valid = markup.validity("gällande", quote.valid_from, None, None, on)
    return (f'<details class="ds-card"{" open" if unfolded else ""}><summary><span class="ds-number">§</span>'
            f'<span class="ds-label">{label}</span><span class="ds-badges">{valid}</span></summary>'
            f'<div class="ds-inside">{markup.whole(quote.text, (), wording.label(ref))}'
            f'<p class="ds-actions">{markup.link(quote.url)}</p></div></details>')


# --- closed, beside, trace --------------------------------------------------------------------------------------------


def closed(blocked: tuple[Blocked, ...]) -> str:
    return folded(texts.CLOSED_GROUNDS, [(one.provision, plain(one.why), cited(one)) for one in blocked])


def cited(one: Blocked) -> str:
    return "" if one.citation == one.provision else wording.label(one.citation)


def beside(grounds: tuple[Ground, ...], law: Law) -> str:
    return folded(texts.BESIDE, [(one.provision, plain(one.note) or law.tests[one.test].formula, "") for one in grounds])


def folded(heading: str, rows: list[tuple[str, str, str]]) -> str:
    """Rows to open: the provision, what is said of it, where it stands."""
    if not rows:
        return ""
    lines = "".join(f'<li><span class="ds-label">{escape(name)}</span><span class="ds-why">{escape(sentence(said))} '
                    f'<span class="ds-muted">{escape(where)}</span></span></li>' for name, said, where in rows)
    return f'<details class="ds-near"><summary>{heading.format(count=len(rows))}</summary><ul class="ds-list">{lines}</ul></details>'


def trace(finding: Finding, law: Law) -> str:
    """Every rule that was tried: the answer, which input decided, why, which wording."""
    head = "".join(f'<th scope="col">{name}</th>' for name in texts.TRACE_HEAD)
    body = "".join(traced(line, law) for line in finding.trace)
    reviewed = "" if all(one.reviewed for one in finding.available) else f'<p class="ds-muted">{texts.RULES_UNREVIEWED}</p>'
    return (f'<p class="ds-muted">{texts.RIGHT_UNTIL.format(day=texts.day(finding.law_as_of))}</p>{reviewed}'
            f'<div class="ds-wide" tabindex="0" role="group" aria-label="{texts.TRACE.format(count=len(finding.trace))}">'
            f'<table class="ds-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def traced(line: TraceLine, law: Law) -> str:
    decided = law.facts[line.input].question if line.input in law.facts else texts.FIELD_NAMES.get(line.input, line.input)
    answer = texts.FINDINGS[line.answer][0] if line.answer in texts.FINDINGS else line.answer
    cells = (answer, plain(decided), plain(line.reason), line.version)
    return f'<tr><th scope="row">{escape(line.lagrum or line.rule)}</th>{"".join(f"<td>{escape(one)}</td>" for one in cells)}</tr>'


# --- words ------------------------------------------------------------------------------------------------------------


def plain(said: str) -> str:
    """Secrecy keys as they are read: «26:1 är undantaget» → «26 kap. 1 § är undantaget»."""
    return _KEY.sub(lambda found: wording.key(found[0]), said)


def sentence(said: str) -> str:
    return said and fields.capital(said) + ("" if said.endswith((".", "?", "!")) else ".")


def items(said: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence(one))}</li>' for one in said)}</ul>"
