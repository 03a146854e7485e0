"""The smallest citable piece of a source, and what it is a piece of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property

# Rank of sources, highest first. A lower one never outweighs a higher one on what the law is.
KINDS = ("lag", "förordning", "förarbete", "beslut", "vägledning", "rapport", "not", "pressmeddelande")


@dataclass(frozen=True)
class Part:
    """A stycke or punkt of a passage: ``start:end`` counts characters in the passage's text."""

    stycke: int
    punkt: str | None
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A stored text that can be quoted. Dates are half-open: in force from ``valid_from`` up to, not including, ``valid_to``.

    ``status`` is «gällande», «förslag» (a proposal) or «äldre» (describes older law); ``zone`` says which part of the source
    it is: paragraf, övergång, bilaga, inledning, avsnitt or not.
    """

    id: str
    ref: str
    source: str
    title: str
    kind: str
    zone: str
    headings: tuple[str, ...]
    text: str
    parts: tuple[Part, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    version: str = ""
    published: date | None = None
    page: int | None = None
    url: str = ""
    status: str = "gällande"
    # Of a note: what it is about (``notes.KINDS``), the test it describes, and the other provisions it leans on.
    topic: str = ""
    test: str = ""
    also: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the stored text: what a citation is checked against."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def applies(self, on: date) -> bool:
        """Whether the passage is in force, or published, on ``on``."""
        if self.published and self.published > on:
            return False
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True)
class Source:
    """One source as it was read: its passages, and what a reader must know of how it was read."""

    id: str
    title: str
    kind: str
    passages: tuple[Passage, ...]
    law_as_of: date | None = None
    notes: tuple[str, ...] = ()
