"""Reviews as files: export and import, golden cases, signatures on notes and rules, release records, and the runs they rest on.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, and loses it when read back. A text longer than a cell
holds is cut over several columns. So what is read back is what was written, to the letter.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from evals import cases
from evals.review import SAYS, Action, Event, Item, Refused, case_source, differing, judgements, outcome, to_case

FORMATS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv", "jsonl": "application/jsonl"}
CELL = 32_000  # a spreadsheet's cell holds 32,767 characters
LARGEST = 64 * 1024 * 1024  # bytes of a file taken in, unpacked
MAX_ROWS = 100_000
_FIRST = ("id", "tid", "vem", "roll", "händelse", "körning", "fall")
_WORDS = {"ämne": "topic", "fråga": "question", "händelsedatum": "as_of", "status": "status", "anmälan": "report",
          "allvar": "severity", "kommentar": "comment", "rättat svar": "corrected", "gäller": "settled", "testfall": "case",
          "svarets sha256": "answer_sha256"}
_DATA = {"samtal": "history", "källor": "refs", "versioner": "versions", "granskare": "reviewers", "hänvisningar": "citations",
         "rätt svar": "expected", "facit": "wanted"}
COLUMNS = (*_FIRST, *list(_WORDS)[:5], *_DATA, *SAYS, *list(_WORDS)[5:])
ANSWER = "svar"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")


# --- one event, one row --------------------------------------------------------------------------------------------


def row_of(event: Event, answer: str) -> dict[str, str]:
    """An event as a flat row of texts."""
    body = event.body
    known = (event.id, event.at, event.who, event.role, event.action, event.origin, event.case)
    row = {name: str(value) for name, value in zip(_FIRST, known, strict=True)}
    row |= {column: body[key] for column, key in _WORDS.items() if key in body}
    row |= {column: json.dumps(body[key], ensure_ascii=False) for column, key in _DATA.items() if key in body}
    row |= body.get("answer", {})
    return row | {ANSWER: answer} if answer else row


def event_of(row: Mapping[str, Any]) -> tuple[Event, str]:
    """(the event of a row, its answer as JSON). Raises ``Refused`` with what is wrong."""
    unknown = [name for name in row if name not in COLUMNS and name != ANSWER]
    if unknown:
        raise Refused(f"okänd kolumn: {str(unknown[0])[:40]}")
    held = {str(name): value for name, value in row.items() if value not in (None, "")}
    if not all(isinstance(value, str) for value in held.values()):
        raise Refused("en cell är inte text")
    if lacking := [name for name in _FIRST if name not in held]:
        raise Refused(f"kolumnen {lacking[0]} är tom")
    at, who, role, action, origin, case = (held[name] for name in _FIRST[1:])
    event = Event(at, who, role, origin, case, action, _body(held, action))
    if event.id != held["id"]:
        raise Refused("raden är ändrad efter exporten")
    return event, held.get(ANSWER, "")


_BODY = {  # action → what its body holds
    Action.QUEUED: ("topic", "question", "as_of", "history", "status", "refs", "versions", "report", "wanted", "answer_sha256"),
    Action.ASSIGNED: ("reviewers",), Action.JUDGED: ("citations", "answer", "severity", "comment", "corrected"),
    Action.SETTLED: ("citations", "answer", "severity", "comment", "corrected", "expected"),
    Action.CONFIRMED: ("settled",), Action.MADE_CASE: ("case",),
}


def _body(held: Mapping[str, str], action: str) -> dict[str, Any]:
    if action not in list(_BODY):
        raise Refused(f"okänd händelse: {action[:40]}")
    data = {key: column for column, key in _DATA.items()}
    words = {key: column for column, key in _WORDS.items()}
    out: dict[str, Any] = {}
    for key in _BODY[Action(action)]:
        if key == "answer":
            out[key] = {name: held[name] for name in SAYS if name in held}
        elif key in data:
            try:
                out[key] = json.loads(held.get(data[key], "null"))
            except (ValueError, RecursionError) as error:
                raise Refused(f"kolumnen {data[key]} går inte att läsa") from error
        else:
            out[key] = held.get(words[key], "")
    return out


# --- files out -----------------------------------------------------------------------------------------------------


def export(kind: str, whole: Sequence[tuple[Event, str]], items: Sequence[Item]) -> bytes:
    """Everything in the queue as a file. XLSX also has a sheet to read, one row an answer."""
    rows = [row_of(event, answer) for event, answer in whole]
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    table = list(_table(rows))
    if kind == "csv":
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(table)  # what a Swedish Excel opens as it stands
        return b"\xef\xbb\xbf" + out.getvalue().encode()
    return _xlsx({"Översikt": list(_overview(items)), "Händelser": table})


def _table(rows: Sequence[Mapping[str, str]]) -> Iterator[list[str]]:
    """The rows under one another, long texts cut over numbered columns, formulas made harmless."""
    longest = {name: max((len(row.get(name, "")) for row in rows), default=0) for name in (*COLUMNS, ANSWER)}
    parts = {name: max(1, -(-size // CELL)) for name, size in longest.items()}
    yield [name if part == 0 else f"{name} {part + 1}" for name, count in parts.items() for part in range(count)]
    for row in rows:
        yield [neutral(row.get(name, "")[part * CELL: (part + 1) * CELL]) for name, count in parts.items() for part in range(count)]


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_RISKY) else cell


def literal(cell: str) -> str:
    """What ``neutral`` was given."""
    return cell[1:] if cell.startswith("'") else cell


def _overview(items: Sequence[Item]) -> Iterator[list[str]]:
    yield ["körning", "fall", "ämne", "fråga", "händelsedatum", "läge", "granskare", "utfall", "oeniga om", "kommentarer", "fastställd av",
           "testfall", "versioner"]
    for item in items:
        held = outcome(item)
        said = [f"{one.who}: {one.comment}" for one in item.verdicts if one.comment and len(item.verdicts) > 1]
        apart = differing(*item.verdicts[:2]) if len(item.verdicts) > 1 else ()
        cells = [item.origin, item.case, item.topic, item.question, item.as_of, item.state.value, ", ".join(item.reviewers),
                 "; ".join(f"{name}: {value}" for name, value in judgements(held).items()) if held else "", ", ".join(apart),
                 "\n".join(said),
                 ", ".join(item.settled.by) if item.settled else "", item.golden, "; ".join(f"{name}: {it}" for name, it in item.versions)]
        yield [neutral(cell[:CELL]) for cell in cells]


def _xlsx(sheets: Mapping[str, list[list[str]]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for column in range(len(rows[0])):
            sheet.column_dimensions[_letters(column)].width = 22
        for place, row in enumerate(rows):
            cells = [WriteOnlyCell(sheet, value) for value in row]
            for cell in cells:
                cell.data_type = "s"
                cell.font, cell.alignment = Font(bold=place == 0), Alignment(vertical="top")
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _letters(column: int) -> str:
    return (chr(64 + column // 26) if column >= 26 else "") + chr(65 + column % 26)


# --- files in ------------------------------------------------------------------------------------------------------


def read(name: str, data: bytes) -> tuple[list[tuple[int, Event, str]], list[tuple[int, str]]]:
    """((row, event, answer) of each readable row, (row, reason) of the others). Row 1 is the first line of the file."""
    kind = name.rpartition(".")[2].lower()
    if kind not in FORMATS:
        raise Refused("filen ska sluta på .xlsx, .csv eller .jsonl")
    if len(data) > LARGEST:
        raise Refused("filen är för stor")
    raw = {"xlsx": _from_xlsx, "csv": _from_csv, "jsonl": _from_jsonl}[kind](data)
    good: list[tuple[int, Event, str]] = []
    wrong: list[tuple[int, str]] = []
    for place, row in raw:
        if place > MAX_ROWS:
            raise Refused(f"filen har fler än {MAX_ROWS} rader")
        try:
            good.append((place, *event_of(row)) if isinstance(row, dict) else _not_a_row(row))
        except Refused as error:
            wrong.append((place, str(error)))
    if not good and not wrong:
        raise Refused("filen är tom")
    return good, wrong


def _not_a_row(row: object) -> tuple[int, Event, str]:
    raise Refused(row if isinstance(row, str) else "raden är inget objekt")


def _from_jsonl(data: bytes) -> Iterator[tuple[int, object]]:
    for place, line in enumerate(_decoded(data).split("\n"), 1):  # not splitlines: a text may hold other line separators
        if not line.strip():
            continue
        try:
            yield place, json.loads(line)
        except (ValueError, RecursionError):
            yield place, "raden är inte JSON"


def _from_csv(data: bytes) -> Iterator[tuple[int, object]]:
    text = _decoded(data)
    head = text.split("\n", 1)[0]
    csv.field_size_limit(LARGEST)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") >= head.count(",") else ",", strict=True))
    except csv.Error as error:
        raise Refused("filen går inte att läsa som CSV") from error
    return _rows(table)


def _from_xlsx(data: bytes) -> Iterator[tuple[int, object]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST:
                raise Refused("filen är för stor")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        sheet = book["Händelser"]
        table = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 1)]
    except Refused:
        raise
    except KeyError as error:
        raise Refused("bladet «Händelser» saknas") from error
    except Exception as error:  # a hostile file can make the reader fail in any way; nothing is kept of it
        raise Refused("filen går inte att läsa som XLSX") from error
    return _rows(table)


def _rows(table: list[list[str]]) -> Iterator[tuple[int, object]]:
    names = [cell.strip() for cell in table[0]] if table else []
    wanted = [re.sub(r" \d+$", "", name) for name in names]
    if not set(_FIRST) <= set(wanted) or len(set(names)) < len(names):
        raise Refused(f"första raden ska ha kolumnerna {', '.join(_FIRST)} och inga två lika")
    for place, cells in enumerate(table[1:], 2):
        if not any(cells):
            continue
        if len(cells) > len(names):
            yield place, "raden har fler celler än första raden"
            continue
        row: dict[str, str] = {}
        for name, cell in zip(wanted, cells, strict=False):
            row[name] = row.get(name, "") + literal(cell)
        yield place, row


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("filen är inte text i UTF-8") from error


# --- golden cases --------------------------------------------------------------------------------------------------

_HEAD = "# Fall som juristerna har fastställt i granskningen. Skrivs av fönstret; varje fall har reviewed_by och reviewed_on.\n"
_BREAKS = {0x85: "\\N", 0x2028: "\\L", 0x2029: "\\P"}  # what YAML takes for the end of a line, as it escapes it


def add_case(path: Path, item: Item) -> str:
    """Make an adjudicated answer a golden case; its id.

    Came the answer from a golden case of the folder, that case is corrected where it stands: two cases with one question and two
    answers would never both be met. Otherwise it is put in ``path``, in place of an earlier one of the same answer.
    """
    with alone(path):
        file = next((one for one in sorted(path.parent.glob("*.yaml")) if _same_question(one, item)), path)
        text = file.read_text(encoding="utf-8") if file.is_file() else _HEAD
        held = _cases(file)
        known = next((one for one in held if case_source(item) in one["source"] or (item.wanted and one["id"] == item.case)), None)
        made = to_case(item, str(known["id"]) if known else _free_id(held))
        if known and item.wanted:
            said = item.settled and item.settled.verdict.comment
            made |= {"source": known["source"], "reason": said or known["reason"]}
        check_case(made)
        block = case_text(made)
        if known:
            start, end = _entry(text, made["id"])
            rest = text[end:]
            text = text[:start] + block + ("\n" if rest else "") + rest
        else:
            text = text.rstrip() + "\n\n" + block
        replace_text(file, text)
    return str(made["id"])


def case_text(made: Mapping[str, Any]) -> str:
    """A case as the files of golden cases write it: a line a field."""
    def plain(value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False).translate(_BREAKS)

    lines = [f"{name}: {plain(value)}" for name, value in made.items()]
    return "- " + "\n  ".join(lines) + "\n"


def check_case(made: Mapping[str, Any]) -> None:
    """Raise ``Refused`` when a case would not be read by the next run, with the reasons."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "fall.yaml").write_text(case_text(made), encoding="utf-8")
        try:
            cases.load(Path(folder))
        except cases.CaseError as error:
            raise Refused("; ".join(line.split(": ", 1)[-1] for line in str(error).splitlines())) from error


