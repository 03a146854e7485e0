"""What can be done, one function each: REST, MCP and the pages call these. Read ask() and complete() first.

Each says first who may (``people.require``), then stops personal data, then does it. What is written and its row in the audit trail
are one transaction. What comes back is a frozen value of ``schema``, or the answer object itself as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from assistant import audit, compose, guard, people, pipeline, record
from assistant import texts as said
from assistant.grounds import checklist as lists
from assistant.grounds import ongoing, wording
from assistant.grounds import protocol as paper
from assistant.grounds.case import Case
from assistant.grounds.checklist import Checklist, ChecklistError, State, Step
from assistant.grounds.find import find
from assistant.grounds.ongoing import Ongoing
from assistant.people import Operation, Person
from assistant.pipeline import Desk
from assistant.service import schema, texts
from assistant.service.problems import Missing, NotNow, PersonalData, Refused, where
from assistant.settings import Settings
from assistant.storage import assessments, conversations, keys, retention
from assistant.storage import feedback as opinions
from assistant.storage.assessments import Saved
from assistant.storage.conversations import Asked, NotFound
from assistant.storage.database import Database, StorageError
from assistant.storage.gate import NotKept
from assistant.storage.retention import Rule
from assistant.types import Answer, Completeness, NextStep, Question, Status, Turn
from corpus import lagrum
from corpus.passage import Passage

_RANDOM = re.compile(r"[0-9a-fA-F]{24,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Service:
    """What the operations work with."""

    desk: Desk
    database: Database
    settings: Settings

    @property
    def versions(self) -> dict[str, str]:
        """What an answer rests on, for the audit trail."""
        made = self.desk.index.manifest
        return {"corpus": made.version, "law_as_of": made.law_as_of}


# --- conversations ----------------------------------------------------------------------------------------------------


def begin_conversation(service: Service, who: Person, case_number: str = "", *, key: str = "") -> schema.ConversationListed:
    """A new conversation, perhaps about a case."""
    people.require(who, Operation.ASK)
    _nameless(case_number=case_number)

    def make(db: Any) -> str:
        made = conversations.begin(db, who.id, case_number)
        _audit(db, service, who, "conversation.begun", made.id)
        return made.id

    made = _once(service, who, "begin_conversation", key, {"case_number": case_number}, make)
    with service.database.reading() as db:
        found = conversations.get(db, who.id, made)
    return schema.ConversationListed(found.id, found.case_number, found.started_at)


def list_conversations(service: Service, who: Person) -> schema.ConversationList:
    """The person's own, the latest first."""
    people.require(who, Operation.ASK)
    with service.database.reading() as db:
        found = conversations.listed(db, who.id)
        openings = conversations.openings(db, [one.id for one in found])
    return schema.ConversationList(tuple(
        schema.ConversationListed(one.id, one.case_number, one.started_at, openings.get(one.id, "")) for one in found))


def get_conversation(service: Service, who: Person, conversation_id: str) -> schema.ConversationShown:
    """The questions with their answers, in order."""
    people.require(who, Operation.ASK)
    with service.database.reading() as db:
        found = conversations.get(db, who.id, conversation_id)
        turns = conversations.turns(db, conversation_id)
    shown = (schema.TurnShown(one.id, one.number, one.text, one.as_of, _state(one), one.asked_at, one.done_at, one.answer) for one in turns)
    return schema.ConversationShown(found.id, found.case_number, found.started_at, tuple(shown))


def _state(asked: Asked) -> Literal["pending", "done"]:
    return "done" if asked.state == conversations.DONE else "pending"


def set_case_number(service: Service, who: Person, conversation_id: str, case_number: str) -> None:
    """Say which case a conversation is about; empty: none."""
    people.require(who, Operation.ASK)
    _nameless(case_number=case_number)
    with service.database.writing() as db:
        conversations.set_case(db, who.id, conversation_id, case_number)
        _audit(db, service, who, "conversation.case_set", conversation_id)


