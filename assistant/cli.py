"""The command line. Exit codes: 0 done, 1 nothing found or refused, 2 bad input with a one-line reason."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assistant import desk, pipeline, prefill, retrieve
from assistant.grounds import booklet, flowmap
from assistant.grounds import checklist as checklists
from assistant.grounds import load as rules
from assistant.grounds.case import Case
from assistant.grounds.find import find
from assistant.record import plain as plain
from assistant.settings import UNREADABLE, Settings, unreadable
from assistant.types import Question, Status, Turn
from assistant.understand import understand
from corpus import analysis

app = typer.Typer(help="Stöd för att bedöma om en uppgift får lämnas mellan myndigheter.", no_args_is_help=True, add_completion=False,
                  pretty_exceptions_enable=False)
corpus_app = typer.Typer(help="Källorna: hämta, läs in och visa.", no_args_is_help=True)
grounds_app = typer.Typer(help="Lagen som data: vilka grunder som är öppna i ett ärende.", invoke_without_command=True)
app.add_typer(corpus_app, name="corpus")
app.add_typer(grounds_app, name="grounds")
out = Console()
err = Console(stderr=True)

AsOf = Annotated[str | None, typer.Option("--as-of", help="Händelsedatum ÅÅÅÅ-MM-DD; i dag om inget anges.")]
IndexFolder = Annotated[Path | None, typer.Option("--index", help="Indexets mapp, om inte data/index.")]
AsJson = Annotated[bool, typer.Option("--json", help="Skriv resultatet som JSON.")]
Batch = Annotated[Path | None, typer.Option("--batch", help="Fil med ett JSON-objekt per rad.")]
Out = Annotated[Path | None, typer.Option("--out", help="Fil för resultatet av --batch.")]


class BadInput(Exception):
    """What the person wrote can't be used; the message is the one line shown."""


def main() -> None:
    """Entry point: a plain line instead of a trace for what a person can cause."""
    try:
        from assistant.storage import commands

        app.add_typer(commands.audit_app, name="audit")
        app.add_typer(commands.storage_app, name="storage")
        for command in entry_points(group="delningsstod.commands"):  # rooms above this one, which it may not import
            app.add_typer(command.load(), name=command.name)
        sys.exit(app(standalone_mode=False) or 0)
    except (BadInput, desk.NotReady) as error:
        err.print(f"Fel: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except UNREADABLE as error:
        err.print(f"Fel: {unreadable(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        err.print(f"Fel: {desk.plain_reason(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except Exception as error:
        told = getattr(error, "format_message", None)  # typer's own usage errors, whichever click it carries
        if told is not None:
            err.print(f"Fel: {told()} Se «delningsstod --help».", style="red", markup=False, highlight=False, soft_wrap=True)
            sys.exit(2)
        raise


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="Frågan, inom citattecken.")] = None,
    as_of: AsOf = None,
    history: Annotated[Path | None, typer.Option(help="JSON-fil med tidigare repliker.")] = None,
    as_json: AsJson = False,
    batch: Batch = None,
    out_file: Out = None,
    index: IndexFolder = None,
) -> None:
    """Svara på en fråga med citat ur källorna."""
    settings = Settings()
    if batch:
        with _opened(settings, index) as opened:
            _batch(batch, out_file, lambda row: {"answer": _answer(row, opened)})
        return
    if not question:
        raise BadInput("Skriv en fråga inom citattecken, eller ange --batch.")
    asked = Question(question, _day(as_of), _history(history))
    with _opened(settings, index) as opened:
        answer = pipeline.answer(asked, opened)
    if as_json:
        print(json.dumps(plain(answer), ensure_ascii=False, indent=2))
    else:
        out.print(Markdown(answer.text_md))
        _sources(answer)
    if answer.status not in (Status.ANSWERED, Status.ANSWERED_WITH_HANDOFF, Status.CLARIFICATION_NEEDED):
        raise typer.Exit(1)


def _sources(answer: Any) -> None:
    from assistant import texts

    if answer.citations:
        out.print("\nKällor", style="bold")
    for number, one in enumerate(answer.citations, 1):
        since = f", gäller från {one.valid_from.isoformat()}" if one.valid_from else ""
        page = f", s. {one.page}" if one.page else ""
        out.print(f"[{number}] {one.label} ({texts.KINDS.get(one.kind, one.kind)}{page}{since})", markup=False, highlight=False)
    for warning in answer.warnings:
        out.print(f"Obs: {warning.text}", style="yellow", markup=False, highlight=False)
    if answer.law_as_of:
        days = f"Lagtext per {answer.law_as_of.isoformat()}. Händelsedatum {answer.as_of_date.isoformat()}."
        out.print(days, style="dim", highlight=False)


@app.command()
def search(
    question: Annotated[str | None, typer.Argument(help="Sökfrågan, inom citattecken.")] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="Antal träffar.")] = 10,
    as_of: AsOf = None,
    explain: Annotated[bool, typer.Option("--explain", help="Visa varför varje träff är med.")] = False,
    as_json: AsJson = False,
    batch: Batch = None,
    out_file: Out = None,
    index: IndexFolder = None,
) -> None:
    """Sök i källorna utan att svara."""
    settings = Settings()
    with _opened(settings, index) as opened:
        if batch:
            _batch(batch, out_file, lambda row: {"hits": _hits(_question(row), opened, k, explain)})
            return
        if not question or not question.strip():
            raise BadInput("Skriv en sökfråga inom citattecken, eller ange --batch.")
        hits = _hits(Question(question, _day(as_of)), opened, k, explain)
    if as_json:
        print(json.dumps({"hits": hits}, ensure_ascii=False, indent=2))
    else:
        for number, hit in enumerate(hits, 1):
            out.print(f"{number:2}. {hit['label']}  {hit['score']:.2f}", style="bold", markup=False, highlight=False)
            out.print(f"    {analysis.unwrapped(hit['text'])[:220]}", markup=False, highlight=False)
            if explain:
                out.print(f"    {', '.join(hit['why'])}", style="dim", markup=False, highlight=False)
    if not hits:
        if not as_json:
            out.print("Inga träffar.")
        raise typer.Exit(1)


