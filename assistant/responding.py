"""The responder of a turn: the account tools over a bank, whichever model a release names, and what it keeps there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from assistant import account_tools
from assistant.accounts import Bank
from assistant.agent import Agent
from assistant.cloud import Cloud
from assistant.extractive.confidence import Encoder
from assistant.llm import ChatModels
from assistant.prefix_cache import PrefixCaches
from opsplane.access import SERVICE
from opsplane.events import CostBooked
from opsplane.ledger.store import Ledger
from opsplane.spend import Prices, Purpose


@dataclass(frozen=True)
class Means:
    """What answers are made with, and where is booked what belongs to no single one."""

    bank: Bank
    embeddings: Encoder
    cloud: Cloud
    prices: Prices
    ledger: Ledger
    purpose: Purpose = Purpose.ANSWER


@contextmanager
def responding(means: Means, today: Callable[[], date]) -> Iterator[Agent]:
    """A responder; at the end the prompts that providers keep for it are given up, and what that cost is booked."""
    caches = PrefixCaches(means.prices)
    models = ChatModels(means.embeddings, means.cloud, means.purpose, caches)
    try:
        yield Agent(models, account_tools.tools(), means.bank, today)
    finally:
        for one in caches.close():  # what was bought for the answers to come
            cost = means.prices.book(Purpose.CACHE, one.model, one.usage, one.region)
            means.ledger.append_now(CostBooked(cost=cost), SERVICE)
