"""One call of a language model that reads an answer: system and user text in; what it wrote and what it took out."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from opsplane.spend import Usage


class Completion(BaseModel):
    """What a model wrote. `logprobs` are the natural logarithms of its tokens' probabilities where it reports them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    model: str
    usage: Usage = Usage()
    finish: str = ""  # the provider's finish reason
    logprobs: tuple[float, ...] | None = None


Complete = Callable[[str, str], Awaitable[Completion]]
"""System text and user text in, a completion out; whoever hands it in sets temperature, time limit and budget."""
