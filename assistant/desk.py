"""What a question is answered with, made ready: index opened, or built first where it is missing or damaged."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from assistant import model, people
from assistant.grounds import load as rules
from assistant.pipeline import Desk
from assistant.settings import Settings
from corpus import embed, index

Show = Callable[[str, int, int], None]


class NotReady(RuntimeError):
    """The desk can't be made ready; the message says in Swedish what to do."""


def _settings(settings: Settings, folder: Path | None) -> index.Settings:
    return index.Settings(folder, settings.embedding, settings.chroma_url) if folder else settings.index_settings()


def needs_build(settings: Settings, *, folder: Path | None = None) -> bool:
    """Whether `ready` will have to build (minutes) rather than open (a second)."""
    return _needs_build(_settings(settings, folder))


def _needs_build(where: index.Settings) -> bool:
    try:
        made = index.manifest(where)
        index.verify(where.folder / index.current(where), made)
    except (index.IndexMissing, index.IndexDamaged):
        return True
    return False


def build(settings: Settings, paths: Sequence[Path], *, folder: Path | None = None, progress: Show = lambda *_: None,
          force: bool = False) -> tuple[index.Manifest, bool]:
    """Build the index of our notes and ``paths``; what was added is remembered, so that a rebuild finds it again."""
    return _build(_settings(settings, folder), paths, progress, force)


def _build(where: index.Settings, paths: Sequence[Path], progress: Show, force: bool) -> tuple[index.Manifest, bool]:
    try:
        result = index.build(where, [path.resolve() for path in paths], embed.encoder(where.model), progress, force=force)
        (where.folder / "added.json").write_text(json.dumps([str(path.resolve()) for path in paths]), encoding="utf-8")
    except OSError as error:
        raise NotReady(f"Indexet kunde inte skrivas till {where.folder}: {plain_reason(error)}. Det gamla indexet är orört.") from error
    except embed.EmbeddingError as error:
        raise NotReady(str(error)) from error
    return result


def ready(settings: Settings, *, folder: Path | None = None, progress: Show = lambda *_: None) -> Desk:
    """An open desk. A missing or damaged index is built from what it was last built from."""
    return _ready(settings, _settings(settings, folder), progress)


def _ready(settings: Settings, where: index.Settings, progress: Show) -> Desk:
    try:
        encoder = embed.encoder(where.model)
        if _needs_build(where):
            _build(where, _added(where.folder), progress, True)
        opened = index.open_index(where, encoder)
        return Desk(opened, rules.load(), recorder(settings) if settings.record else None, *_phrasing(settings))
    except embed.EmbeddingError as error:
        raise NotReady(str(error)) from error
    except rules.LawError as error:
        raise NotReady(f"Regelfilerna kan inte läsas: {error}") from error
    except (index.IndexMissing, index.IndexDamaged) as error:
        raise NotReady(f"{error} Bygg om det med «delningsstod corpus build».") from error


def recorder(settings: Settings, who: str = people.LOCAL.id) -> Callable[[Mapping[str, object]], None]:
    """What takes the line of each question to the audit trail. The database is opened, or made, at the first one."""

    @cache
    def database() -> Any:
        from assistant.storage.database import opened

        return opened(settings.database)

    def keep(line: Mapping[str, object]) -> None:
        from assistant import audit

        with database().writing() as db:
            seq = audit.answered(db, who=who, line=line)
        if seq % audit.ANCHOR_EVERY == 0:
            audit.keep_anchors(database(), settings.anchors)

    return keep


def _phrasing(settings: Settings) -> tuple[model.ModelSettings | None, model.Breaker | None]:
    if not settings.model_provider:
        return None, None
    return model.ModelSettings(provider=settings.model_provider, name=settings.model_name, base_url=settings.model_base_url,
                               api_key=settings.model_api_key, timeout_s=settings.model_timeout_s), model.Breaker()


def _added(folder: Path) -> list[Path]:
    with suppress(OSError, ValueError):
        return [Path(path) for path in json.loads((folder / "added.json").read_text(encoding="utf-8")) if Path(path).exists()]
    return []


def fetch(settings: Settings, only: tuple[str, ...], *, force: bool, progress: Show) -> Any:
    """Fetch the listed official sources into ``data/fetched``."""
    from corpus import fetch as fetching

    listed = fetching.load_sources()
    known = {source.id for source in listed}
    unknown = [one for one in only if one not in known]
    if unknown:
        raise NotReady(f"Okänd källa: {', '.join(unknown)}. Källorna står i corpus/sources.toml.")
    chosen = tuple(source for source in listed if not only or source.id in only)
    return fetching.fetch(chosen, settings.data / "fetched", settings=fetching.FetchSettings(proxy=settings.proxy or None, force=force),
                          progress=lambda done, total, _: progress("Hämtar källor", done, total))


def fetch_problems(report: Any) -> list[str]:
    """What went wrong in a fetch, one plain line each: a host out of reach once, not once a source."""
    gone = [one.reason for one in report.failed if one.reason.startswith("Inget nät")]
    return list(dict.fromkeys([*report.notices, *gone, *(f"{one.id}: {one.reason}" for one in report.failed if one.reason not in gone)]))


def plain_reason(error: BaseException) -> str:
    """Why the operating system said no, in Swedish."""
    known = {errno.ENOSPC: "disken är full", errno.EACCES: "behörighet saknas", errno.EROFS: "disken är skrivskyddad",
             errno.ENOENT: "filen finns inte", errno.EISDIR: "det är en mapp",
             errno.ENOTDIR: "en del av sökvägen är ingen mapp", errno.EDQUOT: "diskkvoten är slut"}
    if isinstance(error, json.JSONDecodeError):
        return f"inte JSON (rad {error.lineno})"
    if isinstance(error, UnicodeDecodeError):
        return "filen är inte text i UTF-8"
    return known.get(getattr(error, "errno", None) or 0, error.strerror if isinstance(error, OSError) and error.strerror else
                     error.__class__.__name__)
