"""The vocabulary that questions are read with (``words.yaml``), as compiled patterns."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from corpus import ours

_FILE = Path(__file__).with_suffix(".yaml")


@cache
def _all() -> dict[str, Any]:
    words: dict[str, Any] = ours.read(_FILE.read_text(encoding="utf-8"))
    return words


@cache
def pattern(name: str, before: str = "", after: str = "") -> re.Pattern[str]:
    """Any line of the list ``name``, with ``before`` and ``after`` around the alternatives."""
    lines = "|".join(_all()[name])
    return re.compile(f"{before}(?:{lines}){after}" if before or after else lines, re.IGNORECASE | re.MULTILINE)


def any_of(name: str) -> str:
    """The lines of the list ``name`` as one group, to build a larger pattern with."""
    return f"(?:{'|'.join(_all()[name])})"


@cache
def table(name: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The named lists under ``name``, in order, each as (key, pattern)."""
    return tuple((key, re.compile("|".join(lines), re.IGNORECASE)) for key, lines in _all()[name].items())


@cache
def names(name: str) -> frozenset[str]:
    """The words of the text ``name``."""
    return frozenset(_all()[name].split())
