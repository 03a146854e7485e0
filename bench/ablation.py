"""What each part of the ranking adds, by leaving it out, and what each gives alone.

    python -m bench.ablation --index DIR --questions FILE.jsonl [--questions FILE.jsonl] [--model DIR]

Every row is the shipped ranking with one part's weight at zero; the last rows keep that part only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from assistant import prefill, retrieve
from assistant.grounds import load
from assistant.grounds.load import Law
from assistant.retrieve import Evidence, Weights
from assistant.understand import understand
from bench.questions import asked, rows
from corpus import embed, index

WITHOUT = {
    "written lagrum": ("exact",), "ground finder": ("found",), "keywords": ("keyword",), "lexicon": ("expansion",),
    "embedding over the texts": ("vector",), "wordings, by words": ("wording_words",), "wordings, by embedding": ("wording_vector",),
    "wordings": ("wording_words", "wording_vector"), "embedding": ("vector", "wording_vector"),
    "rank of source": ("core", "note", "statute", "document", "press", "outdated"), "kind of question": ("secrecy", "breaking"),
    "family": ("family",),
}
ALONE = {"keywords": ("keyword",), "embedding over the texts": ("vector",), "keywords and embedding": ("keyword", "vector"),
         "ground finder": ("found",), "wordings": ("wording_words", "wording_vector")}


@dataclass(frozen=True)
class Gathered:
    """One question's candidates, and the references that answer it."""

    evidence: tuple[Evidence, ...]
    gold: frozenset[str]


def gathered(questions: list[dict], opened: index.Index, law: Law, seen: Callable = retrieve.said) -> list[Gathered]:
    out = []
    for row in questions:
        understood = understand(asked(row), opened.respelled)
        found = prefill.look_up(understood, law).refs
        evidence = retrieve.gather(understood, opened, found, seen(understood, opened))
        out.append(Gathered(evidence, frozenset({*row["gold"], *row.get("gold_any", [])})))
    return out


def figures(questions: list[Gathered], weights: Weights) -> tuple[float, float, float]:
    """(hit@1, hit@10, MRR@10)."""
    ranks = []
    for one in questions:
        ordered = sorted(one.evidence, key=lambda evidence: (-retrieve.score(evidence, weights), evidence.ref))
        ranks.append(next((n for n, evidence in enumerate(ordered[:10], 1) if evidence.ref in one.gold), 0))
    return (float(np.mean([rank == 1 for rank in ranks])), float(np.mean([rank > 0 for rank in ranks])),
            float(np.mean([1 / rank if rank else 0 for rank in ranks])))


def variants() -> list[tuple[str, Weights]]:
    names = [field.name for field in fields(Weights)]
    held = {name: getattr(Weights(), name) for name in names}
    without = [(f"without {what}", Weights(**{**held, **dict.fromkeys(parts, 0.0)})) for what, parts in WITHOUT.items()]
    alone = [(f"only {what}", Weights(**{name: held[name] if name in parts else 0.0 for name in names})) for what, parts in ALONE.items()]
    return [("all", Weights()), *without, *alone]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--questions", type=Path, action="append", required=True)
    args = parser.parse_args()
    opened, law = index.open_index(index.Settings(args.index, args.model), embed.encoder(args.model)), load.load()
    sets = [rows(path) for path in args.questions]
    whole = [gathered(questions, opened, law) for questions in sets]
    print("| ranking | " + " | ".join(f"{path.stem} hit@1 | hit@10 | MRR@10" for path in args.questions) + " |")
    print("|---|" + "---|" * 3 * len(sets))
    for name, weights in variants():
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for questions in whole for value in figures(questions, weights)) + " |")
    opened.respelled = lambda text: text  # type: ignore[method-assign]
    bare = [gathered(questions, opened, law) for questions in sets]
    print("| without mended spelling | " + " | ".join(f"{v:.3f}" for questions in bare for v in figures(questions, Weights())) + " |")


if __name__ == "__main__":
    main()
