"""One append-only line per question: when, how it ended, on which versions and passages. Never the words of the question."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from assistant.types import Answer


def line(answer: Answer, *, corpus_version: str, milliseconds: float) -> dict[str, object]:
    """What is recorded of an answer: no text of the question or the answer, no personal data."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "answer_id": answer.answer_id, "status": answer.status.value,
        "as_of": answer.as_of_date.isoformat(), "corpus": corpus_version, "milliseconds": round(milliseconds, 1),
        "passages": [citation.passage_id for citation in answer.citations], "withheld": answer.withheld_claims,
        "handoff": answer.handoff.checklist if answer.handoff else None, "warnings": [w.code for w in answer.warnings],
    }


def append(path: Path, row: dict[str, object]) -> None:
    """Add one line, whole or not at all (one write, then fsync). Raises ``OSError``; the caller says so in the answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
