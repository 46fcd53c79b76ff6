"""Commands that change what customers see, as people type them: told first, done on a yes, refused in one sentence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant import commands
from assistant.desk import Desk
from assistant.panels import Panel
from opsplane.access import Actor
from opsplane.control_events import RolloutAborted
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.intent import Helm
from opsplane.policy import Approvals, Policy
from opsplane.rollouts.watcher import Watcher
from tests import fakes

TALK = "talk-1"
TWO = fakes.release(id="test-2", note="the second")
OTHER = fakes.OPERATOR.model_copy(update={"id": "operator2"})


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """The desk with a second release, at which one person is enough."""
    desk.plane.configure({"test-1": fakes.release(), "test-2": TWO}, "test-1")
    policy = Policy(version=1, approve=Approvals(start=False, early=False))
    return replace(desk, watcher=Watcher(Helm(desk.plane, desk.ledger, fakes.plans(), policy)))


async def say(desk: Desk, text: str, actor: Actor = fakes.OPERATOR) -> Panel:
    """What the chat shows for a message, without what keeps Markdown from coming to life."""
    if text.startswith("/"):
        panel: Panel | None = await commands.run(text, actor, desk, talk=TALK)
    else:
        panel = await commands.go_on(text, actor, desk, TALK)
    assert panel is not None
    return replace(panel, text=panel.text.replace("\\", ""))


async def test_a_rollout_is_told_first_and_begins_on_a_yes(desk: Desk) -> None:
    told = await say(desk, '/rollout start test-2 plan=test reason="shorter"')
    assert "10 % → 50 % → 100 % → everybody" in told.text
    assert "**yes**" in told.text
    assert desk.ledger.count(["rollout_started"]) == 0
    done = await say(desk, "Yes!")
    assert "test-2" in done.text
    assert desk.plane.state.rollout is not None
    assert desk.plane.state.rollout.story[0].reason == "shorter"


@pytest.mark.parametrize("typed", ["--plan test", "--plan=test", "plan=test", "plan=“test”"])
async def test_the_plan_can_be_written_as_people_do(desk: Desk, typed: str) -> None:
    await say(desk, f"/rollout start test-2 {typed}")
    await say(desk, "ok")
    assert desk.plane.state.rollout is not None


async def test_a_no_leaves_everything_as_it_is(desk: Desk) -> None:
    await say(desk, "/rollout start test-2 plan=test")
    assert "Nothing was done" in (await say(desk, "no")).text
    assert "Nothing waits" in (await say(desk, "yes")).text
    assert desk.plane.state.rollout is None


async def test_any_other_message_drops_what_waits_and_is_met_as_a_question(desk: Desk) -> None:
    await say(desk, "/killswitch on")
    assert await commands.go_on("What is the overdraft fee?", fakes.OPERATOR, desk, TALK) is None
    assert "Nothing waits" in (await say(desk, "yes")).text
    assert desk.plane.state.killed is None


async def test_a_double_yes_does_it_once(desk: Desk) -> None:
    await say(desk, '/freeze reason="holidays"')
    await say(desk, "yes")
    assert "Nothing waits" in (await say(desk, "yes")).text
    assert desk.ledger.count(["changes_frozen"]) == 1


async def test_a_yes_in_another_conversation_or_of_another_person_is_none(desk: Desk) -> None:
    await say(desk, "/killswitch on")
    assert "Nothing waits" in (await say(desk, "yes", OTHER)).text
    elsewhere = await commands.go_on("yes", fakes.OPERATOR, desk, "talk-2")
    assert elsewhere is not None
    assert desk.plane.state.killed is None


async def test_a_yes_after_ten_minutes_comes_too_late(desk: Desk) -> None:
    await say(desk, "/killswitch on")
    desk.ledger.clock.at += timedelta(minutes=10)  # type: ignore[attr-defined]  # a clock of the tests
    assert "Nothing waits" in (await say(desk, "yes")).text


async def test_a_yes_to_what_somebody_else_changed_meanwhile_is_refused(desk: Desk) -> None:
    await say(desk, "/rollout start test-2 plan=test")
    await say(desk, '/freeze reason="holidays"', OTHER)
    await say(desk, "yes", OTHER)
    with pytest.raises(Conflict, match="meanwhile operator2 acted: changes frozen"):
        await say(desk, "yes")


async def test_the_status_tells_where_it_stands_and_how_to_begin(desk: Desk) -> None:
    empty = await say(desk, "/rollout")
    assert "/rollout start" in empty.text
    await say(desk, "/rollout start test-2 plan=test")
    await say(desk, "yes")
    status = await say(desk, "/rollout status")
    assert "Too few to tell" in status.text


async def test_the_way_of_a_rollout_through_all_its_commands(desk: Desk) -> None:
    for text in (
        "/rollout start test-2 plan=test",
        "/rollout pause",
        "/rollout resume",
        "/rollout advance early=yes",
        "/rollout promote --early reason=urgent",
        '/rollback reason="complaints"',
    ):
        await say(desk, text)
        await say(desk, "yes")
    assert [one.id for one in (desk.plane.stable(),)] == ["test-1"]
    assert "promoted" in (await say(desk, "/rollout list")).text
    assert (await say(desk, "/rollout report")).download is not None


async def test_the_kill_switch_is_reset_by_two(desk: Desk) -> None:
    await say(desk, '/killswitch on reason="wrong figures"')
    await say(desk, "yes")
    assert "wrong figures" in (await say(desk, "/killswitch")).text
    await say(desk, '/killswitch off reason="mended"')
    await say(desk, "yes")
    request = next(iter(_requests(desk)))
    with pytest.raises(Refused, match="another person decides"):
        await say(desk, f"/approve {request}")
    assert request in (await say(desk, "/requests", OTHER)).text
    told = await say(desk, f"/approve {request}", OTHER)
    assert "operator asks to answer customers again" in told.text
    assert "Why: mended" in told.text
    assert desk.ledger.count(["kill_switch_reset"]) == 0
    await say(desk, "yes", OTHER)
    assert desk.plane.state.killed is None


async def test_what_moved_before_the_second_persons_yes_voids_it(desk: Desk) -> None:
    await say(desk, '/killswitch on reason="wrong figures"')
    await say(desk, "yes")
    await say(desk, '/killswitch off reason="mended"')
    await say(desk, "yes")
    request = next(iter(_requests(desk)))
    await say(desk, f"/approve {request[:5]}", OTHER)
    await say(desk, f'/reject {request} reason="not yet"')
    with pytest.raises(Conflict, match="was withdrawn already"):
        await say(desk, "yes", OTHER)
    assert desk.plane.state.killed is not None


def _requests(desk: Desk) -> list[str]:
    events = desk.ledger.events(["request_made"])
    return [str(getattr(entry.event, "request", "")) for entry in events]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("/rollout start test-2", InvalidRequest, "By which plan.*Known plans: test"),
        ("/rollout start plan=test", InvalidRequest, "Which release"),
        ("/rollout start test-3 plan=test", NotFound, "Did you mean test-1 or test-2|Did you mean test-2"),
        ("/rollout start test-2 plan=none", NotFound, "no plan 'none'"),
        ("/rollout start test-2 plan=test share=5", InvalidRequest, "'share' is not known here"),
        ("/rollout dance", InvalidRequest, "'dance' is nothing that a rollout can do"),
        ("/rollout abort now", InvalidRequest, "takes no 'now'"),
        ("/rollout abort", Conflict, "No rollout is in progress"),
        ("/rollout report nope", NotFound, "no rollout 'nope'"),
        ("/rollout report", NotFound, "no rollout yet"),
        ("/rollout plans nope", NotFound, "no plan 'nope'"),
        ("/rollback a b", InvalidRequest, "Write /rollback"),
        ("/rollback", Conflict, "No release served before"),
        ("/freeze", InvalidRequest, "Say why"),
        ("/freeze for=soon reason=x", InvalidRequest, "30m, 2h or 7d"),
        ("/freeze for=0s reason=x", InvalidRequest, "say how long"),
        ("/unfreeze", Conflict, "not frozen"),
        ("/killswitch maybe", InvalidRequest, "/killswitch on or /killswitch off"),
        ("/killswitch off", Conflict, "is off"),
        ('/rollout start "test-2', InvalidRequest, "quotation mark"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_sentence_and_recorded(
    desk: Desk, text: str, error: type[PlaneError], words: str
) -> None:
    with pytest.raises(error, match=words):
        await say(desk, text)
    assert desk.ledger.count(["command_refused"]) == 1
    assert "Nothing waits" in (await say(desk, "yes")).text


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.REVIEWER])
@pytest.mark.parametrize(
    "text", ["/rollout", "/rollback", "/freeze", "/killswitch on", "/rollout list", "/rollout plans"]
)
async def test_others_may_not(desk: Desk, actor: Actor, text: str) -> None:
    with pytest.raises(Refused, match="needs the role operator or approver"):
        await say(desk, text, actor)


async def test_a_rollout_that_ended_can_be_reported_by_its_id(desk: Desk) -> None:
    await say(desk, "/rollout start test-2 plan=test")
    await say(desk, "yes")
    rollout = desk.plane.state.rollout
    assert rollout is not None
    desk.ledger.append_now(RolloutAborted(rollout=rollout.id, cause="operator", reason="enough"), fakes.OPERATOR)
    report = await say(desk, f"/rollout report {rollout.id}")
    assert report.download is not None
    assert b"enough" in report.download.content
