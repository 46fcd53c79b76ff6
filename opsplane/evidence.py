"""What an answer may rest on: passages of documents and results of account tools, numbered within a turn."""

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Origin(StrEnum):
    """Where a piece of evidence came from."""

    PASSAGE = "passage"
    TOOL = "tool"


class Evidence(BaseModel):
    """One numbered source of a turn; the number is the citation mark in the answer.

    `text` is what was read, `sha256` its hash; `score` is the fused retrieval score and `cosine` the raw
    similarity of question and passage in [-1, 1] (both 0 for tool results).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    origin: Origin
    id: str
    document: str
    title: str
    section: str = ""
    version: str = ""
    kind: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = ""
    text: str
    sha256: str
    score: float = 0.0
    cosine: float = 0.0


class Retrieved(BaseModel):
    """Passages, best first and numbered from 1 on, and the one generation of the one index that all come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passages: tuple[Evidence, ...] = ()
    index: str = ""
    generation: str = ""
    unasked: str = ""  # why the store of vectors was not asked; then every vector was compared


class Sentence(BaseModel):
    """One sentence (or table row) of an answer and the numbers of the evidence that it cites."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    cites: tuple[int, ...] = ()
