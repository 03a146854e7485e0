"""Where a question goes: answer, assess, clarify or decline. Plain rules, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.grounds.case import Finding
from assistant.types import Handoff, Hit, Passage, Route, Status
from assistant.understand import Intent, Understood
from corpus import lagrum

# Tests that weigh two interests against each other: the person decides, in the checklist (law: see the notes on each).
WEIGHED = ("overvagande_skal_mot", "uppenbart_for", "foretrade_for", "star_klart_mot", "synnerliga_skal_mot", "overvagande_skal_mot_allm")
SURE = 0.46  # likeness to the nearest staff wording below which nothing is known about the subject
_ABOUT_ASSISTANT = re.compile(
    r"\b(?:assistentens|ditt svar|dina svar|ditt beslut|ditt överklagande|överklaga dig|din bedömning gäller|är du (?:en )?(?:människa|jurist|robot|ai)"
    r"|vem (?:är du|har byggt dig|har gjort dig)|vad heter du|who are you|are you (?:a|an) )", re.I)
_FOREIGN = re.compile(
    r"\b(?:dansk|norsk|finsk|tysk|fransk|brittisk|engelsk|amerikansk|polsk|isländsk|rysk|kinesisk)\w*\s+(?:lag|rätt|sekretess|lagstiftning|offentlighets)\w*"
    r"|\b(?:lag(?:en|stiftning\w*)?|regler(?:na)?|rätt(?:en)?)\s+i\s+(?:danmark|norge|finland|tyskland|usa|england|storbritannien|frankrike)\b"
    r"|\b(?:danish|norwegian|finnish|german|french|british|uk|us|american)\s+(?:law|secrecy|privacy|act)\b", re.I)
_ABOUT_SWEDEN = re.compile(r"\bi sverige\b|\bsvensk|\bsweden\b|\bswedish\b|\bvi här\b", re.I)
_TASK = re.compile(
    r"\b(?:skriv (?:en |ett |mig )?(?:dikt|låt|mejl|brev|kod|program|uppsats|tal)|översätt|recept|vädret|väder|lotto|aktie\w*|fotboll|melodifestival"
    r"|write (?:a|an|me)|translate|poem|weather|joke|skämt|rita|räkna ut|installera|dator\w*|windows|excel)\b", re.I)


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
    if _ABOUT_ASSISTANT.search(text):
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "about_assistant")
    if _FOREIGN.search(text) and not _ABOUT_SWEDEN.search(text):
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "foreign_law")
    if _TASK.search(text) and not understood.lagrum and not understood.actors:
        return Routing(Route.DECLINE, Status.UNANSWERABLE_OUT_OF_SCOPE, "off_topic")
    return None


def route(understood: Understood, hits: Sequence[Hit], likeness: float, main: Passage | None, note: Passage | None,
          finding: Finding | None = None) -> Routing:
    """Where the question goes once its hits are known. ``likeness``: cosine to the nearest staff wording."""
    if not hits or main is None:
        return Routing(Route.DECLINE, Status.UNANSWERABLE_NO_SOURCE, "no_source")
    if likeness < SURE and not understood.lagrum and not understood.statutes:
        known = bool(understood.actors) or understood.intent is Intent.SHARING
        status = Status.UNANSWERABLE_NO_SOURCE if known else Status.UNANSWERABLE_OUT_OF_SCOPE
        return Routing(Route.DECLINE, status, "no_source" if known else "off_topic")
    missing = _missing(understood)
    if understood.intent is Intent.SHARING and len(missing) >= 3 and likeness < 0.62 and not understood.lagrum:
        return Routing(Route.CLARIFY, Status.CLARIFICATION_NEEDED, "too_little", missing)
    handoff = _handoff(understood, note, missing, finding)
    if handoff:
        return Routing(Route.ASSESS, Status.ANSWERED_WITH_HANDOFF, "interest_assessment", missing, handoff)
    return Routing(Route.ANSWER, Status.ANSWERED, "", missing if understood.intent is Intent.SHARING else ())


def _missing(understood: Understood) -> tuple[str, ...]:
    told = {"sender": understood.sender, "recipient": understood.recipient, "purpose": understood.purpose}
    return tuple(name for name, value in told.items() if not value)


def _handoff(understood: Understood, note: Passage | None, missing: tuple[str, ...], finding: Finding | None) -> Handoff | None:
    """The checklist of the first ground, when somebody is to give something and that ground weighs interests.

    Which ground is first the finder says, where the question told it enough; else the provision the answer rests on.
    """
    if understood.intent is not Intent.SHARING or understood.purpose == "vard_stod":
        return None
    ref, test = (note.ref, note.test) if note else ("", "")
    if finding is not None and finding.available:
        if not finding.handoff_to_checklist:
            return None
        ground = next((g for g in finding.available if g.provision == finding.primary), finding.available[0])
        ref, test = ground.ref, ground.test
    elif test not in WEIGHED:
        return None
    prefill: dict[str, object] = {
        key: value for key, value in {
            "date": understood.as_of.isoformat(), "sender_actor": understood.sender, "recipient_actor": understood.recipient,
            "purpose_code": understood.purpose, "mode": understood.mode}.items() if value}
    address = lagrum.from_ref(ref)
    return Handoff(checklist_id(ref), (address.short() if address else ref,), (test,), prefill, missing)


def checklist_id(ref: str) -> str:
    """«SFS 2009:400 10 kap. 15 a §» → «osl-10-15a»."""
    address = lagrum.from_ref(ref)
    if address is None:
        return ref
    name = lagrum.named(address.sfs)
    short = name.short.lower() if name and name.short else address.sfs.replace(":", "-")
    return "-".join(part.replace(" ", "") for part in (short, address.kapitel or "", address.paragraf or "") if part)
