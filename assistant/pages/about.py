"""About the service: what it does and does not do, on which law, and whom to ask."""

from __future__ import annotations

from datetime import date, datetime
from html import escape
from pathlib import Path

import streamlit as st
from markdown_it import MarkdownIt
from pydantic import Field

from assistant import texts
from assistant.pages import findings, kept, markup, parts, released
from assistant.settings import Settings


class AboutSettings(Settings):
    """The one setting that only this page needs."""

    contact: str = Field("", description="Whom staff ask about the service: a name of a unit, an address or a number.")


def page() -> None:
    """The page, from top to bottom."""
    settings = AboutSettings()
    st.html(f'<h1>{texts.PAGES["about"]}</h1>{"".join(_part(heading, lines) for heading, lines in texts.ABOUT)}'
            f"<h2>{texts.KEPT_HOW_LONG}</h2>{findings.items(kept.how_long())}"
            f"<h2>{texts.ABOUT_MODEL}</h2>{markup.paragraphs(_model(settings))}"
            f"<h2>{texts.ABOUT_CONTACT}</h2>{markup.paragraphs(settings.contact or texts.NO_CONTACT)}")
    made = parts.opened().index.manifest
    values = {"law_as_of": texts.day(date.fromisoformat(made.law_as_of)), "version": made.version,
              "built": texts.day(datetime.fromisoformat(made.built).date()), "sources": texts.amount(made.sources),
              "passages": texts.amount(made.passages)}
    facts = "".join(f"<dt>{label}</dt><dd>{escape(values[name])}</dd>" for label, name in texts.ABOUT_INDEX)
    st.html(f'<h2>{texts.ABOUT_VERSION}</h2><dl class="ds-facts">{facts}</dl>'
            f"<h2>{texts.RELEASE}</h2>{released.shown(released.read(settings.releases))}")
    st.html(f'<section class="ds-statement"><h2>{texts.ABOUT_ACCESSIBILITY}</h2>{_statement(settings.statement)}</section>')


def _part(heading: str, lines: tuple[str, ...]) -> str:
    said = {"scope": texts.SCOPE, "disclaimer": texts.DISCLAIMER, "no_personal_data": texts.NO_PERSONAL_DATA}
    return f"<h2>{heading}</h2>" + "".join(markup.paragraphs(line.format(**said)) for line in lines)


def _statement(path: Path) -> str:
    """The accessibility statement under the page's own headings, so each of its headings is a level lower. HTML in it is only words."""
    reader = MarkdownIt("commonmark", {"html": False})
    try:
        tokens = reader.parse(path.read_text(encoding="utf-8").partition("\n")[2])
    except (OSError, ValueError):
        return markup.paragraphs(texts.ACCESSIBILITY_NONE)
    for one in tokens:
        if one.type in ("heading_open", "heading_close"):
            one.tag = "h3"
    return str(reader.renderer.render(tokens, reader.options, {}))


def _model(settings: Settings) -> str:
    return texts.MODEL_SET.format(name=settings.model_name or settings.model_provider) if settings.model_provider else texts.MODEL_NONE


page()
