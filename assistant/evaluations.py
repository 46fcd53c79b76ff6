"""Evaluations in a product that serves: one at a time, their reports kept and put on the record."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from assistant import assessing, evaluating, judging, scoring, workshop
from assistant.assessing import Order
from assistant.bootstrap import App
from assistant.evaluator import NOBODY, Asked, Made
from assistant.live_judging import Court, LiveJudging
from assistant.report_shelf import Shelf
from opsplane import catalogue, judges
from opsplane.access import SERVICE, Actor
from opsplane.control_events import AlertRaised
from opsplane.errors import Conflict, InvalidRequest
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.gate import Verdict
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.run import Standing
from opsplane.policy import Policy

ABOUT = "golden"
"""What an alert about the golden set is about; its subject is the release."""
_HOURS = 24


class Evaluations:
    """Implements `evaluator.Evaluator`. A second evaluation at the same time is refused with `Conflict`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._shop = workshop.of(app)
        self._shelf = Shelf(app.settings.data)
        self._busy = threading.Lock()
        self._courts: dict[tuple[str, tuple[str, ...]], Court] = {}

    @property
    def shelf(self) -> Shelf:
        """The reports that are kept here."""
        return self._shelf

    @property
    def policy(self) -> Policy:
        """What gates and judges are held against."""
        return self._app.desk.watcher.helm.policy

    def dataset(self, name: str) -> Dataset:
        """A dataset by its name; raises what `datasets.named` does. No path: whoever chats reads no files."""
        return assessing.of_name(name, self._app.settings)

    async def run(self, asked: Asked, told: Callable[[Standing], None], *, actor: Actor) -> Made:
        """Evaluate, keep the report, and put it on the record as the actor's."""
        made = await asyncio.to_thread(self._run, asked, told, None)
        event = assessing.event(made.assessment)
        await catalogue.evaluated(self._app.desk.plane, self._app.desk.ledger, event, actor=actor)
        return made

    def golden(self, alert: Callable[[AlertRaised], None]) -> str:
        """The job: the policy's dataset on the release that serves; operators hear when it passes no longer.

        A report that says the same as the one before is not put on the record again.
        """
        plane, ledger = self._app.desk.plane, self._app.desk.ledger
        release, dataset = plane.stable(), self.dataset(self.policy.gate.dataset)
        before = plane.state.evaluation(release.digest, dataset.name)
        made = self._run(Asked(release, None, dataset), lambda _: None, self.policy.sampling.day_micros // _HOURS)
        event = assessing.event(made.assessment)
        if before is None or (before.report, before.gate) != (event.report, event.gate):
            asyncio.run(catalogue.evaluated(plane, ledger, event, actor=SERVICE))
        told = before.gate if before else ""
        reason = made.assessment.decision.reason if made.assessment.decision else ""
        if event.gate != told and (event.gate == Verdict.FAILED.value or made.partial):
            said = "could not be run to its end on" if made.partial else "no longer passes"
            raised = AlertRaised(about=ABOUT, subject=release.short, text=f"{release.short} {said} golden: {reason}")
            ledger.append_now(raised, SERVICE)
            alert(raised)
        return event.summary

    def court(self) -> Court | None:
        """Who judges here, by the release that serves or else the settings; None where nobody does.

        Raises `InvalidRequest` for a judge that cannot be had, or whose price is not known: no budget could stop it.
        """
        release = self._app.desk.plane.stable()
        wanted = scoring.who(release, self._app.settings)
        if not wanted:
            return None
        for name in wanted:
            if name != judging.EMBEDDED and not self._shop.prices.knows(name):
                raise InvalidRequest(f"The judge {name} has no price in the table, so that no budget could stop it.")
        kept = self._courts.get((release.digest, wanted))
        if kept is None:
            kit = scoring.kit_of(self._shop, release)
            kept = Court(judging.judge(wanted, kit), judging.pair_judge(wanted, kit))
            self._courts = {(release.digest, wanted): kept}
        return kept

    def calibrate(self, alert: Callable[[AlertRaised], None]) -> str:
        """The job: judge what people labelled and the judge has not seen, then hold it against them."""
        desk, court = self._app.desk, self.catch_up()
        if court is None:
            return NOBODY
        pair = court.pair.identity if court.pair else ""
        return judges.calibrate_now(desk.plane, desk.ledger, court.judge.identity, self.policy.judges, pair, alert)

    def catch_up(self) -> Court | None:
        """Judge what people labelled and the judge has not seen, within the day's budget; who judged."""
        court, ledger = self.court(), self._app.desk.ledger
        if court:
            missing = judges.unseen(ledger, court.judge.identity, 2 * self.policy.judges.labels)
            LiveJudging(ledger, court, self.policy.sampling, self._app.desk.zone).judge(missing)
        return court

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nothing else is evaluated in this process; raise `Conflict` where something is."""
        if not self._busy.acquire(blocking=False):
            raise Conflict("An evaluation is under way. Wait for its report, or run it elsewhere: opsplane evaluate")
        try:
            yield
        finally:
            self._busy.release()

    def _run(self, asked: Asked, told: Callable[[Standing], None], at_most: int | None) -> Made:
        gate = self.policy.gate.model_copy(update={"dataset": asked.dataset.name})
        state = self._app.desk.plane.state
        order = Order(judge=asked.judge, together=2, at_most=at_most, gate=gate, votes=state.votes)
        order = replace(order, withdrawn=state.withdrawn, told=told)
        # a provider's model may answer otherwise today: only the embedded one is believed to have stayed the same
        file = evaluating.kept(self._app.settings.data) if _embedded(asked) else None
        with self.alone(), Kept(file) as known:
            made = assessing.assess(self._shop, asked.release, asked.against, asked.dataset, order, known)
        self._shelf.keep(made.assessment)
        return made


def equipped(app: App) -> App:
    """The product with evaluations on the desk that its commands work on."""
    return replace(app, desk=replace(app.desk, evaluations=Evaluations(app)))


def _embedded(asked: Asked) -> bool:
    models = [one.models for one in (asked.release, asked.against) if one]
    return all(one.name.startswith("embedded:") for found in models for one in (found.flash, found.pro))
