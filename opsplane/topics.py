"""What a question is about: the topic whose examples are nearest, out of a versioned file."""

from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from opsplane import yamlfile
from opsplane.guardrails.scope import Encode

FILE = Path(__file__).parent / "topics.yaml"
OTHER = "other"
"""The topic of what is near no example."""
_NEIGHBOURS = 3
_LONGEST = 2_000
"""Characters of a question that are read; the encoder reads fewer."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,23}$")]
Example = Annotated[str, Field(min_length=3, max_length=200)]


class Examples(BaseModel):
    """The file: example questions by topic, and the mean cosine below which a question is about something else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    floor: float = Field(ge=0, le=1)
    topics: dict[Name, Annotated[tuple[Example, ...], Field(min_length=_NEIGHBOURS, max_length=100)]] = Field(
        min_length=2, max_length=18
    )

    @property
    def texts(self) -> tuple[str, ...]:
        """All examples, topic by topic."""
        return tuple(text for texts in self.topics.values() for text in texts)


def load(path: Path = FILE) -> Examples:
    """The examples; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Examples)


class Topics:
    """Tells topics by nearest examples. `encode` maps texts to unit vectors, float32 of shape (n, d).

    The first question embeds the examples (a second or so, once); after that one costs its embedding, which the turn
    has made already.
    """

    def __init__(self, encode: Encode, examples: Examples) -> None:
        self.examples = examples
        self._encode = encode

    def learn(self) -> None:
        """Embed the examples ahead of the first question."""
        _ = self._known

    def of(self, text: str) -> str:
        """The topic of a question, or `OTHER`."""
        if not text.strip():
            return OTHER
        name, nearness = self.nearest(text)
        return name if nearness >= self.examples.floor else OTHER

    def nearest(self, text: str) -> tuple[str, float]:
        """The nearest topic, whatever the floor, and the mean cosine to its three nearest examples."""
        cosines = self._known @ self._encode([text[:_LONGEST]])[0]
        best, begin = (OTHER, -1.0), 0
        for name, texts in self.examples.topics.items():
            nearest = np.partition(cosines[begin : begin + len(texts)], -_NEIGHBOURS)[-_NEIGHBOURS:]
            best = max(best, (name, float(nearest.mean())), key=lambda one: one[1])
            begin += len(texts)
        return best

    @cached_property
    def _known(self) -> NDArray[np.float32]:
        """The examples as unit vectors, one row each; made twice at worst where two ask at once, and alike."""
        return self._encode(self.examples.texts)
