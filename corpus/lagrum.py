"""Addresses in statutes: «10 kap. 15 a § första stycket 3 OSL» ↔ ``Lagrum`` ↔ «SFS 2009:400 10 kap. 15 a §».

Reads every form staff write: `10 kap. 27 § OSL`, `OSL 10:27`, `10:15a`, `2 § LUFFA`, `LUB 6 §`, `§ 27`, `kap 8 paragraf 2`,
`4 § lagen (2025:170)`, `SFS 2009:400 26 kap. 1 §`, and lists and ranges («25 kap. 1–5 och 8 §§»).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from corpus.layout import spaced

OSL = "2009:400"
_TABLE = Path(__file__).parent / "statutes.toml"
_ORDINALS = ("första", "andra", "tredje", "fjärde", "femte", "sjätte", "sjunde", "åttonde", "nionde", "tionde")


@dataclass(frozen=True)
class StatuteName:
    """A statute as staff name it. ``since``/``until``: the days the short name means this one (half-open)."""

    sfs: str
    short: str
    name: str
    aliases: tuple[str, ...]
    chapters: bool
    since: date | None = None
    until: date | None = None
    repealed_by: str | None = None
    shown: str = ""


@dataclass(frozen=True)
class Lagrum:
    """An address. ``paragraf`` is None for a whole kapitel or statute; ``stycke`` counts from 1."""

    sfs: str
    kapitel: str | None = None
    paragraf: str | None = None
    stycke: int | None = None
    punkt: str | None = None

    @property
    def ref(self) -> str:
        """The canonical reference, to the paragraf: «SFS 2009:400 10 kap. 15 a §»."""
        parts = [f"SFS {self.sfs}"]
        if self.kapitel:
            parts.append(f"{self.kapitel} kap.")
        if self.paragraf:
            parts.append(f"{self.paragraf} §")
        return " ".join(parts)

    @property
    def pinpoint(self) -> str:
        """«andra stycket 3», or an empty text."""
        parts = [f"{ordinal(self.stycke)} stycket"] if self.stycke else []
        return " ".join([*parts, self.punkt] if self.punkt else parts)

    def short(self) -> str:
        """«10 kap. 15 a § andra stycket OSL»: as lawyers write it."""
        where = " ".join(filter(None, (
            f"{self.kapitel} kap." if self.kapitel else "", f"{self.paragraf} §" if self.paragraf else "", self.pinpoint)))
        name = named(self.sfs)
        law = name.shown if name and name.shown else f"{name.name} ({self.sfs})" if name else f"SFS {self.sfs}"
        return f"{where} {law}".strip()

    def first(self) -> str:
        """«OSL 10 kap. 15 a §», «LUB 5 §»: statute first, as the rules write it."""
        name = named(self.sfs)
        law = name.short if name and name.short else f"SFS {self.sfs}"
        return " ".join(filter(None, (law, f"{self.kapitel} kap." if self.kapitel else "", f"{self.paragraf} §" if self.paragraf else "")))

    def full(self) -> str:
        """«10 kap. 15 a § offentlighets- och sekretesslagen (2009:400)»."""
        name = named(self.sfs)
        law = f"{name.name} ({self.sfs})" if name else f"SFS {self.sfs}"
        where = " ".join(filter(None, (
            f"{self.kapitel} kap." if self.kapitel else "", f"{self.paragraf} §" if self.paragraf else "", self.pinpoint)))
        return f"{where} {law}".strip()

    def whole(self) -> Lagrum:
        """The paragraf, without stycke and punkt."""
        return replace(self, stycke=None, punkt=None)


@dataclass(frozen=True)
class Mention:
    """A place in a text that names one or more lagrum. ``assumed``: the text named no statute, so it was supplied; ``stranger``: the law
    it is written with, when that isn't known here, and then there is no lagrum.
    """

    lagrum: tuple[Lagrum, ...]
    start: int
    end: int
    assumed: bool
    stranger: str = ""


def ordinal(number: int) -> str:
    """1 → «första»."""
    return _ORDINALS[number - 1] if 1 <= number <= len(_ORDINALS) else f"{number}:e"


@cache
def names() -> tuple[StatuteName, ...]:
    """The statutes that have a name or abbreviation here (``statutes.toml``)."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["statute"]
    return tuple(
        StatuteName(row["sfs"], row["short"], row["name"], tuple(row["aliases"]), row["chapters"],
                    row.get("from"), row.get("to"), row.get("repealed_by"), row.get("shown", row["short"]))
        for row in rows
    )


