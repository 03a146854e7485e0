"""One question's journey: guard → understand → retrieve → route → compose → verify → record. Read this file first."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from assistant import compose, guard, model, prefill, record, retrieve, texts, verify
from assistant import route as routing
from assistant.grounds.case import Finding
from assistant.grounds.load import Law
from assistant.types import Answer, Citation, Claim, Completeness, Handoff, NextStep, Question, Route, Status, Warning_
from assistant.understand import Intent, Understood, understand
from corpus import lagrum
from corpus.index import Index

HITS = 24  # searched; what is quoted is a handful of them


@dataclass(frozen=True)
class Desk:
    """What a question is answered with. ``record``: takes the line that is kept of each question (None: nothing is kept);
    ``phrasing``: the language model that may put verified passages into words (None: none is asked), with the breaker that rests it when
    it fails.
    """

    index: Index
    law: Law
    record: Callable[[Mapping[str, object]], None] | None = None
    phrasing: model.ModelSettings | None = None
    breaker: model.Breaker | None = None


def answer(question: Question, desk: Desk) -> Answer:
    """The answer to ``question``. Never raises for what a user can write; a refusal is an answer with its status."""
    started = time.perf_counter()
    result = _stopped(question) or _answered(question, desk)
    if desk.record is None:
        return result
    row = record.line(result, corpus_version=desk.index.manifest.version, milliseconds=(time.perf_counter() - started) * 1000)
    try:
        desk.record(row)
    except OSError:
        # The line holds no content, so losing it harms traceability, not safety: say so rather than withhold the law.
        result = replace(result, warnings=(*result.warnings, Warning_("record_failed", texts.RECORD_FAILED)))
    return result


def _stopped(question: Question) -> Answer | None:
    """The refusal of a question that must not go further, or None. Earlier turns are guarded like the question."""
    earlier = (turn.content for turn in question.history[-guard.MAX_HISTORY_TURNS:] if turn.role == "user")
    refusal = guard.check_question(question.text) or next(filter(None, map(guard.check, earlier)), None)
    return _refusal(question, refusal) if refusal else None


def _refusal(question: Question, refusal: guard.Refusal) -> Answer:
    said = {
        Status.REFUSED_PERSONAL_DATA: texts.PERSONAL_DATA.format(kind=refusal.kind),
        Status.REFUSED_MANIPULATION: texts.MANIPULATION,
        Status.REFUSED_DECISION_ON_PERSON: texts.DECISION_ON_PERSON,
        Status.ERROR_EMPTY: texts.EMPTY.format(example=texts.EXAMPLES[0]),
        Status.ERROR_TOO_LONG: texts.TOO_LONG.format(limit=guard.MAX_CHARACTERS),
    }.get(refusal.status, texts.INTERNAL.format(code=refusal.kind))
    return _plain(question, refusal.status, said, NextStep("rephrase", said))


def _answered(question: Question, desk: Desk) -> Answer:
    index = desk.index
    understood = understand(question, index.respelled)
    outside = routing.decline(understood)
    if outside:
        return _declined(understood, outside, index)
    looked = prefill.look_up(understood, desk.law)
    said = retrieve.said(understood, index)
    hits = retrieve.search(understood, index, HITS, found=looked.refs, seen=said)
    draft = compose.compose(understood, hits, index, said, looked)
    way = routing.route(understood, hits, said.likeness, draft, looked, desk.law)
    gone = _not_there(understood, index)
    held = any(index.at(one.ref) for one in understood.lagrum)
    if understood.intent is not Intent.SHARING and understood.lagrum and len(gone) >= len(understood.lagrum):
        held = False  # every lagrum asked about is missing or not yet in force: that is the answer
    if way.route is Route.DECLINE or (gone and not held and not draft.warnings):
        return _declined(understood, way, index, gone)
    if way.route is Route.CLARIFY:
        return _clarify(understood, way, index)
    claims, citations, withheld = verify.verified(draft.claims, draft.citations, index, understood.as_of)
    if not any(claim.role == "svar" for claim in claims):
        return _plain(question, Status.WITHHELD_UNVERIFIED, texts.WITHHELD, NextStep("contact_lawyer", texts.WITHHELD),
                      index=index, withheld=withheld)
    citations = compose.in_reading_order(claims, citations)
    claims, trouble = _phrased(understood, claims, citations, desk)
    warnings = (*draft.warnings, *trouble, *(Warning_("coverage_gap", text) for text in gone), *_standing(understood, index, withheld))
    return Answer(
        answer_id=_fresh(), status=way.status, as_of_date=understood.as_of, law_as_of=date.fromisoformat(index.manifest.law_as_of),
        completeness=Completeness.PARTIAL if withheld or gone or way.missing else Completeness.COMPLETE,
        text_md=_text(compose.as_markdown(claims, citations), draft.warnings, way.handoff, understood, desk.law),
        claims=claims, citations=citations, grounds=_grounds(looked.finding), handoff=way.handoff, missing=way.missing,
        next_steps=_next(way, understood), warnings=warnings, withheld_claims=withheld,
    )


def _phrased(understood: Understood, claims: tuple[Claim, ...], citations: tuple[Citation, ...], desk: Desk
             ) -> tuple[tuple[Claim, ...], tuple[Warning_, ...]]:
    """The claims with the short answer in the model's words, where one is at hand and its words rest on verified passages.

    The model sees tokens for passages and gives tokens back; the reasons and their quotes stay as they are.
    """
    if desk.phrasing is None or not desk.phrasing.provider:
        return claims, ()
    tokens = {f"K{number}": one for number, one in enumerate(citations, 1)}
    said = model.phrase(understood.question.text, {token: one.quote for token, one in tokens.items()}, desk.phrasing, breaker=desk.breaker)
    trouble = [Warning_("model", texts.MODEL_FAILED.format(problem=said.problem))] if said.problem else []
    if said.unknown_tokens:
        trouble.append(Warning_("model_tokens", texts.MODEL_TOKENS.format(count=said.unknown_tokens)))
    phrased = tuple(Claim(f"m{number}", one.text, tuple(tokens[token].id for token in one.tokens), "svar")
                    for number, one in enumerate(said.phrases, 1) if one.tokens)
    if not phrased:
        return claims, tuple(trouble)
    rest = tuple(Claim(c.id, c.text, c.citation_ids, "skäl" if c.role == "svar" else c.role) for c in claims)
    return (*phrased, *rest), tuple(trouble)


def _grounds(finding: Finding | None) -> tuple[dict[str, object], ...]:
    """The finder's grounds, open ones first, as the finding writes them."""
    if finding is None:
        return ()
    data = finding.to_json()
    return (*({**one, "open": True} for one in data["available"]), *({**one, "open": False} for one in data["blocked"]))


