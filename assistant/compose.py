"""Hits → an answer made of exact quotes: a short direct answer first, then the reasons with quotes, then what to mind.

Needs no model. Short answers and points to mind are our own notes, always cited as notes; what the law or a document says is
quoted from the stored text. Nothing here writes a reference that isn't a passage's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from assistant import texts
from assistant import words as vocabulary
from assistant.grounds.checklist import checklist_id
from assistant.prefill import LookUp
from assistant.retrieve import Said
from assistant.types import Citation, Claim, Hit, Warning_
from assistant.understand import Intent, Understood
from corpus import analysis, lagrum, ours
from corpus.index import Index
from corpus.passage import Passage

ROLES = {"svar": texts.SHORT, "skäl": texts.LAW_SAYS, "tänk_på": texts.MIND}
# A note's «Ja.» answers the note's own question; beside another provision's answer it would seem to answer this one.
_BARE = re.compile(r"(?:(?:Ja|Nej)\b[,.:;]?\s*(?:men\s+|och\s+)?)?")
_TOPICS = ("sekretess", "grund", "skyldighet", "grundregel")  # what a note beside the main one is best about
MAX_SUPPORT = 5  # provisions quoted beside the main one
MAX_QUOTE = 750  # characters; a longer stycke is quoted by its most telling punkt
MAX_MIND = 3
LEAD = 0.5  # of the best score: what the ground that the rules put first must reach to lead the answer
GUIDANCE = 0.65  # of the best score: what the nearest passage of a report or guidance must reach to be quoted beside the law
CLOSE = 0.7  # of the best score: what a supporting provision must reach
_TEST_WORDS = re.compile(r"övervägande skäl|uppenbart|står\s+klart|synnerliga\s+skäl|har\s+företräde|olämpligt")


@dataclass
class Draft:
    """Claims and citations as they are gathered, before verification numbers and withholds them."""

    claims: list[Claim] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)
    main: Passage | None = None
    note: Passage | None = None

    def cite(self, passage: Passage, start: int, end: int, pinpoint: str = "") -> str:
        """The id of a citation of ``passage.text[start:end]``; the same span is cited once."""
        for one in self.citations:
            if (one.passage_id, one.start, one.end) == (passage.id, start, end):
                return one.id
        one = citation(f"k{len(self.citations) + 1}", passage, start, end, pinpoint)
        self.citations.append(one)
        return one.id

    def claim(self, text: str, ids: Sequence[str], role: str) -> None:
        """Add a claim, unless the same words are there already."""
        if ids and text not in {one.text for one in self.claims}:
            self.claims.append(Claim(f"p{len(self.claims) + 1}", text, tuple(dict.fromkeys(ids)), role))


def citation(name: str, passage: Passage, start: int, end: int, pinpoint: str = "") -> Citation:
    """A citation of an exact span of ``passage``, not yet verified."""
    return Citation(
        id=name, ref=passage.ref, pinpoint=pinpoint, label=label(passage, pinpoint), source=passage.source, kind=passage.kind,
        quote=passage.text[start:end], start=start, end=end, passage_id=passage.id, passage_sha256=passage.sha256,
        version=passage.version, valid_from=passage.valid_from, valid_to=passage.valid_to, url=passage.url, status=passage.status,
        title=passage.title, page=passage.page,
    )


def label(passage: Passage, pinpoint: str = "") -> str:
    """How a citation is shown: «10 kap. 15 a § andra stycket OSL», «Not: … (om 10 kap. 15 a § OSL)», a document's title."""
    address = lagrum.from_ref(passage.ref)
    if address is None:
        return f"Not: {passage.title}" if passage.kind == "not" else passage.title
    where = address.short()
    if passage.kind == "not":
        return f"Not: {passage.title} (om {where})"
    if pinpoint:
        head, _, law = where.rpartition("§")
        return f"{head}§ {pinpoint} {law.strip()}".strip()
    return where


# --- the answer ----------------------------------------------------------------------------------------------------


