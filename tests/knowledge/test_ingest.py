import sqlite3
from datetime import date
from pathlib import Path

import pytest

from knowledge.chunk import Chunking
from knowledge.document import Document, Section
from knowledge.embedding import MiniLM
from knowledge.ingest import Busy, IngestReport, ingest, superseded
from knowledge.library import Library, SearchPlan


def run(corpus: Path, folder: Path, minilm: MiniLM) -> IngestReport:
    return ingest([corpus], folder, minilm, Chunking(), lambda *_: None)


def version(name: str, start: date, end: date | None = None) -> Document:
    text = (Section(path=(), text=name),)
    return Document(
        id="d", title="D", source="d", version=name, effective_from=start, effective_to=end, sections=text, sha256=name
    )


def test_all_that_is_new_is_added(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    report = run(corpus, tmp_path / "library", minilm)
    assert report.added == ("cards@1", "fees@1", "fees@2", "fees@3", "waivers@1")
    assert report.generation.startswith("g00001-")
    assert (report.chunks, report.embedded) == (5, 5)


def test_an_unchanged_corpus_embeds_nothing_and_keeps_its_generation(
    corpus: Path, tmp_path: Path, minilm: MiniLM
) -> None:
    first = run(corpus, tmp_path / "library", minilm)
    again = run(corpus, tmp_path / "library", minilm)
    assert (again.generation, again.embedded, again.added, again.changed) == (first.generation, 0, (), ())
    assert again.unchanged == first.added


def test_only_changed_text_is_embedded(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    run(corpus, tmp_path / "library", minilm)
    cards, staff = corpus / "cards.txt", corpus / "staff.md"
    cards.write_text(cards.read_text().replace("no foreign", "a small foreign"))
    staff.write_text(staff.read_text().replace("audience: staff", "audience: branch"))
    (corpus / "fees-3.md").unlink()
    report = run(corpus, tmp_path / "library", minilm)
    assert (report.changed, report.removed) == (("cards@1", "waivers@1"), ("fees@3",))
    assert report.embedded == 1


def test_bad_files_are_reported_by_name_and_the_rest_goes_in(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    (corpus / "latin.md").write_bytes(b"caf\xe9")
    (corpus / "empty.txt").touch()
    (corpus / ".hidden.md").write_text("hidden")
    (corpus / "picture.png").write_bytes(b"\x89PNG")
    (corpus / "loop").symlink_to(corpus)
    (corpus / "dangling.md").symlink_to(corpus / "gone.md")
    report = run(corpus, tmp_path / "library", minilm)
    assert [(one.path.name, one.reason.split(":")[0]) for one in report.refused] == [
        ("dangling.md", "cannot be read (No such file or directory)"),
        ("empty.txt", "empty"),
        ("latin.md", "wrong encoding"),
    ]
    assert len(report.added) == 5


def test_duplicates_are_reported_with_what_was_kept(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    (corpus / "cards-copy.txt").write_text((corpus / "cards.txt").read_text())
    (corpus / "fees-2b.md").write_text((corpus / "fees-2.md").read_text() + "More.\n")
    report = run(corpus, tmp_path / "library", minilm)
    assert [(one.path.name, one.kept.name, one.reason) for one in report.duplicates] == [
        ("cards.txt", "cards-copy.txt", "same text"),
        ("fees-2b.md", "fees-2.md", "same id and version (fees@2)"),
    ]


@pytest.mark.parametrize("stage", ["reading", "embedding", "indexing"])
def test_a_run_that_breaks_off_leaves_the_old_generation_serving(
    corpus: Path, tmp_path: Path, minilm: MiniLM, stage: str
) -> None:
    def fail(name: str, _done: int, _total: int) -> None:
        if name == stage:
            raise KeyboardInterrupt

    folder = tmp_path / "library"
    old = run(corpus, folder, minilm).generation
    (corpus / "cards.txt").write_text("Wires cost $25.\n")
    with pytest.raises(KeyboardInterrupt):
        ingest([corpus], folder, minilm, Chunking(), fail)
    library = Library.open(folder, minilm)
    plan = SearchPlan()
    customer = frozenset({"customer"})
    hits = library.search("foreign transaction", on=date(2026, 11, 23), audiences=customer, plan=plan)
    assert library.generation == old
    assert any("Travel card" in hit.chunk.text for hit in hits)
    new = run(corpus, folder, minilm).generation
    hits = library.search("wires", on=date(2026, 11, 23), audiences=customer, plan=plan)
    assert library.generation == new != old
    assert "$25" in hits[0].chunk.text
    library.close()


def test_where_nothing_can_be_read_the_old_generation_goes_on(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    old = run(corpus, tmp_path / "library", minilm)
    empty = tmp_path / "empty"
    empty.mkdir()
    report = run(empty, tmp_path / "library", minilm)
    assert (report.generation, report.removed) == (old.generation, ())


def test_old_generations_leave_the_disk_and_three_stay(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    names = []
    for number in range(5):
        (corpus / "cards.txt").write_text(f"Card number {number}.\n")
        names.append(run(corpus, tmp_path / "library", minilm).generation)
    assert sorted(path.name for path in (tmp_path / "library" / "lexical").iterdir()) == names[2:]


def test_one_ingestion_at_a_time(corpus: Path, tmp_path: Path, minilm: MiniLM) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    other = sqlite3.connect(folder / "ingest.lock", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match="under way"):
        run(corpus, folder, minilm)
    other.close()
    assert run(corpus, folder, minilm).added


def test_a_version_ends_the_day_before_the_next_begins() -> None:
    first, second, tenth = (
        version("9", date(2026, 1, 1)),
        version("2", date(2025, 1, 1)),
        version("10", date(2026, 1, 1)),
    )
    ends = {one.version: one.effective_to for one in superseded([first, second, tenth])}
    assert ends == {"2": date(2025, 12, 31), "9": date(2025, 12, 31), "10": None}


def test_an_earlier_end_stays_as_stated() -> None:
    early = version("1", date(2025, 1, 1), date(2025, 3, 31))
    assert superseded([early, version("2", date(2026, 1, 1))])[0] == early
