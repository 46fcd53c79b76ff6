from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import corpus, vector_store
from assistant.settings import Settings
from knowledge.embedding import MiniLM
from knowledge.index.store import Unfit, Unreachable
from opsplane.errors import Conflict, InvalidRequest
from tests.vertex import vector_collections, vector_index
from tests.vertex.faults import Kind
from tests.vertex.server import serving

CLOUD = Settings(google_project="wrenfield-local", google_credentials="none", index_store="vertex")


def test_chroma_lies_beside_the_library_and_nothing_is_in_the_cloud(tmp_path: Path) -> None:
    with closing(vector_store.opener(Settings())(tmp_path)) as store:
        assert not store.remote
    assert vector_store.holdings(Settings(), tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"index_store": "pinecone"}, "OPSPLANE_INDEX_STORE: 'pinecone' is none of chroma, vertex, vertex-collections"),
        ({"google_project": ""}, "OPSPLANE_GOOGLE_PROJECT"),
        ({"google_location": "Paris"}, "OPSPLANE_GOOGLE_LOCATION"),
        ({"google_credentials": "/nowhere.json"}, "OPSPLANE_GOOGLE_CREDENTIALS"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(changes: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        vector_store.opener(replace(CLOUD, google_endpoint="http://127.0.0.1:1", **changes))  # type: ignore[arg-type]


def test_refusals_are_told_in_the_products_words() -> None:
    with pytest.raises(InvalidRequest, match="grant it"), vector_store.told():
        raise Unfit("grant it")
    with pytest.raises(Conflict, match="later"), vector_store.told():
        raise Unreachable("later")


@pytest.mark.parametrize("kind", ["vertex", "vertex-collections"])
def test_documents_are_ingested_into_the_store_of_the_settings(kind: str, tmp_path: Path, minilm: MiniLM) -> None:
    source = tmp_path / "corpus"
    source.mkdir()
    (source / "fees.md").write_text("The overdraft fee is $15.\n")
    with serving((*vector_index.VERBS, *vector_collections.VERBS)) as cloud:
        here = replace(CLOUD, data=tmp_path, corpus=source, google_endpoint=cloud.url, index_store=kind)
        corpus.refresh(here, minilm, lambda *_: None)
        found = vector_store.holdings(here, corpus.folder(here))
        assert [one.rows for one in found if one.kind != "endpoint"] == [1]
        cloud.faults.add(Kind.DENIED)
        assert corpus.refresh(here, minilm, lambda *_: None) is None  # what is served goes on being served
        with pytest.raises(InvalidRequest, match="--role=roles/"):
            corpus.refresh(replace(here, data=tmp_path / "new"), minilm, lambda *_: None)
