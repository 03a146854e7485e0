"""Learn how much each kind of evidence counts in the ranking, on staff's own wordings held out by provision.

    python -m corpus.train --passages passages.jsonl.xz --held-out half.txt --out /tmp/half
    delningsstod corpus build --add ... --model /tmp/half --index /tmp/half-index
    python -m bench.weights --index /tmp/half-index --model /tmp/half --held-out half.txt

A wording is asked as a question, with itself taken out of the index's wordings. Only wordings of held-out provisions are asked,
so that the embedding has seen none of them, and only of provisions with many wordings (``--least``): those staff meet, as in real
questions. Softmax over the candidates of each question, L2 toward weights set by hand; five folds by provision tell what an unseen
provision gains.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from assistant import prefill, retrieve
from assistant.grounds import load
from assistant.grounds.load import Law
from assistant.retrieve import Weights
from assistant.types import Question
from assistant.understand import understand
from bench.questions import AS_OF
from corpus import embed, index, questions

PARTS = tuple(field.name for field in fields(Weights))
BY_HAND = Weights(keyword=0.8, expansion=0.45, vector=1.5, wording_words=0.85, wording_vector=2.0, exact=4.0, found=0.9, core=0.45,
                  note=0.15, statute=0.0, document=-0.1, press=-0.35, outdated=-0.3, secrecy=0.3, breaking=0.3, family=-0.06)
# By decision, not by what wordings happen to show: a written lagrum leads, and law comes before what is said or was said of it.
FIXED = frozenset({"exact", "document", "press", "outdated"})
CANDIDATES = 80
FOLDS = 5
ITSELF = 0.9995  # cosine from which a wording is taken to be the question itself


@dataclass(frozen=True)
class Asked:
    """One wording asked: its candidates' evidence (rows × parts) and which of them is right."""

    ref: str
    table: np.ndarray
    right: np.ndarray


def asked(wording: questions.Wording, opened: index.Index, law: Law) -> Asked | None:
    """The wording as a question; None when its provision is not among the candidates."""
    understood = understand(Question(wording.text, AS_OF), opened.respelled)
    seen = retrieve.said(understood, opened)
    own = seen.near >= ITSELF
    words = np.where(own, 0, seen.words)
    seen = replace(seen, words=words / max(float(words.max(initial=0)), 1e-9), near=np.where(own, 0, seen.near))
    evidence = retrieve.gather(understood, opened, prefill.look_up(understood, law).refs, seen)
    ranked = sorted(evidence, key=lambda one: -retrieve.score(one, BY_HAND))
    kept = [one for n, one in enumerate(ranked) if n < CANDIDATES or one.ref == wording.ref]
    right = np.array([one.ref == wording.ref for one in kept])
    if not right.any():
        return None
    return Asked(wording.ref, np.array([[one.parts.get(part, 0.0) for part in PARTS] for one in kept]), right)


def learned(rows: list[Asked], start: np.ndarray, l2: float) -> np.ndarray:
    """Weights that put the right candidate first; a provision counts by the root of how many wordings it has."""
    count = Counter(row.ref for row in rows)
    free = np.array([part not in FIXED for part in PARTS])
    scale = 3.0  # the start's scores as softmax logits

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = 0.0, np.zeros_like(w)
        for row in rows:
            weight = count[row.ref] ** -0.5
            logits = scale * row.table @ w
            logits -= logits.max()
            p = np.exp(logits)
            p /= p.sum()
            inside = p[row.right].sum()
            total -= weight * np.log(max(inside, 1e-12))
            target = np.where(row.right, p / max(inside, 1e-12), 0.0)
            gradient += weight * scale * row.table.T @ (p - target)
        away = w - start
        return total + l2 * away @ away, np.where(free, gradient + 2 * l2 * away, 0.0)

    found: np.ndarray = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return found


def figures(rows: list[Asked], weights: np.ndarray) -> dict[str, float]:
    """hit@1, hit@10 and MRR@10, mean over the questions."""
    ranks = [int((row.table @ weights > (row.table @ weights)[row.right].max()).sum()) + 1 for row in rows]
    return {"hit@1": float(np.mean([r <= 1 for r in ranks])), "hit@10": float(np.mean([r <= 10 for r in ranks])),
            "MRR@10": float(np.mean([1 / r if r <= 10 else 0 for r in ranks]))}


def by_fold(rows: list[Asked], start: np.ndarray, l2: float) -> dict[str, float]:
    """Mean figures on the provisions left out of each fold."""
    refs = sorted({row.ref for row in rows})
    random.Random(1).shuffle(refs)
    out = []
    for fold in range(FOLDS):
        out_refs = set(refs[fold::FOLDS])
        weights = learned([row for row in rows if row.ref not in out_refs], start, l2)
        out.append(figures([row for row in rows if row.ref in out_refs], weights))
    return {name: float(np.mean([one[name] for one in out])) for name in out[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--l2", type=float, default=20.0)
    parser.add_argument("--least", type=int, default=8, help="wordings that a provision must have")
    args = parser.parse_args()
    opened, law = index.open_index(index.Settings(args.index, args.model), embed.encoder(args.model)), load.load()
    held = frozenset(args.held_out.read_text(encoding="utf-8").splitlines())
    count = Counter(one.ref for one in questions.load())
    wordings = [one for one in questions.load() if one.ref in held and count[one.ref] >= args.least]
    rows = []
    for n, wording in enumerate(wordings, 1):
        row = asked(wording, opened, law)
        rows += [row] if row else []
        if n % 200 == 0:
            print(f"{n} of {len(wordings)}", file=sys.stderr)
    start = np.array([getattr(BY_HAND, part) for part in PARTS])
    weights = learned(rows, start, args.l2)
    card = {"asked": len(wordings), "among_candidates": len(rows), "provisions": len({row.ref for row in rows}), "l2": args.l2,
            "before": figures(rows, start), "held_out_by_provision": by_fold(rows, start, args.l2)}
    made = dict(zip(PARTS, (round(float(w), 3) for w in weights), strict=True))
    print(json.dumps({"weights": made, **card}, indent=1))


if __name__ == "__main__":
    main()
