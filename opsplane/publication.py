"""Documents put in front of customers when a second person agrees: void once the library has moved meanwhile."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsplane import requests
from opsplane.access import Actor
from opsplane.approval import Request, State, worded
from opsplane.document_events import DocumentsServed
from opsplane.documents import must_be_free
from opsplane.errors import Conflict
from opsplane.intent import STEERS, Helm
from opsplane.requests import Action

PUBLISH = "publish-documents"


@dataclass(frozen=True)
class Flip:
    """An index that is to answer from the generation `after` instead of `before`."""

    index: str
    before: str
    after: str

    def __str__(self) -> str:
        """As it stands among a request's details."""
        return f"{self.index}: {self.before} > {self.after}"


@dataclass(frozen=True)
class Shelves:
    """The library as publishing needs it, handed in by whoever keeps it.

    `void` tells why a request can no longer be carried out, or nothing. `publish` carries it out, all of it or
    nothing; it may be called again after it was cut off, raises `Conflict`, and gives what then stands on the record.
    """

    void: Callable[[Request], str]
    publish: Callable[[Request], Sequence[DocumentsServed]]


def actions(helm: Helm, shelves: Shelves) -> dict[str, Action]:
    """What about many documents needs two people."""
    deed = _Publishing(helm, shelves)
    return {
        PUBLISH: Action(
            name=PUBLISH,
            words="publish",
            makers=STEERS,
            deciders=helm.policy.approvers,
            lapses=helm.policy.expires,
            check=deed.check,
            carry_out=deed.carry_out,
            unfinished=deed.unfinished,
        )
    }


def details(flips: Iterable[Flip], **more: str) -> dict[str, str]:
    """What an approval is bound to: which generations, and what `more` says."""
    return {**more, "generations": ", ".join(map(str, flips))}


def flips(bound: Mapping[str, str]) -> list[Flip]:
    """The generations out of a request's details."""
    parts = [one.partition(": ") for one in bound["generations"].split(", ")]
    return [Flip(index, *told.split(" > ")) for index, _, told in parts]


def ask(helm: Helm, action: Action, subject: str, reason: str, bound: Mapping[str, str], *, actor: Actor) -> Request:
    """Make the request; raise `Conflict` where the same is asked for already, or changes are frozen."""
    with requests.alone(helm.ledger):
        must_be_free(helm.plane.state, helm)
        for one in waiting(requests.every(helm.ledger).values()):
            if one.details["generations"] == bound["generations"]:
                raise Conflict(f"That is asked for already: request {one.id}, by {one.maker.id}.")
        return requests.make(helm.ledger, action, subject, worded(reason), actor, **bound)


def waiting(every: Iterable[Request]) -> list[Request]:
    """Those of these requests that are about publishing and are not decided."""
    return [one for one in every if one.action == PUBLISH and one.state is State.OPEN]


@dataclass(frozen=True)
class _Publishing:
    helm: Helm
    shelves: Shelves

    def check(self, request: Request) -> None:
        """Raise `Conflict` under a freeze, and where the library is not what was looked at."""
        must_be_free(self.helm.plane.state, self.helm)
        if why := self.shelves.void(request):
            raise Conflict(why)

    def carry_out(self, request: Request) -> tuple[DocumentsServed, ...]:
        """Publish, and put on the record what is not there yet."""
        if not self.unfinished(request):
            raise Conflict(self.shelves.void(request) or f"Request {request.id} is carried out already.")
        recorded = {one.index for one in self._recorded(request)}
        served = tuple(self.shelves.publish(request))
        for one in served:
            if one.index not in recorded:
                self.helm.ledger.append_now(one, request.maker)
        return served

    def unfinished(self, request: Request) -> bool:
        """Whether it was agreed to and cut off; one that became void since is over."""
        return len(self._recorded(request)) < len(flips(request.details)) and not self.shelves.void(request)

    def _recorded(self, request: Request) -> list[DocumentsServed]:
        events = (one.event for one in self.helm.ledger.events(["documents_served"]))
        return [one for one in events if isinstance(one, DocumentsServed) and one.request == request.id]
