"""Answers and sources as HTML. Every word from a question or a source is escaped: nothing in them can become markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from urllib.parse import urlsplit

from assistant import compose, texts
from assistant.types import Answer, Citation, Claim, Status
from corpus import analysis
from corpus.index import Index
from corpus.passage import KINDS, Passage

_LONG = 1_400  # characters of a passage: what a card shows whole, some 25 lines
_NEIGHBOUR = 1_200  # characters of a neighbour: enough to see the context, short enough to read past
_ANSWERED = (Status.ANSWERED, Status.ANSWERED_WITH_HANDOFF)
_GRAVE = ("error_", "withheld_")
_ROLES = (("svar", texts.SHORT), ("skäl", texts.LAW_SAYS), ("tänk_på", texts.MIND))


@dataclass(frozen=True)
class Exchange:
    """A question and its answer as shown. ``question`` is empty when it was stopped: then it is kept nowhere. ``unkept``: why an answer
    that should have been kept isn't."""

    question: str
    answer: Answer
    opening: str
    sources: str
    unkept: str = ""


def exchange(question: str, answer: Answer, index: Index) -> Exchange:
    """What is kept and shown of ``question`` and ``answer``."""
    kept = "" if stopped(answer) else question
    return Exchange(kept, answer, body(kept, answer), sources(answer, index))


def stopped(answer: Answer) -> bool:
    """Whether the question was stopped before it was searched."""
    return answer.status.value.startswith(("refused_", "error_"))


# --- small pieces --------------------------------------------------------------------------------------------------


def badge(text: str, tone: str = "plain") -> str:
    """A small label; ``tone`` only colours it, the words carry the meaning."""
    return f'<span class="ds-badge ds-{tone}">{escape(text)}</span>'


def rank(kind: str) -> str:
    """The badge of a source's rank."""
    tone = "law" if kind in ("lag", "förordning") else "own" if kind == "not" else "press" if kind == "pressmeddelande" else "plain"
    return badge(texts.KINDS.get(kind, kind), tone)


def validity(status: str, valid_from: date | None, valid_to: date | None, published: date | None, on: date) -> str:
    """The badges that say when a text applies, seen from the day ``on``."""
    out = {"förslag": badge(texts.IS_PROPOSAL, "warn"), "äldre": badge(texts.IS_OLDER, "warn")}.get(status, "")
    if valid_from and valid_from > on:
        return out + badge(texts.VALID_COMING.format(day=texts.day(valid_from)), "warn")
    if valid_to and valid_to <= on:
        return out + badge(texts.VALID_ENDED.format(day=texts.day(valid_to)), "warn")
    if valid_from:
        out += badge(texts.VALID_FROM.format(day=texts.day(valid_from)), "ok")
    elif published:
        out += badge(texts.PUBLISHED.format(day=texts.day(published)))
    return out + (badge(texts.VALID_ENDS.format(day=texts.day(valid_to)), "warn") if valid_to else "")


def paragraphs(text: str, tag: str = "p") -> str:
    """Plain text as escaped paragraphs."""
    return "".join(f"<{tag}>{escape(part.strip())}</{tag}>" for part in re.split(r"\n\s*\n", text) if part.strip())


def alert(text: str, heading: str = "") -> str:
    """A message that is read out at once."""
    lead = f"<strong>{escape(heading)}</strong> " if heading else ""
    return f'<div class="ds-callout ds-grave" role="alert">{lead}{escape(text)}</div>'


def notice(text: str) -> str:
    """A quiet message, read out when the reader pauses."""
    return f'<p class="ds-notice" role="status">{escape(text)}</p>'


def flowing(text: str) -> str:
    """``text`` with the line breaks of its printed page opened, letter for letter as long, so that offsets still hold."""
    return re.sub(r"(?<!\n)\n(?![ \t]*\n|[-•–] |\Z)", " ", text)


def words(text: str) -> str:
    """``text`` escaped, with no empty line between the points of a list."""
    return re.sub(r"[ \t]*\n\s*\n(?=\d+\. |[-•–] )", "\n", escape(text))