def delete_conversation(service: Service, who: Person, conversation_id: str) -> None:
    """Really deleted, its answers too; that it was is in the audit trail."""
    people.require(who, Operation.ASK)
    with service.database.writing() as db:
        conversations.delete(db, who.id, conversation_id)
        _audit(db, service, who, "conversation.deleted", conversation_id)
    _compact(service)


def _compact(service: Service) -> None:
    """What is deleted leaves the files as well; a reader in the way leaves it to the next time."""
    try:
        service.database.compact(thorough=False)
    except StorageError as error:
        where(error)


# --- questions and answers --------------------------------------------------------------------------------------------


def ask(service: Service, who: Person, conversation_id: str, text: str, as_of: date | None = None, *, key: str = "") -> Asked:
    """The question, kept and not yet answered: once this returns it isn't lost, and ``complete`` answers it.

    Personal data stop it here. What is refused for another reason is answered with the refusal, and its words are not kept.
    """
    people.require(who, Operation.ASK)
    refusal = guard.check_question(text)
    if refusal and refusal.status is Status.REFUSED_PERSONAL_DATA:
        raise PersonalData("text", refusal.kind)
    if refusal and refusal.status is Status.ERROR_EMPTY:
        raise Refused("text", texts.EMPTY_QUESTION)
    if refusal and refusal.status is Status.ERROR_TOO_LONG:
        raise Refused("text", texts.TOO_LONG_QUESTION.format(limit=guard.MAX_CHARACTERS))
    on = as_of or date.today()

    def make(db: Any) -> str:
        made = conversations.ask(db, who.id, conversation_id, "" if refusal else text, on, uuid.uuid4().hex)
        _audit(db, service, who, "question.asked", made.id)
        if refusal:
            _finish(db, service, who.id, made, pipeline.answer(Question(text, on), _silent(service.desk)), 0.0)
        return made.id

    made = _once(service, who, "ask", key, {"conversation": conversation_id, "text": text, "as_of": as_of}, make)
    with service.database.reading() as db:
        return conversations.asked(db, who.id, made)


def complete(service: Service, owner: str, answer_id: str) -> None:
    """Answer a kept question: any process may, the first to finish stands. Whatever breaks becomes an answer that says so."""
    try:
        with service.database.reading() as db:
            asked = conversations.asked(db, owner, answer_id)
            earlier = conversations.turns(db, asked.conversation)
    except NotFound:  # its conversation was deleted meanwhile
        return
    if asked.state != conversations.PENDING:
        return
    started = time.perf_counter()
    answer = _answered(service, asked, earlier)
    milliseconds = (time.perf_counter() - started) * 1000
    with service.database.writing() as db:
        _finish(db, service, owner, asked, answer, milliseconds)


def _answered(service: Service, asked: Asked, earlier: tuple[Asked, ...]) -> Answer:
    try:
        return pipeline.answer(Question(asked.text, asked.as_of, _history(asked, earlier)), _silent(service.desk))
    except Exception as error:  # a person waits: an answer that says what happened, and where in the log
        code = uuid.uuid4().hex[:12]
        where(error, code)
        return _failed(asked, Status.ERROR_INTERNAL, said.INTERNAL.format(code=code))


def _history(asked: Asked, earlier: tuple[Asked, ...]) -> tuple[Turn, ...]:
    told = (one for one in earlier if one.number < asked.number and one.text and one.answer)
    return tuple(turn for one in told for turn in (Turn("user", one.text), Turn("assistant", str((one.answer or {}).get("text_md", "")))))


def _silent(desk: Desk) -> Desk:
    """The desk without a record of its own: here the record is the audit trail's row, in the answer's transaction."""
    return replace(desk, record=None)


def _failed(asked: Asked, status: Status, text: str) -> Answer:
    return Answer(asked.id, status, Completeness.NONE, asked.as_of, None, text, next_steps=(NextStep("rephrase", text),))


