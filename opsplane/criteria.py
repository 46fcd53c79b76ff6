"""What reviewers mark an answer by: criteria from 1 to 5 in one YAML file, and the score that marks come to."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.errors import InvalidRequest

FILE = Path(__file__).parent / "rubric.yaml"
LEAST, MOST = 1, 5
"""The worst mark and the best."""
OTHER_WORDS = frozenset({"verdict", "score", "comment", "corrected", "again", "reason", "since", "until"})
"""What /review understands already, and no criterion may be called."""

Words = Annotated[str, Field(min_length=1, max_length=200)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Criterion(_Value):
    """One thing that is marked: its name, the question that it asks, and what each mark means, worst first."""

    name: str = Field(pattern=r"^[a-z][a-z_]{1,39}$")
    asks: Words
    anchors: tuple[Words, Words, Words, Words, Words]


class Rubric(_Value):
    """Everything that is marked, in the order in which reviewers read it."""

    version: int = Field(ge=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _names(self) -> Self:
        if repeated := {name for name in self.names if self.names.count(name) > 1}:
            raise ValueError(f"criteria named twice: {', '.join(sorted(repeated))}")
        if taken := OTHER_WORDS & set(self.names):
            raise ValueError(f"/review means something else by: {', '.join(sorted(taken))}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What the criteria are called."""
        return tuple(one.name for one in self.criteria)

    def marks(self, given: Mapping[str, str]) -> dict[str, int]:
        """Marks as they were typed; raise `InvalidRequest` naming what is no criterion or no mark."""
        return {name: self._mark(name, value) for name, value in given.items()}

    def check(self, marks: Mapping[str, int]) -> None:
        """Raise `InvalidRequest` for marks that are not of this rubric."""
        self.marks({name: str(mark) for name, mark in marks.items()})

    def _mark(self, name: str, given: str) -> int:
        found = next((one for one in self.criteria if one.name == name), None)
        if found is None:
            raise InvalidRequest(f"{name[:40]}=… is no criterion. Criteria: {', '.join(self.names)}.")
        if given not in {str(mark) for mark in range(LEAST, MOST + 1)}:
            worst, best = (found.anchors[end].rstrip(".") for end in (0, -1))
            raise InvalidRequest(
                f"{name}={given[:40]}: a mark is a whole number from {LEAST} ({worst}) to {MOST} ({best})."
            )
        return int(given)


def score(marks: Mapping[str, int]) -> int | None:
    """What marks come to, from 0 to 100: their mean, 1 at 0 and 5 at 100, halves up; None without marks."""
    if not marks:
        return None
    gained, most = sum(marks.values()) - LEAST * len(marks), (MOST - LEAST) * len(marks)
    return (200 * gained + most) // (2 * most)


def load(path: Path = FILE) -> Rubric:
    """A rubric; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Rubric)


@cache
def rubric() -> Rubric:
    """The rubric of the house, read once."""
    return load()
