"""What is kept of an answer, as a row of the audit trail: when, how it ended, on which versions and passages. Never the question's words.

The one exception is an answer that a person marks as wrong: then question and answer go to the legal team's queue, if nothing in them
points at a person.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from assistant import guard
from assistant.types import Answer, Question


def line(answer: Answer, *, corpus_version: str, milliseconds: float) -> dict[str, object]:
    """What is recorded of an answer: no text of the question or the answer, no personal data."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "answer_id": answer.answer_id, "status": answer.status.value,
        "as_of": answer.as_of_date.isoformat(), "corpus": corpus_version, "milliseconds": round(milliseconds, 1),
        "passages": [citation.passage_id for citation in answer.citations], "withheld": answer.withheld_claims,
        "handoff": answer.handoff.checklist if answer.handoff else None, "warnings": [w.code for w in answer.warnings],
    }


def impersonal(text: str) -> bool:
    """Whether ``text`` may be kept: the guard lets it through, and it seems to name nobody."""
    return guard.check_question(text) is None and not guard.names_person(text)


def report(question: Question, answer: Answer, reason: str, versions: dict[str, str]) -> dict[str, object]:
    """What is kept of an answer marked as wrong. When any word may point at a person: the answer's id and the versions only."""
    row: dict[str, object] = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "answer_id": answer.answer_id, "versions": versions}
    said = [question.text, *(turn.content for turn in question.history if turn.role == "user"), *([reason] if reason else [])]
    if not all(map(impersonal, said)):
        return row
    bare = replace(answer, grounds=(), handoff=replace(answer.handoff, prefill={}) if answer.handoff else None)
    return row | {"question": question.text, "as_of": question.as_of.isoformat(), "history": [asdict(turn) for turn in question.history],
                  "reason": reason, "answer": plain(bare)}


def plain(value: Any) -> Any:
    """``value`` as JSON takes it: dataclasses as objects, dates as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(one) for key, one in asdict(value).items()}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


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