@cache
def named(sfs: str) -> StatuteName | None:
    """The names of statute ``sfs``, or None."""
    return next((name for name in names() if name.sfs == sfs), None)


@lru_cache(maxsize=100_000)
def from_ref(ref: str) -> Lagrum | None:
    """The lagrum of a canonical reference, or None when ``ref`` is none («seed:…»)."""
    match = re.fullmatch(r"SFS (\d{4}:\d+)(?: (\d+(?: [a-z])?) kap\.)?(?: (\d+(?: [a-z]{1,2})?) §)?(?: bilaga)?", ref)
    return Lagrum(match[1], match[2], match[3]) if match else None


def order(number: str) -> tuple[int, str]:
    """Sort key of a kapitel or paragraf number: «15 a» after «15», before «16»."""
    match = re.match(r"(\d+) ?([a-zåäö]*)", number)
    return (int(match[1]), match[2]) if match else (0, number)


def within(paragraf: str, first: str, last: str) -> bool:
    """Whether ``paragraf`` lies in the range ``first``–``last`` as statutes write it: «1–5» holds 1 a and 5 but not 5 a."""
    return order(first) <= order(paragraf) <= order(last)


# --- reading -------------------------------------------------------------------------------------------------------

_N = r"\d{1,3}(?:\s?[a-zåäö]\b)?"
_LIST = rf"{_N}(?:\s*(?:,|–|-|—|\boch\b|\bsamt\b|\beller\b|\bt\.?o\.?m\.?\b|\btill\b)\s*{_N})*"
_SIGN = r"(?:§§?|par(?:agraf(?:en|erna)?)?\b\.?)"
_NOT_BEFORE = r"(?<![\d/:.])"
_FORMS = (
    # 10 kap. 15 a §, 10 kap 27, kapitel 10 15 a §; several chapters are several mentions
    re.compile(rf"{_NOT_BEFORE}(?P<k>\d{{1,3}}(?:\s?[a-z]\b)?)\s*kap(?:itlet|itel|\b)?\.?\s*(?:,\s*)?(?P<p>{_LIST})\s*{_SIGN}", re.I),
    re.compile(rf"\bkap(?:itlet|itel)?\.?\s*(?P<k>\d{{1,3}}(?:\s?[a-z]\b)?)\s*(?:,\s*)?(?:{_SIGN}\s*(?P<p>{_LIST})|(?P<p2>{_LIST})\s*{_SIGN})",
               re.I),
    re.compile(rf"{_NOT_BEFORE}(?P<k>\d{{1,2}}(?:\s?[a-z])?)\s?:\s?(?P<p>{_N}(?:\s*[–-]\s*{_N})?)(?![\d:/])(?:\s*§§?)?", re.I),
    re.compile(rf"{_NOT_BEFORE}(?P<k>\d{{1,3}}(?:\s?[a-z]\b)?)\s*kap(?:itlet|itel)?\b\.?", re.I),
    re.compile(rf"{_NOT_BEFORE}(?P<p>{_LIST})\s*{_SIGN}", re.I),
    re.compile(rf"{_SIGN}\s*(?P<p>{_LIST})", re.I),
)
_SFS = re.compile(r"\(?(?:\bSFS\s*)?\b((?:1[6-9]|20)\d\d:\d{1,4})\b\)?", re.I)
_PINPOINT = re.compile(
    r"\s*,?\s*(?:(?P<ord>första|andra|tredje|fjärde|femte|sjätte|sjunde|åttonde)\s+st(?:ycket|\b)\.?|st(?:ycke)?\.?\s?(?P<nr>\d))?"
    r"(?:\s*,?\s*(?:p(?:unkt(?:en)?)?\.?\s?)?(?P<punkt>\d{1,2})(?![\d:§–-]|\s*(?:§|kap|a\b|år|kr|%|mån)))?", re.I)
