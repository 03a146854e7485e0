"""What is kept, on SQLite and on PostgreSQL: the same code, the same tests."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from assistant.storage import tables
from assistant.storage.database import alembic_config, version
from tests.databases import database, database_url, postgresql  # noqa: F401 - fixtures

# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_migrated_schema_is_the_one_in_the_code(database):
    with database.reading() as db:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(db, opts=options), tables.metadata) == []
        assert version(db) == tables.HEAD == ScriptDirectory.from_config(alembic_config(db)).get_current_head()
