"""PDF → lines with page, type size and place on the page.

Text comes from pypdfium2 (4 ms a page; the other readers measured take 60 to 190 and read no better). Type size and
baseline are asked of PDFium once a line. pdfplumber, 40 times slower, only reads tables on pages with ruled lines.
"""

from __future__ import annotations

import ctypes
import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from statistics import median
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from corpus import pages as printed
from corpus.pages import DocumentError, Line, Pages, Reading

_HYPHEN = 0x02
_RULES, _RULE_LENGTH = 6, 12  # straight lines of so many points a page needs before tables are looked for
_FEW_WORDS = 10


@dataclass(frozen=True)
class _Row:
    """One line as PDFium gives it: baseline ``y`` from the page's bottom, ``size`` of its type in points."""

    text: str
    x: float
    end: float
    y: float
    size: float
    bold: bool


@dataclass(frozen=True)
class _Table:
    """Rows of cells, and the box they fill: top and bottom counted from the page's bottom, as ``_Row.y``."""

    rows: tuple[str, ...]
    left: float
    right: float
    top: float
    bottom: float


def read(raw: bytes, max_pages: int, max_seconds: float) -> Reading:
    """The PDF's blocks with their pages. Raises ``DocumentError`` if broken, locked, too long or only pictures."""
    document = _opened(raw)
    if len(document) > max_pages:
        raise DocumentError(f"har {len(document)} sidor, fler än gränsen {max_pages}")
    rows = printed.without_running_lines([_rows(document[i]) for i in range(len(document))])
    ruled = [i for i in range(len(document)) if rows[i] and _ruled(document[i])]
    warnings = _few_words(rows)
    tables, missed = _tables(raw, ruled, deadline=time.monotonic() + max_seconds / 2)
    if missed:
        warnings += (f"tabeller på {missed} sidor är lästa som löpande text",)
    blocks = printed.blocks(printed.with_notes(_lines(rows, tables)), sized=True)
    if len(rows) > 3 and not any(block.kind == "heading" for block in blocks):
        warnings += ("inga rubriker hittades",)
    return Reading(_title(document), "", blocks, warnings)


def _opened(raw: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower() or "security" in str(error).lower()
        raise DocumentError("är låst med lösenord" if locked else "är skadad och går inte att läsa som PDF") from None
    if pdfium.FPDF_GetSecurityHandlerRevision(document) != -1:
        raise DocumentError("är krypterad; spara en olåst kopia och läs in den")
    if not len(document):
        raise DocumentError("har inga sidor")
    return document


def _title(document: pypdfium2.PdfDocument) -> str:
    title = printed.tidy(printed.clean(document.get_metadata_value("Title") or ""))
    return (
        "" if title.lower().endswith((".doc", ".docx", ".pdf")) or title.lower() in ("untitled", "anonymous") else title
    )


def _few_words(rows: list[list[_Row]]) -> tuple[str, ...]:
    words = [sum(len(row.text.split()) for row in page) for page in rows]
    empty = [i + 1 for i, count in enumerate(words) if count < _FEW_WORDS]
    if sum(words) < 3 * len(words):
        raise DocumentError("har ingen text att läsa ut (skannad?)")
    if len(empty) > 5:
        return (f"{len(empty)} av {len(rows)} sidor har nästan ingen text (skannade?)",)
    return tuple(f"sida {number} har nästan ingen text (skannad?)" for number in empty)


def _rows(page: pypdfium2.PdfPage) -> list[_Row]:
    text = page.get_textpage()
    rows: list[_Row] = []
    for indices in _runs(text):
        row = _row(text, indices)
        if row and rows and _same_line(rows[-1], row):
            rows[-1] = _side_by_side(rows[-1], row)
        elif row:
            rows.append(row)
    return rows


def _runs(text: pypdfium2.PdfTextPage) -> Iterator[list[tuple[int, str]]]:
    """Index and character of each run PDFium takes for a line. A line-end hyphen comes as 2, without the line break."""
    run: list[tuple[int, str]] = []
    for i in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text, i)
        if code in (0x0A, 0x0D):
            yield run
            run = []
        elif code in (_HYPHEN, 0xFFFE) and (code == 0xFFFE or pdfium.FPDFText_IsHyphen(text, i)):
            yield [*run, (i, "-")]
            run = []
        elif code >= 0x20:
            run.append((i, chr(code)))
    yield run


