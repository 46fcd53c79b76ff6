from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.embedding import MiniLM, load, published

SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]


def test_similarities_are_the_published_ones_within_two_hundredths(minilm: MiniLM) -> None:
    vectors = minilm.encode(SENTENCES)
    similar = vectors @ vectors.T
    found = [similar[0, 1], similar[0, 2], similar[1, 2]]
    assert found == pytest.approx([0.6660, 0.1046, 0.1411], abs=0.02)


def test_vectors_have_unit_length_and_keep_their_order(minilm: MiniLM) -> None:
    vectors = minilm.encode([*SENTENCES, SENTENCES[0]])
    assert vectors.shape == (4, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.array_equal(vectors[0], vectors[3])
    assert minilm.encode([]).shape == (0, 384)


def test_text_beyond_what_the_model_reads_makes_no_difference(minilm: MiniLM) -> None:
    long = "fee " * 300
    assert np.array_equal(minilm.encode([long]), minilm.encode([long + "wire " * 20_000]))


def test_langchain_is_given_plain_lists(minilm: MiniLM) -> None:
    assert minilm.embed_documents(SENTENCES)[1] == minilm.embed_query(SENTENCES[1])


def test_the_cache_stays_within_its_bound_and_serves_many_threads() -> None:
    package = published()
    graph = next((Path(__file__).resolve().parents[2] / ".data" / "models").glob("*.onnx"))
    small = MiniLM(graph, package / "tokenizer.json", cache=3)
    texts = [f"question {n % 5}" for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: small.encode([text])[0], texts))
    again = small.encode(texts)
    assert np.array_equal(np.stack(rows), again)
    assert len(small._cache) == 3


def test_threads_that_want_the_same_texts_share_the_work(minilm: MiniLM) -> None:
    class Counting(MiniLM):
        computed = 0

        def _compute(self, texts: list[str]) -> NDArray[np.float32]:
            self.computed += len(texts)
            return super()._compute(texts)

    counting = Counting(next(minilm.folder.glob(f"{minilm.name}*.onnx")), published() / "tokenizer.json")
    texts = [f"question {n}" for n in range(20)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(counting.encode, [texts] * 8))
    assert counting.computed == 20
    assert all(np.array_equal(one, found[0]) for one in found)


def test_recent_texts_are_kept_for_the_next_process(minilm: MiniLM, tmp_path: Path) -> None:
    file = tmp_path / "recent.npz"
    before = minilm.encode(["a sentence to keep", "and another: “quoted”"], lasting=True)
    minilm.encode([f"text {number}" for number in range(50)], lasting=True)
    minilm.keep(file)
    other = load(Path(__file__).resolve().parents[2] / ".data" / "models")
    assert other.recall(file) >= 2
    assert (other.encode(["a sentence to keep", "and another: “quoted”"]) == before).all()


def test_what_people_asked_is_written_nowhere(minilm: MiniLM, tmp_path: Path) -> None:
    minilm.encode([f"statement {number} of a document" for number in range(50)], lasting=True)
    minilm.encode(["Where is my zebra?"])
    minilm.keep(tmp_path / "known.npz")
    with np.load(tmp_path / "known.npz") as kept:
        told = kept["texts"].tobytes()
    assert b"statement 7 of a document" in told
    assert b"zebra" not in told


@pytest.mark.parametrize("content", [None, b"", b"torn", b"PK\x03\x04 torn"])
def test_a_file_that_cannot_be_recalled_is_left_alone(minilm: MiniLM, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "recent.npz"
    if content is not None:
        file.write_bytes(content)
    assert minilm.recall(file) == 0


def test_a_file_is_not_written_anew_for_a_few_texts(minilm: MiniLM, tmp_path: Path) -> None:
    minilm.keep(tmp_path / "first.npz")
    minilm.encode(["one new text"], lasting=True)
    minilm.keep(tmp_path / "second.npz")
    assert not (tmp_path / "second.npz").exists()


def test_each_sentence_of_a_window_has_a_vector_near_to_that_of_the_sentence_alone(minilm: MiniLM) -> None:
    said = [
        "A wire within the country costs $25, and one to another country costs $45 in every branch.",
        "Cards are blocked at once when they are lost, and a new one comes by mail within five days.",
    ]
    vector, spans = minilm.read("Guide > Various\n" + " ".join(said))
    assert spans.shape == (2, 384)
    assert np.abs(spans.astype(int)).max(axis=1).tolist() == [127, 127]
    assert vector == pytest.approx(minilm.encode(["Guide > Various\n" + " ".join(said)])[0])
    alone = minilm.encode(said)
    units = spans / np.linalg.norm(spans, axis=1, keepdims=True)
    assert ((alone @ units.T).argmax(axis=1) == [0, 1]).all()


def test_a_window_without_a_sentence_has_a_vector_all_the_same(minilm: MiniLM) -> None:
    vector, spans = minilm.read("Title\n")
    assert (vector.shape, spans.shape) == ((384,), (0, 384))