def _finish(db: Any, service: Service, owner: str, asked: Asked, answer: Answer, milliseconds: float) -> None:
    """Keep the answer under the question's id, with its row in the audit trail, unless another process was first."""
    answer = replace(answer, answer_id=asked.id)
    try:
        first = conversations.finish(db, asked.id, record.plain(answer))
    except NotKept as stopped:  # the question's own words came back with a number in them
        answer = _failed(asked, Status.REFUSED_PERSONAL_DATA, said.PERSONAL_DATA.format(kind=stopped.kind))
        first = conversations.finish(db, asked.id, record.plain(answer))
    if first:
        audit.answered(db, who=owner, line=record.line(answer, corpus_version=service.versions["corpus"], milliseconds=milliseconds))


def answer(service: Service, who: Person, answer_id: str) -> Asked:
    """The question with its answer, when there is one."""
    people.require(who, Operation.ASK)
    with service.database.reading() as db:
        return conversations.asked(db, who.id, answer_id)


def left(service: Service, older_than_s: float) -> tuple[tuple[str, str], ...]:
    """(whose, which) of the questions that a process took and never answered."""
    with service.database.reading() as db:
        return tuple((one.owner, one.id) for one in conversations.unfinished(db, older_than_s))


def keep_anchors(service: Service, *, take: bool = False) -> None:
    """Write the audit trail's new anchors to their file; ``take`` makes one of where it stands now."""
    if take:
        with service.database.writing() as db:
            audit.anchor(db)
    audit.keep_anchors(service.database, service.settings.anchors)


# --- the law ----------------------------------------------------------------------------------------------------------


def find_grounds(service: Service, who: Person, case: Mapping[str, Any]) -> schema.JSON:
    """Which grounds are open in a case, in order, and why each other one is closed."""
    people.require(who, Operation.FIND_GROUNDS)
    return find(_case(service, case, "body"), service.desk.law).to_json()


def list_checklists(who: Person, as_of: date | None = None) -> schema.ChecklistList:
    """The checklists that apply on a day, those with an interest assessment first. Read off the rules: making them all takes long."""
    people.require(who, Operation.READ_SOURCES)
    on, held = as_of or date.today(), lists.shipped_steps()
    valid = ((name, [one for one in held.by_id[name] if one.valid_from <= on < one.valid_to]) for name in held.ids)
    first = ((name, rules[0]) for name, rules in valid if rules)
    return schema.ChecklistList(on, tuple(
        schema.ChecklistListed(name, lists.filled_words(rule, general=False)["bestammelse"], rule.says, held.law.tests[rule.test].weighs)
        for name, rule in first))


def get_checklist(who: Person, checklist_id: str, as_of: date | None = None) -> schema.ChecklistShown:
    """Every step of a checklist, and where each answer leads."""
    people.require(who, Operation.READ_SOURCES)
    if checklist_id not in lists.shipped_steps().ids:
        raise Missing("checklist")
    try:
        made = lists.checklist(checklist_id, as_of or date.today())
    except ChecklistError as error:
        raise NotNow(paper.sentence(str(error))) from error
    outcomes = tuple(schema.OutcomeShown(one.code, one.title, one.says, one.do) for one in made.outcomes)
    steps = tuple(schema.StepShown(**_step(one)) for one in made.steps)
    return schema.ChecklistShown(made.id, made.version, made.on, made.provision, made.ref, _kind(made), made.says, made.weighs,
                                 made.directions, steps, outcomes, made.emergency)


def _kind(made: Checklist) -> Literal["duty", "permission"]:
    return "duty" if made.kind == "duty" else "permission"


def _step(step: Step) -> dict[str, Any]:
    answers = tuple(schema.ChoiceShown(one.value, one.text, step.needs_reason(one), one.to, one.because, one.fetch) for one in step.answers)
    return {"id": step.id, "part": step.part, "question": step.question, "help": step.help, "example": step.example, "write": step.write,
            "lagrum": step.lagrum, "points_label": step.points_label, "points": step.points, "direction": step.direction,
            "strength": step.strength, "reason": step.reason, "answers": answers}