def _row(text: pypdfium2.PdfTextPage, run: list[tuple[int, str]]) -> _Row | None:
    inked = [(i, char) for i, char in run if not char.isspace()]
    if not inked:
        return None
    letters = [i for i, char in inked if char.isalpha()] or [inked[0][0]]
    first, last = letters[0], letters[-1]
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text, inked[0][0], x, y)
    size = _size(text, first)
    return _Row(
        text=_with_calls(text, run, size).strip(),
        x=x.value,
        end=text.get_charbox(inked[-1][0])[2],
        y=y.value,
        size=size,
        bold=_bold(text, first) and _bold(text, last),
    )


def _with_calls(text: pypdfium2.PdfTextPage, run: list[tuple[int, str]], size: float) -> str:
    """The run's characters, raised digits set off: after a word marked as a note's call, before one by a space."""
    parts: list[str] = []
    before, raised = " ", False
    for i, char in run:
        small = char.isdigit() and (raised if before.isdigit() else _size(text, i) < 0.8 * size)
        if small and not raised and not before.isspace():
            parts.append(printed.CALL)
        if raised and not small and not char.isspace() and char.isalpha():
            parts.append(" " if printed.CALL not in parts else "")
        parts.append(char)
        before, raised = char, small
    return "".join(parts)


def _size(text: pypdfium2.PdfTextPage, i: int) -> float:
    """Type size as printed: many writers set size 1 and scale it in the text matrix."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text, i, matrix)
    scale = (matrix.c**2 + matrix.d**2) ** 0.5
    return float(round(pdfium.FPDFText_GetFontSize(text, i) * (scale or 1.0), 1))


def _bold(text: pypdfium2.PdfTextPage, i: int) -> bool:
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text, i, name, 128, flags)
    return pdfium.FPDFText_GetFontWeight(text, i) >= 600 or b"Bold" in name.value


def _same_line(before: _Row, row: _Row) -> bool:
    """PDFium starts a new line at a superscript and after it. It is the same one where the type stands beside it."""
    size = max(before.size, row.size)
    return (
        abs(before.y - row.y) < 0.6 * size and -0.2 * size < row.x - before.end < size and not before.text.endswith("-")
    )


def _side_by_side(before: _Row, row: _Row) -> _Row:
    """Two runs of one line. Raised digits after a word are a note's call and marked; before a word, its number."""
    raised = row.text.isdigit() and row.size < 0.8 * before.size
    number = before.text.isdigit() and before.size <= row.size and row.y < before.y - 0.5
    space = " " if number or row.x - before.end > 0.15 * row.size and not raised else ""
    joined = before.text + (printed.CALL if raised else "") + space + row.text
    main = before if before.size >= row.size else row
    return replace(main, text=joined, x=before.x, end=row.end)


def _ruled(page: pypdfium2.PdfPage) -> bool:
    """Whether the page has ruled lines enough for a table. A logo is curves, the rule under a page header one line."""
    rules = 0
    for path in islice(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3), 2000):
        rules += _rules(path)
        if rules >= _RULES:
            return True
    return False


