"""What a judge is asked: criteria with what each grade means, and the words around them. One versioned file each."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile

FOLDER = Path(__file__).parent / "judges"
LEAST, MOST = 1, 5
"""The scale on which a criterion is graded."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
Part = Literal[
    "question", "history", "outcome", "sources", "reference", "facts", "forbidden", "answer", "first", "second"
]
"""What of a case and its answer a judge can be shown."""
_NEEDED: dict[str, frozenset[str]] = {
    "pointwise": frozenset({"question", "answer"}),
    "pairwise": frozenset({"question", "first", "second"}),
}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Criterion(_Value):
    """One thing that is graded: what is asked, and in words what each grade from 1 to 5 means.

    Two answers are compared by a criterion, not graded: there it has no anchors.
    """

    name: Name
    asks: str = Field(min_length=10)
    anchors: tuple[str, ...] = ()
    weight: float = Field(default=1.0, gt=0, le=100)

    def told(self) -> str:
        """As the judge reads it."""
        grades = (f"  {grade}: {words}" for grade, words in enumerate(self.anchors, LEAST))
        return "\n".join([f"- {self.name}: {self.asks.strip()}", *grades])


class Block(_Value):
    """One piece of what is judged, under a title of its own; what is longer than `characters` is cut."""

    name: Part
    title: str = Field(min_length=3)
    characters: int = Field(default=6_000, ge=200, le=20_000)


class Rubric(_Value):
    """A judge's prompt. `system` names the criteria by `$criteria`.

    `ask` stands after what is judged, `$check` for the word that the judge repeats and `$form` for the form of its
    reply.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,40}$")
    version: str = Field(min_length=1)
    kind: Literal["pointwise", "pairwise"]
    system: str = Field(min_length=40)
    data: tuple[Block, ...] = Field(min_length=2)
    ask: str = Field(min_length=20)
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for given, what in (([one.name for one in self.criteria], "criteria"), ([b.name for b in self.data], "data")):
            if len(set(given)) < len(given):
                raise ValueError(f"{what}: a name stands there twice")
        if missing := sorted(_NEEDED[self.kind] - {one.name for one in self.data}):
            raise ValueError(f"data: {', '.join(missing)} must be shown to a {self.kind} judge")
        wanted = MOST - LEAST + 1 if self.kind == "pointwise" else 0
        if wrong := [one.name for one in self.criteria if len(one.anchors) != wanted]:
            raise ValueError(f"criteria: {wrong[0]}: {wanted} anchors are expected")
        _uses(self.system, "system", {"criteria"})
        _uses(self.ask, "ask", {"check", "form"})
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that it says."""
        told = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def form(self) -> str:
        """The form of the judge's reply, as it is shown to it."""
        if self.kind == "pairwise":
            return '{"check": "…", "reason": "at most 40 words", "preferred": "first" or "second" or "tie"}'
        grades = ", ".join(f'"{one.name}": {LEAST} to {MOST}' for one in self.criteria)
        return f'{{"check": "…", "reason": "at most 40 words", "scores": {{{grades}}}}}'

    def written(self, check: str) -> tuple[str, str]:
        """The system text and the closing request, for a judge that is to repeat `check`."""
        criteria = "\n".join(one.told() for one in self.criteria)
        return (
            Template(self.system).substitute(criteria=criteria),
            Template(self.ask).substitute(check=check, form=self.form),
        )


def _uses(text: str, field: str, names: set[str]) -> None:
    template = Template(text)
    if not template.is_valid():
        raise ValueError(f"{field}: a $ that names nothing; write $$ for the sign itself")
    if set(template.get_identifiers()) != names:
        raise ValueError(f"{field}: it must name {' and '.join(f'${one}' for one in sorted(names))}, and nothing else")


def load(path: Path) -> Rubric:
    """One rubric; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Rubric)


def load_all(folder: Path = FOLDER) -> dict[str, Rubric]:
    """The rubrics of a folder by id; raise `InvalidRelease` naming every file that cannot be used."""
    return yamlfile.read_all(folder, load)