def _same_question(path: Path, item: Item) -> bool:
    return bool(item.wanted) and any(one["id"] == item.case and one["question"] == item.question for one in _cases(path))


def _free_id(held: Sequence[Mapping[str, Any]]) -> str:
    return f"J{max((int(str(one['id'])[1:]) for one in held), default=0) + 1:03}"


def _cases(path: Path) -> list[dict[str, Any]]:
    held = (yaml.safe_load(path.read_text(encoding="utf-8")) or []) if path.is_file() else []
    if not isinstance(held, list) or not all(isinstance(one, dict) and {"id", "source", "question"} <= set(one) for one in held):
        raise Refused(f"{path.name} är ingen lista av fall; rätta filen först")
    return held


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One writer of a folder at a time; the lock goes with the process and leaves no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


# --- signatures on notes and rules ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Paper:
    """A note or a rule as a lawyer signs it: where it stands, its words, and who has signed it."""

    kind: str
    id: str
    title: str
    ref: str
    text: str
    path: Path
    reviewed_by: str
    reviewed_on: str


def papers(notes: Path, rules: Path) -> tuple[Paper, ...]:
    """Every rule and note, rules first, by id."""
    return (*_rule_papers(rules), *_note_papers(notes))


def _rule_papers(folder: Path) -> Iterator[Paper]:
    for path in sorted(folder.glob("*.yaml")):
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        for rule in held.get("rules") or ():
            title = f"{rule.get('provision', rule['id'])}: {rule.get('says', '')}"
            shown = {key: value for key, value in rule.items() if key not in ("reviewed_by", "reviewed_on")}
            text = yaml.safe_dump(shown, allow_unicode=True, sort_keys=False, width=100)
            yield Paper("regel", rule["id"], title, str(rule.get("ref", "")), text, path,
                        str(rule.get("reviewed_by") or ""), str(rule.get("reviewed_on") or ""))