def get_provision(service: Service, who: Person, ref: str, as_of: date | None = None) -> schema.ProvisionShown:
    """A provision as it reads on a day, with its other versions. Any way staff write it («10 kap. 15 a § OSL»)."""
    people.require(who, Operation.READ_SOURCES)
    _impersonal(ref=ref)
    on = as_of or date.today()
    address = _address(ref, on)
    held = _stored(service, address.ref)
    if not held:
        raise Missing("provision")
    now = tuple(one for one in held if one.applies(on) and one.status == "gällande")
    others = tuple(one for one in held if one not in now)
    return schema.ProvisionShown(address.ref, address.short(), on, _shown(now), _shown(others))


def _address(ref: str, on: date) -> lagrum.Lagrum:
    exact = lagrum.from_ref(ref)
    if exact and exact.paragraf:
        return exact
    found = dict.fromkeys(one.whole() for mention in lagrum.find(ref, on) for one in mention.lagrum if one.paragraf)
    if len(found) != 1:
        raise Refused("ref", texts.ONE_PROVISION)
    return next(iter(found))


def _stored(service: Service, ref: str) -> tuple[Passage, ...]:
    """The stored texts with the reference: of a provision its own words, never a note about it."""
    index = service.desk.index
    return index.get([n for n in index.at(ref) if index.zones[n] == "paragraf" or not lagrum.from_ref(ref)])


def _shown(passages: tuple[Passage, ...]) -> tuple[schema.TextShown, ...]:
    return tuple(schema.TextShown(one.id, one.ref, compose.label(one), one.title, one.kind, one.status, one.text, one.version,
                                  one.valid_from, one.valid_to, one.published, one.page, one.url, one.sha256) for one in passages)


def verify_citation(service: Service, who: Person, quote: str, *, ref: str = "", passage_id: str = "", as_of: date | None = None
                    ) -> schema.Verification:
    """Whether ``quote`` is an exact span of the stored text that applies on the day; else what is wrong with it."""
    people.require(who, Operation.VERIFY_CITATION)
    _impersonal(quote=quote, ref=ref)
    if bool(ref) == bool(passage_id):
        raise Refused("ref", texts.ONE_OF)
    if not quote.strip():
        raise Refused("quote", texts.EMPTY_QUOTE)
    on = as_of or date.today()
    if ref:
        held = asked = _stored(service, ref) or _stored(service, _address(ref, on).ref)
    else:
        one = service.desk.index.by_id(passage_id)
        asked = (one,) if one else ()
        held = _stored(service, one.ref) if one and one.zone == "paragraf" else asked
    return _verified(quote, asked, tuple(one for one in held if one.applies(on)), on)


def _verified(quote: str, asked: tuple[Passage, ...], now: tuple[Passage, ...], on: date) -> schema.Verification:
    """``asked``: the texts the quote is said to be in; ``now``: those at the same place that apply on the day."""
    if not asked:
        return schema.Verification(False, "no_such_text", texts.NO_SUCH_TEXT, on, None, ())
    label, day = compose.label(asked[0]), said.day(on)
    for one in asked:
        start = one.text.find(quote)
        if start >= 0 and one.applies(on):
            citation = replace(compose.citation("k1", one, start, start + len(quote)), verified=True)
            return schema.Verification(True, "verified", _standing(one).format(label=label, day=day), on, citation, ())
    inside = [one for one in asked if quote in one.text]
    verdict: schema.Verdict
    if not inside:
        verdict, detail = "not_found", texts.NOT_FOUND_QUOTE
    elif now:
        verdict, detail = "other_wording", texts.OTHER_WORDING
    elif any(one.valid_to and one.valid_to <= on for one in inside):
        verdict, detail = "repealed", texts.REPEALED
    else:
        verdict, detail = "not_yet_in_force", texts.NOT_YET
    beside = tuple(one for one in now if one.zone == "paragraf")  # a provision's own words; a document has thousands of passages
    return schema.Verification(False, verdict, detail.format(label=label, day=day), on, None, _shown(beside))


