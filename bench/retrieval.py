"""Ours beside stock LangChain, Haystack and txtai: the same texts, the same questions, one run, three sizes of corpus.

    /tmp/peers/bin/python -m bench.retrieval --size core --size official --size large --texts /tmp/texts --out docs/retrieval.json \
        --report docs/retrieval.md                          # the venv: bench/requirements-peers.txt

A hit is a piece of text that overlaps the characters of a provision the question asks for, so that systems that cut their
texts differently are judged alike. Every system and size runs in a process of its own, on one thread.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bench.peers import PEERS, STOCK, Text, whole

OFFICIAL = Path(__file__).parents[2] / "shared" / "official"
QUESTIONS = Path(__file__).parents[2] / "shared" / "evals" / "retrieval_dev.jsonl"
SIZES = ("core", "official", "large")
CORE = ("2009:400", "2024:307", "2025:170", "2017:900", "1949:105", "2025:400", "2010:659", "2010:800", "2009:641", "2008:355",
        "2010:110", "2011:1244", "1991:481", "1993:387", "2005:716")
OURS = "ours"
GROUPS = ("as it comes", "given our embedding", "given our notes and our or another embedding")
NOTES = "+notes"
READ = 4_000  # characters: about what a reader takes in, or a model is given
DEEPEST = 40  # how far down is asked when ten pieces are shorter than that
WARM_UP = 5
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_QUIET = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "HAYSTACK_TELEMETRY_ENABLED": "False",
          "TOKENIZERS_PARALLELISM": "false", "LANGSMITH_TRACING": "false", "PYTHONWARNINGS": "ignore"}
_FORORDNING = re.compile(r"förordning|kungörelse|tillkännagivande|cirkulär|instruktion", re.I)
_ZONES = {"body": "paragraf", "trans": "övergång", "bilaga": "bilaga"}

Place = tuple[int, int, int]  # text, start, end
Asked = Callable[[dict, int], list[tuple[Any, int]]]  # (question row, how many) → (place or passage id, characters)


# --- the corpus, once as ours and once as plain texts ----------------------------------------------------------------


def sources(size: str, official: Path) -> tuple[Any, ...]:
    """Our notes and the sources of a size, as ``corpus.passage.Source``."""
    from corpus import collect

    return (*collect.collect(paths(size, official)).sources, *(rows_as_sources(official) if size == "large" else ()))


def paths(size: str, official: Path) -> list[Path]:
    """The files of a size; none for ``large``, whose texts lie in one file of rows."""
    if size == "core":
        names = [f"sfs-{sfs.replace(':', '-')}" for sfs in CORE]
        files = [official / folder / f"{name}.{folder.removeprefix('sfs_')}" for name in names for folder in ("sfs_json", "sfs_md")]
        return [file for file in files if file.is_file()]
    return [official / name for name in ("seeds", "sfs_json", "sfs_md", "gov")] if size == "official" else []


def rows_as_sources(official: Path) -> Iterator[Any]:
    """The 135,769 rows as they were cut for us: one passage a row."""
    from corpus.passage import Source

    held: dict[str, list[Any]] = {}
    with lzma.open(official / "large" / "passages.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            passage = _passage(json.loads(line))
            held.setdefault(passage.source, []).append(passage)
    for name, passages in held.items():
        yield Source(name, passages[0].title, passages[0].kind, tuple(passages))


def _passage(row: Mapping[str, Any]) -> Any:
    from corpus.lagrum import Lagrum
    from corpus.passage import Passage

    headings = tuple(row["heading"].split(" > ")) if row["heading"] else ()
    if not row["sfs"]:
        return _document(row, headings)
    zone = _ZONES[row["zone"]] if row["section"] or row["zone"] != "body" else "inledning"
    ref = f"SFS {row['sfs']} bilaga" if zone == "bilaga" else Lagrum(row["sfs"], row["chapter"], row["section"]).ref
    return Passage(
        id=row["id"], ref=ref, source=f"sfs-{row['sfs'].replace(':', '-')}", title=row["title"],
        kind="förordning" if _FORORDNING.search(row["title"]) else "lag", zone=zone, headings=headings[1:],
        text=f"{row['section']} § {row['text']}" if row["section"] else row["text"], valid_from=_day(row["valid_from"], date.max),
        valid_to=_day(row["valid_to"], None), url=row["url"],
    )


def _day(written: str | None, unsaid: date | None) -> date | None:
    """A row's day; ``unsaid`` for «den dag regeringen bestämmer», which has not come."""
    return None if not written else date.fromisoformat(written) if written[0].isdigit() else unsaid


