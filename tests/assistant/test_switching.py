from pathlib import Path

from benchmarks import switching
from benchmarks.switching import Load


def some_turns(load: Load) -> None:
    """Wait for a few turns that began since the switch."""
    wanted = len(load.turns) + len(load.failed) + 6
    while len(load.turns) + len(load.failed) < wanted:
        load.ended.acquire()


def test_no_turn_fails_or_mixes_while_indexes_are_switched_and_documents_ingested(tmp_path: Path) -> None:
    switching.prepare(tmp_path, 6)
    load, ingested = switching.switch(tmp_path, 20, 2, some_turns)
    assert load.failed == []
    assert switching.mixed(tmp_path, load.turns) == 0
    assert len({found.index for _, found, _ in load.turns}) == 2
    assert len(load.turns) >= 160
    assert ingested >= 1
