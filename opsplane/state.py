"""What the events on the record amount to: who is served what. Pure: equal events, equal state.

An act that the state did not allow when its turn came is void and changes nothing, so that of two people who act at
once one wins, and every state is a legal one wherever a process dies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, reduce

from pydantic import ValidationError

from opsplane.access import SERVICE, Actor
from opsplane.control_events import (
    Act,
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    KillSwitchReset,
    ReleaseEvaluated,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutJudged,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.document_events import DocumentReinstated, DocumentWithdrawn, IndexEvaluated
from opsplane.evaluation_events import JudgeCalibrated
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.ledger.store import Entry
from opsplane.release import Release
from opsplane.rollouts.rollout import STABLE, Happened, Rollout, Side, Status, begun

CONTROL = (
    "release_registered",
    "release_promoted",
    "release_restored",
    "release_evaluated",
    "rollout_started",
    "rollout_advanced",
    "rollout_paused",
    "rollout_resumed",
    "rollout_aborted",
    "rollout_promoted",
    "rollout_concluded",
    "rollout_judged",
    "changes_frozen",
    "changes_unfrozen",
    "kill_switch_pulled",
    "kill_switch_reset",
    "document_withdrawn",
    "document_reinstated",
    "index_evaluated",
    "judge_calibrated",
)
"""The kinds of event that decide who is served what."""


@dataclass(frozen=True)
class Registered:
    """A release as it was registered: its very bytes, when, and by whom."""

    id: str
    at: datetime
    canonical: str
    by: Actor = SERVICE

    def read(self, digest: str) -> Release | None:
        """The release, or None where this version of the product no longer reads those bytes as the same value."""
        return _read(self.canonical, digest)


@lru_cache(maxsize=512)
def _read(canonical: str, digest: str) -> Release | None:
    try:
        release = Release.model_validate_json(canonical)
    except ValidationError:
        return None
    return release if release.digest == digest else None


@dataclass(frozen=True)
class Tenure:
    """A release that became the stable one: when, through whom and why."""

    digest: str
    at: datetime
    by: Actor
    reason: str


@dataclass(frozen=True)
class Standstill:
    """A freeze or the kill switch: since when, through whom, why, and until when where that was said."""

    at: datetime
    by: Actor
    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class State:
    """What the events so far amount to. Releases are by digest; `releases` holds those that can serve."""

    registered: Mapping[str, Registered] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    reports: Mapping[str, tuple[ReleaseEvaluated, ...]] = field(default_factory=dict)
    tenures: tuple[Tenure, ...] = ()
    rollout: Rollout | None = None  # the one in progress
    past: tuple[Rollout, ...] = ()  # oldest first
    judged: RolloutJudged | None = None  # the newest verdict on the rollout in progress
    frozen: Standstill | None = None
    killed: Standstill | None = None
    withheld: Mapping[str, Standstill] = field(default_factory=dict)  # documents withdrawn, by name or id
    index_reports: Mapping[str, tuple[IndexEvaluated, ...]] = field(default_factory=dict)  # by index
    judges: Mapping[str, JudgeCalibrated] = field(default_factory=dict)  # the newest calibration of each
    void: Mapping[str, str] = field(default_factory=dict)  # acts that did not count, and why
    done: frozenset[str] = frozenset()  # requests that were carried out, or found no state that allowed it
    newest: Happened | None = None  # the newest act that counted
    version: int = 0  # how many acts counted

    @property
    def stable(self) -> str:
        """The digest of the release that serves everybody outside a rollout, or empty."""
        return self.tenures[-1].digest if self.tenures else ""

    @property
    def withdrawn(self) -> frozenset[str]:
        """Documents that are not answered from, whatever the index holds: names such as `fees@2`, or ids."""
        return frozenset(self.withheld)

    def votes(self, judge: str) -> bool:
        """Whether a judge's scores count, by its newest calibration."""
        return judge in self.judges and self.judges[judge].votes

    @property
    def since(self) -> datetime | None:
        """When it became that."""
        return self.tenures[-1].at if self.tenures else None

    def side(self, customer: str) -> Side:
        """Where a customer is; a candidate that this version cannot read serves nobody."""
        side = self.rollout.side(customer) if self.rollout else None
        return side if side and side.digest in self.releases else Side(self.stable, STABLE)

    def short(self, digest: str) -> str:
        """Id and beginning of the digest, as people see it."""
        return f"{self.registered[digest].id}@{digest[:12]}" if digest in self.registered else digest[:12] or "none"

    def served(self, digest: str) -> bool:
        """Whether a release was ever the stable one."""
        return any(one.digest == digest for one in self.tenures)

    def report(self, digest: str) -> str:
        """The newest evaluation report that a release passed, or empty."""
        return next((one.report for one in reversed(self.reports.get(digest, ())) if one.passed), "")

    def evaluation(self, digest: str, dataset: str) -> ReleaseEvaluated | None:
        """The newest report of a release on a dataset, whether it passed or not."""
        return next((one for one in reversed(self.reports.get(digest, ())) if one.dataset == dataset), None)

    def find_rollout(self, identity: str) -> Rollout | None:
        """A rollout by its id."""
        every = [*self.past, *([self.rollout] if self.rollout else [])]
        return next((one for one in every if one.id == identity), None)

    def frozen_at(self, now: datetime) -> Standstill | None:
        """The freeze that is in force at this time, if one is."""
        one = self.frozen
        return one if one and (one.until is None or now < one.until) else None


