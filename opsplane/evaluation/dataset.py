"""Golden questions: cases in YAML files, each with what a right answer holds."""

import hashlib
import json
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.errors import InvalidRelease


class Case(BaseModel):
    """One question. `facts` must all be in the answer, each a string or a list of accepted alternatives.

    `documents` are ids of documents (or tools) of which at least one must be cited; nothing of `forbidden` may be
    stated; `history` holds the customer's earlier questions of the same conversation, `as` the sign-in name of the
    persona that asks. `reference` is a whole answer as a person of the bank would give it; `source` the exchange that
    the case was made of. Case does not matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str
    kind: str
    as_: str = Field(alias="as", default="customer")
    history: tuple[str, ...] = ()
    question: str
    facts: tuple[str | tuple[str, ...], ...] = ()
    documents: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    reference: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    expect: Literal["answer", "decline"] = "answer"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that it says."""
        return _digest(self.model_dump(mode="json"))


class Dataset(BaseModel):
    """Cases that were true on one day; `name` is what people call the set, and is not part of its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    as_of: date
    cases: tuple[Case, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [case.id for case in self.cases]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"cases named twice: {', '.join(sorted(repeated))}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the day and the cases, whatever their order and the files they stand in."""
        return _digest({"as_of": self.as_of.isoformat(), "cases": sorted(case.digest for case in self.cases)})


def _digest(value: object) -> str:
    told = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(told).hexdigest()


def load(path: Path) -> Dataset:
    """One file, or every YAML file of a folder as one set; raise `InvalidRelease` with file, line and field."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise InvalidRelease(f"{path}: no dataset (*.yaml) is there")
    sets = [yamlfile.read(one, Dataset) for one in files]
    if len({one.as_of for one in sets}) > 1:
        raise InvalidRelease(f"{path}: the files are true on different days (as_of)")
    return Dataset(name=path.stem, as_of=sets[0].as_of, cases=tuple(case for one in sets for case in one.cases))
