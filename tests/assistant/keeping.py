"""A Gemini model whose prompts are kept, on a local cloud, with a clock that both go by."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from assistant import prefix_cache, prompting
from assistant.cached_chat import CachedChat, cached
from assistant.prefix_cache import PrefixCaches
from opsplane.exchange import Used
from opsplane.release import Release
from opsplane.spend import load
from tests import fakes
from tests.vertex import clients, clock
from tests.vertex.cloud import Cloud
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

FLASH = "google_genai:gemini-3.8-flash"
TTL = 3_600
PASSAGE = fakes.passage(1, "The overdraft fee is $15 for each item.")
EXAMPLES = [{"question": f"Question {n}?", "answer": f"Word {n}. [{n}] " * 200} for n in range(3)]
RELEASE = fakes.release(
    models={
        "flash": {"name": FLASH},
        "pro": {"name": FLASH},
        "caching": {"ttl_seconds": TTL, "least_tokens": 2_048},
    },
    prompt={"system": "You answer from the sources only.", "examples": EXAMPLES},
)


@dataclass
class Bench:
    """A cloud, models of it, and the caches of this process under the cloud's clock."""

    cloud: Cloud
    models: dict[str, ChatGoogleGenerativeAI]  # by region, made once: each reads all the certificates of the machine
    release: Release = RELEASE
    caches: PrefixCaches = field(init=False)

    def __post_init__(self) -> None:
        self.caches = self.process()

    def now(self) -> float:
        """As the cloud has it."""
        return clock.now(self.cloud).timestamp()

    def wait(self, seconds: float) -> None:
        """Time passes."""
        clock.move(self.cloud, seconds)

    def process(self) -> PrefixCaches:
        """The caches of another process."""
        return PrefixCaches(load(), self.now)

    def model(self, caches: PrefixCaches | None = None, region: str = "us-central1", *, own: bool = False) -> Any:
        """The release's Flash model; with `own` it has a client of its own, for an event loop of its own."""
        plain = clients.chat(self.cloud) if own else self.models.get(region)
        if plain is None:
            plain = self.models[region] = clients.chat(self.cloud, location=region)
        return cached(plain, FLASH, self.release, caches or self.caches)

    def ask(self, model: Any, question: str = "What is the overdraft fee?") -> AIMessage:
        """One answer, and whatever is due for its cache."""
        said = model.invoke(self.prompt(question))
        (model if isinstance(model, CachedChat) else model.bound).caches.settle()
        assert isinstance(said, AIMessage)
        return said

    def prompt(self, question: str = "What is the overdraft fee?") -> list[BaseMessage]:
        """What the agent would send."""
        return prompting.prompt(fakes.question(question), [PASSAGE], self.release, fakes.NOON.date())

    def made(self) -> int:
        """Caches that were made at the provider."""
        return len(self.cloud.heard("gemini.cache.create"))

    def warm(self, model: Any) -> list[AIMessage]:
        """As many calls as must come before a cache pays, and one that uses it."""
        return [self.ask(model) for _ in range(4)]


@contextmanager
def shared() -> Iterator[tuple[Cloud, dict[str, ChatGoogleGenerativeAI]]]:
    """A cloud and its models, for many benches: they take longer to make than a test."""
    made: dict[str, ChatGoogleGenerativeAI] = {}
    with serving(VERBS, clients.light()) as cloud:
        yield cloud, made
        for model in made.values():
            model.client.close()  # type: ignore[union-attr]  # opened when the model was made


@contextmanager
def opened(cloud: Cloud, made: dict[str, ChatGoogleGenerativeAI]) -> Iterator[Bench]:
    """A bench on which nothing was done yet."""
    cloud.faults.clear()
    cloud.calls.clear()
    cloud.held.pop("gemini caches", None)
    one = Bench(cloud, made)
    yield one
    one.caches.close()


def cached_tokens(said: AIMessage) -> int:
    """The tokens that came from a cache, as the provider tells them."""
    assert said.usage_metadata
    return said.usage_metadata.get("input_token_details", {}).get("cache_read", 0)


def bought(said: AIMessage) -> list[Used]:
    """What an answer says was bought."""
    return list(prefix_cache.bought(said, FLASH, "us-central1"))


async def stream(model: Any, messages: list[BaseMessage]) -> Any:
    """A streamed answer put together; the connection does not outlive its event loop."""
    chunks = [chunk async for chunk in model.astream(messages)]
    await asyncio.to_thread(model.caches.settle)
    await model.aclose()
    return sum(chunks[1:], start=chunks[0])
