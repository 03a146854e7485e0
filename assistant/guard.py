"""Stops what must not go further: identity numbers, empty and over-long questions, attempts to steer the assistant.

Runs before anything is searched, stored, logged or sent. A refusal names the kind of datum, never the value. If the guard
itself breaks, the question is stopped.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from assistant import words
from assistant.types import Status

MAX_CHARACTERS = 4_000  # a page and a half of facts; 2,000 was too short for pasted cases, more is a document
MAX_HISTORY_TURNS = 20

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
                        "\U000e0000-\U000e007f]")
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u30fc\u00b7]")
_SEP = r"[ \t./-]?"
_NUMBER = re.compile(
    rf"(?<![\d:])(?P<century>1[89]|20)?{_SEP}(?P<y>\d\d){_SEP}(?P<m>\d\d){_SEP}(?P<d>\d\d)\s?(?P<sign>[-+])?\s?(?P<n>\d{{4}})(?!\d)"
)
_SPREAD = re.compile(r"(?<!\d)(?:\d[ .\-_]{1,2}){9,11}\d(?!\d)")
_RESERVE = re.compile(
    r"(?<!\d)(?:1[89]|20)?(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)-?(?P<n>[A-Z]{1,2}\d{2,3}|\d[A-Z]\d\d|\d{2}[A-Z]\d)(?![\dA-Za-z])")


@dataclass(frozen=True)
class Refusal:
    """Why a question is stopped. ``kind`` names the kind of personal datum or trouble; the value is never kept."""

    status: Status
    kind: str


def check(text: str, today: date | None = None) -> Refusal | None:
    """What stops ``text``, or None. Any failure in here stops it too."""
    try:
        return _check(text, today or date.today())
    except Exception:  # a guard that breaks must block
        return Refusal(Status.ERROR_INTERNAL, "guard")


def check_question(text: str, today: date | None = None) -> Refusal | None:
    """As ``check``, and also what asks for a decision on a named person."""
    try:
        return _check(text, today or date.today()) or (
            Refusal(Status.REFUSED_DECISION_ON_PERSON, "named_person") if asks_for_decision_on_person(text) else None)
    except Exception:  # a guard that breaks must block
        return Refusal(Status.ERROR_INTERNAL, "guard")


def _check(text: str, today: date) -> Refusal | None:
    if not text.strip() or not re.search(r"\w", text):
        return Refusal(Status.ERROR_EMPTY, "empty")
    if len(text) > MAX_CHARACTERS:
        return Refusal(Status.ERROR_TOO_LONG, "too_long")
    if kind := identity_number(text, today):
        return Refusal(Status.REFUSED_PERSONAL_DATA, kind)
    plain = plainly(text)
    if words.pattern("steering").search(plain):
        return Refusal(Status.REFUSED_MANIPULATION, "steering")
    return None


def plainly(text: str) -> str:
    """``text`` with look-alike characters made plain: full-width and other digits, dashes, invisible marks."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = "".join(str(unicodedata.digit(c)) if not c.isascii() and c.isdigit() else c for c in text)
    return _DASH.sub("-", text.replace("\u00a0", " "))


def identity_number(text: str, today: date | None = None) -> str | None:
    """The kind of identity number that ``text`` holds (personnummer, samordningsnummer, reservnummer), or None.

    Ten or twelve digits that form a date and carry the right check digit (SKV 704). SFS numbers, dates, case numbers,
    amounts, organisation and phone numbers don't.
    """
    plain = plainly(text)
    now = today or date.today()
    for match in _NUMBER.finditer(plain):
        if kind := _judge(match, plain, now):
            return kind
    for match in _SPREAD.finditer(plain):
        digits = re.sub(r"\D", "", match[0])
        again = _NUMBER.fullmatch(digits)
        if again and _luhn(digits[-10:]) and _day(again, now):
            return _day(again, now)
    for match in _RESERVE.finditer(plain):
        if _day(match, now) == "personnummer":
            return "reservnummer"
    return None


def _judge(match: re.Match[str], text: str, now: date) -> str | None:
    kind = _day(match, now)
    if kind is None:
        return None
    before = text[max(0, match.start() - 40): match.start()]
    if words.pattern("says_person").search(before):
        return kind
    digits = re.sub(r"\D", "", match[0])
    if not _luhn(digits[-10:]):
        return None
    bare = match["sign"] is None and match["century"] is None
    if bare and (words.pattern("says_phone").search(before) or words.pattern("says_case").search(before)):
        return None
    written_as_groups = bool(re.search(r"\d[ \t./-]\d", match[0][: match.start("n") - match.start()]))
    if written_as_groups and match["century"] is None and match["sign"] is None:
        return None  # «12 34 56 7890»: an amount, a phone number or an account, not how an identity number is written
    return kind


def _day(match: re.Match[str], now: date) -> str | None:
    groups = match.groupdict()
    month, day = int(match["m"]), int(match["d"])
    kind = "personnummer"
    if day > 60:
        kind, day = "samordningsnummer", day - 60
    centuries = [int(groups["century"])] if groups.get("century") else [20, 19, 18]
    for century in centuries:
        try:
            born = date(century * 100 + int(match["y"]), month, day)
        except ValueError:
            continue
        if born <= now and now.year - born.year <= 125:
            return kind
    return None


def _luhn(ten: str) -> bool:
    total = 0
    for place, digit in enumerate(ten):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- a named person ------------------------------------------------------------------------------------------------

_NAMED = re.compile(  # looked for at every place, so that «Ska Anna Svensson» isn't read as one «Ska Anna»
    r"\b(?=(?P<first>[A-ZÅÄÖÉ][a-zåäöéü]+)(?:-[A-ZÅÄÖ][a-zåäö]+)?(?: [A-ZÅÄÖ]\.?)? (?P<last>[A-ZÅÄÖ][a-zåäöéü]+(?:-[A-ZÅÄÖ][a-zåäö]+)?)\b)")
_SURNAME = re.compile(r"(?:ss?on|berg|ström|dal|lind|mark|borg|gård|q?vist|kvist|lund"
                      r"|gren|dahl|stedt|ell|én|ius|sköld|hjelm|[oie]vi[cć]|[eo]v|ski)s?$")
# «Polismyndigheten Göteborg»: an authority with its place, whose name ends as many surnames do. No given name ends so.
_BODY = re.compile(r"(?:myndighet|kass|förmedling|nämnd|inspektion|tjänst|förvaltning|domstol|kommun|region|styrels|byrå|åklagar)\w{0,4}$"
                   r"|(?:verk|rätt)(?:et|en)$")


def names_person(text: str) -> bool:
    """Whether ``text`` seems to name a private person («Anna Svensson»): a common first name, or a surname's ending."""
    for match in _NAMED.finditer(text):
        first, last = match["first"].lower(), match["last"].lower()
        if first in words.names("first_names"):
            return True
        if _SURNAME.search(last) and first not in words.names("no_names") and not _BODY.search(first):
            return True
    return False


def asks_for_decision_on_person(text: str) -> bool:
    """Whether ``text`` asks what to decide or believe about a named private person (a minister in the news is none)."""
    if not names_person(text) or words.pattern("public_person").search(text):
        return False
    return "?" in text or bool(words.pattern("decide").search(text))
