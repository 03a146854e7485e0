"""A run: every case asked over the production path, measured, and kept under the versions it was made with.

Two processes, because a question is computed and not waited for; each opens the index once. A case that breaks is a failed row, never
a missing one.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from assistant import cli, desk, pipeline
from assistant.settings import Settings
from assistant.types import Answer, Question, Status, Turn
from corpus import collect, embed, lagrum
from corpus import index as index_room
from evals import families, metrics
from evals.cases import Case
from evals.metrics import NAMES, Scores

ROOT = Path(__file__).resolve().parents[1]
GROUNDS = ROOT / "assistant" / "grounds"
PART = 8  # cases a process takes at a time: few enough to spread evenly, enough to be worth the way
SAMPLE = 40  # cases of each family in the fast subset
NEVER_FAIL = frozenset({"citation_exists", "citation_verbatim", "citation_in_force", "forbidden", "verdict", "rank"})
ROUTES = ("answer", "assess", "clarify", "decline")
Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Row:
    """One case as it went. ``seconds``: of the answer alone; ``error``: the class of what broke, with no content."""

    case: Case
    answer: Answer | None
    scores: Scores | None
    seconds: float
    error: str = ""

    @property
    def failed(self) -> tuple[str, ...]:
        """The measures it falls short by; an error is one."""
        return metrics.failed(self.scores) if self.scores else ("error",)

    def to_json(self) -> dict[str, Any]:
        """The row as it is kept: what was asked, expected, answered and measured."""
        case = cli.plain(self.case)
        asked = {name: case.pop(name) for name in ("id", "topic", "question", "as_of", "history")}
        # The grounds are dropped: they are the finder's own and long; the rest is what the review reads an answer from.
        answer = {name: value for name, value in cli.plain(self.answer).items() if name != "grounds"} if self.answer else None
        scores = asdict(self.scores) if self.scores else {}
        return {**asked, "family": self.case.family, "expected": case, "answer": answer, "scores": scores,
                "seconds": round(self.seconds, 4), "error": self.error, "failed": list(self.failed)}


@dataclass(frozen=True)
class Made:
    """What a run was made with: its name."""

    commit: str
    corpus: str
    rules: str
    subset: str

    @property
    def name(self) -> str:
        return "-".join((self.commit, self.corpus, self.rules, *(() if self.subset == "all" else (self.subset,))))


# --- which cases -----------------------------------------------------------------------------------------------------


def chosen(cases: Sequence[Case], subset: str) -> tuple[Case, ...]:
    """The cases of ``subset``: all, golden, families, fast, a family, a topic or an id. Empty when nothing is called so.

    fast: what needs only our notes, the rules and the guard, and a spread sample of each family; runs without the official texts.
    """
    if subset == "all":
        return tuple(cases)
    if subset in ("golden", "families"):
        return tuple(case for case in cases if bool(case.family) == (subset == "families"))
    if subset == "fast":
        sampled = [one for name in families.FAMILIES for one in _spread([case for case in cases if case.family == name], SAMPLE)]
        return (*(case for case in cases if not case.family and not case.needs_sources), *sampled)
    return tuple(case for case in cases if subset in (case.family, case.topic, case.id))


def _spread(cases: Sequence[Case], most: int) -> list[Case]:
    """At most ``most`` of ``cases``, evenly from first to last."""
    return [cases[at * len(cases) // most] for at in range(most)] if len(cases) > most else list(cases)


def unheld(case: Case, index: index_room.Index) -> tuple[str, ...]:
    """The references a right answer must cite whose text isn't in the index; a golden case wants the source's own words."""
    return tuple(ref for ref in case.must_cite
                 if not any(not case.needs_sources or index.kinds[n] != "not" for n in index.at(ref)))


# --- asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A run before it is kept. ``left_out``: case id → the references whose text isn't in the index."""

    rows: tuple[Row, ...]
    left_out: Mapping[str, tuple[str, ...]]
    corpus: str
    lookup: Mapping[bool, metrics.Lookup]  # by whether the case brings documents of its own
    encode: metrics.Encode


