"""Statutes → passages: the Government Offices' JSON, and Markdown with front matter.

The raw text is filtered by date first (``temporal``) and parsed afterwards, once for each stretch between two changes that
the text announces; equal passages of neighbouring stretches become one with a longer life.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import yaml

from corpus import lagrum, temporal
from corpus.layout import Block, Kind, blocks
from corpus.passage import Part, Passage, Source

MIN_BODY = 40  # characters; below this a file holds front matter only (5,080 of 8,319 public Markdown statutes)
_TAG = re.compile(r"\s*(?:Lag|Förordning|Balk|Kungörelse)\s\((\d{4}:\d+)\)\.\s*$")
_PUNKT = re.compile(r"(?:(\d+)\.|([a-zåäö])\)|[-–•*])\s")
_FORORDNING = re.compile(r"förordning|kungörelse|tillkännagivande|cirkulär|instruktion|övrigt", re.I)


class StatuteError(ValueError):
    """A statute that can't be used; the message says in Swedish why."""


@dataclass(frozen=True)
class Segment:
    """A stretch of the in-force text. All of a text's segments joined give the text back."""

    kind: Kind
    text: str
    kapitel: str | None = None
    paragraf: str | None = None
    headings: tuple[str, ...] = ()
    number: str = ""  # of a transitional provision: the amending statute; of an annex: its heading


# --- one text in force → segments ----------------------------------------------------------------------------------


def segments(text: str) -> tuple[Segment, ...]:
    """The in-force ``text`` as headings, paragrafer, transitional provisions and annexes, loss-free."""
    found = _ascending(blocks(text))
    starts = [n for n, block in enumerate(found) if block.kind is not Kind.TEXT] or [0]
    if starts[0] != 0:
        starts.insert(0, 0)
    out: list[Segment] = []
    kapitel: str | None = None
    trail = _Trail()
    for this, following in zip(starts, [*starts[1:], len(found)], strict=True):
        block = found[this] if found else None
        if block is None:
            break
        begin = 0 if not out else block.start
        end = len(text) if following == len(found) else found[following].start
        if block.kind is Kind.KAPITEL:
            kapitel = block.kapitel
        trail = trail.after(block)
        out.append(Segment(
            block.kind, text[begin:end], kapitel if block.kind in (Kind.PARAGRAF, Kind.TEXT, Kind.KAPITEL) else None,
            block.paragraf, trail.path(), _first_line(block.text) if block.kind in (Kind.OVERGANG_SFS, Kind.BILAGA) else "",
        ))
    return tuple(out)


@dataclass(frozen=True)
class _Trail:
    """The headings above a place. A heading directly after another is one level below it."""

    avdelning: str = ""
    kapitel: str = ""
    rubriker: tuple[str, ...] = ()
    after_heading: bool = False

    def after(self, block: Block) -> _Trail:
        title = " ".join(block.text.split())
        match block.kind:
            case Kind.AVDELNING:
                return _Trail(avdelning=title)
            case Kind.KAPITEL:
                return _Trail(self.avdelning, title)
            case Kind.OVERGANG | Kind.BILAGA:
                return _Trail(rubriker=(title,))
            case Kind.RUBRIK:
                above = self.rubriker[-1:] if self.after_heading else self.rubriker[:-1] if len(self.rubriker) > 1 else ()
                return replace(self, rubriker=(*above, title), after_heading=True)
        return replace(self, after_heading=False)

    def path(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.avdelning, self.kapitel, *self.rubriker)))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip()


def _ascending(found: tuple[Block, ...]) -> tuple[Block, ...]:
    """``found`` where the § numbers of each chapter ascend: what breaks the longest ascending run is text, not a paragraf.

    A stub «10 § Har upphävts …» beside a living 10 § is the usual case; the one with the later amendment stays.
    """
    out = list(found)
    for chapter in _chapters(found):
        keys = [lagrum.order(found[n].paragraf or "") for n in chapter]
        keep = _longest_ascending(keys)
        for position, n in enumerate(chapter):
            if position not in keep:
                out[n] = Block(Kind.TEXT, found[n].text, found[n].start, found[n].end)
    return tuple(out)


