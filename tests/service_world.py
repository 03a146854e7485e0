"""What the tests of the service share: it runs for real, under uvicorn on loopback, over the small world's index."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from assistant.grounds import load as rules
from assistant.people import LOCAL, Person, Role
from assistant.pipeline import Desk
from assistant.service.operations import Service
from assistant.settings import Settings
from assistant.storage import database

ANNA = Person("anna", "Anna Handläggare", frozenset({Role.HANDLAGGARE}))
BO = Person("bo", "Bo Handläggare", frozenset({Role.HANDLAGGARE}))
LENA = Person("lena", "Lena Läsare", frozenset({Role.LASARE}))
NOBODYS = Person("ny", "Ny Anställd")
PEOPLE = {one.id: one for one in (ANNA, BO, LENA, NOBODYS, LOCAL)}


def service(index: Any, folder: Path, url: str = "", **settings: Any) -> Service:
    """A service over ``index`` with the database at ``url``, or with one of its own in ``folder``."""
    given = Settings(_env_file=None, data=folder, **{"questions_per_minute": 1000, "reads_per_minute": 100_000, **settings})
    return Service(Desk(index, rules.load()), database.opened(url or f"sqlite:///{folder}/delningsstod.db"), given)


class Signed:
    """Who asks, as the sign-on's middleware settles it: here a header says it."""

    def __init__(self, app: Any, default: str = "") -> None:
        self.app, self.default = app, default

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            person = PEOPLE.get(headers.get(b"x-test-person", self.default.encode()).decode())
            if person:
                scope.setdefault("state", {})["person"] = person
        await self.app(scope, receive, send)


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of ``app`` under uvicorn, in a thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server didn't start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def client(address: str, who: str = "anna") -> httpx.Client:
    """Somebody at the API."""
    return httpx.Client(base_url=f"{address}/api/v1", headers={"X-Test-Person": who} if who else {}, timeout=30, trust_env=False)


def answered(at: httpx.Client, location: str, attempts: int = 300) -> dict[str, Any]:
    """The answer at ``location``, waited for."""
    for _ in range(attempts):
        reply = at.get(location.removeprefix("/api/v1"))
        if reply.status_code == 200:
            return reply.json()
        assert reply.status_code == 202, reply.text
        time.sleep(0.1)
    raise AssertionError("no answer came")
