"""The measures as ragas metrics, run through its experiment API; ragas is imported here and nowhere else.

ragas drops a row that raises and turns what it can't score into None or NaN, and averages over the rest. Here both are failures. Its
judged metrics need a language model: without one they are unscored, which is not zero.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import os
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from assistant.settings import Settings
from assistant.types import Status
from evals import metrics
from evals.metrics import View
from evals.runs import Asked, Row

JUDGED = ("faithfulness", "answer_relevancy")
NO_MODEL = "ingen språkmodell är inställd"
NOT_INSTALLED = "ragas är inte installerat (pip install 'delningsstod[evals]')"
MODEL_AT_ONCE = 4  # questions a model is asked at a time
# Measures that are right or wrong; the others are shares.
_EITHER = frozenset({"forbidden", "route", "handoff", "verdict", "abstention", "premise", "rank"})
_OWN_OF_RAGAS = {"citation_recall": "id_based_context_recall", "citation_precision": "id_based_context_precision"}
RIGHT, WRONG = "rätt", "fel"


@dataclass(frozen=True)
class Judgement:
    """What ragas made of a run. ``scores``: case → metric → value; ``failures``: (case, metric, why) of what was lost or unscored."""

    scores: Mapping[str, Mapping[str, float]]
    failures: tuple[tuple[str, str, str], ...]
    judged: Mapping[str, Mapping[str, Any]]
    run: bool = True

    def to_json(self) -> dict[str, Any]:
        """For the summary: the mean of each metric and what failed; a metric nobody scored has no value."""
        names = sorted({name for one in self.scores.values() for name in one})
        means = {name: _mean([one[name] for one in self.scores.values() if name in one]) for name in names}
        return {"run": self.run, "metrics": means, "failures": [list(one) for one in self.failures],
                "judged": {name: dict(one) for name, one in self.judged.items()}}


def judge(asked: Asked, settings: Settings) -> Judgement:
    """Every row scored by ragas, and set against our own measures."""
    if find_spec("ragas") is None:
        return Judgement({}, (), _unscored(NOT_INSTALLED), run=False)
    views = {row.case.id: View(row.case, row.answer, asked.lookup[bool(row.case.documents)], asked.encode)
             for row in asked.rows if row.answer and row.scores}
    ours, similarity = _ours(views), _ragas().SemanticSimilarity(embeddings=_embedding(asked.encode))
    scores = _experiment(tuple(views), lambda case_id: _scored(views[case_id], ours, similarity))
    failures = _failures(asked.rows, views, scores)
    judged, lost = _judged(views, settings) if settings.model_provider else (_unscored(NO_MODEL), ())
    return Judgement({name: _held(one) for name, one in scores.items()}, (*failures, *lost), judged)


def _failures(rows: Sequence[Row], views: Mapping[str, View], scores: Mapping[str, Mapping[str, float | None]]
              ) -> tuple[tuple[str, str, str], ...]:
    """Rows that are lost, metrics that came out as nothing, and those that differ from our own."""
    found: list[tuple[str, str, str]] = []
    for row in rows:
        case_id = row.case.id
        if case_id not in views or case_id not in scores:
            found.append((case_id, "", row.error or "raden föll bort"))
            continue
        due = {name: value for name in metrics.NAMES if (value := getattr(row.scores, name)) is not None}
        due |= {theirs: due[ours] for ours, theirs in _OWN_OF_RAGAS.items() if ours in due}
        due |= {"semantic_similarity": due["similarity"]} if "similarity" in due else {}
        for name, value in due.items():
            got = scores[case_id].get(name)
            if not _is_number(got):
                found.append((case_id, name, "inget värde"))
            elif not math.isclose(got or 0.0, value, abs_tol=1e-4):
                found.append((case_id, name, f"{got:.4f} i stället för {value:.4f}"))
    return tuple(found)


# --- ragas' parts ----------------------------------------------------------------------------------------------------


@cache
def _ragas() -> SimpleNamespace:
    """What is used of ragas, imported when first needed (seconds). It would report home unless told «true», in letters."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ragas import Dataset, SingleTurnSample, experiment
        from ragas.embeddings.base import BaseRagasEmbedding
        from ragas.llms import llm_factory
        from ragas.metrics import discrete_metric, numeric_metric
        from ragas.metrics._context_precision import IDBasedContextPrecision  # the collections have none of them
        from ragas.metrics._context_recall import IDBasedContextRecall
        from ragas.metrics.collections import AnswerRelevancy, Faithfulness, SemanticSimilarity
    return SimpleNamespace(
        Dataset=Dataset, SingleTurnSample=SingleTurnSample, experiment=experiment, BaseRagasEmbedding=BaseRagasEmbedding,
        discrete_metric=discrete_metric, numeric_metric=numeric_metric, IDBasedContextPrecision=IDBasedContextPrecision,
        IDBasedContextRecall=IDBasedContextRecall, AnswerRelevancy=AnswerRelevancy, Faithfulness=Faithfulness,
        SemanticSimilarity=SemanticSimilarity, llm_factory=llm_factory)


