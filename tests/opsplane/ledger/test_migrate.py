"""A record of every earlier schema opens, with nothing lost and nothing left in the clear."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select

from opsplane.errors import RecordUnavailable
from opsplane.events import CommandRun, FeedbackGiven, LedgerImported
from opsplane.exchange import Outcome
from opsplane.ledger import migrate
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import METADATA, SPEND
from opsplane.ledger.vault import Vault
from tests import fakes

SCHEMAS = Path(__file__).parent / "schemas"


def _run(engine: Engine, file: str) -> None:
    with transaction(engine) as connection:
        for statement in (SCHEMAS / file).read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.fixture
def old(record_url: str) -> Iterator[Engine]:
    """A record as the first version of the product wrote it."""
    engine = connect(record_url)
    _run(engine, f"0001.{engine.dialect.name}.sql")
    _run(engine, "0001.rows.sql")
    yield engine
    engine.dispose()


@pytest.fixture
def upgraded(old: Engine, vault: Vault) -> Iterator[Ledger]:
    ledger = Ledger(old, fakes.Clock(), vault)
    yield ledger
    ledger.close()


def test_every_row_is_carried_over_in_its_order(upgraded: Ledger) -> None:
    (imported,) = upgraded.events(["ledger_imported"])
    assert isinstance(imported.event, LedgerImported)
    assert imported.event.rows == 11
    found = upgraded.exchange("exchange-0001")
    assert found is not None
    assert (found.outcome, found.answer) == (Outcome.ANSWERED, "The fee is $15 for each item.")
    assert found.evidence[0].text == "The fee is $15 for each item."
    kinds = [entry.event.kind for entry in upgraded.story("exchange-0001")]
    assert kinds == ["question_received", "sentence_said", "question_answered", "feedback_given"]
    (thumb,) = upgraded.events(["feedback_given"])
    assert thumb.event == FeedbackGiven(exchange="exchange-0001", value=0, comment="Not what I asked.")


def test_the_costs_of_old_exchanges_are_booked(upgraded: Ledger) -> None:
    (row,) = upgraded.read(select(SPEND.c.exchange, SPEND.c.model, SPEND.c.cost_micros))
    assert tuple(row) == ("exchange-0001", "google_genai:gemini-3.8-flash", 833)


def test_no_copy_in_the_clear_is_left(upgraded: Ledger, tmp_path: Path) -> None:
    assert not [name for name in inspect(upgraded.engine).get_table_names() if name.startswith("v1_")]
    if upgraded.engine.dialect.name == "sqlite":
        upgraded.close()
        assert b"Not what I asked" not in b"".join(file.read_bytes() for file in tmp_path.glob("record.db*"))


def test_the_upgraded_record_goes_on(upgraded: Ledger) -> None:
    upgraded.append_now(CommandRun(command="status", arguments=""), fakes.OPERATOR)
    upgraded.settle()
    assert [
        entry.event.command for entry in upgraded.events(["command_run"]) if isinstance(entry.event, CommandRun)
    ] == [
        "audit",
        "status",
    ]


def _shape(engine: Engine) -> dict[str, Any]:
    seen = inspect(engine)
    return {
        table: (
            {(one["name"], str(one["type"]), one["nullable"]) for one in seen.get_columns(table)},
            {(one["name"], tuple(one["column_names"])) for one in seen.get_indexes(table)},
        )
        for table in seen.get_table_names()
    }


def test_upgrading_and_making_anew_end_in_the_same_schema(
    old: Engine, vault: Vault, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    Ledger(old, fakes.Clock(), vault).close()
    if old.dialect.name == "sqlite":
        fresh = connect(f"sqlite:///{tmp_path / 'fresh.db'}")
        Ledger(fresh, fakes.Clock(), vault).close()
        assert _shape(old) == _shape(fresh)
    with old.connect() as connection:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), METADATA) == []


def test_an_upgrade_that_fails_changes_nothing(old: Engine, vault: Vault) -> None:
    with transaction(old) as connection:
        connection.exec_driver_sql('UPDATE ledger SET payload = \'{"kind":"nonsense"}\' WHERE seq = 5')
    before = _shape(old)
    with pytest.raises(RecordUnavailable, match="Row 5 of the record's first version"):
        Ledger(old, fakes.Clock(), vault)
    assert _shape(old) == before


def test_a_record_of_a_newer_version_is_refused_in_words(record_url: str, vault: Vault) -> None:
    Ledger(connect(record_url), fakes.Clock(), vault).close()
    engine = connect(record_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RecordUnavailable, match="newer version"):
        Ledger(engine, fakes.Clock(), vault)
    engine.dispose()


def test_a_database_of_something_else_is_refused_in_words(record_url: str, vault: Vault) -> None:
    engine = connect(record_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE entry (id INTEGER PRIMARY KEY)")
    with pytest.raises(RecordUnavailable, match="not a record of this product"):
        Ledger(engine, fakes.Clock(), vault)
    engine.dispose()


def test_revisions_after_the_chain_only_add() -> None:
    files = sorted((Path(migrate.__file__).parent / "migrations" / "versions").glob("r*.py"))
    assert len(files) >= 2
    for file in files[2:]:
        text = file.read_text(encoding="utf-8")
        assert not [word for word in ("drop_", "alter_", "rename_", "DROP", "DELETE", "UPDATE") if word in text], (
            file.name
        )
