"""A4 documents in Word format: one look for protocol and booklet, and the same bytes for the same content."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

INK, MUTED, SHADE, LINE = RGBColor(0x17, 0x2B, 0x3F), RGBColor(0x55, 0x60, 0x6B), "EEF2F6", "B8C2CC"
TEXT_WIDTH = 16.5  # cm between the margins
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Without the characters that neither XML nor UTF-8 can carry."""
    return _ILLEGAL.sub("", text)


def new(title: str, left: str, right: str, foot: str, when: datetime) -> Any:
    """An empty document with the look set, header and footer filled in, and fixed properties."""
    document = Document()
    lighten(document)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.25)
    section.top_margin, section.bottom_margin = Cm(2.4), Cm(2.2)
    styles(document)
    lines(section.header.paragraphs[0], left, right)
    lines(section.footer.paragraphs[0], foot, "Sida ")
    field(section.footer.paragraphs[0], "PAGE")
    small(section.footer.paragraphs[0].add_run(" av "))
    field(section.footer.paragraphs[0], "NUMPAGES")
    about = document.core_properties
    about.title, about.author, about.last_modified_by, about.language = clean(title), "Delningsstöd", "Delningsstöd", "sv-SE"
    about.subject = about.comments = about.keywords = ""
    about.created = about.modified = when.replace(microsecond=0, tzinfo=None)
    about.revision = 1
    return document


def lighten(document: Any) -> None:
    """Drop what the template carries and nobody uses: two hundred table styles, a picture, a second copy of the styles."""
    for style in list(document.styles.element.findall(qn("w:style"))):
        if style.get(qn("w:type")) == "table" and style.get(qn("w:styleId")) != "TableNormal":
            document.styles.element.remove(style)
    for owner in (document.part.rels, document.part.package.rels):
        for name, relation in list(owner.items()):
            if relation.reltype.rsplit("/", 1)[-1] in ("stylesWithEffects", "thumbnail", "customXml"):
                del owner[name]


