"""What a scorer is: something that looks at one case and its answer and gives one number, or says why it cannot."""

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from opsplane.evaluation.dataset import Case
from opsplane.exchange import Exchange
from opsplane.spend import Cost


class Better(StrEnum):
    """Which direction is good."""

    HIGHER = "higher"
    LOWER = "lower"


class How(StrEnum):
    """What a number rests on; a report says it beside the number."""

    RULE = "rule"  # counted or calculated from the texts alone
    EMBEDDED = "embedded"  # by the embedded models: no language model reads the answer
    MODEL = "model"  # by a language model
    CLOCK = "clock"  # measured on this machine: another run gives another number


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Measure(_Value):
    """What a scorer measures. `digest` names everything that its numbers depend on: version, prompt, model."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    words: str  # how people read it
    how: How
    digest: str
    better: Better = Better.HIGHER
    unit: str = "share"  # share in [0, 1], ms, micros (micro-dollars), points, or none


class Score(_Value):
    """What one scorer gave one case. `value` is None where it could not be scored, and `why` then tells the reason.

    `part` refines the number for people: by criterion, in the same unit.
    """

    scorer: str
    value: float | None = None
    why: str = ""
    part: dict[str, float] = {}
    costs: tuple[Cost, ...] = ()


class Scorer(Protocol):
    """Looks at one case at a time; the same case, answer and digest give the same score (unless `How.CLOCK`)."""

    @property
    def measure(self) -> Measure:
        """What it measures."""

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """The score, or None where the case says nothing about this measure.

        What goes wrong may be raised: whoever runs scorers makes an unscored row of it.
        """
