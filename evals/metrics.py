"""How good an answer is, measured against its case: pure functions, one a measure, each 0 to 1 or None where it doesn't apply.

No model judges here. What is deterministic (a quote's letters, a day, a checklist's id) must be 1.0; what compares words does it on
stems, and only then by our own embedding.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property

import numpy as np

from assistant import texts
from assistant.types import Answer, Citation, Passage, Status
from corpus import analysis
from evals.cases import Case

Lookup = Callable[[str], Passage | None]
Encode = Callable[[Sequence[str]], np.ndarray]

# Cosine from which a sentence is taken to say a fact in other words. Set on tests/data/evals/paraphrases.yaml: from 0.76 on none of
# 24 sentences that say something else passes `alike`, and at 0.78 14 of 18 rewordings do (13 with another training of the model).
LIKE = 0.78
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=[A-ZÅÄÖ0-9–«])")
_SIGNS = frozenset(analysis.tokens("inte ej aldrig ingen inget inga utan bara endast"))
_VERDICT = re.compile(r"\W*(?:ja|nej|jo|yes|no|javisst|självklart|absolut|visst|det går bra|det är (?:ok|okej|tillåtet|fritt fram)"
                      r"|(?:ni|du|vi) får)\b", re.I)
_LOWER = {"förslag": "proposal", "äldre": "outdated"}  # status of a source → the warning that must stand beside it
_STOPPED = ("unanswerable", "refused", "withheld", "error")


@dataclass(frozen=True)
class View:
    """An answer beside its case, with the passages it points to and the embedding to compare words by."""

    case: Case
    answer: Answer
    lookup: Lookup
    encode: Encode

    @cached_property
    def passages(self) -> tuple[Passage | None, ...]:
        """The stored passage of each citation, in order; None where there is none."""
        return tuple(self.lookup(one.passage_id) for one in self.answer.citations)

    @property
    def held(self) -> tuple[tuple[Citation, Passage], ...]:
        """The citations whose passage exists."""
        return tuple((one, passage) for one, passage in zip(self.answer.citations, self.passages, strict=True) if passage)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """What the answer itself says: its claims without the law's words in them, or its text where it makes no claims."""
        law = [analysis.unwrapped(one.quote) for one in self.answer.citations if one.kind != "not"]
        return tuple(_without(claim.text, law) for claim in self.answer.claims) or (self.answer.text_md,)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """All that a reader is told: what the answer says itself, its warnings and its quotes."""
        return (*self.own, *(one.text for one in self.answer.warnings), *(analysis.unwrapped(one.quote) for one in self.answer.citations))

    @property
    def day(self) -> date:
        """The day whose law is right: the case's, or the answer's where the question writes that day itself."""
        answered = self.answer.as_of_date
        asked = " ".join((*self.case.history, self.case.question))
        return answered if answered.isoformat() in asked or texts.day(answered) in asked else self.case.as_of


@dataclass(frozen=True)
class Scores:
    """Every measure of one answer; None where it doesn't apply."""

    citation_exists: float | None
    citation_verbatim: float | None
    citation_in_force: float | None
    citation_recall: float | None
    citation_precision: float | None
    facts: float | None
    forbidden: float | None
    route: float | None
    handoff: float | None
    verdict: float | None
    abstention: float | None
    premise: float | None
    rank: float | None
    similarity: float | None


NAMES = tuple(field.name for field in fields(Scores))
# Reported as means only: an answer may well cite more than its case names, and be worded in its own way.
NOT_JUDGED_ALONE = frozenset({"citation_precision", "similarity"})


def score(case: Case, answer: Answer, lookup: Lookup, encode: Encode) -> Scores:
    """All measures of ``answer``. ``lookup``: passage by id; ``encode``: texts to unit vectors."""
    view = View(case, answer, lookup, encode)
    return Scores(**{measure.__name__: measure(view) for measure in MEASURES})


def failed(scores: Scores) -> tuple[str, ...]:
    """The measures by which the answer falls short."""
    return tuple(name for name in NAMES if name not in NOT_JUDGED_ALONE and (value := getattr(scores, name)) is not None and value < 1.0)


# --- citations -------------------------------------------------------------------------------------------------------