def compose(understood: Understood, hits: Sequence[Hit], index: Index, said: Said, looked: LookUp) -> Draft:
    """The claims that answer, from the best hits; a draft with no claims when the hits carry nothing.

    The ground that the rules put first leads the answer too, so that the short answer and the hand-off never speak of
    different grounds; what they close is said with the words that close it; what is not for this recipient is left out.
    """
    draft = Draft()
    _correct_premises(understood, index, draft)
    ordered = _led(_by_rank(understood, [hit for hit in _per_ref(hits) if hit.passage.ref not in looked.unfit]), looked.lead)
    if not ordered:
        return draft
    main = ordered[0]
    words = frozenset(said.tokens)
    notes = _notes(understood, index, said, main.passage.ref)
    draft.main, draft.note = main.passage, notes[0] if notes else None
    _shut(draft, understood, index, looked)
    _answer(draft, understood, main, hits, words, sure=main.passage.ref == looked.sure, weighed=any(n.test for n in notes))
    for hit in _support(understood, ordered, draft.note, looked.lean):
        _reason(draft, hit, _notes(understood, index, said, hit.passage.ref), words)
    if draft.note:
        _mind(draft, index, words)
    _warn(draft)
    return draft


def _per_ref(hits: Sequence[Hit]) -> list[Hit]:
    """The best hit of each reference, in order."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.passage.ref, hit)
    return list(best.values())


def _by_rank(understood: Understood, hits: list[Hit]) -> list[Hit]:
    """Law before what was said of it: a proposal, older text or press release leads only when it is what was asked about."""
    if not hits or vocabulary.pattern("about_document").search(understood.text):
        return hits
    lower = [hit for hit in hits if hit.passage.kind == "pressmeddelande" or hit.passage.status in ("förslag", "äldre")]
    upper = [hit for hit in hits if hit not in lower]
    return [*upper, *lower] if upper and upper[0].score >= 0.4 * hits[0].score else hits


def _led(hits: list[Hit], lead: str) -> list[Hit]:
    """``hits`` with the ground that leads first, when it was found at all well."""
    first = next((hit for hit in hits if hit.passage.ref == lead), None)
    if first is None or first.score < LEAD * hits[0].score:
        return hits
    return [first, *(hit for hit in hits if hit is not first)]


def _notes(understood: Understood, index: Index, said: Said, ref: str) -> tuple[Passage, ...]:
    """The notes on ``ref`` that apply, the one nearest the question first (by staff's wordings, then by its own words)."""
    mask = index.applies(understood.as_of)
    at = [n for n in index.at(ref) if index.kinds[n] == "not" and mask[n] and index.ids[n].endswith("#0")]
    if not at:
        return ()
    passages = index.get(at)
    own = index.encoder.encode([f"{p.title}. {p.text}" for p in passages]) @ said.vector
    # The note on a provision as a whole is named after it; it answers when the provision is named and little else is said.
    whole = f"not:{checklist_id(ref)}"
    named = any(one.ref == ref for one in understood.lagrum) and len(understood.question.text.split()) <= 8 \
        and understood.intent is not Intent.WHEN

    def worth(n: int, position: int) -> float:
        rows = said.of == n
        asked = float((0.6 * said.words[rows] + said.near[rows]).max()) if rows.any() else 0.0
        about = (2.0 if named else 0.15) if passages[position].source == whole else 0.0
        if understood.intent is Intent.WHEN and passages[position].topic == "datum":
            about = 1.0
        return asked + 0.7 * float(own[position]) + (0.15 if passages[position].topic in _TOPICS else 0.0) + about

    order = sorted(range(len(at)), key=lambda i: -worth(at[i], i))
    return tuple(passages[i] for i in order)


def _answer(draft: Draft, understood: Understood, main: Hit, hits: Sequence[Hit], words: frozenset[str], *, sure: bool,
            weighed: bool) -> None:
    """The short answer. A note's own «Ja» or «Nej» is kept only where the rules put its provision first (``sure``)."""
    passage, note = main.passage, draft.note
    quotes: list[str] = []
    if passage.kind != "not":
        told = words | frozenset(analysis.tokens(note.text)) if note else words
        for one in [hit.passage for hit in hits if hit.passage.ref == passage.ref][:2] if passage.zone == "avsnitt" else [passage]:
            spans = _spans(one, told, with_test=weighed, asked=understood.lagrum, exempting=bool(words & _exempt()))
            quotes += [draft.cite(one, start, end, pin) for start, end, pin in spans]
    if note:
        start = 0 if sure else _bare(note.text)
        draft.claim(_sentence(note.text[start:]), [draft.cite(note, start, len(note.text)), *quotes], "svar")
    elif quotes:
        draft.claim(_plain(draft, quotes[0]), quotes, "svar")
    else:
        draft.claim(analysis.unwrapped(passage.text), [draft.cite(passage, 0, len(passage.text))], "svar")
    if understood.intent is Intent.WHEN and passage.zone == "paragraf" and passage.valid_from:
        text = f"Den lydelse av {label(passage)} som citeras här gäller från den {texts.day(passage.valid_from)} ({passage.version})."
        draft.claim(text, quotes[:1], "svar")


def _bare(text: str) -> int:
    """Where a note's text begins when its own «Ja» or «Nej» is left out."""
    match = _BARE.match(text)
    return match.end() if match else 0


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(draft: Draft, name: str) -> str:
    one = next(c for c in draft.citations if c.id == name)
    return f"{one.label}: {analysis.unwrapped(one.quote)}"


def _support(understood: Understood, ordered: list[Hit], note: Passage | None, lean: Sequence[str]) -> list[Hit]:
    """Which further provisions are quoted: those to lean on, those its note leans on, and those nearly as good as the first.

    A written lagrum outranks all else, so beside it «nearly as good» is told from the best of the rest, where the question says
    more than the lagrum. An answer out of a document is not padded with law that merely shares its words.
    """
    first, best = ordered[0].passage, ordered[0].score
    written = {one.ref for one in understood.lagrum}
    if first.ref in written and _says_more(understood):
        best = max((hit.score for hit in ordered if hit.passage.ref not in written), default=best)
    also = set(note.also) if note else set()
    close = CLOSE if first.ref.startswith("SFS ") else 0.8
    leaning = [hit for hit in ordered[1:] if hit.passage.ref in lean]
    related = [hit for hit in ordered[1:] if hit.passage.ref in also and hit.score >= 0.4 * best]
    near = [hit for hit in ordered[1:] if hit.score >= close * best]
    chosen = list({hit.passage.ref: hit for hit in (*leaning, *related[:2], *near)}.values())[:MAX_SUPPORT]
    guidance = next((hit for hit in ordered[1:] if hit.passage.zone == "avsnitt" and hit.passage.status == "aktuell"
                     and hit.score >= GUIDANCE * ordered[0].score and hit not in chosen), None)
    return [*chosen, guidance] if guidance and first.zone != "avsnitt" else chosen


def _says_more(understood: Understood) -> bool:
    """Whether the question tells of something beside the lagrum it writes and asks more than what that says."""
    text = understood.question.text
    for mention in reversed(lagrum.find(text, understood.as_of)):
        text = text[:mention.start] + text[mention.end:]
    telling = {token for token in analysis.tokens(text) if len(token) > 3 and not token[0].isdigit()} - common() - little()
    return understood.intent is not Intent.WHEN and len(telling) >= 2


def _reason(draft: Draft, hit: Hit, notes: Sequence[Passage], words: frozenset[str]) -> None:
    passage = hit.passage
    note = notes[0] if notes else None
    told = words | frozenset(analysis.tokens(note.text)) if note else words
    quotes = [] if passage.kind == "not" else [
        draft.cite(passage, start, end, pin) for start, end, pin in _spans(passage, told, with_test=any(n.test for n in notes))]
    if note:
        start = _bare(note.text)
        draft.claim(_sentence(note.text[start:]), [draft.cite(note, start, len(note.text)), *quotes], "skäl")
    elif quotes:
        draft.claim(_plain(draft, quotes[0]), quotes, "skäl")


def _shut(draft: Draft, understood: Understood, index: Index, looked: LookUp) -> None:
    """That a general ground can't be used, and the stycke that leaves the secrecy out: first, unless another ground leads."""
    for ref, key in looked.closed:
        passage = in_force(index, ref, understood)
        address = lagrum.from_ref(ref)
        if passage is None or address is None:
            continue
        chapter, paragraf = key.split(" ")[0].split(":")
        secrecy = lagrum.Lagrum(lagrum.OSL, chapter, re.sub(r"(\d)([a-z])", r"\1 \2", paragraf)).short()
        shuts = re.compile(rf"gäller\s+inte.*\b{chapter}\s+kap\.", re.S)
        spans = [span for span in _stycken(passage) if shuts.search(passage.text[span[0]:span[1]])]
        start, end, stycke = spans[0] if spans else (0, len(passage.text), 0)
        pin = f"{lagrum.ordinal(stycke)} stycket" if stycke else ""
        draft.claim(texts.CLOSED.format(ground=address.short(), secrecy=secrecy), [draft.cite(passage, start, end, pin)],
                    "skäl" if looked.lead else "svar")


def _mind(draft: Draft, index: Index, words: frozenset[str]) -> None:
    """The points to mind of the main note that touch the question most, in the note's own order."""
    note = draft.note
    if note is None:
        return
    for passage in index.get(index.of_source(note.source)):
        if passage.headings[-1] != "Tänk på":
            continue
        points = [(m.start(), m.end()) for m in re.finditer(r"(?<=- )\S.*(?:\n(?!- ).*)*", passage.text)]
        weighed = sorted(range(len(points)), key=lambda i: (-_overlap(passage.text[slice(*points[i])], words), i))[:MAX_MIND]
        for i in sorted(weighed):
            start, end = points[i]
            draft.claim(analysis.unwrapped(passage.text[start:end]), [draft.cite(passage, start, end)], "tänk_på")


# --- which words to quote -------------------------------------------------------------------------------------------


def _spans(passage: Passage, words: frozenset[str], *, with_test: bool, asked: Sequence[lagrum.Lagrum] = (),
           exempting: bool = False) -> list[tuple[int, int, str]]:
    """(start, end, pinpoint) of what to quote: the stycke asked for or nearest the question, and the one that states the test."""
    if not passage.parts:
        return [_window(passage, words)]
    stycken = _stycken(passage)
    named = next((span for one in asked if one.ref == passage.ref for span in stycken if span[2] == one.stycke), None)
    exempts = next((span for span in stycken if _EXEMPTS.search(passage.text[span[0]:span[1]])), None) if exempting else None
    near = max(stycken, key=lambda span: _overlap(passage.text[span[0]:span[1]], words) + (1.3 if span[2] == 1 else 0.0))
    best = named or exempts or near
    spans = [_trimmed(passage, best, words)]
    if with_test:
        test = next((s for s in stycken if _TEST_WORDS.search(passage.text[s[0]:s[1]])), None)
        if test and test[2] != best[2]:
            spans.append(_trimmed(passage, test, words))
    return [(start, end, lagrum.Lagrum("", None, None, stycke, punkt).pinpoint if len(stycken) > 1 or punkt else "")
            for start, end, stycke, punkt in spans]


def _stycken(passage: Passage) -> list[tuple[int, int, int]]:
    """(start, end, number) of each stycke, its punkter included."""
    out: dict[int, tuple[int, int, int]] = {}
    for part in passage.parts:
        known = out.get(part.stycke)
        out[part.stycke] = (known[0] if known else part.start, part.end, part.stycke)
    return list(out.values())


def _trimmed(passage: Passage, span: tuple[int, int, int], words: frozenset[str]) -> tuple[int, int, int, str | None]:
    start, end, stycke = span
    if end - start <= MAX_QUOTE:
        return start, end, stycke, None
    inside = [part for part in passage.parts if part.stycke == stycke]
    best = max(inside, key=lambda part: _overlap(passage.text[part.start:part.end], words))
    return best.start, min(best.end, best.start + 2 * MAX_QUOTE), stycke, best.punkt


def _window(passage: Passage, words: frozenset[str]) -> tuple[int, int, str]:
    """The paragraph of a running text nearest the question, with its neighbours while short."""
    pieces = [(m.start(), m.end()) for m in re.finditer(r"\S(?:.*?\S)??(?=\s*\n\s*\n|\s*\Z|\n(?=[•–-] ))", passage.text, re.S)]
    if not pieces:
        return 0, len(passage.text), ""
    at = max(range(len(pieces)), key=lambda i: _overlap(passage.text[slice(*pieces[i])], words))
    start, end = pieces[at]
    before = passage.text[slice(*pieces[at - 1])] if at else ""
    if before.rstrip().endswith(":") and end - pieces[at - 1][0] <= MAX_QUOTE:
        start = pieces[at - 1][0]
    for _, later in pieces[at + 1:]:
        if later - start > 420:
            break
        end = later
    if end - start > 2 * MAX_QUOTE:
        end = start + _sentence_end(passage.text[start:start + 2 * MAX_QUOTE])
    return start, end, f"s. {passage.page}" if passage.page else ""


def _sentence_end(text: str) -> int:
    ends = [m.end() for m in re.finditer(r"[.!?](?=\s)", text)]
    return ends[-1] if ends else len(text)


_EXEMPTS = re.compile(r"Första\s+stycket\s+gäller\s+inte|gäller\s+inte\s+i\s+fråga\s+om")


@cache
def _exempt() -> frozenset[str]:
    """Words that ask for what a provision leaves out."""
    return frozenset(analysis.tokens("undantag undantagen undantagna undantas undantar excluded exempted exempt exceptions"))


@cache
def common() -> frozenset[str]:
    """Words too common to tell one stycke from another (not dropped from the search, only from this comparison)."""
    return frozenset(analysis.tokens(" ".join(vocabulary.names("common"))))


@cache
def little() -> frozenset[str]:
    """Words that tell nothing of what a question about giving is about."""
    return frozenset(analysis.tokens(" ".join(vocabulary.names("little"))))


def _overlap(text: str, words: Iterable[str]) -> float:
    """How many of ``words`` a text shares, counting rarer shapes (longer words) a little more, long texts a little less."""
    found = set(analysis.tokens(text))
    shared = (found & set(words)) - common()
    return sum(min(len(word), 10) / 6 for word in shared) / (1 + len(found) / 120)


# --- corrections and warnings ---------------------------------------------------------------------------------------


@cache
def _premises() -> tuple[tuple[re.Pattern[str], str, str, tuple[str, ...]], ...]:
    rows = ours.read((Path(analysis.__file__).parent / "premises.yaml").read_text(encoding="utf-8"))["premises"]
    return tuple((re.compile(row["says"], re.I), row["text"], row["ref"], tuple(row["also"])) for row in rows)


def _correct_premises(understood: Understood, index: Index, draft: Draft) -> None:
    """What the question takes for granted and the law doesn't say is corrected first, from the law."""
    for pattern, text, ref, also in _premises():
        if not pattern.search(understood.question.text):
            continue
        words = frozenset(analysis.tokens(text))
        ids = []
        for one in (ref, *also):
            passage = in_force(index, one, understood)
            if passage:
                start, end, pin = _spans(passage, words, with_test=False)[0] if passage.kind != "not" else (0, len(passage.text), "")
                ids.append(draft.cite(passage, start, end, pin))
        draft.claim(text, ids, "svar")
        draft.warnings.append(Warning_("false_premise", text))


def in_force(index: Index, ref: str, understood: Understood) -> Passage | None:
    """The passage of ``ref`` that applies on the asked day: the law's own words, else our note."""
    mask = index.applies(understood.as_of)
    at = [n for n in index.at(ref) if mask[n]]
    law = [n for n in at if index.zones[n] == "paragraf"] or [n for n in at if index.ids[n].endswith("#0")]
    return index.get(law[:1])[0] if law else None


def _warn(draft: Draft) -> None:
    for one in draft.citations:
        what = {"title": one.title, "kind": texts.KINDS.get(one.kind, one.kind).lower()}
        if one.kind == "not" or one.kind in ("lag", "förordning"):
            continue
        if one.status == "förslag":
            _add(draft, "proposal", texts.PROPOSAL.format(**what))
        elif one.status == "äldre":
            _add(draft, "outdated", texts.OLDER.format(**what))
        if one.kind == "pressmeddelande":
            _add(draft, "press", texts.PRESS)


def _add(draft: Draft, code: str, text: str) -> None:
    if text not in {warning.text for warning in draft.warnings}:
        draft.warnings.append(Warning_(code, text))


# --- as text -------------------------------------------------------------------------------------------------------


def as_markdown(claims: Sequence[Claim], citations: Sequence[Citation]) -> str:
    """The answer as Markdown with numbered citations; every quote stands once, under the first claim it carries."""
    number = numbered(citations)
    shown: set[str] = set()
    out: list[str] = []
    for role, heading in ROLES.items():
        of_role = [claim for claim in claims if claim.role == role]
        if not of_role:
            continue
        out.append(f"**{heading}**")
        for claim in of_role:
            marks = " ".join(f"[{number[name]}]" for name in claim.citation_ids)
            lead = "- " if role == "tänk_på" else ""
            out.append(f"{lead}{escaped(claim.text)} {marks}")
            for one in citations:
                if one.id in claim.citation_ids and one.kind != "not" and one.id not in shown and one.quote.strip() not in claim.text:
                    shown.add(one.id)
                    out.append(f"> {escaped(analysis.unwrapped(one.quote))}\n>\n> — {escaped(one.label)} [{number[one.id]}]")
    return "\n\n".join(out)


def numbered(citations: Sequence[Citation]) -> dict[str, int]:
    """Citation id → the number it is shown with: its place in the answer's list."""
    return {one.id: at for at, one in enumerate(citations, 1)}


def in_reading_order(claims: Sequence[Claim], citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """Citations in the order a reader meets them."""
    met = [name for role in ROLES for claim in claims if claim.role == role for name in claim.citation_ids]
    place = {name: at for at, name in reversed(list(enumerate(met)))}
    return tuple(sorted(citations, key=lambda one: place.get(one.id, len(place))))


def escaped(text: str) -> str:
    """``text`` as words only: nothing in a source can become a link, an image, a heading or markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", text)