def _rules(path: pypdfium2.PdfObject) -> int:
    count, last = 0, (0.0, 0.0)
    for i in range(min(pdfium.FPDFPath_CountSegments(path), 200)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        x, y = ctypes.c_float(), ctypes.c_float()
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        run, rise = abs(x.value - last[0]), abs(y.value - last[1])
        drawn = pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_LINETO
        count += drawn and min(run, rise) < 1 and max(run, rise) >= _RULE_LENGTH
        last = x.value, y.value
    return count


def _tables(raw: bytes, ruled: list[int], deadline: float) -> tuple[dict[int, list[_Table]], int]:
    """Tables of the ruled pages, and how many pages were left because time was up or their tables can't be read."""
    if not ruled:
        return {}, 0
    import pdfplumber  # half a second to import, and most documents have no ruled page

    found: dict[int, list[_Table]] = {}
    missed = 0
    with pdfplumber.open(io.BytesIO(raw)) as document:
        for i in ruled:
            if time.monotonic() > deadline:
                missed += 1
                continue
            page = document.pages[i]
            try:
                found[i] = [_table(table, float(page.height)) for table in page.find_tables() if _is_table(table)]
            except Exception:  # noqa: BLE001 - a page pdfminer trips over still has PDFium's text
                missed += 1
            page.close()
    return found, missed


def _is_table(table: Any) -> bool:
    return len(table.rows) > 1 and max(len(row.cells) for row in table.rows) > 1


def _table(table: Any, height: float) -> _Table:
    rows = [
        " | ".join(printed.joined(printed.clean(cell or "").split("\n")) for cell in row) for row in table.extract()
    ]
    left, top, right, bottom = table.bbox
    return _Table(tuple(row for row in rows if row.strip(" |")), left, right, height - top, height - bottom)


def _lines(rows: list[list[_Row]], tables: dict[int, list[_Table]]) -> Pages:
    """Rows as lines: headings by type size or weight, notes by small type at the page's foot, tables in their place."""
    body = _body_size(rows)
    levels = _levels(rows, body)
    return [_page(page, number, body, levels, tables.get(number - 1, [])) for number, page in enumerate(rows, 1)]


def _body_size(rows: list[list[_Row]]) -> float:
    sizes: Counter[float] = Counter()
    for page in rows:
        for row in page:
            sizes[row.size] += len(row.text)
    return sizes.most_common(1)[0][0]


def _levels(rows: list[list[_Row]], body: float) -> dict[tuple[float, bool], int]:
    """Level of each heading type, the largest first: 10, 20 …; numbers («1.2») part levels of one type further."""
    types = {(row.size, row.bold) for page in rows for row in page if _heads(row, body)}
    ordered = sorted(types, key=lambda type_: (-type_[0], not type_[1]))
    return {type_: 10 * rank for rank, type_ in enumerate(ordered, 1)}


def _heads(row: _Row, body: float) -> bool:
    larger = row.size >= 1.1 * body or row.bold and row.size >= 0.98 * body
    lettered = any(char.isalpha() for char in row.text) and not printed.BULLET.match(row.text)
    return larger and lettered and len(row.text) <= 150


def _page(
    rows: list[_Row], number: int, body: float, levels: dict[tuple[float, bool], int], tables: list[_Table]
) -> list[Line]:
    steps = [a.y - b.y for a, b in pairwise(rows) if 0 < a.y - b.y < 3 * body]
    leading = median(steps) if steps else 1.2 * body
    foot = _foot(rows, body)
    lines: list[Line] = []
    placed: set[int] = set()
    for i, row in enumerate(rows):
        inside = next((t for t in tables if t.left - 2 <= row.x <= t.right and t.bottom - 2 <= row.y <= t.top), None)
        if inside and id(inside) not in placed:
            placed.add(id(inside))
            lines.append(Line("\n".join(inside.rows), number, 1, row.end, kind="table"))
        if inside:
            continue
        gap = 1 if i == 0 or _parted(rows[i - 1], row, leading) else 0
        lines.append(_line(row, number, gap, levels if _heads(row, body) else {}, note=i >= foot))
    return lines


def _line(row: _Row, number: int, gap: int, levels: dict[tuple[float, bool], int], note: bool) -> Line:
    text = " ".join(printed.clean(row.text).split())
    level = levels.get((row.size, row.bold), 0)
    depth = text.split()[0].rstrip(".").count(".") if level and text[:1].isdigit() else 0
    kind = "note" if note else "heading" if level else ""
    return Line(text, number, gap, row.end, (row.end - row.x) / max(len(text), 1), kind, level + depth)


def _parted(before: _Row, row: _Row, leading: float) -> bool:
    """Whether a paragraph's space or a first-line indent stands between two rows."""
    spaced = not 0 < before.y - row.y <= 1.3 * max(leading, 1.05 * row.size)
    indented = 0.8 * row.size < row.x - before.x < 4 * row.size and not printed.BULLET.match(before.text)
    return spaced or indented and before.text.endswith((".", ":", "?", "!"))


def _foot(rows: list[_Row], body: float) -> int:
    """Where the page's notes begin: small type down to the last line, opened by a number raised after a word above."""
    small = len(rows)
    while small and rows[small - 1].size <= 0.92 * body:
        small -= 1
    called = {call for row in rows[:small] for call in re.findall(rf"{printed.CALL}(\d+)", row.text)}
    return next((i for i in range(small, len(rows)) if rows[i].text.split()[0] in called), len(rows))