def _hits(question: Question, opened: pipeline.Desk, k: int, explain: bool) -> list[dict[str, Any]]:
    from assistant import compose, guard

    if guard.check_question(question.text):
        return []
    understood = understand(question, opened.index.respelled)
    found = retrieve.search(understood, opened.index, k, found=prefill.look_up(understood, opened.law).refs)
    rows = []
    for hit in found:
        row: dict[str, Any] = {
            "ref": hit.passage.ref, "source": hit.passage.source, "kind": hit.passage.kind, "score": hit.score,
            "text": hit.passage.text, "label": compose.label(hit.passage), "passage_id": hit.passage.id}
        rows.append({**row, "why": list(hit.why)} if explain else row)
    return rows


@corpus_app.command("build")
def corpus_build(
    add: Annotated[list[Path] | None, typer.Option("--add", help="Fil eller mapp att läsa in utöver de egna noterna.")] = None,
    index: IndexFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Bygg om även om inget är nytt.")] = False,
) -> None:
    """Läs källorna och bygg indexet."""
    paths = list(add or [])
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} finns inte.")
    settings = Settings()
    started = datetime.now()
    with progress() as show:
        made, new = desk.build(settings, paths, folder=index, progress=show, force=force)
    seconds = (datetime.now() - started).total_seconds()
    if not new:
        out.print(f"Inget nytt sedan {made.built}. {made.passages} textstycken ur {made.sources} källor ({seconds:.1f} s).",
                  highlight=False)
    else:
        out.print(f"Klart: {made.passages} textstycken ur {made.sources} källor på {seconds:.0f} s.", highlight=False)
    _summary(made)


def _summary(made: Any) -> None:
    if made.skipped:
        out.print(f"\nUtelämnade ({len(made.skipped)}):", style="bold", highlight=False)
        for path, reason in made.skipped:
            name = Path(path).name
            said = reason if reason.startswith(name) else f"{name}: {reason}"
            out.print(f"  {said}", markup=False, highlight=False, soft_wrap=True)
    if made.notes:
        out.print(f"\nAtt se över ({len(made.notes)}):", style="bold", highlight=False)
        for source, note in made.notes:
            out.print(f"  {source}: {note}", markup=False, highlight=False, soft_wrap=True)


