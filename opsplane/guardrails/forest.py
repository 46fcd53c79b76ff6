"""Decision trees as plain arrays, so that a trained forest needs numpy and nothing else."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAF = -1


class Forest(NamedTuple):
    """All trees one behind the other; a node is a place in the arrays, a leaf has the feature -1."""

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[np.generic]], name: str) -> "Forest":
        """The forest stored under `name`; KeyError where a part is missing."""
        return cls(*(arrays[f"{name}_{field}"] for field in cls._fields))  # type: ignore[arg-type]

    def write(self, name: str) -> dict[str, NDArray[np.generic]]:
        """The arrays under the names that `read` looks for."""
        return {f"{name}_{field}": array for field, array in self._asdict().items()}

    def chance(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean value of the leaves that each row falls into; `rows` of shape (n, features)."""
        nodes = np.broadcast_to(self.roots, (len(rows), len(self.roots))).astype(np.int64)
        while True:
            feature = self.feature[nodes]
            inner = feature != _LEAF
            if not inner.any():
                return np.asarray(self.value[nodes].mean(axis=1, dtype=np.float64))
            seen = np.take_along_axis(rows, np.maximum(feature, 0).astype(np.int64), axis=1)
            below = np.where(seen <= self.threshold[nodes], self.left[nodes], self.right[nodes])
            nodes = np.where(inner, below, nodes)
