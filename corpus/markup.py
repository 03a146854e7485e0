"""Documents that say themselves what is a heading, a list or a table: DOCX, HTML and Markdown → blocks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import yaml

from corpus.pages import Block, DocumentError, Reading, clean, tidy

_DOCTYPE = [word.encode(code) for word in ("<!DOCTYPE", "<!ENTITY") for code in ("utf-8", "utf-16-le", "utf-16-be")]
_MAX_ENTRIES = 10_000
_MAX_RATIO = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LEVEL = re.compile(r"(?:heading|rubrik)\s?(\d)", re.IGNORECASE)

_SILENT = (
    "script", "style", "nav", "footer", "aside", "form", "noscript", "template",
    "iframe", "svg", "button", "select", "dialog", "object", "embed", "head",
)  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)
_TITLES = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = (
    *_TITLES, "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "pre", "blockquote",
    "div", "section", "article", "main", "header", "figure", "figcaption", "address", "hr",
)  # fmt: skip


# --- DOCX ------------------------------------------------------------------------------------------------------------


def check_docx(raw: bytes, max_unpacked: int) -> None:
    """Refuse a package that unpacks too large, is encrypted or names files outside itself. Reads only its directory."""
    try:
        entries = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise DocumentError("är skadad och går inte att packa upp") from None
    if "word/document.xml" not in {entry.filename for entry in entries}:
        raise DocumentError("är ett zip-arkiv men ingen DOCX")
    if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > max_unpacked:
        raise DocumentError(f"packas upp till mer än gränsen {max_unpacked // 1_000_000} MB")
    for entry in entries:
        if entry.flag_bits & 1:
            raise DocumentError("är låst med lösenord")
        if entry.file_size > 1_000_000 and entry.file_size > _MAX_RATIO * max(entry.compress_size, 1):
            raise DocumentError("är orimligt hårt packad (zip-bomb?)")
        if entry.filename.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", entry.filename):
            raise DocumentError("innehåller otillåtna sökvägar")


def docx(raw: bytes) -> Reading:
    """A checked DOCX's blocks: headings and lists by style, tables to rows, footnotes below what calls them."""
    import docx as python_docx

    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        for entry in package.infolist():
            if entry.filename.endswith((".xml", ".rels")) and any(mark in package.read(entry) for mark in _DOCTYPE):
                raise DocumentError("innehåller en XML-deklaration (DTD) som inte tillåts")
    document = python_docx.Document(io.BytesIO(raw))
    styles = {style.style_id: style.name or "" for style in document.styles}
    outlines = {style.style_id: _outline(style.element) for style in document.styles}
    notes = _docx_notes(document)
    blocks = tuple(_docx_blocks(document.element.body, styles, outlines, notes))
    changed = next(document.element.body.iter(f"{_W}ins", f"{_W}del"), None) is not None
    warnings = ("ändringar som inte är godkända: infogad text är med, struken är utelämnad",) if changed else ()
    title = tidy(clean(document.core_properties.title or ""))
    return Reading(title, "", blocks, warnings)


def _outline(element: Any) -> int | None:
    level = next(element.iter(f"{_W}outlineLvl"), None)
    return int(level.get(f"{_W}val", "9")) + 1 if level is not None else None


def _docx_notes(document: Any) -> dict[str, str]:
    """Id of each foot- and endnote → its text. python-docx doesn't read them."""
    from docx.oxml import parse_xml

    notes = {}
    for part in document.part.package.iter_parts():
        kind = re.search(r"/word/(footnote|endnote)s\.xml$", str(part.partname))
        if kind:
            for note in parse_xml(part.blob).iter(f"{_W}{kind[1]}"):
                if note.get(f"{_W}type") is None:
                    notes[f"{kind[1]}{note.get(f'{_W}id')}"] = tidy(
                        clean(" ".join(map(_docx_text, note.iter(f"{_W}p"))))
                    )
    return notes


def _docx_blocks(
    container: Any, styles: dict[str, str], outlines: dict[str, int | None], notes: dict[str, str]
) -> Iterator[Block]:
    for element in container.iterchildren():
        if element.tag == f"{_W}p":
            yield from _docx_paragraph(element, styles, outlines)
            yield from _called(element, notes)
        elif element.tag == f"{_W}tbl":
            yield from _docx_table(element)
            yield from _called(element, notes)
        elif element.tag == f"{_W}sdt" and next(element.iter(f"{_W}docPartGallery"), None) is None:
            for content in element.iterchildren(f"{_W}sdtContent"):
                yield from _docx_blocks(content, styles, outlines, notes)


def _called(element: Any, notes: dict[str, str]) -> Iterator[Block]:
    for call in element.iter(f"{_W}footnoteReference", f"{_W}endnoteReference"):
        number = call.get(f"{_W}id", "")
        text = notes.get(("footnote" if "footnote" in call.tag else "endnote") + number)
        if text:
            yield Block("footnote", f"{number} {text}")


