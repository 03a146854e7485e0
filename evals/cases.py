"""Golden cases: what is asked, and what a right answer must and must not hold. A malformed case stops here, with file, line and reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from assistant.grounds.checklist import shipped_steps
from assistant.types import Status
from corpus import analysis, lagrum

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "cases"
_REF = re.compile(r"SFS \d{4}:\d+(?: \d+(?: [a-z])? kap\.)?(?: \d+(?: [a-z]{1,2})? §)?(?: bilaga)?|(?:seed|gov|doc|not):\S+")
_ID = re.compile(r"[A-Z]\d{3,4}")
Problem = tuple[int, str]  # line in the file, counted from 1, and why


class CaseError(ValueError):
    """Malformed cases; the message has one line a fault: file, line and reason, in Swedish."""


@dataclass(frozen=True)
class Document:
    """An extra document that stands in the index while its case is asked."""

    title: str
    text: str


@dataclass(frozen=True)
class Case:
    """One question and what a right answer looks like.

    ``status``: the endings that are right. ``must_say``: every phrase must be said, ``|`` between ways of saying it.
    ``handoff``: the checklists of which one must be handed over to; empty: none; None: not judged. ``premise``: what the
    correction of a false premise must say, or None. Only generated cases have ``family``, ``closed`` (checklists that must not be
    handed over to) and ``no_verdict`` (the short answer may not begin with a yes or a no).
    """

    id: str
    topic: str
    question: str
    as_of: date
    history: tuple[str, ...]
    documents: tuple[Document, ...]
    status: tuple[Status, ...]
    must_cite: tuple[str, ...]
    may_cite: tuple[str, ...]
    must_say: tuple[str, ...]
    must_not_say: tuple[str, ...]
    handoff: tuple[str, ...] | None
    premise: str | None
    reason: str
    source: str
    reviewed_by: str | None = None
    reviewed_on: date | None = None
    family: str = ""
    closed: tuple[str, ...] = ()
    no_verdict: bool = False

    @property
    def weighs(self) -> bool:
        """Whether a person must weigh interests, so that no yes or no may be given."""
        return self.no_verdict or bool(self.handoff)

    @property
    def needs_sources(self) -> bool:
        """Whether the case rests on the words of a statute or a report; a generated one rests on the rules and our notes."""
        return not self.family and any(not ref.startswith(("doc:", "not:")) for ref in self.must_cite)


def load(folder: Path = GOLDEN) -> tuple[Case, ...]:
    """Every case under ``folder``, by id. Raises ``CaseError`` with all that is wrong at once, ``OSError`` where a file can't be read."""
    found: list[Case] = []
    wrong: list[str] = []
    where: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for node, problems in _read(path):
            wrong += [f"{path.name}:{line}: {reason}" for line, reason in problems]
            if problems:
                continue
            case = _built(node)
            at = f"{path.name}:{_line(node)}"
            wrong += [f"{at}: {reason}" for reason in _contradictions(case)]
            if case.id in where:
                wrong.append(f"{at}: fallet {case.id} finns redan ({where[case.id]})")
            where[case.id] = at
            found.append(case)
    if wrong:
        raise CaseError("\n".join(wrong))
    return tuple(sorted(found, key=lambda case: case.id))


