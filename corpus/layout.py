"""How an official statute text is laid out: blocks parted by blank lines, and what each block is.

The Government Offices' texts carry no markup, so structure is read off the block: «15 a § Sekretess …» opens a paragraf,
«10 kap. Sekretessbrytande …» a kapitel, a short line without a full stop before a paragraf is a heading. A reference that
wrapped onto a new line («1 § andra stycket …») is only told from a paragraf by standing inside a block or being followed
by a lower-case letter; accepting it anyway would invent 246 sections in 437 statutes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a block is."""

    AVDELNING = "avdelning"
    KAPITEL = "kapitel"
    RUBRIK = "rubrik"
    PARAGRAF = "paragraf"
    TEXT = "text"
    OVERGANG = "övergångsbestämmelser"
    OVERGANG_SFS = "övergångsbestämmelse till en ändringsförfattning"
    BILAGA = "bilaga"


@dataclass(frozen=True)
class Block:
    """A run of lines. ``start:end`` is its span in the text it was cut from, without the blank lines after it."""

    kind: Kind
    text: str
    start: int
    end: int
    kapitel: str | None = None  # «10», «6 a»: of a KAPITEL block
    paragraf: str | None = None  # «15 a»: of a PARAGRAF block
    body: int = 0  # where the words of a PARAGRAF begin, counted from ``start``


# «/Träder i kraft I:2026-03-01/», «/Upphör att gälla U:den dag som regeringen bestämmer/», «/Ny beteckning 8 c U:…/».
MARKER = re.compile(
    r"/(?P<scope>Rubriken|Kapitlet|Bilagan)?[ ]?(?:träder i kraft|upphör att gälla|ny beteckning[^/\n]{0,40}?)\s+"
    r"(?P<edge>[IU]):\s?(?P<when>\d{4}-\d\d-\d\d|den dag[^/]*?)(?P<by>\s+genom [^/]*?)?\.?/[ ]?",
    re.IGNORECASE,
)
_PARAGRAF = re.compile(r"(?P<nr>\d+(?: ?[a-zåäö]{1,2})?) ?§(?!§)[ \n]*")
_KAPITEL = re.compile(r"(?P<nr>\d+(?: ?[a-zA-Z])?) kap\.(?:[ \n]+(?=\S)|\s*$)")
_AVDELNING = re.compile(r"(?:AVDELNING\b|(?:\w+ )?[Aa]vdelning(?:en)?\b|AVD\. )")
_OVERGANG = re.compile(r"(?:Ikraftträdande- och övergångsbestämmelser|Övergångsbestämmelser)\s*$")
_SFS = re.compile(r"\d{4}:\d+\s*$")
_BILAGA = re.compile(r"Bilag(?:a|an|or)\b(?:\s*\d+)?(?P<rest>.*)", re.S)
_LIST = re.compile(r"(?:[-–•*]|\d+[.)]|[a-zåäö]{1,2}\))\s")
# After «1 §» come the provision's words. Lower case means a wrapped reference, «3–5 om …» an entry in a list of
# paragrafer, a run of spaces or a tab a row of a table.
_NOT_PARAGRAF = re.compile(r"[a-zåäö,;.:)]|$|\d[\d ,–-]*(?:och \d+ )?(?!kap)[a-zåäö]{2}")
_TABLE_ROW = re.compile(r"§[ ]*(?:\t| {3})")
MAX_HEADING = 260


def blocks(text: str) -> tuple[Block, ...]:
    """``text`` cut at blank lines and classified, in order. Spans never overlap; only white space lies between them."""
    spans = [(m.start(), m.end()) for m in re.finditer(r"\S(?:.*?\S)??(?=[ \t]*(?:\n[ \t]*){2,}|\s*\Z)", text, re.S)]
    found: list[Block] = []
    in_overgang = False
    following = Kind.TEXT
    # Backwards, because a heading is known by what comes after it; a second pass forwards closes the annexes.
    for start, end in reversed(spans):
        block = _classify(text[start:end], start, following)
        following = block.kind
        found.append(block)
    found.reverse()
    for number, block in enumerate(found):
        in_overgang = in_overgang or block.kind is Kind.OVERGANG
        if in_overgang and block.kind in (Kind.PARAGRAF, Kind.KAPITEL, Kind.AVDELNING):
            found[number] = Block(Kind.TEXT, block.text, block.start, block.end)
        if not in_overgang and block.kind is Kind.OVERGANG_SFS:
            found[number] = Block(Kind.TEXT, block.text, block.start, block.end)
    return tuple(found)


def _classify(raw: str, start: int, following: Kind) -> Block:
    end = start + len(raw)
    skip = 0
    while marker := MARKER.match(raw, skip):
        skip = marker.end() + (len(raw[marker.end():]) - len(raw[marker.end():].lstrip()))
    text = raw[skip:]
    if _OVERGANG.match(text):
        return Block(Kind.OVERGANG, raw, start, end)
    if _SFS.match(text):
        return Block(Kind.OVERGANG_SFS, raw, start, end)
    if match := _PARAGRAF.match(text):
        body = skip + match.end()
        while marker := MARKER.match(raw, body):
            body = marker.end() + (len(raw[marker.end():]) - len(raw[marker.end():].lstrip()))
        if not _NOT_PARAGRAF.match(raw[body:]) and not _TABLE_ROW.search(raw[skip:body]):
            return Block(Kind.PARAGRAF, raw, start, end, paragraf=spaced(match["nr"]), body=body)
        return Block(Kind.TEXT, raw, start, end)
    if match := _KAPITEL.match(text):
        title = text[match.end():]
        repealed = title.startswith(("Har upp", "har upp"))
        if not title or repealed or (title[0].isupper() and len(text) <= MAX_HEADING and _ends_like_heading(title)):
            return Block(Kind.KAPITEL, raw, start, end, kapitel=spaced(match["nr"].lower()))
    if _AVDELNING.match(text) and len(text) <= MAX_HEADING and _ends_like_heading(text):
        return Block(Kind.AVDELNING, raw, start, end)
    if (match := _BILAGA.match(text)) and len(text) <= MAX_HEADING and not match["rest"].lstrip()[:1].islower():
        return Block(Kind.BILAGA, raw, start, end)
    heads = following in (Kind.PARAGRAF, Kind.RUBRIK, Kind.KAPITEL, Kind.AVDELNING)
    if heads and len(text) <= MAX_HEADING and text[:1].isupper() and not _LIST.match(text) and _ends_like_heading(text) \
            and "\t" not in text:
        return Block(Kind.RUBRIK, raw, start, end)
    return Block(Kind.TEXT, raw, start, end)


def _ends_like_heading(text: str) -> bool:
    last = text.rstrip()
    return last.endswith(("m.m.", "m. m.", "m.fl.", "o.d.", "etc.")) or last[-1:] not in ".;:,"


def spaced(number: str) -> str:
    """«15a» and «15 a» alike as «15 a»."""
    return re.sub(r"(\d)\s*([a-zåäö])", r"\1 \2", number.strip())
