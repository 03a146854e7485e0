"""The sentence-transformers door: texts → vectors.

The shipped model is a static one (word pieces × dimensions, mean). It is read with tokenizers and safetensors alone, which
gives the same vectors as sentence-transformers (checked by a test) in 0.4 s and 50 MiB instead of 16 s and 500 MiB. Any other
sentence-transformers model is taken by name or path and needs the ``models`` extra.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

SHIPPED = Path(__file__).parent / "model"


class EmbeddingError(RuntimeError):
    """The model can't be used; the message says in Swedish what to do."""


class Encoder(Protocol):
    """Texts to unit vectors. ``fingerprint`` names model and version: an index made with another must be rebuilt."""

    fingerprint: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32, one row a text, each of length 1 (or 0 for a text without known word pieces)."""
        ...


def encoder(model: str = "") -> Encoder:
    """The shipped model, or another by path or name."""
    path = Path(model) if model else SHIPPED
    if (path / "modules.json").is_file():
        modules = json.loads((path / "modules.json").read_text(encoding="utf-8"))
        if len(modules) == 1 and "StaticEmbedding" in modules[0]["type"]:
            return StaticEncoder(path / modules[0]["path"])
    elif not model:
        raise EmbeddingError(f"Ordmodellen saknas i {path}. Installera om paketet.")
    return SentenceTransformerEncoder(model or str(path))


class StaticEncoder:
    """A static model read without torch: the mean of a text's word-piece vectors."""

    def __init__(self, path: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            weights = load_file(str(path / "model.safetensors"))
        except Exception as error:
            raise EmbeddingError(f"Ordmodellen i {path} går inte att läsa ({error.__class__.__name__}).") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._table = next(iter(weights.values())).astype(np.float32)
        self.dimensions = self._table.shape[1]
        digest = hashlib.sha256((path / "tokenizer.json").read_bytes() + (path / "model.safetensors").read_bytes())
        self.fingerprint = f"static-{digest.hexdigest()[:16]}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, encoded in enumerate(self._tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            if encoded.ids:
                out[row] = self._table[encoded.ids].mean(axis=0)
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
        return out / np.where(lengths == 0, 1, lengths)


class SentenceTransformerEncoder:
    """Any model sentence-transformers loads, on one thread (two are 6–9 times slower per query on a shared machine)."""

    def __init__(self, model: str) -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EmbeddingError("Modellen kräver tillägget «models»: pip install 'delningsstod[models]'.") from error
        torch.set_num_threads(1)
        try:
            self._model = SentenceTransformer(model, local_files_only=True)
        except Exception as error:
            raise EmbeddingError(f"Modellen «{model}» finns inte på den här datorn ({error.__class__.__name__}).") from error
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = f"st-{hashlib.sha256(model.encode()).hexdigest()[:16]}-{self.dimensions}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False), np.float32)