def citation_exists(view: View) -> float | None:
    """Share of the citations whose passage is in the index under the cited reference."""
    return _share(passage is not None and passage.ref == one.ref for one, passage in zip(view.answer.citations, view.passages, strict=True))


def citation_verbatim(view: View) -> float | None:
    """Share of the citations that quote their stored passage to the letter."""
    return _share(bool(one.quote.strip()) and passage.text[one.start:one.end] == one.quote for one, passage in view.held)


def citation_in_force(view: View) -> float | None:
    """Share of the citations whose text is in force, or published, on the day asked about; what is missing is an error of time."""
    return _share(passage.applies(view.day) for _, passage in view.held)


def citation_recall(view: View) -> float | None:
    """Share of the references that must be cited that are."""
    cited = {one.ref for one in view.answer.citations}
    return _share(ref in cited for ref in view.case.must_cite)


def citation_precision(view: View) -> float | None:
    """Share of the cited references that the case names."""
    wanted = {*view.case.must_cite, *view.case.may_cite}
    return _share(ref in wanted for ref in dict.fromkeys(one.ref for one in view.answer.citations)) if wanted else None


def rank(view: View) -> float | None:
    """Whether lower sources are shown as such: no source called more than it is, none of an older or proposed text without a
    warning, and none of them in the lead unless the case asks for it.
    """
    if not view.answer.citations:
        return None
    return float(not any(_overrated(view, one, passage) for one, passage in view.held) and not _led_by_lower(view))


def _overrated(view: View, one: Citation, passage: Passage) -> bool:
    codes = {warning.code for warning in view.answer.warnings}
    if (one.kind, one.status) != (passage.kind, passage.status):
        return True
    unsaid = passage.status in _LOWER and _LOWER[passage.status] not in codes
    return unsaid or (passage.kind == "pressmeddelande" and "press" not in codes)


def _led_by_lower(view: View) -> bool:
    lead = next((claim for claim in view.answer.claims if claim.role == "svar"), None)
    if lead is None:
        return False
    asked = {*view.case.must_cite, *view.case.may_cite}
    rests = [passage for one, passage in view.held if one.id in lead.citation_ids]
    return bool(rests) and all(one.ref not in asked and (one.kind == "pressmeddelande" or one.status in _LOWER) for one in rests)


# --- what is said ----------------------------------------------------------------------------------------------------


def facts(view: View) -> float | None:
    """Share of the facts that must be said that are: on stems, or by a sentence of much the same meaning."""
    return _share(says(view, phrase) for phrase in view.case.must_say)


def says(view: View, phrase: str) -> bool:
    """Whether the answer says ``phrase`` in one of its ways (``|`` between them)."""
    ways = phrase.split("|")
    if any(_named(way, text) for way in ways for text in view.said):
        return True
    sentences = [one for text in view.own for one in _SENTENCE.split(text)]
    return any(alike(way, sentences, view.encode) for way in ways)


def alike(phrase: str, sentences: Sequence[str], encode: Encode) -> bool:
    """Whether a sentence says much the same as ``phrase``, by our embedding.

    The embedding is blind to «inte» and to numbers, which are the law: a sentence must have both as the phrase has them.
    """
    fit = [one for one in sentences
           if not one.rstrip().endswith("?") and _signs(one) == _signs(phrase) and _numbers(phrase) <= _numbers(one)]
    if not fit or len(analysis.tokens(phrase)) < 3:  # a word or two is named or not; its neighbours in meaning are other things
        return False
    vectors = encode([phrase, *fit])
    return bool((vectors[1:] @ vectors[0]).max() >= LIKE)


def forbidden(view: View) -> float | None:
    """1 when nothing that must not be said is said in the answer's own words (a quote of the law may hold it)."""
    phrases = [way for phrase in view.case.must_not_say for way in phrase.split("|")]
    return float(not any(_run(way, text) for way in phrases for text in view.own)) if phrases else None


def premise(view: View) -> float | None:
    """1 when what the question wrongly takes for granted is corrected where it is read first: in a warning or the short answer."""
    if view.case.premise is None:
        return None
    first = [claim.text for claim in view.answer.claims if claim.role == "svar"] or [view.answer.text_md]
    told = (*first, *(warning.text for warning in view.answer.warnings))
    return float(any(_named(way, text) for way in view.case.premise.split("|") for text in told))


