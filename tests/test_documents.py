"""Documents are read as a careful person would read them, and hostile files are refused by name."""

from __future__ import annotations

import io
import os
import re
import time
import zipfile
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path

import docx
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from corpus import pages
from corpus.documents import MAX_SECTION, Bounds, Document, DocumentError, Section, measures, read

OFFICIAL = Path(__file__).parents[2] / "shared" / "official"
official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason=f"de officiella texterna finns inte i {OFFICIAL}")


def seed(number: str) -> Document:
    return read(next((OFFICIAL / "seeds").glob(f"{number}_*.txt")))


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def paragraphs(document: Document) -> list[str]:
    return [paragraph for section in document.sections for paragraph in section.text.split("\n\n")]


def everything(document: Document) -> str:
    return "\n".join(
        (*(section.text for section in document.sections), *(h for s in document.sections for h in s.headings))
    )


# --- a PDF with known truth ------------------------------------------------------------------------------------------

SUBJECTS = (
    "Handläggaren",
    "Registratorn",
    "Jurist och handläggare",
    "En mottagande myndighet",
    "Den som ansvarar för it-utveckling",
)
DEEDS = (
    "antecknar informationsutbytet i diariet",
    "prövar utlämnandefrågan tillsammans med arkivfunktionen",
    "beskriver hälso- och sjukvårdens behov",
    "kontrollerar att API-lösningen är avgränsad",
    "skickar en e-postbekräftelse till mottagaren",
    "dokumenterar intresseavvägningen i akten",
)
TAILS = (
    "innan någon uppgift lämnas vidare",
    "efter samråd med verksamhetsansvariga",
    "så att prövningen kan följas upp i efterhand",
    "även när begäran kommer från en kommun",
    "med hänsyn till den enskildes integritetsskydd",
)


def sentence(n: int) -> str:
    return f"{SUBJECTS[n % 5]} {DEEDS[n % 6]} {TAILS[n % 7 % 5]}, enligt punkt {n} i ordningen."


class Typesetter:
    """Sets paragraphs in justified-looking lines, hyphenating at the line's end, with page header, footer and notes."""

    WIDTH, LEFT, TOP, FOOT, SIZE = 380, 80, 730, 150, 10

    def __init__(self, total: int) -> None:
        self.file, self.total, self.number, self.notes = io.BytesIO(), total, 0, []
        self.canvas = Canvas(self.file, pagesize=(560, 842))
        self.truth: list[str] = []
        self.note_truth: list[str] = []
        self.calls = 0
        self.open_page()

    def open_page(self) -> None:
        self.number += 1
        self.y = self.TOP
        self.canvas.setFont("Helvetica", 8)
        for i, row in enumerate((f"Rapport {self.number}({self.total})", "Datum Dnr", f"2026-02-03 77-{1000}-2026")):
            self.canvas.drawString(400, 800 - 11 * i, row)

    def close_page(self) -> None:
        y = self.FOOT - 20
        for number, text in self.notes:
            self.canvas.setFont("Helvetica", 5)
            self.canvas.drawString(self.LEFT, y + 3, str(number))
            self.canvas.setFont("Helvetica", 8)
            self.canvas.drawString(self.LEFT + 5, y, text)
            y -= 10
        self.notes = []
        self.canvas.setFont("Helvetica", 10)
        self.canvas.drawString(self.LEFT, 40, f"Provmyndigheten, avdelning 4, sida {self.number}")
        self.canvas.showPage()

    def line(self, text: str, x: float = 0, size: float = 10, font: str = "Helvetica", call: int = 0) -> None:
        if self.y < self.FOOT:
            self.close_page()
            self.open_page()
        self.canvas.setFont(font, size)
        self.canvas.drawString(self.LEFT + x, self.y, text)
        if call:
            self.canvas.setFont(font, 5)
            self.canvas.drawString(self.LEFT + x + stringWidth(text, font, size), self.y + 4, str(call))
            self.canvas.setFont(font, size)
        self.y -= 1.25 * size

    def heading(self, text: str, size: float) -> None:
        self.y -= 8
        if self.y < self.FOOT + 40:
            self.close_page()
            self.open_page()
        self.line(text, size=size, font="Helvetica-Bold")
        self.y -= 4

    def paragraph(self, text: str, x: float = 0, note: str = "") -> None:
        self.truth.append(text)
        lines = broken(text, self.WIDTH - x)
        for i, row in enumerate(lines):
            call = 0
            if note and i == len(lines) - 1:
                self.calls += 1
                call = self.calls
                self.note_truth.append(f"{call} {note}")
            self.line(row, x if i == 0 or not x else x + 8, call=call)
            if call:
                self.notes.append((call, note))
        self.y -= 6

    def table(self, rows: list[list[str]]) -> None:
        if self.y - 18 * len(rows) < self.FOOT:
            self.close_page()
            self.open_page()
        top = self.y + 6
        self.canvas.grid(
            [self.LEFT, self.LEFT + 160, self.LEFT + 260, self.LEFT + 360], [top - 18 * i for i in range(len(rows) + 1)]
        )
        self.canvas.setFont("Helvetica", 9)
        for i, row in enumerate(rows):
            for k, cell in enumerate(row):
                self.canvas.drawString(self.LEFT + (0, 160, 260)[k] + 4, top - 18 * i - 12, cell)
        self.y = top - 18 * len(rows) - 20

    def done(self) -> bytes:
        self.close_page()
        self.canvas.save()
        return self.file.getvalue()


