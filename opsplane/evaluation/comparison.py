"""Two runs of one dataset held against each other by case: what was won, what was lost, what may be chance."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from opsplane.errors import InvalidRequest
from opsplane.evaluation import paired
from opsplane.evaluation.mcnemar import McNemar, mcnemar
from opsplane.evaluation.paired import Paired, Part
from opsplane.evaluation.report import Answer, Report, Row
from opsplane.evaluation.scoring import Better, How, Measure


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Side(_Value):
    """One of the two runs; `report` is its report's digest."""

    release: str
    release_digest: str
    index: str
    generation: str
    report: str
    cases: int
    passed: int


class Change(_Value):
    """A measure on both sides, over the cases that both sides have a number for.

    `found` is new less old in the measure's own unit; its `won` and `lost` go by what is better in this measure.
    `only_old` and `only_new` count the cases that have a number on one side alone: they say nothing here.
    """

    measure: Measure
    found: Paired
    only_old: int = 0
    only_new: int = 0

    @property
    def loss(self) -> tuple[float, float, float]:
        """How much worse the new one is: as found, at least and at most (95 %); below 0 it is better."""
        one = self.found
        if self.measure.better is Better.LOWER:
            return one.difference, one.low, one.high
        return -one.difference, -one.high, -one.low


class Left(_Value):
    """A measure that is not compared, and why."""

    measure: str
    why: str


class Passes(_Value):
    """Cases passed before and after: those won and lost by name, and McNemar's test of how many they are."""

    won: tuple[str, ...]
    lost: tuple[str, ...]
    test: McNemar

    @property
    def old(self) -> int:
        """How many passed before."""
        return self.test.both + self.test.lost

    @property
    def new(self) -> int:
        """How many passed now."""
        return self.test.both + self.test.won


class Comparison(_Value):
    """What came of it. Equal reports give equal bytes of `content`; what a clock measured stands apart in `clocked`.

    `changed` names the cases whose answer is another one, `missing` those that one of the two runs did not come to.
    """

    dataset: str
    dataset_digest: str
    as_of: str
    judge: str
    old: Side
    new: Side
    passes: Passes
    changes: tuple[Change, ...]
    left: tuple[Left, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    clocked: tuple[Change, ...] = ()

    @cached_property
    def content(self) -> bytes:
        """The comparison as it is kept, without what a clock measured."""
        return self.model_dump_json(indent=1, exclude={"clocked"}).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `content`."""
        return hashlib.sha256(self.content).hexdigest()

    def change(self, name: str) -> Change | None:
        """A measure by its name."""
        return next((one for one in (*self.changes, *self.clocked) if one.measure.name == name), None)

    def why_left(self, name: str) -> str:
        """Why a measure was not compared; empty where it was, or where neither side knows it."""
        return next((one.why for one in self.left if one.measure == name), "")


def compare(old: Report, new: Report) -> Comparison:
    """Hold `new` against `old`. Pure; raise `InvalidRequest` where they did not answer the same questions."""
    _alike(old, new)
    before, after = ({row.case: row for row in one.rows} for one in (old, new))
    names = [name for name in after if name in before]
    if not names:
        raise InvalidRequest("The two runs have no case in common: both were interrupted. Let them run to their end.")
    pairs = {name: (before[name], after[name]) for name in names}
    found, left = _measured(old, new, pairs)
    return Comparison(
        dataset=new.dataset,
        dataset_digest=new.dataset_digest,
        as_of=new.as_of.isoformat(),
        judge=new.judge,
        old=_side(old),
        new=_side(new),
        passes=_passes(pairs),
        changes=tuple(one for one in found if one.measure.how is not How.CLOCK),
        left=tuple(left),
        changed=tuple(name for name, (one, other) in pairs.items() if _words(one.answer) != _words(other.answer)),
        missing=tuple(sorted(before.keys() ^ after.keys())),
        clocked=tuple(one for one in found if one.measure.how is How.CLOCK),
    )


def _alike(old: Report, new: Report) -> None:
    if old.as_of != new.as_of:
        told = f"One run answered as on {old.as_of}, the other as on {new.as_of}"
    elif old.dataset_digest != new.dataset_digest:
        told = (
            f"The two runs were not asked the same: {old.dataset} {old.dataset_digest[:12]} and "
            f"{new.dataset} {new.dataset_digest[:12]}"
        )
    elif old.judge != new.judge:
        told = f"One run was judged by {old.judge or 'nobody'}, the other by {new.judge or 'nobody'}"
    else:
        return
    raise InvalidRequest(f"{told}. Evaluate both releases on the same dataset, day and judge.")


def _side(one: Report) -> Side:
    return Side(
        release=one.release,
        release_digest=one.release_digest,
        index=one.index,
        generation=one.generation,
        report=one.digest,
        cases=len(one.rows),
        passed=one.passed,
    )


_Pairs = Mapping[str, tuple[Row, Row]]


def _passes(pairs: _Pairs) -> Passes:
    won = tuple(name for name, (one, other) in pairs.items() if other.passed and not one.passed)
    lost = tuple(name for name, (one, other) in pairs.items() if one.passed and not other.passed)
    both = sum(one.passed and other.passed for one, other in pairs.values())
    neither = len(pairs) - both - len(won) - len(lost)
    return Passes(won=won, lost=lost, test=mcnemar(both, len(lost), len(won), neither))


def _measured(old: Report, new: Report, pairs: _Pairs) -> tuple[list[Change], list[Left]]:
    known = {one.name: one for one in old.measures}
    ours = {one.name for one in new.measures}
    found: list[Change] = []
    left = [Left(measure=name, why=f"only {old.release} was measured in it") for name in known if name not in ours]
    for measure in new.measures:
        one = _change(known.get(measure.name), measure, pairs, old.release)
        if isinstance(one, Change):
            found.append(one)
        else:
            left.append(one)
    return found, left


def _change(before: Measure | None, after: Measure, pairs: _Pairs, old: str) -> Change | Left:
    name = after.name
    if before is None:
        return Left(measure=name, why=f"{old} was not measured in it")
    if before.digest != after.digest:
        return Left(measure=name, why="the two runs measured it by different versions: evaluate the older one again")
    sides = [{case: part for case, pair in pairs.items() if (part := _part(pair[side], name))} for side in (0, 1)]
    common = sides[0].keys() & sides[1].keys()
    shared = [{case: part for case, part in side.items() if case in common} for side in sides]
    one = paired.compare(name, shared[0], shared[1])
    if one is None:
        return Left(measure=name, why="no case has a number on both sides")
    if after.better is Better.LOWER:
        one = one.model_copy(update={"won": one.lost, "lost": one.won})
    only = [len(side) - len(common) for side in sides]
    return Change(measure=after, found=one, only_old=only[0], only_new=only[1])


def _part(row: Row, name: str) -> Part | None:
    score = row.score(name)
    return None if score is None or score.value is None else (score.value, 1.0)


def _words(answer: Answer) -> tuple[Any, Sequence[Any]]:
    """What of an answer a customer notices."""
    return (answer.outcome, answer.code), answer.sentences