def _standing(passage: Passage) -> str:
    if passage.status != "gällande":
        return texts.VERIFIED_PROPOSAL
    return texts.VERIFIED if passage.kind in ("lag", "förordning") else texts.VERIFIED_OTHER


def list_sources(service: Service, who: Person) -> schema.SourceList:
    """What is indexed, and what was left out and why."""
    people.require(who, Operation.READ_SOURCES)
    made = service.desk.index.manifest
    listed = tuple(schema.SourceListed(name, title, kind, date.fromisoformat(as_of) if as_of else None, passages)
                   for name, title, kind, as_of, passages in service.desk.index.listed())
    left_out = tuple(schema.LeftOut(Path(path).name, reason) for path, reason in made.skipped)
    built = datetime.fromisoformat(made.built).astimezone()
    return schema.SourceList(date.fromisoformat(made.law_as_of), built, made.version, made.passages, listed, left_out)


# --- assessments ------------------------------------------------------------------------------------------------------


def start_assessment(service: Service, who: Person, checklist: str, case: Mapping[str, Any] | None = None, as_of: date | None = None,
                     case_number: str = "", *, key: str = "") -> schema.AssessmentShown:
    """A checklist to walk. ``case`` is what the person knows and stands for; steps it speaks of get proposals to confirm."""
    people.require(who, Operation.ASSESS)
    _impersonal(checklist=checklist)
    _nameless(case_number=case_number)
    known = _case(service, case or {}, "case")
    if known.date and as_of and known.date != as_of:
        raise Refused("as_of", texts.TWO_DAYS)
    known = replace(known, date=known.date or as_of or date.today())
    now = _begun(service, checklist, known)

    def make(db: Any) -> str:
        kept = assessments.save(db, who.id, None, now.checklist.id, now.checklist.on, _kept(now), case_number)
        _audit(db, service, who, "assessment.begun", kept.id, {"checklist": now.checklist.version}, {"checklist": now.checklist.id})
        return kept.id

    request = {"checklist": checklist, "case": case, "as_of": as_of, "case_number": case_number}
    return get_assessment(service, who, _once(service, who, "start_assessment", key, request, make))


def _begun(service: Service, checklist: str, case: Case) -> Ongoing:
    try:
        return ongoing.begun({"checklist": checklist, "prefill": ongoing.told(case), "confirmed": True}, service.desk.law, date.today())
    except ChecklistError as error:
        raise Refused("checklist", paper.sentence(str(error))) from error


def _kept(now: Ongoing) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(ongoing.saved(now))
    return kept


def list_assessments(service: Service, who: Person) -> schema.AssessmentList:
    """The person's own, the latest first."""
    people.require(who, Operation.ASSESS)
    with service.database.reading() as db:
        found = assessments.listed(db, who.id)
    return schema.AssessmentList(tuple(schema.AssessmentListed(**_listed(one)) for one in found))


def _listed(kept: Saved) -> dict[str, Any]:
    rules = lists.shipped_steps().by_id.get(kept.checklist, ())
    return {"id": kept.id, "checklist": kept.checklist, "provision": rules[0].provision if rules else kept.checklist, "as_of": kept.as_of,
            "case_number": kept.case_number, "revision": kept.revision, "created_at": kept.created_at, "changed_at": kept.changed_at}


def get_assessment(service: Service, who: Person, assessment_id: str) -> schema.AssessmentShown:
    """Where an assessment stands: the answers so far, the next step or the outcome."""
    people.require(who, Operation.ASSESS)
    with service.database.reading() as db:
        kept = assessments.get(db, who.id, assessment_id)
    now, changed = _resumed(service, kept)
    return _stands(service, kept, now, changed)


def _resumed(service: Service, kept: Saved) -> tuple[Ongoing, bool]:
    try:
        return ongoing.resumed(json.dumps(kept.state), service.desk.law, kept.changed_at)
    except ValueError as error:  # the rules have changed so that the checklist no longer is there
        raise NotNow(paper.sentence(str(error))) from error


