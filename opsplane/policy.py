"""What needs a second person, what a gate demands and when a judge's word counts: one YAML file, read at start."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.access import Role
from opsplane.rollouts.plan import Duration, Plan

FILE = Path(__file__).parent / "policy.yaml"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approvals(_Value):
    """Which acts wait for a second person."""

    start: bool = True
    promote: bool = False
    early: bool = True
    unfreeze: bool = False
    reinstate: bool = True


Share = Annotated[float, Field(ge=0, le=1)]


class Threshold(_Value):
    """What a release must reach in one measure of an evaluation, in the measure's own unit.

    `least` is for measures where higher is better, `most` for the others. `margin` is how much it may have lost
    against the release that serves, by the interval of the paired difference.
    """

    least: float | None = None
    most: float | None = None
    margin: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.least is None and self.most is None and self.margin is None:
            raise ValueError("give least, most or margin")
        return self


class Gate(_Value):
    """What an evaluation must show before a release may be rolled out, by measure."""

    dataset: str = "golden"
    measures: dict[str, Threshold] = {}

    @property
    def compares(self) -> bool:
        """Whether anything is demanded against the release that serves."""
        return any(one.margin is not None for one in self.measures.values())

    def alone(self) -> Self:
        """The same without margins: for the release that serves, which is compared with nothing."""
        bounds = {name: one for name, one in self.measures.items() if (one.least, one.most) != (None, None)}
        left = {name: one.model_copy(update={"margin": None}) for name, one in bounds.items()}
        return self.model_copy(update={"measures": left})


class Judges(_Value):
    """When a judge's scores count. Below a floor the judge loses its vote until it is calibrated again.

    `agreement` is the least Krippendorff's alpha with people, `labels` how many labelled answers it takes, `length`
    and `position` the largest bias borne (a partial rank correlation with the answer's length; the share of pairs
    decided by the order), `alpha` the error of the drift test, `days` how old a label may be.
    """

    agreement: float = Field(default=0.6, ge=-1, le=1)
    labels: int = Field(default=40, ge=10, le=100_000)
    length: Share = 0.3
    position: Share = 0.2
    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    days: int = Field(default=180, ge=1, le=3_650)


class Sampling(_Value):
    """Which live exchanges a judge looks at: `share` of each stratum, and `strata` that differ, by topic or outcome.

    What a guardrail or a customer flagged is always looked at. `day_micros` is what judging may cost in a day.
    """

    share: Share = 0.1
    strata: dict[str, Share] = {}
    day_micros: int = Field(default=5_000_000, ge=0)


class QualityWatch(_Value):
    """How live quality is watched: the newest `window` against the `baseline` before it.

    `alpha` bounds the chance that a measure ever raises a false alarm; `harm` is the fall that matters, in [0, 1].
    """

    window: Duration = timedelta(hours=6)
    baseline: Duration = timedelta(days=14)
    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    harm: Share = 0.05
    least: int = Field(default=30, ge=5)  # exchanges in a window, below which nothing is said


class Policy(_Value):
    """The whole policy. A plan can ask for more people, never for fewer."""

    version: int = Field(ge=1)
    approve: Approvals = Approvals()
    approvers: tuple[Role, ...] = (Role.APPROVER, Role.OPERATOR)
    expires: Duration = timedelta(days=1)
    evaluation: Literal["optional", "required"] = "optional"
    index_evaluation: Literal["optional", "required"] = "required"
    index_margin: float = Field(default=0.03, ge=0, le=0.5)
    gate: Gate = Gate()
    judges: Judges = Judges()
    sampling: Sampling = Sampling()
    quality: QualityWatch = QualityWatch()

    def approves_start(self, plan: Plan) -> bool:
        """Whether a rollout by this plan begins only when a second person agrees."""
        return self.approve.start or "start" in plan.approve

    def approves_promotion(self, plan: Plan) -> bool:
        """Whether its candidate is promoted only when a second person agrees."""
        return self.approve.promote or "promote" in plan.approve

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if not self.approvers or not set(self.approvers) <= {Role.APPROVER, Role.OPERATOR, Role.REVIEWER}:
            raise ValueError("approvers: name roles of staff: approver, operator, reviewer")
        if not timedelta(minutes=1) <= self.expires <= timedelta(days=30):
            raise ValueError("expires: from 1m to 30d")
        return self


def load(path: Path = FILE) -> Policy:
    """The policy; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Policy)
