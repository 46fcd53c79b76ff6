from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.chunk import Chunk
from knowledge.document import Kind
from knowledge.index.chroma import Chroma


def chunk(audience: str, begins: date, ends: date | None) -> Chunk:
    return Chunk(
        id=audience,
        document_id="d",
        title="T",
        section=(),
        kind=Kind.FEES,
        audience=audience,
        version="1",
        effective_from=begins,
        effective_to=ends,
        owner="",
        source="d.md",
        text="Text",
        sha256="0",
    )


def unit(place: int) -> NDArray[np.float32]:
    return np.asarray(np.eye(384)[place], np.float32)


def test_only_windows_in_force_for_the_audience_are_near_and_the_best_window_counts(tmp_path: Path) -> None:
    past = chunk("customer", date(2025, 1, 1), date(2025, 12, 31))
    now, staff = chunk("customer", date(2026, 1, 1), None), chunk("staff", date(2026, 1, 1), None)
    store = Chroma(tmp_path)
    store.write(
        "g1-test", [past, now, staff], [(0, unit(0)), (1, unit(1)), (1, unit(0)), (2, unit(0))], lambda *_: None
    )
    dense = store.open("g1-test")
    assert dense is not None
    assert dense.nearest(unit(0), 9, on=date(2026, 1, 1), audiences=["customer"]) == pytest.approx({1: 1})
    assert dense.cosines(unit(1), [0, 1]) == pytest.approx({0: 0, 1: 1})
    assert dense.cosines(unit(1), []) == {}
    store.close()


def test_a_discarded_collection_does_not_open(tmp_path: Path) -> None:
    store = Chroma(tmp_path)
    store.write("g1-test", [chunk("customer", date(2026, 1, 1), None)], [(0, unit(0))], lambda *_: None)
    assert store.names() == {"g1-test"}
    store.discard("g1-test")
    assert store.open("g1-test") is None
    store.close()