def _text(body: str, warnings: list[Warning_], handoff: Handoff | None, understood: Understood, law: Law) -> str:
    parts = [body]
    notes = [warning.text for warning in warnings if warning.code != "false_premise"]
    if notes:
        parts.append("\n".join(f"- {compose.escaped(note)}" for note in dict.fromkeys(notes)))
    if handoff:
        parts.append(f"**{texts.NEXT}**\n\n{texts.HANDOFF} {texts.TEST.format(test=law.tests[handoff.tests[0]].formula)}")
    if understood.intent is Intent.SHARING:
        parts.append(f"*{texts.DISCLAIMER}*")
    return "\n\n".join(parts)


def _next(way: routing.Routing, understood: Understood) -> tuple[NextStep, ...]:
    steps = [NextStep("checklist", texts.HANDOFF)] if way.handoff else []
    if understood.intent is Intent.SHARING:
        steps += [NextStep("clarify", texts.ASK[name]) for name in way.missing]
    return tuple(steps)


def _clarify(understood: Understood, way: routing.Routing, index: Index) -> Answer:
    questions = [texts.ASK[name] for name in way.missing]
    body = "\n".join([texts.CLARIFY, "", *(f"- {one}" for one in questions)])
    return Answer(
        answer_id=_fresh(), status=Status.CLARIFICATION_NEEDED, completeness=Completeness.NONE, as_of_date=understood.as_of,
        law_as_of=date.fromisoformat(index.manifest.law_as_of), text_md=body, missing=way.missing,
        next_steps=tuple(NextStep("clarify", one) for one in questions),
    )


def _declined(understood: Understood, way: routing.Routing, index: Index, gone: tuple[str, ...] = ()) -> Answer:
    said = {"about_assistant": texts.ABOUT_ASSISTANT, "foreign_law": texts.FOREIGN_LAW, "off_topic": texts.OUT_OF_SCOPE}.get(
        way.reason, texts.NO_SOURCE.format(missing=" ".join(gone)).strip())
    status = way.status if way.route is Route.DECLINE else Status.UNANSWERABLE_NO_SOURCE
    found = _plain(understood.question, status, said, NextStep("rephrase", said), index=index)
    return replace(found, as_of_date=understood.as_of, warnings=tuple(Warning_("coverage_gap", text) for text in gone))


