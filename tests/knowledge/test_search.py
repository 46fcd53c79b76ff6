"""A search put together: parts of a question, neighbours as one passage, what a hit tells."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from knowledge.embedding import MiniLM
from knowledge.library import Library, Reader, SearchPlan
from knowledge.search import Hit
from tests.knowledge.conftest import Ingest

READER = Reader(date(2026, 11, 23), frozenset({"customer"}))
LONG = " ".join(
    f"Rule {number} of the bank says how orders of that number are written down and kept." for number in range(40)
)


@pytest.fixture
def library(run: Ingest, corpus: Path, tmp_path: Path, minilm: MiniLM) -> Iterator[Library]:
    price, time = "A wire abroad costs $45 for each order.", "Orders are sent before 4 p.m."
    (corpus / "wires.md").write_text(f"# Wires\n## Price\n{price}\n\n{LONG}\n\n## Time\n{time}\n")
    (corpus / "lockers.md").write_text("# Lockers\n## Price\nA small locker costs $60 a year.\n")
    run()
    with closing(Library(tmp_path / "library", {minilm.name: minilm})) as library:
        yield library


def hits(library: Library, question: str, **plan: object) -> tuple[Hit, ...]:
    return library.search(question, READER, SearchPlan(**plan)).hits


def test_both_sides_of_a_comparison_are_among_the_first_passages(library: Library) -> None:
    found = hits(library, "What does a wire abroad cost compared with a small locker?", passages=2)
    assert {hit.chunk.document_id for hit in found} == {"wires", "lockers"}


def test_neighbours_are_one_passage_as_far_as_the_size_allows(library: Library) -> None:
    alone, *_ = hits(library, "What does a wire abroad cost?", passage_characters=0)
    joined, *_ = hits(library, "What does a wire abroad cost?", passage_characters=8_000)
    assert (len(alone.parts), len(joined.parts) > 1) == (1, True)
    assert alone.chunk.id == joined.chunk.id
    assert all(part.startswith("wires@1#") for part in joined.parts)
    assert "$45" in joined.chunk.text
    assert "before 4 p.m." in joined.chunk.text
    assert len(joined.chunk.text) > len(alone.chunk.text)


def test_headings_that_only_some_neighbours_have_stand_in_the_text(library: Library) -> None:
    joined, *_ = hits(library, "What does a wire abroad cost?", passage_characters=8_000)
    assert (joined.chunk.section, "## Time" in joined.chunk.text) == ((), True)
    assert (
        joined.chunk.sha256
        != library.search("What does a wire abroad cost?", READER, SearchPlan()).hits[-1].chunk.sha256
    )


def test_a_question_may_be_searched_for_as_it_is(library: Library) -> None:
    plain = {"decompose": False, "familiar": 0.0, "passage_characters": 0}
    assert "$60" in hits(library, "What is the price of a locker?", **plain)[0].chunk.text


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_words_alone_and_meaning_alone_find_it_too(library: Library, weight: float) -> None:
    assert "$60" in hits(library, "What does a small locker cost?", dense_weight=weight)[0].chunk.text
