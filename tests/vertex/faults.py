"""Faults on demand: what a local server does instead of answering, so many times, where a rule says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock


class Kind(Enum):
    """What happens to a call. The first group is done to any service; the second only its service can do."""

    BUSY = "429"
    UNAVAILABLE = "503"
    INTERNAL = "500"
    DENIED = "403"
    NOT_FOUND = "404"
    INVALID = "400"
    SLOW = "slow"  # answers after `seconds`
    HANGS = "hangs"  # never answers
    DROPS = "drops"  # the connection breaks after `bytes` of the body
    TRUNCATED = "truncated"  # the body ends in good order after `bytes`
    GARBLED = "garbled"  # the body is no JSON

    BLOCKED = "blocked"  # a prompt is refused
    SAFETY = "safety"  # an answer is stopped for its content
    TOO_LONG = "too long"  # an answer is cut off at its most tokens
    MALFORMED = "malformed"  # structured output that does not fit its schema
    EXPIRED = "expired"  # cached content is gone


COMMON = frozenset(Kind) - {Kind.BLOCKED, Kind.SAFETY, Kind.TOO_LONG, Kind.MALFORMED, Kind.EXPIRED}


@dataclass
class Fault:
    """One rule. It hits calls whose `service.verb` begins with `calls` and whose path holds `where`."""

    kind: Kind
    calls: str = ""
    where: str = ""  # such as locations/us-central1 or a model's name
    times: int = 1_000_000
    retry_after: str = ""  # the header, of 429 and 503
    seconds: float = 5.0
    bytes: int = 200
    message: str = ""


@dataclass
class Faults:
    """The rules in force; the first that fits is used up by one."""

    _rules: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, kind: Kind, calls: str = "", where: str = "", **how: object) -> Fault:
        """From now on, until it has happened so many `times`."""
        rule = Fault(kind, calls, where, **how)  # type: ignore[arg-type]  # the dataclass says what there is
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """All is well again."""
        with self._lock:
            self._rules.clear()

    def common(self, call: str, path: str) -> Fault | None:
        """The fault that any service has for a call."""
        return self._take(lambda rule: rule.kind in COMMON, call, path)

    def special(self, call: str, path: str, *kinds: Kind) -> Fault | None:
        """The first fault of these kinds for a call; its service does it."""
        return self._take(lambda rule: rule.kind in kinds, call, path)

    def _take(self, wanted: Callable[[Fault], bool], call: str, path: str) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if wanted(rule) and rule.times > 0 and call.startswith(rule.calls) and rule.where in path:
                    rule.times -= 1
                    return rule
        return None