def _note_papers(folder: Path) -> Iterator[Paper]:
    for path in sorted(folder.rglob("*.md")):
        parts = path.read_text(encoding="utf-8").split("---\n", 2)
        if path.name == "README.md" or len(parts) != 3:
            continue
        head = yaml.safe_load(parts[1])
        yield Paper("not", head["id"], head["title"], head["ref"], parts[2].strip(), path, str(head["reviewed_by"] or ""),
                    str(head["reviewed_on"] or ""))


def sign(text: str, who: str, on: date, rule: str = "") -> str:
    """A note's text, or a file of rules with the id of the rule, with the signature in it; not a letter else is changed."""
    start, end = _entry(text, rule)
    part = text[start:end]
    for key, value in (("reviewed_by", json.dumps(who, ensure_ascii=False)), ("reviewed_on", on.isoformat())):
        found = re.findall(rf"^ *{key}: null[ \t]*$", part, re.M)
        if len(found) != 1:
            raise Refused("redan signerad, eller så saknas raderna reviewed_by och reviewed_on")
        part = part.replace(found[0], found[0].replace("null", value), 1)
    return text[:start] + part + text[end:]


def _entry(text: str, rule: str) -> tuple[int, int]:
    if not rule:
        closed = text.find("\n---\n", 4)
        if not text.startswith("---\n") or closed < 0:
            raise Refused("noten har inget huvud mellan två rader med ---")
        return 0, closed + 1
    found = re.search(rf"^(?P<in> *)- id: [\"']?{re.escape(rule)}[\"']?[ \t]*$", text, re.M)
    if not found:
        raise Refused(f"regeln {rule} finns inte i filen")
    following = re.compile(rf"^(?:{found['in']}- |(?! )\S)", re.M).search(text, found.end())
    return found.start(), following.start() if following else len(text)


