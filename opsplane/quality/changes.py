"""What operators, releases, documents and judges changed, and when: what a fall in quality is held against."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsplane.ledger.store import Public

KINDS = (
    *("release_registered", "release_promoted", "release_restored"),
    *("rollout_started", "rollout_advanced", "rollout_promoted", "rollout_aborted", "rollout_concluded"),
    *("documents_served", "document_withdrawn", "document_reinstated"),
    *("service_started", "kill_switch_pulled", "kill_switch_reset", "judge_calibrated"),
)
"""The kinds of entry that tell of a change."""
MOST = 2_000
"""The newest changes that are kept."""
_SWITCHED = {"kill_switch_pulled": "the kill switch was pulled", "kill_switch_reset": "the kill switch was reset"}
NEAR = timedelta(days=2)
"""What changed longer before a fall is not held responsible for it."""
RELEASES = frozenset({"release_promoted", "release_restored", "rollout_started", "rollout_promoted", "rollout_aborted"})
"""The kinds that change which release somebody is served by: they are drawn."""


@dataclass(frozen=True)
class Change:
    """Something that changed, in words that follow "just before"."""

    at: datetime
    kind: str
    words: str
    name: str = ""  # of the release, the index, the document or the judge


class Changes:
    """The changes on the record, taken in entry by entry; `votes` are the judges whose scores count."""

    def __init__(self) -> None:
        self._found: list[Change] = []
        self._names: dict[str, str] = {}
        self._models: dict[str, tuple[str, ...]] = {}
        self._rollouts: dict[str, str] = {}
        self._stable = ""
        self._service: tuple[str, Mapping[str, str]] | None = None
        self.votes: dict[str, bool] = {}

    def take(self, entry: Public) -> None:
        """Take one entry in; one of another kind changes nothing."""
        told = entry.payload
        words, name = self._words(entry.kind, told)
        if words:
            self._found.append(Change(entry.at, entry.kind, words, name))
            del self._found[:-MOST]

    def named(self, digest: str) -> str:
        """A release as people see it."""
        return self._names.get(digest, digest[:12])

    def between(self, since: datetime, until: datetime) -> Sequence[Change]:
        """The changes from `since` on and before `until`, oldest first."""
        return [one for one in self._found if since <= one.at < until]

    def before(self, at: datetime) -> Change | None:
        """The newest change before this moment, unless it is too old to have to do with it."""
        place = bisect_left(self._found, at, key=lambda one: one.at)
        found = self._found[place - 1] if place else None
        return found if found and found.at >= at - NEAR else None

    def _words(self, kind: str, told: Mapping[str, Any]) -> tuple[str, str]:
        match kind:
            case "release_registered":
                return self._registered(told)
            case "release_promoted" | "release_restored" | "rollout_promoted":
                return self._serves(kind, told)
            case "rollout_started" | "rollout_advanced" | "rollout_aborted" | "rollout_concluded":
                return self._rollout(kind, told)
            case "documents_served" | "document_withdrawn" | "document_reinstated":
                return _documents(kind, told)
            case "service_started":
                return self._started(told)
            case "judge_calibrated":
                return self._calibrated(told)
        return _SWITCHED.get(kind, ""), ""

    def _registered(self, told: Mapping[str, Any]) -> tuple[str, str]:
        digest = told["digest"]
        self._names[digest] = f"{told['release']}@{digest[:12]}"
        models = json.loads(told["canonical"]).get("models", {})
        self._models[digest] = tuple(str(models.get(tier, {}).get("name", "")) for tier in ("flash", "pro"))
        return "", ""

    def _serves(self, kind: str, told: Mapping[str, Any]) -> tuple[str, str]:
        digest, before = told["digest"], self._stable
        self._stable = digest
        verb = "was restored" if kind == "release_restored" else "was promoted to everybody"
        return f"release {self.named(digest)} {verb}{self._model(before, digest)}", self.named(digest)

    def _rollout(self, kind: str, told: Mapping[str, Any]) -> tuple[str, str]:
        name = told["rollout"]
        if kind == "rollout_started":
            self._rollouts[name] = " and ".join(self.named(one) for one in told["candidates"])
            self._stable = told["stable"]
            model = self._model(self._stable, told["candidates"][0])
            return f"rollout {name} of {self._rollouts[name]} began{model}", self._rollouts[name]
        of = self._rollouts.get(name, "a release")
        done = {
            "rollout_advanced": f"went to step {told.get('step', 0) + 1}",
            "rollout_aborted": "was aborted",
            "rollout_concluded": "ended",
        }
        return f"rollout {name} of {of} {done[kind]}", of

    def _model(self, before: str, after: str) -> str:
        """That another model answers, where that is so."""
        old, new = self._models.get(before), self._models.get(after)
        if not old or not new or old == new:
            return ""
        return f", with {' and '.join(dict.fromkeys(new))} in place of {' and '.join(dict.fromkeys(old))}"

    def _started(self, told: Mapping[str, Any]) -> tuple[str, str]:
        """A start that changed something; a mere restart did not."""
        now, before = (told["version"], told["settings"]), self._service
        self._service = now
        if before is None or before == now:
            return "", ""
        if before[0] != now[0]:
            return f"the service was started in version {now[0]} in place of {before[0]}", now[0]
        names = sorted(one for one in {*before[1], *now[1]} if before[1].get(one) != now[1].get(one))
        return f"the service was started with other settings ({', '.join(names)})", ""

    def _calibrated(self, told: Mapping[str, Any]) -> tuple[str, str]:
        judge, votes, before = told["judge"], bool(told["votes"]), self.votes.get(told["judge"])
        self.votes[judge] = votes
        if before == votes:
            return "", ""
        return f"the judge {judge} {'got' if votes else 'lost' if before else 'did not get'} its vote", judge


def _documents(kind: str, told: Mapping[str, Any]) -> tuple[str, str]:
    if kind == "documents_served":
        index, generation = told["index"], told["generation"]
        numbers = [f"{len(told[name])} {name}" for name in ("added", "changed", "removed") if told[name]]
        what = f" ({', '.join(numbers)})" if numbers else ""
        return f"index {index} began to serve generation {generation}{what}", index
    verb = "withdrawn" if kind == "document_withdrawn" else "reinstated"
    return f"document {told['document']} was {verb}", told["document"]
