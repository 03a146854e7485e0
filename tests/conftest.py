"""The small world the tests live in: an index of our own notes, two made-up statutes and a made-up report."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

os.environ.setdefault("DELNINGSSTOD_RECORD", "false")

SHARED = Path(__file__).resolve().parents[2] / "shared"
OFFICIAL = SHARED / "official"
AS_OF = date(2026, 11, 22)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``shared`` are skipped, with the reason, where the official texts aren't beside the checkout."""
    if OFFICIAL.is_dir():
        return
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs ../shared/official, which is not here"))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory):
    """An open index over the notes and ``tests/data/world``; a few seconds to build."""
    from corpus import embed, index

    settings = index.Settings(tmp_path_factory.mktemp("small"))
    index.build(settings, [Path(__file__).parent / "data" / "world"], embed.encoder())
    return index.open_index(settings, embed.encoder())


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory):
    """An open index over the notes and all official texts; half a minute to build. Only for tests marked ``shared``."""
    from corpus import embed, index

    settings = index.Settings(tmp_path_factory.mktemp("official"))
    index.build(settings, [OFFICIAL / name for name in ("seeds", "sfs_json", "sfs_md", "gov")], embed.encoder())
    return index.open_index(settings, embed.encoder())


RUNNING = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'running'"


@pytest.fixture(autouse=True)
def _as_patient_as_a_person(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """In a browser test, press nothing on a page that is being drawn: a button that is drawn anew under the press takes no press.

    A person waits without knowing it; a program doesn't. What is still under way after three seconds is pressed all the same.
    """
    if "browser" not in request.keywords:
        return
    from playwright.sync_api import Locator

    for name in ("click", "press", "check", "focus"):
        monkeypatch.setattr(Locator, name, _patient(getattr(Locator, name)))


def _patient(act):
    def waited(self, *args, **kwargs):
        for _ in range(60):
            if not self.page.evaluate(RUNNING):
                break
            self.page.wait_for_timeout(50)
        return act(self, *args, **kwargs)

    return waited
