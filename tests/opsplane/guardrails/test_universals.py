"""A sentence that speaks of every case needs a source that does."""

import pytest

from opsplane.guardrails import grounding
from tests import fakes

SOURCE = "Wrenfield insures deposits up to a limit. Wires are free for Premier customers. All branches close at noon."


def codes(text: str) -> list[str]:
    return [one.code for one in grounding.findings(text, [fakes.passage(1, SOURCE)], fakes.release())]


@pytest.mark.parametrize(
    "text",
    ["Wrenfield insures all deposits.", "Wrenfield insures deposits without any limit.", "Wires are always free."],
)
def test_what_is_made_general_is_not_grounded(text: str) -> None:
    assert "grounding.condition" in codes(text)


@pytest.mark.parametrize("text", ["All branches close at noon.", "Every branch closes at noon."])
def test_what_the_source_says_of_every_case_may_be_said(text: str) -> None:
    assert codes(text) == []