def broken(text: str, width: float) -> list[str]:
    """Lines no wider than ``width``; a word that does not fit is parted at its hyphen or in its middle."""
    lines, line = [], ""
    for word in text.split():
        while stringWidth(f"{line} {word}".strip(), "Helvetica", 10) > width:
            fits = [i for i in cuts(word) if stringWidth(f"{line} {word[:i]}-".strip(), "Helvetica", 10) <= width]
            if fits:
                part = word[: fits[-1]]
                lines.append(f"{line} {part}".strip() + ("" if part.endswith("-") else "-"))
                line, word = "", word[fits[-1] :]
            else:
                lines.append(line)
                line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]


def cuts(word: str) -> list[int]:
    if "-" in word.rstrip("-"):
        return [word.index("-") + 1]
    return list(range(4, len(word) - 3)) if word.isalpha() and len(word) > 8 else []


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> tuple[Document, Typesetter]:
    page = Typesetter(total=9)
    page.line("Provrapport om uppgiftslämnande", size=20, font="Helvetica-Bold")
    n = 0
    for chapter in range(1, 5):
        page.heading(f"{chapter} Kapitel om ordning {'ABCD'[chapter - 1]}", 15)
        for part in range(1, 4):
            page.heading(f"{chapter}.{part} Avsnitt om prövning", 12)
            for k in range(5):
                text = " ".join(sentence(n + i) for i in range(3 + k % 3))
                page.paragraph(text, note=f"{TAILS[n // 35 % 5].capitalize()}, se bilaga {n}." if k == 1 else "")
                n += 7
            page.paragraph("Myndigheten ska särskilt se till följande:")
            for k in range(3):
                page.paragraph("• " + sentence(n + k)[:-1], x=12)
            if part == 2:
                page.table(
                    [
                        ["Typ av åtgärd", "I samverkan", "Interna"],
                        ["It-utveckling", f"{chapter}", "0"],
                        ["Totalt", f"{chapter}", "0"],
                    ]
                )
    path = written(tmp_path_factory.mktemp("pdf"), "provrapport.pdf", page.done())
    return read(path), page


def test_pdf_keeps_paragraphs_intact(report):
    document, page = report
    found = {line.removeprefix("• ") for paragraph in paragraphs(document) for line in paragraph.split("\n")}
    long = [text.removeprefix("• ") for text in page.truth if len(text) > 100]
    intact = sum(text in found for text in long) / len(long)
    print(f"paragraphs intact: {intact:.3f} of {len(long)} on {page.number} pages")
    assert intact >= 0.95


def test_pdf_drops_running_headers_and_footers(report):
    text = everything(report[0])
    assert not any(word in text for word in ("Rapport 3(", "Datum Dnr", "77-1000-2026", "Provmyndigheten"))


def test_pdf_marks_headings_by_type_size_and_keeps_their_path(report):
    document, _ = report
    assert document.title == "Provrapport om uppgiftslämnande"
    wanted = {
        (f"{chapter} Kapitel om ordning {'ABCD'[chapter - 1]}", f"{chapter}.{part} Avsnitt om prövning")
        for chapter in range(1, 5)
        for part in range(1, 4)
    }
    assert {section.headings for section in document.sections} == wanted


def test_pdf_keeps_the_page_where_each_section_begins(report):
    document, page = report
    numbers = [section.page for section in document.sections]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, page.number + 1))


