"""What comes in and what goes out, as types: OpenAPI and MCP describe them, the operations use them.

What comes in is pydantic and takes nothing for something else (no numbers as text, no unknown fields). What goes out is a frozen
dataclass, written as JSON by ``assistant.record.plain``; the answer is ``assistant.types.Answer`` itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from assistant.grounds.case import Blocked, Missing, TraceLine
from assistant.grounds.checklist import Direction, Outcome
from assistant.guard import MAX_CHARACTERS
from assistant.types import Answer, Citation

JSON = dict[str, Any]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL can't hold it, and nobody writes it


def _day(value: Any) -> Any:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "no such day")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Line = Annotated[str, Field(max_length=400, pattern=NO_NUL)]
Written = Annotated[str, Field(max_length=MAX_CHARACTERS, pattern=NO_NUL)]
CaseNumber = Annotated[str, Field(max_length=80, pattern=NO_NUL)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
FactValue = StrictBool | StrictInt | Line | list[Line]


class Sent(BaseModel):
    """What is common to everything sent in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewConversation(Sent):
    case_number: CaseNumber = ""


class NewQuestion(Sent):
    text: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, pattern=NO_NUL)]
    as_of: Day | None = None


class CaseSent(Sent):
    """A sharing as the finder takes it. What isn't said is left out."""

    date: Day | None = None
    sender: Line = ""
    recipient: Line = ""
    sender_actor: Line | None = None
    recipient_actor: Line | None = None
    sender_osl: StrictBool | None = None
    recipient_kind: Literal["myndighet", "enskild", "utländsk"] | None = None
    datum: Line = ""
    datum_public: StrictBool | None = None
    datum_subject: Line | None = None
    secrecy: Annotated[list[Annotated[str, Field(max_length=60, pattern=NO_NUL)]], Field(max_length=20)] = []
    purpose: Line = ""
    purpose_code: Line | None = None
    mode: Literal["request", "own"] | None = None
    facts: Annotated[dict[FactName, FactValue], Field(max_length=100)] = {}


class NewAssessment(Sent):
    checklist: Id
    case: CaseSent | None = None
    as_of: Day | None = None
    case_number: CaseNumber = ""


class StepAnswer(Sent):
    value: Id
    reason: Written = ""
    revision: StrictInt | None = None


class Quoted(Sent):
    """A quote, and where it is said to stand: ``ref`` or ``passage_id``."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["ref"]}, {"required": ["passage_id"]}]})
    quote: Annotated[str, Field(min_length=1, max_length=20_000, pattern=NO_NUL)]
    ref: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = ""
    passage_id: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = ""
    as_of: Day | None = None


class FeedbackSent(Sent):
    answer_id: Id
    verdict: Literal["helped", "wrong"]
    reason: Written = ""


class Asking(Sent):
    """A question by MCP. ``conversation_id``: of the answer it follows on."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, pattern=NO_NUL)]
    conversation_id: Id | None = None
    as_of: Day | None = None


class OnDay(Sent):
    as_of: Day | None = None


class ProvisionOnDay(OnDay):
    ref: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class ChecklistOnDay(OnDay):
    checklist_id: Id


class Nothing(Sent):
    pass


@dataclass(frozen=True)
class Answered:
    """The answer object, and the conversation to follow on in."""

    conversation_id: str
    answer: Answer


# --- conversations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConversationListed:
    """``opening``: the first question, empty when its words were not kept."""

    id: str
    case_number: str
    started_at: datetime
    opening: str = ""


@dataclass(frozen=True)
class ConversationList:
    conversations: tuple[ConversationListed, ...]


@dataclass(frozen=True)
class Pending:
    """A question that is kept and not yet answered. ``id`` is the answer's."""

    id: str
    conversation_id: str
    state: Literal["pending"] = "pending"


@dataclass(frozen=True)
class TurnShown:
    """One question with its answer; ``answer`` is the whole answer object. ``text`` is empty where the question was refused."""

    id: str
    number: int
    text: str
    as_of: date
    state: Literal["pending", "done"]
    asked_at: datetime
    done_at: datetime | None
    answer: JSON | None


@dataclass(frozen=True)
class ConversationShown:
    id: str
    case_number: str
    started_at: datetime
    turns: tuple[TurnShown, ...]


# --- law --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChecklistListed:
    id: str
    provision: str
    says: str
    weighs: bool


@dataclass(frozen=True)
class ChecklistList:
    as_of: date
    checklists: tuple[ChecklistListed, ...]


@dataclass(frozen=True)
class ChoiceShown:
    """An answer to a step. ``to``: the step or the outcome it leads to; ``reason``: whether it must be given reasons."""

    value: str
    text: str
    reason: bool
    to: str
    because: str
    fetch: str


@dataclass(frozen=True)
class StepShown:
    """One question. ``points``: what the law lists beside it."""

    id: str
    part: str
    question: str
    help: str
    example: str
    write: str
    lagrum: tuple[str, ...]
    points_label: str
    points: tuple[str, ...]
    direction: str
    strength: str
    reason: bool
    answers: tuple[ChoiceShown, ...]


@dataclass(frozen=True)
class OutcomeShown:
    code: str
    title: str
    says: str
    do: tuple[str, ...]


