"""The words of the finder: a Case goes in, a Finding comes out. Names in JSON are the contract."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.grounds.load import MODES, Actor, Fact, Law, LawError, Secrecy, provision

RECIPIENT_KINDS = ("myndighet", "enskild", "utländsk")
OUTCOMES = (
    "PUBLIC_NO_BREAK_NEEDED",
    "DUTY_NO_INTEREST_TEST",
    "DUTY_WITH_INTEREST_TEST",
    "PERMITTED_NO_INTEREST_TEST",
    "PERMITTED_AFTER_INTEREST_TEST",
    "ONLY_GENERAL_CLAUSE",
    "MIXED_LAYERS",
    "BLOCKED",
    "NOT_AUTHORITY_RECIPIENT",
    "NOT_AUTHORITY_SENDER",
    "FOREIGN_8_3",
    "LEGAL_REVIEW",
)
QUESTIONS = {
    "date": "Vilken dag gäller beslutet?",
    "sender_actor": "Vem ska lämna uppgiften?",
    "sender_osl": "Gäller offentlighets- och sekretesslagen för avsändaren?",
    "recipient_actor": "Vem ska få uppgiften?",
    "recipient_kind": "Är mottagaren en myndighet, en enskild eller en utländsk myndighet?",
    "datum_public": "Är uppgiften offentlig?",
    "secrecy": "Vilka sekretessbestämmelser gäller för uppgiften?",
    "stycke": "Vilket stycke i sekretessbestämmelsen gäller?",
    "purpose_code": "Vad ska uppgiften användas till?",
    "mode": "Har mottagaren begärt uppgiften, eller lämnas den på eget initiativ?",
}


@dataclass(frozen=True)
class Case:
    """Who gives what to whom, why and when. None means that nobody has said."""

    date: datetime.date | None = None
    sender: str = ""
    recipient: str = ""
    sender_actor: str | None = None
    recipient_actor: str | None = None
    sender_osl: bool | None = None
    recipient_kind: str | None = None
    datum: str = ""
    datum_public: bool | None = None
    datum_subject: str | None = None
    secrecy: tuple[str, ...] = ()
    purpose: str = ""
    purpose_code: str | None = None
    mode: str | None = None
    facts: tuple[tuple[str, Any], ...] = ()

    def fact(self, name: str) -> Any:
        return dict(self.facts).get(name)

    @classmethod
    def from_json(cls, data: Any, law: Law) -> "Case":
        """The case as the contract writes it; other keys are ignored. Bad input: ValueError with one line of Swedish."""
        if not isinstance(data, Mapping):
            raise ValueError("ärendet ska vara ett objekt med fält")
        sender, recipient = actor_of(data, "sender_actor", law), actor_of(data, "recipient_actor", law)
        given_osl, given_kind = truth(data, "sender_osl"), choice(data, "recipient_kind", RECIPIENT_KINDS)
        return cls(
            date=day(data.get("date")),
            sender=text(data, "sender"),
            recipient=text(data, "recipient"),
            sender_actor=sender.name if sender else None,
            recipient_actor=recipient.name if recipient else None,
            sender_osl=given_osl if given_osl is not None else sender.osl if sender else None,
            recipient_kind=given_kind or (recipient.recipient_kind if recipient else None),
            datum=text(data, "datum"),
            datum_public=truth(data, "datum_public"),
            datum_subject=text(data, "datum_subject") or None,
            secrecy=keys(data.get("secrecy"), law),
            purpose=text(data, "purpose"),
            purpose_code=choice(data, "purpose_code", tuple(law.purposes)),
            mode=choice(data, "mode", MODES),
            facts=facts(data.get("facts"), law),
        )


def text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{field} ska vara text")
    return value or ""


def truth(data: Mapping[str, Any], field: str) -> bool | None:
    value = data.get(field)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{field} ska vara true eller false")
    return value


def choice(data: Mapping[str, Any], field: str, values: tuple[str, ...]) -> str | None:
    value = data.get(field)
    if value in (None, ""):
        return None
    if value not in values:
        raise ValueError(f"okänt värde «{value}» i {field}; välj ett av {', '.join(values)}")
    return str(value)


def day(value: Any) -> datetime.date | None:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"datumet «{value}» ska skrivas ÅÅÅÅ-MM-DD")
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"datumet «{value}» finns inte") from error


def actor_of(data: Mapping[str, Any], field: str, law: Law) -> Actor | None:
    name = text(data, field)
    actor = law.actor(name) if name else None
    if name and not actor:
        raise ValueError(f"okänd aktör «{name}» i {field}; skriv myndighetens fulla namn eller ett slag, till exempel kommun")
    return actor


def keys(value: Any, law: Law) -> tuple[str, ...]:
    if value is not None and not isinstance(value, list):
        raise ValueError("secrecy ska vara en lista med bestämmelser")
    for key in value or []:
        if not isinstance(key, str):
            raise ValueError(f"sekretessbestämmelsen «{key}» ska vara text, till exempel 26:1")
        try:
            provision(key)
        except LawError as error:
            raise ValueError(str(error)) from error
        if not described(key, law):
            raise ValueError(f"«{key}» är ingen sekretessbestämmelse i registret; kontrollera kapitel och paragraf")
    return tuple(dict.fromkeys(value or []))


def described(key: str, law: Law) -> Secrecy | None:
    """The register's entry for the key, or for its paragraf when the stycke has none of its own."""
    return law.secrecy.get(key) or law.secrecy.get(key.partition(" st")[0])


