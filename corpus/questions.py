"""Staff's wordings: how people put a question, the provision it asks for, and the note that answers it.

Data in ``corpus/questions/*.yaml``: provision → note → wordings. A wording under ``lagen`` is answered by the provision's own
words. They are what a question is compared with first, and what the embedding is trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from corpus import ours
from corpus.passage import Passage

QUESTIONS = Path(__file__).parent / "questions"
LAW = "lagen"  # in the place of a note's id: the provision's own words answer
MIN_PER_NOTE = 3
MAX_CHARACTERS = 400


class QuestionsError(ValueError):
    """A file of wordings that can't be used; the message names file, provision and what to mend."""


@dataclass(frozen=True)
class Wording:
    """One wording: what is said, the provision (or document) asked for, and the id of the note that answers, or «lagen»."""

    text: str
    ref: str
    note: str


def load(root: Path = QUESTIONS) -> tuple[Wording, ...]:
    """Every wording under ``root``, in file order. Raises ``QuestionsError``."""
    return tuple(wording for path in sorted(root.glob("*.yaml")) for wording in _read(path))


def _read(path: Path) -> Iterator[Wording]:
    try:
        rows = ours.read(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise QuestionsError(f"{path.name}: not YAML: {error}") from error
    if not isinstance(rows, dict):
        raise QuestionsError(f"{path.name}: must map a provision to its notes and their wordings")
    for ref, notes in rows.items():
        if not isinstance(notes, dict):
            raise QuestionsError(f"{path.name}: {ref}: must map a note (or «{LAW}») to wordings")
        for note, lines in notes.items():
            where = f"{path.name}: {ref}: {note}"
            if not isinstance(lines, list) or not all(isinstance(line, str) and 0 < len(line.strip()) <= MAX_CHARACTERS for line in lines):
                raise QuestionsError(f"{where}: must list wordings of 1–{MAX_CHARACTERS} characters")
            if len(lines) < MIN_PER_NOTE:
                raise QuestionsError(f"{where}: {len(lines)} wordings, at least {MIN_PER_NOTE}")
            yield from (Wording(line.strip(), str(ref), str(note)) for line in lines)


def placed(wordings: Sequence[Wording], passages: Sequence[Passage]) -> tuple[tuple[int, str], ...]:
    """(position in ``passages``, text) of each wording whose answer is there; one for each wording of the law over time."""
    notes = {p.source.removeprefix("not:"): n for n, p in enumerate(passages) if p.kind == "not" and p.id.endswith("#0")}
    law: dict[str, list[int]] = {}
    for n, p in enumerate(passages):
        if p.zone == "paragraf":
            law.setdefault(p.ref, []).append(n)
    return tuple(
        (n, one.text) for one in wordings
        for n in (law.get(one.ref, ()) if one.note == LAW else (notes[one.note],) if one.note in notes else ())
    )
