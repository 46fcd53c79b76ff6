"""Which setting of retrieval to take, by cross-validation on judged questions; the evidence as a release fragment."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from assistant.panels import plain, table
from knowledge.judged import Mean, Ranking, mean
from knowledge.rank import SearchPlan
from knowledge.relevance import recall
from knowledge.spec import IndexSpec

FOLDS = 5
FEWEST = 20
"""Questions below which nothing is chosen."""
KS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30)
"""Numbers of passages that are looked at."""
WORTH = 0.05
"""So much recall more passages must bring, for what a model then has to read."""

Floats = NDArray[np.float64]
SHARES = ("dense_weight", "part_weight", "document_weight")


@dataclass(frozen=True)
class Setting:
    """One way of indexing and searching."""

    spec: IndexSpec
    plan: SearchPlan

    @property
    def label(self) -> str:
        """In a table."""
        chunking = self.spec.chunking
        shares = " · ".join(f"{getattr(self.plan, name):g}" for name in SHARES)
        return f"{shares} · {chunking.max_tokens} pieces, overlap {chunking.overlap:g}"


@dataclass(frozen=True)
class Trial:
    """A setting, and what its rankings are worth, question by question, in the same order for all."""

    setting: Setting
    scores: Floats


@dataclass(frozen=True)
class Choice:
    """What cross-validation says. `trials` holds the default first.

    `folds` are the places in `trials` of what was chosen without the questions of each fold, `held_out` what these
    choices scored on the questions that they were not made with.
    """

    measure: str
    trials: Sequence[Trial]
    folds: tuple[int, ...]
    held_out: Floats

    @property
    def default(self) -> Trial:
        """What is used as long as nothing is shown to be better."""
        return self.trials[0]

    @cached_property
    def best(self) -> Trial:
        """The highest mean over all questions; of equal ones the first."""
        return max(self.trials, key=lambda one: float(one.scores.mean()))

    @cached_property
    def gain(self) -> Mean:
        """How much choosing gains over the default on questions that were not chosen with."""
        return mean(self.held_out - self.default.scores)

    @property
    def chosen(self) -> Trial:
        """The best where choosing has been shown to gain on questions held out, else the default."""
        return self.best if self.shown else self.default

    @property
    def shown(self) -> bool:
        """Whether the gain is beyond what chance explains, with enough questions to tell."""
        return len(self.held_out) >= FEWEST and self.gain.low > 0

    @cached_property
    def plateau(self) -> list[Trial]:
        """All that cannot be told from the best: the 95 % interval of their difference holds 0."""
        return [one for one in self.trials if one is self.best or mean(self.best.scores - one.scores).low <= 0]


@dataclass(frozen=True)
class Evidence:
    """What a choice rests on, for whoever reads the fragment; `k` is recall by number of passages."""

    title: str
    digest: str
    questions: int
    documents: int
    on: date
    command: str
    k: Mapping[int, Mean]


def folds_of(texts: Sequence[str], count: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each question: by its words, so that one asked twice is never on both sides; shape (questions,)."""
    order = sorted(set(texts), key=lambda text: sha256(text.encode()).digest())
    place = {text: number % count for number, text in enumerate(order)}
    return np.array([place[text] for text in texts], np.int64)


def choose(trials: Sequence[Trial], folds: NDArray[np.int64], measure: str) -> Choice:
    """For each fold take what is best on the others, and score it on the fold; of equal settings the first is taken.

    Stone (1974), "Cross-validatory choice and assessment of statistical predictions".
    """
    scores = np.stack([one.scores for one in trials])
    held_out = np.empty(scores.shape[1])
    chosen = []
    for fold in np.unique(folds):
        inside = folds == fold
        rest = scores[:, ~inside] if not inside.all() else scores
        best = int(np.argmax(rest.mean(axis=1)))
        held_out[inside] = scores[best, inside]
        chosen.append(best)
    return Choice(measure, trials, tuple(chosen), held_out)


def by_passages(rankings: Sequence[Ranking]) -> dict[int, Mean]:
    """The share of relevant documents that the first k passages hold."""
    return {
        k: mean([recall([name for name, _ in one.passages[:k]], one.question.judged, k) for one in rankings])
        for k in KS
    }


def passages(rankings: Sequence[Ranking], default: int) -> int:
    """How many passages to take: the default, or the fewest more after which twice as many are not worth it.

    More are taken only where their recall is higher by `WORTH` and beyond chance.
    """
    taken = default
    for more in (k for k in KS if k > default):
        if more < min(2 * taken, KS[-1]):
            continue
        gained = mean([_recall(one, more) - _recall(one, taken) for one in rankings])
        if gained.value < WORTH or gained.low <= 0:
            break
        taken = more
    return taken


def _recall(one: Ranking, k: int) -> float:
    return recall([name for name, _ in one.passages[:k]], one.question.judged, k)