_CLOCK = re.compile(r"\b(?:kl\.?|klockan)\s*$", re.I)
_JOIN = r"(?:\s+(?:i|enligt|den|av|nya|gamla))*\s*[,(]?\s*"

_LISTED = r"(?:\s|,|\boch\b|\beller\b|\bsamt\b|kap\.?|§|\d++(?:\s?[a-zåäö]\b)?|[–-])*"  # no text can be read in two ways: linear
# A law that the table doesn't know, by its form: an abbreviation (LOU, UB, KonkL; not what reads like one), or a name in the definite.
_SHORT = r"(?!(?:AF|HVB|LFV|LST|MSB)\b)(?:L[A-ZÅÄÖ]{1,4}|[A-ZÅÄÖ][A-Za-zÅÄÖåäö]{0,6}[BFL])(?![\wåäö-])"
_CALLED = (r"(?!\w*(?:anslag|avslag|beslag|bolag|förslag|inslag|omslag|tillslag|underlag|uppslag|utslag)en\b)"
           r"(?:[a-zåäö]+-\s*(?:,\s*|och\s+)?)*[a-zåäö]{2,}-?(?:lagen|balken|förordningen)s?(?![\wåäö-])")
_LONG = r"lag(?:en)?\s+(?:om|med|mot)\s+[^.,;:?!()]{3,60}"


def _beside_a(*forms: str, left: str, right: str = "") -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"{left}(?P<law>{form}){right}", 0 if form == _SHORT else re.I) for form in forms)


_AFTER = _beside_a(_SHORT, _CALLED, _LONG, left=_JOIN)
_BEFORE = _beside_a(_SHORT, _CALLED, left=r"(?<![\wåäö-])", right=r"[\s,:)]*$")
_AFTER_LIST = _beside_a(_SHORT, _CALLED, _LONG, left=rf"{_LISTED}§{_JOIN}")


def find(text: str, on: date | None = None) -> tuple[Mention, ...]:
    """Every place in ``text`` that names a paragraf or kapitel, in order.

    A bare «10:15 a» or «26 kap. 1 §» is taken to be OSL and marked ``assumed``; a bare «2 §» takes the only statute without
    chapters that the text names, else it names nothing. ``on`` picks the statute where a name has meant several (SoL).
    """
    return tuple(mention for mention in _mentions(text, on or date.today()) if mention.lagrum)


def strangers(text: str, on: date | None = None) -> tuple[str, ...]:
    """The laws that references in ``text`` are written with and that aren't known here, as they are written, each once."""
    return tuple(dict.fromkeys(mention.stranger for mention in _mentions(text, on or date.today()) if mention.stranger))


def _mentions(text: str, on: date) -> tuple[Mention, ...]:
    laws = _laws(text, on)
    mentions: list[Mention] = []
    taken = [(start, end) for start, end, sfs, is_number in laws if is_number]
    for form in _FORMS:
        for match in form.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            if _CLOCK.search(text[: match.start()]):
                continue
            mention = _mention(text, match, laws)
            if mention:
                mentions.append(mention)
                taken.append((match.start(), mention.end))
    return tuple(sorted(mentions, key=lambda mention: mention.start))


def statutes(text: str, on: date | None = None) -> tuple[str, ...]:
    """The SFS numbers of the statutes that ``text`` names, in order, each once."""
    return tuple(dict.fromkeys(sfs for _, _, sfs, _ in _laws(text, on or date.today())))


def _laws(text: str, on: date) -> tuple[tuple[int, int, str, bool], ...]:
    """(start, end, sfs, written as a number) of each statute named; of overlapping names the longest."""
    spans = [(m.start(), m.end(), m[1], True) for m in _SFS.finditer(text)]
    for pattern, sfs in _name_patterns(on):
        spans += [(m.start(), m.end(), sfs, False) for m in pattern.finditer(text)]
    spans.sort(key=lambda span: (span[0], span[0] - span[1]))
    kept: list[tuple[int, int, str, bool]] = []
    for span in spans:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return tuple(kept)


