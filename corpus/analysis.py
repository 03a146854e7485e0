"""Swedish words for searching: fold, split, stem. The same analyser serves index and query.

Stemming is the one step with a clear gain (headings → paragraf R@10 .498 → .600); stop words change nothing measurable and
would cost «får», «ska» and «inte», which carry the law's meaning, so none are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from corpus import ours

_WORD = re.compile(r"[0-9a-zåäöéüæø]+(?::[0-9]+)?")
_HYPHEN = re.compile(r"(?<=[a-zåäöé])-\s*\n\s*(?=[a-zåäöé])(?!och\b|eller\b|samt\b)|\u00ad")
_SUSPENDED = re.compile(r"(?<=[a-zåäöé])-(?=[a-zåäöé])")
# Where the Swedish Snowball stemmer parts forms that belong together (myndighet → mynd, myndigheternas → myndighet).
_STEMS = {
    "barnet": "barn", "barnets": "barn", "barnen": "barn", "barnens": "barn", "skolan": "skol", "skolans": "skol",
    "skola": "skol", "myndigheternas": "mynd", "myndighetens": "mynd", "myndigheters": "mynd", "lämnats": "lämn",
    "lämnat": "lämn", "lämna": "lämn", "fått": "få", "får": "få", "fick": "få", "polisen": "polis", "polisens": "polis",
    "sjukvården": "sjukvård", "vården": "vård", "vårdens": "vård", "adressen": "adress", "eleven": "elev", "elever": "elev",
}
_LEXICON = Path(__file__).parent / "lexicon.yaml"


def fold(text: str) -> str:
    """Lower case, composed, line-end hyphens joined: what is compared, never what is shown."""
    return _HYPHEN.sub("", unicodedata.normalize("NFC", text).lower())


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("swedish")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The word's stem; ``word`` is folded."""
    return _STEMS.get(word) or _stemmer().stemWord(word)


def words(text: str) -> list[str]:
    """Folded words, «e-post» and «hälso-» kept as their parts."""
    return _WORD.findall(_SUSPENDED.sub(" ", fold(text)))


def tokens(text: str) -> list[str]:
    """Stemmed words of ``text``, in order."""
    return [stem(word) for word in words(text)]


@cache
def lexicon() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Staff's words → the statutes' words (``lexicon.yaml``), both as token runs."""
    rows = ours.read(_LEXICON.read_text(encoding="utf-8"))["words"]
    return tuple(
        (tuple(tokens(said)), tuple(tokens(" ".join(row["means"])))) for row in rows for said in row["said"]
    )


def expand(found: Iterable[str]) -> list[str]:
    """The statute's words that the lexicon knows for a run of query tokens; nothing the query already holds."""
    run = tuple(found)
    present = set(run)
    heard = {place: means for at in range(len(run)) for place, said, means in _by_first_word().get(run[at], ())
             if run[at:at + len(said)] == said}
    return list(dict.fromkeys(word for place in sorted(heard) for word in heard[place] if word not in present))


@cache
def _by_first_word() -> dict[str, list[tuple[int, tuple[str, ...], tuple[str, ...]]]]:
    """The lexicon by the first token of what is said, with each row's place in it."""
    rows: dict[str, list[tuple[int, tuple[str, ...], tuple[str, ...]]]] = {}
    for place, (said, means) in enumerate(lexicon()):
        rows.setdefault(said[0], []).append((place, said, means))
    return rows


def unwrapped(text: str) -> str:
    """``text`` on one line for reading: wrapped lines joined, real line-end hyphens closed («informations-\\nutbyte»)."""
    return " ".join(re.sub(r"(?<=\w{3})-\s*\n\s*(?=[a-zåäö]{3})(?!och\b|eller\b|samt\b)", "", text).split())
