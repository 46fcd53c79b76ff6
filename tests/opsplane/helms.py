"""A helm over a real record, and customers' exchanges put on it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from opsplane.control_events import Act
from opsplane.events import QuestionAnswered, SignedIn
from opsplane.exchange import Outcome
from opsplane.finding import Finding
from opsplane.intent import Helm
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.rollout import Rollout
from opsplane.rollouts.watcher import Watcher
from opsplane.state import State
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

ONE, TWO, THREE = (fakes.release(id=f"test-{number}") for number in (1, 2, 3))
FILES = {one.id: one for one in (ONE, TWO, THREE)}


def helm(ledger: Ledger, *plans: Plan, **changes: Any) -> Helm:
    """A helm over three releases, of which the first serves; its verdicts are those of a watcher."""
    plane = Plane(ledger)
    plane.configure(FILES, ONE.id)
    return Watcher(Helm(plane, ledger, fakes.plans(*plans), **changes)).helm


def rollout_of(state: State) -> Rollout:
    """The rollout in progress."""
    assert state.rollout is not None
    return state.rollout


def serve(
    helm_: Helm,
    customers: Iterable[str],
    outcomes: dict[str, Outcome],
    findings: tuple[Finding, ...] = (),
) -> None:
    """One exchange of each customer, ended as `outcomes` says for the arm that the customer is on."""
    before = helm_.ledger.count(["question_answered"])
    for number, customer in enumerate(customers, start=before):
        serving = helm_.plane.release_for(customer)
        served = exchange(f"exchange-{number:05}").model_copy(
            update={
                "customer": customer,
                "release": serving.release.id,
                "digest": serving.release.digest,
                "arm": serving.arm,
                "rollout": serving.rollout,
                "share": serving.share,
                "outcome": outcomes.get(serving.arm, Outcome.ANSWERED),
                "findings": findings if serving.arm != "stable" else (),
                "total_ms": 400,
            }
        )
        helm_.ledger.submit(QuestionAnswered(exchange=served), served.actor, served.id, customer)
    helm_.ledger.append_now(SignedIn(), fakes.OPERATOR)  # what was submitted before is durable then
    helm_.ledger.settle()


def later(helm_: Helm, **lapse: float) -> None:
    """Move the record's clock."""
    clock = helm_.ledger.clock
    assert isinstance(clock, fakes.Clock)
    clock.at += timedelta(**lapse)


def act(helm_: Helm, one: Act) -> State:
    """Put an act on the record as an operator, whatever stands in its way."""
    helm_.ledger.append_now(one, fakes.OPERATOR)  # type: ignore[arg-type]  # every act is an event
    return helm_.plane.state
