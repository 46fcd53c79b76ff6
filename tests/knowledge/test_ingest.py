import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from knowledge.base import Bases
from knowledge.catalogue import Catalogue
from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.ingest import Busy, Options, ingest
from knowledge.library import Library, Reader, SearchPlan
from knowledge.report import Fate
from knowledge.sources.folder import Folder
from knowledge.sources.source import Item, Listing, SourceMissing
from knowledge.spec import IndexSpec
from tests.knowledge.conftest import NOON, SPEC, Ingest

READER = Reader(date(2026, 11, 23), frozenset({"customer"}))


@pytest.fixture
def library(tmp_path: Path, minilm: MiniLM) -> Iterator[Library]:
    with closing(Library(tmp_path / "library", {minilm.name: minilm})) as library:
        yield library


def found(library: Library, query: str) -> list[str]:
    return [hit.chunk.text for hit in library.search(query, READER, SearchPlan()).hits]


def test_all_that_is_new_is_added(run: Ingest) -> None:
    report = run()
    assert report.added == ("cards@1", "fees@1", "fees@2", "fees@3", "waivers@1")
    assert report.generation.startswith("g00001-")
    assert (report.indexes[0].index, report.indexes[0].fate) == (SPEC.id, Fate.SERVED)
    assert (report.chunks, report.embedded) == (5, 5)


def test_an_unchanged_corpus_embeds_nothing_and_keeps_its_generation(run: Ingest) -> None:
    first, again = run(), run()
    assert (again.generation, again.embedded, again.added, again.changed) == (first.generation, 0, (), ())
    assert again.unchanged == first.added
    assert again.indexes[0].fate is Fate.UNCHANGED


def test_only_changed_text_is_embedded(run: Ingest, corpus: Path) -> None:
    run()
    cards, staff = corpus / "cards.txt", corpus / "staff.md"
    cards.write_text(cards.read_text().replace("no foreign", "a small foreign"))
    staff.write_text(staff.read_text().replace("audience: staff", "audience: branch"))
    (corpus / "fees-3.md").unlink()
    report = run()
    assert (report.changed, report.removed) == (("cards@1", "waivers@1"), ("fees@3",))
    assert report.embedded == 1


def test_a_change_that_is_taken_back_serves_the_old_generation_again(run: Ingest, corpus: Path) -> None:
    first = run()
    text = (corpus / "cards.txt").read_text()
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    assert run().generation != first.generation
    (corpus / "cards.txt").write_text(text)
    again = run()
    assert (again.generation, again.embedded, again.indexes[0].fate) == (first.generation, 0, Fate.SERVED)


def test_a_dry_run_says_what_would_change_and_changes_nothing(run: Ingest, corpus: Path, library: Library) -> None:
    first = run()
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    report = run(dry_run=True)
    assert (report.changed, report.embedded, report.indexes[0].fate) == (("cards@1",), 1, Fate.PLANNED)
    assert library.generation() == first.generation
    assert [one.name for one in library.catalogue.generations()] == [first.generation]


def test_bad_files_are_reported_by_name_and_the_rest_goes_in(run: Ingest, corpus: Path) -> None:
    (corpus / "empty.txt").touch()
    (corpus / ".hidden.md").write_text("hidden")
    (corpus / "picture.png").write_bytes(b"\x89PNG")
    (corpus / "loop").symlink_to(corpus)
    (corpus / "dangling.md").symlink_to(corpus / "gone.md")
    (corpus / "scan.pdf").write_bytes(b"%PDF-1.7\nnothing")
    report = run()
    assert sorted(Path(one.name).name for one in report.refused) == ["dangling.md", "empty.txt", "loop", "scan.pdf"]
    assert all(one.reason for one in report.refused)
    assert len(report.added) == 5


def test_duplicates_are_reported_with_what_was_kept(run: Ingest, corpus: Path) -> None:
    (corpus / "cards-copy.txt").write_text((corpus / "cards.txt").read_text())
    (corpus / "fees-2b.md").write_text((corpus / "fees-2.md").read_text() + "More.\n")
    report = run()
    assert [(Path(one.name).name, Path(one.kept).name, one.reason) for one in report.duplicates] == [
        ("cards.txt", "cards-copy.txt", "same text"),
        ("fees-2b.md", "fees-2.md", "same id and version (fees@2)"),
    ]


@pytest.mark.parametrize("stage", ["reading", "cutting", "embedding", "indexing"])
def test_a_run_that_breaks_off_leaves_the_old_generation_serving(
    run: Ingest, corpus: Path, tmp_path: Path, minilm: MiniLM, library: Library, stage: str
) -> None:
    def fail(name: str, _done: int, _total: int) -> None:
        if name == stage:
            raise KeyboardInterrupt

    old = run().generation
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    with pytest.raises(KeyboardInterrupt):
        ingest([Folder(corpus)], tmp_path / "library", {minilm.name: minilm}, [SPEC], Options(at=NOON), fail)
    assert library.generation() == old
    assert any("Travel card" in text for text in found(library, "foreign transaction"))
    new = run().generation
    assert library.generation() == new != old
    assert "$25" in found(library, "wires")[0]


def test_where_nothing_can_be_read_the_old_generation_goes_on(run: Ingest, tmp_path: Path, library: Library) -> None:
    old = run()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "empty.txt").touch()
    report = run(tmp_path / "bad")
    assert (report.indexes, report.removed, len(report.refused)) == ((), (), 1)
    assert library.generation() == old.generation