@corpus_app.command("fetch")
def corpus_fetch(
    source: Annotated[list[str] | None, typer.Option("--source", help="Hämta bara denna källa (id ur sources.toml).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Hämta även det som redan är hämtat.")] = False,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Bygg indexet efteråt.")] = True,
) -> None:
    """Hämta officiella källor över nätet och bygg sedan indexet."""
    settings = Settings()
    with progress() as show:
        report = desk.fetch(settings, tuple(source or ()), force=force, progress=show)
    out.print(f"Hämtade {len(report.fetched)}, oförändrade {len(report.unchanged)}, misslyckade {len(report.failed)}.", highlight=False)
    for line in desk.fetch_problems(report):
        err.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if build:
        with progress() as show:
            made, new = desk.build(settings, [settings.data / "fetched"] if (settings.data / "fetched").is_dir() else [], progress=show)
        out.print(f"{'Byggt' if new else 'Oförändrat'} index: {made.passages} textstycken ur {made.sources} källor.", highlight=False)


@corpus_app.command("show")
def corpus_show(index: IndexFolder = None) -> None:
    """Visa vilka källor indexet har."""
    with _opened(Settings(), index) as opened:
        for source, title, kind, as_of, passages in opened.index.listed():
            if kind != "not":
                out.print(f"{source}\t{kind}\t{as_of or '-'}\t{passages}\t{title}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Porten.", min=1, max=65535)] = 8501,
    host: Annotated[str, typer.Option(help="Adressen. Utan inloggning bara den egna datorn.")] = "127.0.0.1",
    api_only: Annotated[bool, typer.Option("--api-only", help="Bara API:et, utan webbfönster.")] = False,
) -> None:
    """Öppna webbfönstret och API:et, tills du avbryter."""
    from assistant.service import serve as service
    from assistant.service import signon

    settings = Settings()
    signon.check(settings, host)
    taken = service.bound(host, port)
    with _opened(settings) as opened:
        where = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        what = "API:et" if api_only else "Webbfönstret och API:et"
        service.run(settings, opened, taken, api_only=api_only,
                    ready=lambda: out.print(f"{what} finns på {where}. Avbryt med Ctrl+C.", highlight=False, soft_wrap=True))


@app.command("mcp")
def agents() -> None:
    """Låt en agent på den här datorn använda källorna, över stdin och stdout (MCP)."""
    from assistant.service import mcp, operations
    from assistant.storage import database

    settings = Settings()
    with _opened(settings) as opened:
        mcp.on_stdio(operations.Service(opened, database.opened(settings.database), settings))


@grounds_app.callback()
def grounds(
    context: typer.Context,
    case: Annotated[Path | None, typer.Option("--case", help="JSON-fil med ett ärende.")] = None,
    as_json: AsJson = False,
    batch: Batch = None,
    out_file: Out = None,
) -> None:
    """Pröva grunderna för ett ärende, i ordning, med skälet till varje ja och nej."""
    if context.invoked_subcommand:
        return
    law = rules.load()
    if batch:
        _batch(batch, out_file, lambda row: {"finding": _finding(row, law)})
        return
    if case is None:
        raise BadInput("Ange --case FIL eller --batch FIL.")
    found = _finding(_json(case), law)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show_finding(found)
    if not found["available"]:
        raise typer.Exit(1)


@grounds_app.command("booklet")
def grounds_booklet(
    out_file: Annotated[Path, typer.Option("--out", help="Filen att skriva: .html eller .docx.")],
    index: IndexFolder = None,
) -> None:
    """Skriv reglerna som ett häfte för jurister, med lagens ord bredvid där texten finns inläst."""
    if out_file.suffix not in (".html", ".docx"):
        raise BadInput("Häftet skrivs som .html eller .docx.")
    with _opened(Settings(), index) as opened:
        if out_file.suffix == ".html":
            out_file.write_text(booklet.booklet_html(opened.law, opened.index), encoding="utf-8")
        else:
            out_file.write_bytes(booklet.booklet_docx(opened.law, opened.index))
    out.print(f"Häftet är skrivet till {out_file}.", markup=False, highlight=False)


@grounds_app.command("map")
def grounds_map(
    checklist: Annotated[str | None, typer.Argument(help="Checklistans id, till exempel osl-10-15a.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Filen att skriva: .svg.")] = None,
    as_of: AsOf = None,
) -> None:
    """Rita en checklistas flöde som SVG; utan id listas checklistorna."""
    if checklist is None:
        for name in checklists.shipped_steps().ids:
            print(name)
        return
    try:
        picture = flowmap.svg(checklists.checklist(checklist, _day(as_of)))
    except checklists.ChecklistError as error:
        raise BadInput(str(error)) from error
    if out_file is None:
        print(picture)
    else:
        out_file.write_text(picture, encoding="utf-8")
        out.print(f"Flödet är ritat i {out_file}.", markup=False, highlight=False)


