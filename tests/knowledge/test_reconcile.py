import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from knowledge import reconcile
from knowledge.base import Bases
from knowledge.embedding import MiniLM
from knowledge.index.chroma import Chroma
from knowledge.index.store import Contents
from knowledge.reconcile import Verified
from tests.knowledge.conftest import NOON, SPEC, Ingest


@pytest.fixture
def folder(run: Ingest, tmp_path: Path) -> Path:
    run()
    return tmp_path / "library"


def verify(folder: Path, minilm: MiniLM) -> Verified:
    return reconcile.verify(folder, SPEC.id, {minilm.name: minilm})


def spoil(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "catalogue.db")) as connection:
        connection.execute(statement, values)
        connection.commit()


def base(folder: Path) -> Path:
    return next((folder / "bases").iterdir())


def test_a_sound_index_holds_and_is_audited_file_by_file(folder: Path, minilm: MiniLM) -> None:
    found = verify(folder, minilm)
    assert found.problems == []
    assert (found.passages, found.windows, found.sampled) == (5, 5, 5)
    fees = next(one for one in found.audit if one.document == "fees@2")
    assert (fees.passages, fees.vectors, fees.lost) == (1, 1, 0)
    assert fees.characters > 30
    assert reconcile.left_over(folder) == []


def test_a_vector_that_the_store_lost_is_found(folder: Path, minilm: MiniLM) -> None:
    with closing(Chroma(folder / "chroma")) as store:
        collection = store._client.get_collection(base(folder).name, embedding_function=None)
        collection.delete(ids=["0"])
        collection.add(ids=["99"], embeddings=np.ones((1, 384), np.float32))
    assert verify(folder, minilm).problems == [
        "The store lacks 1 of 5 vectors.",
        "The store holds 1 vectors that nothing refers to.",
    ]


def test_a_file_of_other_vectors_is_found(folder: Path, minilm: MiniLM) -> None:
    vectors = np.load(base(folder) / "vectors.npy")
    np.save(base(folder) / "vectors.npy", vectors[::-1])
    problems = verify(folder, minilm).problems
    assert "4 of 5 windows have another vector on disk than in the catalogue." in problems
    assert "The store holds another vector than the file in 4 rows." in problems


def test_vectors_that_no_model_computed_are_found_by_the_sample(folder: Path, minilm: MiniLM) -> None:
    spoil(folder, "UPDATE vectors SET vector = ?", np.full(384, 384**-0.5, np.float32).tobytes())
    assert sum("computed anew has a cosine of" in one for one in verify(folder, minilm).problems) == 5


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM documents WHERE name = 'fees@2'", "The document fees@2 is missing."),
        ("DELETE FROM cuts WHERE fingerprint IN (SELECT fingerprint FROM documents WHERE name = 'fees@2')", "not cut"),
        ("DELETE FROM chunks WHERE id LIKE 'fees@2%'", "fees@2: 1 of 1 passages are not in the catalogue."),
        ("UPDATE chunks SET body = replace(body, '$15', '$51')", "was changed after it was cut"),
        ("DELETE FROM vectors", "fees@2: 1 of 1 windows have no vector in the catalogue."),
    ],
)
def test_what_the_catalogue_lost_is_told(folder: Path, minilm: MiniLM, statement: str, told: str) -> None:
    spoil(folder, statement)
    assert any(told in one for one in verify(folder, minilm).problems)


def test_mending_builds_it_anew(folder: Path, minilm: MiniLM, run: Ingest) -> None:
    spoil(folder, "DELETE FROM chunks WHERE id LIKE 'fees@2%'")
    spoil(folder, "UPDATE vectors SET vector = ?", np.full(384, 384**-0.5, np.float32).tobytes())
    (base(folder) / "vectors.npy").write_bytes(b"torn")
    assert verify(folder, minilm).problems
    before = verify(folder, minilm).generation
    reconcile.mend(folder, SPEC.id, {minilm.name: minilm}, NOON + 60)
    after = verify(folder, minilm)
    assert (after.problems, after.generation) == ([], before)


def test_what_lost_a_document_cannot_be_mended(folder: Path, minilm: MiniLM) -> None:
    spoil(folder, "DELETE FROM documents WHERE name = 'fees@2'")
    with pytest.raises(LookupError, match="1 documents are missing: ingest their sources again"):
        reconcile.mend(folder, SPEC.id, {minilm.name: minilm}, NOON)


def test_a_store_that_no_generation_rests_on_is_told(folder: Path, minilm: MiniLM) -> None:
    with closing(Bases(folder)) as bases:
        bases.store.write("base-left", Contents(np.eye(4, dtype=np.float32)), lambda *_: None)
    assert reconcile.left_over(folder) == ["base-left"]


def test_an_index_that_is_not_there_is_told(folder: Path, minilm: MiniLM) -> None:
    with pytest.raises(LookupError, match="There is no index 'other'"):
        reconcile.verify(folder, "other", {minilm.name: minilm})