def test_where_a_source_is_missing_nothing_changes(run: Ingest, tmp_path: Path, library: Library) -> None:
    old = run()
    with pytest.raises(SourceMissing, match="gone"):
        run(tmp_path / "gone")
    assert library.generation() == old.generation


def test_old_generations_leave_the_disk_and_can_be_made_again(
    run: Ingest, corpus: Path, tmp_path: Path, library: Library
) -> None:
    names = []
    for number in range(5):
        (corpus / "cards.txt").write_text(f"Card number {number}.\n")
        names.append(run().generation)
    assert sorted(path.name for path in (tmp_path / "library" / "generations").iterdir()) == names[2:]
    old = library.search("card number", READER, SearchPlan(), index=SPEC.id, generation=names[0])
    assert (old.generation, old.hits[0].chunk.text) == (names[0], "Card number 0.")


def test_one_ingestion_at_a_time(run: Ingest, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    other = sqlite3.connect(tmp_path / "library" / "ingest.lock", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match="under way"):
        run()
    other.close()
    assert run().added


def test_what_is_staged_waits_until_it_is_served(run: Ingest, corpus: Path, library: Library) -> None:
    old = run().generation
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    staged = run(stage=True)
    assert (staged.indexes[0].fate, library.generation()) == (Fate.STAGED, old)
    record = library.catalogue.generation(staged.generation)
    assert record
    assert not library.catalogue.serve(record, NOON, "approved", instead_of="another")
    assert library.catalogue.serve(record, NOON, "approved", instead_of=old)
    assert "$25" in found(library, "wires")[0]


def test_too_large_a_change_is_built_beside_and_the_old_index_stays(
    run: Ingest, corpus: Path, library: Library
) -> None:
    old = run().generation
    for path in corpus.iterdir():
        path.write_text(path.read_text().replace("fee", "charge"))
    frozen, beside = run(large=0.5).indexes
    assert (frozen.fate, library.generation(SPEC.id)) == (Fate.FROZEN, old)
    assert (beside.fate, beside.index) == (Fate.BUILT, f"{SPEC.id}.2")
    assert "charge" in library.search("overdraft", READER, SearchPlan(), index=beside.index).hits[0].chunk.text
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    assert [one.fate for one in run(large=0.5).indexes] == [Fate.FROZEN, Fate.SERVED]


def test_every_index_in_use_is_brought_up_to_date(run: Ingest, corpus: Path, minilm: MiniLM) -> None:
    other = IndexSpec(embedding=minilm.name, chunking=Chunking(max_tokens=128, min_tokens=0))
    run(specs=(SPEC, other))
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    assert [(one.index, one.fate) for one in run().indexes] == [(SPEC.id, Fate.SERVED), (other.id, Fate.SERVED)]


def test_a_small_change_rests_on_the_vectors_that_are_there(run: Ingest, corpus: Path, tmp_path: Path) -> None:
    for number in range(30):
        (corpus / f"guide-{number}.md").write_text(f"# Guide {number}\nGuide number {number} tells of accounts.\n")
    run()
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    run()
    with (
        closing(Bases(tmp_path / "library")) as bases,
        closing(Catalogue(tmp_path / "library" / "catalogue.db")) as one,
    ):
        assert len({generation.base for generation in one.generations()}) == 1
        assert len(bases.names()) == 1


def test_equal_documents_make_equal_indexes_however_they_came(
    run: Ingest, corpus: Path, tmp_path: Path, minilm: MiniLM, library: Library
) -> None:
    text = (corpus / "cards.txt").read_text()
    for number in range(3):
        (corpus / "cards.txt").write_text(f"Card number {number}.\n")
        run()
    (corpus / "cards.txt").write_text(text)
    run()
    ingest([Folder(corpus)], tmp_path / "clean", {minilm.name: minilm}, [SPEC], Options(at=NOON))
    with closing(Library(tmp_path / "clean", {minilm.name: minilm})) as clean:
        assert list(clean.in_force(READER)) == list(library.in_force(READER))
        for query in ("overdraft fee", "foreign transactions", "card"):
            assert clean.search(query, READER, SearchPlan()).hits == library.search(query, READER, SearchPlan()).hits


class _Failing:
    """A folder in which one file cannot be read, though it is there."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder, self.name = folder, name

    @property
    def spec(self) -> str:
        return self.folder.spec

    def items(self, endings: Collection[str]) -> Listing:
        listing = self.folder.items(endings)
        return replace(listing, items=tuple(map(self._failing, listing.items)))

    def _failing(self, item: Item) -> Item:
        def fail() -> bytes:
            raise OSError("the disk does not answer")

        return replace(item, read=fail) if item.name == self.name else item


def test_a_file_that_cannot_be_read_just_now_does_not_leave_the_library(
    run: Ingest, corpus: Path, tmp_path: Path, minilm: MiniLM
) -> None:
    run()
    source = _Failing(Folder(corpus), "cards.txt")
    report = ingest([source], tmp_path / "library", {minilm.name: minilm}, [SPEC], Options(at=NOON))
    assert (report.removed, report.refused, "cards@1" in report.unchanged) == ((), (), True)
    assert [(one.name, "the disk does not answer" in one.text) for one in report.notes] == [("cards@1", True)]
    first = ingest([source], tmp_path / "other", {minilm.name: minilm}, [SPEC], Options(at=NOON))
    assert [Path(one.name).name for one in first.refused] == ["cards.txt"]
