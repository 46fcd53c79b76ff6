"""Calls to Google Cloud: what fails for a moment is tried again, what fails for good is told with what to change."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError, TransportError
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]

from knowledge.index.site import Site
from knowledge.index.store import Missing, Near, Unanswered, Unfit, Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")

TIMEOUT = 60.0
"""Seconds for one call that makes, lists or deletes something."""
_TRIES = 5
LEAST = 0.05
"""Seconds that any question is given."""
_FAILURES = (google.GoogleAPICallError, OSError, GoogleAuthError, ParseError, ValueError)
# of sockets: those of the HTTP client are OSErrors too
_PASSING = (google.TooManyRequests, google.ServerError, OSError, TransportError, ParseError, ValueError)

_REQUEST = re.compile(r"^[A-Z]+ \S+: ")  # what the client puts before the words of the service
_OFF = re.compile(r"has not been used|SERVICE_DISABLED|is disabled")
_ADVICE = (
    (_OFF, "gcloud services enable {service}"),
    (re.compile(r"dimension", re.IGNORECASE), "It was made for another embedding model: opsplane index verify --mend"),
    (re.compile(r"machine", re.IGNORECASE), "OPSPLANE_INDEX_MACHINE names the machine; it is {machine}"),
    (re.compile(r"location|region", re.IGNORECASE), "OPSPLANE_GOOGLE_LOCATION names the region; it is {location}"),
)


class Taken(Exception):
    """What was to be made is there, or is being made."""


@dataclass(frozen=True)
class Caller:
    """Calls one service of a site; `role` is what the account needs there."""

    site: Site
    service: str
    role: str

    def do(self, what: str, call: Callable[[], T], tries: int = _TRIES) -> T:
        """The answer. Raises `Missing`, `Taken`, `Unfit` and, after some tries, `Unreachable`."""
        for attempt in range(1, tries + 1):
            try:
                return call()
            except _FAILURES as error:
                refusal = self.refusal(what, error)
                if attempt == tries or not isinstance(refusal, Unreachable):
                    raise refusal from error
                log.info("%s: %s; trying again", what, refusal)
                self.site.sleep(min(2.0 ** (attempt - 1), 8.0))
        raise AssertionError("not reached")

    def refusal(self, what: str, error: Exception) -> Exception:
        """An error of a client in words for those who run the product."""
        told = _REQUEST.sub("", str(getattr(error, "message", "") or error))[:500]
        if isinstance(error, _PASSING):
            return Unreachable(f"Google Cloud could not {what}: {_passing(error, told)}.")
        if isinstance(error, google.NotFound):
            return Missing(f"Google Cloud could not {what}: {told}")
        if isinstance(error, google.Conflict):
            return Taken(told)
        return Unfit(f"Google Cloud refused to {what}: {told} {self.advice(told, error)}")

    def advice(self, told: str, error: Exception | None = None) -> str:
        """What to change after a refusal in these words."""
        site = self.site
        values = {"service": self.service, "machine": site.machine, "location": site.location}
        if isinstance(error, google.Forbidden) and not _OFF.search(told):
            return (
                f"OPSPLANE_GOOGLE_PROJECT names the project; in {site.project} the account needs {self.role}: "
                f"gcloud projects add-iam-policy-binding {site.project} --member=serviceAccount:… --role={self.role}"
            )
        if isinstance(error, google.Unauthorized | GoogleAuthError):
            return "OPSPLANE_GOOGLE_CREDENTIALS says who signs in."
        for pattern, advice in _ADVICE:
            if pattern.search(told):
                return advice.format(**values)
        return f"It was asked in {site.parent}."


class Line:
    """Questions of customers: each within a deadline, tried again where that can help: once for what fails, and once
    more because a connection that was kept may be one that the other side has closed.

    After a failure none is asked for a while, so that a store that is down costs one customer its deadline and not all.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._until = float("-inf")
        self._why = ""

    def ask(self, query: Callable[[float], Near]) -> Near | Unanswered:
        """What a query answers that is told how many seconds it may take."""
        site = self._caller.site
        began = site.clock()
        if began < self._until:
            return Unanswered(self._why)
        left = site.deadline
        for share in (0.5, 0.5, 1.0):
            try:
                return query(left * share)
            except (*_FAILURES, Missing, Unfit, Unreachable) as error:
                known = isinstance(error, Missing | Unfit | Unreachable)
                refusal = error if known else self._caller.refusal("search the vectors", error)
            left = site.deadline - (site.clock() - began)
            if not isinstance(refusal, Unreachable) or left < LEAST:
                break
        self._why, self._until = str(refusal), site.clock() + site.rest
        log.warning("vectors are compared one by one for %.0f seconds: %s", site.rest, refusal)
        return Unanswered(self._why)


def _passing(error: Exception, told: str) -> str:
    """What is the matter for the moment; what sockets and parsers say of it helps nobody."""
    if isinstance(error, OSError | TransportError):
        return "there was no answer in time" if "timed out" in told else "there is no connection"
    return told if isinstance(error, google.GoogleAPICallError) else "the answer cannot be read"
