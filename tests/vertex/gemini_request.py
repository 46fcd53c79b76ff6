"""What a call of `generateContent` asks, read from its body and its cached content; what is wrong is refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.vertex import gemini_tokens
from tests.vertex.cloud import Refusal

_KNOWN = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent"}
    | {"labels", "modelArmorConfig", "model", "serviceTier"}
)
_RANGES = {"temperature": (0, 2), "topP": (0, 1), "topK": (1, 1_000), "candidateCount": (1, 1)}
_WINDOW = 1_048_576
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABELLED = re.compile(r"[a-z0-9_-]{0,63}")
_SNAKE = re.compile(r"_([a-z0-9])")
_FREE = frozenset(
    {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"}
)
"""Fields in which names are not Google's."""
_LEVELS = {"MINIMAL": 0, "LOW": 64, "MEDIUM": 256, "HIGH": 1_024}
_DYNAMIC = 256

Turn = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request. `cached` is how many of its tokens come from cached content."""

    model: str
    contents: Sequence[Turn]
    system: str = ""
    tools: Sequence[Mapping[str, Any]] = ()  # function declarations
    mode: str = "AUTO"
    allowed: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    safety: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    cached: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Everything that the model reads, cached or not."""
        return self.cached + self.fresh_tokens

    @cached_property
    def fresh_tokens(self) -> int:
        """What it reads that is not cached."""
        fresh = [turn for turn in self.contents if not turn.get("cached")]
        own = 0 if self.cached else gemini_tokens.count(self.system) + gemini_tokens.of_value(list(self.tools))
        return own + gemini_tokens.of_contents(fresh)

    @property
    def callable(self) -> frozenset[str]:
        """The functions that it may call."""
        if self.mode == "NONE":
            return frozenset()
        names = frozenset(str(one["name"]) for one in self.tools)
        return names & frozenset(self.allowed) if self.allowed else names

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """What the answer must fit; an empty schema is any JSON."""
        wanted = self.config.get("responseJsonSchema") or self.config.get("responseSchema")
        if wanted:
            return dict(wanted)
        return {} if self.config.get("responseMimeType") == "application/json" else None

    @property
    def last(self) -> str:
        """The text of the last turn."""
        return text_of(self.contents[-1]) if self.contents else ""

    def thoughts(self) -> int:
        """Tokens of thinking: four for each of the last turn's, up to the budget or its level."""
        told = self.config.get("thinkingConfig", {})
        budget = int(told.get("thinkingBudget", -1))
        most = _LEVELS.get(str(told.get("thinkingLevel", "")).upper(), _DYNAMIC) if budget < 0 else budget
        return min(most, 4 * gemini_tokens.count(self.last))


def text_of(turn: Turn) -> str:
    """The words of a turn, without thoughts."""
    return "".join(str(part.get("text", "")) for part in turn.get("parts", ()) if not part.get("thought"))


def camel(value: Any) -> Any:
    """A body with its names as `generationConfig`: Google also takes them as `generation_config`."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {_SNAKE.sub(lambda found: found[1].upper(), name): held for name, held in value.items()}
    return {name: held if name in _FREE else camel(held) for name, held in named.items()}


def read(body: Any, model: str, cached: Mapping[str, Any] | None = None) -> Asked:
    """The request; raise `Refusal` for what Vertex AI would refuse. `cached` is the content that it names."""
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received.")
    body = camel(body)
    if unknown := sorted(set(body) - _KNOWN):
        raise invalid(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    held = cached or {}
    config, calling = body.get("generationConfig") or {}, _calling(body.get("toolConfig") or held.get("toolConfig"))
    _check_config(config)
    _check_labels(body.get("labels") or {})
    contents = [*({**turn, "cached": True} for turn in held.get("contents", ())), *turns(body.get("contents"))]
    asked = Asked(
        model=model,
        contents=contents,
        system=text_of(body.get("systemInstruction") or held.get("systemInstruction") or {}),
        tools=declarations(body.get("tools") or held.get("tools") or ()),
        mode=str(calling.get("mode", "AUTO")),
        allowed=tuple(calling.get("allowedFunctionNames", ())),
        config=config,
        safety={one["category"]: one["threshold"] for one in body.get("safetySettings") or ()},
        labels=body.get("labels") or {},
        cached=int(held.get("tokens", 0)),
    )
    if asked.prompt_tokens > _WINDOW:
        raise invalid(
            f"The input token count ({asked.prompt_tokens}) exceeds the maximum number of tokens allowed ({_WINDOW})."
        )
    return asked


def declarations(tools: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The functions that tools declare."""
    return tuple(one for tool in tools for one in tool.get("functionDeclarations", ()))


def turns(contents: Any) -> list[Turn]:
    """The turns; raise `Refusal` where a conversation is not one."""
    found = [contents] if isinstance(contents, dict) else list(contents or ())
    if not found:
        raise invalid("Unable to submit request because at least one contents field is required.")
    called = 0
    for turn in found:
        if turn.get("role", "user") not in ("user", "model", "function"):
            raise invalid("Please use a valid role: user, model.")
        if not turn.get("parts"):
            raise invalid("Unable to submit request because it must have at least one parts field.")
        answered = sum("functionResponse" in part for part in turn["parts"])
        if called != answered:
            raise invalid(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        called = _calls(turn)
    return found


def invalid(message: str) -> Refusal:
    """What is wrong with a request."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def _calls(turn: Turn) -> int:
    """How many functions a turn calls; the first of them must carry the signature of the thought behind it."""
    calls = [part for part in turn["parts"] if "functionCall" in part]
    if calls and not calls[0].get("thoughtSignature"):
        raise invalid(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
            "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
            f"function call `default_api:{calls[0]['functionCall']['name']}`."
        )
    return len(calls)


def _calling(config: Any) -> Mapping[str, Any]:
    told: Mapping[str, Any] = (config or {}).get("functionCallingConfig") or {}
    return told


def _check_config(config: Mapping[str, Any]) -> None:
    for name, (least, most) in _RANGES.items():
        value = config.get(name)
        if value is not None and not least <= value <= most:
            raise invalid(
                f"Unable to submit request because it has a {name} value of {value} but the supported range is from "
                f"{least} (inclusive) to {most} (inclusive)."
            )
    if config.get("maxOutputTokens", 1) < 1:
        raise invalid("Unable to submit request because maxOutputTokens must be at least 1.")
    if not config.get("responseMimeType") and (config.get("responseSchema") or config.get("responseJsonSchema")):
        raise invalid("A response schema needs the response MIME type application/json.")


def _check_labels(labels: Mapping[str, str]) -> None:
    for name, value in labels.items():
        if not _LABEL.fullmatch(name) or not _LABELLED.fullmatch(str(value)):
            raise invalid(
                f"Invalid label {name!r}: {value!r}. Label keys and values may hold lower-case letters, digits, "
                "underscores and dashes, at most 63 of them, and keys begin with a letter."
            )
    if len(labels) > 64:
        raise invalid("There are more than 64 labels.")
