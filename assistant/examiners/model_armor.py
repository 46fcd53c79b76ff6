"""Google's Model Armor over REST: a template's filters look at a prompt or a response."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from assistant.cloud import Cloud
from assistant.examiners.google_wire import google_wire
from assistant.examiners.wire import Wire
from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import Match, Opinion, System, Unreadable
from opsplane.release import External

LEVELS: Mapping[str, float] = {
    "LOW_AND_ABOVE": 1 / 3,
    "MEDIUM_AND_ABOVE": 2 / 3,
    "HIGH": 1.0,
    "VERY_UNLIKELY": 0.2,
    "UNLIKELY": 0.4,
    "POSSIBLE": 0.6,
    "LIKELY": 0.8,
    "VERY_LIKELY": 1.0,
}
"""Google's levels of confidence, and of the likelihood of personal data, as scores; what has none scores 1."""

_TARGET = re.compile(r"projects/[\w.:-]+/locations/([a-z0-9-]+)/templates/[\w-]+")
_MATCH, _NO_MATCH, _SKIPPED = "MATCH_FOUND", "NO_MATCH_FOUND", "EXECUTION_SKIPPED"


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Found(_Read):
    info_type: str = ""
    likelihood: str = ""


class _Result(_Read):
    """One filter's result; which of the fields are there is the filter's business."""

    match_state: str = ""
    execution_state: str = ""
    confidence_level: str = ""
    rai_filter_type_results: dict[str, "_Result"] = {}
    inspect_result: "_Result | None" = None
    deidentify_result: "_Result | None" = None
    findings: list[_Found] = []
    info_types: list[str] = []


class _Sanitization(_Read):
    filter_match_state: str
    filter_results: dict[str, dict[str, _Result]] = {}
    invocation_result: str = ""


class _Answer(_Read):
    sanitization_result: _Sanitization


def model_armor(line: External, where: str, _key: str, cloud: Cloud) -> System:
    """A template of Model Armor; its regional address unless the line or the settings have another.

    Raises `InvalidRelease`.
    """
    named = _TARGET.fullmatch(line.target)
    if not named:
        raise InvalidRelease(f"{where}.target: {line.target!r} is not projects/P/locations/L/templates/T")
    if line.settings:
        raise InvalidRelease(f"{where}.settings: model-armor has none; its template decides")
    googles = f"https://modelarmor.{named[1]}.rep.googleapis.com"
    return ModelArmor(google_wire(line, where, cloud, "armor", googles), line.target)


class ModelArmor:
    """One template. Passages are looked at as prompts are: what they say may be meant for the model."""

    def __init__(self, wire: Wire, template: str) -> None:
        self._wire = wire
        self._template = template

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """What the template's filters found."""
        if stage == "answer":
            body: dict[str, Any] = {"modelResponseData": {"text": text}}
            if context:
                body["userPrompt"] = context[0]
            verb = "sanitizeModelResponse"
        else:
            body, verb = {"userPromptData": {"text": text}}, "sanitizeUserPrompt"
        return read(await self._wire.post(f"/v1/{self._template}:{verb}", body))

    async def close(self) -> None:
        """Let the connections go."""
        await self._wire.close()


def read(answer: Any) -> Opinion:
    """A sanitization result as an opinion; raises `Unreadable`. A filter that was skipped leaves the text unread."""
    try:
        result = _Answer.model_validate(answer).sanitization_result
    except ValidationError as error:
        raise Unreadable("the answer is no sanitization result") from error
    if result.filter_match_state not in (_MATCH, _NO_MATCH):
        raise Unreadable("the answer says neither match nor no match")
    filters = [(name, _inner(one)) for name, kinds in result.filter_results.items() for one in kinds.values()]
    matches = [match for name, one in filters for match in _matches(name, one)]
    if result.filter_match_state == _MATCH and not matches:
        matches = [Match("unspecified")]
    skipped = [name for name, one in filters if one.execution_state == _SKIPPED]
    if not skipped and result.invocation_result in ("PARTIAL", "FAILURE"):
        skipped = ["some filters"]
    return Opinion(tuple(matches), f"skipped: {', '.join(sorted(skipped))}" if skipped else "")


def _inner(result: _Result) -> _Result:
    """The result itself; that of sensitive data lies one level deeper."""
    return result.inspect_result or result.deidentify_result or result


def _matches(name: str, result: _Result) -> Iterator[Match]:
    kinds = {kind: one for kind, one in result.rai_filter_type_results.items() if one.match_state == _MATCH}
    for kind, one in kinds.items():
        yield Match(f"{name}_{kind}", LEVELS.get(one.confidence_level, 1.0), one.confidence_level)
    if kinds or result.match_state != _MATCH:
        return
    types = sorted({*result.info_types, *(one.info_type for one in result.findings)} - {""})
    scores = [LEVELS.get(one.likelihood, 1.0) for one in result.findings]
    level = result.confidence_level
    yield Match(name, max(scores, default=LEVELS.get(level, 1.0)), ", ".join(types) or level)
