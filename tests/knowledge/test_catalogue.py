from pathlib import Path

import numpy as np

from knowledge.catalogue import Catalogue, Generation
from knowledge.chunk import Chunking, cut
from knowledge.document import Document, Section

DOCUMENT = Document(id="a", title="A", source="a.md", sections=(Section(path=(), text="Text."),), sha256="0")
CHUNKS = cut(DOCUMENT, Chunking(), len)


def test_an_empty_catalogue_points_nowhere(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "knowledge.db")
    assert (catalogue.current(), catalogue.generations(), catalogue.chunk("x")) == ("", [], None)
    catalogue.close()


def test_publishing_moves_the_pointer_and_keeps_the_past(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "knowledge.db")
    for number in (1, 2):
        catalogue.publish(
            Generation(number=number, name=f"g{number}", fingerprint=str(number), documents={"a@1": "f"}), CHUNKS
        )
    assert catalogue.current() == "g2"
    assert [generation.name for generation in catalogue.generations()] == ["g1", "g2"]
    assert catalogue.chunks("g1") == catalogue.chunks("g2") == CHUNKS
    assert catalogue.chunk(CHUNKS[0].id) == CHUNKS[0]
    catalogue.close()


def test_vectors_are_kept_for_each_model(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "knowledge.db")
    vector = np.arange(3, dtype=np.float32)
    catalogue.remember("one", [("sha", vector)])
    assert np.array_equal(catalogue.vectors("one", ["sha", "other"])["sha"], vector)
    assert catalogue.vectors("two", ["sha"]) == {}
    catalogue.close()
