"""What the legal team does with answers: verdicts, blind double review, agreement, adjudication, and what may happen when.

Only events are kept (`evals/review_store.py`), and they are only added. What state an answer is in is a function of its events
(`after`), the same for what is done in the window and for what is taken in from a file: the history can't say anything else than the state.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from assistant import guard
from assistant.types import Answer, Citation, Claim, Completeness, Handoff, NextStep, Status, Warning_

CARRIES = ("stödjer", "stödjer delvis", "stödjer inte", "fel källa", "upphävd")
SAYS = {"korrekt": ("ja", "nej"), "fullständig": ("ja", "nej"), "rätt grund": ("ja", "nej", "ej aktuellt"),
        "rätt tröskel": ("ja", "nej", "ej aktuellt"), "borde ha avstått": ("ja", "nej")}
GOOD = {**dict.fromkeys(SAYS, "ja"), "borde ha avstått": "nej"}
SEVERITY = ("inget", "litet", "allvarligt", "mycket allvarligt")
REPORTED = "anmält"  # the origin of what staff marked wrong in the chat; any other origin is the name of a run
REVIEWERS = 2
_LONGEST = 200_000  # characters of an answer as JSON: twenty times the longest seen
_ILLEGAL = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")  # what XML or a terminal chokes on
_ID = re.compile(r"[\w.:@+ -]{1,120}")


class Refused(ValueError):
    """What was done can't be accepted; the message says why, in Swedish."""


class Role(StrEnum):
    """What a person may do: the förvaltare assigns, queues, exports and signs releases; the jurist reviews and adjudicates."""

    JURIST = "jurist"
    FORVALTARE = "förvaltare"


class Action(StrEnum):
    """What can happen to an answer in the queue."""

    QUEUED = "köad"
    ASSIGNED = "tilldelad"
    JUDGED = "bedömd"
    SETTLED = "fastställd"
    CONFIRMED = "bekräftad"
    MADE_CASE = "testfall"


class State(StrEnum):
    """Where an answer is on its way."""

    UNASSIGNED = "otilldelad"
    WAITING = "väntar på svar"
    DISPUTED = "oeniga"
    AGREED = "eniga"
    ADJUDICATED = "fastställd"


@dataclass(frozen=True)
class Person:
    """Who does something. ``id``: the sign-on's own name for the person; empty where there is none, and the name is what they wrote."""

    name: str
    role: Role
    id: str = ""


