import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.embedders import embedders, remote
from assistant.settings import Settings
from knowledge import embedding
from knowledge.embedding import EXACT, ROUNDED
from knowledge.encoders import GEMINI
from knowledge.ingest import Options, ingest
from knowledge.library import Library, Reader, SearchPlan
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec
from tests import fakes, library
from tests.assistant import shelves
from tests.vertex.cloud import PROJECT, Cloud
from tests.vertex.embeddings import VERBS
from tests.vertex.server import serving

SPEC = IndexSpec(embedding="gemini-embedding-001-768")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


def settings(cloud: Cloud) -> Settings:
    return Settings(google_project=PROJECT, google_credentials="none", google_endpoint=cloud.url)


def test_without_a_project_there_are_the_embedded_models() -> None:
    assert set(embedders(Settings(), embedding.load(library.MODELS))) == {ROUNDED, EXACT}


def test_an_index_of_googles_model_is_built_and_searched(cloud: Cloud, tmp_path: Path) -> None:
    known = embedders(settings(cloud), embedding.load(library.MODELS))
    assert set(known) == {ROUNDED, EXACT, *GEMINI}
    shelves.write(tmp_path / "corpus")
    ingest([Folder(tmp_path / "corpus")], tmp_path / "library", known, [SPEC], Options(at=shelves.NOON))
    with closing(Library(tmp_path / "library", known)) as opened:
        reader = Reader(fakes.NOON.date(), frozenset({"customer"}))
        found = opened.search("What is the overdraft fee?", reader, SearchPlan(), index=SPEC.id)
        (likeness,) = opened.likeness("What is the overdraft fee?", [found.hits[0].chunk], SPEC.id)
    assert found.hits[0].chunk.document_id == "fees"
    assert likeness == pytest.approx(found.hits[0].cosine, abs=1e-5)


def test_tokens_are_told_to_whoever_books(cloud: Cloud) -> None:
    booked: list[str] = []
    told = remote(settings(cloud), lambda *one: booked.append(json.dumps(one)))
    assert told is not None
    told.booked("google_genai:gemini-embedding-001", 7)
    assert booked == ['["google_genai:gemini-embedding-001", 7]']
