"""Support as the turn itself judges it: the grounding rules and the grounding model as one score."""

from collections.abc import Sequence

from opsplane.evaluation.scorers import ragas
from opsplane.guardrails import measure, wording
from opsplane.guardrails.certainty import Certainty, Support
from opsplane.release import Release


def by_rules(release: Release, model: Support | None) -> ragas.Support:
    """The rules, and beside them the model where there is one; of the release they read the prompt alone.

    A sentence of which a rule is sure (a figure, date or negation that no source has) stays below one half.
    """
    certainty = Certainty(model)

    def support(claim: str, texts: Sequence[str]) -> float:
        sources = [measure.source(number, text) for number, text in enumerate(texts, start=1)]
        return certainty.score(wording.plain(claim), sources, release)

    return support
