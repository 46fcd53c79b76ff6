from contextlib import closing
from pathlib import Path

import pytest

from knowledge import collecting
from knowledge.building import build
from knowledge.catalogue import Catalogue
from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.ingest import Options
from knowledge.library import Library
from knowledge.report import Fate
from knowledge.spec import IndexSpec
from tests.knowledge.conftest import NOON, SPEC, Ingest

SMALL = IndexSpec(embedding=MiniLM.name, chunking=Chunking(max_tokens=64, min_tokens=0, overlap=0))


@pytest.fixture
def folder(run: Ingest, tmp_path: Path, corpus: Path, minilm: MiniLM) -> Path:
    """Two indexes, the second of smaller chunks."""
    (corpus / "long.md").write_text("# Long\n" + "\n\n".join(f"Paragraph {n} tells of fee {n}. " * 8 for n in range(6)))
    run()
    folder = tmp_path / "library"
    build(folder, SPEC.id, SMALL, {minilm.name: minilm}, Options(at=NOON))
    return folder


def test_a_retired_index_loses_its_files_and_keeps_its_rows(folder: Path, run: Ingest) -> None:
    with closing(Catalogue(folder / "catalogue.db")) as catalogue:
        gone = catalogue.current(SMALL.id)
        freed = collecting.retire(folder, SMALL.id, NOON + 60)
        assert freed.size > 1000
        assert not (folder / "generations" / gone).exists()
        assert list(catalogue.indexes()) == [SPEC.id]
        assert catalogue.generation(gone) is not None
    assert [one.index for one in run().indexes] == [SPEC.id]


def test_the_other_index_serves_on(folder: Path, run: Ingest, minilm: MiniLM) -> None:
    collecting.retire(folder, SMALL.id, NOON + 60)
    collecting.drop(folder, SMALL.id)
    assert run().indexes[0].fate is Fate.UNCHANGED
    with closing(Library(folder, {minilm.name: minilm})) as library:
        assert len(library.documents(SPEC.id)) == 6
        with pytest.raises(LookupError, match="There is no index"):
            library.documents(SMALL.id)


def test_dropping_deletes_what_nobody_else_needs_and_nothing_more(folder: Path) -> None:
    collecting.retire(folder, SMALL.id, NOON + 60)
    freed = collecting.drop(folder, SMALL.id)
    assert freed.generations == 1
    assert freed.chunks > 0
    assert freed.vectors > 0
    assert freed.documents == 0
    assert collecting.drop(folder, SMALL.id).chunks == 0


def test_an_index_in_use_is_not_dropped(folder: Path) -> None:
    with pytest.raises(LookupError, match="is in use"):
        collecting.drop(folder, SMALL.id)


def test_dropping_leaves_what_a_build_that_broke_off_will_need(folder: Path, minilm: MiniLM) -> None:
    with closing(Catalogue(folder / "catalogue.db")) as catalogue:
        collecting.retire(folder, SMALL.id, NOON)
        other = SMALL.model_copy(update={"edition": 2})
        record = catalogue.generation(catalogue.current(SPEC.id))
        assert record is not None
        cuts = catalogue.cuts(SMALL.id, list(record.documents.values()))
        catalogue.remember_cuts(other.id, cuts, [])
    assert collecting.drop(folder, SMALL.id).chunks == 0
