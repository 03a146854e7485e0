"""Any document file → titled sections small enough to cite, with page or headings kept.

A file is taken as hostile until read: its type is told from its content, its size is bounded before and after
unpacking, and formats with large parsers behind them (PDF, DOCX, HTML) are read in a child process that is killed when
time is up.
What a printed page does to text is undone in ``pages``; ``markup`` reads formats that carry their own structure.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

from corpus import markup, pages
from corpus.pages import Block, DocumentError, Reading

__all__ = ["Bounds", "Document", "DocumentError", "Measure", "Section", "measures", "read"]

MAX_SECTION = 1600  # characters: a screenful to check a quote in, and what the search index was measured with

FORMATS = {".pdf": "pdf", ".docx": "docx", ".html": "html", ".htm": "html", ".md": "markdown", ".txt": "text"}
# What a file begins with that is no text, and its Swedish name. Compared with the suffix, never trusted over it.
_MAGIC = {
    b"%PDF-": "pdf", b"PK\x03\x04": "docx", b"\xd0\xcf\x11\xe0": "äldre Office", b"\x89PNG": "bild",
    b"\xff\xd8\xff": "bild", b"GIF8": "bild", b"II*\x00": "bild", b"MM\x00*": "bild", b"\x7fELF": "program",
    b"MZ": "program", b"\x1f\x8b": "gzip", b"7z\xbc\xaf": "7-zip", b"Rar!": "rar", b"{\\rtf": "rtf",
    b"PK\x05\x06": "zip",
}  # fmt: skip
_NAMES = {"pdf": "PDF", "docx": "ett zip-arkiv (DOCX)", "html": "HTML", "markdown": "text", "text": "text"}
_TEXTS = frozenset(("markdown", "text"))
_IN_CHILD = frozenset(("pdf", "docx", "html"))
_LARGE_TEXT = 1_000_000  # bytes above which even plain text is read in a child, so that no pattern can hold the caller
_CHILD_NEEDS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMPDIR")
_MARKDOWN = re.compile(r"#{1,6} \S")
_MIRRORED = re.compile(r"/(\d{4})/(\d{2})/[^/]+\.md$")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_LINE_END, _SPACE = re.compile(r"\n"), re.compile(r" ")
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\.\w\.)(?<!\.\w\w\.)\s+(?=[A-ZÅÄÖ–”\"])")
_LISTED = re.compile(r"^(?:• |  ◦ |\d{1,2}[.)] |[a-zåäö]\) |– )", re.MULTILINE)
_ROW = re.compile(r"(?<=\D)(?:[ |]+\d{1,9})+$")
_CAPTION = re.compile(r"Tabell \d{1,3}\b")
_ANNEX = re.compile(r"(?:Bilaga|Appendix)\b.*åtgärd", re.IGNORECASE)
_NUMBER = re.compile(r"(?:Bilaga )?\d+(?:\.\d+)*\.?\s+")


@dataclass(frozen=True)
class Section:
    """One citable piece of a document. In ``text`` a blank line parts paragraphs, a line end list items and rows.

    ``headings`` is the path of headings above it, outermost first, without the document's title. ``page`` is the
    1-based page where it begins, None in formats without pages. ``kind`` is "text", "list", "table" or "footnote"; a
    list keeps the sentence that introduces it. In a list «• » opens an item and «  ◦ » an item below it.
    """

    text: str
    headings: tuple[str, ...]
    page: int | None
    kind: str


@dataclass(frozen=True)
class Document:
    """A document as read. ``published`` is the 1st where only the month is known; ``warnings`` are Swedish."""

    title: str
    published: date | None
    sections: tuple[Section, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Bounds:
    """What one document may cost. ``max_memory_bytes`` is the address space of the child process."""

    max_bytes: int = 50_000_000
    max_pages: int = 1500
    max_unpacked_bytes: int = 300_000_000
    max_seconds: float = 120.0
    max_sections: int = 20_000
    max_memory_bytes: int = 1_000_000_000


@dataclass(frozen=True)
class Measure:
    """One measure an annex lists for an authority; ``category`` is the innermost heading above it, unnumbered."""

    authority: str
    text: str
    category: str
    page: int | None


def read(path: Path, bounds: Bounds = Bounds()) -> Document:
    """The document in ``path``: .pdf, .docx, .html, .htm, .md or .txt.

    Raises ``DocumentError``, one Swedish line naming the file, when it is of another type than its name says, broken,
    locked, hostile, beyond ``bounds`` or without text.
    """
    try:
        raw = _load(path, bounds)
        kind = _format(path.suffix.lower(), raw)
        apart = kind in _IN_CHILD or len(raw) > _LARGE_TEXT
        reading = _parse_apart(kind, raw, bounds) if apart else _parse(kind, raw, bounds)
        return _document(path, reading, bounds)
    except DocumentError as error:
        raise DocumentError(f"{_shown(path.name)}: {error}") from None


def _shown(name: str) -> str:
    """A file name fit for one line of a message: it too comes from outside."""
    return "".join(char if char.isprintable() else "\ufffd" for char in name)[:120]


def _load(path: Path, bounds: Bounds) -> bytes:
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
            raise DocumentError("är en länk till en fil utanför mappen")
        with open(path, "rb", opener=_without_waiting) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise DocumentError("är ingen vanlig fil")
            raw = file.read(bounds.max_bytes + 1)
    except DocumentError:
        raise
    except FileNotFoundError:
        raise DocumentError("finns inte") from None
    except (OSError, ValueError, RuntimeError):
        raise DocumentError("går inte att öppna") from None
    if len(raw) > bounds.max_bytes:
        raise DocumentError(f"är större än gränsen {bounds.max_bytes / 1_000_000:g} MB")
    if not raw.strip():
        raise DocumentError("är tom")
    return raw


def _without_waiting(path: str, flags: int) -> int:
    """A named pipe that nobody writes to would otherwise be waited on for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _format(suffix: str, raw: bytes) -> str:
    """What the file is, by name and content alike. A file that is one thing by name and another inside is refused."""
    kind = FORMATS.get(suffix)
    if kind is None:
        raise DocumentError("är av en filtyp som inte läses (läsbara: " + ", ".join(FORMATS) + ")")
    inside = next((name for magic, name in _MAGIC.items() if raw.startswith(magic)), "")
    start = raw[:1024].lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower()
    if not inside and start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")):
        inside = "html"
    expected = "" if kind in _TEXTS else kind
    if inside != expected and not (kind == "html" and b"<" in raw and not inside):
        raise DocumentError(
            f"innehåller {_NAMES.get(inside, inside) or 'något annat än ' + _NAMES[kind]}, inte vad namnet säger"
        )
    also = b"%pdf-" in start if kind != "pdf" else zipfile.is_zipfile(io.BytesIO(raw))
    if also and kind not in _TEXTS:
        raise DocumentError("är två filtyper i en och läses inte")
    return kind