def _not_there(understood: Understood, index: Index) -> tuple[str, ...]:
    """What is wrong with each written lagrum that can't be quoted: no such paragraf, not in force that day, or no text."""
    out = []
    mask = index.applies(understood.as_of)
    for one in understood.lagrum:
        if one.paragraf is None:
            continue
        at = index.at(one.ref)
        if any(mask[n] for n in at):
            continue
        begins = [p.valid_from for p in index.get(at) if p.valid_from and p.valid_from > understood.as_of]
        if begins:
            out.append(texts.NOT_YET.format(label=one.whole().short(), day=texts.day(min(begins))))
        elif any(ref.startswith(f"SFS {one.sfs} ") and index.zones[n] == "paragraf" for n, ref in enumerate(index.refs)):
            out.append(texts.NO_SUCH_PROVISION.format(label=one.whole().short(), day=texts.day(understood.as_of)))
        else:
            out.append(texts.NO_TEXT.format(label=one.whole().short()))
    out += [texts.NO_TEXT.format(label=label) for label in _unheld(understood, index)]
    return tuple(dict.fromkeys(out))


# Kinds of source that people ask for by name and the corpus has only where somebody added them.
_NAMED_SOURCES = (
    (re.compile(r"\b(?:prop(?:osition(?:en)?|\.)?\s*)(\d{4}/\d{2}:\d+)", re.I), "proposition {}"),
    (re.compile(r"\bSOU\s*(\d{4}:\d+)", re.I), "SOU {}"),
    (re.compile(r"\b(artikel \d+[\w. ]*?) i (?:eu:s )?dataskyddsförordningen", re.I), "{} i dataskyddsförordningen"),
    (re.compile(r"\b(HFD|Högsta förvaltningsdomstolen|Högsta domstolen|kammarrätten|JO)\b[^.?!]{0,30}"
                r"(?:slagit fast|uttalat|sagt|kommit fram|avgjort|praxis)", re.I),
     "avgöranden från {}"),
    (re.compile(r"\b(\w+s (?:handbok|föreskrifter|allmänna råd|vägledning))\b", re.I), "{}"),
    (re.compile(r"\b([a-zåäö]{3,}(?:lagen|balken))\b", re.I), "{}"),
)


def _unheld(understood: Understood, index: Index) -> tuple[str, ...]:
    """What the question asks for by name that no source of the corpus is."""
    text = understood.question.text
    gone = [f"SFS {sfs}" for sfs in understood.statutes
            if not any(one.sfs == sfs for one in understood.lagrum) and not index.holds(f"SFS {sfs} ")]
    held = {one.name for one in lagrum.names()} | {alias for one in lagrum.names() for alias in one.aliases}
    asked = [(match[1], said) for pattern, said in _NAMED_SOURCES for match in pattern.finditer(text)]
    for name, said in (*asked, *((name, "{}") for name in lagrum.strangers(text, understood.as_of))):
        if name.lower() not in held and not index.titled(re.sub(r"(?<=lag)en$|(?<=balk)en$", "", name.lower())):
            gone.append(said.format(name))
    return tuple(dict.fromkeys(gone))


def _standing(understood: Understood, index: Index, withheld: int) -> tuple[Warning_, ...]:
    """What holds for the whole answer: old dates, withheld claims, a search that runs on words only."""
    out = [Warning_("index", text) for text in index.warnings]
    known_from = date.fromisoformat(index.manifest.law_as_of)
    if understood.as_of < known_from:
        out.append(Warning_("coverage_gap", texts.OLD_LAW.format(as_of=texts.day(known_from))))
    if withheld:
        out.append(Warning_("withheld", texts.WITHHELD_SOME.format(count=withheld)))
    for sfs in understood.statutes:
        name = lagrum.named(sfs)
        if name and name.repealed_by and (name.until is None or name.until <= understood.as_of):
            later = lagrum.named(name.repealed_by)
            now = f"{later.name} ({later.sfs})" if later else name.repealed_by
            out.append(Warning_("repealed", texts.REPEALED.format(name=f"{name.name.capitalize()} ({sfs})", now=now)))
    return tuple(out)


def _plain(question: Question, status: Status, text: str, step: NextStep, *, index: Index | None = None, withheld: int = 0) -> Answer:
    return Answer(
        answer_id=_fresh(), status=status, completeness=Completeness.NONE, as_of_date=question.as_of,
        law_as_of=date.fromisoformat(index.manifest.law_as_of) if index else None, text_md=text, next_steps=(step,),
        withheld_claims=withheld,
    )


def _fresh() -> str:
    return uuid.uuid4().hex