def facts(value: Any, law: Law) -> tuple[tuple[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ValueError("facts ska vara ett objekt med fält")
    return tuple((name, fact(name, given, law)) for name, given in sorted(value.items()) if given is not None)


def fact(name: str, value: Any, law: Law) -> Any:
    known = law.facts.get(name)
    if known and not fits(value, known):
        raise ValueError(f"faktumet {name} har ett värde som inte passar: «{value}»")
    for code in value if name == "purpose_overlap" else ():
        if code not in law.purposes:
            raise ValueError(f"okänt syfte «{code}» i purpose_overlap")
    return tuple(value) if isinstance(value, list) else value


def fits(value: Any, known: Fact) -> bool:
    if known.type == "list":
        return isinstance(value, list)
    if known.type == "int":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if known.type == "bool":
        return isinstance(value, bool)
    return isinstance(value, str) and (not known.values or value in known.values)


# --- the finding ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ground:
    """A ground that is open; a note says what it hangs on."""

    provision: str
    kind: str
    assessment: str
    test: str  # the precise test, to which checklist steps are keyed
    modes: tuple[str, ...]
    note: str
    ref: str
    rule: str
    lifts: tuple[str, ...]
    sfs: str
    inferred: bool
    reviewed: bool

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"provision": self.provision, "kind": self.kind, "assessment": self.assessment, "modes": list(self.modes)}
        if self.note:
            data["note"] = self.note
        extra = {"test": self.test, "ref": self.ref, "rule": self.rule, "lifts": list(self.lifts), "sfs": self.sfs}
        return data | extra | {"inferred": self.inferred, "reviewed": self.reviewed}


@dataclass(frozen=True)
class Blocked:
    """A ground that was tried and does not hold."""

    provision: str
    why: str
    citation: str
    rule: str

    def to_json(self) -> dict[str, str]:
        return {"provision": self.provision, "why": self.why, "citation": self.citation, "rule": self.rule}


@dataclass(frozen=True)
class Missing:
    field: str
    question: str

    def to_json(self) -> dict[str, str]:
        return {"field": self.field, "question": self.question}


@dataclass(frozen=True)
class TraceLine:
    """One yes or no: which rule, which input decided, where it stands, which wording."""

    rule: str
    answer: str
    input: str
    reason: str
    lagrum: str
    version: str

    def to_json(self) -> dict[str, str]:
        return {
            "rule": self.rule,
            "answer": self.answer,
            "input": self.input,
            "reason": self.reason,
            "lagrum": self.lagrum,
            "version": self.version,
        }


@dataclass(frozen=True)
class Statuses:
    """The five that the contract names."""

    osl_10_15a: str
    osl_10_27: str
    luffa2: str
    luffa4: str
    lub: str


@dataclass(frozen=True)
class Finding:
    outcome: str
    primary: str | None
    available: tuple[Ground, ...]
    assessment_required: bool | None
    assessment_kind: str | None
    per_layer: tuple[tuple[str, str], ...]
    statuses: Statuses
    blocked: tuple[Blocked, ...]
    handoff_to_checklist: bool
    handoff_to_lawyer: bool
    citations: tuple[str, ...]
    missing: tuple[Missing, ...]
    also_consider: tuple[Ground, ...]
    warnings: tuple[str, ...]
    trace: tuple[TraceLine, ...]
    law_as_of: datetime.date

    def to_json(self) -> dict[str, Any]:
        assessment: dict[str, Any] = {"required": self.assessment_required, "kind": self.assessment_kind}
        if self.per_layer:
            assessment["per_layer"] = dict(self.per_layer)
        return {
            "outcome": self.outcome,
            "primary": self.primary,
            "available": [ground.to_json() for ground in self.available],
            "interest_assessment": assessment,
            "osl_10_15a": self.statuses.osl_10_15a,
            "osl_10_27": self.statuses.osl_10_27,
            "luffa2": self.statuses.luffa2,
            "luffa4": self.statuses.luffa4,
            "lub": self.statuses.lub,
            "blocked": [ground.to_json() for ground in self.blocked],
            "handoff_to_checklist": self.handoff_to_checklist,
            "handoff_to_lawyer": self.handoff_to_lawyer,
            "citations": list(self.citations),
            "missing": [item.to_json() for item in self.missing],
            "also_consider": [ground.to_json() for ground in self.also_consider],
            "warnings": list(self.warnings),
            "trace": [line.to_json() for line in self.trace],
            "law_as_of": self.law_as_of.isoformat(),
        }
