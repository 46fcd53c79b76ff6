"""/golden as reviewers type it."""

from typing import Any

import pytest

from assistant import golden_commands
from assistant.desk import Desk
from opsplane.errors import InvalidRequest, NotFound, Refused
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

(GOLDEN,) = golden_commands.COMMANDS


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(given: str, desk: Desk) -> str:
    return (await GOLDEN.run(given, fakes.REVIEWER, desk)).text


async def turn(desk: Desk, identity: str, **changes: Any) -> None:
    said = (Sentence(text="The fee is $29.", cites=(1,)),)
    given = {"outcome": Outcome.ANSWERED, "sentences": said} | changes
    await desk.ledger.received(exchange(identity))
    await desk.ledger.answered(exchange(identity, fakes.passage(), **given))


def test_it_is_for_reviewers_who_say_why() -> None:
    assert GOLDEN.roles == (fakes.REVIEWER.role,)
    assert GOLDEN.reads


async def test_a_case_is_added_listed_and_removed(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    typed = 'add aaaaaaaa kind=fees name=fee tags=a,b facts="$15|each item"\nThe fee is $15\nfor each item.'
    text = await run(typed, desk)
    for part in (
        "Added fee",
        "overdraft fee?",
        "The fee is \\$15 for each item\\.",
        "\\$15, each item",
        "document\\-1",
    ):
        assert part in text
    assert "not as the customer" in text
    text = await run("", desk)
    for part in ("1 cases of the dataset `record`", "| fee | fees | answer |", "2 facts, 1 documents, a right answer"):
        assert part in text
    assert "Removed fee" in await run("remove fee the fee has changed", desk)
    assert "No case was made of an exchange yet" in await run("", desk)


async def test_documents_may_be_left_out_and_a_decline_expected(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    await turn(desk, "bbbbbbbb-1")
    assert "against nothing yet" in await run('add aaaaaaaa documents=""', desk)
    assert "| Expected | decline |" in await run("add bbbbbbbb expect=decline", desk)


async def test_a_removal_without_words_takes_the_reason_of_the_reading(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    await run("add aaaaaaaa", desk)
    assert "Reason: case 4711" in await run("remove record-aaaaaaaa", desk)


async def test_what_was_erased_is_counted_and_not_shown(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    await run("add aaaaaaaa", desk)
    desk.ledger.vault.destroy("C-1001")
    text = await run("", desk)
    assert "1 fell out: the customer's words were erased" in text
    assert "overdraft" not in text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("list", "/golden lists the cases"),
        ("kind=x", "/golden lists the cases"),
        ("add", "Which exchange?"),
        ("add aaaaaaaa two words", "stands in quotation marks"),
        ("add aaaaaaaa fact=x", "fact=… is none of: kind, name, tags"),
        ("add aaaaaaaa expect=maybe", "expect=maybe: must be answer or decline"),
        ('add aaaaaaaa facts="x', "A quotation mark is not closed"),
        ("remove", "Which case, and why?"),
        ("remove fee why=x", "Which case, and why?"),
    ],
)
async def test_what_cannot_be_read_is_told_and_recorded_without_its_words(desk: Desk, typed: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        await run(typed, desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert "The" not in str(getattr(entry.event, "arguments", ""))
    assert getattr(entry.event, "reason", "") == "What was asked for could not be read."


async def test_others_may_not_and_what_is_not_there_is_told(desk: Desk) -> None:
    with pytest.raises(Refused):
        await GOLDEN.run("", fakes.OPERATOR, desk)
    with pytest.raises(NotFound, match="There is no exchange 'cccccccc'"):
        await run("add cccccccc", desk)
