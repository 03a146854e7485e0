"""Where a question goes: answer, assess, clarify or decline. Plain rules, no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant import compose, words
from assistant.compose import Draft
from assistant.grounds.case import Finding
from assistant.grounds.checklist import checklist_id
from assistant.grounds.load import Law
from assistant.prefill import LookUp
from assistant.types import Handoff, Hit, Passage, Route, Status
from assistant.understand import Intent, Understood, named_actors
from corpus import analysis, lagrum

# A question is in the field when it says one of its words, or is very like something staff have asked. Likeness alone can't
# tell: over 473 questions in the field and 53 outside, the two kinds overlap from 0.29 to 0.80; without a word of it from 0.42 to 0.55.
LIKE = 0.58
NAMED = 0.45  # a body of ours is named, and nothing more
UNLIKE = 0.27


@dataclass(frozen=True)
class Routing:
    """The route, and what goes with it."""

    route: Route
    status: Status
    reason: str = ""
    missing: tuple[str, ...] = ()
    handoff: Handoff | None = None


def decline(understood: Understood) -> Routing | None:
    """A question outside the field, told by its words alone; None when it should be searched."""
    text = understood.question.text
    if words.pattern("about_assistant").search(text):
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "about_assistant")
    if words.pattern("foreign").search(text) and not words.pattern("about_sweden").search(text):
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "foreign_law")
    if words.pattern("task").search(text) and not understood.lagrum and not named_actors(text):
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "off_topic")
    return None


def route(understood: Understood, hits: Sequence[Hit], likeness: float, draft: Draft, looked: LookUp, law: Law) -> Routing:
    """Where the question goes once its hits are known. ``likeness``: cosine to the nearest staff wording."""
    if not hits or draft.main is None:
        return Routing(Route.DECLINE, Status.UNANSWERABLE_NO_SOURCE, "no_source")
    sharing = understood.intent is Intent.SHARING
    said = words.pattern("field").search(understood.text) or understood.purpose or looked.refs \
        or len(understood.actors) > (0 if sharing else 1)
    if not understood.question.history and not understood.lagrum and likeness < 0.85 and _says_nothing(understood):
        return Routing(Route.CLARIFY, Status.CLARIFICATION_NEEDED, "too_little", ("sender", "recipient", "datum", "purpose"))
    if not understood.lagrum and not understood.statutes and likeness < (UNLIKE if said else NAMED if understood.actors else LIKE):
        known = bool(understood.actors) or bool(said)
        status = Status.UNANSWERABLE_NO_SOURCE if known else Status.UNANSWERABLE_OUT_OF_SCOPE
        return Routing(Route.DECLINE, status, "no_source" if known else "off_topic")
    missing = _missing(understood)
    if sharing and len(missing) >= 3 and not understood.lagrum and len(_telling(understood.text)) <= 1 \
            and not understood.follow_up:
        return Routing(Route.CLARIFY, Status.CLARIFICATION_NEEDED, "too_little", missing)
    handoff = _handoff(understood, draft.note, looked, law, missing)
    if handoff:
        return Routing(Route.ASSESS, Status.ANSWERED_WITH_HANDOFF, "interest_assessment", missing, handoff)
    return Routing(Route.ANSWER, Status.ANSWERED, "", missing if sharing else ())


def _telling(text: str) -> frozenset[str]:
    """The words of a question that tell what it is about."""
    return frozenset(token for token in analysis.tokens(text) if len(token) > 2) - compose.little() - compose.common()


def _says_nothing(understood: Understood) -> bool:
    """Whether no word tells what the question is about, or only who somebody is."""
    telling = _telling(understood.text)
    named = frozenset(analysis.tokens(" ".join(understood.actors)))
    return not telling or (len(understood.text.split()) <= 3 and bool(understood.actors) and len(telling - named) == 0)


def _missing(understood: Understood) -> tuple[str, ...]:
    told = {"sender": understood.sender, "recipient": understood.recipient, "purpose": understood.purpose}
    return tuple(name for name, value in told.items() if not value)


def _handoff(understood: Understood, note: Passage | None, looked: LookUp, law: Law, missing: tuple[str, ...]) -> Handoff | None:
    """The checklist of the first ground, when somebody is to give something and that ground weighs interests."""
    if understood.intent is not Intent.SHARING or understood.purpose == "vard_stod" or looked.shut:
        return None
    found = looked.guess if looked.guess is not None and looked.guess.available else None
    if found is None and understood.within:
        return None  # inside one body there is no other authority to weigh against
    ground = _weighed(found, law, understood.duty_asked) if found else _read(understood, note, looked, law)
    if ground is None or ground[0] in looked.shutting:
        return None
    ref, test = ground
    prefill: dict[str, object] = {
        key: value for key, value in {
            "date": understood.as_of.isoformat(), "sender_actor": understood.sender, "recipient_actor": understood.recipient,
            "purpose_code": understood.purpose, "mode": understood.mode}.items() if value}
    address = lagrum.from_ref(ref)
    return Handoff(checklist_id(ref), (address.first() if address else ref,), (test,), prefill, missing)


def _weighed(finding: Finding, law: Law, duty_asked: bool) -> tuple[str, str] | None:
    """(reference, test) of the ground the finder puts first among those that weigh; none where a plain duty comes first.

    Who asks whether they must is led to the duty, though a fact that its checklist asks for is still missing.
    """
    leading = finding.available[0]
    if not finding.handoff_to_checklist or (leading.kind == "duty" and not law.tests[leading.test].weighs):
        return None
    weighing = [ground for ground in finding.available if law.tests[ground.test].weighs]
    order = sorted(weighing, key=lambda g: (not (duty_asked and g.kind == "duty"), g.provision != finding.primary))
    return next(((ground.ref, ground.test) for ground in order), None)


def _read(understood: Understood, note: Passage | None, looked: LookUp, law: Law) -> tuple[str, str] | None:
    """(reference, test) of the ground the answer rests on, or that the purpose points to, where the question told too little to try any.

    Only a ground with a rule has a checklist: a note on a provision beside it leads to the one it leans on (6 a kap. 11 §
    skollagen to 10 §), and where there is none nobody is sent anywhere.
    """
    rests = note is not None and note.test in law.tests and law.tests[note.test].weighs
    if note is not None and rests:
        refs: tuple[str, ...] = (note.ref, *note.also)
    else:
        refs = (looked.likely,) if looked.likely and not (note and note.topic in ("grund", "skyldighet")) else ()
    return next(((rule.ref, rule.test) for ref in refs for rule in law.rules
                 if rule.ref == ref and law.tests[rule.test].weighs and rule.valid_from <= understood.as_of < rule.valid_to), None)