def verdict(view: View) -> float | None:
    """1 when the short answer doesn't begin with a yes or a no, where a person is to weigh interests."""
    if not view.case.weighs:
        return None
    first = next((claim.text for claim in view.answer.claims if claim.role == "svar"), re.sub(r"\*\*.*?\*\*", "", view.answer.text_md))
    return float(not _VERDICT.match(first))


def similarity(view: View) -> float | None:
    """Cosine between the facts that must be said and what the answer says, by our embedding. Raises ``ValueError`` on no number."""
    if not view.case.must_say:
        return None
    vectors = view.encode([wanted(view.case), response(view)])
    cosine = float(vectors[0] @ vectors[1])
    if not math.isfinite(cosine):  # min and max would make it a zero
        raise ValueError("the embedding gave no number")
    return min(1.0, max(0.0, cosine))


def wanted(case: Case) -> str:
    """The facts that must be said, each in its first way: what an answer is compared with."""
    return ". ".join(phrase.split("|")[0] for phrase in case.must_say)


def response(view: View) -> str:
    """What the answer says, as one text: its claims, or its text where it makes none."""
    return " ".join(claim.text for claim in view.answer.claims) or view.answer.text_md


# --- where it goes ---------------------------------------------------------------------------------------------------


def route(view: View) -> float | None:
    """1 when the question ended in one of the right ways."""
    return float(view.answer.status in view.case.status)


def handoff(view: View) -> float | None:
    """1 when the person is sent to a right checklist, or to none where there is none; None where it isn't judged."""
    given = view.answer.handoff.checklist if view.answer.handoff else None
    if view.case.closed:
        return float(given not in view.case.closed)
    if view.case.handoff is None:
        return None
    return float(given in view.case.handoff if view.case.handoff else given is None)


def abstention(view: View) -> float | None:
    """1 when the question was declined as it should be, or answered as it should be; None where both are right."""
    right = {stops(status) for status in view.case.status}
    return float(stops(view.answer.status) in right) if len(right) == 1 else None


def stops(status: Status) -> bool:
    """Whether a question that ended so was declined: refused, out of reach or withheld. Asking back is not declining."""
    return status.value.startswith(_STOPPED)


MEASURES: tuple[Callable[[View], float | None], ...] = (
    citation_exists, citation_verbatim, citation_in_force, citation_recall, citation_precision, facts, forbidden, route, handoff, verdict,
    abstention, premise, rank, similarity,
)


# --- words -----------------------------------------------------------------------------------------------------------


def _run(phrase: str, text: str) -> bool:
    """Whether the stems of ``phrase`` stand in ``text`` as one run."""
    return f" {' '.join(analysis.tokens(phrase))} " in f" {' '.join(analysis.tokens(text))} "


def _named(phrase: str, text: str) -> bool:
    """Whether the words of ``phrase`` stand in ``text`` one after the other, each with any ending.

    The stemmer parts some forms of a word (upphäv, upphävdes; månader, månaders), so a word may also begin as the phrase's does.
    """
    wanted, found = analysis.words(phrase), analysis.words(text)
    return any(all(map(_same_word, wanted, found[at:])) for at in range(len(found) - len(wanted) + 1))


def _same_word(wanted: str, found: str) -> bool:
    ending = len(found) - len(wanted)
    return analysis.stem(wanted) == analysis.stem(found) or (len(wanted) >= 5 and 0 < ending <= 6 and found.startswith(wanted))


def _signs(text: str) -> frozenset[str]:
    return _SIGNS & frozenset(analysis.tokens(text))


def _numbers(text: str) -> frozenset[str]:
    return frozenset(token for token in analysis.tokens(text) if token[0].isdigit())


def _without(text: str, quotes: Iterable[str]) -> str:
    """``text`` without the quotes of law that it holds."""
    for quote in quotes:
        text = text.replace(quote, " … ")
    return text


def _share(right: Iterable[bool]) -> float | None:
    """The share that is right; None of nothing."""
    marks = list(right)
    return sum(marks) / len(marks) if marks else None
