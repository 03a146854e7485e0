"""Train the embedding that ships: a static sentence-transformers model (word pieces × dimensions, mean), from scratch.

    python -m corpus.train --passages passages.jsonl.xz [--questions FILE.jsonl ...] --out corpus/model

Pairs: heading → text under it, title → body, sentence → rest of its passage, and our own staff wordings → the note and
provision they ask for. Symmetric in-batch contrastive loss (a passage is told from the others of its batch). Same data,
seed and number of threads give the same model; the card records all three and the data's hash.
Needs the ``models`` extra (torch, sentence-transformers). 7 minutes on two cores for 225,000 pairs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import notes, questions

VOCABULARY = 32_000
DIMENSIONS = 128  # as good as 256 in a blend, measured on 70 questions
MAX_TOKENS = 160
SCALE = 20.0
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÅÄÖ])")


def passages(path: Path) -> Iterator[dict]:
    """The rows of a ``.jsonl`` or ``.jsonl.xz`` file."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def natural_pairs(rows: list[dict], rng: random.Random) -> list[tuple[str, str]]:
    """Pairs that the texts carry themselves: heading, title or one sentence → the text it belongs to."""
    pairs: list[tuple[str, str]] = []
    for row in rows:
        text = " ".join(row["text"].split())
        if len(text) < 80:
            continue
        heading = (row.get("heading") or "").split(" > ")[-1].strip()
        if 3 < len(heading) < 200:
            pairs.append((heading, text[:1500]))
        elif row["source"] == "gov" and 10 < len(row.get("title") or "") < 200:
            pairs.append((row["title"], text[:1500]))
        sentences = SENTENCE.split(text)
        if len(sentences) >= 3:
            at = rng.randrange(len(sentences))
            rest = " ".join(sentences[:at] + sentences[at + 1:])
            if 30 < len(sentences[at]) < 400:
                pairs.append((sentences[at], rest[:1500]))
    return pairs


def staff_pairs(held_out: frozenset[str]) -> list[tuple[str, str]]:
    """Staff's wordings → the note that answers them, leaving out the provisions in ``held_out``."""
    answers = {note.id: f"{note.title}. {note.short}" for note in notes.load()}
    return [(one.text, answers[one.note]) for one in questions.load() if one.ref not in held_out and one.note in answers]


def train(pairs: list[tuple[str, str]], extra: list[tuple[str, str]], *, epochs: int, seed: int, out: Path) -> dict:
    """Fit tokenizer and table on ``pairs`` (and ``extra``, seen four times as often) and save the model in ``out``."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    rng = random.Random(seed)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a word piece, not a password
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        (text for pair in pairs + extra * 2 for text in pair),
        trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=["[PAD]", "[UNK]"], show_progress=False))
    every = pairs + extra * 4
    left = _encode(tokenizer, [a for a, _ in every])
    right = _encode(tokenizer, [b for _, b in every])
    table = torch.nn.EmbeddingBag(tokenizer.get_vocab_size(), DIMENSIONS, mode="mean", padding_idx=0)
    torch.nn.init.normal_(table.weight, std=0.1)
    optimiser = torch.optim.Adam(table.parameters(), lr=0.02)
    batch = 1024
    steps = epochs * (len(every) // batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.02, 1 - step / steps))
    order = list(range(len(every)))
    started, seen = time.time(), 0
    for epoch in range(epochs):
        rng.shuffle(order)
        total = 0.0
        for at in range(0, len(order) - batch + 1, batch):
            rows = order[at:at + batch]
            a = torch.nn.functional.normalize(table(*_bag([left[n] for n in rows])))
            b = torch.nn.functional.normalize(table(*_bag([right[n] for n in rows])))
            scores = SCALE * a @ b.T
            target = torch.arange(batch)
            loss = (torch.nn.functional.cross_entropy(scores, target)
                    + torch.nn.functional.cross_entropy(scores.T, target)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            seen += 1
        print(f"epoch {epoch + 1}/{epochs}  loss {total / max(1, len(order) // batch):.3f}  {time.time() - started:.0f} s",
              flush=True)
    weights = table.weight.detach()
    weights[0] = 0
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights.half().float().numpy())])
    model.half()
    out.mkdir(parents=True, exist_ok=True)
    model.save(str(out), create_model_card=False)
    for path in out.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes 0600, unreadable to another user
    return {"pairs": len(pairs), "staff_pairs": len(extra), "epochs": epochs, "seed": seed, "threads": 2,
            "vocabulary": tokenizer.get_vocab_size(), "dimensions": DIMENSIONS, "steps": seen}


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return [one.ids[:MAX_TOKENS] or [1] for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


def _bag(rows: list[list[int]]) -> tuple[Any, Any]:
    import torch

    flat = torch.tensor([token for row in rows for token in row])
    offsets = torch.tensor([0, *(len(row) for row in rows[:-1])]).cumsum(0)
    return flat, offsets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "model")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20251201)
    parser.add_argument("--held-out", type=Path, help="file with one provision a line whose wordings stay out")
    args = parser.parse_args()
    rows = list(passages(args.passages))
    held = frozenset(args.held_out.read_text(encoding="utf-8").split("\n")) if args.held_out else frozenset()
    pairs = natural_pairs(rows, random.Random(args.seed))
    extra = staff_pairs(held)
    digest = hashlib.sha256()
    for a, b in pairs + extra:
        digest.update(a.encode() + b"\0" + b.encode() + b"\n")
    card = train(pairs, extra, epochs=args.epochs, seed=args.seed, out=args.out)
    card["data_sha256"] = digest.hexdigest()
    (args.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card))


if __name__ == "__main__":
    main()