def _stands(service: Service, kept: Saved, now: Ongoing, changed: bool) -> schema.AssessmentShown:
    stands = ongoing.state(now)
    made = now.checklist
    done, total = stands.progress
    return schema.AssessmentShown(
        **{**_listed(kept), "provision": made.provision}, version=made.version, wording_changed=changed, weighs=made.weighs,
        case=ongoing.told(now.case), progress=schema.Progress(done, total), path=_path(stands),
        next=_next(service, made, stands) if stands.next else None, problem=stands.problem, fetch=stands.fetch, outcome=stands.outcome)


def _path(stands: State) -> tuple[schema.GivenShown, ...]:
    return tuple(schema.GivenShown(one.step.id, one.step.part, one.step.question, one.reply.value, one.choice.text, one.reply.reason)
                 for one in stands.path)


def _next(service: Service, made: Checklist, stands: State) -> schema.NextShown:
    assert stands.next
    quotes = (wording.official(service.desk.index, ref, made.on) for ref in dict.fromkeys((*stands.next.lagrum, made.ref)))
    law = tuple(schema.LawBeside(one.ref, one.label, one.text, one.version, one.valid_from, one.url) for one in quotes if one)
    proposal = stands.proposal(stands.next.id)
    return schema.NextShown(**_step(stands.next), law=law, proposal=schema.Proposed(proposal.value, proposal.reason) if proposal else None)


def answer_step(service: Service, who: Person, assessment_id: str, step: str, value: str, reason: str = "", revision: int | None = None
                ) -> schema.AssessmentShown:
    """One step answered, or answered anew. The person answers; nothing here weighs."""
    people.require(who, Operation.ASSESS)
    _impersonal(value=value)
    _nameless(reason=reason)
    with service.database.writing() as db:
        kept = assessments.get(db, who.id, assessment_id)
        now, _ = _resumed(service, kept)
        _may_answer(now, step, value, reason)
        now = ongoing.answered(now, step, value, reason, datetime.now())
        kept = assessments.save(db, who.id, kept.id, kept.checklist, kept.as_of, _kept(now), kept.case_number,
                                kept.revision if revision is None else revision)
        _audit(db, service, who, "assessment.answered", kept.id, {"checklist": now.checklist.version}, {"step": step})
    return _stands(service, kept, now, changed=False)


def saved_assessments(service: Service, who: Person) -> tuple[Saved, ...]:
    """The person's own with their answers, the latest changed first: the window walks them itself."""
    people.require(who, Operation.ASSESS)
    with service.database.reading() as db:
        return assessments.listed(db, who.id)


def saved_assessment(service: Service, who: Person, assessment_id: str) -> Saved:
    """One assessment as it was last saved."""
    people.require(who, Operation.ASSESS)
    with service.database.reading() as db:
        return assessments.get(db, who.id, assessment_id)


def save_assessment(service: Service, who: Person, now: Ongoing, before: Saved | None = None, case_number: str = "") -> Saved:
    """Keep an assessment whole, as the window has it. ``before``: what it was read as; Conflict when that isn't what is kept."""
    people.require(who, Operation.ASSESS)
    _nameless(case_number=case_number, **{f"answers.{step}": reply.reason for step, reply in now.answers.items()})
    read = (before.id, before.revision) if before else (None, None)
    what = "assessment.answered" if before else "assessment.begun"
    with service.database.writing() as db:
        kept = assessments.save(db, who.id, read[0], now.checklist.id, now.checklist.on, _kept(now), case_number, read[1])
        _audit(db, service, who, what, kept.id, {"checklist": now.checklist.version},
               {"checklist": now.checklist.id, "answers": len(now.answers)})
    return kept


