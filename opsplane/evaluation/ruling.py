"""Reading what a judge wrote. It must be one JSON object of the form that was asked for; anything else is no grade."""

import json
import re
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from opsplane.evaluation.rubric import LEAST, MOST, Rubric

LONGEST = 8_000
"""Characters of a reply, beyond which it is not read."""
Side = Literal["first", "second", "tie"]
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
Ruling = TypeVar("Ruling", "Grades", "Preferred")


class Reason(StrEnum):
    """Why a judge gave nothing that counts; the code goes on the record."""

    EMPTY = "empty"  # there is no answer to judge, or the judge said nothing
    TIMEOUT = "timeout"
    FAILED = "failed"  # its provider raised an error
    BLOCKED = "blocked"  # its provider, or the model, refused
    CUT = "cut"  # it ran into its limit of tokens
    HUGE = "huge"
    PROSE = "prose"  # no JSON object, or words around it
    SEVERAL = "several"  # more than one
    SCHEMA = "schema"  # something missing, unknown or of the wrong type: a grade in words, a NaN
    SCALE = "scale"  # a grade that the scale does not have
    CHECK = "check"  # without the check word: it may have been copied out of what is judged
    NO_CASE = "no_case"  # only a case could tell whether turning the question away was right
    SPLIT = "split"  # too few judges of a panel gave a grade


class Unusable(Exception):
    """A reply that is no ruling; the text says to the judge what was wrong with it."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason = reason

    @property
    def told(self) -> str:
        """The code and the words, as they stand beside an unscored score."""
        return f"{self.reason.value}: {self}"


class Grades(BaseModel):
    """A pointwise ruling: a grade for each criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    check: str
    reason: Annotated[str, Field(max_length=2_000)] = ""
    scores: dict[str, StrictInt]


class Preferred(BaseModel):
    """A pairwise ruling, naming the place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    reason: Annotated[str, Field(max_length=2_000)] = ""
    preferred: Side


def grades(text: str, rubric: Rubric, check: str) -> Grades:
    """A ruling on every criterion of the rubric; raises `Unusable`."""
    found = _read(text, Grades, check)
    names = {one.name for one in rubric.criteria}
    if set(found.scores) != names:
        wrong = ", ".join(sorted(names.symmetric_difference(found.scores)))
        raise Unusable(Reason.SCHEMA, f'"scores" must hold each criterion once and nothing else ({wrong[:200]})')
    if any(not LEAST <= grade <= MOST for grade in found.scores.values()):
        raise Unusable(Reason.SCALE, f"a grade is not between {LEAST} and {MOST}")
    return found


def preference(text: str, check: str) -> Preferred:
    """Which of two answers is preferred; raises `Unusable`."""
    return _read(text, Preferred, check)


def _read(text: str, model: type[Ruling], check: str) -> Ruling:
    data = _object(text)
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(part)[:40] for part in problem["loc"])
        raise Unusable(Reason.SCHEMA, f"{field}: {problem['msg']}") from error
    if found.check != check:
        raise Unusable(Reason.CHECK, '"check" is not the check word')
    return found


def _object(text: str) -> dict[str, Any]:
    """The one JSON object of a reply, bare or in a code fence."""
    if len(text) > LONGEST:
        raise Unusable(Reason.HUGE, f"it is longer than {LONGEST:,} characters")
    text = text.strip()
    if not text:
        raise Unusable(Reason.EMPTY, "it is empty")
    fenced = _FENCED.fullmatch(text)
    text = fenced[1].strip() if fenced else text
    if not text.startswith("{"):
        raise Unusable(Reason.PROSE, "it is not one JSON object alone")
    try:
        data, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        reason = Reason.SCHEMA if isinstance(error, _NotJson) else Reason.PROSE
        raise Unusable(reason, f"it cannot be read as JSON: {str(error)[:120]}") from error
    rest = text[end:].strip()
    if rest:
        raise Unusable(*_besides(rest))
    if not isinstance(data, dict):
        raise Unusable(Reason.SCHEMA, "it is not an object")
    return data


def _besides(rest: str) -> tuple[Reason, str]:
    if "{" in rest:
        return Reason.SEVERAL, "there is more than one JSON object"
    return Reason.PROSE, "there are words after the JSON object"


class _NotJson(ValueError):
    """What Python's decoder would let pass: a key written twice, NaN and infinity."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _NotJson("a name is written twice")
    return dict(pairs)


def _no_number(written: str) -> float:
    raise _NotJson(f"{written} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