def _experiment(case_ids: Sequence[str], score: Callable[[str], Awaitable[dict[str, float | None]]]) -> dict[str, dict[str, float | None]]:
    """case id → its scores, by way of ragas' experiment over a local dataset; a row that raised is not in it."""
    ragas = _ragas()
    quiet = io.StringIO()  # ragas prints its own progress bar, and a warning a lost row

    @ragas.experiment()  # type: ignore[untyped-decorator]
    async def scored(row: Mapping[str, str]) -> dict[str, Any]:
        return {"id": row["id"], "scores": await score(row["id"])}

    with tempfile.TemporaryDirectory(prefix="delningsstod-ragas-") as folder, contextlib.redirect_stdout(quiet), \
            contextlib.redirect_stderr(quiet), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = ragas.Dataset("cases", "local/jsonl", root_dir=folder, data=[{"id": one} for one in case_ids])
        dataset.save()
        result = asyncio.run(scored.arun(dataset, name="scores"))
    return {row["id"]: row["scores"] for row in result}


async def _scored(view: View, ours: Mapping[str, Any], similarity: Any) -> dict[str, float | None]:
    """All measures of one answer, each as a ragas metric; those that don't apply are left out."""
    out: dict[str, float | None] = {}
    for measure in metrics.MEASURES:
        if measure(view) is not None:
            out[measure.__name__] = _number((await ours[measure.__name__].ascore(case_id=view.case.id)).value)
    out |= await _by_id(view)
    if view.case.must_say:
        found = await similarity.ascore(reference=metrics.wanted(view.case), response=metrics.response(view))
        out["semantic_similarity"] = _clipped(_number(found.value))
    return out


def _ours(views: Mapping[str, View]) -> dict[str, Any]:
    """Our measures as ragas metrics over these answers, by name: discrete where right or wrong, numeric where a share."""
    return {measure.__name__: _metric(measure, views) for measure in metrics.MEASURES}


def _metric(measure: Callable[[View], float | None], views: Mapping[str, View]) -> Any:
    ragas = _ragas()
    if measure.__name__ in _EITHER:
        @ragas.discrete_metric(name=measure.__name__, allowed_values=[RIGHT, WRONG])  # type: ignore[untyped-decorator]
        def either(case_id: str) -> str:
            return RIGHT if measure(views[case_id]) == 1.0 else WRONG

        return either

    @ragas.numeric_metric(name=measure.__name__, allowed_values=(0.0, 1.0))  # type: ignore[untyped-decorator]
    def share(case_id: str) -> float | None:
        return measure(views[case_id])

    return share


async def _by_id(view: View) -> dict[str, float | None]:
    """ragas' own recall and precision over the ids of what is cited: our references."""
    ragas = _ragas()
    cited = list(dict.fromkeys(one.ref for one in view.answer.citations))
    out: dict[str, float | None] = {}
    if view.case.must_cite:
        sample = ragas.SingleTurnSample(retrieved_context_ids=cited, reference_context_ids=list(view.case.must_cite))
        out["id_based_context_recall"] = _number(await ragas.IDBasedContextRecall().single_turn_ascore(sample))
    if cited and (named := [*view.case.must_cite, *view.case.may_cite]):
        sample = ragas.SingleTurnSample(retrieved_context_ids=cited, reference_context_ids=named)
        out["id_based_context_precision"] = _number(await ragas.IDBasedContextPrecision().single_turn_ascore(sample))
    return out


def _embedding(encode: metrics.Encode) -> Any:
    """Our embedding as ragas takes one."""

    class Ours(_ragas().BaseRagasEmbedding):  # type: ignore[misc]
        def embed_text(self, text: str, **_: Any) -> list[float]:
            return [float(value) for value in encode([text])[0]]

        async def aembed_text(self, text: str, **_: Any) -> list[float]:
            return self.embed_text(text)

    return Ours()


# --- judged by a language model --------------------------------------------------------------------------------------

