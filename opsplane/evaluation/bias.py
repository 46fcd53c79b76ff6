"""What sways a judge besides the answer's worth: how long it is, and where it stands. Pure."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.estimate import Estimate, Floats, Ranking, bootstrapped, correlations, estimate
from opsplane.evaluation.mcnemar import signs
from opsplane.evaluation.pairwise import Word
from opsplane.guardrails.sweep import wilson

SURE = 0.05
"""The two-sided p-value from which on a direction is called one."""


def length(judge: ArrayLike, people: ArrayLike, characters: ArrayLike, seed: int = 0) -> Estimate:
    """The partial rank correlation of a judge's errors with the answers' lengths; above 0 where longer ones gain.

    The error is the judge's score less people's, and what is held fixed is the mean of both. Long answers are often
    better ones, so something must be: but with people's score alone, whatever noise is in that score comes out as
    bias, and with nothing a judge that keeps to the middle of the scale seems to dislike length (Bland and Altman,
    "Comparing methods of measurement: why plotting difference against standard method is misleading", Lancet 346,
    1995). A liking for length that people share with the judge is not seen. The interval is the bootstrap over
    answers, ranks drawn anew.
    """
    given, right = np.asarray(judge, np.float64), np.asarray(people, np.float64)
    error, middle = Ranking(np.round(given - right, 9)), Ranking(np.round(given + right, 9))
    size = Ranking(characters)

    def partial(drawn: Floats) -> Floats:
        found = correlations([one.ranks(drawn) for one in (error, size, middle)], drawn)
        return _partial(found[0, 1], np.nan_to_num(found[0, 2]), np.nan_to_num(found[1, 2]))

    return bootstrapped(len(given), len(given), partial, seed)


def _partial(between: Floats, first: Floats, second: Floats) -> Floats:
    """The correlation of two, less what each has in common with a third (Yule 1907); NaN where nothing is left."""
    left = (1 - first**2) * (1 - second**2)
    found = np.full(len(between), np.nan)
    np.divide(between - first * second, np.sqrt(np.maximum(left, 0)), out=found, where=left > 1e-9)
    return np.asarray(np.clip(found, -1, 1))


class Position(BaseModel):
    """What came of pairs of answers that a judge saw in both orders.

    `swayed` is the share on which order alone decided: the judge preferred the same place both times, and so another
    answer; the interval is Wilson's. `earlier` and `later` count those by the place; `wavered` counts the pairs that
    were a tie in one order only, and `unscored` those that one order left unscored, which no share counts. `lean` is
    the place that the order favours, by the exact sign test, or empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int
    swayed: Estimate
    earlier: int
    later: int
    wavered: int
    unscored: int
    lean: Literal["", "earlier", "later"] = ""


def position(words: Iterable[tuple[Word, Word]]) -> Position:
    """Count words on (first, second) and on (second, first), each naming the answer."""
    said = list(words)
    scored = [one for one in said if "unscored" not in one]
    earlier, later = scored.count(("first", "second")), scored.count(("second", "first"))
    swayed = earlier + later
    pairs = len(scored)
    lean: Literal["", "earlier", "later"] = ""
    if swayed and signs(earlier, later)[0] <= SURE:
        lean = "earlier" if earlier > later else "later"
    return Position(
        pairs=pairs,
        swayed=estimate(pairs, swayed / pairs if pairs else np.nan, wilson(swayed, pairs)),
        earlier=earlier,
        later=later,
        wavered=sum(one != other for one, other in scored) - swayed,
        unscored=len(said) - pairs,
        lean=lean,
    )
