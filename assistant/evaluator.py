"""What evaluates in a product that serves, as commands see it: they cannot know the product that runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from assistant.live_judging import Court
from assistant.report_shelf import Shelf
from opsplane.access import Actor
from opsplane.control_events import AlertRaised
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.run import Standing
from opsplane.policy import Policy
from opsplane.release import Release

NOBODY = "nobody judges here"
"""What a job says where no judge is wanted."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants evaluated; `against` is None where nothing is compared."""

    release: Release
    against: Release | None
    dataset: Dataset
    judge: str = ""


@dataclass(frozen=True)
class Made:
    """What an evaluation came to: answers known from before, and micro-dollars that it has just spent."""

    assessment: Assessment
    known: int
    spent_micros: int

    @property
    def partial(self) -> bool:
        """Whether it was ended before its end."""
        return self.assessment.report.partial


class Evaluator(Protocol):
    """Evaluates releases and judges, one at a time."""

    @property
    def shelf(self) -> Shelf:
        """The reports that are kept here."""

    @property
    def policy(self) -> Policy:
        """What gates and judges are held against."""

    def dataset(self, name: str) -> Dataset:
        """A dataset by its name; no path: whoever chats reads no files. Raises what `datasets.named` does."""

    async def run(self, asked: Asked, told: Callable[[Standing], None], *, actor: Actor) -> Made:
        """Evaluate, keep the report, and put it on the record as the actor's; raise `Conflict` while another runs."""

    def golden(self, alert: Callable[[AlertRaised], None]) -> str:
        """The job: the policy's dataset on the release that serves; operators hear when it passes no longer."""

    def calibrate(self, alert: Callable[[AlertRaised], None]) -> str:
        """The job: judge what people labelled and the judge has not seen, then hold it against them."""

    def court(self) -> Court | None:
        """Who judges here, None where nobody does; raises `InvalidRequest` for a judge that cannot be had."""

    def catch_up(self) -> Court | None:
        """Judge what people labelled and the judge has not seen, within the day's budget; who judged."""
