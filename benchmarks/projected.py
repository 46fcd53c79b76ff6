"""An embedding that costs nothing: word pieces projected at random, for measuring everything but the model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import DIMENSIONS, MiniLM, rounded
from knowledge.spans import sentences

_PIECES = 4_096


class Projected:
    """Texts to the direction of the sum of their words' fixed random vectors; texts that share words are near.

    It bears the name of the model that it stands in for. With `asked` that model embeds what is searched for.
    """

    def __init__(self, model: MiniLM, *, asked: bool = False) -> None:
        self.name = model.name
        self._model = model
        self._asked = asked
        self._rows = np.random.default_rng(1).standard_normal((_PIECES, DIMENSIONS)).astype(np.float32)
        self.read_texts = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What is searched for."""
        if self._asked:
            return self._model.encode(texts)
        return np.stack([self._one(text) for text in texts]) if texts else np.empty((0, DIMENSIONS), np.float32)

    def read(self, window: str) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """A window and its sentences."""
        self.read_texts += 1
        spans = [self._one(window[begin:end]) for begin, end in sentences(window)]
        return self._one(window), rounded(np.array(spans, np.float32).reshape(-1, DIMENSIONS))

    def count_tokens(self, text: str) -> int:
        """As the model counts."""
        return self._model.count_tokens(text)

    def _one(self, text: str) -> NDArray[np.float32]:
        words = [sum(word.encode()) * 31 + len(word) for word in text.lower().split()] or [0]
        total = self._rows[np.array(words) % _PIECES].sum(axis=0)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-6), np.float32)