def marked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """``text`` escaped, each (start, end, id) of ``spans`` highlighted; where two overlap the first keeps the words."""
    text, out, at = flowing(text), [], 0
    for start, end, name in sorted(spans):
        start = max(start, at)
        if start >= end:
            out.append(f'<span id="{escape(name)}"></span>' if name else "")
            continue
        mark = f' id="{escape(name)}"' if name else ""
        out += [words(text[at:start]), f"<mark{mark}>{words(text[start:end])}</mark>"]
        at = end
    return "".join([*out, words(text[at:])])


def _copy(label: str, text: str) -> str:
    said = f'data-copied="{texts.COPIED}" data-failed="{texts.NOT_COPIED}"'
    return f'<button type="button" class="ds-button" data-copy="{escape(text)}" {said}>{escape(label)}</button>'


def link(url: str) -> str:
    """A link to the official source, or the reason there is none. Only web addresses become links."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.hostname:
        return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(texts.OFFICIAL)}</a>'
    return f'<span class="ds-muted">{escape(url or texts.NO_LINK)}</span>'


# --- the answer ----------------------------------------------------------------------------------------------------


def body(question: str, answer: Answer) -> str:
    """The question, and the answer with numbered citations."""
    asked = escape(question) if question else f"<em>{escape(texts.QUESTION_STOPPED)}</em>"
    ready = "" if stopped(answer) else f"{texts.READY}. {texts.STATUS[answer.status.value]}."
    return (f'<section class="ds-answer" data-answer="{escape(answer.answer_id)}" data-ready="{escape(ready)}">'
            f'<h2 class="ds-question" tabindex="-1"><span class="ds-lead">{escape(texts.YOU_ASKED)}</span>{asked}</h2>'
            f'<p class="ds-meta">{state(answer)}</p>{said(answer)}'
            + (f'<p class="ds-actions">{_copy(texts.COPY_ANSWER, as_text(question, answer))}</p>' if answer.claims else "")
            + "</section>")


def said(answer: Answer) -> str:
    """What an answer says: short answer, what to know of it, what the sources say, what to mind."""
    sections = [_section(answer, role, heading) for role, heading in _ROLES]
    if any(sections):
        return "".join([sections[0], _callouts(answer), *sections[1:]])
    grave = answer.status.value.startswith(_GRAVE) or stopped(answer)
    text = texts.CLARIFY if answer.status is Status.CLARIFICATION_NEEDED else answer.text_md
    return (alert(text) if grave else f'<div class="ds-said">{paragraphs(text)}</div>') + _callouts(answer)


def state(answer: Answer) -> str:
    """How the question ended, the day it was asked for, and how new the law's text is."""
    tone = "ok" if answer.status is Status.ANSWERED else "warn"
    out = [badge(texts.STATUS[answer.status.value], tone), f"<span>{texts.AS_OF} {texts.day(answer.as_of_date)}</span>"]
    if answer.law_as_of:
        out.append(f"<span>{escape(texts.LAW_AS_OF.format(day=texts.day(answer.law_as_of)))}</span>")
    return " ".join(out)


def _callouts(answer: Answer) -> str:
    held = {claim.text for claim in answer.claims}
    told = [warning.text for warning in answer.warnings if warning.text not in (held if answer.claims else answer.text_md)]
    if answer.handoff:
        told.insert(0, texts.HANDOFF_AHEAD)
    return "".join(f'<div class="ds-callout">{escape(text)}</div>' for text in dict.fromkeys(told))


def _section(answer: Answer, role: str, heading: str) -> str:
    claims = [claim for claim in answer.claims if claim.role == role]
    if not claims:
        return ""
    wrong = {warning.text for warning in answer.warnings if warning.code == "false_premise"}
    inside = "".join(_claim(answer, claim, claim.text in wrong) for claim in claims)
    if role == "tänk_på":
        inside = f"<ul>{inside}</ul>"
    return f'<section class="ds-part ds-{_ROLE_CLASS[role]}"><h3>{escape(heading)}</h3>{inside}</section>'


_ROLE_CLASS = {"svar": "short", "skäl": "reasons", "tänk_på": "mind"}


