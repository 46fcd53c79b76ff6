"""Hold, erase, retention and approvals as people type them, down to the bytes on the disk."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from assistant import forgetting
from assistant.custody_commands import COMMANDS, parsed
from assistant.desk import Command, Desk
from assistant.panels import Panel
from assistant.signin import People
from opsplane.access import Actor, Role
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.events import CommandRefused
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.ledger import keys, verifier
from opsplane.ledger.database import connect
from tests import fakes
from tests.assistant.test_forgetting import fill
from tests.opsplane.custodians import SECOND
from tests.opsplane.ledger.test_store import exchange

WORDS = "Quetzalcoatlus"
BY_NAME = {one.name: one for one in COMMANDS}


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    opened = People.open(connect(f"sqlite:///{tmp_path / 'chat.db'}"), fakes.Clock(), cheap)
    opened.add("customer", "demo", Role.CUSTOMER, "C-1001")
    yield opened
    opened.close()


@pytest.fixture
def desk(desk: Desk, people: People, tmp_path: Path) -> Desk:
    """Somebody who said no reason beforehand, with a chat history."""
    url = f"sqlite:///{tmp_path / 'chat.db'}"
    fill(url, "customer")
    return replace(desk, forget=lambda customer: forgetting.forget(url, people, customer), why="")


async def run(desk: Desk, typed: str, actor: Actor = fakes.REVIEWER) -> Panel:
    name, _, given = typed.partition(" ")
    return await BY_NAME[name.removeprefix("/")].run(given, actor, desk)


async def talk(desk: Desk) -> None:
    said = (Sentence(text=f"About {WORDS}: the fee is $15."),)
    one = exchange("exchange-0001", question=WORDS, standalone=WORDS)
    await desk.ledger.received(one)
    await desk.ledger.answered(one.model_copy(update={"sentences": said, "outcome": Outcome.ANSWERED}))


def waiting(desk: Desk) -> str:
    """The id of the newest request."""
    event = desk.ledger.events(["request_made"])[-1].event
    return str(event.request)  # type: ignore[union-attr]


def found(folder: Path, what: str) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and what.encode() in file.read_bytes()]


async def test_an_erasure_leaves_the_customers_words_in_no_file(desk: Desk, tmp_path: Path) -> None:
    await talk(desk)
    assert "chat.db" in " ".join(found(tmp_path, WORDS))
    panel = await run(desk, '/erase C-1001 reason="letter about the Quetzalcoatlus"')
    assert f"/approve {waiting(desk)}" in panel.text
    done = await run(desk, f"/approve {waiting(desk)}", SECOND)
    for what in (WORDS, WORDS.lower()):
        assert found(tmp_path, what) == []
    assert "C\\-1001 is erased" in done.text
    assert "| Conversations cleared | 1 |" in done.text


async def test_the_receipt_is_downloaded_verified_and_to_be_had_again(desk: Desk) -> None:
    await talk(desk)
    await run(desk, "/erase C-1001 reason=letter")
    identity = waiting(desk)
    panel = await run(desk, f"/approve {identity}", SECOND)
    assert panel.download
    assert panel.download.name == f"erasure-{identity}.txt"
    text, _ = verifier.open_note(panel.download.content.decode(), [keys.verifier_key(desk.notary.signer)])
    assert "approved by reviewer2" in text
    again = await run(desk, f"/requests {identity}", fakes.APPROVER)
    assert again.download == panel.download
    assert "| State | approved by reviewer2" in again.text


async def test_a_hold_protects_at_once_and_is_listed_for_confirmation(desk: Desk) -> None:
    await talk(desk)
    panel = await run(desk, '/hold C-1001 reason="Smith v. Bank"')
    assert "from now on" in panel.text
    with pytest.raises(Conflict, match="under hold"):
        await run(desk, "/erase C-1001 reason=letter")
    listed = await run(desk, "/requests", fakes.APPROVER)
    assert "Smith v\\. Bank" in listed.text
    assert "It protects already" in listed.text
    assert "confirmed" in (await run(desk, f"/approve {waiting(desk)}", fakes.APPROVER)).text


async def test_a_hold_ends_when_a_second_person_agrees(desk: Desk) -> None:
    await talk(desk)
    await run(desk, "/hold C-1001 reason=Smith")
    await run(desk, f"/approve {waiting(desk)}", SECOND)
    await run(desk, "/release-hold C-1001 reason=settled")
    assert "released" in (await run(desk, f"/approve {waiting(desk)}", SECOND)).text
    assert "/approve" in (await run(desk, "/erase C-1001 reason=letter")).text


async def test_a_blocked_request_says_what_blocks_it(desk: Desk) -> None:
    await talk(desk)
    await run(desk, "/erase C-1001 reason=letter")
    await run(desk, "/hold C-1001 reason=Smith")
    listed = (await run(desk, "/requests")).text
    assert "erase everything of C\\-1001" in listed
    assert "is under hold and cannot be erased" in listed


async def test_a_rejected_hold_has_ended(desk: Desk) -> None:
    await talk(desk)
    await run(desk, "/hold C-1001 reason=Smith")
    panel = await run(desk, f'/reject {waiting(desk)} reason="wrong customer"', SECOND)
    assert "The hold has ended" in panel.text
    assert "Because | wrong customer" in (await run(desk, f"/requests {waiting(desk)}")).text


async def test_without_requests_the_list_says_so(desk: Desk) -> None:
    assert "Nothing waits for a second person" in (await run(desk, "/requests")).text


async def test_retention_is_shown_lengthened_and_applied(desk: Desk, clock: fakes.Clock) -> None:
    await talk(desk)
    shown = (await run(desk, "/retention")).text
    assert "**7 years**" in shown
    assert "Nothing is due" in shown
    assert "to 10 years" in (await run(desk, '/retention years=10 reason="new rule"')).text
    assert "10 years are asked for" in (await run(desk, "/retention")).text
    assert "kept 10 years" in (await run(desk, f"/approve {waiting(desk)}", fakes.APPROVER)).text
    assert "Nothing is due" in (await run(desk, "/retention apply")).text
    clock.at += timedelta(days=366 * 11)
    assert "1 exchanges can no longer be read" in (await run(desk, "/retention apply")).text


async def test_what_is_due_and_what_is_held_is_shown(desk: Desk, clock: fakes.Clock) -> None:
    await talk(desk)
    await run(desk, "/hold C-1001 reason=Smith")
    clock.at += timedelta(days=366 * 8)
    shown = (await run(desk, "/retention")).text
    assert "1 customers and staff have content" in shown  # the reviewer's own commands
    assert "kept by a hold: C\\-1001" in shown


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("/hold C-1001 reason=lawsuit of Maya Okafor", "/hold <customer>"),
        ('/erase C-1001 reason="unclosed', "/erase <customer>"),
        ("/erase C-1001 because=x", "/erase <customer>"),
        ("/erase C-1001", "Say why"),
        ("/erase reason=letter", "Which customer"),
        ("/release-hold C-1001 now please", "/release-hold <customer>"),
        ("/retention forever", "/retention"),
        ("/retention years=soon reason=x", "/retention"),
        ("/retention years=10 C-1001 reason=x", "/retention"),
        ("/retention years=10", "Say why"),
        ("/approve", "Which request"),
        ("/reject abcd", "Say why"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_the_right_form(desk: Desk, typed: str, hint: str) -> None:
    await talk(desk)
    with pytest.raises(InvalidRequest, match=hint):
        await run(desk, typed)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert "Okafor" not in str(entry.event)
    assert entry.event.command == typed.split()[0][1:]


@pytest.mark.parametrize("typed", ["/hold C-9 reason=x", "/erase C-9 reason=x", "/approve abcdef", "/requests abcdef"])
async def test_what_nobody_knows_is_told(desk: Desk, typed: str) -> None:
    with pytest.raises(NotFound):
        await run(desk, typed)


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
async def test_a_customer_is_refused_everything(desk: Desk, one: Command) -> None:
    given = "" if one.name in ("requests", "retention") else "C-1001 reason=x"
    with pytest.raises(Refused):
        await one.run(given, fakes.CUSTOMER, desk)
    with pytest.raises(Refused):
        await one.run('"', fakes.CUSTOMER, desk)


async def test_on_a_terminal_the_reason_comes_beside_the_command(desk: Desk) -> None:
    await talk(desk)
    await run(replace(desk, why="told by letter"), "/erase C-1001")
    assert "told by letter" in (await run(desk, "/requests")).text


def test_a_reason_may_be_quoted_as_a_phone_does_it_and_come_first() -> None:
    assert parsed("reason=“by letter” C-1001") == ("C-1001", "by letter")
    assert parsed('years=10 reason="x y"') == ("years=10", "x y")
    assert parsed("C-1001 C-1002 reason=x") is None
