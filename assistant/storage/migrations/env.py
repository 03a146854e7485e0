"""Run by alembic, on the connection that `database.migrate` hands over and inside its transaction."""

from __future__ import annotations

from alembic import context

from assistant.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
