"""How sure it is that what a sentence cites bears it out: the grounding rules and the grounding model as one score.

The model counts four parts in five, the rules one: that mixture was chosen on WiCE's development claims, each judged by
a model that had not seen it (`python -m benchmarks.train_grounding`). What a rule is sure of keeps the score below one
half.
Words and names that no source has are only signs, and a sure model overrules them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import grounding, pii
from opsplane.release import Release

SIGNS = frozenset({"grounding.name", "grounding.support"})
"""The findings of the rules that a sure model overrules."""
MODEL = 0.8
"""The share of the model in the score."""
_CAP = 0.49


class Support(Protocol):
    """Tells how surely evidence bears out a claim; the grounding model."""

    def scores(self, claims: Sequence[str], evidence: Sequence[Sequence[str]]) -> list[float]:
        """One certainty in [0, 1] for each claim with its own passages."""
        ...


class Certainty:
    """The rules with a model beside them, or alone."""

    def __init__(self, support: Support | None) -> None:
        self._support = support
        self._supported = lru_cache(maxsize=256)(self._ask)

    def score(self, text: str, cited: Sequence[Evidence], release: Release) -> float:
        """In [0, 1]; `text` is the sentence with look-alike characters folded."""
        rules = grounding.score(text, cited, release)
        if self._support is None:
            return rules
        score = MODEL * self._supported(text, tuple(one.text for one in cited)) + (1 - MODEL) * rules
        sure = any(one.code not in SIGNS for one in grounding.findings(text, cited, release))
        return round(min(score, _CAP) if sure else score, 4)

    def weighed(self, found: list[Finding], text: str, cited: Sequence[Evidence], release: Release) -> list[Finding]:
        """The findings of a sentence after the model was asked: signs of the rules hold or not, doubts are added."""
        threshold = release.guardrails.support
        by_rules = [one for one in found if one.code.startswith("grounding.")]
        if threshold is None or self._support is None or any(one.code not in SIGNS for one in by_rules):
            return found
        score = self.score(text, cited, release)
        if score >= threshold:
            return [_noted(one) if one.code in SIGNS else one for one in found]
        return found if by_rules else [*found, _doubt(text, score, threshold)]

    def _ask(self, text: str, passages: tuple[str, ...]) -> float:
        return self._support.scores([text], [passages])[0] if self._support else 1.0


def _noted(finding: Finding) -> Finding:
    detail = f"{finding.detail}; the grounding model finds the sentence borne out"
    return finding.model_copy(update={"action": Action.NOTE, "detail": detail})


def _doubt(text: str, score: float, threshold: float) -> Finding:
    return Finding(
        code="grounding.unsupported",
        action=Action.WITHHOLD,
        stage="answer",
        span=pii.mask(text[:80]),
        detail="the grounding model does not find it borne out by what it cites",
        score=score,
        threshold=threshold,
    )
