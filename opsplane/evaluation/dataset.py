"""Golden questions: cases in YAML files, each with what a right answer holds."""

from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.errors import InvalidRelease


class Case(BaseModel):
    """One question. `facts` must all be in the answer, each a string or a list of accepted alternatives.

    `documents` are ids of documents (or tools) of which at least one must be cited; nothing of `forbidden` may be
    stated; `history` holds the customer's earlier questions of the same conversation. Case does not matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    as_: str = Field(alias="as", default="customer")
    history: tuple[str, ...] = ()
    question: str
    facts: tuple[str | tuple[str, ...], ...] = ()
    documents: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    expect: Literal["answer", "decline"] = "answer"


class Dataset(BaseModel):
    """Cases that were true on one day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    cases: tuple[Case, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [case.id for case in self.cases]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"cases named twice: {', '.join(sorted(repeated))}")
        return self


def load(path: Path) -> Dataset:
    """One file, or every YAML file of a folder as one set; raise `InvalidRelease` with file, line and field."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise InvalidRelease(f"{path}: no dataset (*.yaml) is there")
    sets = [yamlfile.read(one, Dataset) for one in files]
    if len({one.as_of for one in sets}) > 1:
        raise InvalidRelease(f"{path}: the files are true on different days (as_of)")
    return Dataset(as_of=sets[0].as_of, cases=tuple(case for one in sets for case in one.cases))
