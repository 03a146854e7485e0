"""Our own knowledge notes: Markdown files in Swedish, each explaining one provision or one point of a report.

The format is described in ``corpus/notes/README.md``. Loading checks everything and names file and reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from corpus import ours
from corpus.passage import Passage

NOTES = Path(__file__).parent / "notes"

KINDS = frozenset(
    ["grund", "skyldighet", "sekretess", "grundregel", "ordning", "prov", "datum", "oppen_fraga", "rapport", "kanal", "term"]
)
SECTIONS = ("Villkor", "Exempel", "Tänk på")
MAX_SHORT_WORDS = 60

_REF = re.compile(
    r"SFS \d{4}:\d+(?: \d+(?: [a-z])? kap\.)?(?: \d+(?: [a-z])? §)?|SFS \d{4}:\d+ bilaga|(?:seed|gov|doc):\S+"
)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_KEYS = frozenset(
    ["id", "title", "ref", "also", "kind", "sfs", "valid_from", "valid_to", "test", "read_against", "reviewed_by", "reviewed_on"]
)


class NoteError(ValueError):
    """A note that can't be used; the message names the file and what to mend."""


@dataclass(frozen=True)
class Note:
    """One note. ``sections`` maps a heading of ``SECTIONS`` to its text. How staff ask for it: ``corpus/questions/``."""

    id: str
    title: str
    ref: str
    also: tuple[str, ...]
    kind: str
    sfs: str | None
    valid_from: date | None
    valid_to: date | None
    test: str | None
    read_against: str | None
    reviewed_by: str | None
    reviewed_on: date | None
    short: str
    sections: dict[str, str]
    body: str


def load(root: Path = NOTES) -> tuple[Note, ...]:
    """Every note under ``root``, ordered by id. Raises ``NoteError`` naming the first file that is wrong."""
    notes = [read(path) for path in sorted(root.rglob("*.md")) if path.name != "README.md"]
    seen: dict[str, str] = {}
    for note in notes:
        if note.id in seen:
            raise NoteError(f"{note.id}: two notes carry this id")
        seen[note.id] = note.title
    return tuple(sorted(notes, key=lambda note: note.id))


def read(path: Path) -> Note:
    """One note file, checked."""

    def wrong(reason: str) -> NoteError:
        return NoteError(f"{path.parent.name}/{path.name}: {reason}")

    text = path.read_text(encoding="utf-8")
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0]:
        raise wrong("must begin with a front matter between two lines of ---")
    try:
        head = ours.read(parts[1])
    except yaml.YAMLError as error:
        raise wrong(f"front matter is not YAML: {error}") from error
    if not isinstance(head, dict) or set(head) != _KEYS:
        raise wrong(f"front matter must have exactly the keys {', '.join(sorted(_KEYS))}; "
                    f"differs in {', '.join(sorted(set(head or ()) ^ _KEYS))}")
    if head["id"] != path.stem or not _ID.fullmatch(path.stem):
        raise wrong("id must equal the file name and hold only a-z, 0-9 and hyphen")
    for ref in (head["ref"], *(head["also"] or ())):
        if not isinstance(ref, str) or not _REF.fullmatch(ref):
            raise wrong(f"not a canonical reference: {ref!r}")
    if head["kind"] not in KINDS:
        raise wrong(f"unknown kind {head['kind']!r}; one of {', '.join(sorted(KINDS))}")
    for key in ("valid_from", "valid_to", "reviewed_on"):
        if head[key] is not None and not isinstance(head[key], date):
            raise wrong(f"{key} must be a date YYYY-MM-DD or null")
    short, sections = _sections(parts[2], wrong)
    return Note(
        id=head["id"], title=str(head["title"]), ref=head["ref"], also=tuple(head["also"] or ()), kind=head["kind"],
        sfs=head["sfs"], valid_from=head["valid_from"], valid_to=head["valid_to"], test=head["test"],
        read_against=head["read_against"], reviewed_by=head["reviewed_by"], reviewed_on=head["reviewed_on"],
        short=short, sections=sections, body=parts[2].strip(),
    )


def _sections(body: str, wrong: Callable[[str], NoteError]) -> tuple[str, dict[str, str]]:
    first, *rest = re.split(r"^## +(.+?) *$", body.strip(), flags=re.M)
    first = first.strip()
    if not first.startswith("Kort: ") or "\n\n" in first:
        raise wrong("the body must begin with one paragraph «Kort: …»")
    short = " ".join(first.removeprefix("Kort: ").split())
    if len(short.split()) > MAX_SHORT_WORDS:
        raise wrong(f"«Kort» has {len(short.split())} words, at most {MAX_SHORT_WORDS}")
    sections = dict(zip(rest[::2], (text.strip() for text in rest[1::2]), strict=True))
    for heading, text in sections.items():
        if heading not in SECTIONS:
            raise wrong(f"unknown section «{heading}»; one of {', '.join(SECTIONS)}")
        if not text:
            raise wrong(f"section «{heading}» is empty")
    return short, sections


def passages(note: Note) -> Iterator[Passage]:
    """A note as passages: one for «Kort», one for each section. Their ``ref`` is the provision the note explains."""
    pieces = [("Kort", note.short), *note.sections.items()]
    for number, (heading, text) in enumerate(pieces):
        yield Passage(
            id=f"not:{note.id}#{number}", ref=note.ref, source=f"not:{note.id}", title=note.title, kind="not", zone="not",
            headings=(note.title, heading), text=text, valid_from=note.valid_from, valid_to=note.valid_to,
            version=note.sfs or "", status="gällande", topic=note.kind, test=note.test or "", also=note.also,
        )
