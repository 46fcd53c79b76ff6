"""One function, one rule, one event: who may do what, and that it is on the record."""

import pytest

from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import NotFound, Refused
from opsplane.events import CommandRefused, CommandRun, FeedbackGiven
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from tests import fakes
from tests.opsplane.ledger.test_store import exchange


@pytest.fixture
def plane(ledger: Ledger) -> Plane:
    plane = Plane(ledger)
    plane.configure({"test-1": fakes.release()}, "test-1")
    return plane


async def test_an_operator_sees_the_status_and_that_is_recorded(plane: Plane, ledger: Ledger) -> None:
    state, latest = await control.status(plane, ledger, actor=fakes.OPERATOR)
    assert state.stable == fakes.release().digest
    assert latest.total == 0
    (entry,) = ledger.events(["command_run"])
    assert (entry.actor, entry.event) == (fakes.OPERATOR, CommandRun(command="status", arguments="", rows=0))


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.REVIEWER])
async def test_who_is_no_operator_is_refused_and_that_is_recorded(plane: Plane, ledger: Ledger, actor: Actor) -> None:
    with pytest.raises(Refused, match="needs the role operator or approver"):
        await control.release(plane, ledger, "test-1", actor=actor)
    (entry,) = ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert (entry.actor, entry.event.command) == (actor, "release")


async def test_the_stable_release_is_shown_without_a_name(plane: Plane, ledger: Ledger) -> None:
    assert await control.release(plane, ledger, "", actor=fakes.APPROVER) == fakes.release()


async def test_a_customer_may_rate_only_an_answer_of_their_own(ledger: Ledger) -> None:
    await ledger.received(exchange("exchange-0001"))
    thumb = FeedbackGiven(exchange="exchange-0001", value=0, comment="not what I asked")
    await control.give_feedback(ledger, thumb, actor=fakes.CUSTOMER)
    with pytest.raises(NotFound):
        await control.give_feedback(ledger, thumb, actor=Actor(id="customer2", role=Role.CUSTOMER))
    (entry,) = ledger.events(["feedback_given"])
    assert entry.event == thumb
