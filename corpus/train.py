"""Train the embedding that ships: a static sentence-transformers model (word pieces × dimensions, mean), from scratch.

    python -m corpus.train --passages passages.jsonl.xz [--held-out FILE] --out corpus/model

Pairs: heading → text under it, title → body, sentence → rest of its passage; and of our own staff wordings: wording → the note
that answers it, wording → the provision's words, wording → another wording of the same provision. Symmetric in-batch
contrastive loss: a text is told from the others of its batch, but never from one about the same provision. Same data, seed and
number of threads give the same model; the card records all three and the data's hash. Needs the ``models`` extra (torch,
sentence-transformers). About 5 minutes on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import notes, questions

VOCABULARY = 32_000
DIMENSIONS = 128  # as good as 256 in a blend, measured on 70 questions
MAX_TOKENS = 160
BATCH = 1024
SCALE = 20.0
STAFF_TIMES = 3  # how often a staff pair is seen in an epoch, a natural pair once
LIKENESS = 2  # other wordings of the same provision that each wording is paired with
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÅÄÖ])")


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together. ``about``: the provision both are about, or an empty text."""

    left: str
    right: str
    about: str = ""


def passages(path: Path) -> Iterator[dict]:
    """The rows of a ``.jsonl`` or ``.jsonl.xz`` file."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def natural_pairs(rows: list[dict], rng: random.Random) -> list[Pair]:
    """Pairs that the texts carry themselves: heading, title or one sentence → the text it belongs to."""
    pairs: list[Pair] = []
    for row in rows:
        text = " ".join(row["text"].split())
        if len(text) < 80:
            continue
        heading = (row.get("heading") or "").split(" > ")[-1].strip()
        if 3 < len(heading) < 200:
            pairs.append(Pair(heading, text[:1500]))
        elif row["source"] == "gov" and 10 < len(row.get("title") or "") < 200:
            pairs.append(Pair(row["title"], text[:1500]))
        sentences = SENTENCE.split(text)
        if len(sentences) >= 3:
            at = rng.randrange(len(sentences))
            rest = " ".join(sentences[:at] + sentences[at + 1:])
            if 30 < len(sentences[at]) < 400:
                pairs.append(Pair(sentences[at], rest[:1500]))
    return pairs


def staff_pairs(rows: list[dict], held_out: frozenset[str], rng: random.Random) -> list[Pair]:
    """Staff's wordings → the note, the provision's words and other wordings; nothing of the provisions in ``held_out``."""
    answers = {note.id: f"{note.title}. {note.short}" for note in notes.load()}
    law = {_ref(row): " ".join(row["text"].split())[:1500] for row in rows if row.get("section")}
    asked = [one for one in questions.load() if one.ref not in held_out]
    together: dict[str, list[str]] = defaultdict(list)
    for one in asked:
        together[one.ref].append(one.text)
    pairs = []
    for one in asked:
        answer = (answers.get(one.note), law.get(one.ref))
        others = [text for text in together[one.ref] if text != one.text]
        pairs += [Pair(one.text, text, one.ref) for text in (*answer, *rng.sample(others, min(LIKENESS, len(others)))) if text]
    return pairs


def _ref(row: dict) -> str:
    chapter = f" {row['chapter']} kap." if row["chapter"] else ""
    return f"SFS {row['sfs']}{chapter} {row['section']} §"


def train(natural: list[Pair], staff: list[Pair], *, epochs: int, seed: int, out: Path) -> dict:
    """Fit tokenizer and table on the pairs, save the model in ``out``; its card."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    tokenizer = _tokenizer(natural + staff * 2)
    table = torch.nn.EmbeddingBag(tokenizer.get_vocab_size(), DIMENSIONS, mode="mean", padding_idx=0)
    torch.nn.init.normal_(table.weight, std=0.1)
    every = natural + staff * STAFF_TIMES
    steps = _fit(table, _numbers(tokenizer, every), epochs, random.Random(seed))
    _save(tokenizer, table, out)
    return {"pairs": len(natural), "staff_pairs": len(staff), "epochs": epochs, "seed": seed, "threads": 2,
            "vocabulary": tokenizer.get_vocab_size(), "dimensions": DIMENSIONS, "steps": steps}


