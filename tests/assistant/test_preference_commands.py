"""Pairs of answers as reviewers see and compare them."""

import pytest

from assistant import preference_panels
from assistant.desk import Desk
from assistant.panels import Panel
from assistant.preference_commands import COMMANDS
from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRequest
from opsplane.ledger.pairs import LOOKED
from opsplane.preference import Task
from tests import fakes
from tests.opsplane.twice import register, twice

(PREFER,) = COMMANDS


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(given: str, desk: Desk, who: Actor = fakes.REVIEWER) -> Panel:
    return await PREFER.run(given, who, desk)


async def test_two_answers_stand_side_by_side_without_names(desk: Desk) -> None:
    await twice(desk.ledger, "aaaaaaaa-1")
    text = (await run("", desk)).text.replace("\\", "")
    for part in (
        "What is the overdraft fee?",
        "| Answer A | Answer B |",
        "The fee is $29. [1]",
        "It costs $15 an item.",
    ):
        assert part in text
    for part in ("**Sources of A**", "**Sources of B**", "Each item costs $15.", "/prefer aaaaaaaa a"):
        assert part in text
    assert "test-" not in text


async def test_afterwards_it_is_told_which_release_each_was(desk: Desk) -> None:
    register(desk.ledger)
    await twice(desk.ledger, "aaaaaaaa-1")
    text = (await run('aaaaaaaa b comment="it names the item"', desk)).text.replace("\\", "")
    for part in ("**answer B is better**", "test-1@", "test-2@", "the customer saw it", "in shadow: nobody saw it"):
        assert part in text
    assert "No pair waits for you" in (await run("", desk)).text


async def test_the_empty_state_says_how_pairs_come_about(desk: Desk) -> None:
    text = (await run("", desk)).text
    assert "No pair waits for you." in text
    assert "plan=shadow" in text


def test_that_older_answers_were_not_looked_at_is_told() -> None:
    assert "newest 2,000 were looked through" in preference_panels.task(Task(None, LOOKED + 1)).text
    assert "looked through" not in preference_panels.task(Task(None, 7)).text


async def test_what_was_said_before_is_shown_and_can_be_changed(desk: Desk) -> None:
    await twice(desk.ledger, "aaaaaaaa-1")
    await run("aaaaaaaa A", desk)
    assert "You said A before; `again=yes` changes it." in (await run("aaaaaaaa", desk)).text
    with pytest.raises(Conflict, match="again=yes"):
        await run("aaaaaaaa tie", desk)
    assert "neither is better" in (await run("aaaaaaaa tie again=yes", desk)).text


async def test_markup_in_an_answer_stays_text(desk: Desk) -> None:
    await twice(desk.ledger, "aaaaaaaa-1", "<img src=x> | ![x](http://evil.example)\n# Big")
    text = (await run("", desk)).text
    assert "\\<img src=x\\>" in text
    assert "\\!\\[x\\]" in text
    assert "\n# Big" not in text


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("aaaaaaaa c", r"'c': the better answer is one of a, b, tie\."),
        ("aaaaaaaa a b", "stands in quotation marks"),
        ("aaaaaaaa a because it is", "stands in quotation marks"),
        ("aaaaaaaa comment=x", "says which is better"),
        ("a", "at least 6 characters"),
        ("aaaaaaaa a coment=x", "coment=… is none of: comment, again"),
        ("aaaaaaaa a again=maybe", "again=maybe: must be yes or no"),
        ("aaaaaaaa a\nand more", "A preference is one line"),
        ('aaaaaaaa a comment="open', "not closed"),
    ],
)
async def test_what_cannot_be_read_is_named_and_recorded(desk: Desk, typed: str, message: str) -> None:
    await twice(desk.ledger, "aaaaaaaa-1")
    with pytest.raises(InvalidRequest, match=message):
        await run(typed, desk)
    assert desk.ledger.count(["command_refused"]) == 1
    assert desk.ledger.count(["preference_given"]) == 0
