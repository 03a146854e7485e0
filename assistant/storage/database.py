"""The database: SQLite in the data folder, or the PostgreSQL that DATABASE_URL names. One way in, whole transactions only."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from assistant.storage import tables

WAIT_S = 30  # for another writer; longer than any transaction here, shorter than a person's patience with a spinner
_PERSONS_OWN = ("conversation", "turn", "assessment", "idempotency")  # what people delete themselves
_LOCK = 727_264_110  # any number will do, as long as every process takes the same
_MAKING = threading.Lock()  # a new file is closed before another thread can open it
_WRITING: dict[bool, dict[str, Any]] = {True: {"writing": True}, False: {}}  # by whether it is SQLite
_READING: dict[bool, dict[str, Any]] = {True: {}, False: {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}}
_SQLITE_SAYS = {  # primary result code → what is wrong
    "SQLITE_FULL": "disken är full. Frigör utrymme; inget som var sparat är förlorat.",
    "SQLITE_READONLY": "databasen är skrivskyddad. Se över rättigheterna på filen och dess mapp.",
    "SQLITE_CORRUPT": "databasfilen är skadad. Stoppa tjänsten och läs tillbaka den senaste säkerhetskopian.",
    "SQLITE_NOTADB": "filen är ingen databas eller är skadad. Stoppa tjänsten och läs tillbaka den senaste säkerhetskopian.",
    "SQLITE_CANTOPEN": "databasfilen kan inte öppnas. Se över sökvägen och rättigheterna.",
    "SQLITE_BUSY": "databasen är upptagen av en annan process. Försök igen.",
    "SQLITE_LOCKED": "databasen är upptagen av en annan process. Försök igen.",
    "SQLITE_IOERR": "disken kan inte läsas eller skrivas. Se över disken; inget som var sparat är förlorat.",
}
_CANNOT_OPEN = "Databasen {path} kan inte öppnas. Se över sökvägen, rättigheterna och utrymmet på disken."
_POSTGRES_SAYS = {  # SQLSTATE, or its class → what is wrong
    "53100": "databasserverns disk är full. Inget som var sparat är förlorat.",
    "53": "databasservern saknar resurser (minne, disk eller anslutningar). Försök igen om en stund.",
    "25006": "databasen är skrivskyddad. Peka DATABASE_URL på den server som tar emot ändringar.",
    "42501": "databasens användare saknar rättigheter.",
    "40": "två ändringar krockade. Försök igen.",
    "55P03": "databasen är upptagen av en annan ändring. Försök igen.",
    "57": "databasservern stängdes av. Försök igen om en stund.",
    "08": "databasservern svarar inte, eller godtar inte anslutningen. Se över DATABASE_URL, eller försök igen om en stund.",
    "58": "databasservern kan inte läsa eller skriva sin disk.",
    "XX": "databasen på servern är skadad. Läs tillbaka den senaste säkerhetskopian.",
}


class StorageError(OSError):
    """The database can't do what was asked. The message says in Swedish what is wrong and what to do; what was being done is undone."""

    def __init__(self, message: str) -> None:
        super().__init__(None, message)

    def __str__(self) -> str:
        return str(self.strerror)


