"""Llama Guard, or a model that answers as it does: one user or assistant turn is `safe`, or `unsafe` and why.

The conversation goes out as chat messages. The chat template that comes with the model puts Meta's task and its hazards
S1 to S14 around them where the model is served (Ollama, vLLM), so that they are not written a second time here.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel, Field, ValidationError

from assistant.cloud import Cloud
from assistant.examiners.wire import Wire, address, bearer
from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import Match, Opinion, System, Unreadable
from opsplane.release import External

HAZARDS: Mapping[str, str] = {
    "S1": "violent crimes",
    "S2": "non-violent crimes",
    "S3": "sex-related crimes",
    "S4": "child sexual exploitation",
    "S5": "defamation",
    "S6": "specialised advice",
    "S7": "privacy",
    "S8": "intellectual property",
    "S9": "indiscriminate weapons",
    "S10": "hate",
    "S11": "suicide and self-harm",
    "S12": "sexual content",
    "S13": "elections",
    "S14": "code interpreter abuse",
}
"""The hazards by MLCommons' taxonomy, as Llama Guard 3 and 4 number them."""

_TOKENS = 40  # enough for "unsafe" and all fourteen codes
_TARGET = re.compile(r"[a-z_]+:(.+)")
_UNASKED = "What can you tell me?"  # stands for the question where an answer is examined without one


class _Alternative(BaseModel):
    token: str
    logprob: float


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None


class _Completion(BaseModel):
    """What is read of an answer in OpenAI's form."""

    choices: list[_Choice] = Field(min_length=1)


def llama_guard(line: External, where: str, key: str, _cloud: Cloud) -> System:
    """Llama Guard over OpenAI's HTTP form where the line has an endpoint, else the model LangChain makes of its target.

    Raises `InvalidRelease`, naming the package where it is missing.
    """
    named = _TARGET.fullmatch(line.target)
    if not named:
        raise InvalidRelease(f"{where}.target: {line.target!r} is not provider:model, such as ollama:llama-guard3:1b")
    settings = dict(line.settings)
    ignored = _ignored(str(settings.pop("ignore", "")), where)
    if not line.endpoint:
        return Invoked(_made(line.target, settings, where), ignored)
    sure = settings.pop("logprobs", False) is True
    if settings:
        raise InvalidRelease(f"{where}.settings: {sorted(settings)[0]} is not known; ignore and logprobs are")
    base = address(line.endpoint, where).rstrip("/").removesuffix("/v1")
    unsafe_from = line.threshold if sure else None
    return Served(Wire(base, line.timeout_seconds, bearer(key)), named[1], ignored, unsafe_from)


class Served:
    """The model behind `/v1/chat/completions`; `unsafe_from` asks for log probabilities and overrules its choice."""

    def __init__(self, wire: Wire, model: str, ignored: frozenset[str], unsafe_from: float | None) -> None:
        self._wire = wire
        self._ignored = ignored
        self._unsafe_from = unsafe_from
        self._wanted: dict[str, Any] = {"model": model, "temperature": 0, "max_tokens": _TOKENS}
        if unsafe_from is not None:
            self._wanted |= {"logprobs": True, "top_logprobs": 5}

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """The model's verdict on a text."""
        messages = [{"role": role, "content": said} for role, said in _turns(text, stage, context)]
        answer = await self._wire.post("/v1/chat/completions", self._wanted | {"messages": messages})
        try:
            choice = _Completion.model_validate(answer).choices[0]
        except ValidationError as error:
            raise Unreadable("the answer is no chat completion") from error
        certainty = _certainty(choice.logprobs)
        opinion = read(choice.message.content, self._ignored, certainty)
        if not opinion.matches and certainty is not None and certainty >= (self._unsafe_from or 0.0):
            return Opinion((Match("unspecified", certainty, "called safe, but not surely"),))
        return opinion

    async def close(self) -> None:
        """Let the connections go."""
        await self._wire.close()


class Invoked:
    """The model as LangChain calls it."""

    def __init__(self, model: BaseChatModel, ignored: frozenset[str] = frozenset()) -> None:
        self._model = model
        self._ignored = ignored

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """The model's verdict on a text."""
        kinds: Mapping[str, type[BaseMessage]] = {"user": HumanMessage, "assistant": AIMessage}
        answer = await self._model.ainvoke([kinds[role](content=said) for role, said in _turns(text, stage, context)])
        return read(answer.text, self._ignored)

    async def close(self) -> None:
        """Its connections are LangChain's."""


def read(said: str, ignored: frozenset[str] = frozenset(), certainty: float | None = None) -> Opinion:
    """A verdict as the model words it; `certainty` is the probability of "unsafe". Raises `Unreadable`.

    Strict about what is safe: an "unsafe" without codes that can be read is unsafe all the same.
    """
    first, _, rest = said.strip().partition("\n")
    verdict, score = first.strip().lower(), 1.0 if certainty is None else certainty
    if verdict == "safe" and not rest.strip():
        return Opinion()
    if verdict != "unsafe":
        raise Unreadable("neither safe nor unsafe")
    codes = [code.strip().upper() for code in rest.split(",")]
    if not all(code in HAZARDS for code in codes):
        return Opinion((Match("unspecified", score, "called unsafe without a known hazard"),))
    return Opinion(tuple(Match(code, score, HAZARDS[code], code in ignored) for code in dict.fromkeys(codes)))


def _turns(text: str, stage: str, context: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Who says what; the last turn is the one that is judged. A passage is judged as if a customer had sent it."""
    if stage != "answer":
        return (("user", text),)
    return (("user", context[0] if context else _UNASKED), ("assistant", text))


def _certainty(given: _Logprobs | None) -> float | None:
    """The probability of "unsafe" against "safe" where the model chose; None where it was not told."""
    for token in (given.content if given else None) or []:
        sides = {"safe": 0.0, "unsafe": 0.0}
        for one in token.top_logprobs or [token]:
            if side := _side(one.token):
                sides[side] += math.exp(min(one.logprob, 0.0))
        if _side(token.token) and sum(sides.values()):
            return sides["unsafe"] / sum(sides.values())
    return None


def _side(token: str) -> str:
    """The verdict that a token begins; some vocabularies have no single token for "unsafe"."""
    written = token.strip().lower()
    return next((side for side in ("safe", "unsafe") if written and side.startswith(written)), "")


def _ignored(given: str, where: str) -> frozenset[str]:
    codes = frozenset(code.strip().upper() for code in given.split(",") if code.strip())
    if unknown := sorted(codes - HAZARDS.keys()):
        raise InvalidRelease(f"{where}.settings.ignore: there is no hazard {unknown[0]}; there are S1 to S14")
    return codes


def _made(target: str, settings: Mapping[str, Any], where: str) -> BaseChatModel:
    try:
        made: BaseChatModel = init_chat_model(target, **{"temperature": 0, **settings})
    except ImportError as error:
        raise InvalidRelease(f"{where}.target: {target!r} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider refuses a missing credential in an exception of its own
        raise InvalidRelease(f"{where}: {target!r} cannot be used: {error}") from error
    return made
