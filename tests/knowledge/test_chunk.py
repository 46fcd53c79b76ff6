from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunk import Chunking, cut, windows
from knowledge.document import Document, Section
from knowledge.embedding import MAX_TOKENS, MiniLM

ROWS = "\n".join(f"| Service {n} | ${n}.00 |" for n in range(200))
TABLE = f"| Service | Fee |\n|---|---|\n{ROWS}"


def words(text: str) -> int:
    return len(text.split())


def document(*sections: tuple[tuple[str, ...], str]) -> Document:
    made = tuple(Section(path=path, text=text) for path, text in sections)
    return Document(id="d", title="Title", source="d.md", sections=made, sha256="0", effective_from=date(2026, 1, 1))


texts = st.text(alphabet=st.sampled_from("ab c.\n|-é"), min_size=1, max_size=600)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=5))
def test_no_chunk_is_too_large_and_no_word_is_lost(parts: list[str]) -> None:
    made = document(*((("S", str(n)), text.replace("|", "")) for n, text in enumerate(parts)))
    chunks = cut(made, Chunking(max_tokens=64, min_tokens=16), words)
    assert all(words(chunk.text) <= 64 for chunk in chunks)
    found = {word for chunk in chunks for word in chunk.text.split()}
    assert {word for section in made.sections for word in section.text.split()} <= found


@settings(max_examples=25, deadline=None)
@given(texts)
def test_equal_documents_have_equal_chunks_with_unique_ids(text: str) -> None:
    first, second = (cut(document(((), text)), Chunking(), words) for _ in range(2))
    assert first == second
    assert len({chunk.id for chunk in first}) == len(first)


def test_a_long_section_overlaps_by_ten_to_twenty_percent() -> None:
    text = " ".join(f"Sentence number {n} has six words." for n in range(200))
    chunks = cut(document((("S",), text)), Chunking(max_tokens=256), words)
    for before, after in pairwise(chunks):
        shared = [part for part in after.text.split(". ") if part in before.text]
        assert 0.1 <= 6 * len(shared) / 256 <= 0.2


def test_small_neighbours_share_a_chunk_under_their_common_heading() -> None:
    chunks = cut(
        document((("Fees", "Wires"), "Out $25."), (("Fees", "Cards"), "Free."), (("Help",), "Call us. " * 40)),
        Chunking(max_tokens=90, min_tokens=10),
        words,
    )
    assert [chunk.section for chunk in chunks] == [("Fees",), ("Help",)]
    assert chunks[0].text == "## Wires\n\nOut $25.\n\n## Cards\n\nFree."


def test_every_part_of_a_table_begins_with_its_header() -> None:
    chunks = cut(document((("Fees",), TABLE)), Chunking(max_tokens=128), words)
    assert len(chunks) > 1
    assert all(chunk.text.startswith("| Service | Fee |\n|---|---|\n| Service ") for chunk in chunks)
    assert all(any(row in chunk.text for chunk in chunks) for row in ROWS.split("\n"))


def test_the_model_reads_every_window_whole(minilm: MiniLM) -> None:
    long = "Long title " * 60
    made = document((("S" * 300,), TABLE), (("T",), "word " * 900 + "x" * 3000)).model_copy(update={"title": long})
    chunking = Chunking(max_tokens=1024)
    for chunk in cut(made, chunking, minilm.count_tokens):
        assert minilm.count_tokens(chunk.text) <= 1024
        for window in windows(chunk, chunking, minilm.count_tokens):
            assert minilm.count_tokens(window) + 2 <= MAX_TOKENS


def test_a_window_names_title_and_section(minilm: MiniLM) -> None:
    (chunk,) = cut(document((("Fees", "Wires"), "Out $25.")), Chunking(), minilm.count_tokens)
    assert windows(chunk, Chunking(), minilm.count_tokens) == ["Title > Fees > Wires\nOut $25."]


def test_the_id_of_a_chunk_changes_with_its_metadata_and_its_hash_does_not() -> None:
    made = document(((), "Text."))
    (before,) = cut(made, Chunking(), words)
    (after,) = cut(made.model_copy(update={"audience": "staff"}), Chunking(), words)
    assert before.id != after.id
    assert before.sha256 == after.sha256


def test_a_chunk_size_that_no_model_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="1024"):
        Chunking(max_tokens=2000)
