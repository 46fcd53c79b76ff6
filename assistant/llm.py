"""The LangChain chat model that a release names: the embedded one, or any that `init_chat_model` knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from assistant.extractive.confidence import Encoder
from assistant.extractive.model import ExtractiveChat
from opsplane.errors import InvalidRelease
from opsplane.exchange import Tier
from opsplane.release import Generation, Model, Release
from opsplane.spend import Usage

EMBEDDED = "embedded:extractive"
_HARMS: Mapping[str, str] = {"google_genai": "google.genai.types", "google_vertexai": "langchain_google_vertexai"}
"""The providers that take safety settings, and the module that names what can be set."""
_NAMES: Mapping[str, Mapping[str, str]] = {
    "openai": {"max_output_tokens": "max_tokens"},
    "azure_openai": {"max_output_tokens": "max_tokens"},
    "anthropic": {"max_output_tokens": "max_tokens", "stop": "stop_sequences"},
    "ollama": {"max_output_tokens": "num_predict"},
}
"""What other providers call what a release says in Google's names."""
_ONLY_SOME: Mapping[str, tuple[str, ...]] = {
    "thinking_budget": tuple(_HARMS),
    "top_k": (*_HARMS, "anthropic", "ollama"),
    "seed": (*_HARMS, "openai", "azure_openai", "ollama"),
}
"""What not every provider can be told."""


@dataclass(frozen=True)
class _Wanted:
    """One model of one release; the digest stands for the release."""

    digest: str
    tier: Tier
    embeddings: Encoder
    release: Release = field(compare=False)


def chat_model(release: Release, tier: Tier, embeddings: Encoder) -> BaseChatModel:
    """The chat model of a tier, built once for each release.

    Raises `InvalidRelease`, naming release and field, where its package or its credential is missing.
    """
    return _build(_Wanted(release.digest, tier, embeddings, release))


@lru_cache(maxsize=32)
def _build(wanted: _Wanted) -> BaseChatModel:
    release, tier = wanted.release, wanted.tier
    model: Model = getattr(release.models, tier.value)
    where = f"{release.id}: models.{tier.value}"
    if not model.name.startswith("embedded:"):
        return _provided(release, model, where)
    if model.name != EMBEDDED:
        raise InvalidRelease(f"{where}.name: there is no {model.name!r}; the embedded model is {EMBEDDED!r}")
    if (release.generation != Generation() or release.safety) and _embedded_alone(release):
        raise InvalidRelease(f"{release.id}: generation and safety decide nothing where no language model writes")
    style = {"sentences": release.style.sentences, "opening": release.style.opening}
    try:
        return ExtractiveChat.model_validate({"embeddings": wanted.embeddings} | style | model.settings)
    except ValueError as error:
        raise InvalidRelease(f"{where}.settings: {error}") from error


def _embedded_alone(release: Release) -> bool:
    return all(one.name.startswith("embedded:") for one in (release.models.flash, release.models.pro))


def _written(release: Release, model: Model, where: str) -> dict[str, Any]:
    """The release's generation and safety as this provider is told; the model's own settings go before."""
    provider = model.name.partition(":")[0]
    told: dict[str, Any] = {}
    for name, value in release.generation.model_dump().items():
        called = _NAMES.get(provider, {}).get(name, name)
        if called in model.settings:
            continue
        if provider not in _ONLY_SOME.get(name, (provider,)):
            raise InvalidRelease(f"{where}: generation.{name}: {model.name!r} cannot be told it")
        told[called] = list(value) if isinstance(value, tuple) else value
    if release.safety:
        told["safety_settings"] = _safety(release.safety, model, where)
    return told


def _safety(safety: Mapping[str, str], model: Model, where: str) -> dict[Any, Any]:
    """Thresholds by category, in the provider's own words."""
    provider = model.name.partition(":")[0]
    if provider not in _HARMS:
        raise InvalidRelease(f"{where}: safety: {model.name!r} takes no safety settings; only Google's models do")
    known = import_module(_HARMS[provider])
    try:
        return {known.HarmCategory[one]: known.HarmBlockThreshold[threshold] for one, threshold in safety.items()}
    except KeyError as error:
        raise InvalidRelease(f"{where}: safety: {model.name!r} knows no {error}") from error


def _provided(release: Release, model: Model, where: str) -> BaseChatModel:
    try:
        settings = _written(release, model, where) | model.settings
        made: BaseChatModel = init_chat_model(model.name, **settings)
        return made
    except InvalidRelease:
        raise
    except ImportError as error:
        raise InvalidRelease(f"{where}.name: {model.name!r} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider refuses a missing credential in an exception of its own
        raise InvalidRelease(f"{where}: {model.name!r} cannot be used: {error}") from error


def usage(message: AIMessage) -> Usage:
    """The tokens of a model's call, as its provider tells them; none where it does not."""
    told = message.usage_metadata
    if told is None:
        return Usage()
    return Usage(
        input=told["input_tokens"],
        output=told["output_tokens"],
        cached=told.get("input_token_details", {}).get("cache_read", 0),
        thinking=told.get("output_token_details", {}).get("reasoning", 0),
    )
