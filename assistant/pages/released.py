"""The records of approved versions: read from their folder, and shown as a system card."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import yaml

from assistant import texts


def read(folder: Path) -> tuple[dict[str, Any], ...]:
    """The records there are, the latest first. All is in a file's front matter; a file that is no record is passed over."""
    out = []
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        with suppress(OSError, ValueError, IndexError, yaml.YAMLError):
            held = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n", 2)[1])
            if isinstance(held, dict) and {"version", "approved_by", "approved_on"} <= set(held):
                out.append(held)
    return tuple(sorted(out, key=lambda one: (str(one["approved_on"]), str(one["version"])), reverse=True))


def shown(records: tuple[dict[str, Any], ...]) -> str:
    """The latest record in full, the earlier ones in a line each."""
    if not records:
        return f"<p>{texts.RELEASE_NONE}</p>"
    earlier = "".join(f"<li>{_line(one)}</li>" for one in records[1:])
    return _card(records[0]) + (f'<details class="ds-near"><summary>{texts.RELEASE_EARLIER.format(count=len(records) - 1)}</summary>'
                                f"<ul>{earlier}</ul></details>" if earlier else "")


def _card(record: Mapping[str, Any]) -> str:
    limits = "".join(f"<li>{escape(str(one))}</li>" for one in record.get("limits") or ())
    return (f"<p>{_line(record)}</p><h3>{texts.RELEASE_PARTS['limits']}</h3><ul>{limits}</ul>"
            + "".join(_part(record, name) for name in ("versions", "figures", "review")))


def _part(record: Mapping[str, Any], name: str) -> str:
    held = record.get(name)
    if not isinstance(held, Mapping) or not held:
        return f"<h3>{texts.RELEASE_PARTS[name]}</h3><p>{texts.RELEASE_NO_FIGURES}</p>" if name == "figures" else ""
    rows = "".join(f"<dt>{escape(texts.REVIEW_VERSION_NAMES.get(str(key), str(key)))}</dt><dd>{escape(_value(value))}</dd>"
                   for key, value in held.items())
    return f'<h3>{texts.RELEASE_PARTS[name]}</h3><dl class="ds-facts">{rows}</dl>'


def _value(value: object) -> str:
    return texts.decimal(value, 3) if isinstance(value, float) else str(value)


def _line(record: Mapping[str, Any]) -> str:
    on = str(record["approved_on"])
    with suppress(ValueError):
        on = texts.day(date.fromisoformat(on))
    return escape(texts.RELEASE_BY.format(version=record["version"], name=record["approved_by"], day=on))
