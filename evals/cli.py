"""`delningsstod evals …`: run the cases, compare two runs, hold a run to the thresholds. Exit codes as for every command."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from assistant import desk
from assistant.cli import BadInput, progress
from assistant.grounds.load import shipped
from assistant.settings import Settings

HERE = Path(__file__).parent
app = typer.Typer(help="Utvärdera: kör fallen, jämför körningar och pröva mot gränserna.", no_args_is_help=True)
out = Console()
err = Console(stderr=True)

Thresholds = Annotated[Path, typer.Option("--thresholds", help="Fil med gränserna.")]
Folder = Annotated[Path | None, typer.Option("--out", help="Mapp för körningarna, om inte data/evals.")]


@app.command()
def run(
    subset: Annotated[str, typer.Option(help="all, golden, families, fast, en familj, ett ämne eller ett fall.")] = "all",
    index: Annotated[Path | None, typer.Option("--index", help="Indexets mapp, om inte data/index.")] = None,
    folder: Folder = None,
    cases: Annotated[Path | None, typer.Option(help="Mapp med fall, om inte evals/golden/cases.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Antal processer.")] = 2,
    ragas: Annotated[bool, typer.Option("--ragas/--no-ragas", help="Kör måtten också genom ragas.")] = True,
) -> None:
    """Ställ alla fall på den väg som frågor går, mät svaren och spara körningen med en rapport."""
    from evals import report, runs

    settings, started = Settings(), time.perf_counter()
    wanted = runs.chosen(_cases(cases), subset)
    if not wanted:
        raise BadInput(f"Inget fall heter eller hör till {subset!r}.")
    with progress() as show:
        if desk.needs_build(settings, folder=index):
            desk.ready(settings, folder=index, progress=show)
        asked = runs.ask_all(wanted, settings, index, workers, show)
    judged = _judged(asked, settings, ragas)
    told = runs.summary(asked, runs.made_with(asked.corpus, subset), time.perf_counter() - started, judged)
    kept = (folder or settings.data / "evals") / told["name"]
    runs.save(kept, told, asked.rows, report.page(told, [row.to_json() for row in asked.rows]))
    _show(told)
    out.print(f"Rapport: {kept / 'report.html'}", markup=False, highlight=False, soft_wrap=True)


def _cases(folder: Path | None) -> tuple[Any, ...]:
    """The golden cases, the shipped ones or a folder of one's own, and the generated ones."""
    from evals import cases as golden
    from evals import families

    if folder is not None and not folder.is_dir():
        raise BadInput(f"{folder}: mappen finns inte.")
    try:
        return (*golden.load(folder or golden.GOLDEN), *families.generated(shipped()))
    except golden.CaseError as error:
        raise BadInput(f"Fallen kan inte läsas.\n{error}") from error


def _judged(asked: Any, settings: Settings, wanted: bool) -> dict[str, Any]:
    from evals import ragas_metrics

    if not wanted:
        return {"run": False, "metrics": {}, "failures": [], "judged": {}}
    with err.status("Kör måtten genom ragas …"):
        return ragas_metrics.judge(asked, settings).to_json()


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="Den äldre körningen: namn eller mapp.")],
    b: Annotated[str, typer.Argument(help="Den nyare körningen: namn eller mapp.")],
    folder: Folder = None,
) -> None:
    """Visa vad som blev bättre och sämre från A till B, fall för fall."""
    from evals import report, runs

    base = folder or Settings().data / "evals"
    (told_a, rows_a), (told_b, rows_b) = (_read(name, base) for name in (a, b))
    found = runs.compare(rows_a, rows_b)
    for heading, changes, style in (("Bättre", found.gains, "green"), ("Sämre", found.losses, "red")):
        out.print(f"{heading}: {len(changes)} fall", style=f"bold {style}", highlight=False)
        for one in changes:
            what = ", ".join(report.label(name) for name in one.measures)
            out.print(f"  {one.id}: {what}. {one.question}", markup=False, highlight=False, soft_wrap=True)
    for name, only in ((told_a["name"], found.only_a), (told_b["name"], found.only_b)):
        if only:
            out.print(f"Bara i {name}: {len(only)} fall ({_first(only)})", markup=False, highlight=False, soft_wrap=True)
    for name in [name for name in told_a["measures"] if name in told_b["measures"]]:
        before, after = told_a["measures"][name]["value"], told_b["measures"][name]["value"]
        if abs(before - after) >= 0.0005 and not name.startswith("latency"):
            out.print(f"{report.label(name)}: {report.shown(before, name)} → {report.shown(after, name)}", markup=False, highlight=False)


@app.command()
def gate(
    name: Annotated[str | None, typer.Argument(metavar="KÖRNING", help="Namn eller mapp; den senaste om inget anges.")] = None,
    thresholds: Thresholds = HERE / "thresholds.toml",
    folder: Folder = None,
) -> None:
    """Pröva en körning mot gränserna. Utgångskod 1 när någon inte hålls."""
    from evals import report, runs

    told, _ = _read(name, folder or Settings().data / "evals")
    try:
        held = tomllib.loads(thresholds.read_text(encoding="utf-8"))
        broken = runs.gate(told, held)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{thresholds}: gränserna kan inte läsas ({error.__class__.__name__}).") from error
    for one in broken:
        value = report.shown(one.value, one.measure) if one.value is not None else "saknas"
        out.print(f"Hålls inte: {report.label(one.measure)} ({one.measure}) är {value}, ska vara {one.limit}.", style="red", markup=False,
                  highlight=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)
    out.print(f"Alla gränser hålls av {told['name']}.", style="green", markup=False, highlight=False)


def _read(name: str | None, base: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from evals import runs

    try:
        return runs.read(runs.find(name, base))
    except runs.NoRun as error:
        raise BadInput(str(error)) from error


def _show(told: Mapping[str, Any]) -> None:
    """The run in the terminal: every measure with the number of cases it rests on."""
    from evals import report

    table = Table("Mått", "Värde", "Fall")
    for name, one in told["measures"].items():
        table.add_row(report.label(name), report.shown(one["value"], name) if name != "errors" else f"{one['value']:.0f}", str(one["n"]))
    for name, one in told["ragas"]["judged"].items():
        table.add_row(report.label(name), report.shown(one["value"]), one["why"] or str(one["n"]))
    out.print(table)
    if told["left_out"]:
        out.print(f"Utelämnade, texten finns inte i indexet: {len(told['left_out'])} fall ({_first(list(told['left_out']))}).",
                  style="yellow", markup=False, highlight=False, soft_wrap=True)
    if told["ragas"]["failures"]:
        out.print(f"ragas: {len(told['ragas']['failures'])} rader eller värden föll bort eller skiljer sig.", style="red", highlight=False)
    out.print(f"{told['name']}: {told['cases']} fall på {told['seconds']} s, {told['failed']} håller inte.", markup=False, highlight=False)


def _first(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