@cache
def _name_patterns(on: date) -> tuple[tuple[re.Pattern[str], str], ...]:
    patterns = []
    for name in names():
        applies = (name.since is None or name.since <= on) and (name.until is None or on < name.until)
        words = [*name.aliases, *([name.name, name.short] if applies else [])]
        for word in filter(None, words):
            flags = 0 if len(word) <= 3 else re.I
            forms = rf"{re.escape(word)}|{re.escape(word.lower())}" if len(word) == 3 and word.isupper() else re.escape(word)
            patterns.append((re.compile(rf"(?<![\wåäö-])(?:{forms})s?(?![\wåäö-])", flags), name.sfs))
    return tuple(patterns)


def _mention(text: str, match: re.Match[str], laws: tuple[tuple[int, int, str, bool], ...]) -> Mention | None:
    groups = match.groupdict()
    kapitel = spaced(groups["k"].lower()) if groups.get("k") else None
    numbers = groups.get("p") or groups.get("p2")
    pin = _PINPOINT.match(text, match.end()) if numbers else None
    end = pin.end() if pin and (pin["ord"] or pin["nr"] or pin["punkt"]) else match.end()
    law = _beside(text, match.start(), end, laws)
    bare = law is None
    if bare and (stranger := _stranger(text, match.start(), end)):
        return Mention((), match.start(), end, False, stranger)
    if bare:
        law = _only_law(kapitel, laws)
    if law is None:
        return None
    stycke = _ORDINALS.index(pin["ord"].lower()) + 1 if pin and pin["ord"] else int(pin["nr"]) if pin and pin["nr"] else None
    found = tuple(
        Lagrum(law, kapitel, number, stycke, pin["punkt"] if pin and pin["punkt"] else None)
        for number in (_numbers(numbers) if numbers else (None,))
    )
    return Mention(found, match.start(), end, assumed=bare)


def _beside(text: str, start: int, end: int, laws: tuple[tuple[int, int, str, bool], ...]) -> str | None:
    """The statute written right after or right before a reference, or after the list it belongs to."""
    for at, until, sfs, _ in laws:
        if at >= end and re.fullmatch(_JOIN, text[end:at]):
            return sfs
        if until <= start and re.fullmatch(r"[\s,:)]*", text[until:start]):
            return sfs
    for at, _, sfs, _ in laws:  # «10 kap. 2 och 3 §§ samt 12 kap. 2 § OSL»: the name closes the list
        between = text[end:at] if at >= end else "."
        if len(between) < 80 and "§" in between and re.fullmatch(_LISTED, between):
            return sfs
    return None


def _stranger(text: str, start: int, end: int) -> str:
    """The law beside a reference that isn't known here, as it is written: then none is supplied in its place. Empty where there is none."""
    before = text[max(0, start - 80) : start]
    places = (*(form.match(text, end) for form in _AFTER), *(form.search(before) for form in _BEFORE),
              *(form.match(text, end) for form in _AFTER_LIST))
    shouted = text.upper() == text  # where all is in capitals, no word is an abbreviation for it
    found = next((one for one in places if one and not (shouted and one.re.flags & re.I == 0)), None)
    return found["law"].strip() if found else ""


def _only_law(kapitel: str | None, laws: tuple[tuple[int, int, str, bool], ...]) -> str | None:
    named_here = list(dict.fromkeys(sfs for _, _, sfs, _ in laws))
    fitting = [sfs for sfs in named_here if (name := named(sfs)) is None or name.chapters == (kapitel is not None)]
    if len(fitting) == 1:
        return fitting[0]
    return OSL if kapitel else None


def _numbers(written: str) -> tuple[str, ...]:
    """«1–5 och 8» → 1, 2, 3, 4, 5, 8. Lettered numbers inside a range are found against the index, not invented here."""
    out: list[str] = []
    tokens = re.findall(rf"{_N}|–|-|—|t\.?o\.?m\.?|till", written, re.I)
    pending = False
    for token in tokens:
        if not token[0].isdigit():
            pending = True
            continue
        number = spaced(token.lower())
        if pending and out:
            low, high = order(out[-1])[0], order(number)[0]
            out += [str(n) for n in range(low + 1, high)] if high - low < 200 else []
        out.append(number)
        pending = False
    return tuple(dict.fromkeys(out))
