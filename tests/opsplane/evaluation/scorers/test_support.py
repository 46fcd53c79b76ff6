from collections.abc import Sequence

from opsplane.evaluation.scorers.support import by_rules
from tests import fakes


class Sure:
    """A grounding model that believes everything."""

    def scores(self, claims: Sequence[str], evidence: Sequence[Sequence[str]]) -> list[float]:
        return [float(bool(texts)) for _, texts in zip(claims, evidence, strict=True)]


TEXT = "The fee is $15 for each item, at most three a day."


def test_a_wrong_figure_stays_below_one_half_however_sure_the_model_is() -> None:
    support = by_rules(fakes.release(), Sure())
    assert support("For each item the fee is $15, at most three a day.", [TEXT]) > 0.9
    assert support("For each item the fee is $19, at most three a day.", [TEXT]) < 0.5


def test_without_a_model_the_rules_judge_alone_and_nothing_is_held_by_nothing() -> None:
    support = by_rules(fakes.release(), None)
    assert support(TEXT, [TEXT]) == 1
    assert support(TEXT, []) == 0