def test_pdf_footnotes_are_sections_of_their_own_and_their_calls_leave_the_text(report):
    document, page = report
    notes = [note for section in document.sections if section.kind == "footnote" for note in section.text.split("\n\n")]
    assert notes == page.note_truth


def test_pdf_tables_are_read_as_rows(report):
    tables = [section.text for section in report[0].sections if section.kind == "table"]
    assert tables == [
        f"Typ av åtgärd | I samverkan | Interna\nIt-utveckling | {n} | 0\nTotalt | {n} | 0" for n in range(1, 5)
    ]


def test_pdf_list_stays_with_the_sentence_that_introduces_it(report):
    lists = [section for section in report[0].sections if section.kind == "list" and ":\n\n• " in section.text]
    assert len(lists) >= 10


# --- hostile and broken files ----------------------------------------------------------------------------------------


def simple_pdf(rows: list[str], count: int = 1, **options) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, **options)
    for _ in range(count):
        for i, row in enumerate(rows):
            canvas.drawString(60, 760 - 14 * i, row)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def simple_docx(*steps) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    for step in steps:
        step(document)
    document.save(file)
    return file.getvalue()


def repacked(package: bytes, **replaced: bytes) -> bytes:
    """A DOCX with some parts replaced or added; keys are «document» for word/document.xml, else a path."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        names = {"document": "word/document.xml"}
        parts = {names.get(key, key): value for key, value in replaced.items()}
        for name in (*(entry for entry in old.namelist() if entry not in parts), *parts):
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return file.getvalue()


LOCKED, OWNED = StandardEncryption("lösen", ownerPassword="b"), StandardEncryption("", ownerPassword="b")
PDF = simple_pdf(["Detta är en rad med ord nog att läsas som text på sidan."])
DOCX = simple_docx(lambda d: d.add_paragraph("Ett stycke med text."))
XXE = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document>&x;HEMLIGT</w:document>'

REFUSED = {
    "broken pdf": ("trasig.pdf", PDF[: len(PDF) // 3] + b"HEMLIGT", "skadad"),
    "pdf in name only": ("text.pdf", b"HEMLIGT bara text", "inte vad namnet säger"),
    "encrypted pdf": ("last.pdf", simple_pdf(["HEMLIGT"], encrypt=LOCKED), "låst"),
    "pdf locked for its owner": ("agare.pdf", simple_pdf(["HEMLIGT"], encrypt=OWNED), "krypterad"),
    "pdf without text": ("skannad.pdf", simple_pdf([""], count=3), "skannad"),
    "pdf and zip in one": ("bada.pdf", PDF + DOCX, "två filtyper"),
    "html and pdf in one": ("bada.html", b"<html><!-- %PDF-1.4 --><p>HEMLIGT</p>", "två filtyper"),
    "pdf called text": ("pdf.txt", PDF, "innehåller PDF"),
    "html called markdown": ("sida.md", b"<!DOCTYPE html><p>HEMLIGT</p>", "innehåller HTML"),
    "old word file": ("gammal.docx", b"\xd0\xcf\x11\xe0" + b"HEMLIGT" * 100, "äldre Office"),
    "unknown type": ("tabell.xlsx", b"HEMLIGT", "filtyp som inte läses"),
    "zip that is no docx": ("arkiv.docx", DOCX.replace(b"word/document.xml", b"word/dokument.xml"), "ingen DOCX"),
    "broken docx": ("trasig.docx", DOCX[: len(DOCX) // 2], "skadad"),
    "zip bomb": ("bomb.docx", repacked(DOCX, document=b"\0" * 20_000_000), "zip-bomb"),
    "docx with paths outside itself": ("stig.docx", repacked(DOCX, **{"../../ut.xml": b"<a/>"}), "sökvägar"),
    "external entity": ("xxe.docx", repacked(DOCX, document=XXE), "DTD"),
    "external entity in utf-16": ("xxe16.docx", repacked(DOCX, document=XXE.decode().encode("utf-16")), "DTD"),
    "docx of broken xml": ("xml.docx", repacked(DOCX, document=b"<w:document>HEMLIGT"), "skadad"),
    "ten megabytes of NUL": ("nul.txt", b"\0" * 10_000_000, "NUL"),
    "NUL in a text": ("nul.md", b"# Rubrik\n\nHEM\0LIGT", "NUL"),
    "empty file": ("tom.txt", b"", "är tom"),
    "only blanks": ("blank.md", b" \n\n\t\n", "är tom"),
    "only a heading": ("rubrik.md", b"# HEMLIGT\n", "bara en rubrik"),
    "program": ("program.txt", b"MZ\x90HEMLIGT", "program"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_hostile_or_broken_file_is_refused_by_name_on_one_line_without_its_text(tmp_path, name, content, reason):
    with pytest.raises(DocumentError) as refused:
        read(written(tmp_path, name, content))
    message = str(refused.value)
    assert message.startswith(name + ": ")
    assert reason in message
    assert "\n" not in message
    assert "HEMLIGT" not in message


BOUNDED = {
    "too many bytes": ("stor.txt", b"a " * 1000, Bounds(max_bytes=1000), "större än gränsen"),
    "too many pages": (
        "lang.pdf",
        simple_pdf(["rad med ord"], count=40),
        Bounds(max_pages=39),
        "40 sidor, fler än gränsen 39",
    ),
    "too large unpacked": ("stor.docx", DOCX, Bounds(max_unpacked_bytes=1000), "packas upp"),
    "too many sections": (
        "manga.md",
        b"# Titel\n" + b"## Del\n\nText.\n" * 11,
        Bounds(max_sections=10),
        "fler avsnitt",
    ),
    "too slow": ("seg.html", b"<html><p>text</p>", Bounds(max_seconds=0.01), "längre tid"),
    "too much memory": (
        "minne.html",
        b"<html>" + b"<p>x" * 400_000,
        Bounds(max_memory_bytes=200_000_000),
        "minne|skadad",
    ),
}


@pytest.mark.parametrize(("name", "content", "bounds", "reason"), BOUNDED.values(), ids=BOUNDED)
def test_a_file_beyond_its_bounds_is_refused(tmp_path, name, content, bounds, reason):
    with pytest.raises(DocumentError, match=reason):
        read(written(tmp_path, name, content), bounds)


def test_a_slow_parse_is_killed_not_waited_for(tmp_path):
    path = written(tmp_path, "djup.html", b"<html>" + b"<p><b>ord</b> " * 1_500_000)
    began = time.monotonic()
    with pytest.raises(DocumentError):
        read(path, Bounds(max_seconds=1))
    assert time.monotonic() - began < 5


def test_fifteen_hundred_pages_are_the_most_a_pdf_may_have(tmp_path):
    with pytest.raises(DocumentError, match="1501 sidor"):
        read(written(tmp_path, "tjock.pdf", simple_pdf(["rad"], count=1501)))


def test_a_path_with_a_newline_gives_one_line(tmp_path):
    with pytest.raises(DocumentError) as refused:
        read(tmp_path / "rad\nbrytning\x1b[31m.txt")
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert "finns inte" in str(refused.value)
    path = written(tmp_path, "rad\nbrytning.txt", "En text som kan läsas, med ord nog.")
    assert "kan läsas" in read(path).sections[0].text


def test_links_out_of_the_folder_folders_and_pipes_are_not_read(tmp_path):
    inside = tmp_path / "mapp"
    inside.mkdir()
    target = written(tmp_path, "utanför.txt", "Hemlig text utanför mappen.")
    (inside / "länk.txt").symlink_to(target)
    (inside / "katalog.txt").mkdir()
    os.mkfifo(inside / "rör.txt")
    for name, reason in (("länk.txt", "utanför"), ("katalog.txt", "öppna|vanlig"), ("rör.txt", "vanlig")):
        with pytest.raises(DocumentError, match=reason):
            read(inside / name)
    written(inside, "källa.txt", "En text i samma mapp går bra att läsa.")
    (inside / "intern.txt").symlink_to(inside / "källa.txt")
    assert read(inside / "intern.txt").sections


MARKS = (
    "*a ",
    "[",
    "![",
    "<!--",
    "_a",
    "`",
    "- ",
    "1 a\n",
    ". ",
    "a\n",
    "(",
    "|",
    "\\",
    "[a](",
    "#  ",
    "1 ",
    "<a ",
    "Sida 1\n",
    "o b\n",
)


@pytest.mark.parametrize("suffix", [".md", ".txt"])
def test_text_of_nothing_but_opening_marks_is_read_in_linear_time(tmp_path, suffix):
    for mark in MARKS:
        path = written(
            tmp_path,
            "m" + suffix,
            f"# Titel\n\n{mark * (100_000 // len(mark))}slut".removeprefix("" if suffix == ".md" else "# "),
        )
        began = time.process_time()
        with suppress(DocumentError):
            read(path)
        assert time.process_time() - began < 3, mark


# --- encodings -------------------------------------------------------------------------------------------------------

SWEDISH = "Åklagaren får lämna uppgifter till Säkerhetspolisen – enligt 10 kap. 15 a §."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_swedish_letters_survive_every_encoding(tmp_path, encoding):
    document = read(written(tmp_path, "text.txt", SWEDISH.encode(encoding)))
    assert [section.text for section in document.sections] == [SWEDISH]
    assert any("Windows-1252" in warning for warning in document.warnings) == (encoding == "cp1252")


def test_hidden_and_direction_changing_characters_are_removed_and_letters_composed(tmp_path):
    document = read(
        written(tmp_path, "text.txt", "La\u030amna \u202einte\u202c ut\u200b upp\u00adgiften till Ä\u00a0B.")
    )
    assert document.sections[0].text == "Låmna inte ut uppgiften till Ä B."


# --- printed text ----------------------------------------------------------------------------------------------------

SEAMS = {
    "word break": (["informations-", "utbyte"], "informationsutbyte"),
    "e-post": (["säker e-", "post"], "säker e-post"),
    "it-utveckling": (["vår it-", "utveckling"], "vår it-utveckling"),
    "API-lösning": (["en API-", "lösning"], "en API-lösning"),
    "ID-forum": (["Operativt ID-", "forum"], "Operativt ID-forum"),
    "hälso- och": (["hälso-", "och sjukvård"], "hälso- och sjukvård"),
    "capital after": (["Stockholm-", "Arlanda"], "Stockholm-Arlanda"),
    "compound with a hyphen of its own": (["it-utvecklings-", "projekt"], "it-utvecklingsprojekt"),
    "soft hyphen": (["för\u00adfatt\u00ad", "ning"], "författning"),
    "dash": (["ett intyg -", "utan avgift"], "ett intyg - utan avgift"),
    "known with hyphen": (["kors-", "validering"], "kors-validering"),
}


@pytest.mark.parametrize(("lines", "joined"), SEAMS.values(), ids=SEAMS)
def test_word_breaks_are_joined_and_real_hyphens_kept(lines, joined):
    assert pages.joined(lines, frozenset({"kors-validering"})) == joined


PRINTED = """ Provutredning om delning

