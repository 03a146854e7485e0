"""kill -9 in the middle of it all: what was acknowledged is there, what was begun is finished, and the audit trail is whole."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import audit
from assistant.people import LOCAL
from assistant.storage import conversations
from assistant.storage.database import opened
from tests.databases import database_url, postgresql  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parents[1]
CHATS = 20
QUESTIONS = ("Får Försäkringskassan tipsa Skatteverket om svart lön?", "Vad säger 10 kap. 27 § OSL?", "När gäller 10 kap. 15 a § OSL?")


@dataclass
class Promised:
    """What the service has acknowledged: conversations, questions by their answer's id, and answers as they were read."""

    talks: set[str] = field(default_factory=set)
    questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Service:
    """`delningsstod serve --api-only`, started and killed as often as is wanted, always with the same data."""

    folder: Path
    index: Path
    url: str
    port: int = field(default_factory=_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def start(self) -> None:
        settings = {"DATABASE_URL": self.url, "DELNINGSSTOD_DATA": str(self.folder), "DELNINGSSTOD_INDEX": str(self.index),
                    "DELNINGSSTOD_QUESTIONS_PER_MINUTE": "100000", "DELNINGSSTOD_READS_PER_MINUTE": "1000000"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from assistant.cli import main; main()", "serve", "--api-only", "--port", str(self.port)],
                cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=log)
        for _ in range(900):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/health", trust_env=False, timeout=5).status_code == 200:
                    return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.2)
        raise AssertionError("the service didn't start")

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)


@pytest.fixture
def service(small_world, tmp_path, database_url, request) -> Iterator[Service]:
    server = request.getfixturevalue("postgresql") if database_url.startswith("postgresql") else None
    if server:
        server.through_to_the_disk(True)
    made = Service(tmp_path, small_world._folder.parent, database_url)
    yield made
    made.kill()
    if server:
        server.through_to_the_disk(False)


def _chat(address: str, promised: Promised, stop: threading.Event, number: int) -> None:
    """One person who asks, reads the answer and asks again, until the line goes dead."""
    rng = random.Random(number)
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as at, contextlib.suppress(httpx.TransportError):
        talk = at.post("/conversations", json={})
        if talk.status_code != 201:
            promised.strange.append(f"{talk.status_code} {talk.text}")
            return
        promised.talks.add(talk.json()["id"])
        while not stop.is_set():
            words = rng.choice(QUESTIONS)
            asked = at.post(f"/conversations/{talk.json()['id']}/answers", json={"text": words})
            if asked.status_code != 202:  # the database is away, or there is too much at once: told, and so not promised
                if asked.status_code not in (429, 503):
                    promised.strange.append(f"{asked.status_code} {asked.text}")
                time.sleep(0.2)
                continue
            where = asked.headers["location"].removeprefix("/api/v1")
            promised.questions[where.rsplit("/", 1)[1]] = (talk.json()["id"], words)
            _wait(at, where, promised, stop)


def _wait(at: httpx.Client, where: str, promised: Promised, stop: threading.Event) -> None:
    while not stop.is_set():
        reply = at.get(where)
        if reply.status_code == 200:
            promised.answers[where.rsplit("/", 1)[1]] = reply.json()
            return
        time.sleep(0.1)


@contextlib.contextmanager
def _chatting(service: Service, promised: Promised, enough: int) -> Iterator[None]:
    """Twenty people chatting; the body runs when ``enough`` answers more have come, the chats end after it."""
    stop = threading.Event()
    chats = [threading.Thread(target=_chat, args=(service.address, promised, stop, n), daemon=True) for n in range(CHATS)]
    wanted, until = len(promised.answers) + enough, time.monotonic() + 240
    for one in chats:
        one.start()
    while len(promised.answers) < wanted and time.monotonic() < until:
        time.sleep(0.05)
    yield
    stop.set()
    for one in chats:
        one.join(90)


def _all_there(url: str, promised: Promised) -> None:
    """Whatever was acknowledged is kept as it was, and the trail is whole and tells of it."""
    database = opened(url)
    with database.reading() as db:
        assert promised.talks <= {one.id for one in conversations.listed(db, LOCAL.id, 10_000)}
        for answer_id, (talk, words) in promised.questions.items():
            kept = conversations.asked(db, LOCAL.id, answer_id)
            assert (kept.conversation, kept.text, kept.as_of) == (talk, words, date.today())
            if answer_id in promised.answers:
                assert kept.answer == promised.answers[answer_id]
        assert audit.verify(db) == ()
    with database.writing() as db:
        rows = audit.read(db, LOCAL, "Kontroll efter ett avbrott", limit=None)
    database.close()
    assert set(promised.questions) <= {row.about for row in rows if row.what == "question.asked"}
    assert set(promised.answers) <= {row.about for row in rows if row.what == "answer"}


def _all_answered(service: Service, promised: Promised) -> None:
    """Every question has its own answer, given once, within what a restarted service needs to find it."""
    until = time.monotonic() + 240
    with httpx.Client(base_url=service.address, timeout=60, trust_env=False) as at:
        waiting = set(promised.questions)
        while waiting and time.monotonic() < until:
            for one in tuple(waiting):
                reply = at.get(f"/answers/{one}")
                if reply.status_code == 200:
                    assert reply.json()["answer_id"] == one
                    waiting.discard(one)
            time.sleep(0.5)
    assert waiting == set()
    database = opened(service.url)
    with database.writing() as db:
        told = [row.about for row in audit.read(db, LOCAL, "Kontroll efter ett avbrott", limit=None) if row.what == "answer"]
        assert len(told) == len(set(told))
        anchors = audit.kept_anchors(service.folder / "audit-anchors.jsonl")
        assert anchors  # one was taken as the service started
        assert audit.verify(db, anchors) == ()
    database.close()


def test_nothing_acknowledged_is_lost_when_the_service_is_killed_during_twenty_chats(service):
    promised = Promised()
    service.start()
    with _chatting(service, promised, 15):
        service.kill()
    _all_there(service.url, promised)
    assert len(promised.talks) >= CHATS
    begun = len(promised.questions) - len(promised.answers)
    service.start()
    _all_answered(service, promised)
    _all_there(service.url, promised)
    print(f"\n{len(promised.talks)} chats, {len(promised.questions)} questions, {begun} of them unanswered when the service was killed")
    assert begun > 0
    assert promised.strange == []


def test_nothing_acknowledged_is_lost_when_the_database_server_crashes_during_twenty_chats(small_world, tmp_path, postgresql):
    postgresql.through_to_the_disk(True)
    service, promised = Service(tmp_path, small_world._folder.parent, postgresql.make("crashed")), Promised()
    service.start()
    try:
        with _chatting(service, promised, 10):
            postgresql.stop("immediate")  # as a power cut: no backend gets to write anything more
            time.sleep(1)
            postgresql.start()
            time.sleep(5)
        _all_answered(service, promised)
        _all_there(service.url, promised)
        assert promised.strange == []
    finally:
        service.kill()
        postgresql.through_to_the_disk(False)
