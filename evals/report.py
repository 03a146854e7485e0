"""A run as one HTML page that needs nothing else: figures, charts, and every case with what was asked, answered and expected.

Everything from a case or a source is escaped; the page runs no script and loads nothing, which its content policy enforces.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from assistant import texts
from evals import metrics

Data = Mapping[str, Any]
# What must be 1.0, first; then shares, then what is only shown.
LABELS = {
    "citation_exists": "Citatets källa finns", "citation_verbatim": "Citatet är ordagrant", "citation_in_force": "Citatet gällde på dagen",
    "forbidden": "Inget otillåtet sägs", "verdict": "Inget ja eller nej där någon ska väga", "rank": "Källornas rang är rätt",
    "facts": "Det som ska sägas sägs", "premise": "Felaktig förutsättning rättas", "route": "Rätt slag av svar",
    "handoff": "Rätt checklista", "abstention": "Avstår när den ska", "citation_recall": "Rätt lagrum citeras (täckning)",
    "citation_precision": "Rätt lagrum citeras (precision)",
    "handoff_precision": "Checklista: precision", "handoff_recall": "Checklista: täckning, bara fall där den väntas",
    "abstention_precision": "Avstå: precision", "abstention_recall": "Avstå: täckning, bara fall där det väntas",
    "similarity": "Ordlikhet med det väntade", "passed": "Fall som håller",
    "error": "Ett fel inträffade", "errors": "Fall där något gick sönder", "semantic_similarity": "Semantisk likhet (ragas)",
    "id_based_context_recall": "ID-täckning (ragas)",
    "id_based_context_precision": "ID-precision (ragas)", "faithfulness": "Trohet mot källorna (språkmodell)",
    "answer_relevancy": "Svarar på frågan (språkmodell)", "latency_p50": "Svarstid, median", "latency_p95": "Svarstid, 95:e percentilen",
}
ROUTES = {"answer": "svar", "assess": "checklista", "clarify": "motfråga", "decline": "avstår"}
SUBSETS = {"all": "alla fall", "fast": "snabbt urval", "golden": "guldfall", "families": "genererade fall"}
GROUPS = {"golden": "guldfall", "undantag": "genererade: undantag", "personnummer": "genererade: personnummer",
          "utslag": "genererade: krav på ja eller nej"}
UNSCORED = "ej bedömd"
_WIDTH, _BAR = 760, 22
_CSS = """
:root{color-scheme:light dark;--ink:#1d2733;--paper:#fff;--soft:#eef2f6;--line:#c9d3dd;--good:#1f7a4d;--bad:#b3261e;--mark:#2a5d9f}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--paper:#151b22;--soft:#1f2832;--line:#3a4754;--good:#5fc692;--bad:#ff8a80;--mark:#8ab8f5}}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.5rem 0 .6rem}h3{font-size:1rem;margin:1rem 0 .2rem}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;color:var(--ink);margin:.6rem 0}
.wide{overflow-x:auto}svg{max-width:100%;height:auto;display:block}text{fill:var(--ink);font:13px system-ui,sans-serif}
.track{fill:var(--soft)}.good{fill:var(--good)}.bad{fill:var(--bad)}.mark{fill:var(--mark)}.rule{stroke:var(--line)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}
.tag{display:inline-block;border:1px solid currentColor;border-radius:.3rem;padding:0 .4rem;margin:0 .3rem .2rem 0;font-size:.85rem}
.fel{color:var(--bad)}.ratt{color:var(--good)}
blockquote{margin:.4rem 0;padding:.2rem .8rem;border-left:3px solid var(--line);white-space:pre-wrap}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
td.n,th.n{text-align:right}td.n{font-variant-numeric:tabular-nums}p{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
"""


def page(summary: Data, rows: Sequence[Data]) -> str:
    """The whole page of a run: ``summary`` and ``rows`` as they are kept."""
    failures = [row for row in rows if row["failed"]]
    passed = [row for row in rows if not row["failed"]]
    style = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; form-action 'none'; base-uri 'none'"
    return "\n".join((
        "<!doctype html>", '<html lang="sv">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>Utvärdering {_text(summary['name'])}</title>",
        f"<style>{_CSS}</style>", "</head>", "<body>", *_head(summary), *_figures(summary), *_groups(summary, rows), *_times(rows),
        *_ragas(summary), *_left_out(summary),
        f"<h2>Fall som inte håller ({len(failures)})</h2>", *(map(_case, failures) if failures else ["<p>Inga.</p>"]),
        f"<h2>Fall som håller ({len(passed)})</h2>", *map(_case, (row for row in passed if not row["family"])), *_short(passed),
        "</body>", "</html>",
    ))


def label(name: str) -> str:
    """A measure as a reader knows it."""
    head, _, tail = name.partition(":")
    if head == "passed" and tail:
        return f"Fall som håller: {tail}"
    if tail:
        return f"Slag av svar, {ROUTES.get(tail, tail)}: {'precision' if head.endswith('precision') else 'täckning'}"
    return LABELS.get(name, name)


def shown(value: float | None, name: str = "") -> str:
    """A value as it is read: «0,93», «120 ms», or «ej bedömd» where nobody scored."""
    if value is None:
        return UNSCORED
    if name.startswith("latency"):
        return f"{value * 1000:.0f} ms"
    return f"{value:.3f}".replace(".", ",")


def _text(value: Any) -> str:
    return escape(str(value), quote=True)


# --- figures ---------------------------------------------------------------------------------------------------------


def _head(summary: Data) -> Iterable[str]:
    yield "<h1>Utvärdering av Delningsstöd</h1>"
    subset = SUBSETS.get(summary["subset"], summary["subset"])
    told = {"Gjord": summary["made"], "Kod": summary["commit"], "Källor": summary["corpus"], "Regler": summary["rules"], "Urval": subset,
            "Fall": summary["cases"], "Håller inte": summary["failed"], "Tid": f"{summary['seconds']} s"}
    yield '<div class="facts">'
    yield from (f"<span>{_text(name)}: <strong>{_text(value)}</strong></span>" for name, value in told.items())
    yield "</div>"
    yield f"<p>{_text(texts.DISCLAIMER)} Fallen är inte granskade av jurist om inget annat står.</p>"


def _figures(summary: Data) -> Iterable[str]:
    measures = summary["measures"]
    named = [name for name in measures if not name.startswith(("passed:", "latency", "route_", "errors"))]
    order = sorted(named, key=lambda name: list(LABELS).index(name) if name in LABELS else len(LABELS))
    yield ("<h2>Mått</h2><p>Citaten, otillåtna påståenden, ja eller nej och källornas rang räknas över alla fall, resten över guldfallen."
           " Citeringens precision och ordlikheten visas, men prövas inte.</p>")
    yield from _bars([(label(name), measures[name], name in metrics.NOT_JUDGED_ALONE) for name in order])
    yield "<h3>Slag av svar</h3><div class=\"wide\"><table><tr><th>Slag</th><th class=\"n\">Precision</th><th class=\"n\">Täckning</th>"
    yield '<th class="n">Fall</th></tr>'
    for route, name in ROUTES.items():
        right, found = measures.get(f"route_precision:{route}"), measures.get(f"route_recall:{route}")
        if right or found:
            yield (f"<tr><td>{_text(name)}</td><td class=\"n\">{_of(right)}</td><td class=\"n\">{_of(found)}</td>"
                   f"<td class=\"n\">{int(found['n']) if found else 0}</td></tr>")
    yield "</table></div>"


def _of(measure: Data | None) -> str:
    return shown(measure["value"]) if measure else "–"


def _bars(bars: Sequence[tuple[str, Data, bool]]) -> Iterable[str]:
    """Horizontal bars 0–1: (name, its value and number of cases, whether it is only shown and held to nothing)."""
    yield _svg(len(bars), "Stapeldiagram")
    for at, (name, one, only_shown) in enumerate(bars):
        top, value = at * _BAR + 4, one["value"]
        tone = "mark" if only_shown else "good" if value >= 0.9995 else "bad" if value < 0.9 else "mark"
        yield (f'<text x="0" y="{top + 13}">{_text(name)}</text><rect class="track" x="330" y="{top}" width="280" height="16"/>'
               f'<rect class="{tone}" x="330" y="{top}" width="{280 * min(1.0, max(0.0, value)):.1f}" height="16"/>'
               f'<text x="620" y="{top + 13}">{shown(value)} ({one["n"]} fall)</text>')
    yield "</svg></div>"


def _svg(bars: int, name: str) -> str:
    height = bars * _BAR + 4
    return (f'<div class="wide"><svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img"'
            f' aria-label="{_text(name)}">')


def _groups(summary: Data, rows: Sequence[Data]) -> Iterable[str]:
    yield "<h2>Fall som håller, per grupp</h2>"
    measures = summary["measures"]
    yield from _bars([(GROUPS.get(group, group), one, False) for name, one in measures.items()
                      for head, _, group in [name.partition(":")] if head == "passed" and group])
    topics = sorted({row["topic"] for row in rows if not row["family"]})
    if topics:
        yield "<h3>Guldfall per ämne</h3>"
        held = {topic: [not row["failed"] for row in rows if row["topic"] == topic and not row["family"]] for topic in topics}
        yield from _bars([(texts.topic(topic), {"value": sum(marks) / len(marks), "n": len(marks)}, False)
                          for topic, marks in held.items()])


def _times(rows: Sequence[Data]) -> Iterable[str]:
    """How many answers took how long."""
    if not rows:
        return
    limits = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, float("inf"))
    counts = [sum(low <= row["seconds"] < high for row in rows) for low, high in zip((0.0, *limits), limits, strict=False)]
    names = [f"under {limit * 1000:.0f} ms" if limit < 2 else f"under {limit:.0f} s" if limit < 3 else "2 s eller mer" for limit in limits]
    most = max(counts)
    yield "<h2>Svarstider</h2>"
    yield _svg(len(counts), "Svarstider")
    for at, (name, count) in enumerate(zip(names, counts, strict=True)):
        top, wide = at * _BAR + 4, 480 * count / most
        yield (f'<text x="0" y="{top + 13}">{_text(name)}</text><rect class="mark" x="130" y="{top}" width="{wide:.1f}" height="16"/>'
               f'<text x="{140 + wide:.1f}" y="{top + 13}">{count}</text>')
    yield "</svg></div>"


def _ragas(summary: Data) -> Iterable[str]:
    ragas = summary["ragas"]
    yield "<h2>Genom ragas</h2>"
    if ragas.get("run"):
        yield "<p>Samma mått över alla fall, körda genom ragas experiment. En rad som faller bort eller saknar värde räknas som fel.</p>"
        if ragas["failures"]:
            yield f'<p class="fel">{len(ragas["failures"])} fel:</p><ul>'
            yield from (f"<li>{_text(case)} {_text(label(name))}: {_text(why)}</li>" for case, name, why in ragas["failures"][:200])
            yield "</ul>"
        else:
            yield '<p class="ratt">Inga rader föll bort, inget mått saknar värde, och alla stämmer med våra egna.</p>'
    yield '<div class="wide"><table><tr><th>Mått</th><th class="n">Värde</th><th class="n">Fall</th><th></th></tr>'
    for name, one in {**ragas.get("metrics", {}), **ragas.get("judged", {})}.items():
        yield (f'<tr><td>{_text(label(name))}</td><td class="n">{_text(shown(one["value"]))}</td><td class="n">{one["n"]}</td>'
               f'<td>{_text(one.get("why", ""))}</td></tr>')
    yield "</table></div>"


def _left_out(summary: Data) -> Iterable[str]:
    left = summary["left_out"]
    if left:
        yield f"<h2>Utelämnade fall ({len(left)})</h2><p>Texten som ska citeras finns inte bland källorna i indexet.</p>"
        yield "<details><summary>Visa listan</summary><ul>"
        yield from (f"<li>{_text(name)}: {_text(', '.join(refs))}</li>" for name, refs in left.items())
        yield "</ul></details>"


# --- cases -----------------------------------------------------------------------------------------------------------


def _case(row: Data) -> str:
    tags = "".join(f'<span class="tag fel">{_text(label(name))}</span>' for name in row["failed"])
    opened = " open" if row["failed"] else ""
    expected = row["expected"]
    reviewed = f" Granskat av {expected['reviewed_by']} {expected['reviewed_on']}." if expected["reviewed_by"] else ""
    return "\n".join((
        f"<details{opened}><summary><strong>{_text(row['id'])}</strong> {_text(row['question'])} {tags}</summary>",
        (f"<p>Ämne: {_text(texts.topic(row['topic']))}. Händelsedatum: {_text(row['as_of'])}."
         f" {_text(expected['reason'])}{_text(reviewed)}</p>"),
        *(f"<p>Tidigare: {_text(turn)}</p>" for turn in row["history"]), *_expected(expected), *_answer(row), "</details>",
    ))


def _expected(expected: Data) -> Iterable[str]:
    yield "<h3>Väntat</h3><ul>"
    yield f"<li>Slag av svar: {_text(' eller '.join(texts.STATUS.get(one, one) for one in expected['status']))}</li>"
    lists = {"Ska citera": expected["must_cite"], "Får citera": expected["may_cite"], "Ska säga": expected["must_say"],
             "Får inte säga": expected["must_not_say"], "Får inte leda till": expected["closed"]}
    yield from (f"<li>{name}: {_text('; '.join(values))}</li>" for name, values in lists.items() if values)
    if expected["handoff"] is not None:
        yield f"<li>Checklista: {_text(' eller '.join(expected['handoff']) or 'ingen')}</li>"
    if expected["premise"]:
        yield f"<li>Rättelse: {_text(expected['premise'])}</li>"
    if expected["no_verdict"]:
        yield "<li>Varken ja eller nej</li>"
    yield "</ul>"


def _answer(row: Data) -> Iterable[str]:
    answer = row["answer"]
    yield "<h3>Svar</h3>"
    if answer is None:
        yield f'<p class="fel">Inget svar: {_text(row["error"])}</p>'
        return
    handoff = f" Checklista: {answer['handoff']['checklist']}." if answer["handoff"] else ""
    yield f"<p>{_text(texts.STATUS.get(answer['status'], answer['status']))}.{_text(handoff)}</p>"
    said = [claim["text"] for claim in answer["claims"]] or [answer["text_md"]]
    yield from (f"<p>{_text(text)}</p>" for text in said)
    yield from (f"<p>Obs: {_text(warning['text'])}</p>" for warning in answer["warnings"])
    yield from (f"<blockquote>{_text(one['quote'])}\n— {_text(one['label'])}</blockquote>" for one in answer["citations"])


def _short(passed: Sequence[Data]) -> Iterable[str]:
    """The generated cases that hold, one line each: they are many and alike."""
    rows = [row for row in passed if row["family"]]
    if rows:
        yield f'<details><summary>Genererade fall som håller ({len(rows)})</summary><div class="wide"><table>'
        yield from (f"<tr><td>{_text(row['id'])}</td><td>{_text(row['question'])}</td>"
                    f"<td>{_text(texts.STATUS.get(row['answer']['status'], ''))}</td></tr>" for row in rows)
        yield "</table></div></details>"
