"""The text in force on a day.

A consolidated text carries the wordings to come beside those in force, told apart by markers such as
«/Träder i kraft I:2026-03-01/» and «/Upphör att gälla U:2026-03-01/». An interval is half-open: a wording applies from its I
date and up to, not including, its U date. The raw text is filtered first and parsed afterwards; the other way round leaves
two paragrafer with one number.

The markers only tell of changes that lay ahead when the text was consolidated. What an earlier wording said can't be had
from them.
"""

from __future__ import annotations

import re
from datetime import date

from corpus.layout import MARKER, Block, Kind, blocks

_ENDS = {
    "rubrik": frozenset(Kind),
    "paragraf": frozenset({Kind.PARAGRAF, Kind.RUBRIK, Kind.KAPITEL, Kind.AVDELNING, Kind.OVERGANG, Kind.BILAGA}),
    "kapitlet": frozenset({Kind.KAPITEL, Kind.AVDELNING, Kind.OVERGANG, Kind.BILAGA}),
    "bilagan": frozenset({Kind.BILAGA, Kind.OVERGANG}),
    "övergång": frozenset({Kind.OVERGANG_SFS}),
}


def in_force(text: str, on: date) -> str:
    """``text`` (line ends as \\n) without the wordings that don't apply on ``on`` and without the markers.

    «den dag som regeringen bestämmer» is not in force, and never ends what is.
    """
    kept: list[str] = []
    dead: str | None = None  # the scope that a dead marker opened and nothing has closed yet
    at = 0
    found = blocks(text)
    for block in found:
        gap = text[at:block.start]
        at = block.end
        if dead and block.kind in _ENDS[dead]:
            dead = None
        verdict = _verdict(block, on)
        if verdict:
            dead = dead if dead == "kapitlet" else verdict
        if not dead:
            kept += [gap, _without_markers(block)]
    return "".join(kept).strip() + "\n" if kept else ""


def changes(text: str) -> tuple[date, ...]:
    """The days on which a wording in ``text`` begins or ends, in order."""
    days = {date.fromisoformat(m["when"]) for m in MARKER.finditer(text) if m["when"][:1].isdigit()}
    return tuple(sorted(days))


def _verdict(block: Block, on: date) -> str | None:
    """The scope that ``block`` closes off on ``on``, or None when it applies."""
    head = block.text[: block.body] if block.kind is Kind.PARAGRAF else block.text
    for marker in MARKER.finditer(head):
        if applies(marker, on):
            continue
        scope = (marker["scope"] or "").lower()
        if scope == "rubriken":
            return "rubrik"
        if scope:
            return scope
        if block.kind is Kind.OVERGANG_SFS:
            return "övergång"
        return "paragraf" if block.kind is Kind.PARAGRAF else "rubrik"
    return None


def applies(marker: re.Match[str], on: date) -> bool:
    """Whether what ``marker`` stands on applies on ``on``."""
    known = marker["when"][:1].isdigit()
    when = date.fromisoformat(marker["when"]) if known else None
    if marker["edge"].upper() == "I":
        return when is not None and when <= on
    return when is None or on < when


def _without_markers(block: Block) -> str:
    text = MARKER.sub("", block.text[: block.body]) + block.text[block.body:]
    if block.kind is Kind.PARAGRAF:
        head = re.sub(r"§\s*$", "§ ", MARKER.sub("", block.text[: block.body]))
        return head.lstrip() + block.text[block.body:]
    return MARKER.sub("", text).lstrip()
