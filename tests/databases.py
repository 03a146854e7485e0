"""The databases the tests run on: SQLite in a file, and Debian's PostgreSQL in a process that the tests start and stop.

``from tests.databases import database, database_url, postgresql`` brings the fixtures; each test using ``database`` or ``database_url``
runs once on each, in a database of its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.storage.database import Database, opened

KINDS = ("sqlite", "postgresql")
_SYSTEM_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) if Path("/usr/lib/postgresql").is_dir() else []


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own. It listens on a socket in its folder and on no port."""

    folder: Path
    bin: Path

    def url(self, name: str) -> str:
        return f"postgresql://delningsstod@/{name}?host={self.folder}"

    def run(self, tool: str, *args: str) -> str:
        """Run one of PostgreSQL's programs as the user that owns the server; what it said."""
        done = subprocess.run([str(self.bin / tool), *args], capture_output=True, text=True, cwd=self.folder, check=False, **_user())
        if done.returncode:
            raise RuntimeError(f"{tool} {' '.join(args)}: {done.stderr or done.stdout}")
        return done.stdout

    def sql(self, name: str, statement: str) -> str:
        return self.run("psql", "-h", str(self.folder), "-U", "delningsstod", "-d", name, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def start(self) -> None:
        # Everything is written through to the disk: the crash tests mean it.
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=on -c max_connections=200"
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "stop", "-w", "-D", str(self.folder / "data"), "-m", mode)


def _user() -> dict[str, object]:
    """PostgreSQL refuses to run as root: then as its own user, or nobody."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("no user to run PostgreSQL as")


def _bin() -> Path | None:
    on_path = shutil.which("pg_ctl")
    return next((one for one in [*_SYSTEM_BIN, *([Path(on_path).parent] if on_path else [])] if (one / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for the session; skipped with the reason where PostgreSQL isn't installed."""
    where = _bin()
    if where is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="delningsstod-pg-", dir="/tmp"))  # a socket's path has to be short
    if "user" in _user():
        os.chown(folder, int(str(_user()["user"])), int(str(_user()["group"])))
    server = Server(folder, where)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "delningsstod", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        server.start()
        yield server
    finally:
        with suppress(RuntimeError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, gone after the test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/delningsstod.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex[:12]}"
    server.sql("postgres", f"CREATE DATABASE {name}")
    yield server.url(name)
    server.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database, empty but for its tables."""
    made = opened(database_url)
    yield made
    made.close()
