"""Google's models on a server of this machine, asked through the real client, as the resilience tests need them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from langchain.tools import BaseTool, ToolRuntime, tool

from assistant.agent import Agent
from assistant.breaker import Breaker
from assistant.cloud import Cloud as Account
from assistant.llm import ChatModels
from assistant.resilient import Nature, ResilientChat
from opsplane.exchange import Route, Tier
from opsplane.release import Release, Resilience
from tests import fakes
from tests.assistant.models import WordCounts
from tests.vertex.cloud import Cloud

FLASH, PRO, EMBEDDED = "google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon", "embedded:extractive"
HERE, THERE = "us-central1", "europe-west4"
ROUTE = Route(tier=Tier.FLASH, model=FLASH, reason="a test")
SOURCE = (
    "The overdraft fee is $15 for each item.\n\nThe overdraft fee is $0 when the account is overdrawn by $20 or less."
    "\n\nThe overdraft fee is charged for at most 3 items on one day."
)


@dataclass
class Time:
    """A clock that stands still, pauses that are noted and take no time, and one random number."""

    now: float = 1_000.0
    paused: list[float] = field(default_factory=list)

    def clock(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """A pause."""
        self.paused.append(seconds)

    @property
    def nature(self) -> Nature:
        """What a model is handed."""
        return Nature(self.clock, self.sleep, lambda: 0.5)


def release(**changes: Any) -> Release:
    """A release with both tiers in the cloud."""
    models = {"flash": {"name": FLASH}, "pro": {"name": PRO}, "resilience": {}}
    return fakes.release(models=models | changes.pop("models", {}), **changes)


def account(cloud: Cloud) -> Account:
    """The bank's own settings of this cloud."""
    return Account(project=cloud.project, location=HERE, others=(THERE,), credentials="none", anywhere=cloud.url)


def models(cloud: Cloud) -> ChatModels:
    """Its models: building them takes a tenth of a second each, so that tests share them."""
    return ChatModels(WordCounts(), account(cloud))


def chat(made: Callable[[Release, Tier], Any], time: Time | None = None, **terms: Any) -> ResilientChat:
    """A model on the same connections with a breaker and terms of its own."""
    nature = (time or Time()).nature
    told = {"terms": Resilience(**terms), "breaker": Breaker(nature.clock), "nature": nature}
    found: ResilientChat = made(release(), Tier.FLASH).model_copy(update=told)
    return found


async def hang_up(model: ResilientChat) -> None:
    """Close the connections that this event loop opened; another one opens its own."""
    for place in model.places:
        if not place.rung.embedded:
            await place.chat.client.aio.aclose()  # type: ignore[attr-defined]  # Google's class has a client


@tool
def account_balances(runtime: ToolRuntime[Any], account: str = "") -> str:
    """Balances of the customer."""
    return f"The balance of your checking account is $10.00, {runtime.context.customer}."


def agent(model: ResilientChat, tools: Sequence[BaseTool] = ()) -> Agent:
    """The real agent with this model."""
    return Agent(lambda *_: model, tools, None, lambda: date(2026, 11, 23))  # type: ignore[arg-type]  # no bank is read


async def answer(model: ResilientChat, text: str = "What is the overdraft fee?", **changes: Any) -> list[Any]:
    """The parts of an answer."""
    question, passages = fakes.question(text), (fakes.passage(1, SOURCE),)
    said = agent(model, (account_balances,)).sentences(question, passages, ROUTE, release(**changes))
    return [part async for part in said]


def of(kind: type, parts: Sequence[Any]) -> list[Any]:
    """The parts of one kind."""
    return [part for part in parts if isinstance(part, kind)]
