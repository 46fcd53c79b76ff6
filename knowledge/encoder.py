"""What an embedding model is to the library."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """Texts to unit vectors. Several threads may use one at the same time."""

    @property
    def name(self) -> str:
        """What the vectors are of; equal names make comparable vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), width), in the order of `texts`."""
        ...

    def read(self, window: str) -> tuple[NDArray[np.float32], NDArray[np.int8] | None]:
        """The unit vector of a window, and of each of its sentences (`spans.sentences`) where the model can tell."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many word pieces the model reads of a text."""
        ...
