"""A language model that reads answers: asked once, believed only where its reply has the form that was asked for."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from opsplane.errors import RecordUnavailable
from opsplane.evaluation.completion import Complete, Completion
from opsplane.evaluation.scorers.prompt import Prompt, Titled
from opsplane.spend import Cost, Prices, Purpose

log = logging.getLogger(__name__)

LONGEST = 60_000
"""Characters of a reply, beyond which it is not read."""
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)


class Reply(BaseModel):
    """What every reply holds: the check word, which stands in none of the texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    check: str


Shape = TypeVar("Shape", bound=Reply)


@dataclass(frozen=True)
class Read(Generic[Shape]):
    """A reply, or None and why there is none; what it cost either way."""

    reply: Shape | None
    why: str = ""
    costs: tuple[Cost, ...] = ()


@dataclass(frozen=True)
class Reader:
    """`name` tells the model and all of its settings: a scorer's digest holds it. `region` is for its price."""

    complete: Complete
    name: str
    prices: Prices
    region: str = ""

    async def read(self, prompt: Prompt, texts: Sequence[Titled], shape: type[Shape]) -> Read[Shape]:
        """Ask once. A model that fails or replies in another form than asked for gives no reply, and says why."""
        system, user, check = prompt.about(texts)
        try:
            told = await self.complete(system, user)
        except RecordUnavailable:
            raise
        except Exception as error:
            log.exception("%s: the model %s could not be asked", prompt.id, self.name)
            return Read(None, f"the model could not be asked: {type(error).__name__}")
        costs = (self.prices.book(Purpose.JUDGE, told.model, told.usage, self.region),)
        reply = parsed(told, shape)
        if isinstance(reply, str):
            return Read(None, f"the model's reply cannot be read: {reply}", costs)
        if reply.check != check:
            return Read(None, "the model's reply cannot be read: it does not hold the check word", costs)
        return Read(reply, costs=costs)


def parsed(told: Completion, shape: type[Shape]) -> Shape | str:
    """The one JSON object of a reply, bare or in a code fence, or what is wrong with it."""
    text = told.text.strip()
    if not text:
        return "it is empty"
    if len(text) > LONGEST:
        return f"it is longer than {LONGEST:,} characters"
    fenced = _FENCED.fullmatch(text)
    try:
        return shape.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part)[:40] for part in problem["loc"])
        return f"{field}: {problem['msg'][:200]}" if field else problem["msg"][:200]
