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
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
import pytest

from assistant.storage.database import Database, opened

KINDS = ("sqlite", "postgresql")
_SYSTEM_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) if Path("/usr/lib/postgresql").is_dir() else []


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own. It listens on a socket in its folder and on no port."""

    folder: Path
    bin: Path
    made: set[str] = field(default_factory=set)

    def url(self, name: str) -> str:
        return f"postgresql://delningsstod@/{name}?host={self.folder}"

    def run(self, tool: str, *args: str) -> str:
        """Run one of PostgreSQL's programs as the user that owns the server; what it said."""
        done = subprocess.run([str(self.bin / tool), *args], capture_output=True, text=True, cwd=self.folder, check=False, **_user())
        if done.returncode:
            raise RuntimeError(f"{tool} {' '.join(args)}: {done.stderr or done.stdout}")
        return done.stdout

    def sql(self, name: str, statement: str) -> None:
        with psycopg.connect(self.url(name), autocommit=True) as db:
            db.execute(statement)

    def make(self, name: str, *, empty: bool = False, where: str = "pg_default") -> str:
        """A new database with its tables, or with nothing in it; its address."""
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else self._with_tables()} TABLESPACE {where}")
        return self.url(name)

    def _with_tables(self) -> str:
        if "with_tables" not in self.made:
            opened(self.make("with_tables", empty=True)).close()
            self.made.add("with_tables")
        return "with_tables"

    def through_to_the_disk(self, on: bool) -> None:
        """Whether each commit waits for the disk: off but for the tests that mean it, since every test makes a database."""
        self.sql("postgres", f"ALTER SYSTEM SET fsync = {'on' if on else 'off'}")
        self.sql("postgres", "SELECT pg_reload_conf()")

    def start(self) -> None:
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"))

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
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 200\nfsync = off\n")
        server.start()
        yield server
    finally:
        with suppress(RuntimeError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _sqlite_with_tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delningsstod.db"
        opened(f"sqlite:///{path}").close()  # the last connection out empties the write-ahead log
        return path.read_bytes()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with its tables and nothing in them, gone after the test."""
    if request.param == "sqlite":
        (tmp_path / "delningsstod.db").write_bytes(_sqlite_with_tables())
        (tmp_path / "delningsstod.db").chmod(0o600)
        yield f"sqlite:///{tmp_path}/delningsstod.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex[:12]}"
    yield server.make(name)
    server.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is to be made, or is there without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/delningsstod.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.make(f"t{uuid.uuid4().hex[:12]}", empty=True)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with its tables and nothing in them."""
    made = opened(database_url)
    yield made
    made.close()
