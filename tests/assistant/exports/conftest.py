"""A BigQuery on this machine, shared by the session, and for each test a dataset of its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assistant.bigquery import Warehouse
from assistant.export_lane import Limits, Means
from assistant.exporting import Export
from assistant.settings import Settings
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.store import Ledger
from tests.vertex.bigquery import Local, local
from tests.vertex.cloud import PROJECT

Opened = Callable[..., Export]


@pytest.fixture(scope="session")
def _server() -> Iterator[Local]:
    with local() as opened:
        yield opened


@pytest.fixture
def server(_server: Local) -> Iterator[Local]:
    """The server, in good health."""
    yield _server
    _server.well()


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """What the two databases do differently is tested with the outbox."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def settings(server: Local, tmp_path: Path) -> Settings:
    """As a bank would set it up, but for the addresses."""
    return Settings(
        data=tmp_path,
        google_project=PROJECT,
        google_credentials="none",
        google_endpoint=server.url,
        bigquery_write_endpoint=server.write,
        bigquery_dataset=server.dataset(),
    )


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    with closing(Warehouse(settings.cloud, settings.bigquery_dataset, 3, 10)) as opened:
        yield opened


@pytest.fixture
def export(ledger: Ledger, settings: Settings) -> Iterator[Opened]:
    """Makes exports of the record; each has connections of its own."""
    made: list[Export] = []

    def opened(*, words: bool = False, call: float = 3, **limits: Any) -> Export:
        held = Warehouse(settings.cloud, settings.bigquery_dataset, call, 10)
        means = Means(ledger, Outbox(ledger), held, Limits(**{"entries": 5, "pause": 0.001} | limits))
        made.append(Export(means, settings.zone, words=words))
        return made[-1]

    yield opened
    for one in made:
        one.close()
