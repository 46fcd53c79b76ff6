"""How likely a model held its own tokens to be, where its provider tells: in OpenAI's form and in Vertex AI's."""

from collections.abc import Mapping
from typing import Any


def reported(metadata: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The natural logarithms of the tokens' probabilities, in order; None where they are not told for every token."""
    told = metadata.get("logprobs_result") or metadata.get("logprobs")
    tokens = told.get("content") if isinstance(told, dict) else told
    if not isinstance(tokens, list) or not tokens:
        return None
    found = [one.get("logprob") for one in tokens if isinstance(one, dict)]
    numbers = tuple(float(one) for one in found if isinstance(one, int | float))
    return numbers if len(numbers) == len(tokens) else None
