"""The plane's present state, folded from the events on the record, and which release serves a customer."""

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from opsplane import lookup
from opsplane.access import SERVICE
from opsplane.errors import Conflict
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.ledger.store import Ledger
from opsplane.release import Release
from opsplane.rollouts.rollout import STABLE
from opsplane.state import CONTROL, Standstill, State, fold

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """What serves a customer: the release, and where that customer is in a rollout; see `rollout.Side`.

    `shadow` is the candidate that answers this exchange too, unseen, and `shadowing` the rollout that wants it to.
    `killed` is the kill switch, while it is on.
    """

    release: Release
    arm: str
    rollout: str = ""
    share: int = 0
    shadow: Release | None = None
    shadowing: str = ""
    killed: Standstill | None = None


class Plane:
    """The state, brought up to date at every turn by one indexed count of the events that make it.

    Counting notices an event whatever order concurrent transactions commit in.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._seen = -1
        self._state = State()

    @property
    def state(self) -> State:
        """The state as of now."""
        count = self._ledger.count(CONTROL)
        with self._lock:
            if count != self._seen:
                entries = self._ledger.events(CONTROL)
                self._state, self._seen = fold(entries), len(entries)
            return self._state

    def release_for(self, customer: str, exchange: str = "") -> Serving:
        """What serves this customer; raise `Conflict` where no release was promoted yet."""
        state = self.state
        if state.killed:
            return Serving(_stable(state), STABLE, killed=state.killed)
        side = state.side(customer)
        rollout, shadow, shadowing = state.rollout, None, ""
        if rollout and customer and exchange and rollout.shadows(exchange):
            shadow, shadowing = state.releases.get(rollout.candidates[0]), rollout.id
        release = state.releases.get(side.digest) or _stable(state)
        return Serving(release, side.arm, side.rollout, side.share, shadow, shadowing)

    def stable(self) -> Release:
        """The release that customers are served by; raise `Conflict` where none was promoted yet."""
        return _stable(self.state)

    def find(self, name: str) -> Release:
        """A release by what a person calls it; raises as `lookup.find` does."""
        return lookup.find(self.state, name)

    def configure(self, releases: Mapping[str, Release], stable: str, indexes: Collection[str] = ()) -> list[str]:
        """At start: register what the files hold, and promote `stable` where nothing serves yet, or can serve.

        What was promoted since counts more than the setting. Gives back what is wrong with the files, in words: one
        that was changed after it was registered is left out. Raises `Conflict` where `stable` has no file.
        """
        if stable not in releases:
            raise Conflict(f"The stable release {stable!r} has no file. Files: {', '.join(sorted(releases))}.")
        problems = []
        for release in releases.values():
            registered = self.state.registered
            used = [digest for digest, one in registered.items() if one.id == release.id]
            if release.digest in registered:
                continue
            if used:
                problems.append(
                    f"{release.id} was changed after it was registered as {release.id}@{used[-1][:12]}: what is "
                    "registered goes on to count. Give the changed one another id."
                )
                continue
            event = ReleaseRegistered(release=release.id, digest=release.digest, canonical=release.canonical().decode())
            self._ledger.append_now(event, SERVICE)
        if reason := _unfit(self.state, indexes):
            wanted = releases[stable]
            if wanted.digest not in self.state.registered:
                raise Conflict(problems[-1])
            self._ledger.append_now(ReleasePromoted(release=wanted.id, digest=wanted.digest, reason=reason), SERVICE)
        for problem in problems:
            log.warning(problem)
        return problems


def _stable(state: State) -> Release:
    if not state.stable:
        raise Conflict("No release has been promoted yet, so nobody can be answered.")
    if state.stable not in state.releases:
        name = state.registered[state.stable].id
        raise Conflict(f"The release in force, {name}, was registered by another version of the product.")
    return state.releases[state.stable]


def _unfit(state: State, indexes: Collection[str]) -> str:
    """Why the configured release must be promoted, or nothing while the one in force can serve."""
    if not state.stable:
        return "configured at start"
    release = state.releases.get(state.stable)
    if release is None:
        return f"{state.short(state.stable)} cannot be read by this version of the product"
    if indexes and release.retrieval.index not in indexes:
        return f"{release.short} names the index {release.retrieval.index}, which does not exist any more"
    return ""
