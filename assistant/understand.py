"""What a question names: lagrum, authorities and who gives to whom, purpose, kind of question; follow-ups resolved.

Plain rules over the words, no model. What isn't said stays None: the finder and the checklist ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from assistant import texts, words
from assistant.types import Question
from corpus import lagrum, ours
from corpus.lagrum import Lagrum

_REGISTER = Path(__file__).parent / "grounds" / "register"


class Intent(StrEnum):
    """What kind of answer is asked for."""

    SHARING = "sharing"  # may, must or can somebody give a datum to somebody
    WHEN = "when"  # when something took or takes effect
    KNOWLEDGE = "knowledge"  # what a rule, word or document says


@dataclass(frozen=True)
class Understood:
    """A question with what it names. ``text`` is what is searched for, the turn before included on a follow-up."""

    question: Question
    text: str
    lagrum: tuple[Lagrum, ...]
    statutes: tuple[str, ...]
    as_of: date
    intent: Intent
    actors: tuple[str, ...] = ()
    sender: str | None = None
    recipient: str | None = None
    mode: str | None = None
    purpose: str | None = None
    secrecy: tuple[str, ...] = ()
    follow_up: bool = False
    duty_asked: bool = False
    within: bool = False  # one body under two names («skolhälsovården … klassläraren»): inside it, not between authorities


# --- authorities ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    """A body of the register: its name there, and the pattern that finds its names in a text."""

    name: str
    kind: str
    pattern: re.Pattern[str]


@cache
def actors() -> tuple[Actor, ...]:
    """The actor register with its aliases, longest names first."""
    rows = ours.read((_REGISTER / "actors.yaml").read_text(encoding="utf-8"))
    return tuple(Actor(row["name"], row["kind"], _alias_pattern((row["name"], *row["aliases"]))) for row in rows)


def _alias_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    forms = []
    for name in sorted(names, key=len, reverse=True):
        ending = r"(?:s|n|ns|en|ens|et|ets|er|ers)?"
        if len(name) <= 4 and name.isupper():  # AF, KFM: as written, or all lower case where that is no other word
            lower = f"|{name.lower()}" if name.lower() not in _WORDS else ""
            forms.append(f"(?:{re.escape(name)}{lower}):?s?")
        else:
            first = name[:1]
            forms.append(f"[{re.escape(first.upper())}{re.escape(first.lower())}]{re.escape(name[1:])}{ending}")
    return re.compile(rf"(?<![\wåäö-])(?:{'|'.join(forms)})(?![\wåäö]|-[a-zåäö]{{3}})")


_WORDS = frozenset(["pm", "um", "fi", "sin", "su", "mi", "so", "am", "bo", "he", "lo", "av", "is", "msb", "imy", "ii"])


def named_actors(text: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, register name) of each body named in ``text``, in order; of overlapping names the longest."""
    spans = [(m.start(), m.end(), actor.name) for actor in actors() for m in actor.pattern.finditer(text)]
    spans.sort(key=lambda span: (span[0], span[0] - span[1]))
    kept: list[tuple[int, int, str]] = []
    for span in spans:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return tuple(kept)


def _within(text: str) -> bool:
    """Whether the only body named, people aside, is named by two different names."""
    named = [span for span in named_actors(text) if span[2] != "enskild person"]
    if re.search(r"\bpolisanmäl|\b(?:annan|annat|andra|another)\b", text, re.I):
        return False
    return len({name for _, _, name in named}) == 1 and len({text[start:end].lower()[:6] for start, end, _ in named}) > 1


_GIVE = words.any_of("give")
_MAY = r"(?:får|kan|måste|ska|skall|bör|borde|behöver|har|är|vill|tvung\w+|skyldig\w*|may|can|must|should|does|is)"
_TO = re.compile(rf"(?:{'|'.join(words.names('to'))})\s+"
                 r"(?:en |ett |den |det |de |någon |the |a |an |vår |kommunens |kommunala )?$", re.I)
