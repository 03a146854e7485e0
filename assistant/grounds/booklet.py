"""The rules as a lawyer reads them: a page per provision, our rule beside its lagrum and, where indexed, the official words.

HTML for the screen and the printer, DOCX for comments. Nothing is decided here; each page ends in a line to sign.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from html import escape
from typing import Any

from assistant import texts
from assistant.grounds import paper, wording
from assistant.grounds.load import Law, Rule
from assistant.grounds.wording import Held, Quote
from corpus.lagrum import OSL, Lagrum, from_ref, named, order

TITLE = "Reglerna om att dela uppgifter, för granskning"
KINDS = {"duty": "Skyldighet", "permission": "Möjlighet", "trap": "Ser ut som en grund men är ingen"}
BEFORE = {
    "ny": "Regeln är ny; före den dagen fanns den inte.",
    "okand": "Den äldre lydelsen finns inte i underlaget; äldre fall går till jurist.",
    "annan_regel": "Den äldre lydelsen är en egen regel här.",
}
NO_WORDS = "Den officiella texten finns inte i indexet. Läs den hos källan."
OPEN = "Öppna rättsfrågor"
SIGN = ("Granskad av", "Datum")
STYLE = """
:root{--ink:#172b3f;--muted:#4a5763;--line:#c3ccd5;--shade:#f2f5f8}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;color:var(--ink);margin:0 auto;max-width:74rem;padding:1.5rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.35rem;margin:0 0 .25rem}h3{font-size:1.05rem;margin:0 0 .5rem}
a{color:#0b4f8a}a:focus-visible{outline:3px solid #0b4f8a;outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;list-style:none;padding:0;margin:.1rem 0 1rem}
.page{border-top:3px solid var(--ink);padding:1.25rem 0 2.5rem}
.muted{color:var(--muted);margin:.1rem 0 1rem;font-size:.94rem}
.beside{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:2rem}
@media (max-width:52rem){.beside{grid-template-columns:minmax(0,1fr)}}
.rule{margin-bottom:1.5rem}
dl{display:grid;grid-template-columns:9rem minmax(0,1fr);margin:0}dt,dd{padding:.35rem 0;border-top:1px solid var(--line);margin:0}
dt{font-weight:600;font-size:.94rem}dd p{margin:0 0 .2rem}
.words{background:var(--shade);padding:1rem 1.25rem;align-self:start}
.words blockquote{margin:0 0 .75rem}.words blockquote p{margin:0 0 .6rem}
.sign{display:grid;grid-template-columns:2fr 1fr;gap:2rem;margin-top:2.5rem;font-size:.94rem;color:var(--muted)}
.sign span{border-top:1px solid var(--ink);padding-top:.25rem}
@media print{body{font-size:10pt;max-width:none;padding:0}a{color:inherit;text-decoration:none}
.page{break-before:page;border-top:0;padding-top:0}
.words{border:1px solid var(--line)}h2,h3,dt{break-after:avoid}}
@page{size:A4;margin:16mm}
"""


@dataclass(frozen=True)
class Page:
    """One provision: the rules made from it and its official words, one for each wording."""

    lagrum: Lagrum
    statute: str
    rules: tuple[Rule, ...]
    quotes: tuple[Quote, ...]

    @property
    def anchor(self) -> str:
        return self.rules[0].id

    @property
    def title(self) -> str:
        return self.lagrum.short()

    @property
    def short(self) -> str:
        """«10 kap. 15 a §», where the statute stands above."""
        return self.lagrum.ref.removeprefix(f"SFS {self.lagrum.sfs} ")


def pages(law: Law, index: Held | None) -> tuple[Page, ...]:
    """Every provision there is a rule for: OSL first, then statute by statute, each in the order of its paragrafer."""
    by_ref: dict[str, list[Rule]] = {}
    for rule in law.rules:
        by_ref.setdefault(rule.ref, []).append(rule)
    return tuple(sorted((page(ref, tuple(rules), law, index) for ref, rules in by_ref.items()), key=place))


def page(ref: str, rules: tuple[Rule, ...], law: Law, index: Held | None) -> Page:
    found = (wording.official(index, ref, max(law.as_of, rule.valid_from)) for rule in rules)
    quotes = {quote.sha256: quote for quote in found if quote}
    return Page(address(ref), statute_of(ref), rules, tuple(quotes.values()))


def address(ref: str) -> Lagrum:
    found = from_ref(ref)
    assert found  # the loader holds every ref to the form
    return found


def statute_of(ref: str) -> str:
    name = named(address(ref).sfs)
    return f"{name.name[:1].upper()}{name.name[1:]} ({name.sfs})" if name else f"SFS {address(ref).sfs}"


def place(one: Page) -> tuple[bool, str, tuple[int, str], tuple[int, str]]:
    return one.lagrum.sfs != OSL, one.statute, order(one.lagrum.kapitel or "0"), order(one.lagrum.paragraf or "0")


def contents(all_pages: tuple[Page, ...]) -> dict[str, list[Page]]:
    by_statute: dict[str, list[Page]] = {}
    for one in all_pages:
        by_statute.setdefault(one.statute, []).append(one)
    return by_statute


def rows(rule: Rule, law: Law) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the rule says, field by field, in words. Empty fields are left out."""
    excluded = wording.exclusions(rule, law)
    told = (
        ("Slag", (KINDS[rule.kind],)),
        ("Lämnar", (wording.who(rule.giver, law),)),
        ("Tar emot", (wording.who(rule.recipient, law),)),
        ("Syften", (wording.purposes(rule, law),)),
        ("Sätt", (" eller ".join(wording.MODES[mode] for mode in rule.modes),)),
        ("Villkor", wording.conditions(rule, law)),
        ("Prov", (f"{law.tests[rule.test].formula}.",)),
        ("Bryter", (", ".join(wording.key(item) for item in rule.lifts) or "all sekretess som inget annat sägs om",)),
        ("Undantar", excluded),
        ("Att tänka på", tuple(filter(None, (rule.note, rule.trap, rule.open_question)))),
        ("Öppna frågor", tuple(question.reason for question in law.questions if rule.id in question.rules)),
        ("Gäller", (validity(rule), BEFORE[rule.before])),
        ("Osäkert", doubts(rule)),
        ("Regelns id", (rule.id,)),
    )
    return ((label, values) for label, values in told if values)


def validity(rule: Rule) -> str:
    ends = f" till {texts.day(rule.valid_to)}" if rule.valid_to.year < 9999 else ""
    return f"Från {texts.day(rule.valid_from)}{ends}, SFS {rule.sfs}."


def doubts(rule: Rule) -> tuple[str, ...]:
    told = (
        (rule.inferred, "Något i regeln är en slutsats, inte ord i lagen."),
        (rule.unverified, "Lagtexten har inte kunnat läsas."),
        (rule.date_inferred, "Dagen är härledd ur SFS-numret."),
    )
    return tuple(text for holds, text in told if holds)


def signed(rule: Rule) -> str:
    return f"Granskad av {rule.reviewed_by} {rule.reviewed_on}." if rule.reviewed_by else "Inte granskad av jurist."


def intro(law: Law) -> tuple[str, ...]:
    return (
        "Varje sida har en bestämmelse: till vänster regeln så som assistenten räknar med den, i våra egna ord, till höger lagens ord.",
        f"Rätten till och med {texts.day(law.as_of)}. {len(law.rules)} regler. Lagens ord gäller.",
        "Stryk under det som inte stämmer, skriv vad som ska stå och skriv under på raden.",
    )


def questions(law: Law) -> tuple[str, ...]:
    """The questions the texts leave open, with where they stand. The assistant answers none of them."""
    return tuple(f"{question.reason[:1].upper()}{question.reason[1:]} ({question.citation})." for question in law.questions)


# --- HTML -------------------------------------------------------------------------------------------------------------


def booklet_html(law: Law, index: Held | None) -> str:
    """One self-contained page, a printed page per provision."""
    all_pages = pages(law, index)
    return "\n".join(
        (
            f'<!doctype html>\n<html lang="sv">\n<head>\n<meta charset="utf-8">\n<title>{TITLE}</title>',
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n<body>',
            f"<header><h1>{TITLE}</h1>",
            *(f"<p>{escape(line)}</p>" for line in intro(law)),
            '</header>\n<nav aria-label="Innehåll">',
            *(listed for statute, found in contents(all_pages).items() for listed in html_contents(statute, found)),
            f'<p><a href="#oppna-fragor">{OPEN}</a></p>',
            "</nav>\n<main>",
            *(html_page(one, law) for one in all_pages),
            f'<section class="page" id="oppna-fragor">\n<h2>{OPEN}</h2>\n<ul>',
            *(f"<li>{escape(line)}</li>" for line in questions(law)),
            "</ul>\n</section>",
            "</main>\n</body>\n</html>\n",
        )
    )


def html_contents(statute: str, found: list[Page]) -> Iterator[str]:
    yield f"<h3>{escape(statute)}</h3>\n<ul>"
    yield from (f'<li><a href="#{one.anchor}">{escape(one.short)}</a></li>' for one in found)
    yield "</ul>"


def html_page(one: Page, law: Law) -> str:
    rules = "\n".join(html_rule(rule, law) for rule in one.rules)
    words = "\n".join(html_quote(quote) for quote in one.quotes) or f"<p>{NO_WORDS}</p>"
    return (
        f'<section class="page" id="{one.anchor}">\n<h2>{escape(one.title)}</h2>\n<p class="muted">{escape(one.statute)}</p>\n'
        f'<div class="beside">\n<div><h3>Regeln i våra ord</h3>\n{rules}</div>\n'
        f'<div class="words"><h3>Lagens ord</h3>\n{words}</div>\n</div>\n'
        f'<p class="sign">{"".join(f"<span>{label}</span>" for label in SIGN)}</p>\n</section>'
    )


def html_rule(rule: Rule, law: Law) -> str:
    listed = "\n".join(
        f"<dt>{label}</dt><dd>{''.join(f'<p>{escape(value)}</p>' for value in values)}</dd>" for label, values in rows(rule, law)
    )
    says = f"<p><strong>{escape(rule.provision)}.</strong> {escape(rule.says)}</p>"
    return f'<div class="rule">{says}\n<dl>{listed}</dl>\n<p>{escape(signed(rule))}</p></div>'


def html_quote(quote: Quote) -> str:
    parts = "".join(f"<p>{escape(part)}</p>" for part in wording.flowing(quote.text))
    return f'<blockquote>{parts}</blockquote>\n<p class="muted">{escape(source(quote))}</p>'


def source(quote: Quote) -> str:
    since = f", gäller från {texts.day(quote.valid_from)}" if quote.valid_from else ""
    return f"Version {quote.version}{since}."


# --- DOCX -------------------------------------------------------------------------------------------------------------


def booklet_docx(law: Law, index: Held | None) -> bytes:
    """The same pages as a Word document, with links from the contents."""
    all_pages = pages(law, index)
    when = datetime.combine(law.as_of, time())
    document = paper.new(TITLE, TITLE, f"Rätten till och med {law.as_of}", "Underlag för granskning. Lagens ord gäller.", when)
    document.add_paragraph(TITLE, style="Title")
    for line in intro(law):
        paper.paragraph(document, line)
    document.add_heading("Innehåll", 1)
    for statute, found in contents(all_pages).items():
        paper.paragraph(document, statute, bold=True).paragraph_format.keep_with_next = True
        paper.links(document, [(one.short, one.anchor) for one in found])
    for number, one in enumerate(all_pages, 1):
        docx_page(document, one, number, law)
    document.add_heading(OPEN, 1).paragraph_format.page_break_before = True
    paper.bullets(document, questions(law))
    return paper.to_bytes(document)


def docx_page(document: Any, one: Page, number: int, law: Law) -> None:
    heading = document.add_heading(one.title, 1)
    heading.paragraph_format.page_break_before = True
    paper.bookmark(heading, one.anchor, number)
    paper.paragraph(document, one.statute, muted=True)
    left = [line for rule in one.rules for line in docx_rule(rule, law)]
    right = [("", line) for quote in one.quotes for line in ("\n".join(wording.flowing(quote.text)), source(quote))] or [("", NO_WORDS)]
    paper.beside(document, ("Regeln i våra ord", "Lagens ord"), (left, right))
    paper.rule_off(document, SIGN)


def docx_rule(rule: Rule, law: Law) -> Iterator[tuple[str, str]]:
    yield rule.provision, rule.says
    yield from ((label, "\n".join(values)) for label, values in rows(rule, law))
    yield "Granskning", signed(rule)
