"""Commands as people type them: right, mistyped, or not theirs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant import commands, reasons
from assistant.commands import COMMANDS
from assistant.desk import Desk
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound, Refused
from opsplane.events import CommandRefused, CommandRun
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

TALK = "talk-1"


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.OPERATOR, fakes.APPROVER, fakes.REVIEWER])
async def test_help_lists_just_what_this_person_may_do(desk: Desk, actor: Actor) -> None:
    panel = await commands.run("/help", actor, desk)
    listed = {line.split()[1].replace("\\", "")[1:] for line in panel.text.splitlines() if line.startswith("| /")}
    assert listed == {one.name for one in COMMANDS.values() if one.open_to(actor.role)}


async def test_status_names_the_stable_release(desk: Desk) -> None:
    panel = await commands.run("/status", fakes.OPERATOR, desk)
    assert fakes.release().digest[:12] in panel.text
    assert "No exchanges yet" in panel.text


@pytest.mark.parametrize(("typed", "meant"), [("/satus", "/status"), ("/relase", "/release"), ("/STATUSS", "/status")])
async def test_a_mistyped_command_names_the_nearest(desk: Desk, typed: str, meant: str) -> None:
    with pytest.raises(NotFound, match=f"Did you mean {meant}"):
        await commands.run(typed, fakes.OPERATOR, desk)


async def test_a_suggestion_never_names_what_the_person_may_not_do(desk: Desk) -> None:
    with pytest.raises(NotFound) as caught:
        await commands.run("/audt", fakes.CUSTOMER, desk)
    assert "audit" not in str(caught.value)


async def test_capitals_and_spaces_do_not_matter(desk: Desk) -> None:
    assert await commands.run("  /STATUS  ", fakes.OPERATOR, desk)


@pytest.mark.parametrize(
    "typed", [f"/{one.name} abcdef" for one in COMMANDS.values() if not one.open_to(Role.CUSTOMER)]
)
async def test_a_customer_is_refused_and_that_is_recorded(desk: Desk, typed: str) -> None:
    with pytest.raises(Refused):
        await commands.run(typed, fakes.CUSTOMER, desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert entry.event.command == typed.split()[0][1:]
    assert "role" in entry.event.reason


def reads(desk: Desk) -> list[CommandRun]:
    runs = [entry.event for entry in desk.ledger.events(["command_run"])]
    return [run for run in runs if isinstance(run, CommandRun) and run.command == "audit"]


async def reply(text: str, desk: Desk, talk: str = TALK, who: Actor = fakes.REVIEWER) -> str:
    """One message of a conversation, as the chat meets it; nothing where it is an ordinary question."""
    if text.startswith("/"):
        return (await commands.run(text, who, replace(desk, why=""), talk=talk)).text
    panel = await commands.go_on(text, who, replace(desk, why=""), talk)
    return panel.text if panel else ""


async def test_who_reads_is_asked_why_and_the_next_message_is_the_reason(desk: Desk) -> None:
    await desk.ledger.received(exchange("exchange-0001"))
    assert await reply("/audit outcome=received", desk) == reasons.ASK
    assert reads(desk) == []
    assert "1 exchanges" in await reply("case 4711, a complaint", desk)
    assert reads(desk) == [
        CommandRun(command="audit", arguments="outcome=received", rows=1, why="case 4711, a complaint")
    ]


async def test_the_reason_counts_for_this_conversation_only(desk: Desk) -> None:
    await reply("/audit", desk)
    await reply("case 4711", desk)
    assert "No exchange" in await reply("/audit", desk)
    assert await reply("/audit", desk, "talk-2") == reasons.ASK
    other = fakes.REVIEWER.model_copy(update={"id": "reviewer2"})
    assert await reply("/audit", desk, TALK, other) == reasons.ASK


async def test_after_a_working_day_it_is_asked_again(desk: Desk, clock: fakes.Clock) -> None:
    await reply('/audit reason="case 4711"', desk)
    clock.at += timedelta(hours=7, minutes=59)
    assert "No exchange" in await reply("/audit", desk)
    clock.at += timedelta(minutes=1)
    assert await reply("/audit", desk) == reasons.ASK


async def test_too_short_a_reason_is_asked_for_again(desk: Desk) -> None:
    await reply("/audit", desk)
    assert "too short" in await reply("ok", desk)
    assert "No exchange" in await reply("case 4711", desk)


async def test_a_slash_command_instead_abandons_what_waited(desk: Desk) -> None:
    await reply("/audit", desk)
    await reply("/help", desk)
    assert await reply("What is the overdraft fee?", desk) == ""
    assert reads(desk) == []


async def test_a_message_much_later_is_no_reason(desk: Desk, clock: fakes.Clock) -> None:
    await reply("/audit", desk)
    clock.at += reasons.PATIENCE
    assert await reply("What is the overdraft fee?", desk) == ""


async def test_a_reason_given_with_the_command_counts_and_is_no_filter(desk: Desk) -> None:
    await reply('/audit outcome=failed reason="case 4711"', desk)
    assert reads(desk) == [CommandRun(command="audit", arguments="outcome=failed", rows=0, why="case 4711")]
    assert "No exchange" in await reply("/audit", desk)


async def test_too_short_a_reason_with_the_command_is_asked_for(desk: Desk) -> None:
    assert await reply("/audit reason=x", desk) == reasons.ASK
    assert "No exchange" in await reply("case 4711", desk)


async def test_the_reason_is_shown_and_set(desk: Desk) -> None:
    assert "No reason" in await reply("/reason", desk)
    assert "case 4711" in await reply("/reason case 4711", desk)
    assert "until 2026-11-24 01:00:00 UTC" in await reply("/reason", desk)
    assert "No exchange" in await reply("/audit", desk)
    with pytest.raises(InvalidRequest, match="at least 5"):
        await reply("/reason x", desk)


async def test_on_a_terminal_a_missing_reason_is_refused_and_that_is_recorded(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="--reason"):
        await commands.run("/audit", fakes.REVIEWER, replace(desk, why=""))
    assert desk.ledger.count(["command_refused"]) == 1


async def test_who_may_not_read_is_refused_rather_than_asked(desk: Desk) -> None:
    with pytest.raises(Refused):
        await reply("/audit", desk, TALK, fakes.OPERATOR)


async def test_an_open_quotation_mark_is_told_and_no_words_of_it_are_recorded(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="quotation mark"):
        await commands.run('/review exchange-0001 wrong comment="secret', fakes.REVIEWER, desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert entry.event.arguments == "exchange-0001 wrong comment="


def test_every_reading_command_is_marked_and_every_name_is_there_once() -> None:
    reading = {one.name for one in COMMANDS.values() if one.reads}
    assert {"audit", "exchange", "export", "review", "coverage"} <= reading
    assert not reading & {"help", "status", "releases", "release", "reason"}