@dataclass(frozen=True)
class Database:
    """An open database. ``turns``: writers of this process wait in line here, and not by polling SQLite's file lock."""

    engine: Engine
    turns: threading.Lock | None = field(default=None, repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed whole at the end or rolled back whole when anything is raised."""
        with _told(), self._in_turn(), self.engine.connect() as db, db.execution_options(**_WRITING[self.is_sqlite]).begin():
            yield db

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unchanging view of the database; nothing can be written through it."""
        with _told(), self.engine.connect() as db, db.execution_options(**_READING[self.is_sqlite]).begin():
            yield db

    def compact(self, *, thorough: bool = True) -> bool:
        """Take what was deleted out of the files. False when a reader was in the way: do it again later.

        SQLite overwrites what is deleted (secure_delete); what is left is its write-ahead log, which is emptied here. PostgreSQL leaves
        deleted rows in its files until they are vacuumed, and their words until the space is used again; ``thorough`` writes every file
        anew, which stops writers meanwhile. What PostgreSQL keeps in its log of writes, which it recycles, and in backups is the host's.
        """
        with _told(), self._in_turn():
            return self._compact_sqlite(thorough) if self.is_sqlite else self._compact_postgresql(thorough)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _compact_sqlite(self, thorough: bool) -> bool:
        raw = self.engine.raw_connection()
        try:
            if thorough:
                raw.cursor().execute("VACUUM")
            else:
                raw.cursor().execute("PRAGMA busy_timeout = 1000")  # a person waits, and every writer
            busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            raw.cursor().execute(f"PRAGMA busy_timeout = {WAIT_S * 1000}")
        finally:
            raw.close()
        return not busy

    def _compact_postgresql(self, thorough: bool) -> bool:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM (FULL)" if thorough else f"VACUUM {', '.join(_PERSONS_OWN)}"))
        return True

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self.turns is None:
            yield
            return
        if not self.turns.acquire(timeout=WAIT_S):
            raise StorageError(f"Databasen: {_SQLITE_SAYS['SQLITE_BUSY']}")
        try:
            yield
        finally:
            self.turns.release()


def opened(url: str) -> Database:
    """The database at ``url``, made or brought up to date where needed. Raises ``StorageError``."""
    where = _where(url)
    with _told():
        database = _sqlite(where) if where.get_backend_name() == "sqlite" else _postgresql(where)
        _bring_up_to_date(database)
    return database


def _where(url: str) -> URL:
    try:
        where = make_url(url)
        if where.get_backend_name() not in ("sqlite", "postgresql"):
            raise StorageError(f"DATABASE_URL anger {where.get_backend_name()}; databasen ska vara SQLite eller PostgreSQL.")
    except (ArgumentError, NoSuchModuleError) as error:  # the message would hold the password
        raise StorageError("DATABASE_URL kan inte läsas. Skriv postgresql://namn:lösenord@server/databas.") from error
    return where.set(drivername="postgresql+psycopg") if where.drivername == "postgresql" else where


def _sqlite(where: URL) -> Database:
    if not where.database or where.database == ":memory:":
        raise StorageError("DATABASE_URL ska namnge en fil: sqlite:///mapp/delningsstod.db.")
    if not where.database.startswith("file:"):  # SQLite's own form of address, for a file that is there
        _make_file(Path(where.database))
    engine = create_engine(where, connect_args={"timeout": WAIT_S}, pool_size=10, max_overflow=40)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return Database(engine, threading.Lock())


def _make_file(path: Path) -> None:
    """An empty file that only we may read; SQLite gives its side files the same rights.

    A file that is there is never opened here. Closing it would drop every lock that this process has on it, also those of SQLite's own
    connections (sqlite.org/howtocorrupt.html, 2.2): the next process to leave would then take the log away from under this one, and what
    was written after that would be lost.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _MAKING, suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StorageError(_CANNOT_OPEN.format(path=path)) from error
    if not os.access(path, os.R_OK):
        raise StorageError(_CANNOT_OPEN.format(path=path))


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say
    wait = f"busy_timeout = {WAIT_S * 1000}"
    for pragma in (wait, "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(db: Connection) -> None:
    # A reader that turns writer in the middle is refused by SQLite, so writers say so from the start.
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writing") else "BEGIN")


def _postgresql(where: URL) -> Database:
    patience = f"-c lock_timeout={WAIT_S}s -c idle_in_transaction_session_timeout=300s"
    return Database(create_engine(where, connect_args={"connect_timeout": 10, "options": patience}, pool_size=10, max_overflow=20,
                                  pool_pre_ping=True))


# --- migrations ------------------------------------------------------------------------------------------------------


def version(db: Connection) -> str:
    """Which migration the database is at; empty for a new one."""
    if not inspect(db).has_table("alembic_version"):
        return ""
    return str(db.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _bring_up_to_date(database: Database) -> None:
    with database.reading() as db:
        if version(db) == tables.HEAD:
            return
    with database.writing() as db:
        if not database.is_sqlite:
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        migrate(db)


def migrate(db: Connection, to: str = tables.HEAD) -> None:
    """Bring the schema to ``to`` inside the transaction that ``db`` is in: whole or not at all, one process at a time."""
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(db), to)
    except CommandError as error:
        raise StorageError("Databasen är gjord av en nyare version av programmet. Kör den versionen, eller läs tillbaka en äldre "
                           "säkerhetskopia.") from error


def alembic_config(db: Connection) -> Any:
    """Alembic's settings, made here: there is no file to find."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    return config


# --- what went wrong -------------------------------------------------------------------------------------------------


@contextmanager
def _told() -> Iterator[None]:
    """The driver's errors as ``StorageError``. Broken constraints and bad statements are our own faults and pass through."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageError("Databasen: för många samtidiga frågor. Försök igen om en stund.") from error
    except DBAPIError as error:
        said = _reason(error)
        if said is None:
            raise
        raise StorageError(f"Databasen: {said}") from error


def _reason(error: DBAPIError) -> str | None:
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return _SQLITE_SAYS.get("_".join(name.split("_")[:2]))
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the connection never came about, or broke
        return _POSTGRES_SAYS["08"] if error.orig.__class__.__name__ in ("OperationalError", "ConnectionTimeout") else None
    return _POSTGRES_SAYS.get(state) or _POSTGRES_SAYS.get(state[:2])
