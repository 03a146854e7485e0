"""`delningsstod audit …` and `delningsstod storage …`. Exit codes as for every command; `audit verify` gives 1 when it finds a fault."""

from __future__ import annotations

import csv
import getpass
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from assistant.cli import BadInput
from assistant.people import LOCAL, Person
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.audit import Anchor, Event, Fault
    from assistant.storage.database import Database

audit_app = typer.Typer(help="Spårningen: vem gjorde vad och när, utan frågornas ord.", no_args_is_help=True)
storage_app = typer.Typer(help="Det som är sparat: gallring, utlämnande per ärende och databasens version.", no_args_is_help=True)
out = Console()

Reason = Annotated[str, typer.Option("--reason", help="Skälet till läsningen. Det sparas i spårningen.")]
Since = Annotated[str, typer.Option("--since", help="Från och med, ÅÅÅÅ-MM-DD.")]
Until = Annotated[str, typer.Option("--until", help="Till och med, ÅÅÅÅ-MM-DD.")]
OfPerson = Annotated[str, typer.Option("--person", help="Bara vad den här personen gjort.")]
About = Annotated[str, typer.Option("--about", help="Bara det som gäller detta id eller ärendenummer.")]
SAYS = {"edited": "är ändrad", "removed": "saknas", "added": "är tillagd vid sidan av spårningen", "truncated": "i slutet saknas"}
SAY_ALL = {"edited": "är ändrade", "removed": "saknas", "added": "är tillagda vid sidan av spårningen", "truncated": "i slutet saknas"}


# --- audit -----------------------------------------------------------------------------------------------------------


