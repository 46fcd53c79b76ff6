"""Runs revisions on the connection that `migrate` hands over, inside its transaction."""

from alembic import context

from opsplane.ledger.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
