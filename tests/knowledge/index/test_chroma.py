from pathlib import Path

import numpy as np

from knowledge.index.chroma import Chroma

UNITS = np.eye(384, dtype=np.float32)[:5]


def nothing(_done: int, _total: int) -> None:
    """Nobody looks on."""


def test_the_nearest_rows_come_first(tmp_path: Path) -> None:
    store = Chroma(tmp_path)
    store.write("base-1", UNITS, nothing)
    held = store.open("base-1")
    assert held
    asked = (0.8 * UNITS[3] + 0.6 * UNITS[1]).astype(np.float32)
    found = held.nearest(asked, 2)
    assert found is not None
    assert found.tolist() == [3, 1]
    assert held.ids() == {"0", "1", "2", "3", "4"}
    assert np.allclose(held.vectors(np.array([4, 0])), UNITS[[4, 0]])
    store.close()


def test_a_discarded_collection_does_not_open_and_an_open_one_says_that_it_is_gone(tmp_path: Path) -> None:
    store = Chroma(tmp_path)
    store.write("base-1", UNITS, nothing)
    held = store.open("base-1")
    assert held
    assert store.names() == {"base-1"}
    store.discard("base-1")
    store.discard("base-1")
    assert store.open("base-1") is None
    assert held.nearest(UNITS[0], 1) is None
    store.close()


def test_what_a_broken_run_left_is_replaced(tmp_path: Path) -> None:
    store = Chroma(tmp_path)
    store.write("base-1", UNITS, nothing)
    store.write("base-1", UNITS[:2], nothing)
    held = store.open("base-1")
    assert held
    assert held.size == 2
    store.close()
