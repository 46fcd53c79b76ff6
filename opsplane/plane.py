"""The plane's present state, folded from the events on the record, and which release serves a customer."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from opsplane.access import SERVICE
from opsplane.errors import Conflict, NotFound
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.ledger.store import Entry, Ledger
from opsplane.release import Release

CONTROL = ("release_registered", "release_promoted")
"""The kinds of event that decide who is served what."""

STABLE = "stable"
"""The arm of customers who are in no rollout."""


@dataclass(frozen=True)
class Registered:
    """A release as it was registered: its very bytes."""

    id: str
    at: datetime
    canonical: str

    def read(self, digest: str) -> Release | None:
        """The release, or None where this version of the product no longer reads those bytes as the same value."""
        try:
            release = Release.model_validate_json(self.canonical)
        except ValidationError:
            return None
        return release if release.digest == digest else None


@dataclass(frozen=True)
class State:
    """What the events so far amount to. Releases are by digest; `releases` holds those that can serve."""

    registered: Mapping[str, Registered] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    stable: str = ""
    since: datetime | None = None


def fold(entries: Sequence[Entry]) -> State:
    """The state after these events. Pure: equal events, equal state."""
    registered: dict[str, Registered] = {}
    stable, since = "", None
    for entry in entries:
        match entry.event:
            case ReleaseRegistered(release=name, digest=digest, canonical=canonical):
                registered[digest] = Registered(name, entry.at, canonical)
            case ReleasePromoted(digest=digest):
                stable, since = digest, entry.at
    read = {digest: one.read(digest) for digest, one in registered.items()}
    return State(registered, {digest: one for digest, one in read.items() if one}, stable, since)


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

    def release_for(self, customer: str) -> tuple[Release, str]:  # noqa: ARG002 - a rollout decides by customer
        """The release that serves this customer, and the arm; raise `Conflict` where none was promoted yet."""
        return self.stable(), STABLE

    def stable(self) -> Release:
        """The release that customers are served by; raise `Conflict` where none was promoted yet."""
        state = self.state
        if not state.stable:
            raise Conflict("No release has been promoted yet, so nobody can be answered.")
        if state.stable not in state.releases:
            name = state.registered[state.stable].id
            raise Conflict(f"The release in force, {name}, was registered by another version of the product.")
        return state.releases[state.stable]

    def find(self, name: str) -> Release:
        """A release by id (its newest registration) or by the beginning of its digest.

        Raises `NotFound`, and `Conflict` for one that another version of the product registered.
        """
        state = self.state
        releases = state.releases
        for digest, release in reversed(list(releases.items())):
            if name in (release.id, release.short) or (len(name) >= 6 and digest.startswith(name)):
                return release
        if any(len(name) >= 6 and digest.startswith(name) for digest in state.registered):
            raise Conflict(f"The release {name} was registered by another version of the product; /releases lists it.")
        known = ", ".join(dict.fromkeys(release.id for release in releases.values())) or "none"
        raise NotFound(f"There is no release {name!r}. Known releases: {known}.")

    def configure(self, releases: Mapping[str, Release], stable: str) -> None:
        """At start: register what the files hold and promote `stable` unless it is already; `Conflict` if unknown."""
        state = self.state
        if stable not in releases:
            raise Conflict(f"The stable release {stable!r} has no file. Files: {', '.join(sorted(releases))}.")
        for release in releases.values():
            if release.digest not in state.registered:
                event = ReleaseRegistered(
                    release=release.id, digest=release.digest, canonical=release.canonical().decode()
                )
                self._ledger.append_now(event, SERVICE)
        wanted = releases[stable]
        if state.stable != wanted.digest:
            event_ = ReleasePromoted(release=wanted.id, digest=wanted.digest, reason="configured at start")
            self._ledger.append_now(event_, SERVICE)
