import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.ingest import ingest
from knowledge.library import Library, SearchPlan

MODELS = Path(__file__).resolve().parents[2] / ".data" / "models"

TODAY = date(2026, 11, 23)
CUSTOMER = frozenset({"customer"})
INGEST = """
import sys
from pathlib import Path
from knowledge import embedding
from knowledge.chunk import Chunking
from knowledge.ingest import ingest
ingest([Path(sys.argv[1])], Path(sys.argv[2]), embedding.load(Path(sys.argv[3])), Chunking(), lambda *_: None)
"""


@pytest.fixture
def library(corpus: Path, tmp_path: Path, minilm: MiniLM) -> Iterator[Library]:
    ingest([corpus], tmp_path / "library", minilm, Chunking(), lambda *_: None)
    library = Library.open(tmp_path / "library", minilm)
    yield library
    library.close()


def found(library: Library, query: str, on: date = TODAY, audiences: frozenset[str] = CUSTOMER) -> list[str]:
    hits = library.search(query, on=on, audiences=audiences, plan=SearchPlan())
    return [f"{hit.chunk.document_id}@{hit.chunk.version}" for hit in hits]


@pytest.mark.parametrize(
    ("on", "version"),
    [(date(2026, 6, 30), "1"), (date(2026, 7, 1), "2"), (date(2026, 12, 31), "2"), (date(2027, 1, 1), "3")],
)
def test_only_the_version_in_force_is_found(library: Library, on: date, version: str) -> None:
    names = found(library, "What is the overdraft fee?", on)
    assert names[0] == f"fees@{version}"
    assert sum(name.startswith("fees@") for name in names) == 1


def test_what_is_meant_for_others_is_not_found(library: Library) -> None:
    assert "waivers@1" not in found(library, "waive one overdraft fee a year")
    assert found(library, "waive one overdraft fee a year", audiences=frozenset({"staff"})) == ["waivers@1"]
    assert found(library, "waive", audiences=frozenset()) == []


def test_a_hit_has_a_raw_cosine_and_a_fused_score(library: Library) -> None:
    best, *rest = library.search("overdraft fee", on=TODAY, audiences=CUSTOMER, plan=SearchPlan())
    assert 0.4 < best.cosine <= 1
    assert all(hit.score <= best.score <= 1 for hit in rest)


def test_the_weight_of_a_kind_multiplies_the_score(library: Library) -> None:
    plan = SearchPlan(kind_weights={"fees": 0.1})
    hits = library.search("overdraft fee", on=TODAY, audiences=CUSTOMER, plan=plan)
    assert hits[0].score == pytest.approx(0.1)


@pytest.mark.parametrize("query", ["", "   ", "\x00", "the", "🙂" * 50, "fee " * 25_000, "a\nb' OR 1=1 --"])
def test_no_query_breaks_the_search(library: Library, query: str) -> None:
    assert len(library.search(query, on=TODAY, audiences=CUSTOMER, plan=SearchPlan())) <= 6


def test_threads_share_a_library_and_get_equal_answers(library: Library) -> None:
    alone = found(library, "foreign transaction fee")
    with ThreadPoolExecutor(4) as pool:
        assert all(names == alone for names in pool.map(lambda _: found(library, "foreign transaction fee"), range(24)))


def test_an_empty_library_finds_nothing(tmp_path: Path, minilm: MiniLM) -> None:
    library = Library.open(tmp_path / "none", minilm)
    assert (library.generation, library.documents(), found(library, "fee")) == ("", [], [])
    library.close()


def test_documents_are_listed_with_their_dates_and_chunks(library: Library) -> None:
    listed = [(one.id, one.version, one.chunks) for one in library.documents()]
    assert listed == [("cards", "1", 1), ("fees", "1", 1), ("fees", "2", 1), ("fees", "3", 1), ("waivers", "1", 1)]


def test_an_open_library_follows_another_process_and_still_shows_what_it_cited(
    library: Library, corpus: Path, tmp_path: Path
) -> None:
    (cited, *_) = library.search("overdraft fee", on=TODAY, audiences=CUSTOMER, plan=SearchPlan())
    before = library.generation
    path = corpus / "fees-2.md"
    path.write_text(path.read_text().replace("$15", "$14"))
    command = [sys.executable, "-c", INGEST, str(corpus), str(tmp_path / "library"), str(MODELS)]
    subprocess.run(command, check=True, cwd=MODELS.parents[1])
    (now, *_) = library.search("overdraft fee", on=TODAY, audiences=CUSTOMER, plan=SearchPlan())
    assert library.generation != before
    assert "$14" in now.chunk.text
    assert library.chunk(cited.chunk.id) == cited.chunk
    assert library.chunk("unknown") is None


def test_what_is_in_force_can_be_listed_whole(minilm: MiniLM, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    ingest([corpus], folder, minilm, Chunking(), lambda *_: None)
    library = Library.open(folder, minilm)
    names = {(one.document_id, one.version) for one in library.in_force(date(2026, 11, 23), frozenset({"customer"}))}
    assert names == {("fees", "2"), ("cards", "1")}
    library.close()
