"""Whether a question is about the customer's own accounts, and which tool with which arguments would tell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.extractive import arguments
from opsplane import yamlfile

_CLAUSE = re.compile(
    r"\?+\s*|[.;]\s+(?=[A-Z])|,?\s+(?:and|also|plus|but)\s+(?:also\s+)?"
    r"(?=(?:what|how|when|where|which|who|can|could|do|does|is|are|will|would|why|tell|show|did|have|has|am|list)\b)",
    re.IGNORECASE,
)


class Rule(BaseModel):
    """One row of `intents.yaml`: the tool that tells, how it is asked for, and what tells against it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    asks: tuple[str, ...]
    unless: tuple[str, ...]


class Intents(BaseModel):
    """All of `intents.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: dict[str, str]
    general: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Wish:
    """A tool that the question asks for."""

    tool: str
    arguments: arguments.Arguments


@dataclass(frozen=True)
class _Test:
    tool: str
    asks: re.Pattern[str]
    unless: re.Pattern[str]


@lru_cache(maxsize=1)
def _tests() -> tuple[_Test, ...]:
    intents = yamlfile.read(Path(__file__).parent / "intents.yaml", Intents)

    def compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
        return re.compile("|".join(_expression(one, intents.sets) for one in patterns), re.IGNORECASE)

    return tuple(
        _Test(rule.tool, compiled(rule.asks), compiled((*intents.general, *rule.unless))) for rule in intents.rules
    )


def _expression(pattern: str, sets: Mapping[str, str]) -> str:
    """The regular expression of one pattern, its shorthand written out."""
    for name, words in sets.items():
        pattern = pattern.replace(f"{{{name}}}", words.replace("| ", "|").strip())
    spaced = re.sub(r" \.\.\. ", r"\\b.*\\b", pattern)
    spaced = re.sub(r" \.\.(?: \.\.)* ", _gap, spaced)
    start = "" if pattern.startswith("^") else r"\b"
    end = "" if pattern.endswith("$") else r"\b"
    return f"(?:{start}(?:{spaced}){end})"


def _gap(found: re.Match[str]) -> str:
    return rf"\b.{{0,{25 * found[0].count('..')}}}\b"


def read(question: str, today: date) -> tuple[list[Wish], str]:
    """The tools that a question asks for, and what of it is left for the documents."""
    wishes: list[Wish] = []
    rest: list[str] = []
    for clause in (part.strip() for part in _CLAUSE.split(question)):
        if not clause:
            continue
        wish = _wish(clause, today)
        if wish is None:
            rest.append(clause)
        elif wish not in wishes:
            wishes.append(wish)
    remaining = [clause for clause in rest if len(clause.split()) > 2]
    return wishes, " ".join(f"{clause}?" for clause in remaining) if wishes else question


def _wish(clause: str, today: date) -> Wish | None:
    for test in _tests():
        if test.asks.search(clause) and not test.unless.search(clause):
            return Wish(test.tool, arguments.read(test.tool, clause, today))
    return None