# --- reading, here or in a child -------------------------------------------------------------------------------------


def _parse(kind: str, raw: bytes, bounds: Bounds) -> Reading:
    if kind == "pdf":
        from corpus import pdf  # PDFium is only loaded in the child

        return pdf.read(raw, bounds.max_pages, bounds.max_seconds)
    if kind == "docx":
        markup.check_docx(raw, bounds.max_unpacked_bytes)
        return markup.docx(raw)
    text, warnings = _decoded(raw, kind)
    reading = {"html": markup.html, "markdown": markup.markdown, "text": _text}[kind](text)
    return replace(reading, warnings=reading.warnings + warnings)


def _parse_apart(kind: str, raw: bytes, bounds: Bounds) -> Reading:
    """``_parse`` in a child process with limits on time and memory: bytes go in, JSON comes out."""
    if kind == "docx":
        markup.check_docx(raw, bounds.max_unpacked_bytes)
    room = Path(__file__).parents[1]
    # A parser that is fooled must find no secret: only what Python needs to start goes along.
    environment = {key: os.environ[key] for key in _CHILD_NEEDS if key in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(room), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "corpus.documents", kind, json.dumps(asdict(bounds))]
    try:
        done = subprocess.run(
            command, input=raw, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=bounds.max_seconds, cwd=room, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DocumentError(f"tog längre tid att läsa än gränsen {bounds.max_seconds:g} sekunder") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise DocumentError("är skadad och gick inte att läsa") from None
    if "error" in answer:
        raise DocumentError(answer["error"])
    return Reading(
        answer["title"],
        answer["published"],
        tuple(Block(**block) for block in answer["blocks"]),
        tuple(answer["warnings"]),
    )


def _child(kind: str, bounds: Bounds, raw: bytes) -> dict[str, Any]:
    """What the child answers: a reading as JSON, or the reason there is none."""
    _limit(bounds)
    try:
        reading = _parse(kind, raw, bounds)
        if sum(len(block.text) for block in reading.blocks) > bounds.max_bytes:
            return {"error": "innehåller mer text än gränsen"}
        return asdict(reading)
    except DocumentError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "kräver mer minne än gränsen"}
    except Exception:  # noqa: BLE001 - a parser's own message may hold the file's text
        return {"error": "är skadad och går inte att läsa"}