def _tokenizer(pairs: list[Pair]) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a word piece, not a password
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        (text for pair in pairs for text in (pair.left, pair.right)),
        trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=["[PAD]", "[UNK]"], show_progress=False))
    return tokenizer


def _numbers(tokenizer: Any, pairs: list[Pair]) -> list[tuple[list[int], list[int], int]]:
    """(tokens, tokens, number of what the pair is about) of each pair; a pair about nothing has a number of its own."""
    about: dict[str, int] = {}
    numbers = [about.setdefault(pair.about, len(about)) if pair.about else -1 - n for n, pair in enumerate(pairs)]
    return list(zip(_tokens(tokenizer, [pair.left for pair in pairs]), _tokens(tokenizer, [pair.right for pair in pairs]), numbers,
                    strict=True))


def _tokens(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return [one.ids[:MAX_TOKENS] or [1] for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


def _fit(table: Any, rows: list[tuple[list[int], list[int], int]], epochs: int, rng: random.Random) -> int:
    import torch

    optimiser = torch.optim.Adam(table.parameters(), lr=0.02)
    steps = max(1, epochs * (len(rows) // BATCH))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.02, 1 - step / steps))
    started, done = time.time(), 0
    for epoch in range(epochs):
        rng.shuffle(rows)
        total = 0.0
        for at in range(0, len(rows) - BATCH + 1, BATCH):
            loss = _loss(table, rows[at:at + BATCH])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            done += 1
        print(f"epoch {epoch + 1}/{epochs}  loss {total / max(1, len(rows) // BATCH):.3f}  {time.time() - started:.0f} s", flush=True)
    return done


def _loss(table: Any, rows: list[tuple[list[int], list[int], int]]) -> Any:
    """How badly each left is told its right from the others of the batch, and the other way; others about the same don't count."""
    import torch

    lefts, rights, abouts = zip(*rows, strict=True)
    left, right = (torch.nn.functional.normalize(table(*_bag(side))) for side in (lefts, rights))
    about = torch.tensor(abouts)
    same = (about[:, None] == about[None, :]) & ~torch.eye(len(rows), dtype=torch.bool)
    scores = (SCALE * left @ right.T).masked_fill(same, -1e4)
    target = torch.arange(len(rows))
    return (torch.nn.functional.cross_entropy(scores, target) + torch.nn.functional.cross_entropy(scores.T, target)) / 2


def _bag(rows: Sequence[list[int]]) -> tuple[Any, Any]:
    import torch

    flat = torch.tensor([token for row in rows for token in row])
    offsets = torch.tensor([0, *(len(row) for row in rows[:-1])]).cumsum(0)
    return flat, offsets


def _save(tokenizer: Any, table: Any, out: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    weights = table.weight.detach()
    weights[0] = 0
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights.half().float().numpy())])
    model.half()
    out.mkdir(parents=True, exist_ok=True)
    model.save(str(out), create_model_card=False)
    for path in out.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes 0600, unreadable to another user


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "model")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20251201)
    parser.add_argument("--held-out", type=Path, help="file with one provision a line whose wordings stay out")
    parser.add_argument("--texts-only", action="store_true", help="without any wording: what the texts alone give, to compare with")
    args = parser.parse_args()
    rows = list(passages(args.passages))
    held = frozenset(args.held_out.read_text(encoding="utf-8").split("\n")) if args.held_out else frozenset()
    natural = natural_pairs(rows, random.Random(args.seed))
    staff = [] if args.texts_only else staff_pairs(rows, held, random.Random(args.seed))
    digest = hashlib.sha256("\n".join(f"{pair.left}\0{pair.right}" for pair in natural + staff).encode())
    card = train(natural, staff, epochs=args.epochs, seed=args.seed, out=args.out)
    card["data_sha256"] = digest.hexdigest()
    (args.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card))


if __name__ == "__main__":
    main()
