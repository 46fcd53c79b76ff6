"""Keeps a rollout under watch: gathers evidence from the record, judges it, and does what follows from the verdict."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from opsplane import requests
from opsplane.access import SERVICE
from opsplane.control_events import (
    Act,
    AlertRaised,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutJudged,
    RolloutPaused,
    RolloutPromoted,
)
from opsplane.errors import Conflict, PlaneError
from opsplane.intent import Helm, put
from opsplane.ledger.store import Public
from opsplane.rollouts.evidence import KINDS, Evidence, Summary
from opsplane.rollouts.judgement import Judgement, Move, Verdict, decide, judge, winner
from opsplane.rollouts.plan import Kind, percent
from opsplane.rollouts.rollout import Rollout
from opsplane.state import State

log = logging.getLogger(__name__)

BATCH = 2_000
"""Entries read at a time."""
LOOK = 2.0
"""Seconds between two looks when nothing happens: hold times and deadlines pass by themselves."""


@dataclass(frozen=True)
class Watched:
    """A rollout as it stands: what was gathered, and what is thought of it."""

    rollout: Rollout
    summary: Summary
    judgement: Judgement


class Watcher:
    """Everything is derived from the record, so that every process that watches sees the same and one of them acts.

    `alert` is told what the service did by itself, once it is on the record.
    """

    def __init__(self, helm: Helm, alert: Callable[[AlertRaised], None] = lambda _: None) -> None:
        self._helm = replace(helm, judged=self.judged)
        self._alert = alert
        self._evidence: Evidence | None = None
        self._looking = threading.Lock()

    def watched(self, rollout: Rollout | None = None) -> Watched | None:
        """The rollout in progress, or another one, up to the newest chained entry; None where there is none."""
        wanted = rollout or self._helm.plane.state.rollout
        if wanted is None:
            return None
        with self._looking:
            evidence = self._gathered(wanted)
            summary = evidence.summary()
        approval = self._helm.policy.approves_promotion(wanted.plan)
        judgement = judge(wanted, summary, self._helm.now(), approval=approval)
        if wanted.plan.kind is Kind.EXPERIMENT:
            best, finding = winner(wanted.plan, summary.looks)
            judgement = replace(judgement, best=best, finding=finding)
        return Watched(wanted, summary, judgement)

    def judged(self, rollout: Rollout) -> Judgement:
        """What is thought of a rollout now."""
        found = self.watched(rollout)
        return found.judgement if found else Judgement(Verdict.ERROR, "There is no such rollout.")

    @property
    def helm(self) -> Helm:
        """What it steers by; its verdicts come from here."""
        return self._helm

    def look_now(self) -> Watched | None:
        """The same as `look`, after everything that is durable was chained."""
        self._helm.ledger.settle()
        return self.look()

    def look(self) -> Watched | None:
        """Judge the rollout in progress and act on it; what somebody else did meanwhile is left as it is."""
        found = self.watched()
        if found is None:
            return None
        move = decide(found.rollout, found.judgement, self._helm.now())
        self._note(found)
        act = self._act(found, move)
        if act is not None:
            self._do(act, found)
        return found

    def _gathered(self, rollout: Rollout) -> Evidence:
        evidence = self._evidence
        if evidence is None or evidence.rollout != rollout.id:
            begin = self._begin(rollout)
            evidence = self._evidence = Evidence(rollout, begin, self._votes(begin))
        end = rollout.ended
        while entries := self._helm.ledger.follow(evidence.seq, KINDS, BATCH):
            for entry in entries:
                if end is not None and entry.at > end:
                    return evidence
                evidence.take(entry)
        return evidence

    def _begin(self, rollout: Rollout) -> int:
        """The entry that started it: what came before tells nothing of it."""
        before = [one for one in self._helm.ledger.follow(0, ("rollout_started",), BATCH) if _is(one, rollout)]
        return before[0].seq if before else 0

    def _votes(self, begin: int) -> set[str]:
        """The judges that had their vote when the rollout began."""
        before = [one for one in self._helm.ledger.follow(0, ("judge_calibrated",), BATCH) if one.seq < begin]
        newest = {one.payload["judge"]: one.payload["votes"] for one in before}
        return {judge for judge, votes in newest.items() if votes}

    def _note(self, found: Watched) -> None:
        """Put a verdict on the record when it is another than the last."""
        state, judgement, rollout = self._helm.plane.state, found.judgement, found.rollout
        known = state.judged
        if known and (known.verdict, known.step) == (judgement.verdict.value, rollout.step):
            return
        event = RolloutJudged(
            rollout=rollout.id,
            step=rollout.step,
            verdict=judgement.verdict.value,
            reason=judgement.reason,
            seq=found.summary.seq,
            exposures=sum(found.summary.exposures),
        )
        self._helm.ledger.append_now(event, SERVICE)

    def _act(self, found: Watched, move: Move) -> Act | None:
        rollout, judgement = found.rollout, found.judgement
        about, why = rollout.id, judgement.reason
        match move:
            case Move.ABORT:
                late = judgement.verdict is not Verdict.FAILED
                reason = f"Nobody decided by the deadline; {why}" if late else why
                return RolloutAborted(rollout=about, cause="deadline" if late else judgement.cause, reason=reason)
            case Move.PAUSE:
                return RolloutPaused(rollout=about, reason=why)
            case Move.ADVANCE:
                return RolloutAdvanced(rollout=about, step=rollout.step + 1, reason=why)
            case Move.PROMOTE:
                return RolloutPromoted(rollout=about, digest=rollout.candidates[0], reason=why)
            case Move.CONCLUDE:
                won = rollout.candidates[judgement.best - 1] if judgement.best else ""
                return RolloutConcluded(rollout=about, winner=won, reason=judgement.finding or why)
        return None

    def _do(self, act: Act, found: Watched) -> None:
        try:
            with requests.alone(self._helm.ledger):
                state = self._helm.plane.state
                if state.rollout != found.rollout or state.killed or _held_up(state, act, self._helm):
                    return
                after = put(self._helm, act, SERVICE)
        except Conflict:
            return
        self._tell(act, found.rollout, after)

    def _tell(self, act: Act, rollout: Rollout, state: State) -> None:
        """Raise the alert for what the service did."""
        event = AlertRaised(about=act.kind, subject=rollout.id, text=_told(act, rollout, state))
        self._helm.ledger.append_now(event, SERVICE)
        self._alert(event)


class Watch:
    """A thread that looks after every exchange that it is woken for, and every `LOOK` seconds besides."""

    def __init__(self, watcher: Watcher, every: float = LOOK) -> None:
        self._watcher, self._every = watcher, every
        self._wake, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollout-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that something came in."""
        self._wake.set()

    def close(self) -> None:
        """Stop, after a look that is under way."""
        self._over.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            if self._over.is_set():
                return
            try:
                self._watcher.look()
            except PlaneError as error:
                log.error("the rollout could not be judged and is looked at again: %s", error)
            except Exception:
                log.exception("the rollout could not be judged and is looked at again")


def _is(entry: Public, rollout: Rollout) -> bool:
    return bool(entry.payload["rollout"] == rollout.id)


def _held_up(state: State, act: Act, helm: Helm) -> bool:
    """A freeze stops what goes further, never what goes back."""
    further = isinstance(act, RolloutAdvanced | RolloutPromoted)
    return further and state.frozen_at(helm.now()) is not None


def _told(act: Act, rollout: Rollout, state: State) -> str:
    names = ", ".join(state.short(one) for one in rollout.candidates)
    match act:
        case RolloutAborted():
            serves = f"{state.short(state.stable)} serves everybody."
            return f"Rollout {rollout.id} of {names} was aborted: {act.reason} {serves}"
        case RolloutPaused():
            return f"Rollout {rollout.id} of {names} was paused at {percent(rollout.share)}: {act.reason}"
        case RolloutAdvanced():
            share = percent(rollout.plan.steps[act.step].parts)
            return f"Rollout {rollout.id}: {names} now serves {share} of the customers."
        case RolloutPromoted():
            return f"Rollout {rollout.id} is through: {names} serves every customer."
        case _:
            return f"Rollout {rollout.id} of {names} is over. {act.reason}"