def _finding(row: Any, law: rules.Law) -> dict[str, Any]:
    try:
        return find(Case.from_json(row, law), law).to_json()
    except ValueError as error:
        name = f" {row['id']}" if isinstance(row, dict) and row.get("id") else ""
        raise BadInput(f"Ärendet{name}: {error}") from error


def _show_finding(found: dict[str, Any]) -> None:
    out.print(f"Utfall: {found['outcome']}", style="bold", highlight=False)
    for number, one in enumerate(found["available"], 1):
        kind = "skyldighet" if one["kind"] == "duty" else "möjlighet"
        note = f" – {one['note']}" if one.get("note") else ""
        out.print(f"{number}. {one['provision']} ({kind}, prov: {one['assessment']}){note}", markup=False, highlight=False, soft_wrap=True)
    for one in found["blocked"]:
        out.print(f"   Stängd: {one['provision']} – {one['why']} ({one['citation']})", style="dim", markup=False, highlight=False,
                  soft_wrap=True)
    for one in found["missing"]:
        out.print(f"   Saknas: {one['question']}", style="yellow", markup=False, highlight=False)
    for one in found["warnings"]:
        out.print(f"   Obs: {one}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if found["interest_assessment"]["required"]:
        out.print("En intresseavvägning krävs. Beslutet fattas av dig.", style="bold", highlight=False)
    out.print(f"Lagen per {found['law_as_of']}.", style="dim", highlight=False)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: {desk.plain_reason(error)}") from error


# --- shared by the commands ------------------------------------------------------------------------------------------


@contextmanager
def _opened(settings: Settings, index: Path | None = None) -> Iterator[pipeline.Desk]:
    """An open desk; a missing or damaged index is built first, with a progress bar."""
    if desk.needs_build(settings, folder=index):
        with progress() as show:
            yield desk.ready(settings, folder=index, progress=show)
    else:
        yield desk.ready(settings, folder=index)


@contextmanager
def progress() -> Iterator[Any]:
    """A bar on standard error for long work; what it yields is told (what, done, of how many)."""
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err,
                   transient=True)
    tasks: dict[str, Any] = {}
    with bar:
        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=max(total, 1))
            bar.update(tasks[what], completed=done, total=max(total, 1))

        yield show


def _batch(source: Path, target: Path | None, work: Any) -> None:
    """One result a line, in order, written whole at the end of each line; a bad line stops with its number."""
    if target is None:
        raise BadInput("Ange --out FIL tillsammans med --batch.")
    rows = list(_rows(source))
    with progress() as show, target.open("w", encoding="utf-8") as file:
        for done, row in enumerate(rows, 1):
            file.write(json.dumps({"id": row.get("id"), **work(row)}, ensure_ascii=False) + "\n")
            show("Frågor", done, len(rows))


def _rows(source: Path) -> Iterator[dict[str, Any]]:
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source}: {desk.plain_reason(error)}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{source}, rad {number}: inte JSON ({error.msg}).") from error
        if not isinstance(row, dict):
            raise BadInput(f"{source}, rad {number}: ett JSON-objekt väntades.")
        yield row


def _question(row: dict[str, Any]) -> Question:
    if not isinstance(row.get("question"), str):
        raise BadInput(f"Raden med id {row.get('id')!r} saknar «question».")
    return Question(row["question"], _day(row.get("as_of")), _turns(row.get("history") or []))


def _answer(row: dict[str, Any], opened: pipeline.Desk) -> dict[str, Any]:
    result: dict[str, Any] = plain(pipeline.answer(_question(row), opened))
    return result


def _history(path: Path | None) -> tuple[Turn, ...]:
    if path is None:
        return ()
    return _turns(_json(path))


def _turns(rows: Any) -> tuple[Turn, ...]:
    if not isinstance(rows, list) or not all(isinstance(r, dict) and isinstance(r.get("content"), str) for r in rows):
        raise BadInput("Historiken ska vara en lista av {\"role\": …, \"content\": …}.")
    return tuple(Turn(str(row.get("role") or "user"), row["content"]) for row in rows)


def _day(value: str | None) -> date:
    if not value:
        return date.today()
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{value!r} är inget datum; skriv ÅÅÅÅ-MM-DD.") from error
