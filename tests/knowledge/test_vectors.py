import hashlib
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.embedding import MiniLM
from knowledge.spans import sentences
from knowledge.vectors import FLUSH, Embedded, Row, embed_here, pack, run_here, unpack
from tests.embedder import Embedder, Killed

ROWS = [Row.of(f"text number {number} " + "long " * (number % 9)) for number in range(300)]


class Shelf:
    """Keeps what it is given, by hash."""

    def __init__(self) -> None:
        self.kept: dict[str, Embedded] = {}
        self.batches: list[int] = []

    def store(self, batch: object) -> None:
        assert isinstance(batch, list)
        self.batches.append(len(batch))
        self.kept |= {item.sha256: item for item in batch}


def test_every_text_is_embedded_once_and_stored_64_at_a_time() -> None:
    model, shelf, told = Embedder(), Shelf(), list[tuple[int, int]]()
    assert run_here([*ROWS, *ROWS[:9]], model, shelf.store, lambda done, total: told.append((done, total))) == 300
    assert shelf.kept.keys() == {row.sha256 for row in ROWS}
    assert sorted(model.asked) == sorted(row.text for row in ROWS)
    assert shelf.batches == [64, 64, 64, 64, 44]
    assert told == [(0, 300), (64, 300), (128, 300), (192, 300), (256, 300), (300, 300)]


def test_the_vectors_are_those_of_the_model_alone(minilm: MiniLM) -> None:
    rows = ROWS[:12]
    found = {item.sha256: item.vector for item in embed_here(rows, minilm, threads=3)}
    assert all(np.array_equal(found[row.sha256], minilm.encode([row.text])[0]) for row in rows)


def test_sentences_are_embedded_in_the_same_pass(minilm: MiniLM) -> None:
    text = (
        "A fee of $35 is due for each item paid. It is not due for items that are returned. Nobody pays it twice a day."
    )
    (item,) = embed_here([Row.of(text)], minilm)
    assert item.spans is not None
    assert item.spans.shape == (len(sentences(text)), 384)


def test_the_longest_texts_come_first() -> None:
    order = [item.sha256 for item in embed_here(ROWS, Embedder(), threads=1)]
    lengths = {row.sha256: len(row.text) for row in ROWS}
    assert [lengths[sha] for sha in order] == sorted(lengths.values(), reverse=True)


def test_the_cores_work_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)

    class Meets(Embedder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            meeting.wait()
            return super().encode(texts)

    assert len(list(embed_here(ROWS[:8], Meets(), threads=2))) == 8


@pytest.mark.parametrize("dies_after", [0, 1, 63, 64, 65, 200, 299])
def test_a_run_that_breaks_off_keeps_what_was_stored_and_goes_on_from_there(dies_after: int) -> None:
    shelf, second = Shelf(), Embedder()
    with pytest.raises(Killed):
        run_here(ROWS, Embedder(dies_after=dies_after), shelf.store, lambda done, total: None, threads=1)
    assert dies_after - len(shelf.kept) < FLUSH
    left = [row for row in ROWS if row.sha256 not in shelf.kept]
    assert run_here(left, second, shelf.store, lambda done, total: None) == len(left) == len(second.asked)
    assert shelf.kept.keys() == {row.sha256 for row in ROWS}


def test_a_store_that_fails_ends_the_run_at_once() -> None:
    def full(batch: object) -> None:
        raise OSError("no space left")

    model = Embedder()
    with pytest.raises(OSError, match="no space"):
        run_here([Row.of(str(n)) for n in range(5_000)], model, full, lambda done, total: None)
    assert len(model.asked) < 1_000


def test_nothing_to_do_is_done_at_once() -> None:
    shelf, told = Shelf(), list[tuple[int, int]]()
    assert run_here([], Embedder(), shelf.store, lambda done, total: told.append((done, total))) == 0
    assert (told, shelf.batches) == ([(0, 0)], [])


def _items() -> list[Embedded]:
    vectors = np.arange(24, dtype=np.float32).reshape(3, 8)
    spans = np.arange(-20, 20, dtype=np.int8).reshape(5, 8)
    return [
        Embedded("a" * 64, vectors[0], spans[:2]),
        Embedded("b" * 64, vectors[1]),
        Embedded("c" * 64, vectors[2], spans[2:]),
    ]


def test_a_file_gives_back_vectors_and_the_spans_where_there_are_any() -> None:
    back = unpack(pack(_items(), "m"), "m")
    assert back is not None
    for item, was in zip(back, _items(), strict=True):
        assert item.sha256 == was.sha256
        assert np.array_equal(item.vector, was.vector)
        assert (item.spans is None) == (was.spans is None)
        assert item.spans is None or was.spans is None or np.array_equal(item.spans, was.spans)


def test_a_file_of_another_model_is_not_taken() -> None:
    assert unpack(pack(_items(), "m"), "another") is None


def test_a_file_torn_or_changed_anywhere_is_not_taken() -> None:
    data = pack(_items(), "m")
    assert all(unpack(data[:end], "m") is None for end in range(len(data)))
    for place in range(len(data)):
        assert unpack(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "m") is None


def test_a_file_that_is_sealed_but_says_nonsense_is_not_taken() -> None:
    for told in (b"", b"{}", b'{"model":"m","width":8,"hashes":["a"],"spans":[null]}\n', b"[1]\n" + b"x" * 40):
        assert unpack(hashlib.sha256(told).hexdigest().encode() + b"\n" + told, "m") is None
