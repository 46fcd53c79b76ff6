"""`opsplane index` with the vectors in Vertex AI Vector Search, on the local server."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assistant import vector_store
from assistant.settings import Settings
from knowledge.index.store import Contents
from tests import library
from tests.assistant import shelves
from tests.assistant.commandline import Run, runner
from tests.vertex import vector_collections, vector_index
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.server import serving


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelves.stocked(tmp_path_factory.mktemp("shelves"))


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving((*vector_index.VERBS, *vector_collections.VERBS)) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, stocked: Path, cloud: Cloud) -> Settings:
    """A library whose vectors were in Chroma until now."""
    shutil.copytree(stocked, tmp_path / "library")
    (tmp_path / "models").symlink_to(library.MODELS)
    return Settings(
        data=tmp_path,
        google_project=cloud.project,
        google_credentials="none",
        google_endpoint=cloud.url,
        index_store="vertex",
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], here: Settings) -> Run:
    for name in ("data", "google_project", "google_credentials", "google_endpoint", "index_store"):
        monkeypatch.setenv(f"OPSPLANE_{name.upper()}", str(getattr(here, name)))
    return runner(monkeypatch, capsys)


def test_vectors_move_to_the_cloud_and_are_listed_with_their_machine(run: Run) -> None:
    assert "Nothing of this product exists" in run("index", "cloud").out
    assert "are gone" in run("index", "verify").out
    mended = run("index", "verify", "--mend")
    assert (mended.code, "It was mended." in mended.out) == (0, True)
    (index,) = [one for one in json.loads(run("index", "cloud", "--json").out) if one["kind"] == "index"]
    assert (index["machine"], index["state"]) == ("e2-standard-2", "ready, deployed")
    assert "e2-standard-2" in run("index", "cloud").out


def test_what_broken_runs_left_there_is_collected(run: Run, here: Settings) -> None:
    with closing(vector_store.opener(here)(here.data / "library")) as store:
        store.write("base-left", Contents(np.eye(4, dtype=np.float32)), lambda *_: None)
    assert "base-left" in run("index", "collect", "--dry-run").out
    assert "are gone" in run("index", "collect").out
    assert run("index", "cloud", "--json").out.strip() == "[]"


def test_a_missing_permission_is_told_with_what_to_do(run: Run, cloud: Cloud) -> None:
    cloud.faults.add(Kind.DENIED)
    told = run("index", "cloud")
    assert told.code != 0
    assert "roles/aiplatform.user" in told.err
