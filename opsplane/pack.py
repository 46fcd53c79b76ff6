"""Compliance packs: versioned rules in YAML, each with the rule behind it and its own test vectors."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile


class Rule(BaseModel):
    """One rule: any of `patterns` (case-insensitive regular expressions) fires unless one of `unless` also matches.

    `reads` says what is read: the customer's question or a sentence of the answer. A question rule declines with
    the reply named `reply`; an answer rule withholds the sentence. `fires` and `passes` are test vectors, proved
    when the pack is loaded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z]+(\.[a-z_]+)+$")
    title: str
    because: str  # citation of the law, regulation or bank policy behind it
    reads: Literal["question", "answer"]
    patterns: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    reply: str = ""
    fires: tuple[str, ...] = Field(min_length=1)
    passes: tuple[str, ...] = Field(min_length=1)

    def match(self, text: str) -> re.Match[str] | None:
        """The first match in `text`, or None."""
        if any(re.search(pattern, text, re.IGNORECASE) for pattern in self.unless):
            return None
        for pattern in self.patterns:
            if found := re.search(pattern, text, re.IGNORECASE):
                return found
        return None

    @model_validator(mode="after")
    def _prove(self) -> Self:
        for pattern in (*self.patterns, *self.unless):
            try:
                re.compile(pattern, re.IGNORECASE)
            except re.error as error:
                raise ValueError(f"rule {self.id}: the pattern {pattern!r} is not valid: {error}") from error
        for text in self.fires:
            if not self.match(text):
                raise ValueError(f"rule {self.id} should fire on its vector {text!r}")
        for text in self.passes:
            if self.match(text):
                raise ValueError(f"rule {self.id} should let its vector pass: {text!r}")
        if self.reads == "question" and not self.reply:
            raise ValueError(f"rule {self.id} reads questions and needs a reply")
        return self


class Pack(BaseModel):
    """A versioned set of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"rules named twice: {', '.join(sorted(repeated))}")
        return self

    @property
    def name(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.id} {self.version}"


class Exemplars(BaseModel):
    """Example questions in our own wording, from which the kind of a question is told by nearest neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    in_scope: tuple[str, ...] = Field(min_length=20)
    off_topic: tuple[str, ...] = Field(min_length=20)
    greeting: tuple[str, ...] = Field(min_length=3)
    thanks: tuple[str, ...] = Field(min_length=3)
    help: tuple[str, ...] = Field(min_length=3)
    person: tuple[str, ...] = Field(min_length=3)

    @property
    def name(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.id} {self.version}"

    @property
    def texts(self) -> tuple[str, ...]:
        """Every example."""
        return (*self.in_scope, *self.off_topic, *self.greeting, *self.thanks, *self.help, *self.person)


def load(path: Path) -> Pack:
    """Read a pack from YAML and prove its vectors; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Pack)


def load_exemplars(path: Path) -> Exemplars:
    """Read scope exemplars from YAML; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Exemplars)