_STATEMENTS = ("Du får en fråga och ett svar. Dela upp varje mening i svaret i ett eller flera påståenden som går att förstå var för sig. "
               "Använd inga pronomen. Skriv på svenska.")
_SUPPORTED = ("Avgör för varje påstående om det följer direkt av källtexten. Sätt verdict till 1 om det gör det och 0 om det inte gör det. "
              "Ange skälet kort på svenska. Ordet «inte», siffror och lagrum ska stämma.")
_ASKED = ("Skriv den fråga på svenska som svaret besvarar. Sätt noncommittal till 1 om svaret är undvikande eller vagt, till exempel "
          "«jag vet inte» eller «det beror på», och annars till 0. Ett svar som säger vad som ska prövas och hur är inte undvikande.")


def _judged(views: Mapping[str, View], settings: Settings) -> tuple[dict[str, dict[str, Any]], tuple[tuple[str, str, str], ...]]:
    """Faithfulness and answer relevancy of the golden answers, by the configured model, and what it couldn't score.

    Our instructions replace ragas' English ones, and its English examples are left out: judges of Swedish do worse by them.
    """
    due = {name: view for name, view in views.items() if not view.case.family and _has_answer(view)}
    if not settings.model_base_url:  # the client's own default is a foreign host, to which nothing may be sent
        return _unscored("språkmodellens adress saknas i inställningarna"), ()
    if not due:
        return _unscored("inget svar att bedöma"), ()
    faithful, relevant = _judges(settings, next(iter(due.values())).encode)
    gate = asyncio.Semaphore(MODEL_AT_ONCE)

    async def score(case_id: str) -> dict[str, float | None]:
        view = due[case_id]
        asked = {"user_input": view.case.question, "response": metrics.response(view)}
        async with gate:
            supported = await faithful.ascore(**asked, retrieved_contexts=[one.quote for one in view.answer.citations])
            to_the_point = await relevant.ascore(**asked)
        return {"faithfulness": _number(supported.value), "answer_relevancy": _clipped(_number(to_the_point.value))}

    scores = _experiment(tuple(due), score)
    lost = tuple((case_id, name, "inget värde av språkmodellen") for case_id in due for name in JUDGED
                 if not _is_number(scores.get(case_id, {}).get(name)))
    return {name: _told([value for one in scores.values() if _is_number(value := one.get(name))], len(due)) for name in JUDGED}, lost


def _unscored(why: str) -> dict[str, dict[str, Any]]:
    return {name: {"value": None, "n": 0, "why": why} for name in JUDGED}


def _judges(settings: Settings, encode: metrics.Encode) -> tuple[Any, Any]:
    """(faithfulness, answer relevancy) with Swedish prompts, asking the authority's own endpoint and no other."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    ragas = _ragas()
    client = AsyncOpenAI(base_url=settings.model_base_url, api_key=settings.model_api_key.get_secret_value() or "-", max_retries=0,
                         timeout=settings.model_timeout_s, http_client=DefaultAsyncHttpxClient(trust_env=False))
    llm = ragas.llm_factory(settings.model_name, client=client, temperature=0.0)
    faithful = ragas.Faithfulness(llm=llm)
    relevant = ragas.AnswerRelevancy(llm=llm, embeddings=_embedding(encode), strictness=1)
    for prompt, told in ((faithful.statement_generator_prompt, _STATEMENTS), (faithful.nli_statement_prompt, _SUPPORTED),
                         (relevant.prompt, _ASKED)):
        prompt.instruction, prompt.examples, prompt.language = told, [], "swedish"
    return faithful, relevant


def _has_answer(view: View) -> bool:
    return view.answer.status in (Status.ANSWERED, Status.ANSWERED_WITH_HANDOFF) and bool(view.answer.citations)


# --- numbers ---------------------------------------------------------------------------------------------------------


def _number(value: Any) -> float | None:
    """A metric's value as a number; None for what it couldn't score."""
    if value in (RIGHT, WRONG):
        return float(value == RIGHT)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _clipped(value: float | None) -> float | None:
    return None if value is None else min(1.0, max(0.0, value))


def _held(scores: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if value is not None}


def _mean(values: Sequence[float]) -> dict[str, Any]:
    return {"value": sum(values) / len(values) if values else None, "n": len(values)}


def _told(values: Sequence[float | None], due: int) -> dict[str, Any]:
    held = [value for value in values if value is not None]
    lost = due - len(held)
    return {**_mean(held), "why": f"{lost} av {due} kunde inte bedömas" if lost else ""}
