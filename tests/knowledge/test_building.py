from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.building import build
from knowledge.catalogue import Catalogue
from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.encoder import Encoder
from knowledge.ingest import Busy, Options, alone
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.report import Fate, IndexReport
from knowledge.spec import IndexSpec
from tests.knowledge.conftest import NOON, SPEC, Ingest

SMALL = IndexSpec(embedding=MiniLM.name, chunking=Chunking(max_tokens=64, min_tokens=0))


class Dying:
    """The model under another name, killed after so many texts."""

    name = "other"

    def __init__(self, model: MiniLM, left: int) -> None:
        self._model, self._left = model, left
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._model.encode(texts)

    def read(self, window: str) -> tuple[NDArray[np.float32], NDArray[np.int8] | None]:
        if len(self.asked) == self._left:
            raise KeyboardInterrupt
        self.asked.append(window)
        return self._model.read(window)

    def count_tokens(self, text: str) -> int:
        return self._model.count_tokens(text)


@pytest.fixture
def folder(run: Ingest, tmp_path: Path) -> Path:
    run()
    return tmp_path / "library"


def built(folder: Path, model: Encoder, spec: IndexSpec = SMALL, of: str = SPEC.id) -> IndexReport:
    return build(folder, of, spec, {model.name: model}, Options(at=NOON))


def test_a_new_index_holds_the_documents_that_serve(folder: Path, minilm: MiniLM) -> None:
    report = built(folder, minilm)
    assert (report.index, report.fate) == (SMALL.id, Fate.BUILT)
    with closing(Library(folder, {minilm.name: minilm})) as library:
        reader = Reader(date(2026, 11, 23), frozenset({"customer"}))
        assert [one.id for one in library.documents(SMALL.id)] == [one.id for one in library.documents(SPEC.id)]
        found = library.search("overdraft fee", reader, SearchPlan(), index=SMALL.id)
        assert (found.index, found.hits[0].chunk.document_id) == (SMALL.id, "fees")


def test_the_same_index_again_is_unchanged(folder: Path, minilm: MiniLM) -> None:
    built(folder, minilm)
    assert built(folder, minilm).fate is Fate.UNCHANGED
    assert built(folder, minilm, SPEC).fate is Fate.UNCHANGED


def test_a_build_that_is_killed_is_not_there_and_goes_on_where_it_was(
    folder: Path, minilm: MiniLM, run: Ingest
) -> None:
    other = IndexSpec(embedding="other")
    with pytest.raises(KeyboardInterrupt):
        built(folder, Dying(minilm, 2), other)
    with closing(Catalogue(folder / "catalogue.db")) as catalogue:
        assert list(catalogue.indexes()) == [SPEC.id]
    assert run().indexes[0].fate is Fate.UNCHANGED
    again = Dying(minilm, 100)
    report = built(folder, again, other)
    assert (report.fate, report.windows) == (Fate.BUILT, 5)
    assert len(again.asked) == len(set(again.asked)) <= 5


def test_an_index_given_up_comes_back_with_the_documents_of_now(
    folder: Path, minilm: MiniLM, run: Ingest, corpus: Path
) -> None:
    built(folder, minilm)
    with closing(Catalogue(folder / "catalogue.db")) as catalogue:
        catalogue.retire(SMALL.id, NOON)
        (corpus / "fees-3.md").unlink()
        run()
        assert built(folder, minilm).fate is Fate.BUILT
        record = catalogue.generation(catalogue.current(SMALL.id))
        assert record is not None
        assert "fees@3" not in record.documents
        assert SMALL.id in catalogue.indexes()


def test_what_cannot_be_built_is_told(folder: Path, minilm: MiniLM) -> None:
    with pytest.raises(LookupError, match="no embedding model 'other'; there are all-MiniLM"):
        built(folder, minilm, IndexSpec(embedding="other"))
    with pytest.raises(LookupError, match="serves no documents yet"):
        built(folder, minilm, of="nothing")
    with alone(folder), pytest.raises(Busy):
        built(folder, minilm)
