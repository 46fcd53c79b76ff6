"""BLEU and ROUGE: how much of a person's reference answer stands in the answer, word for word.

The one door of sacrebleu and rouge-score. BLEU is that of Papineni et al. (2002) for one sentence as sacrebleu
calculates it (its own tokens, exponential smoothing, effective order); ROUGE is the F-measure of Lin (2004) without
stemming. Both compare words and know nothing of meaning.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import sacrebleu

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers.rule import Found, digest, named
from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.exchange import Exchange

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

LONGEST = 1_200
"""Words that are compared at most: the longest common subsequence takes the product of both lengths."""
_WORDS = {
    "bleu": "BLEU against the reference answer",
    "rouge1": "ROUGE-1 (words) against the reference answer",
    "rouge2": "ROUGE-2 (pairs of words) against the reference answer",
    "rouge_l": "ROUGE-L (longest common sequence) against the reference answer",
}
_ROUGE = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_l": "rougeL"}
_WORD = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True)
class Overlap:
    """One of the four, for cases with a reference."""

    measure: Measure
    compare: Callable[[str, str], float]

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """The overlap of what was shown with the reference; unscored where either is too long."""
        if not case.reference:
            return None
        if max(_length(exchange.answer), _length(case.reference)) > LONGEST:
            return named(self.measure, Found(None, f"longer than {LONGEST:,} words"))
        # in a thread, since the first comparison reads libraries for two seconds
        value = await asyncio.to_thread(self.compare, exchange.answer, case.reference)
        return named(self.measure, Found(value))


def scorers() -> list[Overlap]:
    """All of them."""
    return [
        Overlap(_measure("bleu", "sacrebleu"), bleu),
        *(Overlap(_measure(name, "rouge-score"), partial(rouge, kind=kind)) for name, kind in _ROUGE.items()),
    ]


def bleu(answer: str, reference: str) -> float:
    """BLEU of one text against one reference, in [0, 1]."""
    return float(sacrebleu.sentence_bleu(answer, [reference]).score) / 100


def rouge(answer: str, reference: str, kind: str = "rougeL") -> float:
    """ROUGE's F-measure of one text against one reference, in [0, 1]; `kind` is rouge1, rouge2 or rougeL."""
    return float(_scorer(kind).score(reference, answer)[kind].fmeasure)


@lru_cache(maxsize=len(_ROUGE))
def _scorer(kind: str) -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - reads all of nltk, two seconds

    return RougeScorer([kind], use_stemmer=False)


def _length(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def _measure(name: str, library: str) -> Measure:
    told = digest(name, 1, library=f"{library} {version(library)}")
    return Measure(name=name, words=_WORDS[name], how=How.RULE, digest=told)