def _docx_paragraph(paragraph: Any, styles: dict[str, str], outlines: dict[str, int | None]) -> Iterator[Block]:
    text = tidy(clean(_docx_text(paragraph)))
    style_id = next((style.get(f"{_W}val") for style in paragraph.iter(f"{_W}pStyle")), "")
    style = styles.get(style_id, "")
    named = _LEVEL.match(style)
    level = _outline(paragraph) or outlines.get(style_id) or (int(named[1]) if named else None)
    if not text or style.lower().startswith(("toc", "innehåll")):
        return
    if style.lower() in ("title", "rubrik", "dokumenttitel"):
        yield Block("heading", text, level=-1)
    elif level and level < 10:
        yield Block("heading", text, level=level)
    elif next(paragraph.iter(f"{_W}numPr"), None) is not None or re.match(r"list|punkt", style, re.IGNORECASE):
        depth = next((int(at.get(f"{_W}val", "0")) for at in paragraph.iter(f"{_W}ilvl")), 0)
        yield Block("list", ("  ◦ " if depth else "• ") + text)
    else:
        yield Block("text", text)


def _docx_text(paragraph: Any) -> str:
    """Text of a paragraph with inserted and without deleted words; a text box is stored twice and read once."""
    parts = []
    for node in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if not any(above.tag in (_FALLBACK, f"{_W}moveFrom", f"{_W}tabs") for above in node.iterancestors()):
            parts.append({f"{_W}t": node.text or "", f"{_W}noBreakHyphen": "-"}.get(node.tag, " "))
    return "".join(parts)


def _docx_table(table: Any) -> Iterator[Block]:
    rows = []
    for row in table.iterchildren(f"{_W}tr"):
        cells = [tidy(clean(" ".join(map(_docx_text, cell.iter(f"{_W}p"))))) for cell in row.iterchildren(f"{_W}tc")]
        rows.append(cells)
    yield from _rows(rows)


def _rows(rows: list[list[str]]) -> Iterator[Block]:
    """A table as one block, a row a line. One that only lays out (a single cell) is text."""
    filled = [row for row in rows if any(row)]
    if len(filled) == 1 and len(filled[0]) == 1:
        yield Block("text", filled[0][0])
    elif filled:
        yield Block("table", "\n".join(" | ".join(row) for row in filled))


# --- HTML ------------------------------------------------------------------------------------------------------------


def html(text: str) -> Reading:
    """Blocks of a web page: what a reader sees of its main part. Nothing is fetched."""
    import bs4

    soup = bs4.BeautifulSoup(text, "lxml")
    title = tidy(soup.title.get_text()) if soup.title else ""
    published = _meta_date(soup)
    for element in soup.find_all(_SILENT):
        element.decompose()
    for element in soup.find_all(_is_hidden):
        element.decompose()
    root = soup.find("main") or soup.find("article") or soup.body or soup
    if root.name not in ("main", "article"):
        for element in root.find_all("header"):
            element.decompose()
    return Reading(title, published, tuple(block for block in _html_blocks(root) if block.text))


def _is_hidden(element: Any) -> bool:
    attributes = element.attrs or {}
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or bool(_HIDDEN.search(str(attributes.get("style", ""))))
    )


def _meta_date(soup: Any) -> str:
    names = ("article:published_time", "dcterms.date", "dc.date", "date", "dcterms.issued")
    for meta in soup.find_all("meta", content=True):
        if str(meta.get("property") or meta.get("name") or "").lower() in names:
            return _iso(str(meta["content"])[:10])
    return ""


def _html_blocks(node: Any) -> Iterator[Block]:
    import bs4

    inline: list[str] = []
    for child in [*node.children, None]:
        if isinstance(child, bs4.Tag) and (child.name in _BLOCKS or child.find(list(_BLOCKS))):
            yield Block("text", tidy(clean("".join(inline))))
            inline = []
            yield from _html_block(child)
        elif isinstance(child, bs4.Tag):
            inline.append(" " if child.name == "br" else child.get_text())
        elif type(child) is bs4.element.NavigableString:  # its subclasses are comments, doctypes and the like
            inline.append(child)
    yield Block("text", tidy(clean("".join(inline))))


def _html_block(element: Any) -> Iterator[Block]:
    if element.name in _TITLES:
        yield Block("heading", tidy(clean(element.get_text(" "))), level=int(element.name[1]))
    elif element.name in ("ul", "ol"):
        yield from _html_list(element, 0)
    elif element.name == "table" and not element.find("table"):
        rows = [
            [tidy(clean(cell.get_text(" "))) for cell in row.find_all(["td", "th"])] for row in element.find_all("tr")
        ]
        yield from _rows(rows)
    else:
        yield from _html_blocks(element)