def sign_paper(paper: Paper, who: str, on: date) -> None:
    """Write the signature into the paper's file."""
    with alone(paper.path):
        text = paper.path.read_text(encoding="utf-8")
        signed = sign(text, who, on, paper.id if paper.kind == "regel" else "")
        replace_text(paper.path, signed)


# --- runs and releases -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One evaluation run on disk: its name, its figures (name, number), and the versions it was made with."""

    name: str
    folder: Path
    figures: tuple[tuple[str, float], ...]
    versions: tuple[tuple[str, str], ...]


def runs(folder: Path) -> tuple[Run, ...]:
    """The runs under a folder, oldest first; one without a summary isn't whole and not counted."""
    found = sorted((path.stat().st_mtime, path.parent) for path in folder.glob("*/summary.json") if (path.parent / "rows.jsonl").is_file())
    return tuple(_run(path) for _, path in found)


def _run(folder: Path) -> Run:
    told: Any = {}
    with suppress(OSError, ValueError):
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    told = told if isinstance(told, dict) else {}
    measures = told.get("measures") if isinstance(told.get("measures"), dict) else {}
    figures = tuple((str(name), float(one["value"])) for name, one in measures.items()
                    if isinstance(one, dict) and isinstance(one.get("value"), (int, float)))
    return Run(folder.name, folder, figures, tuple((name, str(told[name])) for name in ("commit", "corpus", "rules") if name in told))