def _may_answer(now: Ongoing, step: str, value: str, reason: str) -> None:
    """Why an answer isn't taken, by field."""
    found = next((one for one in now.checklist.steps if one.id == step), None)
    if found is None:
        raise Missing("step")
    stands = ongoing.state(now)
    if step not in [*(one.step.id for one in stands.path), stands.next.id if stands.next else ""]:
        raise NotNow(texts.NOT_REACHED)
    choice = found.choice(value)
    if choice is None:
        raise Refused("value", texts.WRONG_VALUE)
    if found.needs_reason(choice) and not reason.strip():
        raise Refused("reason", texts.REASON_NEEDED)


def get_assessment_result(service: Service, who: Person, assessment_id: str) -> schema.ResultShown:
    """The outcome that the person's answers lead to, and the test it follows from."""
    shown, stands = _done(service, who, assessment_id)[1:]
    assert stands.outcome
    made = stands.checklist
    return schema.ResultShown(shown.id, made.id, made.version, made.provision, made.on, stands.outcome,
                              paper.used(made.directions, stands.path), shown.path, said.DISCLAIMER)


def _done(service: Service, who: Person, assessment_id: str) -> tuple[Ongoing, schema.AssessmentShown, State]:
    people.require(who, Operation.ASSESS)
    with service.database.reading() as db:
        kept = assessments.get(db, who.id, assessment_id)
    now, changed = _resumed(service, kept)
    stands = ongoing.state(now)
    if stands.outcome is None:
        raise NotNow(texts.NOT_DONE)
    return now, _stands(service, kept, now, changed), stands


@dataclass(frozen=True)
class Document:
    """A protocol as a file."""

    data: bytes
    media_type: str
    name: str


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def get_protocol(service: Service, who: Person, assessment_id: str, format: Literal["docx", "json"] = "docx") -> Document:
    """The finished assessment as a Word document or JSON. The same answers give the same bytes."""
    now, shown, stands = _done(service, who, assessment_id)
    law, when = service.desk.law, shown.changed_at.astimezone().replace(microsecond=0, tzinfo=None)
    written = paper.assessment(shown.id, now.case, ongoing.finding(now.case, law), stands, law, who=who.name, when=when,
                               diarienummer=shown.case_number, index=service.desk.index)
    try:
        data = paper.to_docx(written) if format == "docx" else paper.to_json(written).encode()
    except paper.PersonalData as error:
        raise Refused("protocol", str(error)) from error
    record_protocol(service, who, now, format, assessment_id)
    return Document(data, WORD if format == "docx" else "application/json", f"protokoll-{shown.checklist}-{when:%Y%m%d-%H%M}.{format}")


def record_protocol(service: Service, who: Person, now: Ongoing, format: Literal["docx", "json"], assessment_id: str = "") -> None:
    """That a protocol was written, in the audit trail. The window writes its own, with what is typed there and kept nowhere."""
    people.require(who, Operation.ASSESS)
    outcome = ongoing.state(now).outcome
    with service.database.writing() as db:
        _audit(db, service, who, "protocol.written", assessment_id, {"checklist": now.checklist.version},
               {"format": format, "outcome": outcome.code if outcome else ""})


def delete_assessment(service: Service, who: Person, assessment_id: str) -> None:
    """Really deleted; that it was is in the audit trail."""
    people.require(who, Operation.ASSESS)
    with service.database.writing() as db:
        assessments.delete(db, who.id, assessment_id)
        _audit(db, service, who, "assessment.deleted", assessment_id)
    _compact(service)


# --- the service ------------------------------------------------------------------------------------------------------


def give_feedback(service: Service, who: Person, answer_id: str, verdict: Literal["helped", "wrong"], reason: str = "", *, key: str = ""
                  ) -> schema.FeedbackKept:
    """What a person says of an answer. One marked as wrong goes to the legal team, if nothing in it points at a person."""
    people.require(who, Operation.GIVE_FEEDBACK)
    _nameless(reason=reason)
    with service.database.reading() as db:
        asked = conversations.asked(db, who.id, answer_id)
        earlier = conversations.turns(db, asked.conversation)
    if asked.answer is None:
        raise NotNow(texts.MEANS[202])
    reported = _reported(service, asked, earlier, reason.strip()) if verdict == "wrong" else None

    def make(db: Any) -> str:
        kept = opinions.add(db, who.id, answer_id, verdict, reason.strip(), reported)
        _audit(db, service, who, "feedback.given", answer_id, detail={"verdict": verdict})
        return kept

    kept = _once(service, who, "give_feedback", key, {"answer": answer_id, "verdict": verdict, "reason": reason}, make)
    forwarded: Literal["nothing", "question_and_answer", "versions_only"] = (
        "nothing" if reported is None else "question_and_answer" if "answer" in reported else "versions_only")
    return schema.FeedbackKept(kept, forwarded)


