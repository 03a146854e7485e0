"""What the pages share: the frame around each page, and the opened sources."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from assistant import desk, texts
from assistant.pages import markup, signed
from assistant.people import Forbidden, Person, require
from assistant.pipeline import Desk
from assistant.settings import Settings
from corpus import index

HERE = Path(__file__).parent
ICON = str(HERE / "icon.svg")  # a file of ours: an icon by name would be fetched from a foreign host
_log = logging.getLogger(__name__)


# --- the frame -----------------------------------------------------------------------------------------------------


def page_file(name: str) -> Path:
    """The file of a page; a page exists when its file does."""
    return HERE / f"{name}.py"


def pages(who: Person, given: Mapping[str, Callable[[], None]] | None = None) -> dict[str, Any]:
    """The pages there are, in the order of the menu. The first that the person may have is the start page; one they may not have is there
    too, so that its address says why it isn't shown. ``given``: pages that were handed what they need."""
    held = given or {}
    present = [name for name in texts.PAGES if page_file(name).is_file()]
    first = next((name for name in present if signed.allowed(who, name)), present[0])
    return {name: st.Page(held.get(name) or page_file(name), title=texts.PAGES[name], url_path=name, default=name == first)
            for name in present}


def frame(who: Person, listed: Mapping[str, Any], current: Any) -> None:
    """The page's own title, style, Swedish words for what Streamlit says in English, and the menu of what the person may have."""
    menu = [page for name, page in listed.items() if signed.allowed(who, name)]
    st.set_page_config(page_title=f"{current.title} – {texts.NAME}")
    st.html(HERE / "window.css")
    with st.container(key="ds-script"):
        st.html(f"<script>{(HERE / 'window.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)
    with st.container(key="ds-menu", horizontal=True, vertical_alignment="center"):
        at = menu.index(current) if current in menu else -1
        st.html(f'<span class="ds-name" data-current="{at}">{texts.NAME}</span>', width="content")
        for page in menu:
            st.page_link(page, label=page.title, width="content")
        signed.shown(who)


def run(who: Person, listed: Mapping[str, Any], page: Any) -> None:
    """Run a page for one who may have it; what goes wrong in it is said plainly, without a trace and without the words of a question."""
    try:
        require(who, signed.NEEDS[next(name for name, one in listed.items() if one is page)])
        page.run()
    except Forbidden as error:
        st.html(f"<h1>{page.title}</h1>{markup.alert(str(error))}")
    except Exception as error:
        st.html(markup.alert(trouble(error)))


def trouble(error: Exception) -> str:
    """What is said when something broke. The log gets where, never the message: it may hold words of a question."""
    from assistant.storage.database import StorageError  # the page that broke may be the first to need the database

    where = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s in %s:%s", type(error).__name__, where.filename, where.lineno)
    if isinstance(error, StorageError):
        return str(error)  # says what is wrong and what to do, in Swedish
    return texts.BROKEN.format(code=f"{type(error).__name__}-{where.lineno}")


# --- the opened sources --------------------------------------------------------------------------------------------


class Opening:
    """The sources being opened, in a thread of its own: a closed browser tab must not stop a build half-way."""

    def __init__(self, settings: Settings, held: Desk | None = None) -> None:
        self.name = _current(settings) if held else ""
        self.desk = held
        self.error: Exception | None = None
        self.step: tuple[str, int, int] | None = None
        self.first = False
        self.thread = threading.Thread(target=self._open, args=(settings,), daemon=True)
        if held is None:
            self.thread.start()

    def _open(self, settings: Settings) -> None:
        try:
            self.first = desk.needs_build(settings)
            self.desk = desk.ready(settings, progress=self._show)
            self.name = _current(settings)
        except Exception as error:
            self.error = error

    def _show(self, what: str, done: int, total: int) -> None:
        self.step = (what, done, total)

    @property
    def said(self) -> tuple[float, str]:
        """(share done of this step, what is going on)."""
        if not self.step:
            return 0.0, texts.OPENING
        what, done, total = self.step
        return min(done / total, 1.0) if total else 0.0, texts.STEP.format(what=what, done=done, total=total)


_starting = threading.Lock()
def _empty() -> dict[str, Opening]:
    return {}


_shelf = st.cache_resource(show_spinner=False)(_empty)  # one for all sessions


def share(held: Desk) -> None:
    """Have every session use a desk that is open already: where the API and the window are one process, the sources are read once."""
    with _starting:
        _shelf()["desk"] = Opening(Settings(), held)


def opened() -> Desk:
    """The open desk, the same for all sessions. Opened when first needed, built first where there is none."""
    settings = Settings()
    with _starting:
        shelf: dict[str, Opening] = _shelf()
        held = shelf.get("desk")
        if held is None or held.error or (held.desk and held.name != _current(settings)):
            held = shelf["desk"] = Opening(settings)
    if held.thread.is_alive():
        _wait(held)
    if held.desk is None:
        _say_not_ready(held.error)
        st.stop()
        raise AssertionError("st.stop never returns")
    return held.desk


def _wait(held: Opening) -> None:
    place = st.empty()
    with place.container(key="ds-opening"):
        told = st.empty()
        bar = st.progress(0.0, text=texts.OPENING)
        while held.thread.is_alive():
            if held.first:
                told.html(markup.notice(texts.FIRST_START))
            share, said = held.said
            bar.progress(share, text=said)
            time.sleep(0.1)
    place.empty()


def _say_not_ready(error: Exception | None) -> None:
    if isinstance(error, desk.NotReady):
        said = str(error)
    elif isinstance(error, OSError):
        said = f"{desk.plain_reason(error)}."
    else:
        said = texts.BROKEN.format(code=type(error).__name__)
    st.html(markup.alert(said, f"{texts.NOT_READY}."))


def _current(settings: Settings) -> str:
    """The name of the index in use: another one means that the sources were built anew."""
    try:
        return index.current(settings.index_settings())
    except (index.IndexMissing, index.IndexDamaged):
        return ""
