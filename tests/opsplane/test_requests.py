"""Who may ask, who may decide, and what is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from opsplane import custody, requests
from opsplane.access import Actor, Role
from opsplane.approval import State
from opsplane.erasure import Custodian
from opsplane.errors import Conflict, NotFound, Refused
from opsplane.events import CommandRefused
from tests import fakes
from tests.opsplane.custodians import MAYA, SECOND, approve, blocked, erase, reject, talk, words


async def test_nobody_approves_their_own_request(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    with pytest.raises(Refused, match="another person decides"):
        await approve(custodian, request.id, fakes.REVIEWER)
    (entry,) = custodian.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert entry.event.command == "approve"
    assert custodian.ledger.count(["customer_erased"]) == 0


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR, Role.SERVICE])
async def test_other_roles_ask_for_nothing_and_approve_nothing(custodian: Custodian, role: Role) -> None:
    await talk(custodian.ledger)
    request, actor = await erase(custodian), Actor(id="somebody", role=role)
    attempts: list[Callable[[], object]] = [
        lambda: custody.hold(custodian, MAYA, "why", actor=actor),
        lambda: custody.erase(custodian, MAYA, "why", actor=actor),
        lambda: custody.release_hold(custodian, MAYA, "why", actor=actor),
        lambda: custody.lengthen(custodian, 10, "why", actor=actor),
        lambda: custody.retention_now(custodian, actor=actor),
        lambda: custody.apply_now(custodian, actor=actor),
        lambda: approve(custodian, request.id, actor),
        lambda: reject(custodian, request.id, actor),
        lambda: requests.look(custodian.ledger, custody.actions(custodian), request.id, actor=actor),
    ]
    for attempt in attempts:
        with pytest.raises(Refused):
            await attempt()  # type: ignore[misc]
    assert custodian.ledger.count(["command_refused"]) == len(attempts)


async def test_an_approver_may_decide_and_not_ask(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    with pytest.raises(Refused):
        await custody.erase(custodian, MAYA, "why", actor=fakes.APPROVER)


async def test_an_approved_request_is_not_approved_again(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    await approve(custodian, request.id)
    with pytest.raises(Conflict, match="approved already, by reviewer2"):
        await approve(custodian, request.id, fakes.APPROVER)
    with pytest.raises(NotFound):
        await approve(custodian, "feedface")


async def test_a_rejected_request_is_over(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    assert (await reject(custodian, request.id)).request.state is State.REJECTED
    with pytest.raises(Conflict, match="rejected already"):
        await approve(custodian, request.id, fakes.APPROVER)
    assert words(custodian.ledger) == "my divorce"


async def test_the_maker_may_take_a_request_back(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    assert (await reject(custodian, request.id, fakes.REVIEWER)).request.state is State.WITHDRAWN
    assert await blocked(custodian) == []


async def test_a_request_that_lapsed_cannot_be_approved(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    clock.at += timedelta(days=7)
    with pytest.raises(Conflict, match="expired"):
        await approve(custodian, request.id)
    assert (
        await requests.look(custodian.ledger, custody.actions(custodian), request.id, actor=SECOND)
    ).state is State.EXPIRED