@dataclass(frozen=True)
class ChecklistShown:
    id: str
    version: str
    as_of: date
    provision: str
    ref: str
    kind: Literal["duty", "permission"]
    says: str
    weighs: bool
    directions: tuple[Direction, ...]
    steps: tuple[StepShown, ...]
    outcomes: tuple[OutcomeShown, ...]
    emergency: tuple[str, ...]


@dataclass(frozen=True)
class TextShown:
    """A stored text and where it stands. A citation of it is checked against ``sha256``."""

    passage_id: str
    ref: str
    label: str
    title: str
    kind: str
    status: str
    text: str
    version: str
    valid_from: date | None
    valid_to: date | None
    published: date | None
    page: int | None
    url: str
    sha256: str


@dataclass(frozen=True)
class ProvisionShown:
    """A provision on a day: the text in force then (none: it wasn't), and its other versions."""

    ref: str
    label: str
    as_of: date
    in_force: tuple[TextShown, ...]
    other_versions: tuple[TextShown, ...]


Verdict = Literal["verified", "not_found", "other_wording", "repealed", "not_yet_in_force", "no_such_text"]


@dataclass(frozen=True)
class Verification:
    """Whether a quote is an exact span of a stored text that applied on the day. ``citation`` only where it is."""

    verified: bool
    verdict: Verdict
    detail: str
    as_of: date
    citation: Citation | None
    in_force: tuple[TextShown, ...]


@dataclass(frozen=True)
class SourceListed:
    id: str
    title: str
    kind: str
    law_as_of: date | None
    passages: int


@dataclass(frozen=True)
class LeftOut:
    name: str
    reason: str


@dataclass(frozen=True)
class SourceList:
    law_as_of: date
    built: datetime
    version: str
    passages: int
    sources: tuple[SourceListed, ...]
    left_out: tuple[LeftOut, ...]


class GroundShown(TypedDict):
    provision: str
    kind: str
    assessment: str
    modes: list[str]
    note: NotRequired[str]
    test: str
    ref: str
    rule: str
    lifts: list[str]
    sfs: str
    inferred: bool
    reviewed: bool


class InterestShown(TypedDict):
    required: bool | None
    kind: str | None
    per_layer: NotRequired[dict[str, str]]


class FindingShown(TypedDict):
    """What the finder says: ``assistant.grounds.case.Finding.to_json``."""

    outcome: str
    primary: str | None
    available: list[GroundShown]
    interest_assessment: InterestShown
    osl_10_15a: str
    osl_10_27: str
    luffa2: str
    luffa4: str
    lub: str
    blocked: list[Blocked]
    handoff_to_checklist: bool
    handoff_to_lawyer: bool
    citations: list[str]
    missing: list[Missing]
    also_consider: list[GroundShown]
    warnings: list[str]
    trace: list[TraceLine]
    law_as_of: date


# --- assessments ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    done: int
    total: int


@dataclass(frozen=True)
class LawBeside:
    """The law's own words beside a question."""

    ref: str
    label: str
    text: str
    version: str
    valid_from: date | None
    url: str


@dataclass(frozen=True)
class Proposed:
    """What the case said, for the person to confirm: an answer (or none) and a reason. Never of secrecy, assessment or conclusion."""

    value: str
    reason: str


@dataclass(frozen=True)
class NextShown(StepShown):
    """The step to answer now."""

    law: tuple[LawBeside, ...]
    proposal: Proposed | None


@dataclass(frozen=True)
class GivenShown:
    """One step as it was answered. ``text``: the answer in words."""

    step: str
    part: str
    question: str
    value: str
    text: str
    reason: str


@dataclass(frozen=True)
class AssessmentListed:
    id: str
    checklist: str
    provision: str
    as_of: date
    case_number: str
    revision: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class AssessmentList:
    assessments: tuple[AssessmentListed, ...]


@dataclass(frozen=True)
class AssessmentShown(AssessmentListed):
    """Where an assessment stands. ``wording_changed``: the checklist reads otherwise than when it was begun, so look the answers over."""

    version: str
    wording_changed: bool
    weighs: bool
    case: JSON
    progress: Progress
    path: tuple[GivenShown, ...]
    next: NextShown | None
    problem: str
    fetch: tuple[str, ...]
    outcome: Outcome | None


@dataclass(frozen=True)
class ResultShown:
    """The outcome, the test it follows from, and every answer with its reason. ``notice``: the decision is the person's."""

    id: str
    checklist: str
    version: str
    provision: str
    as_of: date
    outcome: Outcome
    directions: tuple[Direction, ...]
    path: tuple[GivenShown, ...]
    notice: str


# --- the service ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedbackKept:
    """``forwarded``: what the legal team gets of an answer marked as wrong."""

    id: str
    forwarded: Literal["nothing", "question_and_answer", "versions_only"]


@dataclass(frozen=True)
class Health:
    status: Literal["ok"] = "ok"


@dataclass(frozen=True)
class FieldError:
    field: str
    detail: str


class ProblemShown(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")
    type: str
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = None
    kind: str | None = None
    errors: list[FieldError] | None = None


def answer(written: JSON) -> Answer:
    """The answer object from its JSON."""
    return TypeAdapter(Answer).validate_python(written)
