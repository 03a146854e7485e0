"""The sources: what is indexed, a provision as it reads on a day, a search inside one source, and what was left out."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from html import escape
from pathlib import Path

import streamlit as st

from assistant import compose, texts
from assistant.pages import markup, parts
from corpus import analysis, lagrum
from corpus.index import Index
from corpus.lagrum import Lagrum
from corpus.passage import KINDS, Passage

STEP = 25  # shown at a time
MANY = 6  # provisions read at once: enough for «25 kap. 1–5 §§»

Listed = tuple[str, str, str, str | None, int]


def page() -> None:
    """The page, from top to bottom."""
    st.html(f'<h1>{texts.PAGES["sources"]}</h1><p>{texts.SOURCES_INTRO}</p>')
    index = parts.opened().index
    listed = index.listed()
    if not listed:
        st.html(markup.notice(texts.SOURCES_EMPTY))
        return
    made = index.manifest
    st.html(markup.paragraphs(texts.SOURCES_HELD.format(
        sources=texts.amount(made.sources), passages=texts.amount(made.passages), law_as_of=texts.day(date.fromisoformat(made.law_as_of)),
        built=texts.day(datetime.fromisoformat(made.built).date()))))
    _provision(index)
    _in_source(index, listed)
    _list(listed)
    _left_out(index)


# --- a provision on a day ------------------------------------------------------------------------------------------


def _provision(index: Index) -> None:
    st.html(f"<h2>{texts.PROVISION}</h2>")
    with st.container(key="ds-provision", horizontal=True, vertical_alignment="bottom"):
        written = st.text_input(texts.PROVISION_FIELD, key="provision", placeholder=texts.PROVISION_EXAMPLE, max_chars=120, width=340)
        on = st.date_input(texts.PROVISION_DAY, key="provision_day", format="YYYY-MM-DD", width=190) or date.today()
    if not written or not written.strip():
        return
    found = [one for mention in lagrum.find(written, on) for one in mention.lagrum if one.paragraf]
    if not found:
        st.html(markup.alert(texts.PROVISION_UNREAD))
        return
    st.html("".join(_read(one.whole(), index, on) for one in dict.fromkeys(found[:MANY])))


def _read(address: Lagrum, index: Index, on: date) -> str:
    at = [n for n in index.at(address.ref) if index.zones[n] == "paragraf"]
    passages = index.get(at)
    if not passages:
        return markup.alert(texts.PROVISION_MISSING.format(label=address.short()))
    now = [one for one in passages if one.applies(on)]
    out = "".join(_card(one, index, on, unfolded=True) for one in now) or markup.alert(
        texts.PROVISION_NOT_THEN.format(label=address.short(), day=texts.day(on)))
    others = "".join(_card(one, index, on) for one in passages if one not in now)
    return out + (f"<h3>{texts.OTHER_VERSIONS}</h3>{others}" if others else "")


def _card(passage: Passage, index: Index, on: date, *, unfolded: bool = False, words: str = "") -> str:
    """A passage as a card, the sought words highlighted."""
    badges = markup.rank(passage.kind) + markup.validity(passage.status, passage.valid_from, passage.valid_to, passage.published, on)
    return (f'<details class="ds-card"{" open" if unfolded else ""}><summary><span class="ds-number"></span>'
            f'<span class="ds-label">{escape(_name(passage))}</span><span class="ds-badges">{badges}</span></summary>'
            f'<div class="ds-inside">{markup.path(passage, passage.title)}'
            f'{markup.whole(passage.text, _hits(passage, words), _name(passage))}'
            f'{markup.neighbours(passage, index, on)}<p class="ds-actions">{markup.link(passage.url)}</p></div></details>')


def _name(passage: Passage) -> str:
    """A passage's label; inside a document that has none, its nearest heading and page."""
    if passage.kind == "not" or lagrum.from_ref(passage.ref):
        return compose.label(passage)
    page = f", {texts.PAGE.format(page=passage.page)}" if passage.page else ""
    return f"{passage.headings[-1] if passage.headings else passage.title}{page}"


def _hits(passage: Passage, words: str) -> list[tuple[int, int, str]]:
    wanted = set(analysis.tokens(words))
    return [(m.start(), m.end(), "") for m in re.finditer(r"\w+", passage.text) if wanted & set(analysis.tokens(m[0]))] if wanted else []


# --- inside one source ---------------------------------------------------------------------------------------------


