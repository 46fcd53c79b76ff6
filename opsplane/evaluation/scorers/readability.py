"""How hard an answer is to read: Flesch's reading ease and the Flesch-Kincaid grade.

Reading ease is 206.835 - 1.015 (words / sentences) - 84.6 (syllables / words) (Flesch 1948); the grade, in years of an
American school, 0.39 (words / sentences) + 11.8 (syllables / words) - 15.59 (Kincaid et al. 1975).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers import syllables
from opsplane.evaluation.scorers.rule import Found, Rule, digest, sentences, written
from opsplane.evaluation.scoring import Better, How, Measure
from opsplane.exchange import Exchange

VERSION = 1
LONGEST = 100_000
"""Characters of an answer that are read."""
_WORD = re.compile(r"\$?\d[\d.,:/%-]*|[^\W\d_]+(?:['’-][^\W\d_]+)*")


class Counts(NamedTuple):
    """What the formulas count."""

    sentences: int
    words: int
    syllables: int

    @property
    def ease(self) -> float:
        """Reading ease in points: 60 to 70 is plain English, below 30 very hard."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / self.words

    @property
    def grade(self) -> float:
        """The school grade that it takes."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59


def scorers() -> list[Rule]:
    """Both."""
    return [
        Rule(_measure("readability", "Flesch reading ease of the answers", Better.HIGHER), readability),
        Rule(_measure("grade_level", "Flesch-Kincaid grade of the answers", Better.LOWER), grade_level),
    ]


def readability(_case: Case, exchange: Exchange) -> Found | None:
    """Reading ease of the model's own sentences; None where it wrote none."""
    found = counted(written(exchange))
    return Found(round(found.ease, 4)) if found else None


def grade_level(_case: Case, exchange: Exchange) -> Found | None:
    """Grade of the model's own sentences; None where it wrote none."""
    found = counted(written(exchange))
    return Found(round(found.grade, 4)) if found else None


def counted(texts: Sequence[str]) -> Counts | None:
    """Sentences, words and syllables; a figure is a word of one syllable. None where there is no word."""
    parts = [_WORD.findall(part) for part in sentences(["\n".join(texts)[:LONGEST]])]
    lines = [line for line in parts if line]
    words = [word for line in lines for word in line]
    if not words:
        return None
    return Counts(len(lines), len(words), sum(_syllables(word) for word in words))


def _syllables(word: str) -> int:
    return sum(syllables.count(part) for part in word.split("-")) if word[0].isalpha() else 1


def _measure(name: str, words: str, better: Better) -> Measure:
    return Measure(name=name, words=words, how=How.RULE, digest=digest(name, VERSION), better=better, unit="points")
