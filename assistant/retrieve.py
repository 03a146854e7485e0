"""What a question names and the words it uses → hits: one ranking over provisions and documents, in force on the day.

Candidates come from five places: a written lagrum (which can't miss), the ground finder, staff's own wordings, keywords and
vectors. They are scored per reference, so that a provision is one hit whether its words, its note or a wording was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant import texts
from assistant import words as vocabulary
from assistant.types import Hit, Question
from assistant.understand import Intent, Understood, understand
from corpus import analysis, lagrum
from corpus.index import Index

NEAREST = 400  # vectors fetched before filtering by date; a filter inside Chroma costs 35–115 times more
KEYWORDS = 400
MAX_PER_DOCUMENT = 3


@dataclass(frozen=True)
class Weights:
    """How much each kind of evidence counts: learned on staff's wordings held out by provision (``python -m bench.weights``).

    Held fixed by decision: a written lagrum leads, and law comes before what is, was or may be said of it.
    """

    keyword: float = 0.859
    expansion: float = 0.638
    vector: float = 1.143
    wording_words: float = 0.2
    wording_vector: float = 1.678
    exact: float = 4.0
    found: float = 0.676
    core: float = 0.573
    note: float = 0.118
    statute: float = -0.092
    document: float = -0.1
    press: float = -0.35
    outdated: float = -0.3
    secrecy: float = 0.041  # a secrecy provision, when the question asks how secret something is
    breaking: float = 0.125  # a breaking rule or duty, when somebody is to give something
    family: float = -0.053  # per doubling of a provision's wordings beyond eight: many chances make one good score likely


@dataclass(frozen=True)
class Evidence:
    """One reference with the passages that speak for it and what each kind of evidence gave (0–1)."""

    ref: str
    positions: tuple[int, ...]
    parts: dict[str, float]


@dataclass(frozen=True)
class Said:
    """A question as the index sees it, computed once: its tokens and vector, and how near each staff wording is.

    ``of``: the passage each wording belongs to; ``words``: BM25, 0–1; ``near``: cosine.
    """

    tokens: tuple[str, ...]
    vector: np.ndarray
    of: np.ndarray
    words: np.ndarray
    near: np.ndarray

    @property
    def likeness(self) -> float:
        """Cosine to the nearest staff wording: whether something like it has been asked."""
        return float(self.near.max(initial=0.0))


def said(understood: Understood, index: Index) -> Said:
    """What was understood, as the index sees it."""
    tokens = tuple(analysis.tokens(understood.text))
    vector = index.encoder.encode([understood.text])[0]
    of, scores, near = index.wordings(tokens, vector)
    top = float(scores.max(initial=0.0))
    return Said(tokens, vector, of, scores / top if top > 0 else scores, near)


def search(understood: Understood, index: Index, k: int = 10, *, weights: Weights = Weights(),
           found: Sequence[str] = (), seen: Said | None = None) -> tuple[Hit, ...]:
    """The ``k`` best hits for what was understood. ``found``: references the ground finder named, best first."""
    evidence = gather(understood, index, found, seen)
    scored = sorted(((score(one, weights), one) for one in evidence), key=lambda pair: (-pair[0], pair[1].ref))
    top = max((value for value, _ in scored), default=1.0) or 1.0
    picked: list[tuple[int, float, Evidence]] = []
    for value, one in scored:
        for rank, n in enumerate(one.positions[:MAX_PER_DOCUMENT]):
            picked.append((n, max(0.0, value / top) * 0.97**rank * (0.8 if rank else 1.0), one))
    picked.sort(key=lambda row: -row[1])
    chosen = picked[:k]
    passages = index.get(n for n, _, _ in chosen)
    return tuple(Hit(passage, round(value, 4), _why(one, weights)) for passage, (_, value, one) in zip(passages, chosen, strict=True))


def score(one: Evidence, weights: Weights) -> float:
    """The weighted sum of what speaks for a reference."""
    return float(sum(getattr(weights, part) * value for part, value in one.parts.items()))


def _why(one: Evidence, weights: Weights) -> tuple[str, ...]:
    """What the hit's score is made of, the largest part first."""
    given = {part: getattr(weights, part) * value for part, value in one.parts.items()}
    return tuple(f"{texts.WHY[part]} {points:+.2f}" for part, points in sorted(given.items(), key=lambda row: -abs(row[1]))
                 if abs(points) > 0.005)