def ask_all(cases: Sequence[Case], settings: Settings, folder: Path | None, workers: int = 2, show: Show = lambda *_: None) -> Asked:
    """Every case, asked and measured. ``folder``: the index, if not the settings' own. Raises ``desk.NotReady``."""
    opened = _desk(folder)
    own = [case for case in cases if case.documents]
    left_out = {case.id: gone for case in cases if not case.documents and (gone := unheld(case, opened.index))}
    asked = [case for case in cases if not case.documents and case.id not in left_out]
    with _with_documents(own, settings, opened.index) as beside:
        left_out |= {case.id: gone for case in own if (gone := unheld(case, _desk(beside).index))}
        work = [(case, folder) for case in asked] + [(case, beside) for case in own if case.id not in left_out]
        rows = tuple(_spread_out(work, workers, show))
        held = {passage.id: passage for row in rows if row.case.documents and row.answer for one in row.answer.citations
                if (passage := _desk(beside).index.by_id(one.passage_id))}
    by_id = {row.case.id: row for row in rows}
    return Asked(tuple(by_id[case.id] for case in cases if case.id in by_id), left_out, opened.index.manifest.version,
                 {False: opened.index.by_id, True: held.get}, opened.index.encoder.encode)


@contextmanager
def _with_documents(cases: Sequence[Case], settings: Settings, index: index_room.Index) -> Iterator[Path | None]:
    """A small index of our notes, the documents that ``cases`` bring and the statutes they cite, for as long as it is needed; None
    when they bring none.
    """
    if not cases:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="delningsstod-evals-") as temporary:
        texts, folder = Path(temporary) / "texts", Path(temporary) / "index"
        texts.mkdir()
        for document in dict.fromkeys(one for case in cases for one in case.documents):
            name = re.sub(r"[^a-zåäö0-9]+", "-", document.title.lower()).strip("-")
            (texts / f"{name}.md").write_text(f"# {document.title}\n\n{document.text}\n", encoding="utf-8")
        paths = [texts, *_statutes(cases, index)]
        index_room.build(index_room.Settings(folder, settings.embedding), paths, embed.encoder(settings.embedding))
        yield folder


def _statutes(cases: Sequence[Case], index: index_room.Index) -> list[Path]:
    """The files that the index was built of which hold a statute that one of ``cases`` must cite."""
    cited = {address.sfs for case in cases for ref in case.must_cite if (address := lagrum.from_ref(ref))}
    wanted = {f"sfs-{sfs.replace(':', '-')}" for sfs in cited}
    return [path for path in collect.files(map(Path, index.manifest.paths)) if path.stem in wanted]


def _spread_out(work: Sequence[tuple[Case, Path | None]], workers: int, show: Show) -> Iterator[Row]:
    """The rows as they come, over ``workers`` processes; with one, in this process."""
    parts = [work[at:at + PART] for at in range(0, len(work), PART)]
    done = 0
    with _mapped(workers) as run:
        for rows in run(_part, parts):
            done += len(rows)
            show("Frågor", done, len(work))
            yield from rows


@contextmanager
def _mapped(workers: int) -> Iterator[Callable[..., Iterable[tuple[Row, ...]]]]:
    if workers <= 1:
        yield map
        return
    # Started anew, not forked: an open Chroma does not survive a fork.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield pool.map


def _part(work: Sequence[tuple[Case, Path | None]]) -> tuple[Row, ...]:
    return tuple(ask(case, _desk(folder)) for case, folder in work)


@cache
def _desk(folder: Path | None) -> pipeline.Desk:
    """An open desk as every command opens it, which keeps no record: nobody asked these questions. Opened once a process.

    One question goes ahead, so that no case is timed with the first question's start-up.
    """
    opened = replace(desk.ready(Settings(), folder=folder), record=None)
    pipeline.answer(Question("Vad är generalklausulen?", families.AS_OF), opened)
    return opened


