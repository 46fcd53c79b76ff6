"""Who is told what changed for customers: everybody on duty, once, in every open chat but where it was typed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from assistant.herald import Herald
from assistant.signin import Person
from opsplane.access import SERVICE, Actor, Role
from opsplane.control_events import (
    Act,
    AlertRaised,
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    KillSwitchReset,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.errors import RecordUnavailable
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from tests import fakes

ONE = fakes.release()
TWO = fakes.release(id="test-2", note="another")
STAFF = {
    one: Person(name=one.value, display=one.value, role=one) for one in (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)
}
FROZEN = ChangesFrozen(reason="a holiday")


@dataclass(eq=False)
class Tab:
    """An open chat whose page keeps what it is sent."""

    token: str | None
    thread_id: str = "talk-1"
    sent: list[dict[str, Any]] = field(default_factory=list)
    fails: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def emit(self, event: str, data: Any) -> None:
        """Keep it, or fail as a closed socket does."""
        if self.fails:
            raise ConnectionError("closed")
        assert event == "new_message"
        self.sent.append(data)
        self.heard.set()

    @property
    def texts(self) -> list[str]:
        """What it was told, without the escapes of Markdown."""
        return [one["output"].replace("\\", "").replace("\u2060", "") for one in self.sent]


@dataclass
class House:
    """A record with a stable release, people by token, their open chats, and a herald that has had its first look."""

    ledger: Ledger
    people: dict[str, Person] = field(default_factory=lambda: {role.value: one for role, one in STAFF.items()})
    tabs: list[Tab] = field(default_factory=list)

    def __post_init__(self) -> None:
        Plane(self.ledger).configure({"test-1": ONE, "test-2": TWO}, "test-1")
        self.herald = Herald(self.ledger, self.people.get, lambda: iter(self.tabs), every=0)

    async def opened(self, *tokens: str | None) -> list[Tab]:
        """Open chats of these people."""
        tabs = [Tab(token) for token in tokens]
        self.tabs += tabs
        await self.herald.look()
        return tabs

    async def happens(self, *acts: Act | AlertRaised, by: Actor = SERVICE) -> None:
        """Put acts on the record, and look."""
        for act in acts:
            await self.ledger.append(act, by)  # type: ignore[arg-type]  # every act is an event
        await self.herald.look()


@pytest.fixture
def house(ledger: Ledger) -> House:
    """Before anybody opened a chat."""
    return House(ledger)


def _started(kind: str = "canary", **changes: Any) -> RolloutStarted:
    plan = fakes.plan() if kind == "canary" else fakes.plan(kind=kind, steps=[{"share": 10}])
    data: dict[str, Any] = {
        "rollout": "3fa9",
        "candidates": (TWO.digest,),
        "stable": ONE.digest,
        "plan": plan.model_dump_json(),
        "salt": "salt",
    }
    return RolloutStarted(**(data | changes))


async def test_operators_and_approvers_are_told_and_nobody_else(house: House) -> None:
    operator, approver, reviewer, gone, anonymous = await house.opened("operator", "approver", "reviewer", "x", None)
    await house.happens(FROZEN, by=fakes.OPERATOR)
    told = [f"**Changes were frozen** by operator: a holiday. {ONE.short} serves everybody."]
    assert operator.texts == approver.texts == told
    assert reviewer.sent == gone.sent == anonymous.sent == []


async def test_nobody_is_told_twice_nor_what_was_before(house: House) -> None:
    await house.ledger.append(FROZEN, SERVICE)
    (operator,) = await house.opened("operator")
    await house.happens()
    assert operator.sent == []
    await house.happens(ChangesUnfrozen())
    await house.happens()
    assert len(operator.sent) == 1


async def test_of_several_acts_in_one_second_none_is_skipped(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(
        _started(reason="a better tone"),
        RolloutAdvanced(rollout="3fa9", step=1),
        RolloutPaused(rollout="3fa9", reason="odd."),
        RolloutResumed(rollout="3fa9"),
        RolloutAborted(rollout="3fa9", cause="zero_tolerance", reason="Zero tolerance: a promise of return."),
    )
    assert operator.texts == [
        f"**Rollout 3fa9 of {TWO.short} was started** by opsplane: a better tone. "
        f"{TWO.short} serves 10 % of the customers, {ONE.short} the others.",
        f"**Rollout 3fa9 went on to step 2 of 3** by opsplane. "
        f"{TWO.short} serves 50 % of the customers, {ONE.short} the others.",
        f"**Rollout 3fa9 was paused** by opsplane: odd. "
        f"{TWO.short} serves 50 % of the customers, {ONE.short} the others.",
        f"**Rollout 3fa9 was resumed** by opsplane. {TWO.short} serves 50 % of the customers, {ONE.short} the others.",
        f"**Rollout 3fa9 was aborted** by opsplane: Zero tolerance: a promise of return. {ONE.short} serves everybody.",
    ]


async def test_a_promotion_a_rollback_and_the_end_of_an_experiment_say_what_serves(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(
        _started(),
        RolloutPromoted(rollout="3fa9", digest=TWO.digest, approved_by="approver"),
        ReleaseRestored(release="test-1", digest=ONE.digest, reason="worse"),
        _started("experiment", rollout="77aa"),
        RolloutConcluded(rollout="77aa", winner=TWO.digest),
        _started("shadow", rollout="88bb"),
        RolloutConcluded(rollout="88bb"),
    )
    assert operator.texts[1:] == [
        f"**Rollout 3fa9 was promoted** by opsplane, approved by approver. {TWO.short} serves everybody.",
        f"**Rolled back to {ONE.short}** by opsplane: worse. {ONE.short} serves everybody.",
        f"**Rollout 77aa of {TWO.short} was started** by opsplane. 10 % of the customers take part, between "
        f"{ONE.short} and {TWO.short}; {ONE.short} serves the others.",
        f"**Rollout 77aa was concluded, {TWO.short} won,** by opsplane. {ONE.short} serves everybody.",
        f"**Rollout 88bb of {TWO.short} was started** by opsplane. {ONE.short} serves everybody; {TWO.short} answers "
        "10 % of the questions too, unseen.",
        f"**Rollout 88bb was concluded, without a winner,** by opsplane. {ONE.short} serves everybody.",
    ]


async def test_the_kill_switch_says_that_nobody_is_answered(house: House) -> None:
    (approver,) = await house.opened("approver")
    await house.happens(KillSwitchPulled(reason="a leak"), by=fakes.OPERATOR)
    await house.happens(KillSwitchPulled(reason="a leak"), by=fakes.OPERATOR)  # it was on already
    await house.happens(KillSwitchReset(request="r1", approved_by="approver"), by=fakes.OPERATOR)
    assert approver.texts == [
        "**The kill switch was pulled** by operator: a leak. Every answer is the holding message, with a way to a "
        "person.",
        f"**The kill switch was reset** by operator, approved by approver. {ONE.short} serves everybody.",
    ]


async def test_an_act_that_did_not_count_is_no_news(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(RolloutAborted(rollout="none", cause="operator"), ChangesUnfrozen())
    assert operator.sent == []


async def test_words_of_people_are_shown_letter_by_letter(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(ChangesFrozen(reason="![x](https://evil.example) <b>now</b> a@b.example"), by=fakes.APPROVER)
    output = operator.sent[0]["output"]
    assert "\\!\\[x\\]\\(https" in output
    assert "\\<b\\>" in output
    assert "https://" not in output


async def test_a_message_is_neither_an_answer_nor_part_of_a_turn(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(FROZEN)
    message = operator.sent[0]
    assert (message["type"], message["parentId"], message["threadId"]) == ("system_message", None, "talk-1")


async def test_where_a_command_was_typed_its_own_panel_tells(house: House) -> None:
    typed, second, other = await house.opened("operator", "operator", "approver")
    with house.herald.meeting(typed):
        await house.ledger.append(FROZEN, fakes.OPERATOR)
    await house.happens()
    assert [len(one.sent) for one in (typed, second, other)] == [0, 1, 1]


async def test_what_somebody_else_does_meanwhile_is_told_at_once(house: House) -> None:
    (operator,) = await house.opened("operator")
    with house.herald.meeting(operator):
        await house.happens(FROZEN, by=fakes.APPROVER)
        assert len(operator.sent) == 1


async def test_an_act_in_another_tab_during_a_question_is_told_when_the_answer_is_there(house: House) -> None:
    (asking,) = await house.opened("operator")
    with house.herald.meeting(asking) as turn:
        await house.happens(FROZEN, by=fakes.OPERATOR)
        assert asking.sent == []
        turn.command = False
    await house.happens()
    assert len(asking.sent) == 1


async def test_a_later_act_of_the_same_person_elsewhere_is_told(house: House, clock: fakes.Clock) -> None:
    (operator,) = await house.opened("operator")
    with house.herald.meeting(operator):
        await house.ledger.append(FROZEN, fakes.OPERATOR)
    clock.at += timedelta(seconds=1)
    await house.happens(ChangesUnfrozen(), by=fakes.OPERATOR)  # on the terminal
    assert operator.texts == [f"**The freeze was lifted** by operator. {ONE.short} serves everybody."]


async def test_a_chat_that_lost_its_connection_is_told_when_it_is_back(house: House) -> None:
    (operator,) = await house.opened("operator")
    house.tabs.clear()
    await house.happens(FROZEN)
    house.tabs.append(operator)
    await house.happens()
    assert len(operator.sent) == 1


async def test_one_broken_connection_keeps_nobody_else_from_hearing(house: House) -> None:
    broken, whole = await house.opened("operator", "approver")
    broken.fails = True
    await house.happens(FROZEN)
    assert len(whole.sent) == 1


async def test_who_signed_out_or_lost_the_role_is_told_nothing(house: House) -> None:
    operator, approver = await house.opened("operator", "approver")
    del house.people["operator"]
    house.people["approver"] = STAFF[Role.REVIEWER]
    await house.happens(FROZEN)
    assert operator.sent == approver.sent == []


async def test_an_alert_that_is_no_act_is_told_and_one_that_tells_an_act_is_not_told_again(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(
        AlertRaised(about="model_retirement", subject=ONE.short, text="a model goes."),
        AlertRaised(about="rollout_aborted", subject="3fa9", text="Rollout 3fa9 was aborted."),
    )
    assert operator.texts == ["**Alert:** a model goes."]


async def test_an_alert_about_quality_a_judge_or_a_job_says_so(house: House) -> None:
    (operator,) = await house.opened("operator")
    await house.happens(
        AlertRaised(about="quality_fell", subject="grounded", text="Grounded answers fell from 97.0 to 88.0."),
        AlertRaised(about="judge", subject="embedded@1", text="The judge embedded@1 lost its vote."),
        AlertRaised(about="job_failing", subject="judge", text="Judging has failed 3 times in a row."),
    )
    assert operator.texts == [
        "**Quality alert:** Grounded answers fell from 97.0 to 88.0.",
        "**Judge alert:** The judge embedded@1 lost its vote.",
        "**Job alert:** Judging has failed 3 times in a row.",
    ]


async def test_it_goes_on_after_the_record_was_not_available(house: House, caplog: pytest.LogCaptureFixture) -> None:
    (operator,) = await house.opened("operator")
    failed = asyncio.Event()

    def failing_once() -> list[Tab]:
        if not failed.is_set():
            failed.set()
            raise RecordUnavailable("away")
        return house.tabs

    house.herald._tabs = failing_once
    running = asyncio.create_task(house.herald.run())
    await failed.wait()
    await house.ledger.append(FROZEN, SERVICE)
    async with asyncio.timeout(10):
        await operator.heard.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert caplog.text.count("open chats cannot be told") == 1
