"""Where a question goes: answer, assess, clarify or decline. Plain rules, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import compose
from assistant.grounds.case import Finding
from assistant.types import Handoff, Hit, Passage, Route, Status
from assistant.understand import Intent, Understood
from corpus import analysis, lagrum

# Tests that weigh two interests against each other: the person decides, in the checklist (law: see the notes on each).
WEIGHED = ("overvagande_skal_mot", "uppenbart_for", "foretrade_for", "star_klart_mot", "synnerliga_skal_mot", "overvagande_skal_mot_allm")
# A question is in the field when it says one of its words, or is very like something staff have asked. Likeness alone can't
# tell: over 501 questions in the field and 36 outside, the two kinds overlap from 0.32 to 0.56.
LIKE = 0.62
UNLIKE = 0.27
_FIELD = re.compile(
    r"sekret|hemlig|tystnads|uppgift|upgift|lämna|lemna|\bdela\b|\bdelar?\b (?:info|med)|informat|\binfo\b|tipsa|anmäl|underrätt|myndig|myndihet|§|\bkap\b|kap\."
    r"|\bOSL\b|\bLUFFA\b|\bLUB\b|\bSoL\b|samtyck|journal|\bakt(?:en|er|erna)?\b|regist|handling|offentlig|röja|berätta|varna|begär|begärt|delge|delgiv|utbetal|bidrag|fusk"
    r"|brott|misstänk|misstank|tillsyn|rapport|åtgärd|kanal|\bSDK\b|\bSHS\b|\bSGSI\b|\bEna\b|lagen\b|lagrum|paragraf|bestämmels|förordning|direktåtkomst|personuppg|gdpr|insyn"
    r"|skyddad|skydd\b|skyddat|adress|avvägning|generalkla|klausul|\b15 ?a\b|orosan|far illa|tvång|tvungen|skyldig|plikt|överklag|forsk|statistik|disclos|secre|confid|\bshar|authorit|fraud|hand over|report|protect|personal data|harm|social serv"
    r"|police|duty|exempt|excluded|provision|straff|straf\b|utkontrakter|moln|socialtjänst|socialnämnd|journal|elevhälsa|familjehem|folkbokför|belastningsreg|utred|promemoria"
    r"|undantag|träder|trädde|i kraft|utlämn|meddela|skicka|hemlighåll|säga (?:till|det)|tala om|ange\b|avslöj|spärr|ansvarsnämnd|jäv|registrer|arkiv|gallra|dokumenter", re.I)
_ABOUT_ASSISTANT = re.compile(
    r"\b(?:assistentens|ditt svar|dina svar|ditt beslut|ditt överklagande|överklaga dig|din bedömning gäller|är du (?:en )?(?:människa|jurist|robot|ai)"
    r"|vem (?:är du|har byggt dig|har gjort dig)|vad heter du|who are you|are you (?:a|an) )", re.I)
_FOREIGN = re.compile(
    r"\b(?:dansk|norsk|finsk|tysk|fransk|brittisk|engelsk|amerikansk|polsk|isländsk|rysk|kinesisk)\w*\s+(?:lag|rätt|sekretess|lagstiftning|offentlighets)\w*"
    r"|\b(?:lag(?:en|stiftning\w*)?|regler(?:na)?|rätt(?:en)?)\s+i\s+(?:danmark|norge|finland|tyskland|usa|england|storbritannien|frankrike)\b"
    r"|\b(?:danish|norwegian|finnish|german|french|british|uk|us|american)\s+(?:law|secrecy|privacy|act|jugendamt|authorit\w+|agency)\b|sozialgesetzbuch|forvaltnings?lov"
    r"|\b(?:norska|danska|finska|tyska)\s+\w*(?:lov\w*|lag\w*|politi\w*)|politis?\b|taushetsplikt|bundes\w+", re.I)
_ABOUT_SWEDEN = re.compile(r"\bi sverige\b|\bsvensk|\bsweden\b|\bswedish\b|\bvi här\b", re.I)
_TASK = re.compile(
    r"\b(?:skriv (?:en |ett |mig )?(?:dikt|låt|mejl|brev|kod|program|uppsats|tal)|översätt|recept|vädret|väder|regn|lotto|rolig historia|rotavdrag|skatteåterbäring|ekonomisystem|aktie\w*|fotboll|melodifestival"
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
          finding: Finding | None = None, likely: str = "") -> Routing:
    """Where the question goes once its hits are known. ``likeness``: cosine to the nearest staff wording."""
    if not hits or main is None:
        return Routing(Route.DECLINE, Status.UNANSWERABLE_NO_SOURCE, "no_source")
    said = _FIELD.search(understood.text) or understood.purpose or (understood.actors and understood.intent is Intent.SHARING) \
        or len(understood.actors) > 1
    if not understood.question.history and not understood.lagrum and likeness < 0.85 and _says_nothing(understood):
        return Routing(Route.CLARIFY, Status.CLARIFICATION_NEEDED, "too_little", ("sender", "recipient", "datum", "purpose"))
    if not understood.lagrum and not understood.statutes and likeness < (UNLIKE if said else LIKE):
        known = bool(understood.actors) or bool(said)
        status = Status.UNANSWERABLE_NO_SOURCE if known else Status.UNANSWERABLE_OUT_OF_SCOPE
        return Routing(Route.DECLINE, status, "no_source" if known else "off_topic")
    missing = _missing(understood)
    if understood.intent is Intent.SHARING and len(missing) >= 3 and not understood.lagrum and len(_telling(understood.text)) <= 1 \
            and not understood.follow_up:
        return Routing(Route.CLARIFY, Status.CLARIFICATION_NEEDED, "too_little", missing)
    handoff = _handoff(understood, note, missing, finding, likely)
    if handoff:
        return Routing(Route.ASSESS, Status.ANSWERED_WITH_HANDOFF, "interest_assessment", missing, handoff)
    return Routing(Route.ANSWER, Status.ANSWERED, "", missing if understood.intent is Intent.SHARING else ())


_LITTLE = frozenset(analysis.tokens(
    "uppgift uppgifter uppgiften information info sekretess sekretessen myndighet myndigheter lämna lämnas ut utlämnande dela ge ger skicka detta det den"
    " något någon hur gör gäller kan får måste ska nu disclose share information hemlig hemliga person personen begäran begärt svara fått hjälp behöver"
    " här även oss ringer ringde frågar fråga veta säga bara säger"))


def _telling(text: str) -> frozenset[str]:
    """The words of a question that tell what it is about."""
    return frozenset(token for token in analysis.tokens(text) if len(token) > 2) - _LITTLE - compose.common()


def _says_nothing(understood: Understood) -> bool:
    """Whether no word tells what the question is about, or only who somebody is."""
    telling = _telling(understood.text)
    named = frozenset(analysis.tokens(" ".join(understood.actors)))
    return not telling or (len(understood.text.split()) <= 3 and bool(understood.actors) and len(telling - named) == 0)


def _missing(understood: Understood) -> tuple[str, ...]:
    told = {"sender": understood.sender, "recipient": understood.recipient, "purpose": understood.purpose}
    return tuple(name for name, value in told.items() if not value)


def _handoff(understood: Understood, note: Passage | None, missing: tuple[str, ...], finding: Finding | None,
             likely: str) -> Handoff | None:
    """The checklist of the first ground, when somebody is to give something and that ground weighs interests.

    Which ground is first the finder says, where the question told it enough; else the provision the answer rests on.
    """
    if understood.intent is not Intent.SHARING or understood.purpose == "vard_stod":
        return None
    ref, test = (note.ref, note.test) if note else ("", "")
    if finding is not None and finding.available:
        if not finding.handoff_to_checklist:
            return None
        ground = next((g for g in finding.available if g.test in WEIGHED and g.provision == finding.primary),
                      next((g for g in finding.available if g.test in WEIGHED), None))
        if ground is None or (finding.available[0].kind == "duty" and finding.available[0].test not in WEIGHED):
            return None
        ref, test = ground.ref, ground.test
    elif test not in WEIGHED:
        if not likely or (note and note.topic in ("grund", "skyldighet")):
            return None
        ref, test = likely, "overvagande_skal_mot"
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
