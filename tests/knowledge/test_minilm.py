from math import erf, sqrt
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from knowledge import minilm as network
from knowledge.embedding import MiniLM, published

TEXTS = [
    "What is the overdraft fee?",
    "The overdraft fee is $15 for each item that the bank pays into overdraft.",
    "Cut-off times for outgoing wires are given in Eastern time, Monday to Friday.",
]
Array = NDArray[np.float64]


def reference(weights: dict[str, Array], ids: list[int]) -> Array:
    """The forward pass of one text in plain numpy."""

    def linear(x: Array, name: str) -> Array:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    part = {
        name: weights[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
        if name != "word"
    }
    x = weights["embeddings.word_embeddings.weight"][ids] + part["position"][: len(ids)] + part["token_type"][0]
    x = norm(x, "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{n}" for n in range(6)):
        q, k, v = (
            linear(x, f"{layer}.attention.self.{n}").reshape(-1, 12, 32).transpose(1, 0, 2)
            for n in ("query", "key", "value")
        )
        scores = np.exp(q @ k.transpose(0, 2, 1) / sqrt(32))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, 384)
        x = norm(x + linear(mixed, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        wide = linear(x, f"{layer}.intermediate.dense")
        wide = wide * (1 + np.vectorize(erf)(wide / sqrt(2))) / 2
        x = norm(x + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_the_graph_computes_what_the_published_model_computes(minilm: MiniLM) -> None:
    package = published()
    weights = network.weights(package / "model.safetensors")
    session = onnxruntime.InferenceSession(network.graph(weights).SerializeToString())
    tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    rows = [tokenizer.encode(text).ids for text in TEXTS]
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows])
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    exact, states = session.run(["embedding", "states"], {"ids": ids, "mask": mask})
    means = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    assert means / np.linalg.norm(means, axis=1, keepdims=True) == pytest.approx(exact, abs=1e-5)
    wide = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    assert np.allclose(exact, [reference(wide, row) for row in rows], atol=1e-5)
    assert (exact * minilm.encode(TEXTS)).sum(1).min() >= 0.985


def test_other_weights_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.safetensors"
    other.write_bytes(b"\x00" * 16)
    with pytest.raises(network.WrongWeights, match=r"model\.safetensors: SHA-256 is 374708"):
        network.weights(other)
