"""The last gate before the database: free text with an identity number, or that no database can keep, is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assistant import guard

_KEPT_IDS = re.compile(r"(?<![\w-])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![\w-])")  # our own ids and digests; by chance some look like a number
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


class NotKept(ValueError):
    """The text can't be kept. ``kind``: the kind of identity number, or «tecken». The message never holds the value."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def admitted(text: str) -> str:
    """``text``, unchanged. Raises ``NotKept``."""
    if _UNKEPT.search(text):
        raise NotKept("tecken", "Texten innehåller tecken som inte kan sparas.")
    _stop_identity_number(text)
    return text


def admitted_all(value: Any) -> Any:
    """``value``, which is kept as JSON, unchanged, when no text, key or number in it is stopped. Raises ``NotKept``."""
    _stop_identity_number(" | ".join(_texts(value)))  # at once, which is faster; no number reaches across the bar
    return value


def _stop_identity_number(text: str) -> None:
    try:
        kind = guard.identity_number(_KEPT_IDS.sub(" ", text))
    except Exception as error:  # a guard that breaks must block
        raise NotKept("guard", "Texten kunde inte kontrolleras och sparas därför inte.") from error
    if kind:
        raise NotKept(kind, f"Texten ser ut att innehålla ett {kind} och sparas därför inte.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
