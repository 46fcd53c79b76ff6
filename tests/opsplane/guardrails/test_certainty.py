"""Rules and model as one score."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from opsplane.finding import Action, Finding
from opsplane.guardrails import grounding
from opsplane.guardrails.certainty import Certainty
from opsplane.release import Release
from tests import fakes

SOURCE = fakes.passage()
NAME = "The fee of Lakeshore is $15 for each item."


@dataclass
class Sure:
    """A model that is always as sure."""

    score: float
    asked: list[str] = field(default_factory=list)

    def scores(self, claims: Sequence[str], evidence: Sequence[Sequence[str]]) -> list[float]:
        self.asked += claims
        return [self.score for _ in claims]


@pytest.fixture
def release() -> Release:
    return fakes.release(guardrails=fakes.release().guardrails.model_dump() | {"support": 0.5})


def weighed(text: str, model: Sure, release: Release) -> list[Finding]:
    found = grounding.findings(text, [SOURCE], release)
    return Certainty(model).weighed(found, text, [SOURCE], release)


def test_a_doubt_of_the_model_is_a_finding_with_its_score(release: Release) -> None:
    (found,) = weighed("The fee is $15 for each item.", Sure(0.1), release)
    assert (found.code, found.action, found.threshold) == ("grounding.unsupported", Action.WITHHOLD, 0.5)
    assert found.score == pytest.approx(0.8 * 0.1 + 0.2)


def test_a_sure_model_overrules_a_sign_which_is_noted(release: Release) -> None:
    (found,) = weighed(NAME, Sure(0.95), release)
    assert (found.code, found.action) == ("grounding.name", Action.NOTE)
    assert weighed(NAME, Sure(0.2), release)[0].action is Action.WITHHOLD


def test_no_model_overrules_a_wrong_figure(release: Release) -> None:
    text = "The fee is $99 for each item."
    assert [one.code for one in weighed(text, Sure(1.0), release)] == ["grounding.figure"]
    assert Certainty(Sure(1.0)).score(text, [SOURCE], release) < 0.5


def test_a_release_that_does_not_use_the_model_is_judged_by_the_rules_alone() -> None:
    model = Sure(0.0)
    assert weighed("The fee is $15 for each item.", model, fakes.release()) == []
    assert model.asked == []
    assert Certainty(None).score("The fee is $15 for each item.", [SOURCE], fakes.release()) == 1.0


def test_the_model_is_asked_once_about_the_same_sentence(release: Release) -> None:
    model, text = Sure(0.9), "The fee is $15 for each item."
    certainty = Certainty(model)
    certainty.weighed([], text, [SOURCE], release)
    certainty.score(text, [SOURCE], release)
    assert model.asked == [text]
