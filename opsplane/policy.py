"""What needs a second person: one YAML file, read at start."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

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


class Policy(_Value):
    """The whole policy. A plan can ask for more people, never for fewer."""

    version: int = Field(ge=1)
    approve: Approvals = Approvals()
    approvers: tuple[Role, ...] = (Role.APPROVER, Role.OPERATOR)
    expires: Duration = timedelta(days=1)
    evaluation: Literal["optional", "required"] = "optional"
    index_evaluation: Literal["optional", "required"] = "required"
    index_margin: float = Field(default=0.03, ge=0, le=0.5)

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
