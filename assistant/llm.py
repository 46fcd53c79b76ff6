"""The LangChain chat models that a release names: the embedded one, or any that `init_chat_model` knows."""

from collections import OrderedDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from google.auth.credentials import Credentials
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from assistant import errors, gemini, ladder
from assistant.breaker import Breaker
from assistant.cached_chat import cached
from assistant.cloud import Cloud
from assistant.extractive.confidence import Encoder
from assistant.extractive.model import ExtractiveChat
from assistant.ladder import EMBEDDED as EMBEDDED  # where a model's place on the ladder is decided; also found here
from assistant.ladder import Rung
from assistant.prefix_cache import PrefixCaches
from assistant.resilient import Nature, Place, ResilientChat
from assistant.tokens import usage as usage
from opsplane.errors import InvalidRelease
from opsplane.exchange import Tier
from opsplane.release import Generation, Model, Release
from opsplane.spend import Purpose

_KEPT = 64
"""Models kept: two tiers, each in some regions, of the releases that serve at the same time."""
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


_ONE_CALL: Mapping[str, int] = {
    "google_genai": 1,  # langchain-google-genai counts the first call too
    "google_vertexai": 0,
    "openai": 0,
    "azure_openai": 0,
    "anthropic": 0,
}
"""What `max_retries` is where the retries are ours."""


class ChatModels:
    """The chat models of releases, each built once, all under one login, one purpose and one circuit breaker."""

    def __init__(
        self,
        embeddings: Encoder,
        cloud: Cloud | None = None,
        purpose: Purpose = Purpose.ANSWER,
        caches: PrefixCaches | None = None,
        nature: Nature = Nature(),  # noqa: B008 - a frozen value
    ) -> None:
        self._embeddings = embeddings
        self._cloud = cloud or Cloud()
        self._purpose = purpose
        self._caches = caches
        self._nature = nature
        self._breaker = Breaker(nature.clock)
        self._credentials: Credentials | None = None
        self._made: OrderedDict[tuple[str, ...], BaseChatModel] = OrderedDict()

    def __call__(self, release: Release, tier: Tier) -> BaseChatModel:
        """The chat model of a tier; where the release says what is done when it does not answer, one that does that.

        Raises `InvalidRelease`, naming release and field, where its package or its credential is missing, and
        `InvalidRequest` where nobody can sign in to the cloud.
        """
        rungs, terms = ladder.rungs(release, tier, self._cloud.locations if self._cloud.project else ()), release.models
        if terms.resilience is None or rungs[0].embedded:
            return self._once(release, rungs[0])
        key = (release.digest, tier.value)
        if key not in self._made:
            self._keep(
                key,
                ResilientChat(
                    places=tuple(Place(rung, self._once(release, rung)) for rung in rungs),
                    terms=terms.resilience,
                    seconds=rungs[0].model.timeout_seconds,
                    breaker=self._breaker,
                    nature=self._nature,
                ),
            )
        return self._made[key]

    async def aclose(self) -> None:
        """Close every connection; from the event loop that the models were asked on, before that ends."""
        made = list(self._made.values())
        self._made.clear()
        for model in made:
            if close := getattr(model, "aclose", None):  # Google's have it, most providers' have not
                await close()

    def _once(self, release: Release, rung: Rung) -> BaseChatModel:
        key = (release.digest, rung.tier.value, rung.name, rung.region)
        if key not in self._made:
            self._keep(key, self._build(release, rung))
        return self._made[key]

    def _keep(self, key: tuple[str, ...], made: BaseChatModel) -> None:
        self._made[key] = made
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)

    def _build(self, release: Release, rung: Rung) -> BaseChatModel:
        """One model in one region; what keeps the beginnings of prompts goes around it here."""
        where = f"{release.id}: models.{rung.tier.value}"
        if rung.provider == "embedded":
            return _embedded(release, rung.model, where, self._embeddings)
        made = _provided(release, rung.model, where, self._beside(release, rung))
        return cached(made, rung.name, release, self._caches) if self._caches else made

    def _beside(self, release: Release, rung: Rung) -> dict[str, Any]:
        """What a model is told beside the release's words: where it is asked, and that it is asked once."""
        if self._cloud.project and ladder.in_cloud(rung.model):
            self._credentials = self._credentials or self._cloud.login()
            labels = gemini.labels(release, rung, self._purpose)
            return gemini.settings(rung, self._cloud, self._credentials, labels)
        if release.models.resilience and rung.provider in _ONE_CALL:
            return {"max_retries": _ONE_CALL[rung.provider]}
        return {}


def _embedded(release: Release, model: Model, where: str, embeddings: Encoder) -> BaseChatModel:
    if model.name != EMBEDDED:
        raise InvalidRelease(f"{where}.name: there is no {model.name!r}; the embedded model is {EMBEDDED!r}")
    if (release.generation != Generation() or release.safety) and _embedded_alone(release):
        raise InvalidRelease(f"{release.id}: generation and safety decide nothing where no language model writes")
    style = {"sentences": release.style.sentences, "opening": release.style.opening}
    try:
        return ExtractiveChat.model_validate({"embeddings": embeddings} | style | model.settings)
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


def _provided(release: Release, model: Model, where: str, beside: Mapping[str, Any]) -> BaseChatModel:
    """A model as its provider's class; the release's own settings go before everything."""
    try:
        settings = {**beside, **_written(release, model, where), **model.settings}
        made: BaseChatModel = init_chat_model(model.name, **settings)
        return made
    except InvalidRelease:
        raise
    except ImportError as error:
        raise InvalidRelease(f"{where}.name: {model.name!r} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider refuses a missing credential in an exception of its own
        raise InvalidRelease(f"{where}: {model.name!r} cannot be used: {errors.clean(str(error))}") from error