@audit_app.command("verify")
def verify(
    anchors: Annotated[list[Path] | None, typer.Option("--anchors", help="Fil med ankare som förvarats på annat håll.")] = None,
) -> None:
    """Pröva om någon rad i spårningen är ändrad, borttagen, flyttad eller tillagd, och säg vilken."""
    from assistant import audit

    settings = Settings()
    known = [one for path in [settings.anchors, *_there(anchors or [])] for one in _anchors(path)]
    with _opened(settings) as database, database.reading() as db:
        faults = audit.verify(db, known)
        rows = audit.length(db)
    for fault in faults:
        out.print(told(fault), markup=False, highlight=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    checked = len({one.seq for one in known})
    out.print(f"Spårningen är hel: {rows} rader, prövade mot {checked} ankare i fil.", highlight=False, soft_wrap=True)


@audit_app.command("anchor")
def anchor() -> None:
    """Skriv ett ankare för spårningens sista rad, att förvara på annat håll."""
    from assistant import audit

    settings = Settings()
    with _opened(settings) as database:
        with database.writing() as db:
            made = audit.anchor(db)
        audit.keep_anchors(database, settings.anchors)
    if made is None:
        out.print("Spårningen är tom.")
        raise typer.Exit(1)
    out.print(f"Rad {made.seq}: {made.hash}", highlight=False, soft_wrap=True)
    out.print(f"Ankarna ligger i {settings.anchors}. Kopiera filen till en annan dator.", markup=False, highlight=False, soft_wrap=True)


@audit_app.command("read")
def read(
    reason: Reason,
    since: Since = "",
    until: Until = "",
    person: OfPerson = "",
    about: About = "",
    limit: Annotated[int, typer.Option(help="Högst så många rader, de senaste.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="En rad JSON per händelse.")] = False,
) -> None:
    """Läs spårningen. Att den läses, av vem och varför skrivs först i den."""
    for row in _read(reason, since, until, person, about, limit):
        if as_json:
            print(json.dumps(asdict(row), ensure_ascii=False))
        else:
            versions = ", ".join(f"{name} {value}" for name, value in row.versions.items())
            line = "  ".join(part for part in (str(row.seq), row.at[:19], row.who, row.what, row.about, versions) if part)
            out.print(line, markup=False, highlight=False, soft_wrap=True)


@audit_app.command("export")
def export(
    reason: Reason,
    out_file: Annotated[Path, typer.Option("--out", help="Filen att skriva: .jsonl eller .csv.")],
    since: Since = "",
    until: Until = "",
    person: OfPerson = "",
    about: About = "",
) -> None:
    """Skriv spårningen till en fil. Utan urval kan dess hashvärden räknas om av den som får filen."""
    if out_file.suffix not in (".jsonl", ".csv"):
        raise BadInput("Spårningen skrivs som .jsonl eller .csv.")
    rows = _read(reason, since, until, person, about, None)
    with _private(out_file) as file:
        if out_file.suffix == ".jsonl":
            file.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
        else:
            _write_csv(file, rows)
    out.print(f"{len(rows)} rader är skrivna till {out_file}.", markup=False, highlight=False, soft_wrap=True)


def told(fault: Fault) -> str:
    """What is wrong, in a line."""
    if fault.seq == 0 and fault.what == "removed":
        return "Uppgiften om spårningens sista rad saknas."
    where = f"Rad {fault.seq}" if fault.seq == fault.last else f"Raderna {fault.seq}–{fault.last}"
    if fault.what == "reordered":
        first = f"rad {fault.other}" if fault.seq == fault.last else f"rad {fault.other} och följande"
        return f"{where} är flyttad: hör hemma på {first}."
    if fault.anchored and fault.what == "edited":
        return f"{where}: minst en är ändrad, och hashvärdena är omräknade. Ankaret för rad {fault.last} visar det."
    anchored = " Ett ankare visar det." if fault.anchored else ""
    return f"{where} {(SAYS if fault.seq == fault.last else SAY_ALL)[fault.what]}.{anchored}"


def _read(reason: str, since: str, until: str, person: str, about: str, limit: int | None) -> tuple[Event, ...]:
    from assistant import audit

    with _opened(Settings()) as database, _refused(), database.writing() as db:
        return audit.read(db, _operator(), reason, since=_day(since), until=_day(until) and f"{_day(until)}T24", person=person, about=about,
                          limit=limit)


def _write_csv(file: Any, rows: Sequence[Event]) -> None:
    writer = csv.writer(file)
    writer.writerow(["seq", "at", "who", "what", "about", "versions", "detail", "previous", "hash"])
    for row in rows:
        cells = [row.seq, row.at, row.who, row.what, row.about, json.dumps(dict(row.versions), ensure_ascii=False),
                 json.dumps(dict(row.detail), ensure_ascii=False), row.previous, row.hash]
        # A spreadsheet would take these for formulas.
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells])


def _anchors(path: Path) -> tuple[Anchor, ...]:
    from assistant import audit

    try:
        return audit.kept_anchors(path)
    except (ValueError, OSError) as error:
        raise BadInput(f"Ankarna i {path} kan inte läsas.") from error


# --- storage ---------------------------------------------------------------------------------------------------------


@storage_app.command("retention")
def retention(
    kind: Annotated[str | None, typer.Argument(help="conversations, assessments, feedback eller reviews.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="Hur länge efter senaste ändringen.")] = None,
    decision: Annotated[str, typer.Option("--decision", help="Gallringsbeslutets beteckning.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Ta bort regeln: sorten sparas tills vidare.")] = False,
) -> None:
    """Visa hur länge varje sort sparas, eller bestäm det."""
    from assistant.storage import retention as rules

    with _opened(Settings()) as database:
        if kind is None:
            with database.reading() as db:
                held = {rule.kind: rule for rule in rules.rules(db)}
            for one in rules.KINDS:
                rule = held.get(one)
                said = f"{rule.days} dagar enligt {rule.decision} ({rule.set_by}, {rule.set_at:%Y-%m-%d})" if rule else ""
                out.print(f"{one}: {said or 'sparas tills vidare'}", markup=False, highlight=False, soft_wrap=True)
            return
        if (days is None) != remove:
            raise BadInput("Ange --days och --decision, eller --remove.")
        with _refused(), database.writing() as db:
            if days is None:
                rules.unset(db, _operator(), kind)
            else:
                rules.set_(db, _operator(), kind, days, decision)
    out.print("Ändrat.", highlight=False)


@storage_app.command("prune")
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Visa bara hur mycket som skulle gallras.")] = False,
) -> None:
    """Gallra det som har sparats sin tid, så att det är borta ur databasens filer."""
    from assistant.storage import keys
    from assistant.storage import retention as rules

    now, whole = datetime.now(UTC), True
    with _opened(Settings()) as database:
        if dry_run:
            with database.reading() as db:
                done = rules.due(db, now)
        else:
            with database.writing() as db:
                keys.clear(db, now)
                done = rules.apply(db, now, _operator().id)
            whole = database.compact()
    for kind, count in done.items():
        out.print(f"{kind}: {count}", highlight=False)
    if not done:
        out.print("Inget gallringsbeslut är inlagt; allt sparas.", highlight=False)
    if not whole:
        out.print("Någon läste databasen: det gallrade ligger kvar i loggfilen till nästa gallring.", style="yellow", highlight=False)


@storage_app.command("export-case")
def export_case(
    case_number: Annotated[str, typer.Argument(help="Ärendets nummer, som det skrevs.")],
    out_file: Annotated[Path, typer.Option("--out", help="Filen att skriva: .json.")],
) -> None:
    """Skriv allt som är sparat om ett ärende till en fil."""
    from assistant.storage import retention as rules

    with _opened(Settings()) as database, _refused(), database.writing() as db:
        told = rules.export_case(db, _operator(), case_number)
    counts = [len(told[name]) for name in ("conversations", "assessments", "feedback")]
    if not any(counts):
        out.print("Inget är sparat om ärendet.")
        raise typer.Exit(1)
    with _private(out_file) as file:
        file.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    out.print(f"{counts[0]} samtal, {counts[1]} bedömningar och {counts[2]} omdömen är skrivna till {out_file}.", markup=False,
              highlight=False, soft_wrap=True)


@storage_app.command("migrate")
def migrate() -> None:
    """Gör databasen i ordning för den här versionen. Det görs annars när tjänsten startar."""
    from assistant.storage.database import opened, version

    database = opened(Settings().database)
    with database.reading() as db:
        out.print(f"Databasen är i ordning (version {version(db)}).", highlight=False)
    database.close()


# --- shared ----------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The database, which has to be there."""
    from assistant.storage.database import opened

    if not settings.database_url.get_secret_value() and not (settings.data / "delningsstod.db").exists():
        raise BadInput(f"Ingen databas finns i {settings.data.absolute()} ännu.")
    database = opened(settings.database)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _refused() -> Iterator[None]:
    """What a person wrote that can't be accepted, as bad input."""
    try:
        yield
    except ValueError as error:
        raise BadInput(str(error)) from error


@contextmanager
def _private(path: Path) -> Iterator[Any]:
    """A new or emptied file that only we may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
        yield file


def _operator() -> Person:
    """Who runs the command: whoever reaches the database may do everything, under the machine's name for them."""
    return replace(LOCAL, id=f"{LOCAL.id}:{getpass.getuser()}")


def _there(paths: Sequence[Path]) -> Sequence[Path]:
    for path in paths:
        if not path.is_file():
            raise BadInput(f"{path} finns inte.")
    return paths


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError as error:
        raise BadInput(f"{value!r} är inget datum; skriv ÅÅÅÅ-MM-DD.") from error
