"""An embedding model for tests: a text's vector is drawn from its hash, in no time; it may die."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Killed(BaseException):
    """What a kill is to the code under test: nothing catches it."""


class Embedder:
    """Remembers the texts it was given, and dies after so many."""

    def __init__(self, name: str = "drawn", *, dies_after: int = 1_000_000) -> None:
        self.name = name
        self.asked: list[str] = []
        self._left = dies_after

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        for text in texts:
            if self._left == 0:
                raise Killed
            self._left -= 1
            self.asked.append(text)
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") for text in texts]
        return np.stack([np.random.default_rng(seed).random(8, dtype=np.float32) for seed in seeds])

    def read(self, window: str) -> tuple[NDArray[np.float32], NDArray[np.int8] | None]:
        vector = self.encode([window])[0]
        return vector, (vector * 127).astype(np.int8)[None] if len(window) % 2 else None

    def count_tokens(self, text: str) -> int:
        return len(text.split())
