from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from knowledge.catalogue import Catalogue, Generation
from knowledge.chunk import Chunk
from knowledge.document import Document, Kind, Section
from knowledge.vectors import Embedded
from tests.knowledge.conftest import SPEC

DOCUMENT = Document(id="d", title="D", source="d.md", sections=(Section(path=(), text="Text"),), sha256="0")
CHUNK = Chunk(
    id="c",
    document_id="d",
    title="D",
    section=("A", "B"),
    kind=Kind.FEES,
    audience="customer",
    version="1",
    effective_from=date(2026, 1, 1),
    effective_to=None,
    owner="",
    source="d.md",
    text="Text",
    sha256="0",
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with closing(Catalogue(tmp_path / "catalogue.db")) as catalogue:
        catalogue.add_index(SPEC, 1.0)
        catalogue.remember_documents({"mark": DOCUMENT})
        yield catalogue


def generation(number: int) -> Generation:
    return Generation(
        name=f"g{number}",
        index=SPEC.id,
        number=number,
        fingerprint=f"whole-{number}",
        documents={"d@1": "mark"},
        base="base-1",
        made=float(number),
    )


def test_what_is_cut_comes_back_with_its_windows_and_terms(catalogue: Catalogue) -> None:
    cut = (("c", ("w1", "w2")),)
    catalogue.remember_cuts(SPEC.id, {"mark": cut}, [(CHUNK, ["fee", "wire"])])
    assert catalogue.cuts(SPEC.id, ["mark", "unknown"]) == {"mark": cut}
    assert catalogue.chunks(["c", "unknown"]) == {"c": CHUNK}
    assert catalogue.terms(["c"]) == {"c": ["fee", "wire"]}
    assert catalogue.documents(["mark"]) == {"mark": DOCUMENT}


def test_vectors_come_back_by_model_and_hash(catalogue: Catalogue) -> None:
    vector, spans = np.arange(3, dtype=np.float32), np.ones((2, 3), np.int8)
    for _ in range(2):
        catalogue.remember("m", [Embedded("w1", vector, spans), Embedded("w0", vector)])
    found = catalogue.vectors("m", ["w1", "w2", "w0"])
    assert [(one.sha256, one.vector.tolist()) for one in found.values()] == [("w0", [0, 1, 2]), ("w1", [0, 1, 2])]
    assert (found["w0"].spans, found["w1"].spans.shape if found["w1"].spans is not None else ()) == (None, (2, 3))
    assert (catalogue.known("m", ["w1", "w2"]), catalogue.known("other", ["w1"])) == ({"w1"}, set())


def test_the_pointer_moves_only_from_where_it_is_meant_to(catalogue: Catalogue) -> None:
    catalogue.record(generation(1), serve=True, why="first")
    catalogue.record(generation(2), serve=False)
    assert catalogue.current(SPEC.id) == "g1"
    assert not catalogue.serve(generation(2), 9.0, "approved", instead_of="g0")
    assert catalogue.serve(generation(2), 9.0, "approved", instead_of="g1")
    assert [(one.generation, one.since, one.why) for one in catalogue.services(SPEC.id)] == [
        ("g1", 1.0, "first"),
        ("g2", 9.0, "approved"),
    ]


def test_a_generation_is_recorded_once_and_can_serve_again(catalogue: Catalogue) -> None:
    catalogue.record(generation(1), serve=True)
    catalogue.record(generation(2), serve=True)
    catalogue.record(generation(1).model_copy(update={"made": 5.0}), serve=True)
    assert [one.name for one in catalogue.generations()] == ["g1", "g2"]
    assert (catalogue.current(SPEC.id), catalogue.next_number()) == ("g1", 3)
    catalogue.forget("g2")
    assert catalogue.generation("g2") is None


def test_a_retired_index_is_in_use_no_longer_until_it_is_built_again(catalogue: Catalogue) -> None:
    catalogue.retire(SPEC.id, 2.0)
    assert (list(catalogue.indexes()), list(catalogue.indexes(retired=True))) == ([], [SPEC.id])
    catalogue.add_index(SPEC, 3.0)
    assert catalogue.indexes()[SPEC.id].made == 1.0


def test_what_became_of_files_is_remembered(catalogue: Catalogue) -> None:
    catalogue.remember_read({"key": ("mark", ["page 3 holds no text"])})
    assert catalogue.read(["key", "other"]) == {"key": ("mark", ("page 3 holds no text",))}