def styles(document: Any) -> None:
    for name in ("Header", "Footer"):
        document.styles[name].paragraph_format.tab_stops.clear_all()
    base = document.styles["Normal"]
    base.font.name, base.font.size = "Calibri", Pt(10.5)
    base.paragraph_format.space_after, base.paragraph_format.line_spacing = Pt(4), 1.08
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "sv-SE")
    base.element.get_or_add_rPr().append(language)
    for name, size, before, after in (("Title", 20, 0, 2), ("Heading 1", 13.5, 14, 4), ("Heading 2", 11.5, 10, 3)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.bold, style.font.color.rgb = "Calibri", Pt(size), True, INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.keep_with_next = True
    properties = document.styles["Title"].element.get_or_add_pPr()
    for border in properties.findall(qn("w:pBdr")):
        properties.remove(border)


def lines(paragraph: Any, left: str, right: str) -> None:
    """One line of small text, left and right."""
    paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    small(paragraph.add_run(f"{clean(left)}\t{clean(right)}"))


def small(run: Any) -> None:
    run.font.size, run.font.color.rgb = Pt(8.5), MUTED


def field(paragraph: Any, code: str) -> None:
    """A field that Word fills in: the page number, the number of pages."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("text", "1"), ("end", "")):
        run = paragraph.add_run()
        small(run)
        run._r.append(part_of_field(kind, text))


def part_of_field(kind: str, text: str) -> Any:
    if kind in ("", "text"):
        element = OxmlElement("w:t" if kind else "w:instrText")
        element.text = text
        return element
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    return element


def paragraph(place: Any, text: str, *, bold: bool = False, muted: bool = False, size: float = 0, style: str | None = None) -> Any:
    """A paragraph in a document or a cell."""
    made = place.add_paragraph(style=style)
    run = made.add_run(clean(text))
    run.bold = bold or None
    if muted:
        run.font.color.rgb = MUTED
    if size:
        run.font.size = Pt(size)
    return made


def bullets(place: Any, texts: Iterable[str]) -> None:
    for text in texts:
        made = paragraph(place, text, style="List Bullet")
        made.paragraph_format.space_after = Pt(2)


def table(
    document: Any, head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float], *, bold: int = -1, keep: bool = False
) -> None:
    """A table with thin lines. The head repeats on each page, no row is split. A row of one text is a heading over the rows that follow.

    ``bold``: the column whose first line is bold; ``keep``: the table stays with what comes after it.
    """
    made = new_table(document, widths)
    borders(made, ("top", "bottom", "insideH"))
    if head:
        for cell, text in zip(row(made, widths), head, strict=True):
            shade(cell)
            write(cell, text, bold=True)
        mark(made.rows[0], "w:tblHeader")
    for texts in rows:
        cells = row(made, widths)
        if len(texts) == 1:
            heading = cells[0].merge(cells[-1])
            write(heading, texts[0], bold=True)
            heading.paragraphs[0].paragraph_format.space_before = Pt(8)
            heading.paragraphs[0].paragraph_format.keep_with_next = True
            continue
        for at, (cell, text) in enumerate(zip(cells, texts, strict=True)):
            write(cell, text, bold=at == bold)
            for line in cell.paragraphs if keep else ():
                line.paragraph_format.keep_with_next = True
    after = document.add_paragraph().paragraph_format
    after.space_after, after.keep_with_next = Pt(0), keep


def new_table(document: Any, widths: Sequence[float]) -> Any:
    made = document.add_table(rows=0, cols=len(widths))
    made.alignment, made.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Cm(width)
    return made


def row(made: Any, widths: Sequence[float]) -> Any:
    added = made.add_row()
    mark(added, "w:cantSplit")
    for cell, width in zip(added.cells, widths, strict=True):
        cell.width = Cm(width)
    return added.cells


def mark(added: Any, name: str) -> None:
    added._tr.get_or_add_trPr().append(OxmlElement(name))


def write(cell: Any, text: str, *, bold: bool = False) -> None:
    """Text in a cell: the first line as it is, the lines after it plain, and those that begin with a tab small and muted."""
    first, *more = clean(text).split("\n")
    made = cell.paragraphs[0]
    made.paragraph_format.space_before = made.paragraph_format.space_after = Pt(2)
    made.add_run(first).bold = bold or None
    for line in more:
        aside = line.startswith("\t")
        added = paragraph(cell, line.lstrip("\t"), muted=aside, size=9 if aside else 0)
        added.paragraph_format.space_after = Pt(2)


def box(document: Any, title: str, texts: Iterable[str]) -> None:
    """A shaded box: what matters most on the page."""
    made = new_table(document, (TEXT_WIDTH,))
    borders(made, ("left",), size="36", colour="172B3F")
    cell = row(made, (TEXT_WIDTH,))[0]
    shade(cell)
    cell.paragraphs[0].paragraph_format.space_before = Pt(4)
    run = cell.paragraphs[0].add_run(clean(title))
    run.bold, run.font.size, run.font.color.rgb = True, Pt(13.5), INK
    for text in texts:
        paragraph(cell, text)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def shade(cell: Any) -> None:
    element = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", SHADE)):
        element.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(element)


def borders(made: Any, edges: Iterable[str], size: str = "4", colour: str = LINE) -> None:
    element = OxmlElement("w:tblBorders")
    for edge in edges:
        line = OxmlElement(f"w:{edge}")
        for name, value in (("val", "single"), ("sz", size), ("space", "0"), ("color", colour)):
            line.set(qn(f"w:{name}"), value)
        element.append(line)
    made._tbl.tblPr.append(element)


def rule_off(document: Any, texts: Sequence[str]) -> None:
    """Lines to write on by hand, each with its label under it, two a row, kept together."""
    widths = (TEXT_WIDTH / 2, TEXT_WIDTH / 2)
    made = new_table(document, widths)
    for pair in zip(texts[::2], texts[1::2], strict=True):
        for cell, text in zip(row(made, widths), pair, strict=True):
            cell.paragraphs[0].paragraph_format.space_before = Pt(22)
            cell.paragraphs[0].paragraph_format.keep_with_next = True
            cell.paragraphs[0].add_run("_" * 38).font.color.rgb = MUTED
            paragraph(cell, text, muted=True, size=9).paragraph_format.keep_with_next = pair[-1] != texts[-1]


def beside(document: Any, heads: Sequence[str], columns: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Two columns side by side, each of small labels with text under them. The row may go on to the next page."""
    widths = (TEXT_WIDTH / 2, TEXT_WIDTH / 2)
    made = new_table(document, widths)
    borders(made, ("top", "bottom", "insideV"))
    for cell, head in zip(row(made, widths), heads, strict=True):
        shade(cell)
        write(cell, head, bold=True)
    mark(made.rows[0], "w:tblHeader")
    for cell, lines_of in zip(made.add_row().cells, columns, strict=True):
        for label, text in lines_of:
            labelled(cell, label, text)
        cell._tc.remove(cell.paragraphs[0]._p)


def labelled(cell: Any, label: str, text: str) -> None:
    """«Label: text», the label bold; further lines of the text under it."""
    first, *more = clean(text).split("\n")
    made = paragraph(cell, f"{label}: " if label and first else label, bold=True, size=9.5)
    made.add_run(first).font.size = Pt(9.5)
    for one in (made, *(paragraph(cell, line, size=9.5) for line in more)):
        one.paragraph_format.space_after = Pt(2)


def bookmark(target: Any, name: str, number: int) -> None:
    """A place that links() can lead to."""
    for kind in ("w:bookmarkStart", "w:bookmarkEnd"):
        element = OxmlElement(kind)
        element.set(qn("w:id"), str(number))
        if kind == "w:bookmarkStart":
            element.set(qn("w:name"), name)
        target._p.append(element)


def links(document: Any, targets: Iterable[tuple[str, str]]) -> None:
    """One paragraph of links to bookmarks, divided by dots."""
    made = document.add_paragraph()
    for at, (text, anchor) in enumerate(targets):
        if at:
            made.add_run("  ·  ").font.color.rgb = MUTED
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), anchor)
        run = made.add_run(clean(text).replace(" ", "\u00a0"))
        run.font.underline = True
        link.append(run._r)
        made._p.append(link)


def to_bytes(document: Any) -> bytes:
    """The file: parts in a fixed order, with a fixed time and no compression, so that the same content is the same bytes anywhere."""
    packed = io.BytesIO()
    document.save(packed)
    out = io.BytesIO()
    with zipfile.ZipFile(packed) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as written:
        for name in sorted(read.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o600 << 16
            written.writestr(info, read.read(name))
    return out.getvalue()
