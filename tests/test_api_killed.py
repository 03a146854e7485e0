"""kill -9 in the middle of twenty chats, on both databases: nothing that was acknowledged is lost, and the audit trail holds."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from assistant import audit
from assistant.people import LOCAL
from assistant.storage import conversations, database
from corpus import embed, index
from tests.databases import database_url, postgresql  # noqa: F401 - fixtures
from tests.service_world import ANNA, answered, client

ROOT = Path(__file__).resolve().parents[1]
CHATS = 20
SERVER = """
import sys
from pathlib import Path
import uvicorn
from assistant.service.api import api
from corpus import embed, index
from tests.service_world import Signed, service
folder, url, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
held = index.open_index(index.Settings(folder / "index"), embed.encoder())
uvicorn.run(Signed(api(service(held, folder, url))), port=port, log_level="warning")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("killed")
    index.build(index.Settings(made / "index"), [ROOT / "tests" / "data" / "world"], embed.encoder())
    return made


@contextlib.contextmanager
def process(folder, url):
    """(address, process) of an API in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen([sys.executable, "-c", SERVER, str(folder), url, str(port)], cwd=ROOT)
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if client(f"http://127.0.0.1:{port}", "").get("/ready").status_code == 200:
                    break
            assert running.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.kill()
        running.wait()


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(folder, database_url):
    acknowledged: dict[str, str] = {}

    def chat(number):
        with client(address) as at, contextlib.suppress(httpx.TransportError):
            talk = at.post("/conversations", json={}).json()["id"]
            for turn in range(50):
                text = f"Vad säger {number + 1} kap. {turn + 1} § OSL?"
                acknowledged[at.post(f"/conversations/{talk}/answers", json={"text": text}).json()["id"]] = text

    with process(folder, database_url) as (address, running):
        chats = [threading.Thread(target=chat, args=(number,)) for number in range(CHATS)]
        for one in chats:
            one.start()
        while len(acknowledged) < CHATS + 10:
            time.sleep(0.02)
        running.kill()
        for one in chats:
            one.join(60)
    held = database.opened(database_url)
    with held.reading() as db:
        left = {one.id for one in conversations.unfinished(db, 0)}
        kept = {one: conversations.asked(db, ANNA.id, one).text for one in acknowledged}
        assert audit.verify(db) == ()
    assert kept == acknowledged
    assert left, "the kill came after the last answer: nothing was tested"
    with process(folder, database_url) as (address, _), client(address) as at:
        for one in acknowledged:
            assert answered(at, f"/answers/{one}", 600)["answer_id"] == one
    with held.writing() as db:
        assert audit.verify(db) == ()
        given = [row.about for row in audit.read(db, LOCAL, "Kontroll av ett prov", limit=None) if row.what == "answer"]
    assert len(given) == len(set(given))  # answered by the one or the other, never twice
    assert set(acknowledged) <= set(given)
    held.close()