def rows(run: Run) -> Iterator[Mapping[str, Any]]:
    """The rows of a run; a broken line is given as an empty row, so that it is told with its place."""
    for line in (run.folder / "rows.jsonl").read_text(encoding="utf-8").split("\n"):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError:
                row = {}
            yield row if isinstance(row, dict) else {}


_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,40}")


def write_release(folder: Path, record: Mapping[str, Any]) -> Path:
    """The signed record of a version, as Markdown whose front matter holds it all. An earlier record is never written over."""
    version = str(record["version"])
    if not _VERSION.fullmatch(version):
        raise Refused("versionen skrivs med bokstäver, siffror, punkt, plus och bindestreck, till exempel 0.2.0")
    path = folder / f"{version}.md"
    with alone(path):
        if path.exists():
            raise Refused(f"version {version} är redan godkänd")
        replace_text(path, _release(record))
    return path


def _release(record: Mapping[str, Any]) -> str:
    def table(held: Mapping[str, Any]) -> list[str]:
        return ["| | |", "|---|---|", *(f"| {_flat(name)} | {_flat(value)} |" for name, value in held.items()), ""]

    run = _flat(record["run"]) or "ingen körning"
    return "\n".join([
        "---", yaml.safe_dump(dict(record), allow_unicode=True, sort_keys=False, width=120).strip(), "---",
        f"# Version {record['version']}", "", f"Godkänd av {record['approved_by']} den {record['approved_on']}.", "",
        "## Versioner", "", *table(record["versions"]), f"## Siffror ({run})", "", *table(record["figures"]),
        "## Granskning", "", *table(record["review"]), "## Kända begränsningar", "", *(f"- {_flat(one)}" for one in record["limits"]), ""])


def _flat(value: object) -> str:
    """Words inside Markdown that stay words: no table is broken, nothing becomes an image or a link."""
    return re.sub(r"([\\`*_\[\]<>!|#])", r"\\\1", " ".join(str(value).split()))
