from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from knowledge import history
from knowledge.base import Bases
from knowledge.catalogue import Catalogue
from knowledge.change import Change
from knowledge.ingest import Busy, alone
from knowledge.projection import Projection
from tests.knowledge.conftest import NOON, SPEC, Ingest


@pytest.fixture
def folder(run: Ingest, tmp_path: Path, corpus: Path) -> Path:
    """Two generations: in the second the future fees are gone and the cards say something else."""
    run()
    (corpus / "fees-3.md").unlink()
    (corpus / "cards.txt").write_text("Travel card\nThe card costs nothing.\n")
    run(at=NOON + 60)
    return tmp_path / "library"


@pytest.fixture
def catalogue(folder: Path) -> Iterator[Catalogue]:
    with closing(Catalogue(folder / "catalogue.db")) as catalogue:
        yield catalogue


def restore(folder: Path, catalogue: Catalogue, name: str = "g1") -> bool:
    generation = history.find(catalogue, SPEC.id, name)
    return history.restore(folder, catalogue, generation, NOON + 120, instead_of=catalogue.current(SPEC.id))


def test_the_history_tells_what_changed_newest_first(catalogue: Catalogue) -> None:
    newest, first = history.history(catalogue, SPEC.id, 10)
    assert newest.change == Change(changed=("cards@1",), removed=("fees@3",))
    assert (newest.until, first.until, first.documents) == (None, NOON + 60, 5)
    assert len(first.change.added) == 5
    assert len(history.history(catalogue, SPEC.id, 1)) == 1


def test_an_earlier_generation_serves_again_made_anew_where_it_was_swept_away(
    folder: Path, catalogue: Catalogue
) -> None:
    with closing(Bases(folder)) as bases:
        Projection(folder, catalogue, bases).sweep([catalogue.current(SPEC.id)])
    assert restore(folder, catalogue)
    serving = catalogue.current(SPEC.id)
    assert serving.startswith("g00001-")
    assert (folder / "generations" / serving).exists()
    assert catalogue.set_aside(SPEC.id).startswith("g00002-")


def test_nobody_went_back_where_nothing_was_restored(catalogue: Catalogue) -> None:
    assert catalogue.set_aside(SPEC.id) == ""


def test_a_generation_is_restored_only_instead_of_the_one_that_was_looked_at(
    folder: Path, catalogue: Catalogue
) -> None:
    generation = history.find(catalogue, SPEC.id, "g1")
    assert not history.restore(folder, catalogue, generation, NOON, instead_of="g00009")
    with alone(folder), pytest.raises(Busy):
        restore(folder, catalogue)


def test_a_generation_that_is_not_there_is_told_with_those_that_are(catalogue: Catalogue) -> None:
    with pytest.raises(LookupError, match="has no generation 'g7'; the newest are g00001"):
        history.find(catalogue, SPEC.id, "g7")
    with pytest.raises(LookupError, match="could be g00001"):
        history.find(catalogue, SPEC.id, "g0000")
