"""What providers tell of their tokens' probabilities."""

import pytest
from langchain_core.messages import AIMessage

from assistant.agent import _used
from assistant.logprobs import reported
from opsplane.exchange import Route, Tier

TOKENS = [{"token": "It", "logprob": -0.25}, {"token": " is", "logprob": -0.75}]


@pytest.mark.parametrize("metadata", [{"logprobs": {"content": TOKENS}}, {"logprobs_result": TOKENS}])
def test_both_forms_are_read(metadata: dict[str, object]) -> None:
    assert reported(metadata) == (-0.25, -0.75)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"logprobs": None},
        {"logprobs": {"content": []}},
        {"logprobs": "high"},
        {"logprobs_result": [{"token": "It"}]},
    ],
)
def test_what_is_not_told_for_every_token_is_not_told(metadata: dict[str, object]) -> None:
    assert reported(metadata) is None


def test_a_models_call_carries_the_mean() -> None:
    told = AIMessage("It is", response_metadata={"logprobs_result": TOKENS})
    route = Route(tier=Tier.FLASH, model="google_genai:gemini", reason="short")
    assert [one.logprob for one in _used(told, route)] == [-0.5]
    assert [one.logprob for one in _used(AIMessage("It is"), route)] == [None]