def _document(row: Mapping[str, Any], headings: tuple[str, ...]) -> Any:
    from corpus import collect
    from corpus.passage import Passage

    when = re.search(r"/((?:19|20)\d\d)/(\d\d)/", row["doc"])
    ref, kind = collect.address(Path(row["doc"] if row["source"] == "seed" else f"{row['doc']}.md"))
    published = date(int(when[1]), int(when[2]), 1) if when else None
    return Passage(
        id=row["id"], ref=ref, source=ref, title=row["title"] or "", kind=kind, zone="avsnitt", headings=headings[1:], text=row["text"],
        published=published, status="äldre" if published and published < collect.NEW_LAW else "aktuell", url=row["url"] or "",
    )


@dataclass(frozen=True)
class Span:
    """Where a passage of ours stands in the plain texts."""

    passage: str
    ref: str
    place: Place
    note: bool


def plain(gathered: Iterable[Any], rows: bool) -> Iterator[tuple[Text, list[Span]]]:
    """Each source as one running text with its headings; where the corpus comes as ``rows``, each row as a text."""
    number = 0
    for source in gathered:
        groups = [[passage] for passage in source.passages] if rows and source.kind != "not" else [source.passages]
        for passages in groups:
            yield _running(number, source, passages)
            number += 1


def _running(number: int, source: Any, passages: Sequence[Any]) -> tuple[Text, list[Span]]:
    text, spans, above = _single(source.title), [], ()
    for passage in passages:
        new = [_single(heading) for n, heading in enumerate(passage.headings) if passage.headings[:n + 1] != above[:n + 1]]
        above = passage.headings
        body = _single(passage.text)
        text = "\n\n".join((text, *new, ""))
        spans.append(Span(passage.id, passage.ref, (number, len(text), len(text) + len(body)), source.kind == "not"))
        text += body
    return Text(number, text, spans[0].place[1] if spans else 0, source.kind == "not"), spans


def _single(text: str) -> str:
    """``text`` without runs of spaces: txtai drops them, and what it cuts could not be followed back."""
    return re.sub(" +", " ", text).strip()


def prepare(size: str, official: Path, files: Sequence[Path], work: Path) -> None:
    """Write the plain texts, where every passage stands in them, and the questions that this corpus can answer."""
    work.mkdir(parents=True, exist_ok=True)
    held: set[str] = set()
    with (work / "texts.jsonl").open("w", encoding="utf-8") as texts, (work / "spans.jsonl").open("w", encoding="utf-8") as spans:
        for text, found in plain(sources(size, official), size == "large"):
            texts.write(json.dumps(asdict(text), ensure_ascii=False) + "\n")
            for one in found:
                spans.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
                held.update(() if one.note else (one.ref,))
    asked = [{**row, "set": file.stem} for file in files for row in _rows(file) if held.intersection(row["gold"])]
    (work / "questions.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")


