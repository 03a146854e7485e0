"""A copy taken while people ask is whole, holds everything acknowledged before it, and can be served from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import uuid
from datetime import date
from pathlib import Path

import pytest

from assistant import audit
from assistant.storage import conversations
from assistant.storage.database import opened
from tests.databases import database, database_url, postgresql

__all__ = ["database", "database_url", "postgresql"]

ROOT = Path(__file__).resolve().parents[1]


def asked(database):
    """A question kept, with its row in the trail; its id."""
    with database.writing() as db:
        talk = conversations.begin(db, "anna")
        made = conversations.ask(db, "anna", talk.id, "Får vi lämna ut uppgiften?", date(2026, 11, 22), uuid.uuid4().hex)
        audit.append(db, who="anna", what="question.asked", about=made.id)
    return made.id


def restored(copy, tmp_path, request):
    """The copy as a database of its own, as the guide says to do it."""
    if (copy / "delningsstod.db").exists():
        shutil.copy(copy / "delningsstod.db", tmp_path / "restored.db")
        return f"sqlite:///{tmp_path}/restored.db"
    server = request.getfixturevalue("postgresql")
    name = f"r{uuid.uuid4().hex[:12]}"
    server.sql("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
    subprocess.run([str(server.bin / "pg_restore"), "--no-owner", "--exit-on-error", "-d", server.url(name),
                    str(copy / "delningsstod.dump")], check=True)
    return server.url(name)


def test_a_copy_taken_while_people_ask_can_be_restored(database, database_url, tmp_path, request):
    before, stop = [asked(database) for _ in range(20)], threading.Event()
    with database.writing() as db:
        audit.anchor(db)
    audit.keep_anchors(database, tmp_path / "audit-anchors.jsonl")
    writing = threading.Thread(target=lambda: [asked(database) for _ in iter(stop.is_set, True)])
    writing.start()
    environment = {**os.environ, "DELNINGSSTOD_DATA": str(tmp_path), "PYTHON": sys.executable}
    if not database.is_sqlite:
        environment["DATABASE_URL"] = database_url
        environment["PATH"] = f"{request.getfixturevalue('postgresql').bin}:{environment['PATH']}"
    try:
        done = subprocess.run([str(ROOT / "deploy" / "backup.sh"), str(tmp_path / "copies")], env=environment, capture_output=True,
                              text=True)
    finally:
        stop.set()
        writing.join()
    assert done.returncode == 0, done.stderr
    copy = Path(done.stdout.strip())
    assert copy.stat().st_mode & 0o077 == 0
    back = opened(restored(copy, tmp_path, request))
    with back.reading() as db:
        assert audit.verify(db, audit.kept_anchors(copy / "audit-anchors.jsonl")) == ()
        assert {conversations.asked(db, "anna", one).id for one in before} == set(before)
    assert asked(back)
    back.close()


@pytest.mark.parametrize("args", [[], ["a", "b"]])
def test_a_wrong_call_is_said_plainly(args):
    done = subprocess.run([str(ROOT / "deploy" / "backup.sh"), *args], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Ange mappen" in done.stderr
