"""How well questions are found and answered, on the production path.

    python -m bench.questions retrieval FILE.jsonl --index DIR      # gold / gold_any references among the hits
    python -m bench.questions answers FILE.jsonl --index DIR        # quotes, gold among citations, hand-off, abstention
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from datetime import date
from pathlib import Path

from assistant import pipeline, prefill, retrieve
from assistant.grounds import load
from assistant.types import Question, Turn
from assistant.understand import understand
from corpus import embed, index

AS_OF = date(2026, 11, 22)


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def asked(row: dict) -> Question:
    turns = tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history") or [])
    return Question(row["question"], date.fromisoformat(row["as_of"]) if row.get("as_of") else AS_OF, turns)


def spread(values: list[float]) -> str:
    """95 % interval of the mean over 2,000 resamplings."""
    rng = random.Random(1)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(2_000))
    return f"{statistics.fmean(values):.3f} [{means[50]:.3f}–{means[1949]:.3f}]"


def retrieval(questions: list[dict], opened: index.Index, show: bool) -> None:
    law = load.load()
    ranks: list[int | None] = []
    seconds = []
    for row in questions:
        gold = {*row["gold"], *row.get("gold_any", [])}
        started = time.perf_counter()
        understood = understand(asked(row), opened.respelled)
        hits = retrieve.search(understood, opened, 10, found=prefill.look_up(understood, law).refs)
        seconds.append(time.perf_counter() - started)
        refs = [hit.passage.ref for hit in hits]
        ranks.append(next((at for at, ref in enumerate(refs, 1) if ref in gold), None))
        if show and (ranks[-1] or 99) > 5:
            print(f"  {row['id']} rank {ranks[-1]}: {row['question'][:90]}\n      wanted {sorted(gold)[:3]}, found {refs[:4]}")
    for k in (1, 5, 10):
        print(f"hit@{k:<3} {spread([float(rank is not None and rank <= k) for rank in ranks])}")
    print(f"MRR@10  {spread([1 / rank if rank else 0.0 for rank in ranks])}")
    seconds.sort()
    print(f"ms      p50 {seconds[len(seconds) // 2] * 1000:.0f}, p95 {seconds[int(len(seconds) * 0.95)] * 1000:.0f}, n {len(questions)}")


def answers(questions: list[dict], opened: index.Index, show: bool) -> None:
    desk = pipeline.Desk(opened, load.load())
    full = some = handed = abstained = quotes = exact = 0
    seconds = []
    for row in questions:
        started = time.perf_counter()
        answer = pipeline.answer(asked(row), desk)
        seconds.append(time.perf_counter() - started)
        gold, cited = set(row["gold"]), {one.ref for one in answer.citations}
        full += gold <= cited
        some += bool(gold & cited) or not gold
        for one in answer.citations:
            passage = opened.by_id(one.passage_id)
            quotes += 1
            exact += bool(passage and passage.text[one.start:one.end] == one.quote and passage.applies(answer.as_of_date))
        expected, declined = row.get("handoff"), answer.status.value.startswith(("unanswerable", "refused"))
        expected = expected["expected"] if isinstance(expected, dict) else {True: "yes", False: "no"}.get(expected, "conditional")
        right_hand = expected == "conditional" or (expected == "yes") == (answer.handoff is not None)
        right_stop = (row.get("abstain", {}).get("expected") == "full") == declined
        handed += right_hand
        abstained += right_stop
        if show and not (gold <= cited and right_hand and right_stop):
            marks = "".join(("" if gold <= cited else "G", "" if right_hand else "H", "" if right_stop else "A"))
            where = answer.handoff.checklist if answer.handoff else "-"
            print(f"  {marks:3} {row['id']} {answer.status.value} {where}: {row['question'][:80]}\n"
                  f"      missing {sorted(gold - cited)}, cited {sorted(cited)}")
    seconds.sort()
    total = len(questions)
    print(f"quotes exact and in force {exact}/{quotes}; all gold cited {full}/{total}; some gold cited {some}/{total};"
          f" hand-off right {handed}/{total};"
          f" abstention right {abstained}/{total}; ms p50 {seconds[total // 2] * 1000:.0f}, p95 {seconds[int(total * 0.95)] * 1000:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["retrieval", "answers"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args()
    opened = index.open_index(index.Settings(args.index), embed.encoder())
    {"retrieval": retrieval, "answers": answers}[args.what](rows(args.file), opened, not args.quiet)


if __name__ == "__main__":
    main()