def _rows(file: Path) -> Iterator[dict]:
    return (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


# --- one system, in a process of its own -----------------------------------------------------------------------------


def build_ours(size: str, official: Path, work: Path) -> dict[str, Any]:
    """Our index through the code that the product builds with. For ``large`` the reading of rows is not counted."""
    import hashlib

    from corpus import collect, embed, index

    settings = index.Settings(work / "index")
    shutil.rmtree(settings.folder, ignore_errors=True)
    started = time.perf_counter()
    if size != "large":
        index.build(settings, paths(size, official), embed.encoder())
        return {"build_s": time.perf_counter() - started, "build_mib": _peak()}
    gathered = collect.Collection(sources(size, official), ())
    digest = hashlib.sha256(b"large").hexdigest()
    started = time.perf_counter()
    index.write(settings, gathered, digest, embed.encoder())
    return {"build_s": time.perf_counter() - started, "build_mib": _peak()}


def open_ours(work: Path) -> tuple[Asked, dict[str, Any]]:
    """The production path: understand, look up the grounds, search."""
    from assistant import prefill, retrieve
    from assistant.grounds import load
    from assistant.understand import understand
    from bench.questions import asked
    from corpus import embed, index

    started = time.perf_counter()
    opened, law = index.open_index(index.Settings(work / "index"), embed.encoder()), load.load()

    def ask(row: dict, k: int) -> list[tuple[Any, int]]:
        understood = understand(asked(row), opened.respelled)
        hits = retrieve.search(understood, opened, k, found=prefill.look_up(understood, law).refs)
        return [(hit.passage.id, len(hit.passage.text)) for hit in hits]

    return ask, {"open_s": time.perf_counter() - started, "pieces": len(opened)}


def make_peer(system: str, size: str, work: Path, weights: Mapping[str, str]) -> tuple[Asked, dict[str, Any]]:
    """A peer, cut and indexed in memory. A follow-up is asked with what the person said before it."""
    from corpus.embed import encoder

    name, notes = system.removesuffix(NOTES), system.endswith(NOTES)
    with (work / "texts.jsonl").open(encoding="utf-8") as lines:
        texts = [one for one in (Text(**json.loads(line)) for line in lines) if notes or not one.note]
    model = encoder(weights.get(PEERS[name].weights, "")) if PEERS[name].dense else None
    started = time.perf_counter()
    chunks = list((whole if size == "large" else PEERS[name].cut)(texts))
    search = PEERS[name].make([one.content for one in chunks], model)
    places = [(one.number, one.start, one.end) for one in chunks]
    del texts, chunks

    def ask(row: dict, k: int) -> list[tuple[Any, int]]:
        said = [turn["content"] for turn in row.get("history") or [] if turn["role"] == "user"]
        return [(places[n], places[n][2] - places[n][1]) for n in search("\n".join((*said, row["question"])), k)]

    return ask, {"build_s": time.perf_counter() - started, "pieces": len(places)}


def measure(system: str, size: str, work: Path, weights: Mapping[str, str]) -> dict[str, Any]:
    """Ask every question: what was found, how long each took, and the most memory the process has held."""
    questions = json.loads((work / "questions.json").read_text(encoding="utf-8"))
    ask, out = open_ours(work) if system == OURS else make_peer(system, size, work, weights)
    for row in questions[:WARM_UP]:
        ask(row, 10)
    ms, found = [], []
    for row in questions:
        started = time.perf_counter()
        ten = ask(row, 10)
        ms.append((time.perf_counter() - started) * 1_000)
        found.append((ten, ten if sum(length for _, length in ten) >= READ else ask(row, DEEPEST)))
    out |= {"ms": ms, "query_mib": _peak()}
    if system == OURS:
        found = _placed(work, found)
    return {**out, "found": [[[place for place, _ in some] for some in pair] for pair in found]}


def _placed(work: Path, found: Sequence[Any]) -> list[Any]:
    """``found`` with places in the plain texts for our passages' ids. A note written since the texts were made has none."""
    wanted = {one for pair in found for some in pair for one, _ in some}
    at = {span.passage: span.place for span in _spans(work) if span.passage in wanted}
    return [[[(at.get(one, (-1, 0, length)), length) for one, length in some] for some in pair] for pair in found]


def _spans(work: Path) -> Iterator[Span]:
    with (work / "spans.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Span(row["passage"], row["ref"], tuple(row["place"]), row["note"])


def _peak() -> float:
    """MiB at most so far in this process. Not ``ru_maxrss``, which also holds what the parent had when it started us."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))[1]) / 1024


# --- judging -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """How one question went. ``rank``: of the first hit among ten; ``within``: a provision mostly inside the first characters."""

    id: str
    set: str
    rank: int | None
    recall: float
    within: bool


def judge(questions: Sequence[dict], found: Sequence[Any], spans: Mapping[str, Sequence[Place]]) -> list[Score]:
    """Each question's score. ``gold`` and ``gold_any`` are hits alike; recall is of ``gold``."""
    out = []
    for row, (ten, deep) in zip(questions, found, strict=True):
        wanted = [place for ref in {*row["gold"], *row.get("gold_any", [])} for place in spans.get(ref, ())]
        rank = next((at for at, place in enumerate(ten, 1) if _touches(place, wanted)), None)
        recall = statistics.fmean(any(_touches(place, spans.get(ref, ())) for place in ten) for ref in row["gold"])
        read = list(_first(deep, READ))
        out.append(Score(row["id"], row["set"], rank, recall, any(2 * _covered(read, one) >= one[2] - one[1] for one in wanted)))
    return out


def _touches(place: Sequence[int], wanted: Iterable[Place]) -> bool:
    number, start, end = place
    return any(one[0] == number and start < one[2] and one[1] < end for one in wanted)


def _first(places: Iterable[Sequence[int]], characters: int) -> Iterator[Place]:
    """The places that fill ``characters``, the last one cut."""
    for number, start, end in places:
        if characters <= 0:
            return
        yield number, start, min(end, start + characters)
        characters -= end - start


def _covered(read: Iterable[Place], one: Place) -> int:
    """How many characters of ``one`` stand in ``read``, each counted once."""
    parts = sorted((max(start, one[1]), min(end, one[2])) for number, start, end in read if number == one[0])
    total, reached = 0, one[1]
    for start, end in parts:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """The measures over questions, with 95 % intervals for two of them."""
    from bench.questions import spread

    hits = {k: [float(one.rank is not None and one.rank <= k) for one in scores] for k in (1, 5, 10)}
    first = [1 / one.rank if one.rank else 0.0 for one in scores]
    return {
        "n": len(scores), **{f"hit@{k}": round(statistics.fmean(values), 4) for k, values in hits.items()},
        "recall@10": round(statistics.fmean(one.recall for one in scores), 4), "mrr@10": round(statistics.fmean(first), 4),
        f"hit@{READ}": round(statistics.fmean(one.within for one in scores), 4),
        "hit@10 spread": spread(hits[10]), "mrr@10 spread": spread(first),
    }


# --- the run -------------------------------------------------------------------------------------------------------


def run(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Every system at every size. Earlier results in ``--out`` are kept for what this run doesn't measure."""
    rows = json.loads(args.out.read_text(encoding="utf-8")) if args.out and args.out.is_file() else []
    for size in args.size:
        work = args.work / size
        if state := _step(args, "prepare", size, "-").get("state"):
            raise SystemExit(f"{size}: the texts could not be prepared: {state}")
        for system in systems(args):
            measured = datetime.now().isoformat(timespec="minutes")
            row = {"size": size, "system": system, "measured": measured, **one(args, size, system, work)}
            rows = [old for old in rows if (old["size"], old["system"]) != (size, system)] + [row]
            rows.sort(key=lambda row: (SIZES.index(row["size"]), row["system"] != OURS))
            print(line(row), flush=True)
            if args.out:
                args.out.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return rows


def weights(args: argparse.Namespace) -> dict[str, str]:
    """The embeddings that peers are given besides ours, by name."""
    return {"minilm": args.minilm, "texts": args.texts}


def systems(args: argparse.Namespace) -> list[str]:
    """What this run measures: ours, every peer, and every peer with our notes among its documents («NAME+notes»)."""
    every = [OURS, *PEERS, *(name + NOTES for name in PEERS)]
    return [name for name in every if not args.only or name in args.only]


def one(args: argparse.Namespace, size: str, system: str, work: Path) -> dict[str, Any]:
    """One system at one size: its figures and costs, or why there are none."""
    peer = PEERS.get(system.removesuffix(NOTES))
    if peer and peer.weights and not weights(args)[peer.weights]:
        return {"state": "not measured: weights not at hand"}
    built: dict[str, Any] = {}
    if system == OURS:
        built = _step(args, "build", size, system)
    result = {**built, **_step(args, "measure", size, system)} if "state" not in built else built
    if "state" in result:
        return result
    questions = json.loads((work / "questions.json").read_text(encoding="utf-8"))
    wanted = {ref for row in questions for ref in (*row["gold"], *row.get("gold_any", []))}
    spans: dict[str, list[Place]] = {}
    for span in _spans(work):
        if span.ref in wanted and (not span.note or system == OURS or system.endswith(NOTES)):
            spans.setdefault(span.ref, []).append(span.place)
    scores = judge(questions, result.pop("found"), spans)
    ms = sorted(result.pop("ms"))
    return {
        **{key: round(value, 1) for key, value in result.items()}, "p50_ms": round(ms[len(ms) // 2], 1),
        "p95_ms": round(ms[int(len(ms) * 0.95)], 1), **figures(scores), "scores": [asdict(score) for score in scores],
        "sets": {name: figures([score for score in scores if score.set == name]) for name in sorted({score.set for score in scores})},
    }


def _step(args: argparse.Namespace, step: str, size: str, system: str) -> dict[str, Any]:
    """Run one step of this file in a process of its own; its result, or ``state`` with why there is none."""
    answer = args.work / size / f"{step}-{system}.json"
    answer.parent.mkdir(parents=True, exist_ok=True)
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.retrieval", "--step", step, "--system", system, "--size", size, "--work", str(args.work),
               "--official", str(args.official), "--answer", str(answer), "--minilm", args.minilm, "--texts", args.texts]
    for file in args.questions or [QUESTIONS]:
        command += ["--questions", str(file)]
    try:
        done = subprocess.run(command, env={**os.environ, **_QUIET, **dict.fromkeys(_THREADS, "1")}, timeout=args.limit,
                              capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        return {"state": f"stopped: over the limit of {args.limit} s"}
    if done.returncode or not answer.is_file():
        return {"state": f"failed ({done.returncode}): {(done.stderr.strip().splitlines() or ['no message'])[-1][:200]}"}
    return json.loads(answer.read_text(encoding="utf-8"))


def step(args: argparse.Namespace) -> None:
    """What a process of its own does: one step for one system, its result written to ``--answer``."""
    size, work = args.size[0], args.work / args.size[0]
    try:
        if args.step == "prepare":
            prepare(size, args.official, args.questions, work)
            result: dict[str, Any] = {}
        elif args.step == "build":
            result = build_ours(size, args.official, work)
        else:
            result = measure(args.system, size, work, weights(args))
    except ImportError as error:
        result = {"state": f"not installed: {error.name or error}"}
    args.answer.write_text(json.dumps(result), encoding="utf-8")


# --- showing -------------------------------------------------------------------------------------------------------


HEAD = ("system", "n", "hit@1", "hit@5", "hit@10 [95 %]", "recall@10", "MRR@10 [95 %]", f"hit@{READ}", "ms p50", "ms p95", "build s",
        "MiB asking", "MiB building", "pieces")


def title(system: str) -> str:
    """A system as it is called in tables."""
    if system == OURS:
        return "**ours**"
    return PEERS[system.removesuffix(NOTES)].title + (", with our notes" if system.endswith(NOTES) else "")


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of the table. A peer builds and answers in the same process, so it has one figure for memory."""
    if "state" in row:
        return [title(row["system"]), row["state"], *[""] * (len(HEAD) - 2)]
    return [
        title(row["system"]), f"{row['n']}", f"{row['hit@1']:.3f}", f"{row['hit@5']:.3f}", row["hit@10 spread"],
        f"{row['recall@10']:.3f}", row["mrr@10 spread"], f"{row[f'hit@{READ}']:.3f}",
        f"{row['p50_ms']:.1f}", f"{row['p95_ms']:.1f}", f"{row['build_s']:.0f}",
        f"{row['query_mib']:.0f}", f"{row['build_mib']:.0f}" if "build_mib" in row else "same", f"{row['pieces']:.0f}",
    ]


def line(row: Mapping[str, Any]) -> str:
    """The row in plain text."""
    if "state" in row:
        return f"{row['size']:9}{title(row['system']):60} {row['state']}"
    wide = (60, 3, 5, 5, 19, 5, 19, 5, 7, 7, 5, 6, 6, 7)
    return f"{row['size']:9}" + "  ".join(f"{cell:{width}}" for cell, width in zip(cells(row), wide, strict=True))


def lead(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many times the best peer's figure ours is, at each size where both were measured on as many questions."""
    out = []
    for size in dict.fromkeys(row["size"] for row in rows):
        here = {row["system"]: row for row in rows if row["size"] == size and "state" not in row}
        ours = here.pop(OURS, None)
        here = {name: row for name, row in here.items() if ours and row["n"] == ours["n"]}
        for measure_of in ("hit@10", f"hit@{READ}", "mrr@10") if ours else ():
            said = [f"{measure_of} {ours[measure_of]:.3f}"]
            for group in GROUPS:
                peers = [row for name, row in here.items() if _group(name) == group]
                if best := max(peers, key=lambda row: row[measure_of], default=None):
                    said.append(f"{_times(ours, best, measure_of)} the best peer {group} ({title(best['system'])})")
            if STOCK in here:
                said.append(f"{_times(ours, here[STOCK], measure_of)} stock LangChain's")
            out.append(f"{size}: " + "; ".join(said))
    return out


def _group(system: str) -> str:
    """What a peer was given of ours."""
    peer = PEERS[system.removesuffix(NOTES)]
    return GROUPS[2] if system.endswith(NOTES) else GROUPS[1] if peer.dense and not peer.weights else GROUPS[0]


def _times(ours: Mapping[str, Any], peer: Mapping[str, Any], of: str) -> str:
    return f"{ours[of] / peer[of]:.1f} times" if peer[of] else "something against nothing of"


def report(rows: Sequence[Mapping[str, Any]], to: Path) -> None:
    """The tables in Markdown, with the plot beside them."""
    days = sorted(row["measured"] for row in rows)
    out = ["# Retrieval, measured beside LangChain, Haystack and txtai", "",
           f"![hit@10 by system and size; milliseconds per query by size]({to.stem}.svg)", "",
           f"Measured {days[0]} to {days[-1]} with `python -m bench.retrieval`; one thread, each system and size in its own process.", ""]
    for size in dict.fromkeys(row["size"] for row in rows):
        here = [row for row in rows if row["size"] == size]
        out += [f"## {size}", "", "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
        out += ["| " + " | ".join(cells(row)) + " |" for row in here] + [""]
    out += ["## Ours against the best", "", *(f"- {one}" for one in lead(rows)), "", "## How to read this", "", *NOTES_ON_METHOD, ""]
    to.write_text("\n".join(out), encoding="utf-8")
    to.with_suffix(".svg").write_text(plot(rows), encoding="utf-8")


NOTES_ON_METHOD = (
    "- Sizes: `core`, the statutes of the field; `official`, all of them with the government's documents; `large`, 135,769 passages.",
    "- Peers get the same texts and cut them by their own defaults; at `large` the corpus comes cut and each row is one piece for all.",
    "- A question counts where the corpus holds at least one of its `gold` provisions.",
    "- A hit is any overlap with a `gold` or `gold_any` provision; recall is of `gold` alone.",
    f"- hit@{READ}: at least half of a wanted passage stands in the first {READ:,} characters of what was found, in rank order.",
    "- «with our notes»: our notes are among the peer's documents and a note on a wanted provision counts as a hit.",
    "- ms: one question after another in a warm process.",
    "- Building: ours reads the files too (not at `large`); a peer gets the texts ready.",
    "- Memory: the most the process has held. Ours is built in another process than the one that answers.",
    ("- No peer ships an embedding that knows Swedish. «text embedding» is one of the same kind as ours, trained on the texts alone: what a"
    " user could make of this corpus. «our embedding» is trained on staff's wordings too, and so carries our work into theirs."),
)


# --- the plot ------------------------------------------------------------------------------------------------------


COLOURS = ("#1b5e9e", "#c8553d", "#e0a458", "#8f4f28", "#b8b8b8", "#5b8c5a", "#a3c586", "#6d597a", "#b497bd", "#2a9d8f", "#7f7f7f",
           "#d4a5a5", "#3d405b")


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """hit@10 as bars grouped by size, and ms per query against the size of the corpus on two log scales."""
    shown = [row for row in rows if "state" not in row and not row["system"].endswith(NOTES)]
    names = [name for name in (OURS, *PEERS) if any(row["system"] == name for row in shown)]
    colour = dict(zip(names, COLOURS, strict=False))
    legend = [_square(20 + 470 * (n % 2), 455 + 22 * (n // 2), colour[name], title(name).strip("*")) for n, name in enumerate(names)]
    height = 470 + 22 * ((len(names) + 1) // 2)
    body = "".join((*_bars(shown, names, colour), *_lines(shown, names, colour), *legend))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 {height}" font-family="sans-serif" font-size="13" role="img">'
            f'<title>hit@10 by system and size, and milliseconds per query by size</title>'
            f'<rect width="980" height="{height}" fill="#fff"/>{body}</svg>\n')


def _bars(shown: Sequence[Mapping[str, Any]], names: Sequence[str], colour: Mapping[str, str]) -> Iterator[str]:
    left, floor, tall = 50, 400, 330
    sizes = list(dict.fromkeys(row["size"] for row in shown))
    group = 430 / max(len(sizes), 1)
    yield _label(left, 40, "hit@10")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = floor - share * tall
        yield _rule(left, y, left + 430, y) + _label(left - 8, y + 4, f"{share:.2f}", "end")
    for at, size in enumerate(sizes):
        yield _label(left + group * (at + 0.5), floor + 20, size, "middle")
        for n, name in enumerate(names):
            value = next((row["hit@10"] for row in shown if (row["size"], row["system"]) == (size, name)), None)
            if value is not None:
                wide = group * 0.85 / len(names)
                x, y = left + group * (at + 0.075) + n * wide, floor - value * tall
                yield (f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide - 1:.1f}" height="{value * tall:.1f}" fill="{colour[name]}">'
                       f'<title>{title(name).strip("*")}, {size}: {value:.3f}</title></rect>')


def _lines(shown: Sequence[Mapping[str, Any]], names: Sequence[str], colour: Mapping[str, str]) -> Iterator[str]:
    """Both axes in powers of ten: passages of our cutting from 1,000 to 1,000,000, and 0.1 ms to 10 s."""
    from math import log10

    left, floor, wide, tall = 560, 400, 370, 330
    passages = {row["size"]: row["pieces"] for row in shown if row["system"] == OURS}
    x = lambda n: left + (log10(n) - 3) / 3 * wide  # noqa: E731
    y = lambda ms: floor - (log10(max(ms, 0.1)) + 1) / 5 * tall  # noqa: E731
    yield _label(left, 40, "ms per query, p50, by passages in the corpus")
    for power in range(-1, 5):
        yield _rule(left, y(10**power), left + wide, y(10**power)) + _label(left - 8, y(10**power) + 4, f"{10**power:g}", "end")
    for power in range(3, 7):
        yield _label(x(10**power), floor + 20, f"{10**power:,}", "middle")
    for name in names:
        points = [(x(passages[row["size"]]), y(row["p50_ms"])) for row in shown if row["system"] == name and row["size"] in passages]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour[name]}" stroke-width="{3 if name == OURS else 1.5}"/>'
        yield "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour[name]}"/>' for a, b in points)


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222">{text}</text>'


def _rule(x: float, y: float, x2: float, y2: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def _square(x: float, y: float, colour: str, text: str) -> str:
    return f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{colour}"/>' + _label(x + 18, y, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", action="append", choices=SIZES, help="repeat for several; all three if left out")
    parser.add_argument("--questions", action="append", type=Path, help="JSONL with question, gold, gold_any; repeat for several")
    parser.add_argument("--only", action="append", help=f"{OURS} or a peer ({', '.join(PEERS)}); repeat for several")
    parser.add_argument("--official", type=Path, default=OFFICIAL)
    parser.add_argument("--texts", default="", help="folder of a model made by corpus.train with every wording held out")
    parser.add_argument("--minilm", default="", help="folder with the weights of all-MiniLM-L6-v2 for sentence-transformers")
    parser.add_argument("--limit", type=int, default=1_800, help="seconds for one system at one size")
    parser.add_argument("--work", type=Path, default=Path("/tmp/delningsstod-bench"))
    parser.add_argument("--out", type=Path, help="JSON; rows of earlier runs are kept where this one measures nothing")
    parser.add_argument("--report", type=Path, help="Markdown, with a plot of the same name beside it")
    for hidden in ("--step", "--system"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        step(args)
        return
    args.size = args.size or list(SIZES)
    rows = run(args)
    print("\n".join(lead(rows)))
    if args.report:
        report(rows, args.report)


if __name__ == "__main__":
    main()