def _in_source(index: Index, listed: tuple[Listed, ...]) -> None:
    st.html(f"<h2>{texts.IN_SOURCE}</h2>")
    names = {one[0]: f"{one[1]} ({texts.KINDS.get(one[2], one[2])})" for one in listed}
    chosen = st.selectbox(texts.SOURCE, list(names), index=None, format_func=names.__getitem__, placeholder=texts.SOURCE_CHOOSE,
                          key="source")
    words = st.text_input(texts.SOURCE_WORDS, key="source_words", max_chars=200) or ""
    if not chosen:
        return
    at = _found(index, chosen, words)
    if not at:
        st.html(markup.notice(texts.FOUND_NONE))
        return
    shown = _amount(f"source-{chosen}-{words}")
    today = date.today()
    st.html(markup.notice(texts.FOUND.format(count=texts.amount(len(at))))
            + "".join(_card(one, index, today, words=words, unfolded=bool(words) and n < 3) for n, one in enumerate(index.get(at[:shown]))))
    _more("source_more", f"source-{chosen}-{words}", shown, len(at))


def _found(index: Index, source: str, words: str) -> list[int]:
    """Positions of the source's passages: those with the words, best first; all, in order, where no words are given."""
    at = list(index.of_source(source))
    tokens = analysis.tokens(words)
    if not tokens:
        return at
    scores = index.keyword(tokens)
    return sorted((n for n in at if scores[n] > 0), key=lambda n: -scores[n])


def _amount(what: str) -> int:
    amount: int = st.session_state.setdefault("amounts", {}).get(what, STEP)
    return amount


def _more(key: str, what: str, shown: int, total: int) -> None:
    def more() -> None:
        st.session_state["amounts"][what] = shown + STEP

    if shown < total:
        st.button(texts.MORE, key=key, on_click=more)


# --- the list, and what was left out ---------------------------------------------------------------------------------


def _list(listed: tuple[Listed, ...]) -> None:
    st.html(f"<h2>{texts.LISTED}</h2>")
    count = Counter(one[2] for one in listed)
    kinds = [kind for kind in KINDS if count[kind]]
    with st.container(key="ds-filter", horizontal=True):
        names = {"": texts.ANY_KIND, **{kind: f"{texts.KINDS[kind]} ({count[kind]})" for kind in kinds}}
        kind = st.selectbox(texts.KIND, list(names), format_func=names.__getitem__, key="kind", width=240)
        words = (st.text_input(texts.TITLE_WORDS, key="title_words", max_chars=100, width=340) or "").casefold().split()
    held = [one for one in listed if (not kind or one[2] == kind) and all(word in one[1].casefold() for word in words)]
    held.sort(key=lambda one: (KINDS.index(one[2]) if one[2] in KINDS else len(KINDS), one[1]))
    if not held:
        st.html(markup.notice(texts.LISTED_NONE))
        return
    what = f"list-{kind}-{' '.join(words)}"
    shown = _amount(what)
    st.html(f'<ul class="ds-list">{"".join(_row(one) for one in held[:shown])}</ul>')
    _more("list_more", what, shown, len(held))


def _row(one: Listed) -> str:
    _, title, kind, law_as_of, passages = one
    as_of = ""
    if law_as_of:
        day = texts.day(date.fromisoformat(law_as_of))
        as_of = texts.LAW_AS_OF.format(day=day) if kind in ("lag", "förordning") else day
    return (f'<li>{markup.rank(kind)}<span class="ds-label">{escape(title)}</span><span class="ds-muted">{escape(as_of)}</span>'
            f'<span class="ds-muted">{texts.PASSAGES.format(count=texts.amount(passages))}</span></li>')


def _left_out(index: Index) -> None:
    skipped, notes = index.manifest.skipped, index.manifest.notes
    st.html(f"<h2>{texts.SKIPPED.format(count=len(skipped))}</h2>"
            + (_lines([_why(Path(path).name, reason) for path, reason in skipped]) if skipped else markup.paragraphs(texts.SKIPPED_NONE)))
    if notes:
        titles = {one[0]: one[1] for one in index.listed()}
        lines = _lines([_why(titles.get(name, name), note) for name, note in notes])
        st.html(f"<h2>{texts.READ_NOTES.format(count=len(notes))}</h2>{lines}")


def _why(name: str, reason: str) -> str:
    return reason if reason.startswith(name[:40]) else f"{name}: {reason}"


def _lines(lines: list[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<details class="ds-near"><summary>{texts.SHOW_LIST}</summary><ul>{items}</ul></details>'


page()