_FROM = re.compile(r"(?:från|av|ur|hos|from|by)\s+(?:en |ett |den |det |de |the |a )?$", re.I)
_SELF = re.compile(r"(?:vi|jag|oss|we|i)\s+(?:(?:som )?(?:jobbar|arbetar|är|sitter|work|am|are)\s+)?"
                   r"(?:på|inom|hos|vid|i|från|som|at|in|for)\s+"
                   r"(?:en |ett |the |a )?$", re.I)
# Who speaks says so before the body («jag är överläkare», «vår länsstyrelse», «Som utmätningsman …») or opens with it
# («Rektor: …», «Miljöinspektör här …», «Handläggare på CSN. Vi …», «På CSN:s kontrollgrupp gick vi …»).
_AM = re.compile(r"(?:\b(?:vi|jag) är (?:en |ett |själv )?|\bsom (?:en )?|\b(?:vår|vårt|våran) (?:egen |lokala? )?"
                 r"|\b(?:i am|we are|as) (?:an? )?)$", re.I)
_OPENS = re.compile(r"^(?:\W*|(?:på|inom|hos|vid|för|at)\s|(?:\w+\s){1,3}(?:på|hos|inom|vid|för|at)\s(?:en |ett |vår )?)$", re.I)
_SPEAKS = re.compile(r"\b(?:vi|jag|oss|mig|vår|we|i)\b", re.I)
_WANTS = re.compile(r"^\s*(?:\w+\s+){0,2}?(?:begär|vill|frågar|ber|kräver|undrar|behöver|ringer|efterfrågar|har begärt|har frågat|"
                    r"(?:ska |kan |bör )?få (?:veta|del|reda|besked|ta del|uppgift)|"
                    r"hör av sig|kontaktar|asks?|wants?|requests?|needs?|vill ha|ska pröva|granskar)\b", re.I)
_GETTING = words.pattern("getting", r"\b", r"\b")
_OWN = re.compile(
    r"\b(?:tips|eget initiativ|på eget|själva höra av|höra av oss|varna|slå larm|larma|anmäl|spontant|own initiative|tip off)", re.I)
# Who wants a decision wants nothing of anybody's secrets.
_HAVE = r"vill ha(?! (?:ett |en |din |ditt )?(?:klart )?(?:beslut|svar|besked|ja|dom|rekommendation))"
_REQUEST = re.compile(rf"\b(?:begär|på begäran|frågar|ber om|{_HAVE}|vill veta|efterfråg|kräver|request|asks?)\b", re.I)


_MAY_BEFORE = re.compile(rf"\b{_MAY}\s+(?:en |ett |vi på |vi i |the |a )?$", re.I)
_GIVES = re.compile(rf"(?:s \w+)?\s*{_MAY}?\s*(?:alltid |ens |ju |inte |skyldiga? \w* ?|tvung\w+ \w* ?)*(?:att )?{_GIVE}\b", re.I)


def _roles(text: str) -> tuple[str | None, str | None, str | None]:
    """(sender, recipient, mode) as far as the words say."""
    found = named_actors(text)
    sender, recipient, own, mode = _told(text, found)
    if own is None and sender is None and found and _SPEAKS.search(text) and found[0][2] != recipient \
            and not _TO.search(text[max(0, found[0][0] - 45):found[0][0]]):
        own = found[0][2]  # «Migrationsverket ser att … Kan vi …»: the first body named, in a text that says «vi»
    if own and _GETTING.search(text) and recipient != own and not sender:
        recipient, sender = own, next((name for _, _, name in found if name != own), None)
    elif own and own != recipient:
        sender = own
    sender, recipient = _paired(text, sender, recipient, list(dict.fromkeys(name for _, _, name in found)))
    if recipient is None and re.search(r"\bpolisanmäl", text, re.I) and sender != "Polismyndigheten":
        recipient = "Polismyndigheten"
    if recipient is None and words.pattern("foreign_body").search(text):
        recipient = "utländsk myndighet"
    return sender, recipient, mode or ("own" if _OWN.search(text) else "request" if _REQUEST.search(text) else None)