def ask(case: Case, opened: pipeline.Desk) -> Row:
    """One case over the production path, measured. Whatever breaks is the row's error."""
    started = time.perf_counter()
    try:
        answer = pipeline.answer(question(case), opened)
        seconds = time.perf_counter() - started
        return Row(case, answer, metrics.score(case, answer, opened.index.by_id, opened.index.encoder.encode), seconds)
    except Exception as error:
        return Row(case, None, None, time.perf_counter() - started, error.__class__.__name__)


def question(case: Case) -> Question:
    """A case as the person would put it."""
    return Question(case.question, case.as_of, tuple(Turn("user", turn) for turn in case.history))


# --- what it came to -------------------------------------------------------------------------------------------------


def measures(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Name → value and how many cases it rests on. What rests on no case is left out, never shown as zero.

    What must never fail is counted over all rows; the rest over the golden ones, which the many generated ones would drown.
    """
    scored = [row for row in rows if row.scores]
    golden = [row for row in scored if not row.case.family] or scored
    out = {name: _mean(value for row in (scored if name in NEVER_FAIL else golden) if (value := getattr(row.scores, name)) is not None)
           for name in NAMES}
    out |= {"passed": _mean(not row.failed for row in rows)}
    for group in sorted({row.case.family or "golden" for row in rows}):
        out[f"passed:{group}"] = _mean(not row.failed for row in rows if (row.case.family or "golden") == group)
    out |= _routes(golden) | _handoffs(golden) | _abstentions(golden) | _seconds(rows)
    out["errors"] = {"value": float(sum(bool(row.error) for row in rows)), "n": len(rows)}
    return {name: one for name, one in out.items() if one["n"]}


def _mean(values: Iterable[float]) -> dict[str, float]:
    held = [float(value) for value in values]
    return {"value": statistics.fmean(held) if held else 0.0, "n": len(held)}


def route_of(status: Status) -> str:
    """The route that a status is the end of."""
    if metrics.stops(status):
        return "decline"
    return {Status.ANSWERED_WITH_HANDOFF: "assess", Status.CLARIFICATION_NEEDED: "clarify"}.get(status, "answer")


def _routes(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Precision and recall of each route. A case with several right endings counts as the one it got, if that is right."""
    pairs = [(row.answer.status if row.answer.status in row.case.status else row.case.status[0], row.answer.status)
             for row in rows if row.answer]
    routes = [(route_of(right), route_of(got)) for right, got in pairs]
    out = {}
    for name in ROUTES:
        out[f"route_precision:{name}"] = _mean(right == name for right, got in routes if got == name)
        out[f"route_recall:{name}"] = _mean(got == name for right, got in routes if right == name)
    return out


def _handoffs(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Precision over the hand-offs made, recall over the cases where one is due (the positives)."""
    judged = [row for row in rows if row.answer and row.scores and row.scores.handoff is not None]
    made = [row for row in judged if row.answer and row.answer.handoff]
    due = [row for row in judged if row.case.handoff]
    return {"handoff_precision": _mean(row.scores.handoff or 0.0 for row in made if row.scores),
            "handoff_recall": _mean(row.scores.handoff or 0.0 for row in due if row.scores)}


def _abstentions(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    judged = [row for row in rows if row.answer and row.scores and row.scores.abstention is not None]
    declined = [row for row in judged if row.answer and metrics.stops(row.answer.status)]
    due = [row for row in judged if metrics.stops(row.case.status[0])]
    return {"abstention_precision": _mean(row.scores.abstention or 0.0 for row in declined if row.scores),
            "abstention_recall": _mean(row.scores.abstention or 0.0 for row in due if row.scores)}


def _seconds(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    taken = sorted(row.seconds for row in rows)
    if not taken:
        return {}
    return {name: {"value": round(taken[min(len(taken) - 1, int(len(taken) * share))], 4), "n": len(taken)}
            for name, share in (("latency_p50", 0.5), ("latency_p95", 0.95))}


# --- kept ------------------------------------------------------------------------------------------------------------


def made_with(corpus: str, subset: str) -> Made:
    """The versions of code, corpus and rules that a run of ``subset`` is made with."""
    return Made(commit(), corpus, rules_version(), subset)


def commit(root: Path = ROOT) -> str:
    """The checked-out commit, with + where files were changed since; «utan-git» where there is no checkout."""
    def git(*args: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *args], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "utan-git"
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return "utan-git"


def rules_version(folder: Path = GROUNDS) -> str:
    """Fingerprint of the rules, their registers and steps, and the code that reads them."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def summary(asked: Asked, made: Made, seconds: float, judged: Mapping[str, Any]) -> dict[str, Any]:
    """All that is known of a run but its rows. ``judged``: what ragas made of it."""
    return {
        "name": made.name, **asdict(made), "made": datetime.now().isoformat(timespec="seconds"), "seconds": round(seconds, 1),
        "cases": len(asked.rows), "failed": sum(bool(row.failed) for row in asked.rows),
        "left_out": {name: list(refs) for name, refs in asked.left_out.items()}, "measures": measures(asked.rows), "ragas": dict(judged),
    }


def save(folder: Path, told: Mapping[str, Any], rows: Sequence[Row], page: str) -> None:
    """Rows, page and, last, summary: a run with a summary is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").unlink(missing_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


class NoRun(ValueError):
    """There is no such run; the message says so in Swedish."""


def find(name: str | None, base: Path) -> Path:
    """The folder of a run: a path, a name under ``base``, or with no name the latest."""
    if name is None:
        whole = sorted(base.glob("*/summary.json"), key=lambda path: path.stat().st_mtime)
        if not whole:
            raise NoRun(f"Det finns ingen körning i {base}. Gör en med «delningsstod evals run».")
        return whole[-1].parent
    for folder in (Path(name), base / name):
        if (folder / "summary.json").is_file():
            return folder
    raise NoRun(f"Körningen {name} finns inte i {base}.")


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(summary, rows) of a kept run. Raises ``NoRun`` when it can't be read."""
    try:
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise NoRun(f"Körningen i {folder} går inte att läsa ({error.__class__.__name__}).") from error
    return told, rows


# --- compared and held to the thresholds -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What a case did better or worse: the measures it no longer, or newly, falls short by."""

    id: str
    question: str
    measures: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Run B beside run A, case by case."""

    gains: tuple[Change, ...]
    losses: tuple[Change, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def compare(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Comparison:
    """What changed from rows ``a`` to rows ``b``; a case may both gain and lose."""
    before, after = ({row["id"]: row for row in rows} for rows in (a, b))
    both = [name for name in before if name in after]

    def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
        found = ((name, sorted(set(old[name]["failed"]) - set(new[name]["failed"]))) for name in both)
        return tuple(Change(name, new[name]["question"], tuple(gone)) for name, gone in found if gone)

    return Comparison(changes(before, after), changes(after, before), tuple(sorted(set(before) - set(after))),
                      tuple(sorted(set(after) - set(before))))


@dataclass(frozen=True)
class Breach:
    """A threshold that a run doesn't hold. ``value`` is None when the run has no such measure, which is no pass."""

    measure: str
    value: float | None
    limit: str


def gate(told: Mapping[str, Any], thresholds: Mapping[str, Any]) -> tuple[Breach, ...]:
    """The thresholds that a run with this summary breaks. Those of its subset hold, else those of «all»."""
    held = thresholds.get(told["subset"], thresholds["all"])
    values = {name: one["value"] for name, one in told["measures"].items()}
    values |= {"left_out": float(len(told["left_out"])), "cases": float(told["cases"]), "seconds": told["seconds"]}
    if told["ragas"].get("run"):
        values |= {"ragas_failures": float(len(told["ragas"]["failures"]))}
    low = [Breach(name, values.get(name), f"minst {limit:g}") for name, limit in held["min"].items()
           if (value := values.get(name)) is None or value < limit]
    high = [Breach(name, values.get(name), f"högst {limit:g}") for name, limit in held["max"].items()
            if (value := values.get(name)) is None or value > limit]
    return (*low, *high)