@dataclass(frozen=True)
class Event:
    """One thing that happened to one answer. Its id is a digest of all the rest, so a changed event can't pass for the old one."""

    at: str
    who: str
    role: str
    origin: str
    case: str
    action: str
    body: Mapping[str, Any]
    taken_in: str = ""

    @property
    def id(self) -> str:
        """The digest. ``taken_in`` is this store's own note and not part of it."""
        whole = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "taken_in"}
        return hashlib.sha256(canonical(whole).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Verdict:
    """What one person holds of one answer: each citation, each question on the whole, how grave a fault is."""

    who: str
    at: str
    citations: tuple[tuple[str, str], ...]
    answer: tuple[tuple[str, str], ...]
    severity: str
    comment: str = ""
    corrected: str = ""


@dataclass(frozen=True)
class Expected:
    """What a right answer holds, in the words of a golden case. ``handoff``: None is not judged, empty is no checklist."""

    status: tuple[str, ...] = ()
    must_cite: tuple[str, ...] = ()
    may_cite: tuple[str, ...] = ()
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    handoff: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Settlement:
    """What was adjudicated, and by whom: a third person, or the two reviewers together."""

    id: str
    by: tuple[str, ...]
    verdict: Verdict
    expected: Expected


@dataclass(frozen=True)
class Item:
    """One answer in the queue, with all that was done to it. Its words are fetched when it is read (`Store.answer`).

    ``wanted`` is what the golden case behind the row expects, and empty where there is none.
    """

    number: int
    origin: str
    case: str
    topic: str
    question: str
    as_of: str
    status: str
    at: str
    history: tuple[tuple[str, str], ...] = ()
    refs: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    report: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    settled: Settlement | None = None
    golden: str = ""

    @property
    def state(self) -> State:
        return state(self)


@dataclass(frozen=True)
class Enqueued:
    """What came of putting rows in the queue: how many are new, how many were there, and (row, reason) of those left out."""

    added: int
    already: int
    left_out: tuple[tuple[str, str], ...]


# --- what follows from the verdicts --------------------------------------------------------------------------------


def same(one: str, other: str) -> bool:
    """Whether two written names are one person's."""
    return one.casefold() == other.casefold()


def among(name: str, names: Iterable[str]) -> bool:
    """Whether a person is one of several."""
    return any(same(name, other) for other in names)


def may_see(verdicts: Sequence[Verdict], reviewer: str) -> tuple[Verdict, ...]:
    """The verdicts a person may see: one's own until both have answered, then both."""
    return tuple(verdicts) if len(verdicts) >= REVIEWERS else tuple(one for one in verdicts if same(one.who, reviewer))


def state(item: Item) -> State:
    """Where an answer is on its way."""
    if len(item.reviewers) < REVIEWERS:
        return State.UNASSIGNED
    if len(item.verdicts) < REVIEWERS:
        return State.WAITING
    if decided(item):
        return State.ADJUDICATED
    return State.DISPUTED if differing(*item.verdicts[:2]) else State.AGREED


def decided(item: Item) -> bool:
    """Whether a settlement stands: a third person made it, or both reviewers are behind it."""
    if item.settled is None:
        return False
    by = item.settled.by
    return any(not among(one, item.reviewers) for one in by) or all(among(one, by) for one in item.reviewers)


def judgements(verdict: Verdict) -> dict[str, str]:
    """Everything a person chose, by question: each citation's id, each question on the whole, and how grave."""
    return {**dict(verdict.citations), **dict(verdict.answer), "allvar": verdict.severity}


def differing(one: Verdict, other: Verdict) -> tuple[str, ...]:
    """The questions that two people answered differently."""
    mine, yours = judgements(one), judgements(other)
    return tuple(name for name in mine if mine[name] != yours.get(name))


def negative(verdict: Verdict) -> bool:
    """Whether a verdict finds any fault."""
    return any(value != CARRIES[0] for _, value in verdict.citations) or any(_tone(name, value) == "fel" for name, value in verdict.answer)


def _tone(name: str, value: str) -> str:
    if name in GOOD:
        return value if value == "ej aktuellt" else "rätt" if value == GOOD[name] else "fel"
    return "rätt" if value == CARRIES[0] else "fel"


def outcome(item: Item) -> Verdict | None:
    """What holds for an answer: what was adjudicated, or what both said; None while it is open."""
    if item.settled and decided(item):
        return item.settled.verdict
    return item.verdicts[0] if state(item) is State.AGREED else None


# --- how well two people agree -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """How two reviewers agree on one question. ``kappa`` is None where chance alone would give full agreement."""

    question: str
    count: int
    share: float
    kappa: float | None


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa, nominal: agreement beyond chance. None without pairs, and where both always gave one and the same answer."""
    count = len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(first[value] * second[value] for value in first)
    if by_chance == count * count:
        return None
    return (sum(one == other for one, other in pairs) * count - by_chance) / (count * count - by_chance)


def pairs(items: Iterable[Item]) -> dict[str, list[tuple[str, str]]]:
    """Question → the pairs of blind answers. The two are taken in the order of their names; «samtliga» holds right or wrong."""
    out: dict[str, list[tuple[str, str]]] = {name: [] for name in ("hänvisningar", *SAYS, "allvar", "samtliga")}
    for item in items:
        if len(item.verdicts) < REVIEWERS:
            continue
        mine, yours = map(judgements, sorted(item.verdicts, key=lambda one: one.who.casefold())[:2])
        for name, value in mine.items():
            out[name if name in out else "hänvisningar"].append((value, yours[name]))
            if name != "allvar":
                out["samtliga"].append((_tone(name, value), _tone(name, yours[name])))
    return out


def agreement(items: Iterable[Item]) -> tuple[Agreement, ...]:
    """The agreement per question, and last over all."""
    return tuple(Agreement(name, len(held), sum(one == other for one, other in held) / len(held), kappa(held))
                 for name, held in pairs(items).items() if held)


@dataclass(frozen=True)
class Share:
    """How many of several were right, in one group."""

    name: str
    right: int
    total: int


def per_topic(items: Iterable[Item]) -> tuple[Share, ...]:
    """Correct answers per topic, of those where the outcome is clear."""
    return _shares((item.topic or "utan ämne", dict(held.answer)["korrekt"] == "ja") for item in items if (held := outcome(item)))


def per_origin(items: Iterable[Item]) -> tuple[Share, ...]:
    """Correct answers per run."""
    return _shares((item.origin, dict(held.answer)["korrekt"] == "ja") for item in items if (held := outcome(item)))


def per_source(items: Iterable[Item], named: Callable[[str], str]) -> tuple[Share, ...]:
    """Citations that carry their claim, per statute or other source; ``named`` says which one a reference belongs to."""
    return _shares((named(dict(item.refs)[one]), value == CARRIES[0])
                   for item in items if (held := outcome(item)) for one, value in held.citations)


def _shares(marks: Iterable[tuple[str, bool]]) -> tuple[Share, ...]:
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for name, good in marks:
        total[name] += 1
        right[name] += good
    return tuple(Share(name, right[name], total[name]) for name in sorted(total))


# --- what may happen -----------------------------------------------------------------------------------------------


def after(item: Item | None, event: Event) -> Item:
    """The answer after ``event``. Raises ``Refused`` when it may not happen: the one place where the rules stand."""
    who = Person(proper_name(event.who), _role(event.role))
    if who.name != event.who or not _timed(event.at):
        raise Refused("namn eller tid är inte skrivet som det ska")
    if event.action == Action.QUEUED:
        if item is not None:
            raise Refused("svaret finns redan i kön")
        return _queued(event, who)
    if item is None:
        raise Refused("svaret finns inte i kön")
    steps: dict[str, Callable[[Item, Event, Person], Item]] = {
        Action.ASSIGNED: _assigned, Action.JUDGED: _judged, Action.SETTLED: _settled, Action.CONFIRMED: _confirmed,
        Action.MADE_CASE: _made_case}
    if event.action not in steps:
        raise Refused(f"okänd händelse: {str(event.action)[:40]}")
    return steps[event.action](item, event, who)


def _timed(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _queued(event: Event, who: Person) -> Item:
    _only(who, Role.FORVALTARE)
    body = _keys(event.body, {"topic", "question", "as_of", "history", "status", "refs", "versions", "report", "wanted", "answer_sha256"})
    if not _ID.fullmatch(event.case) or not _ID.fullmatch(event.origin):
        raise Refused("körningens eller fallets namn går inte att använda")
    try:
        date.fromisoformat(body["as_of"])
        Status(body["status"])
        refs = tuple((str(one), str(ref)) for one, ref in body["refs"])
        history = tuple((str(role), _text(content)) for role, content in body["history"])
        versions = tuple(sorted((str(name), str(value)) for name, value in body["versions"].items()))
    except (ValueError, TypeError, AttributeError) as error:
        raise error if isinstance(error, Refused) else Refused("raden har inte rätt form") from error
    if not body["question"] or len({one for one, _ in refs}) < len(refs) or not all(re.fullmatch(r"[\w-]{1,60}", one) for one, _ in refs):
        raise Refused("frågan saknas, eller två hänvisningar har samma id")
    return Item(0, event.origin, event.case, _text(body["topic"]), _text(body["question"]), body["as_of"],
                body["status"], event.at, history, refs, versions, _text(body["report"]), _wanted(body["wanted"]))


def _wanted(written: Any) -> dict[str, Any]:
    if written == {}:
        return {}
    body = _keys(written, {"documents", "premise", *(one.name for one in fields(Expected))})
    _expected({name: body[name] for name in body if name not in ("documents", "premise")})
    return body


def _assigned(item: Item, event: Event, who: Person) -> Item:
    names = tuple(proper_name(one) for one in _texts(_keys(event.body, {"reviewers"})["reviewers"], "granskarna"))
    if len(names) > REVIEWERS or len({one.casefold() for one in names}) < len(names):
        raise Refused("två olika granskare, inte fler")
    if any(not among(one.who, names) for one in item.verdicts):
        raise Refused("den som har svarat kan inte bytas ut")
    if who.role is Role.JURIST and (set(names) - set(item.reviewers) != {who.name} or set(item.reviewers) - set(names)):
        raise Refused("en jurist kan bara ta svaret för egen del")
    return replace(item, reviewers=names)


def _judged(item: Item, event: Event, who: Person) -> Item:
    _only(who, Role.JURIST)
    if not among(who.name, item.reviewers):
        raise Refused("svaret är inte tilldelat dig")
    if len(item.verdicts) >= REVIEWERS:
        raise Refused("båda har svarat och bedömningarna är låsta; det som skiljer avgörs när svaret fastställs")
    verdict = _verdict(item, event, event.body)
    return replace(item, verdicts=(*(one for one in item.verdicts if not same(one.who, who.name)), verdict))


def _settled(item: Item, event: Event, who: Person) -> Item:
    _only(who, Role.JURIST)
    if len(item.verdicts) < REVIEWERS:
        raise Refused("båda granskarna måste ha svarat först")
    body = _keys(event.body, {"citations", "answer", "severity", "comment", "corrected", "expected"})
    verdict = _verdict(item, event, {key: value for key, value in body.items() if key != "expected"})
    if state(item) is State.DISPUTED and not verdict.comment:
        raise Refused("skriv skälen: granskarna var oeniga")
    return replace(item, settled=Settlement(event.id, (who.name,), verdict, _expected(body["expected"])), golden="")


def _confirmed(item: Item, event: Event, who: Person) -> Item:
    _only(who, Role.JURIST)
    if item.settled is None or event.body != {"settled": item.settled.id}:
        raise Refused("förslaget har ändrats sedan du läste det; läs det på nytt")
    if not among(who.name, item.reviewers) or among(who.name, item.settled.by):
        raise Refused("den andra granskaren bekräftar")
    return replace(item, settled=replace(item.settled, by=(*item.settled.by, who.name)))


def _made_case(item: Item, event: Event, _: Person) -> Item:
    if not decided(item):
        raise Refused("svaret måste vara fastställt först")
    name = _text(_keys(event.body, {"case"})["case"])
    if not re.fullmatch(r"[A-Z]\d{3,4}", name):
        raise Refused("testfallet har fel id")
    return replace(item, golden=name)


def _verdict(item: Item, event: Event, written: Mapping[str, Any]) -> Verdict:
    body = _keys(written, {"citations", "answer", "severity", "comment", "corrected"})
    citations = _choices(body["citations"], {one: CARRIES for one, _ in item.refs}, "hänvisningarna")
    answer = _choices(body["answer"], SAYS, "frågorna om hela svaret")
    if body["severity"] not in SEVERITY:
        raise Refused("ange hur allvarligt felet är")
    made = Verdict(event.who, event.at, citations, answer, body["severity"], _text(body["comment"]),
                   _text(body["corrected"]))
    if negative(made) and not made.comment:
        raise Refused("skriv en kommentar: något är bedömt som fel")
    if negative(made) != (made.severity != SEVERITY[0]):
        raise Refused("allvaret stämmer inte med resten: välj «inget» när inget är fel, annars hur allvarligt felet är")
    return made


def _expected(written: Any) -> Expected:
    body = _keys(written, {one.name for one in fields(Expected)})
    texts = {name: tuple(_texts(body[name], "testfallet"))
             for name in body if body[name] is not None or name != "handoff"}
    if not texts["status"] or not set(texts["status"]) <= {one.value for one in Status}:
        raise Refused("ange hur svaret ska sluta (minst en status)")
    return Expected(**texts)


def _choices(written: Any, allowed: Mapping[str, Sequence[str]], what: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(written, dict) or set(written) != set(allowed):
        lacking = len(set(allowed) - set(written)) if isinstance(written, dict) else len(allowed)
        raise Refused(f"bedöm alla {what}; {lacking} återstår" if lacking else f"{what} stämmer inte med svaret")
    if any(written[name] not in allowed[name] for name in allowed):
        raise Refused(f"okänt val bland {what}")
    return tuple((name, written[name]) for name in allowed)


# --- words that are kept -------------------------------------------------------------------------------------------


def proper_name(text: Any) -> str:
    """A person's name as it is kept. Raises ``Refused`` when it is none."""
    return _name(text if isinstance(text, str) else "")


@lru_cache(maxsize=256)  # asked once an event, and a round has few people
def _name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", clean(text)).split())
    if not re.search(r"[^\W\d_]", name) or len(name) > 80 or guard.identity_number(name):
        raise Refused("ange ett namn, högst 80 tecken")
    return name


def clean(text: str) -> str:
    """``text`` as it is kept: one kind of line break, no control characters, nothing around it."""
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def personal(text: str) -> str:
    """Which personal datum a text holds, or nothing."""
    number = guard.identity_number(text)
    return f"ett {number}" if number else "ett namn" if guard.names_person(text) else ""


def check_words(event: Event) -> None:
    """Raise ``Refused`` when an event's words may not be kept. Asked when something is written or taken in, not when it is read back:
    a stricter guard tomorrow must not lock up what was kept today.
    """
    for where in _WORDS & set(event.body):
        for text in _strings(event.body[where]):
            if clean(text) != text:
                raise Refused(f"{_WHERE[where]} innehåller tecken som inte kan sparas")
            if len(text) > guard.MAX_CHARACTERS:
                raise Refused(f"{_WHERE[where]} är längre än {guard.MAX_CHARACTERS} tecken")
            if kind := personal(text):
                raise Refused(f"{_WHERE[where]} innehåller {kind} och sparas inte; skriv om utan uppgifter som pekar ut en person")


_WHERE = {"topic": "ämnet", "question": "frågan", "history": "samtalet", "report": "anmälan", "comment": "kommentaren",
          "corrected": "det rättade svaret", "expected": "testfallet", "wanted": "fallet"}
_WORDS = set(_WHERE)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one)