def _read(path: Path) -> Iterator[tuple[yaml.Node, tuple[Problem, ...]]]:
    """Each case of a file as a node, with what is wrong with it."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise CaseError(f"{path.name}:1: filen är inte text i UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CaseError(f"{path.name}:{mark.line + 1 if mark else 1}: inte YAML ({getattr(error, 'problem', error)})") from error
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        raise CaseError(f"{path.name}:1: filen ska vara en lista av fall")
    for node in root.value:
        yield node, tuple(_problems(node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _value(node: yaml.Node) -> Any:
    """The plain value of a node. Raises ``ValueError`` for a date that isn't one and for a tag that isn't plain YAML."""
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(getattr(error, "problem", str(error))) from error


# --- what is wrong with a case ---------------------------------------------------------------------------------------


def _problems(node: yaml.Node) -> Iterator[Problem]:
    if not isinstance(node, yaml.MappingNode):
        yield _line(node), "ett fall ska ha fält"
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            yield _line(key), f"fältet «{key.value}» står två gånger"
        elif key.value not in _FIELDS:
            yield _line(key), f"okänt fält «{key.value}»"
        else:
            yield from ((line, f"{key.value}: {reason}") for line, reason in _FIELDS[key.value](value))
        seen.add(key.value)
    missing = [name for name in _FIELDS if name not in seen]
    if missing:
        yield _line(node), f"fält saknas: {', '.join(missing)}"


def _contradictions(case: Case) -> Iterator[str]:
    """What no answer could satisfy."""
    handed = Status.ANSWERED_WITH_HANDOFF in case.status
    if case.handoff and not handed:
        yield "handoff väntas, men status tillåter inte answered_with_handoff"
    if case.handoff == () and case.status == (Status.ANSWERED_WITH_HANDOFF,):
        yield "status kräver answered_with_handoff, men handoff är tom"
    if twice := set(case.must_cite) & set(case.may_cite):
        yield f"{min(twice)} står i både must_cite och may_cite"
    if not case.question.strip() and Status.ERROR_EMPTY not in case.status:
        yield "frågan är tom, men status är inte error_empty"


Check = Callable[[yaml.Node], Iterator[Problem]]


def _is(wanted: Callable[[Any], bool], reason: str) -> Check:
    """A check of one value; ``reason`` may show it as {}."""
    def check(node: yaml.Node) -> Iterator[Problem]:
        try:
            value = _value(node)
        except ValueError as error:
            yield _line(node), str(error)
            return
        if not wanted(value):
            yield _line(node), reason.format(f"«{value}»")

    return check


def _each(check: Check, *, some: bool = False) -> Check:
    """A check of a list whose every item must pass ``check``; ``some``: it may not be empty."""
    def over(node: yaml.Node) -> Iterator[Problem]:
        if not isinstance(node, yaml.SequenceNode):
            yield _line(node), "ska vara en lista"
            return
        if some and not node.value:
            yield _line(node), "listan får inte vara tom"
        for item in node.value:
            yield from check(item)

    return over


def _or_null(check: Check) -> Check:
    def either(node: yaml.Node) -> Iterator[Problem]:
        if _is_null(node):
            return
        yield from check(node)

    return either


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _documents(node: yaml.Node) -> Iterator[Problem]:
    if not isinstance(node, yaml.MappingNode) or {key.value for key, _ in node.value} != {"title", "text"}:
        yield _line(node), "ett dokument ska ha title och text"
        return
    for _, value in node.value:
        yield from _TEXT(value)


def _said(value: Any) -> bool:
    return isinstance(value, str) and all(analysis.tokens(one) for one in value.split("|"))


_TEXT = _is(lambda value: isinstance(value, str) and bool(value.strip()), "{} ska vara text")
_DAY = _is(lambda value: isinstance(value, date) and not isinstance(value, datetime), "{} ska vara ett datum, ÅÅÅÅ-MM-DD")
_PHRASE = _is(_said, "{} ska vara ord, med | mellan sätt att säga samma sak")
_REFERENCE = _is(lambda value: isinstance(value, str) and bool(_REF.fullmatch(value)), "{} är ingen kanonisk hänvisning")
_STATUS = _is(lambda value: value in {one.value for one in Status}, "okänd status {}")
_CHECKLIST = _is(lambda value: value in shipped_steps().ids, "okänd checklista {}")
_FIELDS: Mapping[str, Check] = {
    "id": _is(lambda value: isinstance(value, str) and bool(_ID.fullmatch(value)), "{} ska vara en bokstav och tre eller fyra siffror"),
    "topic": _TEXT, "question": _is(lambda value: isinstance(value, str), "{} ska vara text"), "as_of": _DAY, "history": _each(_TEXT),
    "documents": _each(_documents), "status": _each(_STATUS, some=True), "must_cite": _each(_REFERENCE), "may_cite": _each(_REFERENCE),
    "must_say": _each(_PHRASE), "must_not_say": _each(_PHRASE), "handoff": _or_null(_each(_CHECKLIST)), "premise": _or_null(_PHRASE),
    "reason": _TEXT, "source": _TEXT, "reviewed_by": _or_null(_TEXT), "reviewed_on": _or_null(_DAY),
}


# --- from nodes to values --------------------------------------------------------------------------------------------


def _built(node: yaml.Node) -> Case:
    """A case of a node with nothing wrong."""
    data = _value(node)
    lists = {name: tuple(data[name]) for name in ("history", "must_cite", "may_cite", "must_say", "must_not_say")}
    return Case(**{
        **data, **lists, "documents": tuple(Document(one["title"], one["text"]) for one in data["documents"]),
        "status": tuple(Status(one) for one in data["status"]),
        "handoff": None if data["handoff"] is None else tuple(data["handoff"]),
    })


def short(ref: str) -> str:
    """A reference as lawyers write it, «10 kap. 15 a § OSL»; a document's as it stands."""
    address = lagrum.from_ref(ref)
    return address.short() if address else ref