def markdown(choice: Choice, evidence: Evidence, taken: int, most: int = 12) -> str:
    """The table of settings, what was chosen, and how flat the top is."""
    ranked = sorted(choice.trials, key=lambda one: -float(one.scores.mean()))
    shown = [*ranked[:most], *([choice.default] if choice.default not in ranked[:most] else [])]
    flat = {id(one) for one in choice.plateau}
    rows = [
        (
            *(f"{getattr(one.setting.plan, name):g}" for name in SHARES),
            f"{one.setting.spec.chunking.max_tokens}/{one.setting.spec.chunking.overlap:g}",
            f"{one.scores.mean():.3f}",
            "(now)" if one is choice.default else _difference(one, choice.default),
            "yes" if id(one) in flat else "",
        )
        for one in shown
    ]
    heads = ("Meaning", "Parts", "Document", "Chunk/overlap", choice.measure, "Against now, 95 %", "Plateau")
    numbers = [(str(k), str(one), "taken" if k == taken else "") for k, one in evidence.k.items()]
    return "\n\n".join(
        [
            f"## {len(choice.trials)} settings on {evidence.questions:,} questions of {plain(evidence.title)}",
            table(heads, rows),
            _verdict(choice),
            plateau(choice),
            table(("Passages", "Relevant documents among them", ""), numbers),
        ]
    )


def plateau(choice: Choice) -> str:
    """How far the shares may be moved without a difference that can be told."""
    plans = [one.setting.plan for one in choice.plateau]
    spans = [
        f"{name} {min(values):g} to {max(values):g}"
        for name in SHARES
        if (values := [getattr(plan, name) for plan in plans])
    ]
    sizes = sorted({one.setting.spec.chunking.max_tokens for one in choice.plateau})
    pieces = f", {', '.join(str(size) for size in sizes)} pieces" if len(sizes) > 1 else ""
    return (
        f"Plateau: {len(plans)} of {len(choice.trials)} settings cannot be told from the best "
        f"({', '.join(spans)}{pieces})."
    )


def fragment(choice: Choice, evidence: Evidence, taken: int) -> str:
    """The chosen setting as YAML to be put into a release, with the evidence as comments."""
    setting = choice.chosen.setting
    fields: dict[str, Any] = {"index": setting.spec.id} if setting.spec != choice.default.setting.spec else {}
    fields |= {"passages": taken} | {name: getattr(setting.plan, name) for name in SHARES}
    told = [
        f"From {evidence.command} on {evidence.on.isoformat()}.",
        f"Set: {evidence.title}, {evidence.questions:,} questions, {evidence.documents:,} documents, digest "
        f"{evidence.digest}.",
        f"{choice.measure}: {mean(choice.chosen.scores)} with this, {mean(choice.default.scores)} with what was before "
        "(95 % bootstrap intervals over questions).",
        _verdict(choice),
        plateau(choice),
        "Relevant documents among the passages: " + ", ".join(f"{k}: {one}" for k, one in evidence.k.items()) + ".",
    ]
    if "index" in fields:
        told.append(f"The index has to be built before a release can name it: opsplane index build {_flags(setting)}")
    told.append("These lines go under `retrieval:` of a release of a new id, in place of those of the same name.")
    lines = [f"# {' '.join(one.split())}" for one in told]
    return "\n".join([*lines, yaml.safe_dump({"retrieval": fields}, sort_keys=False)])


def as_json(choice: Choice, evidence: Evidence, taken: int) -> dict[str, Any]:
    """Everything, every setting included."""
    return {
        "set": evidence.title,
        "digest": evidence.digest,
        "questions": evidence.questions,
        "documents": evidence.documents,
        "measure": choice.measure,
        "settings": [_told(one, choice) for one in choice.trials],
        "folds": [choice.trials[place].setting.label for place in choice.folds],
        "gain_held_out": vars(choice.gain),
        "shown": choice.shown,
        "chosen": _told(choice.chosen, choice),
        "passages": taken,
        "recall_by_passages": {str(k): vars(one) for k, one in evidence.k.items()},
    }


def _told(one: Trial, choice: Choice) -> dict[str, Any]:
    plan, chunking = one.setting.plan, one.setting.spec.chunking
    return {
        "index": one.setting.spec.id,
        **chunking.model_dump(),
        **{name: getattr(plan, name) for name in SHARES},
        "mean": vars(mean(one.scores)),
        "against_default": vars(mean(one.scores - choice.default.scores)),
    }


def _verdict(choice: Choice) -> str:
    gain, count = choice.gain, len(choice.held_out)
    picked = Counter(choice.trials[place].setting.label for place in choice.folds)
    how = "; ".join(f"{label} in {times} of {len(choice.folds)} folds" for label, times in picked.most_common())
    told = f"On questions held out, choosing gains {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] ({how})."
    if choice.chosen is choice.best and choice.best is choice.default:
        return f"{told} What is used now is the best of these."
    if choice.shown:
        return f"{told} Chosen: {choice.best.setting.label}."
    few = (
        f"{count} questions are too few to choose by (at least {FEWEST})" if count < FEWEST else "That is within noise"
    )
    return f"{told} {few}: what is used now stays."


def _difference(one: Trial, default: Trial) -> str:
    if one is default:
        return ""
    found = mean(one.scores - default.scores)
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _flags(setting: Setting) -> str:
    chunking = setting.spec.chunking
    return f"--max-tokens {chunking.max_tokens} --min-tokens {chunking.min_tokens} --overlap {chunking.overlap:g}"
