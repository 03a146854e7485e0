"""How fast it is, end to end: cold start, warm answers, build. Whole-process times are wall-clock and noisy; read the ratios.

    python -m bench.speed --index DIR [--questions FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from assistant import pipeline
from assistant.grounds import load
from assistant.types import Question
from corpus import embed, index

QUESTION = "Får vi på Försäkringskassan tipsa Skatteverket om svart lön?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--questions", type=Path, default=Path("evals/golden/staff_questions.jsonl"))
    args = parser.parse_args()
    cold = []
    for _ in range(3):
        started = time.perf_counter()
        command = [sys.executable, "-c", "from assistant.cli import main; main()", "ask", QUESTION, "--index", str(args.index), "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DELNINGSSTOD_RECORD": "false"})
        cold.append(time.perf_counter() - started)
    print(f"cold ask: median {sorted(cold)[1]:.1f} s of {', '.join(f'{one:.1f}' for one in cold)}")
    started = time.perf_counter()
    desk = pipeline.Desk(index.open_index(index.Settings(args.index), embed.encoder()), load.load())
    print(f"open index and rules in a running process: {time.perf_counter() - started:.2f} s, {len(desk.index)} passages")
    questions = [json.loads(line)["question"] for line in args.questions.read_text(encoding="utf-8").splitlines()]
    for text in questions[:5]:
        pipeline.answer(Question(text, date(2026, 11, 22)), desk)
    took = []
    for text in questions:
        started = time.perf_counter()
        pipeline.answer(Question(text, date(2026, 11, 22)), desk)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    at = {name: took[int(len(took) * share)] for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    print(f"warm answers, {len(took)} questions, one thread: " + ", ".join(f"{name} {value:.0f} ms" for name, value in at.items()))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