def _html_list(element: Any, depth: int) -> Iterator[Block]:
    for number, item in enumerate(element.find_all("li", recursive=False), 1):
        inner = item.find_all(["ul", "ol"])
        nested = [child for child in inner if child.find_parent("li") is item]
        for child in nested:
            child.extract()
        mark = "  ◦ " if depth else f"{number}. " if element.name == "ol" else "• "
        text = tidy(clean(item.get_text(" ")))
        if text:
            yield Block("list", mark + text)
        for child in nested:
            yield from _html_list(child, depth + 1)


# --- Markdown --------------------------------------------------------------------------------------------------------

_FRONT = re.compile(r"\s*---\n(.{0,20000}?)\n---\s*\n", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})\s+(\S.*)")
_MD_ITEM = re.compile(r"(\s*)(?:[*+-]|(\d{1,3})[.)])\s+(?=\S)")
_RULE = re.compile(r"\s*(?:([-*_])\s*)(?:\1\s*){2,}$")
_CELLS = re.compile(r"\s*\|")
_TABLE_RULE = re.compile(r"[\s|:-]+$")
_GOES_ON = (("text", "text"), ("list", "text"), ("table", "table"))
# Every run is bounded: a file of nothing but opening marks must not be read once for each of them.
_INLINE = (
    (re.compile(r"<!--.{0,2000}?-->", re.DOTALL), ""),
    (re.compile(r"!\[[^\[\]]*\]\([^()]{0,2000}\)"), ""),
    (re.compile(r"\[([^\[\]]*)\]\([^()]{0,2000}(?:\([^()]{0,200}\)[^()]{0,2000}){0,5}\)"), r"\1"),
    (re.compile(r"\[([^\[\]]{1,1000})\]\[[^\[\]]{0,200}\]"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]{1,2000})>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>]{0,500}>"), " "),
    (re.compile(r"(?<![\\\w])(\*\*\*|\*\*|__|\*|_)(?=\S)([^\n]{1,500}?)(?<=[^\s\\])\1(?!\w)"), r"\2"),
    (re.compile(r"`([^`\n]{1,1000})`"), r"\1"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def markdown(text: str) -> Reading:
    """Blocks of a Markdown text, with title and date from its front matter where it has one."""
    text = clean(text)
    front = _FRONT.match(text)
    facts = _facts(front[1]) if front else {}
    title = str(facts.get("title") or facts.get("rubrik") or facts.get("titel") or "")
    published = next(
        (_iso(str(facts[key])[:10]) for key in ("published", "publicerad", "date", "datum") if key in facts), ""
    )
    return Reading(tidy(title), published, tuple(_md_blocks(text[front.end() :] if front else text)))


def _facts(front: str) -> dict[str, Any]:
    try:
        facts = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _iso(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _md_blocks(text: str) -> Iterator[Block]:
    """Blocks in order. Lines of one kind without a blank line between them are one block, but for list items."""
    block: Block | None = None
    lines: list[str] = []
    fenced = False
    for row in [*text.split("\n"), ""]:
        if row.lstrip().startswith(("```", "~~~")):
            fenced, row = not fenced, ""
        opened = _md_opened(row, fenced) if row.strip() else None
        if block and opened and (block.kind, opened.kind) in _GOES_ON:
            lines.append(opened.text)
            continue
        if block:
            yield from _md_closed(replace(block, text="\n".join(lines)))
        block, lines = opened, [opened.text] if opened else []


def _md_opened(row: str, fenced: bool) -> Block | None:
    heading, item = _ATX.match(row), _MD_ITEM.match(row)
    if fenced:
        return Block("text", row)
    if _RULE.match(row):
        return None
    if heading:
        return Block("heading", heading[2].rstrip(" #"), level=len(heading[1]))
    if item:
        mark = "  ◦ " if len(item[1]) > 1 else f"{item[2]}. " if item[2] else "• "
        return Block("list", mark + row[item.end() :])
    if _CELLS.match(row):
        return Block("table", row)
    return Block("text", re.sub(r"^\s*(?:>\s?)+", "", row))


def _md_closed(block: Block) -> Iterator[Block]:
    if block.kind == "table":
        rows = [row.strip().strip("|").split("|") for row in block.text.split("\n") if not _TABLE_RULE.match(row)]
        yield from _rows([[_plain(cell) for cell in row] for row in rows])
        return
    mark = "  ◦ " if block.text.startswith("  ◦ ") else ""
    text = _plain(block.text[len(mark) :])
    if text and not re.fullmatch(r"(?:•|◦|\d+\.|[_\W]*)", text):
        yield replace(block, text=mark + text)


def _plain(text: str) -> str:
    """A run of Markdown as its words: links by their text, images gone, marks off."""
    for pattern, plain in _INLINE:
        text = pattern.sub(plain, text)
    return tidy(text)
