from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from assistant import index_collection, index_panels
from assistant.desk import Desk
from assistant.index_collection import Collected
from knowledge import embedding
from knowledge.building import build
from knowledge.chunk import Chunking
from knowledge.encoders import family
from knowledge.ingest import Options, alone
from opsplane.document_events import IndexRetired
from opsplane.errors import Conflict
from opsplane.indexes import GRACE
from tests import fakes, library
from tests.assistant import shelves
from tests.assistant.shelves import SPEC

SMALL = SPEC.model_copy(update={"chunking": Chunking(max_tokens=64, min_tokens=0)})


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two indexes, of which a release names the first."""
    folder = shelves.stocked(tmp_path)
    build(folder, SPEC.id, SMALL, family(embedding.load(library.MODELS)), Options(at=shelves.NOON))
    return folder


@pytest.fixture
def indexed(desk: Desk, folder: Path) -> Iterator[Desk]:
    with shelves.opened(desk, folder) as opened:
        yield opened


def fates(found: list[Collected]) -> dict[str, str]:
    return {one.standing.index.id: one.fate for one in found}


def later(desk: Desk, lapse: timedelta) -> None:
    assert isinstance(desk.ledger.clock, fakes.Clock)
    desk.ledger.clock.at += lapse


def test_what_serves_and_what_is_new_stays(indexed: Desk) -> None:
    assert fates(index_collection.collect(indexed)) == {SPEC.id: "kept", SMALL.id: "kept"}


def test_what_nothing_needs_is_given_up_and_after_the_retention_deleted(indexed: Desk) -> None:
    later(indexed, GRACE)
    would = index_collection.collect(indexed, dry_run=True)
    assert fates(would) == {SPEC.id: "kept", SMALL.id: "retired"}
    assert "would be given up" in index_panels.collected(would)
    assert fates(index_collection.collect(indexed)) == fates(would)
    assert indexed.library is not None
    assert list(indexed.library.indexes()) == [SPEC.id]
    again = index_collection.collect(indexed)
    assert fates(again) == {SPEC.id: "kept", SMALL.id: "kept"}
    assert "Given up on 2026-12-23; its files are gone" in index_panels.collected(again).replace("\\", "")
    later(indexed, timedelta(days=366 * 7))
    assert fates(index_collection.collect(indexed)) == {SPEC.id: "kept", SMALL.id: "dropped"}
    assert list(indexed.library.catalogue.indexes(retired=True)) == [SPEC.id]
    events = [one.event for one in indexed.ledger.events(["index_retired"])]
    assert [(one.index, one.collected) for one in events if isinstance(one, IndexRetired)] == [
        (SMALL.id, False),
        (SMALL.id, True),
    ]


def test_while_documents_are_ingested_nothing_is_collected(indexed: Desk, folder: Path) -> None:
    later(indexed, GRACE)
    with alone(folder), pytest.raises(Conflict, match="being ingested"):
        index_collection.collect(indexed)
    assert not indexed.ledger.events(["index_retired"])