def _chapters(found: tuple[Block, ...]) -> Iterable[list[int]]:
    chapter: list[int] = []
    for n, block in enumerate(found):
        if block.kind is Kind.KAPITEL:
            yield chapter
            chapter = []
        elif block.kind is Kind.PARAGRAF:
            chapter.append(n)
    yield chapter


def _longest_ascending(keys: list[tuple[int, str]]) -> set[int]:
    """Positions of the longest strictly ascending run of ``keys``; of equal keys the last (the later wording) is kept."""
    tails: list[tuple[int, str]] = []
    last: list[int] = []
    before: list[int] = []
    for position, key in enumerate(keys):
        at = bisect_left(tails, key)
        before.append(last[at - 1] if at else -1)
        if at == len(tails):
            tails.append(key)
            last.append(position)
        else:
            tails[at], last[at] = key, position
    keep: set[int] = set()
    position = last[-1] if last else -1
    while position >= 0:
        keep.add(position)
        position = before[position]
    return keep


# --- stycken and punkter -------------------------------------------------------------------------------------------


def parts(text: str) -> tuple[Part, ...]:
    """Stycken and punkter of a paragraf, with spans that leave out «15 a §» and the closing «Lag (2025:934).»."""
    head = re.match(r"\s*\d+(?: ?[a-zåäö]{1,2})? ?§\s+", text)
    tag = _TAG.search(text)
    begin, end = head.end() if head else 0, tag.start() if tag else len(text.rstrip())
    out: list[Part] = []
    stycke = 0
    listed = False
    for match in re.finditer(r"\S(?:.*?\S)??(?=[ \t]*(?:\n[ \t]*){2,}|\s*\Z)", text[begin:end], re.S):
        block = match[0]
        punkt = _PUNKT.match(block)
        continues = stycke and (punkt or (listed and block[:1].islower()))
        stycke = stycke if continues else stycke + 1
        listed = bool(punkt) or (listed and bool(continues))
        label = (punkt[1] or punkt[2]) if punkt else None
        out.append(Part(stycke, label, begin + match.start(), begin + match.end()))
    return tuple(out)


# --- a statute's file → Source -------------------------------------------------------------------------------------


