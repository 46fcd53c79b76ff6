"""Indexes as releases need them: which may be promoted, which stay, and the deeds that are done to them.

An index is named by releases; what it holds is somebody else's business. Times are by the record's clock.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Literal

from opsplane.access import SERVICE, Actor
from opsplane.control import STAFF, recorded
from opsplane.control_events import Act
from opsplane.document_events import DocumentsServed, IndexEvaluated, IndexRetired
from opsplane.erasure import protected
from opsplane.errors import Conflict
from opsplane.ledger.store import Ledger
from opsplane.policy import Policy
from opsplane.release import Release
from opsplane.state import State

GRACE = timedelta(days=30)
"""An index that no release needs stays so long after it was built, or a release that names it was registered."""


class Restore(Act):
    """What a person is about to do: let the index answer from `generation` again, instead of from `before`."""

    kind: Literal["restore_index"] = "restore_index"
    index: str
    generation: str
    before: str


@dataclass(frozen=True)
class Index:
    """An index as this package knows it: when it was built, and given up where it was."""

    id: str
    made: datetime
    retired: datetime | None = None


@dataclass(frozen=True)
class Need:
    """Why an index stays, and until when; None means as long as that is so."""

    why: str
    until: datetime | None = None

    def over(self, now: datetime) -> bool:
        """Whether it is no reason any more."""
        return self.until is not None and self.until <= now


@dataclass(frozen=True)
class Standing:
    """What becomes of an index. `needs` are all reasons why it stays; without one it is given up, and its rows are
    deleted from `droppable` on."""

    index: Index
    needs: tuple[Need, ...]
    droppable: datetime

    @property
    def until(self) -> datetime | None:
        """When the last of the needs is over; None where one has no end."""
        ends = [one.until for one in self.needs]
        return None if not ends or None in ends else max(end for end in ends if end)


def standings(state: State, indexes: Mapping[str, Index], now: datetime, years: int) -> list[Standing]:
    """What becomes of each index; `years` is how long the record is kept. Pure."""
    kept = _years(years)
    found = []
    for one in indexes.values():
        needs = [need for need in _needs(state, one, kept) if not need.over(now)]
        last = [end or now for _, end in _served(state, one.id)]
        droppable = max([one.made, *last, *(filter(None, [one.retired]))]) + kept
        found.append(Standing(one, tuple(needs), droppable))
    return found


def naming(state: State, index: str) -> list[str]:
    """The digests of the registered releases that name an index, in the order in which they were registered."""
    return [digest for digest in state.registered if _names(state, digest, index)]


def evaluation(state: State, index: str, against: str) -> IndexEvaluated | None:
    """The newest evaluation of an index beside another one."""
    return next((one for one in reversed(state.index_reports.get(index, ())) if one.against == against), None)


def must_be_evaluated(state: State, release: Release, policy: Policy) -> None:
    """Raise `Conflict` for a release on another index than the stable one's that was not found as good as that."""
    stable = state.releases.get(state.stable)
    wanted = release.retrieval.index
    if policy.index_evaluation != "required" or stable is None or stable.retrieval.index == wanted:
        return
    against = stable.retrieval.index
    found = evaluation(state, wanted, against)
    if found is None:
        raise Conflict(
            f"{release.short} searches the index {wanted}, which was not evaluated against {against} of the stable "
            f"release yet: opsplane index evaluate {wanted} --against {against} --record"
        )
    if not found.passed:
        raise Conflict(
            f"{release.short} searches the index {wanted}, which did worse than {against} of the stable release when "
            f"it was evaluated: {found.summary} (report {found.report[:12]}). A newer evaluation that it passes lifts "
            f"this: opsplane index evaluate {wanted} --against {against} --record"
        )


async def evaluated(ledger: Ledger, report: IndexEvaluated, *, actor: Actor) -> None:
    """Put the evaluation of an index on the record."""
    async with recorded(ledger, "index", f"evaluate {report.index} against {report.against}", actor):
        actor.must_be(*STAFF)
        await ledger.append(report, actor)


async def restored(ledger: Ledger, deed: Restore, restore: Callable[[], DocumentsServed], *, actor: Actor) -> None:
    """Let an index answer from an earlier generation again; it never waits for anybody. Raises what `restore` does."""
    async with recorded(ledger, "index", f"{deed.index} restore {deed.generation}", actor):
        actor.must_be(*STAFF)
        await ledger.append(await asyncio.to_thread(restore), actor)


def years_kept(ledger: Ledger) -> int:
    """For how many years the record is kept."""
    return protected(ledger).years_kept


def retired(ledger: Ledger, index: str, reason: str, *, collected: bool) -> None:
    """Put on the record that the service gave an index up, or deleted what was left of it."""
    ledger.append_now(IndexRetired(index=index, reason=reason, collected=collected), SERVICE)


def _needs(state: State, index: Index, kept: timedelta) -> Iterator[Need]:
    if _names(state, state.stable, index.id):
        yield Need(f"{state.short(state.stable)} serves customers from it")
    if rollout := state.rollout:
        named = [one for one in (*rollout.candidates, rollout.stable) if _names(state, one, index.id)]
        if named:
            yield Need(f"{state.short(named[0])} is in rollout {rollout.id}")
    for digest, end in _served(state, index.id):
        if end is not None:
            yield Need(f"{state.short(digest)} served until {end:%Y-%m-%d}: as long as the record is kept", end + kept)
    yield from _young(state, index)


def _young(state: State, index: Index) -> Iterator[Need]:
    yield Need(f"built on {index.made:%Y-%m-%d}", index.made + GRACE)
    for digest in naming(state, index.id):
        at = state.registered[digest].at
        yield Need(f"{state.short(digest)} was registered on {at:%Y-%m-%d}", at + GRACE)


def _served(state: State, index: str) -> Iterator[tuple[str, datetime | None]]:
    """Releases that answered customers from an index, and until when; None: they do now."""
    for tenure, following in zip_longest(state.tenures, state.tenures[1:]):
        if _names(state, tenure.digest, index):
            yield tenure.digest, following.at if following else None
    for rollout in (*state.past, *([state.rollout] if state.rollout else [])):
        for digest in rollout.candidates:
            if _names(state, digest, index):
                yield digest, rollout.ended


def _names(state: State, digest: str, index: str) -> bool:
    """Whether a release searches an index; one that this version of the product does not read counts too."""
    if release := state.releases.get(digest):
        return release.retrieval.index == index
    try:
        told = json.loads(state.registered[digest].canonical)["retrieval"]["index"]
    except (KeyError, TypeError, ValueError):
        return False
    return bool(told == index)


def _years(years: int) -> timedelta:
    return timedelta(days=366 * years)