def fold(entries: Sequence[Entry]) -> State:
    """The state after these events, oldest first."""
    return reduce(step, entries, State())


def step(state: State, entry: Entry) -> State:
    """The state after one more event; one that the state does not allow is void."""
    event = entry.event
    taken = _TAKEN.get(type(event))
    if not isinstance(event, Act):
        return taken(state, entry, event) if taken else state
    if request := getattr(event, "request", ""):
        state = replace(state, done=state.done | {request})
    if refusal := _refusal(state, event, entry.at):
        return replace(state, void={**state.void, event.act: refusal})
    newest = Happened(entry.at, entry.actor, event.kind.replace("_", " "), event.reason)
    return replace(taken(state, entry, event) if taken else state, newest=newest, version=state.version + 1)


def _refusal(state: State, event: Act, at: datetime) -> str:
    """Why an act does not count, or nothing."""
    running = state.rollout
    match event:
        case RolloutStarted():
            if running:
                return f"Rollout {running.id} is in progress already."
            if event.stable != state.stable:
                return f"The stable release is {state.short(state.stable)} by now."
            return _standing(state, at)
        case RolloutAdvanced() | RolloutResumed() | RolloutPromoted():
            return _elsewhere(running, event.rollout) or _wrong_step(running, event) or _standing(state, at)
        case RolloutPaused() | RolloutAborted() | RolloutConcluded():
            if isinstance(event, RolloutPaused) and running and running.status is not Status.RUNNING:
                return f"Rollout {running.id} is {running.status.value} already."
            return _elsewhere(running, event.rollout)
        case ReleaseRestored() | DocumentWithdrawn() | DocumentReinstated():
            return _as_it_is(state, event)
    return ""


def _as_it_is(state: State, event: ReleaseRestored | DocumentWithdrawn | DocumentReinstated) -> str:
    if isinstance(event, ReleaseRestored):
        return "" if event.digest in state.registered else "That release was never registered."
    held = state.withheld.get(event.document)
    if isinstance(event, DocumentWithdrawn):
        return f"{event.document} is withdrawn already, since {held.at:%Y-%m-%d %H:%M} UTC." if held else ""
    return "" if held else f"{event.document} is not withdrawn."


def _standing(state: State, at: datetime) -> str:
    if state.killed:
        return f"The kill switch is on, since {state.killed.at:%Y-%m-%d %H:%M} UTC."
    if frozen := state.frozen_at(at):
        return f"Changes are frozen, since {frozen.at:%Y-%m-%d %H:%M} UTC."
    return ""


def _elsewhere(running: Rollout | None, wanted: str) -> str:
    if running is None:
        return "No rollout is in progress."
    return "" if running.id == wanted else f"Rollout {running.id} is in progress, not {wanted}."


def _wrong_step(running: Rollout | None, event: Act) -> str:
    if running is None:
        return ""
    match event:
        case RolloutAdvanced() if running.step + 1 != event.step or event.step >= len(running.plan.steps):
            return f"Rollout {running.id} is at step {running.step + 1} of {len(running.plan.steps)} by now."
        case RolloutResumed() if running.status is not Status.PAUSED:
            return f"Rollout {running.id} is not paused."
        case RolloutPromoted() if event.digest not in running.candidates:
            return "That release is not the candidate."
        case RolloutAdvanced() | RolloutPromoted() if running.status is Status.PAUSED:
            return f"Rollout {running.id} is paused: resume it first."
    return ""


def _registered(state: State, entry: Entry, event: ReleaseRegistered) -> State:
    one = Registered(event.release, entry.at, event.canonical, entry.actor)
    read = one.read(event.digest)
    releases = {**state.releases, event.digest: read} if read else state.releases
    return replace(state, registered={**state.registered, event.digest: one}, releases=releases)


def _evaluated(state: State, _entry: Entry, event: ReleaseEvaluated) -> State:
    before = state.reports.get(event.digest, ())
    return replace(state, reports={**state.reports, event.digest: (*before, event)})


def _promoted(state: State, entry: Entry, event: ReleasePromoted) -> State:
    newest = Happened(entry.at, entry.actor, "release promoted", event.reason)
    state = replace(state, newest=newest, version=state.version + 1)
    return _serving(state, entry, event.digest, event.reason)


def _restored(state: State, entry: Entry, event: ReleaseRestored) -> State:
    if state.rollout:
        state = _ended(state, entry, f"aborted by a rollback: {event.reason}", Status.ABORTED, cause="rollback")
    return _serving(state, entry, event.digest, event.reason) if event.digest != state.stable else state