def read_json(path: Path) -> Source:
    """A statute in the JSON of the Government Offices' legal databases (``_source`` of a hit)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StatuteError(f"filen är inte läsbar JSON ({error.__class__.__name__})") from error
    if not isinstance(data, dict) or "beteckning" not in data:
        raise StatuteError("filen är ingen författning: fältet beteckning saknas")
    full = data.get("fulltext") or {}
    text = (full.get("forfattningstext") or "").replace("\r\n", "\n").replace("\r", "\n")
    if len(text.strip()) < MIN_BODY:
        raise StatuteError("texten saknas: filen har bara uppgifter om författningen")
    repealed = _day(data.get("upphavdDateTime"))
    amendments = {
        row.get("beteckning") or "": (_day(row.get("ikraftDateTime")), row.get("anteckningar") or "")
        for row in data.get("andringsforfattningar") or []
    }
    as_of = _day(full.get("uppdateradDateTime"))
    if repealed and as_of and repealed <= as_of:
        raise StatuteError(f"upphävd {repealed.isoformat()}: ingår inte i gällande rätt")
    facts = _Facts(
        sfs=data["beteckning"], title=data.get("rubrik") or data["beteckning"],
        kind="förordning" if _FORORDNING.search(data.get("forfattningstypNamn") or "") else "lag",
        since=_day(data.get("ikraftDateTime")), until=repealed or _day(data.get("tidsbegransadDateTime")),
        as_of=as_of, consolidated=full.get("andringInford") or "",
        amendments={sfs: day for sfs, (day, _) in amendments.items() if day},
        url=f"https://rkrattsbaser.gov.se/sfst?bet={data['beteckning']}",
    )
    return _source(facts, text)


def read_markdown(path: Path) -> Source:
    """A statute in Markdown with YAML front matter (``beteckning``, ``rubrik``, ``ikraft_datum`` …)."""
    raw = path.read_text(encoding="utf-8", errors="replace")
    parted = re.match(r"---\n(.*?)\n---\n(.*)", raw, re.S)
    if not parted:
        raise StatuteError("inledande uppgifter mellan två rader --- saknas")
    try:
        head = yaml.safe_load(parted[1]) or {}
    except yaml.YAMLError as error:
        raise StatuteError("de inledande uppgifterna är inte YAML") from error
    number = re.search(r"^beteckning: *[\"']?(\d{4}:\d+)", parted[1], re.M)  # YAML would read 1970:27 as base 60
    if not number:
        raise StatuteError("beteckning (SFS-nummer) saknas")
    sfs = number[1]
    if successor := repealed_by(sfs):
        raise StatuteError(f"upphävd ({successor}): ingår inte i gällande rätt")
    body = parted[2].strip()
    if len(body) < MIN_BODY or "Automatisk konvertering inte tillgänglig" in body:
        raise StatuteError("texten saknas: filen har bara uppgifter om författningen")
    text, damaged = _from_markdown(body)
    rows = head.get("andringsforfattningar") or []
    if any("upphävande av" in (row.get("rubrik") or "") and sfs in row["rubrik"] for row in rows):
        raise StatuteError("upphävd av en senare författning: ingår inte i gällande rätt")
    amendments = {str(row["beteckning"]): _as_day(row.get("ikraft_datum")) for row in rows}
    published = _as_day(head.get("publicerad_datum"))
    facts = _Facts(
        sfs=sfs, title=f"{head.get('rubrik')} ({sfs})",
        kind="förordning" if _FORORDNING.search(str(head.get("rubrik") or "")) else "lag",
        since=_as_day(head.get("ikraft_datum")), until=_as_day(head.get("utgar_datum")), as_of=published,
        consolidated=f"publicerad {published}" if published else "", amendments={k: v for k, v in amendments.items() if v},
        url=str(head.get("pdf_url") or ""),
    )
    if facts.until and published and facts.until <= published:
        raise StatuteError(f"upphörde att gälla {facts.until.isoformat()}")
    source = _source(facts, text)
    if not damaged:
        return source
    whole = tuple(p for p in source.passages if not any(mark in p.text for mark in damaged))
    lost = [p.ref for p in source.passages if p not in whole]
    return replace(source, passages=whole, notes=(*source.notes, f"skadad text utelämnad: {', '.join(lost) or 'rubrik'}"))


def repealed_by(sfs: str) -> str | None:
    """What ended statute ``sfs``, where ``repealed.toml`` or ``statutes.toml`` says so."""
    name = lagrum.named(sfs)
    return (name.repealed_by if name else None) or _repealed().get(sfs)


def _repealed() -> dict[str, str]:
    import tomllib

    path = Path(__file__).parent / "repealed.toml"
    listed: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))["repealed"]
    return listed


@dataclass(frozen=True)
class _Facts:
    sfs: str
    title: str
    kind: str
    since: date | None
    until: date | None
    as_of: date | None
    consolidated: str
    amendments: dict[str, date]
    url: str


def _source(facts: _Facts, text: str) -> Source:
    edges = [day for day in temporal.changes(text) if facts.as_of is None or day > facts.as_of]
    begin = facts.as_of or date.today()
    passages: dict[tuple[str, str], Passage] = {}
    stretches = list(zip([begin, *edges], [*edges, None], strict=True))
    for number, (start, end) in enumerate(stretches):
        seen: set[str] = set()
        for segment in segments(temporal.in_force(text, start)):
            passage = _passage(facts, segment, seen)
            if passage is None:
                continue
            seen.add(passage.ref)
            key = (passage.ref, passage.text)
            known = passages.get(key)
            if known and known.valid_to == start:
                passages[key] = replace(known, valid_to=end, headings=known.headings)
            elif not known:
                since = passage.valid_from if number == 0 else start
                passages[key] = replace(passage, valid_from=since, valid_to=end,
                                        id=f"{passage.id}@{since.isoformat() if since else '0'}")
    if not any(p.zone == "paragraf" for p in passages.values()) and len(text) > 20_000:
        raise StatuteError("inga paragrafer hittades i texten")
    kept = _numbered(replace(p, valid_to=min(filter(None, (p.valid_to, facts.until)), default=None)) for p in passages.values())
    return Source(f"sfs-{facts.sfs.replace(':', '-')}", facts.title, facts.kind, kept, facts.as_of)


def _numbered(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Annexes and transitional provisions come in pieces with one address: the second piece's id ends in ~2."""
    counts: dict[str, int] = {}
    out = []
    for passage in passages:
        counts[passage.id] = counts.get(passage.id, 0) + 1
        out.append(passage if counts[passage.id] == 1 else replace(passage, id=f"{passage.id}~{counts[passage.id]}"))
    return tuple(out)