1 Inledning

Utredningen har kartlagt hur myndigheterna delar uppgifter med varandra och vilka digitala
lösningar som används. Arbetet har bedrivits under ett år och omfattar tre myndigheter som
säkerställer att


 Rapport 2(9)

Datum Dnr

2026-02-03 77-1000-2026


resurser används rätt.{call} Här slutar det första stycket som sidhuvudet delade mitt itu.

1.1 Metod

Metoden var enkäter. Svaren har sammanställts av en arbetsgrupp med deltagare från alla tre
myndigheterna, se not.{call2} Därefter vidtog analysen.

• första punkten som är så lång att den behöver gå över på en rad till innan den
kan ta slut,

• andra punkten som har underpunkter:
o den ena
o den andra

Tabell 1. Antal åtgärder

Typ Antal

It-utveckling 2
Förutsättningsskapande 0


1 Gemensam plan för provningen 2025, dnr 1/25

2 Metod beskrivs i bilagan till planen
 2 Slutsatser

Här står slutsatserna i ett sista stycke.
"""


@pytest.fixture
def printed(tmp_path) -> Document:
    return read(written(tmp_path, "utredning.txt", PRINTED.replace("{call2}", "2").replace("{call}", "1")))


def test_a_page_header_inside_a_sentence_is_taken_out_and_the_sentence_joined(printed):
    assert any("säkerställer att resurser används rätt." in paragraph for paragraph in paragraphs(printed))
    assert "Dnr" not in everything(printed)


def test_a_printed_page_number_counts_the_pages_and_its_date_is_the_publication(printed):
    assert [section.page for section in printed.sections if section.headings[-1] == "2 Slutsatser"] == [3]
    assert printed.published == date(2026, 2, 3)


def test_footnotes_that_look_like_numbered_headings_are_footnotes(printed):
    headings = {heading for section in printed.sections for heading in section.headings}
    assert headings == {"1 Inledning", "1.1 Metod", "2 Slutsatser"}
    notes = [section.text for section in printed.sections if section.kind == "footnote"]
    assert notes == ["1 Gemensam plan för provningen 2025, dnr 1/25\n\n2 Metod beskrivs i bilagan till planen"]
    assert "används rätt. Här slutar" in everything(printed)
    assert "se not. Därefter" in everything(printed)


def test_lists_keep_wrapped_items_and_sub_items(printed):
    items = next(section.text for section in printed.sections if section.kind == "list")
    assert "• första punkten som är så lång att den behöver gå över på en rad till innan den kan ta slut,\n" in items
    assert "• andra punkten som har underpunkter:\n  ◦ den ena\n  ◦ den andra" in items


def test_tables_stay_readable_row_by_row(printed):
    assert [s.text for s in printed.sections if s.kind == "table"] == [
        "Tabell 1. Antal åtgärder\nTyp Antal\nIt-utveckling 2\nFörutsättningsskapande 0"
    ]


def test_lines_repeated_at_page_edges_are_dropped_whatever_their_numbers(tmp_path):
    text = "\f".join(
        f"SOU 2031:4 Kapitel\nText på sida {n} som är unik för {chr(65 + n) * 3}.\n{n + 1}" for n in range(6)
    )
    document = read(written(tmp_path, "sou.txt", text))
    assert "SOU" not in everything(document)
    assert [s.page for s in document.sections] == [1, 2, 3, 4, 5, 6]


def test_a_chapters_running_head_is_dropped_by_its_page_number(tmp_path):
    heads = ("Om skäl", "Om skäl", "Om frister", "Om avgifter", "Om register", "Om tillsyn")
    text = "\f".join(f"{head} {n + 7}\n\nText på sidan, unik för {chr(65 + n) * 3}.\n" for n, head in enumerate(heads))
    document = read(written(tmp_path, "bok.txt", text))
    assert [section.text for section in document.sections] == [f"Text på sidan, unik för {c * 3}." for c in "ABCDEF"]


def test_speech_dashes_are_not_list_items(tmp_path):
    document = read(written(tmp_path, "tal.txt", "# Rubrik\n\n– Vi gör det nu, säger ministern.\n\n– Ja, säger hon.\n"))
    assert [section.kind for section in document.sections] == ["text"]


COMMENTED = {
    "after the draft, tabbed": "[Utkastet ändras.]\tComment by Eva Ek: ska bort",
    "Swedish": "[Utkastet ändras.] Kommentar av Eva Ek: ska bort",
    "on the line below": "[Utkastet ändras.]\n\nComment by Eva Ek: ska bort",
    "Word's initials": "[Utkastet ändras.] Comment [EE1]: ska bort",
}


@pytest.mark.parametrize("row", COMMENTED.values(), ids=COMMENTED)
@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_an_editors_comment_and_the_draft_it_is_attached_to_never_become_text(tmp_path, row, suffix):
    document = read(
        written(tmp_path, "svar" + suffix, f"# Svar\n\nFörsta stycket står kvar.\n\n{row}\n\nSista stycket.\n")
    )
    assert paragraphs(document) == ["Första stycket står kvar.", "Sista stycket."]
    assert any("kommentar" in warning for warning in document.warnings)


# --- formats with structure of their own -----------------------------------------------------------------------------


def test_markdown_front_matter_links_images_and_lists(tmp_path):
    text = (
        "---\ntitle: Ny lag\npublished: 2025-12-01\n---\n# Ny lag\n\n"
        "Se [lagen](https://exempel.se/a_(b)) och ![bild](x.png)*mera*.\n\n"
        "## Del\n\nFöljande gäller:\n\n* **ett** \\_två\\_\n  * under\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    )
    document = read(written(tmp_path, "lag.md", text))
    assert (document.title, document.published) == ("Ny lag", date(2025, 12, 1))
    assert document.sections == (
        Section("Se lagen och mera.", (), None, "text"),
        Section("Följande gäller:\n\n• ett _två_\n  ◦ under", ("Del",), None, "list"),
        Section("a | b\n1 | 2", ("Del",), None, "table"),
    )


@pytest.mark.parametrize(
    ("folder", "published"),
    [("gov/tal/2024/03", date(2024, 3, 1)), ("gov/tal/2024/13", None), ("gov/20192/01", None), ("", None)],
)
def test_a_mirrored_path_gives_the_month(tmp_path, folder, published):
    path = tmp_path / folder
    path.mkdir(parents=True, exist_ok=True)
    assert read(written(path, "sida.md", "# Titel\n\nText.")).published == published


def test_html_shows_what_a_reader_sees(tmp_path):
    page = """<!DOCTYPE html><html><head><title>Sajt</title>
      <meta property="article:published_time" content="2025-12-01T10:00">
      <script>ond()</script><style>p{}</style></head><body><nav>Meny</nav><header>Logga</header><main><h1>Rubrik</h1>
      <p>Första <a href="http://ond.example">länken</a>.<img src="http://ond.example/x.png" onerror="ond()"></p>
      <h2>Del</h2><ul><li>ett<ul><li>under</li></ul></li><li>två</li></ul>
      <table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table><p style="display:none">dolt</p>
      <div>löst <b>fet</b></div><!-- kommentar --></main><footer>Fot</footer></body></html>"""
    document = read(written(tmp_path, "sida.html", page))
    assert (document.title, document.published) == ("Rubrik", date(2025, 12, 1))
    assert document.sections == (
        Section("Första länken.", (), None, "text"),
        Section("• ett\n  ◦ under\n• två", ("Del",), None, "list"),
        Section("A | B\n1 | 2", ("Del",), None, "table"),
        Section("löst fet", ("Del",), None, "text"),
    )


def test_docx_headings_lists_tables_and_tracked_changes(tmp_path):
    def body(d):
        d.add_heading("Rapporten", 0)
        d.add_heading("1 Del", 1)
        d.add_paragraph("Följande gäller:")
        d.add_paragraph("ett", style="List Bullet")
        d.add_paragraph("två", style="List Bullet")
        table = d.add_table(rows=2, cols=2)
        for i, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"c{i}"

    package = simple_docx(body)
    with zipfile.ZipFile(io.BytesIO(package)) as parts:
        xml = parts.read("word/document.xml").decode()
    changed = "<w:p><w:ins><w:r><w:t>Infogat.</w:t></w:r></w:ins>"
    changed += "<w:del><w:r><w:delText>Struket.</w:delText></w:r></w:del></w:p>"
    package = repacked(package, document=xml.replace("<w:sectPr", changed + "<w:sectPr").encode())
    document = read(written(tmp_path, "rapport.docx", package))
    assert document.title == "Rapporten"
    assert any("inte är godkända" in warning for warning in document.warnings)
    assert document.sections == (
        Section("Följande gäller:\n\n• ett\n• två", ("1 Del",), None, "list"),
        Section("c0 | c1\nc2 | c3", ("1 Del",), None, "table"),
        Section("Infogat.", ("1 Del",), None, "text"),
    )


NOTES = b"""<?xml version="1.0"?><w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>streck</w:t></w:r></w:p></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:t>Lag (2031:1) om prov</w:t></w:r></w:p></w:footnote></w:footnotes>"""


def test_docx_footnotes_are_sections_of_their_own(tmp_path):
    package = simple_docx(lambda d: d.add_paragraph("Stycket har en not."))
    with zipfile.ZipFile(io.BytesIO(package)) as parts:
        xml, rels, types = (
            parts.read(name).decode()
            for name in ("word/document.xml", "word/_rels/document.xml.rels", "[Content_Types].xml")
        )
    base = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    package = repacked(
        package,
        document=xml.replace("not.</w:t></w:r>", 'not.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>').encode(),
        **{
            "word/footnotes.xml": NOTES,
            "word/_rels/document.xml.rels": rels.replace(
                "</Relationships>", f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/></Relationships>'
            ).encode(),
            "[Content_Types].xml": types.replace(
                "</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{base}"/></Types>'
            ).encode(),
        },
    )
    sections = read(written(tmp_path, "noter.docx", package)).sections
    assert [(s.kind, s.text) for s in sections] == [
        ("text", "Stycket har en not."),
        ("footnote", "2 Lag (2031:1) om prov"),
    ]


# --- sections --------------------------------------------------------------------------------------------------------


def test_sections_are_cut_between_paragraphs_and_long_paragraphs_between_sentences(tmp_path):
    whole = [" ".join(sentence(n + i) for i in range(4)) for n in range(12)]
    endless = " ".join(sentence(n) for n in range(60))
    document = read(written(tmp_path, "lang.md", "# Titel\n\n" + "\n\n".join([*whole, endless, "x" * 5000])))
    assert max(len(section.text) for section in document.sections) <= MAX_SECTION
    assert set(whole) <= set(paragraphs(document))
    assert all(section.text.endswith(".") for section in document.sections if "x" * 100 not in section.text)
    assert "".join(everything(document).split()) == "".join((" ".join([*whole, endless, "x" * 5000])).split())


# --- the official texts ----------------------------------------------------------------------------------------------


@official
def test_seed_002_is_rejoined_from_lines_with_a_blank_line_between_each():
    document = seed("002")
    assert (
        document.title
        == "Uppdrag till Polismyndigheten avseende utvecklat informationsutbyte vid samverkan mot terrorism"
    )
    assert {s.headings for s in document.sections} == {("Regeringens beslut",), ("Skälen för regeringens beslut",)}
    assert len(paragraphs(document)) == 13
    assert any("bör Polismyndigheten få i uppdrag" in paragraph for paragraph in paragraphs(document))


@official
@pytest.mark.parametrize("number", ["000", "001", "002"])
def test_no_word_of_a_seed_is_lost_or_added(number):
    raw = next((OFFICIAL / "seeds").glob(f"{number}_*.txt")).read_text()
    document = seed(number)
    headings = {heading: None for section in document.sections for heading in section.headings}
    read_words = " ".join((document.title, *headings, *(section.text for section in document.sections)))
    assert Counter(re.findall(r"\w+", read_words)) == Counter(re.findall(r"\w+", raw))


@official
def test_seed_003_is_dated_titled_and_free_of_the_editors_comment():
    document = seed("003")
    assert document.published == date(2016, 7, 21)
    assert document.title.startswith("Svar på fråga 2015/16:1430")
    text = everything(document)
    assert not any(word in text for word in ("Wenander", "Comment", "följer denna fråga", "tänker vi konkret"))


@official
def test_seed_004_headings_are_the_reports_own_and_no_footnote():
    document = seed("004")
    chapters = {s.headings[0] for s in document.sections}
    assert chapters == {
        "Sammanfattning", "1 Inledning", "2 Metod", "3 Pågående och planerade åtgärder hos respektive myndighet",
        "4 Digitala lösningar", "5 Gemensamma utvecklingsområden", "6 Slutsatser", "7 Begrepp och förkortningar",
        "Bilaga 1 - Pågående och planerade åtgärder",
    }  # fmt: skip
    assert ("2 Metod", "2.1 Problembild", "2.1.3 Teknisk fragmentering och bristande infrastruktur") in {
        s.headings for s in document.sections
    }


@official
def test_seed_004_page_header_footnotes_and_hyphens():
    document = seed("004")
    text = everything(document)
    notes = [n for s in document.sections if s.kind == "footnote" for n in s.text.split("\n\n")]
    assert len(notes) == 38
    assert Counter(int(note.split()[0]) for note in notes).most_common(1)[0][1] == 2
    assert "säkerställer att resurser används för faktiska" in text
    assert "Postadress" not in text
    assert "9(23)" not in text
    for words in (
        "e-post, e-tjänster",
        "SDK stödjer endast meddelanden upp till 30 MB, vilket",
        "Operativt ID-forum",
        "it-utveckling",
    ):
        assert words in text
    page = {s.page for s in document.sections if "resurser används för faktiska" in s.text or "30 MB, vilket" in s.text}
    assert page == {8, 17}


@official
def test_the_one_table_of_the_annex_whose_total_is_wrong_is_reported():
    wrong = [warning for warning in seed("004").warnings if "Totalt" in warning]
    assert wrong == ["sida 26: tabellens rad «Totalt» är inte summan av raderna ovanför"]


@official
def test_bilaga_1_yields_186_measures_in_17_authority_lists_sub_items_counted_for_their_parent():
    found = measures(seed("004"))
    counts = Counter(measure.authority for measure in found)
    assert (len(found), len(counts)) == (186, 17)
    assert counts["Åklagarmyndigheten"] == 13
    assert counts["Skatteverket"] == 53
    assert counts["Bolagsverket"] == 5
    assert not any(measure.text.endswith(":") for measure in found)
    kustbevakningen = [m for m in found if m.authority == "Kustbevakningen"]
    assert [(m.category, m.page) for m in kustbevakningen] == [("It-utveckling i samverkan", 32)] * 2


@official
def test_every_government_page_is_read_or_refused_in_one_line_and_fast():
    began, sections, refused = time.process_time(), 0, 0
    for path in sorted((OFFICIAL / "gov").rglob("*.md")):
        if not path.read_text().partition("\n")[2].strip():
            with pytest.raises(DocumentError, match="bara en rubrik"):
                read(path)
            refused += 1
            continue
        document = read(path)
        sections += len(document.sections)
        assert document.title
        assert all(
            section.text.strip() and len(section.text) <= MAX_SECTION for section in document.sections
        )
        assert not any("](" in section.text or "<" in section.text for section in document.sections)
    spent = time.process_time() - began
    print(f"gov: {sections} sections, {refused} without text, {spent:.1f} s CPU")
    assert refused < 40
    assert spent < 20
