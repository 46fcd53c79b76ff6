"""What may be read and is nearest, against a comparison with every vector."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import generation, shelf
from knowledge.base import Bases
from knowledge.chunk import Chunk
from knowledge.document import Kind
from knowledge.embedding import rounded
from knowledge.generation import Contents, Generation
from knowledge.shelf import Shelf
from knowledge.vectors import Embedded

ON = date(2026, 6, 1)
CUSTOMER = frozenset({"customer"})
DRAW = np.random.default_rng(7)
VECTORS = DRAW.standard_normal((600, 384)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def chunk(number: int) -> Chunk:
    """Every third is over, every fifth is for the staff."""
    return Chunk(
        id=f"c{number}",
        document_id=f"d{number % 10}",
        title="T",
        section=(),
        kind=Kind.FEES,
        audience="staff" if number % 5 == 0 else "customer",
        version="1",
        effective_from=date(2025, 1, 1),
        effective_to=date(2025, 12, 31) if number % 3 == 0 else None,
        owner="",
        source="d.md",
        text=f"Text {number}",
        sha256="0",
    )


def load(names: Sequence[str]) -> list[Embedded]:
    """Each window has as many sentences as its number modulo three, near to one of the last vectors."""
    numbers = [int(name.removeprefix("w")) for name in names]
    spans = {n: rounded(np.array([VECTORS[599 - n % 50]] * (n % 3), np.float32).reshape(-1, 384)) for n in numbers}
    return [Embedded(f"w{number}", VECTORS[number], spans[number]) for number in numbers]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    """250 chunks of two windows each; the last hundred vectors came after the base."""
    folder = tmp_path_factory.mktemp("library")
    names = [f"w{number}" for number in range(500)]
    chunks, windows = [chunk(number) for number in range(250)], [(names[2 * n], names[2 * n + 1]) for n in range(250)]
    with closing(Bases(folder)) as bases:
        base = bases.write("base-1", names[:400], load)
        generation.write(folder / "g1", "index-1", base, Contents(chunks, windows, [["text"]] * 250, load(names[400:])))
        yield generation.read(folder / "g1", base)


def expected(vector: NDArray[np.float32], readable: list[int], count: int) -> list[int]:
    best = {number: max(VECTORS[2 * number] @ vector, VECTORS[2 * number + 1] @ vector) for number in readable}
    return sorted(best, key=lambda number: -best[number])[:count]


def test_what_is_over_or_for_others_or_withdrawn_is_not_readable(opened: Generation) -> None:
    one = shelf.shelf(opened, ON, CUSTOMER, frozenset({"d1@1", "d2"}))
    readable = set(np.flatnonzero(one.readable).tolist())
    assert readable == {n for n in range(250) if n % 3 and n % 5 and n % 10 not in (1, 2)}


@pytest.mark.parametrize("exact", [0, 10_000])
def test_the_nearest_are_those_of_a_comparison_with_every_vector(opened: Generation, exact: int) -> None:
    one = replace(shelf.shelf(opened, ON, CUSTOMER), exact=exact)
    readable = np.flatnonzero(one.readable).tolist()
    for vector in VECTORS[500:520]:
        assert one.nearest(vector, 10).chunks.tolist()[:5] == expected(vector, readable, 5)


def test_the_cosine_of_every_window_is_told(opened: Generation) -> None:
    vector = VECTORS[500]
    cosines, starts = opened.cosines(vector, np.array([3, 249, 0]))
    assert cosines == pytest.approx([VECTORS[2 * n + k] @ vector for n in (3, 249, 0) for k in (0, 1)], abs=1e-6)
    assert starts.tolist() == [0, 2, 4]
    assert len(opened.cosines(vector, np.array([], np.int64))[0]) == 0


def test_the_cosine_of_every_sentence_is_told_wherever_it_is_kept(opened: Generation) -> None:
    vector = VECTORS[580]
    positions = np.array([0, 10, 120, 249, 200])
    cosines, begins = opened.sentences(vector, positions)
    windows = [window for position in positions for window in (2 * position, 2 * position + 1)]
    wanted = [VECTORS[599 - window % 50] @ vector for window in windows for _ in range(window % 3)]
    assert cosines == pytest.approx(wanted, abs=0.01)
    counts = [(2 * position) % 3 + (2 * position + 1) % 3 for position in positions]
    assert begins.tolist() == [0, *np.cumsum(counts)[:-1].tolist()]


def test_where_nothing_is_readable_nothing_is_near(opened: Generation) -> None:
    one = Shelf(opened, np.zeros(250, np.bool_))
    assert one.nearest(VECTORS[500], 5).chunks.tolist() == []


def test_a_store_that_is_gone_is_compared_vector_by_vector(tmp_path: Path) -> None:
    with closing(Bases(tmp_path)) as bases:
        base = bases.write("base-2", [f"w{number}" for number in range(500)], load)
        windows = [(f"w{2 * n}", f"w{2 * n + 1}") for n in range(250)]
        contents = Contents([chunk(n) for n in range(250)], windows, [["text"]] * 250, [])
        generation.write(tmp_path / "g2", "index-1", base, contents)
        read = generation.read(tmp_path / "g2", base)
        bases.discard("base-2")
        one = replace(shelf.shelf(read, ON, CUSTOMER), exact=0)
        readable = np.flatnonzero(one.readable).tolist()
        assert one.nearest(VECTORS[500], 5).chunks.tolist() == expected(VECTORS[500], readable, 5)