def _told(text: str, found: tuple[tuple[int, int, str], ...]) -> tuple[str | None, str | None, str | None, str | None]:
    """(sender, recipient, who speaks, mode) by the words around each body."""
    sender = recipient = own = mode = None
    surely = False  # what a body may do tells the sender more surely than where something comes from
    for at, (start, end, name) in enumerate(found):
        before, after = text[max(0, start - 45):start], text[end:min([end + 45, *(later[0] for later in found[at + 1:at + 2])])]
        if _SELF.search(before) or _AM.search(before) or (_OPENS.match(text[:start]) and _SPEAKS.search(text[end:])
                                                           and not _WANTS.search(after)):
            own = own or name
        elif _WANTS.search(after):
            recipient, mode = recipient or name, mode or "request"
        elif _MAY_BEFORE.search(before) or _GIVES.match(after):
            sender, surely = sender if surely else name, True
        elif _FROM.search(before) and not re.search(r"vill|begär", after[:20]):
            sender = sender or name
        elif _TO.search(before):
            recipient = recipient or name
    return sender, recipient, own, mode


def _paired(text: str, sender: str | None, recipient: str | None, distinct: list[str]) -> tuple[str | None, str | None]:
    """(sender, recipient) with the other of two bodies put in the place left open; nobody gives to themselves."""
    if re.search(r"\bmellan\b|\bbetween\b", text) and len(distinct) == 2 and not (sender and recipient):
        sender, recipient = distinct
    elif len(distinct) == 2 and bool(sender) != bool(recipient):
        other = next(name for name in distinct if name != (sender or recipient))
        sender, recipient = (sender, other) if sender else (other, recipient)
    return sender, None if sender == recipient else recipient


# --- kind of question ----------------------------------------------------------------------------------------------

_SHARING = re.compile(
    rf"\b(?:{_MAY})\b[^.?!]{{0,90}}?\b{_GIVE}\b"
    r"|\b(?:tipsa|polisanmäla|dela med|lämna ut|lämna uppgift|lämna vidare|skicka (?:över|vidare))\b"
    r"|\b(?:kan|får|ska|låta)\b[^.?!]{0,60}\bfå (?:veta|del|reda)\b"
    rf"|\b(?:{_HAVE}|vill veta|vill läsa|begär|får vi säga|får jag säga|får reda på|få ut|ta del av)\b", re.I)
_KNOWLEDGE = words.pattern("knowledge")
_WHEN = re.compile(
    r"^\W*(?:sedan när|since when|när (?:fick|började|blev|infördes|ändrades|kom|trädde))\b"
    r"|\b(?:när|vilket datum|vilken dag|sedan när|från när|från och med när|hur länge har|when)\b[^.?!]{0,80}?"
    r"\b(?:kraft|gälla|gäller|börja|började|infördes|trädde|träder|gällt|införts|upphör|upphörde|slutar|effect|force|apply|start)", re.I)
_DUTY = re.compile(r"\b(?:måste|ska vi|skyldig|skyldiga|tvung\w+|plikt|är vi (?:tvungna|skyldiga)|must|obliged|required)\b", re.I)


def _intent(text: str, follow_up: bool) -> Intent:
    if _WHEN.search(text):
        return Intent.WHEN
    if _KNOWLEDGE.search(text) and not re.search(rf"\b{_MAY} (?:vi|jag|man)\b[^?]*\b{_GIVE}\b", text, re.I):
        return Intent.KNOWLEDGE
    if _SHARING.search(text):
        return Intent.SHARING
    return Intent.SHARING if follow_up and len(text) < 60 and named_actors(text) else Intent.KNOWLEDGE


# --- purpose -------------------------------------------------------------------------------------------------------

_NOT = re.compile(r"\b(?:varken|inte|inget|ingen|utan|not)\b[^.,;?!]{0,30}?\b(?:brott|fusk\w*|bidragsfråga|crime|fraud)\b"
                  r"(?: eller (?:brott|fusk\w*))?", re.I)


def _purpose(text: str) -> str | None:
    text = _NOT.sub(" ", text)  # «det är inget brott» tells what the purpose is not
    return next((code for code, pattern in words.table("purposes") if pattern.search(text)), None)


# --- lagrum named without their number -------------------------------------------------------------------------------

