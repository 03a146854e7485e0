"""The words of the project, as frozen values. What is shown, and how a question ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from corpus.passage import Passage

__all__ = ["Answer", "Citation", "Claim", "Completeness", "Handoff", "Hit", "NextStep", "Passage", "Question", "Route",
           "Status", "Turn", "Warning_"]


class Status(StrEnum):
    """How a question ended: one closed list, family first."""

    ANSWERED = "answered"
    ANSWERED_WITH_HANDOFF = "answered_with_handoff"
    CLARIFICATION_NEEDED = "clarification_needed"
    UNANSWERABLE_NO_SOURCE = "unanswerable_no_source"
    UNANSWERABLE_OUT_OF_SCOPE = "unanswerable_out_of_scope"
    REFUSED_PERSONAL_DATA = "refused_personal_data"
    REFUSED_DECISION_ON_PERSON = "refused_decision_on_person"
    REFUSED_MANIPULATION = "refused_manipulation"
    WITHHELD_UNVERIFIED = "withheld_unverified"
    ERROR_EMPTY = "error_empty"
    ERROR_TOO_LONG = "error_too_long"
    ERROR_INTERNAL = "error_internal"


class Route(StrEnum):
    """Where a question goes after the hits are known."""

    ANSWER = "answer"
    ASSESS = "assess"
    CLARIFY = "clarify"
    DECLINE = "decline"


class Completeness(StrEnum):
    """How much of the question the answer covers."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True)
class Turn:
    """One earlier message of the conversation; ``role`` is user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Question:
    """What an official asks. ``as_of`` is the day whose law is asked about (händelsedatum)."""

    text: str
    as_of: date
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A passage found, with its score (0–1, comparable within one search) and the reasons it is there."""

    passage: Passage
    score: float
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Citation:
    """A pointer from a claim to an exact span of a stored passage: ``quote == passage.text[start:end]``."""

    id: str
    ref: str
    pinpoint: str
    label: str
    source: str
    kind: str
    quote: str
    start: int
    end: int
    passage_id: str
    passage_sha256: str
    version: str
    valid_from: date | None
    valid_to: date | None
    url: str
    status: str = "gällande"
    title: str = ""
    page: int | None = None
    verified: bool = False


@dataclass(frozen=True)
class Claim:
    """One statement of an answer and the citations that carry it. ``role``: svar (the short answer), skäl or tänk_på."""

    id: str
    text: str
    citation_ids: tuple[str, ...]
    role: str = "skäl"


@dataclass(frozen=True)
class Handoff:
    """Where the person goes on to the checklist. ``prefill`` holds proposals to confirm, never confirmed facts."""

    checklist: str
    provisions: tuple[str, ...]
    tests: tuple[str, ...]
    prefill: dict[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class NextStep:
    """What the person can do next; ``type`` is checklist, clarify, contact_lawyer or rephrase."""

    type: str
    text: str


@dataclass(frozen=True)
class Warning_:
    """Something to know before the answer is used; ``code`` is repealed, proposal, outdated, false_premise, coverage_gap …"""

    code: str
    text: str


@dataclass(frozen=True)
class Answer:
    """The one answer object of chat, command line and services."""

    answer_id: str
    status: Status
    completeness: Completeness
    as_of_date: date
    law_as_of: date | None
    text_md: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    grounds: tuple[dict[str, object], ...] = ()
    handoff: Handoff | None = None
    missing: tuple[str, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    withheld_claims: int = 0
