"""Triggers that keep the ledger's tables append-only, whoever is connected.

They stop mistakes and ordinary tools; somebody who may change the schema can take them off, which the chain and the
signed checkpoints then show.
"""

from sqlalchemy import Connection

GUARDED = ("entry", "node", "checkpoint", "passage")
"""Tables whose rows are never changed or deleted."""

_NEXT = "(SELECT coalesce(max(seq), 0) + 1 FROM entry)"


def put(connection: Connection) -> None:
    """Put the triggers in place where they are missing."""
    statements = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in statements:
        connection.exec_driver_sql(statement)


def _sqlite() -> list[str]:
    made = []
    for table in GUARDED:
        for deed in ("UPDATE", "DELETE"):
            made.append(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: {table}'); END"
            )
    made.append(
        f"CREATE TRIGGER IF NOT EXISTS entry_next BEFORE INSERT ON entry WHEN NEW.seq <> {_NEXT} "
        "BEGIN SELECT RAISE(ABORT, 'the record has no gaps: entry'); END"
    )
    return made


def _postgresql() -> list[str]:
    made = [
        "CREATE OR REPLACE FUNCTION opsplane_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the record is append-only: %%', TG_TABLE_NAME; END $$",
        "CREATE OR REPLACE FUNCTION opsplane_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.seq <> {_NEXT} THEN RAISE EXCEPTION 'the record has no gaps: entry'; END IF; RETURN NEW; END $$",
    ]
    for table in GUARDED:
        made.append(
            f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION opsplane_append_only()"
        )
    made.append(
        "CREATE OR REPLACE TRIGGER entry_next BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION opsplane_next()"
    )
    return made