_NAMED_RULES = (
    (r"\bgeneralklausul", Lagrum("2009:400", "10", "27")),
    (r"\bnya (?:generella )?(?:sekretess)?brytande|\bden nya (?:sekretess)?(?:bestämmelsen|regeln|sekretesslagen)|nya möjligheten att dela",
     Lagrum("2009:400", "10", "15 a")),
    (r"(?<!:)\b15 ?a\b(?!\s*kap)|\bsection 15 ?a", Lagrum("2009:400", "10", "15 a")),
    (r"\butnyttjandeförbud", Lagrum("2009:400", "7", "1")),
    (r"\b(?:parts)insyn", Lagrum("2009:400", "10", "3")),
)


def _lagrum(text: str, on: date) -> tuple[Lagrum, ...]:
    text = re.sub(r"(?<!kap\. )(?<!kap )(?<!:)\b15 ?a §", "10 kap. 15 a §", text)  # the field's own «15 a §» is OSL's
    written = [one for mention in lagrum.find(text, on) for one in mention.lagrum]
    numbered = {one.paragraf for one in written}
    called = [one for pattern, one in _NAMED_RULES if re.search(pattern, text, re.I) and one.paragraf not in numbered]
    return tuple(dict.fromkeys([*written, *called]))


# --- the whole -----------------------------------------------------------------------------------------------------

_FOLLOW_UP = words.pattern("follow_up")
_DATE = re.compile(rf"\b(20\d\d)-(\d\d)-(\d\d)\b|\bden (\d{{1,2}}) ({'|'.join(texts.MONTHS)}) (20\d\d)\b", re.I)
_EVENT = re.compile(r"\b(?:gällde|gäller|per|från|innan|före|efter|hände|inträffade|lämna\w*|as of|on)\b[^.?!]{0,40}$", re.I)


def understand(question: Question, mended: Callable[[str], str] = str) -> Understood:
    """All that the words of ``question`` name, read with slips ``mended`` (``Index.respelled``)."""
    text = mended(" ".join(question.text.split()))
    earlier = [turn.content for turn in question.history if turn.role == "user"]
    follow_up = bool(earlier) and _continues(text)
    context = mended(" ".join(earlier[-2:])) if follow_up else ""
    on = _asked_day(text) or question.as_of
    sender, recipient, mode = _roles(text)
    if follow_up:
        before = _roles(context)
        sender, recipient, mode = sender or before[0], recipient or before[1], mode or before[2]
        if sender == recipient:
            sender = before[0] if before[0] != recipient else before[1]
    named = _lagrum(text, on) or (_lagrum(context, on) if follow_up else ())
    intent = _intent(text, follow_up)
    if follow_up and intent is Intent.KNOWLEDGE and len(text) < 80 and _intent(context, False) is Intent.SHARING \
            and not _KNOWLEDGE.search(text):
        intent = Intent.SHARING
    purpose = _purpose(text) or (_purpose(context) if follow_up else None)
    if purpose == "oro_barn" and intent is Intent.KNOWLEDGE and re.search(r"\b(?:vi|jag|we|i)\b", text, re.I):
        intent = Intent.SHARING  # who tells of a child that fares ill asks what to do with it
    return Understood(
        question=question, text=f"{text} {context}".strip(), lagrum=named, statutes=lagrum.statutes(text, on), as_of=on, intent=intent,
        actors=tuple(dict.fromkeys(name for _, _, name in named_actors(f"{text} {context}"))), sender=sender, recipient=recipient,
        mode=mode, purpose=purpose, secrecy=(), follow_up=follow_up,
        duty_asked=bool(_DUTY.search(text)), within=_within(text),
    )


def _continues(text: str) -> bool:
    """Whether ``text`` leans on the turn before: it points back, or is too short to stand alone."""
    return bool(_FOLLOW_UP.search(text)) or len(text.split()) <= 6


def _asked_day(text: str) -> date | None:
    """The day of the event when the question itself states one («… den 30 november 2025»), else None."""
    days = []
    for match in _DATE.finditer(text):
        try:
            day = date(int(match[1]), int(match[2]), int(match[3])) if match[1] else \
                date(int(match[6]), texts.MONTHS.index(match[5].lower()) + 1, int(match[4]))
        except ValueError:
            continue
        if _EVENT.search(text[: match.start()]):
            days.append(day)
    return days[0] if len(days) == 1 else None
