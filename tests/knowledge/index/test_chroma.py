from contextlib import closing
from pathlib import Path

import numpy as np

from knowledge.index.chroma import Chroma
from knowledge.index.store import Contents

UNITS = np.eye(384, dtype=np.float32)[:5]


def nothing(_stage: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


def test_what_a_broken_run_left_is_replaced(tmp_path: Path) -> None:
    with closing(Chroma(tmp_path)) as store:
        store.write("base-1", Contents(UNITS), nothing)
        store.write("base-1", Contents(UNITS[:2]), nothing)
        held = store.open("base-1")
        assert held
        assert held.size == 2
        assert store.holdings() == []
