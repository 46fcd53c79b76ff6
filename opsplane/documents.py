"""What people decide about documents: to withdraw one takes one person, to answer from it again a second one."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from opsplane.access import Role
from opsplane.approval import Request, worded
from opsplane.document_events import DocumentReinstated, DocumentWithdrawn
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.intent import Ask, Helm, Intent, put
from opsplane.ledger.store import Ledger
from opsplane.requests import Action
from opsplane.state import CONTROL, Standstill, State, fold

LOOKS_AFTER = (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)
"""Who may withdraw a document, and see what is answered from."""
REINSTATE = "reinstate-document"
_LISTED = 8  # names that are told where none of them was meant
_TOLD = 6  # versions that are named where all are meant


def withdraw(state: State, names: Collection[str], wanted: str, reason: str) -> Intent:
    """Answer nobody from a document any more, in one version (`fees@2`) or in all (`fees`).

    `names` are the documents of the library. Raises `NotFound` with the nearest of them, `InvalidRequest` and
    `Conflict`.
    """
    name = find(names, wanted)
    id_, _, version = name.partition("@")
    for held in (name, id_):
        if held in state.withheld:
            raise Conflict(
                f"{_told(held)} is withdrawn already, by {state.withheld[held].by.id}: {_since(state, held)}"
            )
    versions = sorted(one for one in names if one.partition("@")[0] == id_)
    more = f" and {len(versions) - _TOLD} more" if len(versions) > _TOLD else ""
    which = name if version else f"{id_} in every version ({', '.join(versions[:_TOLD])}{more})"
    words = (
        f"Nobody is answered from {which} any more, from the next turn on and in every process. "
        f"/reinstate {name} ends that."
    )
    return Intent("withdraw", words, DocumentWithdrawn(document=name, reason=worded(reason)))


def reinstate(state: State, helm: Helm, wanted: str, reason: str) -> Intent:
    """Answer from a withdrawn document again; by the policy that waits for a second person. Raises as above."""
    name = _withheld(state, wanted)
    must_be_free(state, helm)
    words = f"Customers are answered from {name} again, from the next turn on, where it is in force."
    if not helm.policy.approve.reinstate:
        return Intent("reinstate", words, DocumentReinstated(document=name, reason=worded(reason)))
    ask = Ask(actions(helm)[REINSTATE], name, worded(reason), {"since": state.withheld[name].at.isoformat()})
    return Intent("reinstate", f"{words} A second person must agree: this makes a request.", ask)


def actions(helm: Helm) -> dict[str, Action]:
    """What about single documents needs two people."""
    deed = _Reinstating(helm)
    return {
        REINSTATE: Action(
            name=REINSTATE,
            words="answer customers again from",
            makers=LOOKS_AFTER,
            deciders=helm.policy.approvers,
            lapses=helm.policy.expires,
            check=deed.check,
            begin=deed.begin,
            carry_out=lambda _: helm.plane.state,
            unfinished=deed.unfinished,
        )
    }


def find(names: Collection[str], wanted: str) -> str:
    """A document's name, or the id of all its versions, as the library writes it; raise `NotFound` with the nearest."""
    wanted = wanted.strip()
    if not wanted:
        raise InvalidRequest(
            "Which document? Give its name, as /documents shows it: fees@2, or fees for every version."
        )
    known = {one.lower(): one for one in names} | {
        one.partition("@")[0].lower(): one.partition("@")[0] for one in names
    }
    if found := known.get(wanted.lower()):
        return found
    raise NotFound(f"There is no document {wanted[:80]!r}.{_nearest(known, wanted)} /documents lists them.")


def must_be_free(state: State, helm: Helm) -> None:
    """Raise `Conflict` while changes are frozen; what takes something from customers never waits for that."""
    if frozen := state.frozen_at(helm.now()):
        end = f" until {frozen.until:%Y-%m-%d %H:%M} UTC" if frozen.until else ""
        raise Conflict(f"Changes are frozen{end}, by {frozen.by.id}: {frozen.reason}")


def withheld_at(ledger: Ledger, at: datetime) -> Mapping[str, Standstill]:
    """What was withdrawn at a time, by name or id."""
    return fold([one for one in ledger.events(CONTROL) if one.at <= at]).withheld


@dataclass(frozen=True)
class _Reinstating:
    helm: Helm

    def check(self, request: Request) -> None:
        """Raise `Conflict` where the document is not withdrawn any more, or by another act."""
        state = self.helm.plane.state
        must_be_free(state, self.helm)
        held = state.withheld.get(request.subject)
        if held is None or held.at.isoformat() != request.details["since"]:
            raise Conflict(f"Void: {request.subject} is not withdrawn as it was when this was asked for.")

    def begin(self, request: Request) -> None:
        """Put it on the record, in the maker's name."""
        if not self.unfinished(request):
            return
        self.check(request)
        decider = request.decider.id if request.decider else ""
        event = DocumentReinstated(
            document=request.subject, reason=request.reason, request=request.id, approved_by=decider
        )
        put(self.helm, event, request.maker)

    def unfinished(self, request: Request) -> bool:
        """Whether it was agreed to and cut off; one that lapsed since is over."""
        lapsed = request.until is not None and self.helm.now() >= request.until
        return not lapsed and request.id not in self.helm.plane.state.done


def _withheld(state: State, wanted: str) -> str:
    """The withdrawn document that is meant."""
    held = {one.lower(): one for one in state.withheld}
    wanted = wanted.strip()
    if not wanted:
        raise InvalidRequest("Which document? /documents lists those that are withdrawn.")
    if found := held.get(wanted.lower()):
        return found
    id_ = held.get(wanted.lower().partition("@")[0])
    if id_:
        raise Conflict(f"{id_} is withdrawn in every version: /reinstate {id_} ends that.")
    versions = sorted(one for one in held.values() if one.partition("@")[0].lower() == wanted.lower())
    if versions:
        raise Conflict(f"Withdrawn are single versions: {', '.join(versions[:_LISTED])}. Name one of them.")
    listed = f" Withdrawn are: {', '.join(sorted(held.values())[:_LISTED])}." if held else " Nothing is withdrawn."
    raise NotFound(f"{wanted[:80]!r} is not withdrawn.{listed}")


def _nearest(known: dict[str, str], wanted: str) -> str:
    near = difflib.get_close_matches(wanted.lower(), list(known), n=3, cutoff=0.5)
    near = near or [one for one in known if wanted.lower() in one][:3]
    return f" Did you mean {' or '.join(dict.fromkeys(known[one] for one in near))}?" if near else ""


def _told(name: str) -> str:
    return name if "@" in name else f"{name}, in every version,"


def _since(state: State, name: str) -> str:
    held = state.withheld[name]
    return f"{held.reason or 'no reason given'}, {held.at:%Y-%m-%d %H:%M} UTC."
