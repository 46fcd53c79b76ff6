"""A case, an answer to it, and a model that says what it was told to."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from opsplane.evaluation.completion import Completion
from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers.reader import Reader
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange
from opsplane.spend import Prices, Usage
from tests import fakes

PRICES = Prices.model_validate(
    {
        "version": "test",
        "source": "tests",
        "currency": "USD",
        "models": {"scripted": {"input": Decimal(1), "output": Decimal(2), "cached": Decimal(0)}},
    }
)


def case(**changes: Any) -> Case:
    """An answerable question about a fee of $15."""
    return Case.model_validate({"id": "fee", "kind": "fees", "question": "What is the overdraft fee?"} | changes)


def exchange(*sentences: str | Sentence, evidence: Sequence[Evidence] | None = None, **changes: Any) -> Exchange:
    """An answer whose sentences, where they are texts, all cite the first source."""
    said = [one if isinstance(one, Sentence) else Sentence(text=one, cites=(1,)) for one in sentences]
    data: dict[str, Any] = {
        "id": "exchange-0001",
        "conversation": "talk-1",
        "customer": "C-1001",
        "actor": fakes.CUSTOMER,
        "at": fakes.NOON,
        "release": "test-1",
        "digest": "0" * 64,
        "arm": "stable",
        "outcome": "answered",
        "question": "What is the overdraft fee?",
        "standalone": "",
        "sentences": tuple(said),
        "evidence": tuple([fakes.passage()] if evidence is None else evidence),
    }
    return Exchange.model_validate(data | changes)


@dataclass
class Scripted:
    """Replies in turn; `$check` in a reply becomes the check word that it was asked for."""

    replies: list[str | Exception]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, system: str, user: str) -> Completion:
        self.asked.append((system, user))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        word = re.search(r'"check": "([0-9a-f]+)"', user)
        assert word
        return Completion(
            text=reply.replace("$check", word[1]), model="scripted", usage=Usage(input=100, output=10), finish="STOP"
        )


def replying(*replies: str | Exception) -> tuple[Reader, Scripted]:
    """A reader whose model replies so, and that model."""
    model = Scripted(list(replies))
    return Reader(model, "scripted", PRICES), model


def reply(**fields: Any) -> str:
    """A reply in the form that was asked for."""
    return json.dumps({"check": "$check", **fields})


def verdicts(*holds: bool) -> str:
    """A verdict for each number from 1 on."""
    return reply(verdicts=[{"number": place, "holds": one} for place, one in enumerate(holds, start=1)])