def gather(understood: Understood, index: Index, found: Sequence[str] = (), seen: Said | None = None) -> tuple[Evidence, ...]:
    """All evidence, per reference, with versions that don't apply on the day left out."""
    mask = index.applies(understood.as_of)
    seen = seen or said(understood, index)
    extra = analysis.expand(seen.tokens)
    words = _scaled(index.keyword(seen.tokens), mask)
    more = _scaled(index.keyword(extra), mask) if extra else np.zeros_like(words)
    near = np.zeros(len(index), dtype=np.float32)
    for n, similarity in index.nearest(seen.vector, NEAREST):
        near[n] = max(0.0, similarity) if mask[n] else 0.0
    refs: dict[str, dict[str, float]] = {}
    best: dict[str, dict[int, float]] = {}

    def note(ref: str, part: str, value: float, n: int | None = None, worth: float = 0.0) -> None:
        parts = refs.setdefault(ref, {})
        parts[part] = max(parts.get(part, 0.0), float(value))
        if n is not None:
            known = best.setdefault(ref, {})
            known[n] = max(known.get(n, 0.0), worth)

    blended = words + 0.4 * more + near
    for n in _top(blended, KEYWORDS):
        ref = index.refs[n]
        note(ref, "keyword", words[n], n, blended[n])
        note(ref, "expansion", more[n])
        note(ref, "vector", near[n])
    for position in _top(seen.words + np.maximum(seen.near, 0), 120):
        n = int(seen.of[position])
        if mask[n]:
            note(index.refs[n], "wording_words", seen.words[position], n, 0.2)
            note(index.refs[n], "wording_vector", max(0.0, float(seen.near[position])))
    for rank, ref in enumerate(found):
        note(ref, "found", 1.0 / (1 + 0.15 * rank))
    for ref in exact(understood, index):
        note(ref, "exact", 1.0)
    asks_secrecy = understood.intent is Intent.KNOWLEDGE and bool(vocabulary.pattern("asks_secrecy").search(understood.text))
    return tuple(
        Evidence(ref, positions, {**parts, **_standing(index, positions[0], ref), **_fitting(understood, index, ref, asks_secrecy)})
        for ref, parts in refs.items()
        if (positions := _positions(index, ref, mask, best.get(ref, {}), blended))
    )


def exact(understood: Understood, index: Index) -> tuple[str, ...]:
    """The references of the lagrum that the question writes; a whole kapitel stands for its paragrafer."""
    out: dict[str, None] = {}
    for one in understood.lagrum:
        if one.paragraf:
            out[one.ref] = None
        elif one.kapitel:
            prefix = f"{one.ref} "
            out.update(dict.fromkeys(ref for ref in index.refs if ref.startswith(prefix)))
    return tuple(ref for ref in list(out)[:60] if index.at(ref))


def _positions(index: Index, ref: str, mask: np.ndarray, seen: dict[int, float], blended: np.ndarray) -> tuple[int, ...]:
    """Which passages show a reference: the law's own, else a note; of a document the best few."""
    at = [n for n in index.at(ref) if mask[n]]
    if ref.startswith("SFS "):
        law = [n for n in at if index.zones[n] == "paragraf"] or [n for n in at if index.kinds[n] != "not"]
        own = sorted((n for n in at if index.kinds[n] == "not"), key=lambda n: -seen.get(n, 0.0))
        return tuple(law[:1] or own[:1])
    texts = [n for n in at if index.kinds[n] != "not"] or at
    return tuple(sorted(texts, key=lambda n: -max(seen.get(n, 0.0), float(blended[n])))[:MAX_PER_DOCUMENT])


def _standing(index: Index, n: int, ref: str) -> dict[str, float]:
    """What a source is worth before a word is compared: the statutes of the field, notes, other law, documents."""
    kind = index.kinds[n]
    address = lagrum.from_ref(ref)
    if address and lagrum.named(address.sfs):
        return {"core": 1.0}
    if kind == "not":
        return {"note": 1.0}
    if kind in ("lag", "förordning"):
        return {"statute": 1.0}
    part = {"press" if kind == "pressmeddelande" else "document": 1.0}
    if ref.startswith("seed:"):
        part = {"document": 0.2}
    return {**part, "outdated": 1.0} if index.status[n] in ("äldre", "förslag") else part


def _fitting(understood: Understood, index: Index, ref: str, asks_secrecy: bool) -> dict[str, float]:
    """Whether the provision is of the kind the question asks for: what is secret, or what may be given."""
    address = lagrum.from_ref(ref)
    if address is None:
        return {}
    out = {"family": max(0.0, float(np.log2(max(index.wordings_of(ref), 1) / 8)))}
    chapter = int(address.kapitel.split()[0]) if address.kapitel else 0
    secrecy = address.sfs == lagrum.OSL and 15 <= chapter <= 43
    if asks_secrecy and secrecy:
        out["secrecy"] = 1.0
    if understood.intent is Intent.SHARING and not secrecy:
        out["breaking"] = 1.0
    return out


def _scaled(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scores of applicable passages, 0–1 against the best of them."""
    kept = np.where(mask, values, 0.0)
    top = kept.max(initial=0.0)
    return kept / top if top > 0 else kept


def _top(values: np.ndarray, k: int) -> list[int]:
    """Positions of the ``k`` largest positive values, best first."""
    k = min(k, values.size)
    if not k:
        return []
    rows = np.argpartition(-values, k - 1)[:k]
    return [int(n) for n in rows[np.argsort(-values[rows], kind="stable")] if values[n] > 0]


class Retriever(BaseRetriever):
    """The search as a LangChain retriever: question text in, documents with reference and validity out."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    as_of: date
    k: int = 10

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:  # noqa: ARG002
        hits = search(understand(Question(query, self.as_of), self.index.respelled), self.index, self.k)
        return [
            Document(id=hit.passage.id, page_content=hit.passage.text,
                     metadata={"ref": hit.passage.ref, "kind": hit.passage.kind, "score": hit.score, "version": hit.passage.version})
            for hit in hits
        ]

