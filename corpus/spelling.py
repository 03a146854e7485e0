"""Slips in a question mended against the words the index itself holds, so that «socialtjensten» finds what socialtjänsten finds.

Only a word the index has never seen is touched, and only toward a word that the notes, the wordings or the field's own statutes
use. What is shown is always as it was written; this is for searching.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from corpus import analysis, lagrum

MIN_LENGTH = 5  # a shorter word has too many neighbours
LONG = 9  # from here on two slips are allowed
_WORD = re.compile(rf"[^\W\d_]{{{MIN_LENGTH},}}")
_ASK_AT_MOST = 40  # unknown words a question; a long foreign text would cost a search each


def count(texts: Iterable[str]) -> dict[str, int]:
    """Every word of ``texts`` long enough to be mended to, with how often it is used."""
    counted = Counter(word for text in texts for word in analysis.words(text) if len(word) >= MIN_LENGTH and word.isalpha())
    return dict(sorted(counted.items()))


def mended(text: str, known: Callable[[str], bool], used: Mapping[str, int]) -> str:
    """``text`` with each word that is not ``known`` replaced by the nearest of ``used``; the more used of two equally near."""
    unknown = [word for word in dict.fromkeys(_WORD.findall(text)) if not _is_abbreviation(word) and not known(word.lower())]
    instead = {word: near for word in unknown[:_ASK_AT_MOST] if (near := _nearest(word.lower(), used))}
    return _WORD.sub(lambda match: instead.get(match[0], match[0]), text) if instead else text


def _is_abbreviation(word: str) -> bool:
    """«SSPF», «SkolL»; and «skoll», as many write the name of a statute."""
    return word[1:] != word[1:].lower() or word.lower() in _short_names()


@cache
def _short_names() -> frozenset[str]:
    return frozenset(name.short.lower() for name in lagrum.names())


def _nearest(word: str, used: Mapping[str, int]) -> str | None:
    most = 2 if len(word) >= LONG else 1
    found = process.extract(word, used.keys(), scorer=OSA.distance, score_cutoff=most, limit=8)
    # The first letter is seldom slipped on, and «obehandlad» is not a slip for «behandlad».
    near = [(distance, -used[one], one) for one, distance, _ in found if one[0] == word[0]]
    return min(near)[2] if near else None