def _claim(answer: Answer, claim: Claim, corrects: bool) -> str:
    lead = f"<strong>{escape(texts.CORRECTION)}</strong> " if corrects else ""
    of_claim = [(at, one) for at, one in enumerate(answer.citations, 1) if one.id in claim.citation_ids]
    said = f"{lead}{escape(claim.text)} {' '.join(_cite(answer, at, one) for at, one in of_claim)}"
    if claim.role == "tänk_på":
        return f"<li>{said}</li>"
    quotes = "".join(
        f"<figure><blockquote>{words(flowing(one.quote))}</blockquote>"
        f"<figcaption>{escape(one.label)} {_cite(answer, at, one)}</figcaption></figure>"
        for at, one in of_claim
        if one.kind != "not" and _first(answer, one) == claim.id and analysis.unwrapped(one.quote) not in analysis.unwrapped(claim.text))
    return f"<p>{said}</p>{quotes}"


def _first(answer: Answer, citation: Citation) -> str:
    """The id of the first claim that a citation carries: its quote is shown there and nowhere else."""
    return next((claim.id for claim in answer.claims if citation.id in claim.citation_ids), "")


def _cite(answer: Answer, number: int, citation: Citation) -> str:
    says = texts.SHOW_SOURCE.format(number=number, label=citation.label)
    own = " ds-own" if citation.kind == "not" else ""
    return (f'<button type="button" class="ds-cite{own}" data-cite="{mark_id(answer, number)}" aria-label="{escape(says)}" '
            f'title="{escape(citation.label)}">[{number}]</button>')


def mark_id(answer: Answer, number: int) -> str:
    """The id of the highlight that a citation's button leads to."""
    return f"ds-{escape(answer.answer_id)}-{number}"


# --- the sources of an answer --------------------------------------------------------------------------------------


def sources(answer: Answer, index: Index) -> str:
    """The source pane: one card a passage, in the order they are cited, each quote highlighted in its whole passage."""
    if not answer.citations:
        return ""
    cards: dict[str, list[tuple[int, Citation]]] = {}
    for number, one in enumerate(answer.citations, 1):
        cards.setdefault(one.passage_id, []).append((number, one))
    count = Counter(quotes[0][1].kind for quotes in cards.values())
    kinds = ", ".join(f"{kind} {count[kind]}" for kind in KINDS if count[kind])
    heading = f"{texts.SOURCES_OF_ANSWER.format(count=len(cards))} – {kinds}"
    inside = "".join(_card(answer, quotes, index) for quotes in cards.values())
    return f'<div class="ds-sources" role="group" aria-label="{escape(heading)}"><h3>{escape(heading)}</h3>{inside}</div>'


def _card(answer: Answer, quotes: list[tuple[int, Citation]], index: Index) -> str:
    one = quotes[0][1]
    passage = index.by_id(one.passage_id)
    published = passage.published if passage else None
    label = one.label if len({cited.label for _, cited in quotes}) == 1 or passage is None else compose.label(passage)
    numbers = ", ".join(str(number) for number, _ in quotes)
    badges = rank(one.kind) + validity(one.status, one.valid_from, one.valid_to, published, answer.as_of_date)
    spans = [(cited.start, cited.end, mark_id(answer, number)) for number, cited in quotes]
    text = whole(passage.text, spans, label) if passage else f'<div class="ds-text">{words(flowing(one.quote))}</div>'
    told = f'<p class="ds-muted">{escape(texts.OWN_NOTE)}</p>' if one.kind == "not" else ""
    return (f'<details class="ds-card"><summary><span class="ds-number">{numbers}</span><span class="ds-label">{escape(label)}</span>'
            f'<span class="ds-badges">{badges}</span></summary><div class="ds-inside">{told}{path(passage, one.title)}'
            f'{text}{neighbours(passage, index, answer.as_of_date) if passage else ""}'
            f'<p class="ds-actions">{link(one.url)}</p>'
            f'<p class="ds-actions">{_copy(texts.COPY_REFERENCE, reference(replace(one, label=label)))}'
            f'<button type="button" class="ds-button" data-back="1">{escape(texts.BACK)}</button></p></div></details>')