def _text(written: Any) -> str:
    if not isinstance(written, str):
        raise Refused("händelsen har inte rätt form")
    return written


def _texts(written: Any, what: str) -> list[str]:
    if not isinstance(written, list) or not all(isinstance(one, str) and one for one in written) or len(written) > 50:
        raise Refused(f"{what} har inte rätt form")
    return written


def _keys(written: Any, wanted: set[str]) -> dict[str, Any]:
    if not isinstance(written, Mapping) or set(written) != wanted:
        raise Refused("händelsen har inte rätt fält")
    return dict(written)


def _role(written: str) -> Role:
    try:
        return Role(written)
    except ValueError as error:
        raise Refused("okänd roll") from error


def _only(who: Person, role: Role) -> None:
    if who.role is not role:
        raise Refused(f"det här gör en {role.value}")


# --- rows into the queue, corrections out of it ----------------------------------------------------------------------


def queue_body(row: Mapping[str, Any], versions: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """(what is kept of a row, its answer as JSON). The row is as the runs write it: id, topic, question, as_of, answer."""
    if row.get("answer") is None:
        raise Refused("raden har inget svar")
    try:
        read = answer_of(row["answer"])
        body = {
            "topic": clean(str(row.get("topic") or "")), "question": clean(row["question"]),
            "as_of": str(row.get("as_of") or read.as_of_date), "history": [_turn(one) for one in row.get("history") or ()],
            "status": read.status.value, "refs": [[one.id, one.ref] for one in read.citations],
            "versions": {str(name): str(value) for name, value in (row.get("versions") or versions).items()},
            "report": clean(str(row.get("report") or "")), "wanted": _asked_for(row.get("expected")),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"raden går inte att läsa ({type(error).__name__}: {str(error)[:60]})") from error
    text = canonical(row["answer"])
    if len(text) > _LONGEST:
        raise Refused("svaret är för långt")
    return {**body, "answer_sha256": hashlib.sha256(text.encode()).hexdigest()}, text


def _turn(written: Any) -> list[str]:
    """An earlier turn: a text is the person's, an object says whose it is."""
    return ["user", clean(written)] if isinstance(written, str) else [written["role"], clean(written["content"])]


def _asked_for(expected: Any) -> dict[str, Any]:
    """What a run's row says of the golden case behind it. A generated row expects other things and says nothing here."""
    names = ("documents", "premise", *(one.name for one in fields(Expected)))
    return {name: expected[name] for name in names} if expected and not expected.get("family") and set(names) <= set(expected) else {}


def answer_of(plain: Mapping[str, Any]) -> Answer:
    """The answer that `assistant.cli.plain` wrote out. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
    def day(text: Any) -> date | None:
        return date.fromisoformat(text) if text else None

    cited = tuple(Citation(**{**one, "valid_from": day(one["valid_from"]), "valid_to": day(one["valid_to"])}) for one in plain["citations"])
    handoff = plain.get("handoff")
    as_of = day(plain["as_of_date"])
    if as_of is None or not isinstance(plain["text_md"], str):
        raise ValueError("as_of_date")
    made = Answer(
        answer_id=str(plain.get("answer_id") or ""), status=Status(plain["status"]), completeness=Completeness(plain["completeness"]),
        as_of_date=as_of, law_as_of=day(plain.get("law_as_of")), text_md=plain["text_md"],
        claims=tuple(Claim(**{**one, "citation_ids": tuple(one["citation_ids"])}) for one in plain["claims"]), citations=cited,
        handoff=Handoff(**{**handoff, "provisions": tuple(handoff["provisions"]), "tests": tuple(handoff["tests"]),
                           "missing": tuple(handoff["missing"])}) if handoff else None,
        missing=tuple(plain.get("missing") or ()), next_steps=tuple(NextStep(**one) for one in plain.get("next_steps") or ()),
        warnings=tuple(Warning_(**one) for one in plain.get("warnings") or ()), withheld_claims=int(plain.get("withheld_claims") or 0))
    parts: tuple[Claim | Citation | NextStep | Warning_, ...] = (*made.claims, *made.citations, *made.next_steps, *made.warnings)
    for part in parts:
        for one in fields(part):
            if one.type in ("str", "int") and not isinstance(getattr(part, one.name), str if one.type == "str" else int):
                raise TypeError(one.name)
    return made


def case_source(item: Item) -> str:
    """What a golden case says of the answer it came from; the same however often it is made."""
    return f"granskning: {item.origin}, {item.case}"


def to_case(item: Item, name: str) -> dict[str, Any]:
    """The golden case of an adjudicated answer, called ``name``."""
    if item.settled is None or not decided(item):
        raise Refused("svaret måste vara fastställt först")
    return case_of(item, item.settled, name)


def case_of(item: Item, settled: Settlement, name: str) -> dict[str, Any]:
    """What a settlement makes of an answer, in the form that `evals.cases` reads."""
    held, expected = settled.verdict, settled.expected
    return {
        "id": name, "topic": item.topic or "granskning", "question": item.question, "as_of": date.fromisoformat(item.as_of),
        "history": [content for role, content in item.history if role == "user"], "documents": list(item.wanted.get("documents", ())),
        "status": list(expected.status), "must_cite": list(expected.must_cite), "may_cite": list(expected.may_cite),
        "must_say": list(expected.must_say), "must_not_say": list(expected.must_not_say),
        "handoff": None if expected.handoff is None else list(expected.handoff), "premise": item.wanted.get("premise"),
        "reason": held.comment or held.corrected or "Båda granskarna fann svaret rätt.",
        "source": case_source(item), "reviewed_by": ", ".join(settled.by), "reviewed_on": date.fromisoformat(held.at[:10]),
    }


def canonical(value: Any) -> str:
    """One way of writing a value, so that equal values have equal digests."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
