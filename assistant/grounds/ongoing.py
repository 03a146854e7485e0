"""An assessment under way: a frozen value and the moves a person can make in it. No session, no clock, no page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from assistant.grounds import checklist as lists
from assistant.grounds import protocol, wording
from assistant.grounds.case import Case, Finding
from assistant.grounds.checklist import Checklist, ChecklistError, Reply, State, Step
from assistant.grounds.find import basics_missing, find
from assistant.grounds.load import Law
from assistant.guard import identity_number

FROM_QUESTION, FROM_CASE = "question", "case"
CONFIRMED_FIRST = ("sender_actor", "recipient_actor", "purpose_code", "mode")


@dataclass(frozen=True)
class Ongoing:
    """A checklist being answered. ``at``: the step looked at again ("": the next one); ``back``: got there one step at a time.

    ``unconfirmed`` is what a question said and nobody has confirmed; it becomes part of the case only when confirmed.
    """

    checklist: Checklist
    case: Case
    origin: str = ""
    answers: Mapping[str, Reply] = field(default_factory=dict)
    unconfirmed: tuple[tuple[str, Any], ...] = ()
    unsaid: tuple[str, ...] = ()
    at: str = ""
    back: bool = False
    turn: int = 0
    ended: datetime | None = None


# --- beginning --------------------------------------------------------------------------------------------------------


def begun(handoff: Mapping[str, Any], law: Law, today: date) -> Ongoing:
    """An assessment from a hand-off: {checklist, prefill, missing, confirmed}. ChecklistError or ValueError when there is none."""
    prefill = dict(handoff.get("prefill") or {})
    on = date.fromisoformat(prefill.get("date") or today.isoformat())
    made = lists.checklist(handoff["checklist"], on)
    if handoff.get("confirmed"):
        return Ongoing(made, Case.from_json(prefill, law), FROM_CASE)
    told = tuple((name, prefill[name]) for name in CONFIRMED_FIRST if prefill.get(name) and readable(name, prefill[name], law))
    return Ongoing(made, Case(date=on), FROM_QUESTION, unconfirmed=told, unsaid=tuple(handoff.get("missing") or ()))


def readable(name: str, value: Any, law: Law) -> bool:
    """Whether the law's registers know the value."""
    try:
        Case.from_json({name: value}, law)
    except ValueError:
        return False
    return True


def confirmed(now: Ongoing, kept: tuple[str, ...], law: Law) -> Ongoing:
    """The case with what the person confirmed; the rest of what the question said is forgotten."""
    told = {name: value for name, value in now.unconfirmed if name in kept}
    case = Case.from_json({**told, "date": now.checklist.on.isoformat()}, law)
    return replace(now, case=case, unconfirmed=(), turn=now.turn + 1)


@cache
def listed(on: date) -> tuple[tuple[str, str], ...]:
    """Every checklist that applies on the day, with what its ground says."""
    made = []
    for name in lists.shipped_steps().ids:
        with suppress(ChecklistError):
            made.append((name, lists.checklist(name, on)))
    return tuple((name, f"{one.provision}: {one.says}") for name, one in made)


# --- answering --------------------------------------------------------------------------------------------------------


def state(now: Ongoing) -> State:
    """Where the answers lead, with what the case proposes for steps nobody has answered."""
    return lists.with_proposals(lists.state(now.checklist, now.answers), told(now.case))


def shown(now: Ongoing, stands: State) -> Step | None:
    """The step on the page; None when the outcome is."""
    return now.checklist.step(now.at) if now.at else stands.next


def answered(now: Ongoing, step: str, value: str, reason: str, when: datetime) -> Ongoing:
    """One answer given or changed. Someone who stepped back goes on a step at a time, someone who changed one goes on where it matters."""
    answers = lists.answer(now.checklist, now.answers, step, value, reason)
    stands = lists.state(now.checklist, answers)
    path = [one.step.id for one in stands.path]
    later = path[path.index(step) + 1:] if now.back else []
    ended = when if stands.outcome and not later else None
    return replace(now, answers=answers, at=later[0] if later else "", back=bool(later), turn=now.turn + 1, ended=ended)


def before(now: Ongoing, stands: State) -> str:
    """The step before the one on the page; "" when it is the first."""
    path = [one.step.id for one in stands.path]
    at = path.index(now.at) if now.at in path else len(path)
    return path[at - 1] if at else ""


def moved(now: Ongoing, step: str, *, back: bool = False) -> Ongoing:
    """Looking at a step that was answered before."""
    return replace(now, at=step, back=back, turn=now.turn + 1)


# --- the case ---------------------------------------------------------------------------------------------------------


def told(case: Case) -> dict[str, Any]:
    """The case as the contract's JSON, blanks left out: Case.from_json(told(case), law) == case."""
    data: dict[str, Any] = {name: protocol.plain(value) for name, value in asdict(case).items() if name != "facts"}
    facts = {name: list(value) if isinstance(value, tuple) else value for name, value in case.facts}
    return {name: value for name, value in {**data, "facts": facts}.items() if value not in (None, "", [], {})}


def finding(case: Case, law: Law) -> Finding | None:
    """What the finder says of the case; None when too little of it is known to try any ground."""
    return None if basics_missing(case) else find(case, law)


def said(name: str, value: Any, law: Law) -> str:
    """A field of the case as it is read."""
    if name == "purpose_code":
        return law.purposes[value].wording
    return wording.MODES[value].capitalize() if name == "mode" else str(value)


# --- saving -----------------------------------------------------------------------------------------------------------


def saved(now: Ongoing) -> str:
    """The answers and the case as JSON, to go on from another day."""
    data = json.loads(lists.save(now.checklist, now.answers))
    return json.dumps({**data, "origin": now.origin, "case": told(now.case)}, ensure_ascii=False, indent=1)


def resumed(text: str, law: Law, when: datetime) -> tuple[Ongoing, bool]:
    """What was saved, and whether the checklist's wording has changed since. ValueError when it can't be read."""
    made, answers, changed = lists.resume(text)
    data = json.loads(text)
    case = Case.from_json(data.get("case") or {"date": made.on.isoformat()}, law)
    stands = lists.state(made, answers)
    origin = data.get("origin") if data.get("origin") in (FROM_QUESTION, FROM_CASE) else ""
    return Ongoing(made, case, str(origin or ""), answers, ended=when if stands.outcome else None), changed


# --- free text --------------------------------------------------------------------------------------------------------


def cleaned(text: str, today: date) -> tuple[str, str]:
    """(the text without the sentences that hold an identity number, the kind of number there was, or "")."""
    kind = identity_number(text, today)
    if not kind:
        return text, ""
    kept = "".join(part for part in re.split(r"(?<=[.!?\n])", text) if not identity_number(part, today)).strip()
    return ("" if identity_number(kept, today) else kept), kind