def whole(text: str, spans: Sequence[tuple[int, int, str]], label: str) -> str:
    """A whole passage, its spans marked. A long one scrolls inside its card, which takes a place in the tab order and a name of its own."""
    name = escape(texts.WHOLE_PASSAGE.format(label=label))
    scrolls = f' ds-long" tabindex="0" role="group" aria-label="{name}' if len(text) > _LONG else ""
    return f'<div class="ds-text{scrolls}">{marked(text, spans)}</div>'


def path(passage: Passage | None, title: str) -> str:
    """Where a passage stands: title › headings › page."""
    steps = [title, *(passage.headings if passage else ())]
    if passage and passage.page:
        steps.append(texts.PAGE.format(page=passage.page))
    return f'<p class="ds-path">{" › ".join(escape(step) for step in dict.fromkeys(step for step in steps if step))}</p>'


def neighbours(passage: Passage, index: Index, on: date) -> str:
    """The passages before and after in the source, as they read on ``on``, folded away."""
    mask = index.applies(on)
    at = [n for n in index.of_source(passage.source) if mask[n] or index.ids[n] == passage.id]
    here = next((i for i, n in enumerate(at) if index.ids[n] == passage.id), None)
    if here is None:
        return ""
    out = []
    for word, position in ((texts.BEFORE, here - 1), (texts.AFTER, here + 1)):
        if 0 <= position < len(at):
            text = index.get([at[position]])[0].text
            cut = " …" if len(text) > _NEIGHBOUR else ""
            out.append(f'<p class="ds-lead">{word}</p><div class="ds-text">{words(flowing(text[:_NEIGHBOUR]))}{cut}</div>')
    return f'<details class="ds-near"><summary>{escape(texts.NEIGHBOURS)}</summary>{"".join(out)}</details>' if out else ""


def reference(citation: Citation) -> str:
    """A citation as it is written in a document: label, title, version, days, address."""
    out = [citation.label]
    if citation.title and citation.title not in citation.label:
        out.append(citation.title)
    if citation.version and citation.kind in ("lag", "förordning"):
        out.append(f"i lydelse enligt {citation.version}")
    if citation.valid_from:
        out.append(texts.VALID_FROM.format(day=texts.day(citation.valid_from)).lower())
    if citation.page and f"s. {citation.page}" not in citation.label:
        out.append(f"s. {citation.page}")
    return ", ".join([*out, *([citation.url] if citation.url.startswith(("http://", "https://")) else [])])


def as_text(question: str, answer: Answer) -> str:
    """The answer with its sources as plain text, for a document or an e-mail."""
    out = [question, ""]
    for role, heading in _ROLES:
        claims = [claim for claim in answer.claims if claim.role == role]
        out += [heading, *(_claim_text(answer, claim) for claim in claims), ""] if claims else []
    warnings = [warning.text for warning in answer.warnings if warning.code != "false_premise"]
    out += [*(f"Obs: {text}" for text in warnings), *([texts.HANDOFF] if answer.handoff else [])]
    out.append(texts.PAGES["sources"])
    out += [f"[{number}] {texts.KINDS.get(one.kind, one.kind)}: {reference(one)}" for number, one in enumerate(answer.citations, 1)] + [""]
    out.append(f"{texts.AS_OF} {texts.day(answer.as_of_date)}."
               + (f" {texts.LAW_AS_OF.format(day=texts.day(answer.law_as_of))}." if answer.law_as_of else ""))
    return "\n".join([*out, texts.DISCLAIMER]).strip()


def _claim_text(answer: Answer, claim: Claim) -> str:
    of_claim = [(at, one) for at, one in enumerate(answer.citations, 1) if one.id in claim.citation_ids]
    said = f"{'- ' if claim.role == 'tänk_på' else ''}{claim.text} {' '.join(f'[{at}]' for at, _ in of_claim)}"
    quotes = [f"    ”{analysis.unwrapped(one.quote)}” ({one.label}) [{at}]" for at, one in of_claim
              if one.kind != "not" and _first(answer, one) == claim.id and claim.role != "tänk_på"]
    return "\n".join([said, *quotes])