def _limit(bounds: Bounds) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit is what is left
        return
    resource.setrlimit(resource.RLIMIT_AS, (bounds.max_memory_bytes, bounds.max_memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(bounds.max_seconds),) * 2)


def _decoded(raw: bytes, kind: str) -> tuple[str, tuple[str, ...]]:
    """Text and what to warn of. UTF-8, UTF-16 with or without a mark, what the page declares, else Windows-1252."""
    known = next(
        (text for text in (_decode(raw, encoding) for encoding in _encodings(raw, kind)) if text is not None), None
    )
    text = known or _decode(raw, "cp1252") or raw.decode("latin-1")
    if "\0" in text:
        raise DocumentError("innehåller NUL-tecken och är ingen textfil")
    return text.removeprefix("\ufeff"), () if known else ("teckenkodningen är okänd och läst som Windows-1252",)


def _decode(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _encodings(raw: bytes, kind: str) -> Iterator[str]:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield "utf-16"
        return
    sample = raw[:4096]
    if len(sample) % 2 == 0 and sample.count(0) > len(sample) / 4:
        if not sample[0::2].count(0):
            yield "utf-16-le"
        elif not sample[1::2].count(0):
            yield "utf-16-be"
    yield "utf-8"
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", raw[:4096]) if kind == "html" else None
    if declared:
        yield declared[1].decode("ascii", "replace")


def _text(text: str) -> Reading:
    """Plain text: Markdown where it says so with a heading or front matter, else what was once printed."""
    if _MARKDOWN.match(text.lstrip()) or re.match(r"\s*---\n", text) or re.search(r"^#{2,6} \S", text, re.MULTILINE):
        return markup.markdown(text)
    printed, header = pages.paged(text)
    numbered = len(printed) > 1
    made = pages.blocks(pages.with_notes(pages.without_running_lines(printed)))
    blocks = _with_title(made if numbered else tuple(replace(block, page=None) for block in made))
    words = [re.sub(r"\s*\d{1,4}\s?\(\d{1,4}\)$", "", row) for row in header if re.search(r"\d", row)]
    day = _ISO.search(" ".join(header))
    warnings = ("sidnumren är räknade ur textens sidbrytningar",) if numbered else ()
    return Reading(" ".join(words), day[0] if day else "", blocks, warnings)


def _with_title(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The first short line that is no addressee, date or common heading made the outermost heading: the title."""
    for i, block in enumerate(blocks[:3]):
        if block.kind == "text" and pages.is_addressee(block.text):
            continue
        ends = len(block.text) > 200 or block.text.endswith((".", ":", ",")) or pages.dated(block.text)
        if block.kind != "text" or ends:
            break
        return (*blocks[:i], replace(block, kind="heading", level=-1), *blocks[i + 1 :])
    return blocks


# --- from blocks to sections -----------------------------------------------------------------------------------------


def _document(path: Path, reading: Reading, bounds: Bounds) -> Document:
    blocks, comments = pages.without_comments(reading.blocks)
    title, blocks = _titled(blocks, reading.title or path.stem.replace("_", " "))
    sections = []
    for section in _sections(blocks):
        sections.append(section)
        if len(sections) > bounds.max_sections:
            raise DocumentError(f"ger fler avsnitt än gränsen {bounds.max_sections}")
    if not any(char.isalnum() for section in sections for char in section.text):
        raise DocumentError("har ingen brödtext" + (", bara en rubrik" if reading.blocks else ""))
    dropped = (f"{comments} redaktionell kommentar och utkastet den hör till är utelämnade",) if comments == 1 else ()
    if comments > 1:
        dropped = (f"{comments} redaktionella kommentarer och utkasten de hör till är utelämnade",)
    warnings = reading.warnings + dropped + tuple(_wrong_totals(sections))
    return Document(title[:300], _published(path, reading, blocks), tuple(sections), warnings)


def _wrong_totals(sections: Iterable[Section]) -> Iterator[str]:
    """A warning for each table whose row «Totalt» isn't the sum of the rows above it."""
    for section in sections:
        rows = [_ROW.search(row[-200:]) for row in section.text.split("\n")] if section.kind == "table" else []
        figures = [tuple(map(int, re.findall(r"\d+", row[0]))) for row in rows if row]
        if (
            len(figures) > 2
            and re.search(r"^Totalt\b", section.text, re.MULTILINE)
            and len(set(map(len, figures))) == 1
        ):
            sums = tuple(map(sum, zip(*figures[:-1], strict=True)))
            if sums != figures[-1]:
                where = f"sida {section.page}: " if section.page else ""
                yield f"{where}tabellens rad «Totalt» är inte summan av raderna ovanför"


def _titled(blocks: tuple[Block, ...], otherwise: str) -> tuple[str, tuple[Block, ...]]:
    """The title and the other blocks. It is the first heading, if none stands as far out and it isn't in any report."""
    headings = [block for block in blocks if block.kind == "heading"]
    outermost = (
        [block for block in headings if block.level == min(heading.level for heading in headings)] if headings else []
    )
    if len(outermost) != 1 or outermost[0] is not headings[0]:
        return otherwise, blocks
    title = headings[0]
    if pages.is_common_heading(title.text) or _NUMBER.match(title.text) or title.text.startswith("Bilaga"):
        return otherwise, blocks
    return title.text, tuple(block for block in blocks if block is not title)


def _published(path: Path, reading: Reading, blocks: Iterable[Block]) -> date | None:
    """The day in the document's own facts or alone on a line, if there is but one; else the month its path tells."""
    if reading.published:
        return date.fromisoformat(reading.published)
    mirrored = _MIRRORED.search(path.as_posix())
    month = date(int(mirrored[1]), int(mirrored[2]), 1) if mirrored and 1 <= int(mirrored[2]) <= 12 else None
    written = {pages.dated(block.text) for block in blocks if block.kind == "text" and len(block.text) < 50} - {""}
    day = _day(written.pop()) if len(written) == 1 else None
    return day if day and (month is None or (day.year, day.month) == (month.year, month.month)) else month


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _sections(blocks: Iterable[Block]) -> Iterator[Section]:
    """Blocks gathered under their headings, cut at pages so that a citation's page is where its words begin."""
    above: list[Block] = []
    group: list[Block] = []
    for block in blocks:
        if block.kind == "heading":
            yield from _cut(group, above)
            group = []
            above = [*(heading for heading in above if heading.level < block.level), block]
            continue
        if group and (block.page != group[-1].page or _family(block) != _family(group[-1])):
            caption = [group.pop()] if block.kind == "table" and _CAPTION.match(group[-1].text) else []
            yield from _cut(group, above)
            group = [replace(line, kind="table") for line in caption]
        group.append(block)
    yield from _cut(group, above)


def _family(block: Block) -> str:
    return "text" if block.kind == "list" else block.kind


@dataclass(frozen=True)
class _Unit:
    """Text that is kept in one section, and what parts it from the unit before."""

    between: str
    text: str


def _cut(group: list[Block], above: list[Block]) -> Iterator[Section]:
    """Sections of about equal length, none above ``MAX_SECTION``."""
    if not group:
        return
    headings = tuple(heading.text for heading in above)
    units = [unit for whole in _units(group) for unit in _fitting(whole)]
    length = sum(len(unit.between) + len(unit.text) for unit in units)
    wanted = length / ceil(length / MAX_SECTION)
    text = ""
    for unit in units:
        if text and (len(text) >= wanted or len(text) + len(unit.between) + len(unit.text) > MAX_SECTION):
            yield _section(text, headings, group)
            text = ""
        text += (unit.between if text else "") + unit.text
    yield _section(text, headings, group)


def _section(text: str, headings: tuple[str, ...], group: list[Block]) -> Section:
    listed = any(block.kind == "list" for block in group) and _LISTED.search(text) is not None
    return Section(text, headings, group[0].page, "list" if listed else _family(group[0]))


def _units(group: list[Block]) -> Iterator[_Unit]:
    """A list's introducing sentence goes with its first item, and an item with those below it."""
    held: _Unit | None = None
    before: Block | None = None
    for block in group:
        close = block.kind == "table" or block.kind == "list" and before is not None and before.kind == "list"
        between = "\n" if close else "\n\n"
        below = block.kind == "list" and before is not None and (_introduces(before) or block.text.startswith("  ◦ "))
        if held and below and len(held.text) + len(block.text) < MAX_SECTION - 2:
            held = replace(held, text=held.text + between + block.text)
        else:
            if held:
                yield held
            held = _Unit(between, block.text)
        before = block
    if held:
        yield held


def _introduces(block: Block) -> bool:
    return block.kind == "text" and block.text.endswith(":")


def _fitting(unit: _Unit) -> Iterator[_Unit]:
    """The unit, or its lines, sentences or at worst words, when it is longer than a section may be."""
    if len(unit.text) <= MAX_SECTION:
        yield unit
        return
    between, parts = _parts(unit.text)
    for i, part in enumerate(parts):
        if part.strip():
            yield from _fitting(_Unit(between if i else unit.between, part))


def _parts(text: str) -> tuple[str, list[str]]:
    """``text`` in the largest parts it has, and what parts them."""
    for between, splitter in (("\n", _LINE_END), (" ", _SENTENCE), (" ", _SPACE)):
        parts = splitter.split(text)
        if len(parts) > 1:
            return between, parts
    return "", [text[i : i + MAX_SECTION] for i in range(0, len(text), MAX_SECTION)]


# --- measures --------------------------------------------------------------------------------------------------------


def measures(document: Document) -> tuple[Measure, ...]:
    """The measures an annex of measures lists under each authority's heading, in order.

    An item that ends in a colon only introduces those below it: they count, it does not. Below any other item they
    describe it, and it counts alone.
    """
    found: list[Measure] = []
    introduced = False
    for section in document.sections:
        if section.kind != "list" or len(section.headings) < 2 or not _ANNEX.match(section.headings[0]):
            continue
        authority, *inner = (_NUMBER.sub("", heading, count=1) for heading in section.headings[1:])
        for line in section.text.split("\n"):
            item = Measure(authority, line.strip(" •◦"), inner[-1] if inner else "", section.page)
            if line.startswith("• "):
                introduced = item.text.endswith(":")
                if not introduced:
                    found.append(item)
            elif line.startswith("  ◦ ") and introduced:
                found.append(item)
    return tuple(found)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_child(sys.argv[1], Bounds(**json.loads(sys.argv[2])), sys.stdin.buffer.read())))
