"""The LangChain chat model that a release names: the embedded one, or any that `init_chat_model` knows."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from assistant.extractive.confidence import Encoder
from assistant.extractive.model import ExtractiveChat
from opsplane.errors import InvalidRelease
from opsplane.exchange import Tier
from opsplane.release import Model, Release

EMBEDDED = "embedded:extractive"


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
        return _provided(model, where)
    if model.name != EMBEDDED:
        raise InvalidRelease(f"{where}.name: there is no {model.name!r}; the embedded model is {EMBEDDED!r}")
    style = {"sentences": release.style.sentences, "opening": release.style.opening}
    try:
        return ExtractiveChat.model_validate({"embeddings": wanted.embeddings} | style | model.settings)
    except ValueError as error:
        raise InvalidRelease(f"{where}.settings: {error}") from error


def _provided(model: Model, where: str) -> BaseChatModel:
    try:
        settings: dict[str, Any] = dict(model.settings)
        made: BaseChatModel = init_chat_model(model.name, **settings)
        return made
    except ImportError as error:
        raise InvalidRelease(f"{where}.name: {model.name!r} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider refuses a missing credential in an exception of its own
        raise InvalidRelease(f"{where}: {model.name!r} cannot be used: {error}") from error
