"""A sweep over settings of retrieval: what is tried, what it takes, and what each setting makes of the questions."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from pydantic import ValidationError

from assistant import trials, tuning
from assistant.embedders import embedders
from assistant.settings import Settings
from assistant.trials import JudgedSet
from assistant.tuning import Choice, Setting, Trial
from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.intake import Progress
from knowledge.judged import MEASURES, Question, Ranking
from knowledge.spec import IndexSpec
from opsplane.errors import InvalidRequest

WEIGHTS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the meaning against the words."""
PARTS = ((0.5, 0.25), (0.0, 0.0), (0.5, 0.0), (0.25, 0.25), (0.75, 0.25))
"""Shares of parts and document that are tried with each."""
MOST = 200
"""Settings that are tried at most."""


@dataclass(frozen=True)
class Sweep:
    """What settings are tried on."""

    judged: JudgedSet
    questions: Sequence[Question]
    settings: Settings
    model: MiniLM
    progress: Progress
    fresh: bool = False

    def costs(self, specs: Sequence[IndexSpec]) -> Iterator[str]:
        """A sentence for each index that has to be built: how much is embedded, and about how long that takes."""
        for spec in dict.fromkeys(specs):
            if trials.place(self.judged, spec, self.settings).exists() and not self.fresh:
                continue
            encoder = embedders(self.settings, self.model)[spec.embedding]
            count, seconds = trials.cost(self.judged, spec, encoder)
            minutes = seconds / 60 / (os.cpu_count() or 1)
            pieces = f"{spec.chunking.max_tokens} pieces, overlap {spec.chunking.overlap:g}"
            yield f"To embed for {pieces}: about {count:,} windows, {minutes:,.1f} minutes on all cores."

    def choice(self, some: Sequence[Setting], measure: str) -> tuple[Choice, list[Ranking]]:
        """Try the settings, of which the first is the default; the choice, and the rankings of what was chosen.

        Only the rankings of the best so far and of the default are kept in memory.
        """
        tried: list[Trial] = []
        default: list[Ranking] = []
        best: list[Ranking] = []
        highest = -1.0
        for spec in dict.fromkeys(one.spec for one in some):
            with trials.indexed(
                self.judged, spec, self.settings, self.model, self.progress, fresh=self.fresh
            ) as asking:
                for setting in (one for one in some if one.spec == spec):
                    what = f"Asking, setting {len(tried) + 1} of {len(some)}"
                    rankings = trials.asked(asking, self.questions, setting.plan, self.progress, what)
                    trial = Trial(setting, np.array([MEASURES[measure](one) for one in rankings]))
                    default = default or rankings
                    if trial.scores.mean() > highest:
                        highest, best = float(trial.scores.mean()), rankings
                    tried.append(trial)
        choice = tuning.choose(tried, tuning.folds_of([one.text for one in self.questions]), measure)
        return choice, best if choice.chosen is choice.best else default


def grid(now: Setting, weights: str, chunks: str, overlaps: str) -> list[Setting]:
    """The settings to try, the one in use first. Raises `InvalidRequest`."""
    shares = [float(one) for one in _numbers(weights, "--weights")] or list(WEIGHTS)
    sizes = [int(one) for one in _numbers(chunks, "--chunks")]
    repeats = _numbers(overlaps, "--overlaps")
    sizes_and_repeats = product(sizes or [now.spec.chunking.max_tokens], repeats or [now.spec.chunking.overlap])
    cuts = [_chunking(now.spec.chunking, size, repeat) for size, repeat in sizes_and_repeats]
    specs = [now.spec, *(now.spec.model_copy(update={"chunking": one}) for one in cuts)]
    plans = [now.plan]
    for weight, (part, document) in product(shares, PARTS):
        update = {"dense_weight": weight, "part_weight": part, "document_weight": document}
        if not 0 <= weight <= 1:
            raise InvalidRequest(f"--weights {weight:g}: a share lies between 0 and 1.")
        plans.append(now.plan.model_copy(update=update))
    settings = [Setting(spec, plan) for spec in dict.fromkeys(specs) for plan in plans]
    unique = [one for place, one in enumerate(settings) if one not in settings[:place]]
    if len(unique) > MOST:
        raise InvalidRequest(f"These are {len(unique)} settings; at most {MOST} are tried. Name fewer.")
    return unique


def _chunking(now: Chunking, size: int, overlap: float) -> Chunking:
    """The way of cutting with another size; what is joined shrinks with it."""
    least = round(now.min_tokens * size / now.max_tokens)
    try:
        return Chunking(max_tokens=size, min_tokens=least, overlap=overlap)
    except ValidationError as error:
        raise InvalidRequest(f"--chunks {size}, --overlaps {overlap:g}: {error.errors()[0]['msg']}.") from error


def _numbers(given: str, option: str) -> list[float]:
    try:
        return [float(one) for one in given.split(",") if one.strip()]
    except ValueError as error:
        raise InvalidRequest(f"{option} {given[:60]}: write numbers with commas between them.") from error
