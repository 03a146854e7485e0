"""Every quote is an exact span of a stored passage of the version in force, or its claim is withheld and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from assistant.types import Citation, Claim
from corpus.index import Index
from corpus.passage import Passage


def holds(citation: Citation, passage: Passage | None, on: date) -> bool:
    """Whether ``citation`` quotes ``passage`` to the letter, and the passage applies on ``on``."""
    return (
        passage is not None
        and bool(citation.quote.strip())
        and 0 <= citation.start < citation.end <= len(passage.text)
        and passage.text[citation.start:citation.end] == citation.quote
        and hashlib.sha256(passage.text.encode()).hexdigest() == citation.passage_sha256
        and passage.ref == citation.ref
        and passage.applies(on)
    )


def verified(claims: Sequence[Claim], citations: Sequence[Citation], index: Index, on: date
             ) -> tuple[tuple[Claim, ...], tuple[Citation, ...], int]:
    """(claims that hold, their citations marked verified, how many claims were withheld).

    A claim falls with any one of its citations: a reader can't tell which half still stands.
    """
    good = {c.id: replace(c, verified=True) for c in citations if holds(c, index.by_id(c.passage_id), on)}
    kept = tuple(claim for claim in claims if claim.citation_ids and all(one in good for one in claim.citation_ids))
    used = {one for claim in kept for one in claim.citation_ids}
    return kept, tuple(good[c.id] for c in citations if c.id in used), len(claims) - len(kept)
