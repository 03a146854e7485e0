"""Files → sources: which reader takes a file, what a document counts as, and what was left out and why."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from corpus import documents, notes, statutes
from corpus.passage import Passage, Source

SUFFIXES = frozenset({".json", ".md", ".txt", ".html", ".htm", ".pdf", ".docx"})
# Documents on secrecy from before 10 kap. 15 a § OSL (SFS 2025:934) took effect describe older law.
NEW_LAW = date(2025, 12, 1)
MAX_FILES = 100_000
_NOT_SOURCES = frozenset({"README.md", "sources.lock.json"})
_GOVERNMENT = re.compile(r"(?P<kind>[a-z][a-z-]+)(?:/[a-z-]+)?/(?P<year>(?:19|20)\d\d)/(?P<month>\d\d)/[^/]+\.md$")
_SEED = re.compile(r"\d{3}_[0-9a-f]{16}\.txt")
_KINDS = {
    "pressmeddelanden": "pressmeddelande", "artiklar": "pressmeddelande", "debattartiklar": "pressmeddelande",
    "tal": "pressmeddelande", "regeringsuppdrag": "beslut", "overenskommelser-och-avtal": "beslut",
    "rattsliga-dokument": "förarbete", "remisser": "förarbete",
}
_PROPOSAL = re.compile(r"föresl[åo]|förslag|remiss|lagrådet|utredningen", re.I)


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why (Swedish)."""

    path: str
    reason: str


@dataclass(frozen=True)
class Collection:
    """What a build was given: the sources read, in a stable order, and the files left out."""

    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]


def files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Every readable file under ``paths``, sorted; links out of a given folder are not followed."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_file():
            found[path.resolve()] = None
            continue
        for folder, _, names in os.walk(path):
            for name in names:
                file = Path(folder) / name
                if file.suffix.lower() in SUFFIXES and not file.is_symlink() and name not in _NOT_SOURCES:
                    found[file.resolve()] = None
    return tuple(sorted(found))[:MAX_FILES]


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def collect(paths: Iterable[Path], progress: Callable[[int, int], None] = lambda *_: None) -> Collection:
    """Our notes and every file under ``paths``, read on all cores. ``progress`` is told (done, total)."""
    wanted = files(paths)
    sources: list[Source] = list(_notes())
    skipped: list[Skipped] = []
    for done, (path, result) in enumerate(zip(wanted, _read_all(wanted), strict=True), 1):
        if isinstance(result, Source):
            sources.append(result)
        else:
            skipped.append(Skipped(str(path), result))
        progress(done, len(wanted))
    return Collection(*_without_repeats(sources, skipped))


def _read_all(wanted: tuple[Path, ...]) -> Iterator[Source | str]:
    if len(wanted) < 40:
        yield from map(_try, wanted)
        return
    with ProcessPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(_try, wanted, chunksize=16)


def _try(path: Path) -> Source | str:
    try:
        return read(path)
    except (statutes.StatuteError, documents.DocumentError) as error:
        return str(error)
    except Exception as error:  # one broken file must not stop the rest; the class says what broke, never its content
        return f"kunde inte läsas ({error.__class__.__name__})"


def read(path: Path) -> Source:
    """One file as a source. Raises ``StatuteError`` or ``DocumentError``, in Swedish, when it can't be used."""
    if path.suffix == ".json":
        return statutes.read_json(path)
    if path.suffix == ".md":
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(600)
        if head.startswith("---\n") and re.search(r"^beteckning:", head, re.M):
            return statutes.read_markdown(path)
    return _document(path, documents.read(path))


def _document(path: Path, document: documents.Document) -> Source:
    known = _known().get(fingerprint(path))
    ref, kind = address(path)
    if known:
        return _as_source(ref, replace(document, title=known["title"], published=known["published"]), known["kind"], known["status"])
    text = "\n\n".join(section.text for section in document.sections[:12])
    published = document.published
    proposal = bool(_PROPOSAL.search(document.title) or (kind == "pressmeddelande" and _PROPOSAL.search(text[:1200])))
    if published is None and (years := re.findall(r"\b(?:den \d{1,2} [a-zåäö]+ )(20[0-3]\d)\b", text)):
        published = date(int(max(years)), 1, 1) if kind != "pressmeddelande" else None
    older = published is not None and published < NEW_LAW
    status = "förslag" if proposal and kind != "rapport" else "äldre" if older else "aktuell"
    return _as_source(ref, replace(document, published=published), kind, status)


@cache
def _known() -> dict[str, dict[str, Any]]:
    """Documents told by their bytes (``sources.toml``): title, kind, day and whether they describe law in force."""
    rows = tomllib.loads((Path(__file__).parent / "sources.toml").read_text(encoding="utf-8"))["known"]
    return {row["sha256"]: row for row in rows}


def _as_source(ref: str, document: documents.Document, kind: str, status: str) -> Source:
    published = document.published
    passages = tuple(
        Passage(
            id=f"{ref}#{number}", ref=ref, source=ref, title=document.title, kind=kind, zone="avsnitt",
            headings=section.headings, text=section.text, published=published, page=section.page, status=status,
            version=published.isoformat() if published else "", url=_url(ref),
        )
        for number, section in enumerate(document.sections, 1)
    )
    return Source(ref, document.title, kind, passages, published, document.warnings)


def address(path: Path) -> tuple[str, str]:
    """(reference, kind) of a document, from where it lies and what it is called."""
    if _SEED.fullmatch(path.name):
        return f"seed:{path.name}", "rapport"
    if match := _GOVERNMENT.search(path.as_posix()):
        return f"gov:{match[0]}", _KINDS.get(match["kind"], "rapport")
    return f"doc:{re.sub(r'[^a-zåäö0-9]+', '-', path.stem.lower()).strip('-')}", "vägledning"


def _url(ref: str) -> str:
    scheme, _, where = ref.partition(":")
    return f"https://www.regeringen.se/{where.removesuffix('.md')}/" if scheme == "gov" else ""


def _without_repeats(sources: list[Source], skipped: list[Skipped]) -> tuple[tuple[Source, ...], tuple[Skipped, ...]]:
    """Each source once; of two readings of a statute the official JSON, which was read first."""
    kept: dict[str, Source] = {}
    for source in sources:
        if source.id in kept:
            skipped.append(Skipped(source.id, "finns redan från en annan fil"))
        else:
            kept[source.id] = source
    return tuple(kept[key] for key in sorted(kept)), tuple(skipped)


def _notes() -> Iterator[Source]:
    for note in notes.load():
        passages = tuple(notes.passages(note))
        yield Source(f"not:{note.id}", note.title, "not", passages)


def inputs(paths: Iterable[Path]) -> dict[str, str]:
    """File → fingerprint of all that a build over ``paths`` would read, our notes, wordings and lexicon included."""
    here = Path(__file__).parent
    own = [*sorted(here.glob("notes/**/*.md")), *sorted(here.glob("questions/*.yaml")), *sorted(here.glob("*.yaml")),
           *sorted(here.glob("*.toml")), *sorted(here.glob("*.py"))]
    return {str(path): fingerprint(path) for path in (*own, *files(paths))}


def digest(listed: dict[str, str]) -> str:
    """One fingerprint of ``inputs``."""
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
