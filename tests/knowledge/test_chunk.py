from datetime import date

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


def test_a_window_repeats_the_end_of_the_one_before_only_where_that_is_asked_for(minilm: MiniLM) -> None:
    text = " ".join(f"Sentence number {n} is here." for n in range(60))
    for overlap, repeats in ((0.0, False), (0.2, True)):
        chunking = Chunking(overlap=overlap)
        (chunk, *_) = cut(document((("S",), text)), chunking, minilm.count_tokens)
        first, second = (window.split("\n")[1] for window in windows(chunk, chunking, minilm.count_tokens)[:2])
        assert (second.split(". ")[0] in first) is repeats


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


def test_an_edit_changes_few_windows_and_few_ids_wherever_it_is() -> None:
    texts = [
        f"({chr(97 + n % 26)}) Rule {n}. " + f"The bank shall do the {n}th thing well. " * (3 + n % 5)
        for n in range(60)
    ]
    chunking = Chunking(max_tokens=120)
    before = cut(document((("S",), "\n\n".join(texts))), chunking, words)
    told = {window for chunk in before for window in windows(chunk, chunking, words)}
    for place in range(0, 60, 7):
        edited = [*texts[:place], f"{texts[place]} One sentence more.", *texts[place + 1 :]]
        after = cut(document((("S",), "\n\n".join(edited))), chunking, words)
        assert len({window for chunk in after for window in windows(chunk, chunking, words)} - told) <= 3
        assert len({chunk.id for chunk in after} - {chunk.id for chunk in before}) <= 2


def test_a_date_is_in_no_window() -> None:
    made = document((("S",), "Text. " * 40))
    later = made.model_copy(update={"effective_from": date(2027, 1, 1), "version": "2"})
    first, second = ([windows(c, Chunking(), words) for c in cut(one, Chunking(), words)] for one in (made, later))
    assert first == second


def test_a_list_stays_with_the_words_that_open_it() -> None:
    rule = "(1) General. " + "word " * 30
    opened = "(2) Limits. " + "word " * 30 + "unless:\n\n(i) it is so; and\n\n(ii) it is not otherwise."
    chunks = cut(document((("S",), f"{rule}\n\n{opened}")), Chunking(max_tokens=64), words)
    assert [chunk.text for chunk in chunks] == [rule.strip(), opened]


def test_a_chunk_bears_the_page_on_which_its_section_begins() -> None:
    made = document((("A",), "First. " * 50), (("B",), "Second. " * 50))
    paged = tuple(one.model_copy(update={"page": number}) for number, one in enumerate(made.sections, 3))
    chunks = cut(made.model_copy(update={"sections": paged}), Chunking(min_tokens=0), words)
    assert [chunk.page for chunk in chunks] == [3, 4]


def test_many_equal_lines_make_full_chunks() -> None:
    chunks = cut(document(((), "same line\n" * 20_000)), Chunking(max_tokens=64), words)
    assert sum(words(chunk.text) for chunk in chunks) == 40_000
    assert len(chunks) < 2_500


def test_the_id_of_a_chunk_changes_with_its_metadata_and_its_hash_does_not() -> None:
    made = document(((), "Text."))
    (before,) = cut(made, Chunking(), words)
    (after,) = cut(made.model_copy(update={"audience": "staff"}), Chunking(), words)
    assert before.id != after.id
    assert before.sha256 == after.sha256


def test_a_chunk_size_that_no_model_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="1024"):
        Chunking(max_tokens=2000)
