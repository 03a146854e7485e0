"""Around the queue: the figures, the signatures on rules and notes, files out and in, the approved versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

import altair
import streamlit as st

from assistant import texts
from assistant.grounds import booklet, wording
from assistant.grounds.load import Law
from assistant.pages import markup, parts, released
from assistant.pages.workbench import Person, Workbench, tell, tried

KINDS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv", "jsonl": "application/jsonl"}
DEEP, INK = "#1d4f76", "#1b2733"
WORDS: Mapping[str, Any] = {"labelFontSize": 13, "labelColor": INK, "titleFontSize": 13, "titleColor": INK}


# --- the figures -------------------------------------------------------------------------------------------------------


def _figures(bench: Workbench, _: Person) -> None:
    items, runs = bench.items(), bench.runs()
    if not items and not runs:
        st.html(markup.notice(texts.REVIEW_FIGURES_EMPTY))
        return
    count = Counter(str(one.state) for one in items)
    st.html('<dl class="ds-counts">' + "".join(f"<div><dt>{label}</dt><dd>{count[name]}</dd></div>" for name, label in texts.REVIEW_COUNTS)
            + "</dl>")
    _agreement(bench.agreement(items))
    shares = bench.shares(items)
    for name in ("topic", "source", "run"):
        _shares(name, shares[name])
    _runs(runs)


def _agreement(held: Sequence[Any]) -> None:
    st.html(f"<h2>{texts.REVIEW_AGREEMENT}</h2>")
    if not held:
        st.html(markup.notice(texts.REVIEW_FIGURES_EMPTY))
        return
    rows = [(texts.REVIEW_ALL_QUESTIONS[one.question], str(one.count), percent(one.share),
             texts.REVIEW_UNDEFINED if one.kappa is None else texts.decimal(one.kappa)) for one in held]
    st.html(markup.paragraphs(texts.REVIEW_AGREEMENT_WHY) + table(texts.REVIEW_AGREEMENT, texts.REVIEW_AGREEMENT_HEAD, rows))
    data = [{"x": texts.REVIEW_ALL_QUESTIONS[one.question], "y": one.kappa} for one in held if one.kappa is not None]
    if data:
        low = -1.0 if any(one["y"] < 0 for one in data) else 0.0
        _bars(data, texts.REVIEW_AGREEMENT_HEAD[3], texts.REVIEW_AGREEMENT, (low, 1.0), ".2f")


def _shares(name: str, held: Sequence[Any]) -> None:
    if not held:
        return
    title, label = texts.REVIEW_PLOTS[name]
    st.html(f'<h2>{title}</h2><p class="ds-muted">{texts.REVIEW_PLOT_WHY}</p>')
    _bars([{"x": texts.topic(one.name), "y": one.right / one.total} for one in held], texts.REVIEW_PLOT_HEAD[2], title, (0.0, 1.0), ".0%")
    rows = [(texts.topic(one.name), str(one.right), str(one.total), percent(one.right / one.total)) for one in held]
    folded(table(title, (label, *texts.REVIEW_PLOT_HEAD), rows))


def _runs(runs: Sequence[Any]) -> None:
    measures = list(dict.fromkeys(name for run in runs for name, _ in run.figures))
    if not measures:
        return
    st.html(f"<h2>{texts.REVIEW_RUNS}</h2>")
    first = measures.index("passed") if "passed" in measures else 0
    chosen = st.selectbox(texts.REVIEW_MEASURE, measures, index=first, key="review_measure", persist_state="session", width=340)
    held = [(run.name, dict(run.figures)[chosen]) for run in runs if chosen in dict(run.figures)]
    data = [{"run": f"{place}. {name[:24]}", "value": value} for place, (name, value) in enumerate(held, 1)]
    chart = altair.Chart(values(data)).mark_line(point=True, color=DEEP).encode(
        x=altair.X("run:N", sort=None, title=None, axis=altair.Axis(labelAngle=0, labelLimit=180, **WORDS)),
        y=altair.Y("value:Q", title=chosen, axis=altair.Axis(labelExpr="replace(datum.label, '.', ',')", **WORDS)))
    st.altair_chart(chart.properties(height=240), alt=texts.REVIEW_PLOT_ALT.format(title=texts.REVIEW_RUNS))
    folded(table(texts.REVIEW_RUNS, texts.REVIEW_RUNS_HEAD, [(name, texts.decimal(value, 3)) for name, value in held]))


def _bars(data: Sequence[Mapping[str, Any]], title: str, alt: str, domain: tuple[float, float], form: str) -> None:
    """Lying bars with their value at the end, so that names can be read and the colour says nothing alone."""
    rows = [{**one, "said": texts.decimal(one["y"]) if form == ".2f" else percent(one["y"])} for one in data]
    across = altair.Axis(format=form, tickCount=5, labelExpr="replace(datum.label, '.', ',')", **WORDS)
    base = altair.Chart(values(rows)).encode(
        y=altair.Y("x:N", sort=None, title=None, axis=altair.Axis(labelLimit=280, **WORDS)),
        x=altair.X("y:Q", title=title, scale=altair.Scale(domain=domain), axis=across))
    written = base.mark_text(align="left", dx=5, color=INK, fontSize=13).encode(text="said:N")
    chart = base.mark_bar(color=DEEP, height=18) + written
    st.altair_chart(chart.properties(height=34 * len(data) + 40), alt=texts.REVIEW_PLOT_ALT.format(title=alt))


def values(data: Sequence[Mapping[str, Any]]) -> altair.InlineData:
    """Rows as a chart takes them."""
    return altair.InlineData(values=list(data))


def percent(share: float) -> str:
    """«83 %»."""
    return f"{share * 100:.0f}\u00a0%"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its caption for screen readers."""
    top = "".join(f'<th scope="col">{escape(word)}</th>' for word in head)
    body = "".join("<tr>" + f'<th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
                   for row in rows)
    return (f'<div class="ds-wide" tabindex="0" role="group" aria-label="{escape(caption)}"><table class="ds-table">'
            f'<caption class="ds-hidden">{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def folded(inside: str) -> None:
    """A table under its plot, folded away."""
    st.html(f'<details class="ds-near"><summary>{texts.REVIEW_TABLE_OPEN}</summary>{inside}</details>')


# --- signatures ----------------------------------------------------------------------------------------------------------


def _papers(bench: Workbench, who: Person) -> None:
    held = bench.papers()
    signed = sum(bool(one.reviewed_by) for one in held)
    st.html(markup.paragraphs(texts.REVIEW_PAPERS_WHY)
            + f"<p><strong>{texts.REVIEW_PAPERS_COUNT.format(signed=signed, total=len(held))}</strong></p>")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(texts.REVIEW_PAPER_KIND, list(texts.REVIEW_PAPER_KINDS), format_func=texts.REVIEW_PAPER_KINDS.__getitem__,
                            key="review_paper_kind", width=200, persist_state="session")
        every = st.checkbox(texts.REVIEW_PAPER_ALL, key="review_paper_all", persist_state="session")
    names = {one.id: one for one in held if one.kind == kind and (every or not one.reviewed_by)}
    if not names:
        st.html(markup.notice(texts.REVIEW_PAPERS_DONE))
        return
    chosen = st.selectbox(texts.REVIEW_PAPER, list(names), index=None, format_func=lambda one: f"{names[one].title} ({one})"[:160],
                          placeholder=texts.REVIEW_PAPER_CHOOSE, key=f"review_paper_{kind}", filter_mode="contains")
    if chosen:
        _paper(bench, who, names[chosen])


def _paper(bench: Workbench, who: Person, paper: Any) -> None:
    opened = parts.opened()
    quote = wording.official(opened.index, paper.ref, date.today())
    law = booklet.html_quote(quote) if quote else f'<p class="ds-muted">{texts.LAW_TEXT_MISSING}</p>'
    with st.container(key="ds-paper", border=True):
        st.html(f"<h2>{escape(paper.title)}</h2>")
        left, right = st.columns([1.2, 1], gap="large")
        left.html(_said(paper, opened.law))
        right.html(f'<h3 class="ds-law-head">{texts.LAW_TEXT}: {escape(quote.label if quote else paper.ref)}</h3>'
                   f'<div class="ds-law-words">{law}</div>')
        if paper.reviewed_by:
            st.html(markup.notice(texts.REVIEW_SIGNED_BY.format(name=paper.reviewed_by, day=paper.reviewed_on)))
        elif who.role != "jurist":
            st.html(markup.notice(texts.REVIEW_SIGN_JURIST))
        elif st.button(texts.REVIEW_SIGN, key="review_sign", type="primary") and tried(bench, lambda: bench.sign(who, paper)):
            tell(texts.REVIEW_SIGNED.format(id=paper.id))
            st.rerun()


def _said(paper: Any, law: Law) -> str:
    """What the rule says field by field, in a lawyer's words; a note as it stands."""
    rule = next((one for one in law.rules if one.id == paper.id), None) if paper.kind == "regel" else None
    if rule is None:
        return f'<div class="ds-pre">{escape(paper.text)}</div>'
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{'<br>'.join(map(escape, values))}</dd>" for label, values in booklet.rows(rule, law))
    return f'<dl class="ds-facts">{rows}</dl>'


# --- files ---------------------------------------------------------------------------------------------------------------


def _files(bench: Workbench, who: Person) -> None:
    st.html(f"<h2>{texts.REVIEW_EXPORT}</h2>{markup.paragraphs(texts.REVIEW_EXPORT_WHY)}")
    if bench.items():
        with st.container(horizontal=True):
            for kind, mime in KINDS.items():
                st.download_button(texts.REVIEW_EXPORT_BUTTON.format(kind=kind.upper()), lambda kind=kind: bench.export(who, kind),
                                   file_name=f"granskning-{date.today().isoformat()}.{kind}", mime=mime, key=f"review_export_{kind}",
                                   on_click="ignore")
    else:
        st.html(markup.notice(texts.REVIEW_EXPORT_EMPTY))
    st.html(f"<h2>{texts.REVIEW_IMPORT}</h2>{markup.paragraphs(texts.REVIEW_IMPORT_WHY)}")
    with st.form("review_import", border=True):
        file = st.file_uploader(texts.REVIEW_IMPORT_FIELD, type=list(KINDS), key="review_file")
        if st.form_submit_button(texts.REVIEW_IMPORT_BUTTON):
            _take_in(bench, who, file)
    _log(bench)


def _take_in(bench: Workbench, who: Person, file: Any) -> None:
    if file is None:
        st.html(markup.alert(texts.REVIEW_IMPORT_FIRST))
        return
    done = tried(bench, lambda: bench.take_in(who, file.name, file.getvalue()))
    if done is None:
        return
    added, already, wrong = done
    if not wrong:
        st.html(markup.notice(texts.REVIEW_IMPORTED.format(added=added, already=already)))
        return
    lines = "".join(f"<li>{escape(texts.REVIEW_IMPORT_ROW.format(row=row, reason=reason))}</li>" for row, reason in wrong[:50])
    st.html(f'<div class="ds-callout ds-grave" role="alert">{texts.REVIEW_IMPORT_WRONG.format(count=len(wrong))}<ul>{lines}</ul></div>')


def _log(bench: Workbench) -> None:
    lines = "".join(f"<li>{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M} {escape(f'{who} ({role}) {what}')}</li>"
                    for at, who, role, what in bench.log())
    st.html(f'<details class="ds-near"><summary>{texts.REVIEW_LOG}</summary>'
            + (f"<ul>{lines}</ul>" if lines else f"<p>{texts.REVIEW_LOG_EMPTY}</p>") + "</details>")


# --- versions ------------------------------------------------------------------------------------------------------------


def _release(bench: Workbench, who: Person) -> None:
    opened = parts.opened()
    st.html(markup.paragraphs(texts.REVIEW_RELEASE_WHY))
    disputes = sum(str(one.state) == "oeniga" for one in bench.items())
    known = [texts.REVIEW_RELEASE_DISPUTES.format(count=disputes)] if disputes else []
    known += [] if bench.runs() else [texts.REVIEW_RELEASE_NO_RUN]
    if known:
        st.html(f'<div class="ds-callout">{" ".join(known)}</div>')
    with st.form("review_release", border=True):
        version = st.text_input(texts.REVIEW_RELEASE_VERSION, key="review_version", max_chars=41, placeholder=texts.REVIEW_RELEASE_EXAMPLE,
                                width=280)
        limits = st.text_area(texts.REVIEW_RELEASE_LIMITS, key="review_limits", height=120, max_chars=4000)
        if st.form_submit_button(texts.REVIEW_RELEASE_BUTTON, type="primary") and tried(
                bench, lambda: bench.approve(who, (version or "").strip(), (limits or "").split("\n"), opened)):
            tell(texts.REVIEW_RELEASED.format(version=(version or "").strip()))
            st.rerun()
    st.html(f"<h2>{texts.REVIEW_RELEASES}</h2>{released.shown(bench.releases())}")


SHOWN: Mapping[str, Callable[[Workbench, Person], None]] = {
    "figures": _figures, "papers": _papers, "files": _files, "release": _release}
