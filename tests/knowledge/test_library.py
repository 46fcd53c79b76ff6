import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from knowledge.embedding import MiniLM
from knowledge.library import Library, Reader, SearchPlan
from tests.knowledge.conftest import MODELS, NOON, SPEC, Ingest

TODAY = date(2026, 11, 23)
CUSTOMER = frozenset({"customer"})
INGEST = """
import sys
from pathlib import Path
from knowledge import embedding
from knowledge.ingest import Options, ingest
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec
model = embedding.load(Path(sys.argv[3]))
specs = [IndexSpec(embedding=model.name)]
ingest([Folder(Path(sys.argv[1]))], Path(sys.argv[2]), {model.name: model}, specs, Options(at=float(sys.argv[4])))
"""


@pytest.fixture
def library(run: Ingest, tmp_path: Path, minilm: MiniLM) -> Iterator[Library]:
    run()
    with closing(Library(tmp_path / "library", {minilm.name: minilm})) as library:
        yield library


def found(library: Library, query: str, on: date = TODAY, audiences: frozenset[str] = CUSTOMER) -> list[str]:
    hits = library.search(query, Reader(on, audiences), SearchPlan()).hits
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


@pytest.mark.parametrize("withdrawn", ["fees", "fees@2"])
def test_what_is_withdrawn_is_not_found(library: Library, withdrawn: str) -> None:
    reader = Reader(TODAY, CUSTOMER, frozenset({withdrawn}))
    hits = library.search("overdraft fee", reader, SearchPlan()).hits
    assert {hit.chunk.document_id for hit in hits} == {"cards"}


def test_a_hit_has_a_raw_cosine_and_a_fused_score(library: Library) -> None:
    best, *rest = library.search("overdraft fee", Reader(TODAY, CUSTOMER), SearchPlan()).hits
    assert 0.4 < best.cosine <= 1
    assert all(hit.score <= best.score <= 1 for hit in rest)


@pytest.mark.parametrize("query", ["", "   ", "\x00", "the", "🙂" * 50, "fee " * 25_000, "a\nb' OR 1=1 --"])
def test_no_query_breaks_the_search(library: Library, query: str) -> None:
    assert len(library.search(query, Reader(TODAY, CUSTOMER), SearchPlan()).hits) <= 6


def test_threads_share_a_library_and_get_equal_answers(library: Library) -> None:
    alone = found(library, "foreign transaction fee")
    with ThreadPoolExecutor(4) as pool:
        assert all(names == alone for names in pool.map(lambda _: found(library, "foreign transaction fee"), range(24)))


def test_an_empty_library_finds_nothing(tmp_path: Path, minilm: MiniLM) -> None:
    with closing(Library(tmp_path / "none", {minilm.name: minilm})) as library:
        assert (library.generation(), library.documents(), found(library, "fee")) == ("", [], [])
        with pytest.raises(LookupError, match="no index 'unknown'"):
            library.search("fee", Reader(TODAY, CUSTOMER), SearchPlan(), index="unknown")


def test_a_generation_that_there_never_was_is_not_searched(library: Library) -> None:
    with pytest.raises(LookupError, match="has no generation 'g00009-unknown'"):
        library.search("fee", Reader(TODAY, CUSTOMER), SearchPlan(), index=SPEC.id, generation="g00009-unknown")


def test_documents_are_listed_with_their_dates_and_chunks(library: Library) -> None:
    listed = [(one.id, one.version, one.chunks) for one in library.documents()]
    assert listed == [("cards", "1", 1), ("fees", "1", 1), ("fees", "2", 1), ("fees", "3", 1), ("waivers", "1", 1)]


def test_an_open_library_follows_another_process_and_still_shows_what_it_cited(
    library: Library, corpus: Path, tmp_path: Path
) -> None:
    (cited, *_) = library.search("overdraft fee", Reader(TODAY, CUSTOMER), SearchPlan()).hits
    before = library.generation()
    path = corpus / "fees-2.md"
    path.write_text(path.read_text().replace("$15", "$14"))
    given = [str(corpus), str(tmp_path / "library"), str(MODELS), str(NOON + 60)]
    subprocess.run([sys.executable, "-c", INGEST, *given], check=True, cwd=MODELS.parents[1])
    now = library.search("overdraft fee", Reader(TODAY, CUSTOMER), SearchPlan())
    assert now.generation == library.generation() != before
    assert "$14" in now.hits[0].chunk.text
    assert library.chunk(cited.chunk.id) == cited.chunk
    assert library.chunk("unknown") is None
    old = library.search("overdraft fee", Reader(TODAY, CUSTOMER), SearchPlan(), index=SPEC.id, generation=before)
    assert "$15" in old.hits[0].chunk.text


def test_what_was_served_at_a_time_is_known(library: Library, run: Ingest, corpus: Path) -> None:
    first = library.generation()
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    second = run(at=NOON + 3600).generation
    served = [library.served_at(SPEC.id, NOON + seconds) for seconds in (-1, 0, 3599, 3600)]
    assert [one and one.generation for one in served] == [None, first, first, second]


def test_what_is_in_force_can_be_listed_whole(library: Library) -> None:
    names = {(one.document_id, one.version) for one in library.in_force(Reader(TODAY, CUSTOMER))}
    assert names == {("fees", "2"), ("cards", "1")}