_ZONES = {Kind.PARAGRAF: "paragraf", Kind.OVERGANG_SFS: "övergång", Kind.BILAGA: "bilaga", Kind.TEXT: "inledning"}


def _passage(facts: _Facts, segment: Segment, seen: set[str]) -> Passage | None:
    zone = _ZONES.get(segment.kind)
    text = segment.text.strip()
    if zone is None or (zone == "bilaga" and text == segment.number):
        return None
    address = lagrum.Lagrum(facts.sfs, segment.kapitel if zone != "bilaga" else None, segment.paragraf)
    ref, fragment = address.ref, ""
    if zone == "paragraf":
        fragment = (f"K{segment.kapitel}" if segment.kapitel else "") + f"P{segment.paragraf}"
    elif zone == "övergång":
        fragment = f"övergång-{segment.number}"
    elif zone == "bilaga":
        ref, fragment = f"SFS {facts.sfs} bilaga", segment.number
    else:
        fragment = f"K{segment.kapitel or 0}-inledning"
    fragment = fragment.replace(" ", "")
    while ref in seen and zone == "paragraf":  # can't happen while segments ascend; an id must still be its own
        return None
    tag = _TAG.search(text)
    amended = tag[1] if tag else None
    if zone == "övergång":
        amended = segment.number
    since = facts.amendments.get(amended, facts.since) if amended else facts.since
    return Passage(
        id=f"sfs-{facts.sfs.replace(':', '-')}#{fragment}", ref=ref, source=f"sfs-{facts.sfs.replace(':', '-')}",
        title=facts.title, kind=facts.kind, zone=zone, headings=segment.headings, text=text,
        parts=parts(text) if zone == "paragraf" else (), valid_from=since,
        version=f"SFS {amended}" if amended else f"SFS {facts.sfs}", url=facts.url,
    )


# --- Markdown → the layout of the official text ---------------------------------------------------------------------


def _from_markdown(body: str) -> tuple[str, tuple[str, ...]]:
    """``body`` in the layout ``segments`` reads, and the damaged snippets seen in it.

    Links keep their visible text (their targets can point at the wrong statute). A heading that introduces a list is the
    list's own first line; a heading with words before its § number is a torn reference, and what it tore is damaged.
    """
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", body)
    text = re.sub(r"\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)", r"\1", text)
    text = text.replace("§§§", "§§")
    lines = text.splitlines()
    out: list[str] = []
    damaged: list[str] = []
    for number, line in enumerate(lines):
        heading = re.match(r"(#{1,6})\s+(.*)", line)
        if not heading:
            out.append(line)
            continue
        title = heading[2].strip()
        paragraf = re.fullmatch(r"(.*?)(\d+(?: [a-z]{1,2})?) §", title)
        if heading[1] == "#":
            continue
        if paragraf and not paragraf[1].strip():
            out += ["", f"{paragraf[2]} § " + _take_next(lines, number)]
        elif paragraf:
            damaged.append(title)
            out += ["", title, ""]
        elif _introduces_list(lines, number, title):
            out += ["", title, ""]
        else:
            out += ["", title, ""]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in out)).strip() + "\n"
    damaged += re.findall(r"direktiv \d{4}(?:EU|EG)\b|förordning \(E[UG]\)\s+nr?\s*/", joined)
    return joined, tuple(damaged)


def _take_next(lines: list[str], number: int) -> str:
    """The first text line after a § heading, which is taken out of ``lines`` so that it stands on the § line."""
    for n in range(number + 1, min(number + 4, len(lines))):
        if lines[n].strip():
            if lines[n].startswith("#"):
                return ""
            line, lines[n] = lines[n], ""
            return line
    return ""


def _introduces_list(lines: list[str], number: int, title: str) -> bool:
    following = next((line for line in lines[number + 1:] if line.strip()), "")
    return bool(_PUNKT.match(following)) or title.endswith((" är", " om", " att", " som", " av", ":"))


def _day(value: str | None) -> date | None:
    return datetime.fromisoformat(value[:19]).date() if value else None


def _as_day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
