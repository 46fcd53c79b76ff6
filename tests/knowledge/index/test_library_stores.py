"""A library on each store: ingested, searched, brought up to date, collected; and without a store that fails."""

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from knowledge import collecting, reconcile
from knowledge.base import Bases
from knowledge.embedding import MiniLM
from knowledge.index.store import Contents, Unreachable
from knowledge.library import Found, Library, Reader, SearchPlan
from tests.knowledge.conftest import NOON, SPEC, Ingest
from tests.knowledge.index.conftest import VECTORS, Place, nothing
from tests.vertex.faults import Kind

READER = Reader(date(2026, 11, 23), frozenset({"customer"}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


def ask(library: Library, query: str = "What is the overdraft fee?") -> Found:
    return library.search(query, READER, SearchPlan())


def more(corpus: Path, count: int) -> None:
    for number in range(count):
        (corpus / f"more-{number}.md").write_text(f"Card number {number} has a limit of ${number}00 a day.\n")


def test_documents_are_ingested_searched_replaced_and_collected(
    run: Ingest, corpus: Path, folder: Path, minilm: MiniLM, place: Place
) -> None:
    store = place.opener()
    run(store=store)
    with closing(Library(folder, {minilm.name: minilm}, store)) as library:
        first = ask(library)
        assert (first.hits[0].chunk.document_id, first.hits[0].chunk.version, first.unasked) == ("fees", "2", "")
        more(corpus, 6)
        report = run(at=NOON + 60, store=store)
        assert report.indexes[0].fate == "served"
        second = ask(library, "the limit of card number 3")
        assert second.generation != first.generation
        assert second.hits[0].chunk.document_id == "more-3"
        assert library.search("overdraft", READER, SearchPlan(), generation=first.generation).hits
    assert reconcile.verify(folder, SPEC.id, {minilm.name: minilm}, store=store).problems == []
    collecting.retire(folder, SPEC.id, NOON + 120, store)
    with closing(Bases(folder, store)) as bases:
        assert bases.names() == set()
        assert bases.store.holdings() == []


def test_bases_that_no_generation_kept_rests_on_are_deleted_away_too(
    run: Ingest, corpus: Path, folder: Path, away: Place
) -> None:
    for turn in range(4):
        more(corpus, 5 * (turn + 1))
        run(at=NOON + 60 * turn, store=away.opener())
    with closing(Bases(folder, away.opener())) as bases:
        assert len(bases.names()) == 3
        assert len([one for one in bases.store.holdings() if one.kind != "endpoint"]) == 3


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.DENIED, Kind.GARBLED])
def test_a_store_that_fails_is_done_without_and_the_search_says_so(
    run: Ingest, folder: Path, minilm: MiniLM, away: Place, kind: Kind
) -> None:
    run(store=away.opener())
    with closing(Library(folder, {minilm.name: minilm}, away.opener())) as library:
        well = ask(library)
        away.served.faults.add(kind)
        ill = ask(library)
        assert ill.unasked
        assert ill.hits == well.hits
        away.served.faults.clear()
        away.now[0] += 60
        assert ask(library) == well


def test_a_library_opens_while_the_store_is_down(run: Ingest, folder: Path, minilm: MiniLM, away: Place) -> None:
    run(store=away.opener())
    away.served.faults.add(Kind.UNAVAILABLE)
    with closing(Library(folder, {minilm.name: minilm}, away.opener())) as library:
        found = ask(library)
        assert found.hits[0].chunk.document_id == "fees"
        assert found.unasked


def test_the_old_generation_serves_where_the_new_one_cannot_be_deployed(
    run: Ingest, corpus: Path, folder: Path, minilm: MiniLM, away: Place
) -> None:
    run(store=away.opener())
    with closing(Library(folder, {minilm.name: minilm}, away.opener())) as library:
        before = ask(library)
        more(corpus, 6)
        fault = away.served.faults.add(Kind.UNAVAILABLE, away.put)
        with pytest.raises(Unreachable):
            run(at=NOON + 60, store=away.opener())
        assert ask(library) == before
        fault.times = 0
        run(at=NOON + 120, store=away.opener())
        assert ask(library).generation != before.generation


def test_a_store_that_was_emptied_is_filled_by_the_next_ingestion(
    run: Ingest, folder: Path, minilm: MiniLM, away: Place
) -> None:
    run(store=away.opener())
    with closing(Bases(folder, away.opener())) as bases:
        for name in bases.names():
            bases.store.discard(name)
    found = reconcile.verify(folder, SPEC.id, {minilm.name: minilm}, store=away.opener())
    assert len(found.problems) == 1
    assert "are gone" in found.problems[0]
    with closing(Library(folder, {minilm.name: minilm}, away.opener())) as library:
        assert ask(library).unasked
        run(at=NOON + 60, store=away.opener())
        away.now[0] += 60
        assert ask(library).unasked == ""


def test_what_broken_runs_left_away_is_named_and_tidied_up(run: Ingest, folder: Path, away: Place) -> None:
    store = away.opener()
    run(store=store)
    with closing(Bases(folder, store)) as bases:
        bases.store.write("base-left", Contents(VECTORS[:5]), nothing)
    assert reconcile.left_over(folder, store) == ["base-left"]
    assert reconcile.tidy(folder, store) == ["base-left"]
    assert reconcile.left_over(folder, store) == []