def _serving(state: State, entry: Entry, digest: str, reason: str) -> State:
    return replace(state, tenures=(*state.tenures, Tenure(digest, entry.at, entry.actor, reason)))


def _started(state: State, entry: Entry, event: RolloutStarted) -> State:
    try:
        return replace(state, rollout=begun(event, entry.at, entry.actor), judged=None)
    except ValidationError:
        return replace(state, void={**state.void, event.act: "This version of the product does not read its plan."})


def _advanced(state: State, entry: Entry, event: RolloutAdvanced) -> State:
    return _going_on(state, entry, f"advanced to step {event.step + 1}", step=event.step, since=entry.at)


def _paused(state: State, entry: Entry, _event: RolloutPaused) -> State:
    return _going_on(state, entry, "paused", status=Status.PAUSED)


def _resumed(state: State, entry: Entry, _event: RolloutResumed) -> State:
    return _going_on(state, entry, "resumed", status=Status.RUNNING, since=entry.at)


def _aborted(state: State, entry: Entry, event: RolloutAborted) -> State:
    return _ended(state, entry, "aborted", Status.ABORTED, cause=event.cause)


def _rolled_out(state: State, entry: Entry, event: RolloutPromoted) -> State:
    ended = _ended(state, entry, "promoted", Status.PROMOTED, winner=event.digest)
    return _serving(ended, entry, event.digest, event.reason)


def _concluded(state: State, entry: Entry, event: RolloutConcluded) -> State:
    return _ended(state, entry, "concluded", Status.CONCLUDED, winner=event.winner)


def _judged(state: State, _entry: Entry, event: RolloutJudged) -> State:
    current = state.rollout and state.rollout.id == event.rollout
    return replace(state, judged=event) if current else state


def _frozen(state: State, entry: Entry, event: ChangesFrozen) -> State:
    until = datetime.fromisoformat(event.until) if event.until else None
    return replace(state, frozen=Standstill(entry.at, entry.actor, event.reason, until))


def _unfrozen(state: State, _entry: Entry, _event: ChangesUnfrozen) -> State:
    return replace(state, frozen=None)


def _killed(state: State, entry: Entry, event: KillSwitchPulled) -> State:
    if state.killed:
        return state
    if state.rollout and state.rollout.status is Status.RUNNING:
        state = _going_on(state, entry, "paused by the kill switch", status=Status.PAUSED)
    return replace(state, killed=Standstill(entry.at, entry.actor, event.reason))


def _revived(state: State, _entry: Entry, _event: KillSwitchReset) -> State:
    return replace(state, killed=None)


def _withdrawn(state: State, entry: Entry, event: DocumentWithdrawn) -> State:
    held = Standstill(entry.at, entry.actor, event.reason)
    return replace(state, withheld={**state.withheld, event.document: held})


def _reinstated(state: State, _entry: Entry, event: DocumentReinstated) -> State:
    return replace(state, withheld={name: one for name, one in state.withheld.items() if name != event.document})


def _index_evaluated(state: State, _entry: Entry, event: IndexEvaluated) -> State:
    before = state.index_reports.get(event.index, ())
    return replace(state, index_reports={**state.index_reports, event.index: (*before, event)})


def _calibrated(state: State, _entry: Entry, event: JudgeCalibrated) -> State:
    return replace(state, judges={**state.judges, event.judge: event})


def _going_on(state: State, entry: Entry, what: str, **changes: object) -> State:
    if state.rollout is None:
        return state
    return replace(state, rollout=state.rollout.told(entry.at, entry.actor, what, _reason(entry), **changes))


def _ended(state: State, entry: Entry, what: str, status: Status, **changes: object) -> State:
    if state.rollout is None:
        return state
    over = state.rollout.told(entry.at, entry.actor, what, _reason(entry), status=status, ended=entry.at, **changes)
    return replace(state, rollout=None, judged=None, past=(*state.past, over))


def _reason(entry: Entry) -> str:
    return entry.event.reason if isinstance(entry.event, Act) else ""


_TAKEN: dict[type, Callable[..., State]] = {
    ReleaseRegistered: _registered,
    ReleaseEvaluated: _evaluated,
    ReleasePromoted: _promoted,
    ReleaseRestored: _restored,
    RolloutStarted: _started,
    RolloutAdvanced: _advanced,
    RolloutPaused: _paused,
    RolloutResumed: _resumed,
    RolloutAborted: _aborted,
    RolloutPromoted: _rolled_out,
    RolloutConcluded: _concluded,
    RolloutJudged: _judged,
    ChangesFrozen: _frozen,
    ChangesUnfrozen: _unfrozen,
    KillSwitchPulled: _killed,
    KillSwitchReset: _revived,
    DocumentWithdrawn: _withdrawn,
    DocumentReinstated: _reinstated,
    IndexEvaluated: _index_evaluated,
    JudgeCalibrated: _calibrated,
}