def _reported(service: Service, asked: Asked, earlier: tuple[Asked, ...], reason: str) -> dict[str, object]:
    given = schema.answer(asked.answer or {})
    return record.report(Question(asked.text, asked.as_of, _history(asked, earlier)), given, reason, service.versions)


def how_long(service: Service, who: Person) -> tuple[Rule, ...]:
    """How long what a person has here is kept, where that is decided."""
    people.require(who, Operation.READ_SOURCES)
    with service.database.reading() as db:
        return retention.rules(db)


def health() -> schema.Health:
    """The process is up."""
    return schema.Health()


def unready(service: Service) -> str:
    """What keeps the service from answering, or an empty text: the sources opened, the database there."""
    try:
        if not len(service.desk.index):
            return texts.NOT_READY_PARTS["index"]
        service.desk.index.get([0])
    except Exception as error:
        where(error)
        return texts.NOT_READY_PARTS["index"]
    try:
        with service.database.reading() as db:
            conversations.listed(db, "", 1)
    except Exception as error:
        where(error)
        return texts.NOT_READY_PARTS["database"]
    return ""


# --- what they share --------------------------------------------------------------------------------------------------


def _impersonal(**fields: str) -> None:
    """Stop a personal datum in any field, by field and kind. A guard that breaks, blocks."""
    for name, text in fields.items():
        try:
            kind = guard.identity_number(text)
        except Exception as error:
            raise Refused(name, said.INTERNAL.format(code="guard")) from error
        if kind:
            raise PersonalData(name, kind)


def _nameless(**fields: str) -> None:
    """As ``_impersonal``, for what is no question: there a name has no place either."""
    _impersonal(**fields)
    for name, text in fields.items():
        if guard.names_person(text):
            raise PersonalData(name, "namn")


def _case(service: Service, case: Mapping[str, Any], field: str) -> Case:
    """The case, every text in it checked first."""
    for name, text in _texts(case):
        _impersonal(**{f"{field}.{name}": text})
    try:
        return Case.from_json(case, service.desk.law)
    except ValueError as error:
        raise Refused(field, paper.sentence(str(error))) from error


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of every text and number in ``value``."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, name or str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, name)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield name, str(value)


def _audit(db: Any, service: Service, who: Person, what: str, about: str, versions: Mapping[str, str] | None = None,
           detail: Mapping[str, Any] | None = None) -> None:
    audit.append(db, who=who.id, what=what, about=about, versions={**service.versions, **(versions or {})}, detail=detail or {})


class _Raced(Exception):
    """Another process made the same thing under the same key meanwhile."""


def _once(service: Service, who: Person, operation: str, key: str, request: Mapping[str, Any], make: Callable[[Any], str]) -> str:
    """The id of what ``make`` makes, or of what it made the first time when the key has been seen before."""
    if not key:
        with service.database.writing() as db:
            return make(db)
    if not _RANDOM.fullmatch(key):  # chance makes a few random keys look like a number
        _impersonal(**{"Idempotency-Key": key})
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    for _ in range(3):
        try:
            with service.database.writing() as db:
                earlier = keys.remembered(db, who.id, key, operation, digest)
                if earlier:
                    return str(earlier.body["id"])
                made = make(db)
                if not keys.remember(db, who.id, key, operation, digest, 201, {"id": made}):
                    raise _Raced
                return made
        except _Raced:
            continue
    raise NotNow(texts.KEY_REUSED)
