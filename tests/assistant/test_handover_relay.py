"""What each side is told, in whichever process: staff who waits, the customer who is there, both what was said."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from assistant.handover_relay import Relay
from assistant.signin import Person, demo_person
from opsplane import handover_deeds
from opsplane.access import Actor
from opsplane.handover import SILENCE, Handover
from opsplane.handover_board import Board
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from tests import fakes
from tests.assistant.test_herald import Tab
from tests.fakes import CUSTOMER, OPERATOR, REVIEWER
from tests.opsplane.waiting import HALF_AN_HOUR, asked

ONE = "aaaaaaaa-1"
TALK, DESK = f"talk-{ONE}", "desk-1"


@dataclass
class House:
    """A record with open chats by sign-in name, and a relay that has had its first look."""

    ledger: Ledger
    tabs: list[Tab] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    people: dict[str, Person | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board = Board()
        self.relay = Relay(
            ledger=self.ledger,
            board=self.board,
            who=lambda token: self.people.get(token, demo_person(token)),
            tabs=lambda: iter(self.tabs),
            named=lambda name: name.upper(),
            elsewhere=lambda: "Call 1-800-555-0142.",
            keep=self.kept.append,
        )

    async def opened(self, **chats: str) -> list[Tab]:
        """A chat for each of these people, in this conversation."""
        tabs = [Tab(name, thread) for name, thread in chats.items()]
        self.tabs += tabs
        await self.relay.look()
        return tabs

    async def asks(self, **changes: Any) -> None:
        event = asked(ONE, self.ledger.clock(), **changes)
        await handover_deeds.ask(self.ledger, self.board, event, actor=CUSTOMER)
        await self.relay.look()

    async def takes(self, actor: Actor = OPERATOR, talk: str = DESK) -> Handover:
        one = await handover_deeds.take(self.ledger, self.board, ONE, talk, actor=actor)
        await self.relay.look()
        return one

    async def says(self, one: Handover, text: str, actor: Actor) -> None:
        await handover_deeds.say(self.ledger, self.board, one, text, actor=actor)
        await self.relay.look()

    async def ends(self, actor: Actor) -> None:
        talk, customer = (TALK, "C-1001") if actor == CUSTOMER else (DESK, "")
        await handover_deeds.end(self.ledger, self.board, talk, customer, "", actor=actor)
        await self.relay.look()


def refuse(_message: dict[str, Any]) -> None:
    """A chat history that cannot be written."""
    raise OSError("disk full")


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


async def test_all_staff_are_told_who_waits_and_customers_are_not(house: House) -> None:
    tabs = await house.opened(operator="a", reviewer="b", approver="c", customer="d")
    await house.asks(code="signal.fraud", urgent=True)
    *staff, customer = [one.texts for one in tabs]
    told = "**Urgent: a customer waits for a person.** C-1001, signal.fraud. Take over: `/queue take aaaaaaaa`"
    assert staff == [[told]] * 3
    assert customer == []


async def test_the_customer_is_told_who_is_there_in_the_same_chat_alone(house: House) -> None:
    here, there, neighbour = await house.opened(customer=TALK, customer2=TALK, operator="x")
    other = Tab("customer", "another-talk")
    house.tabs.append(other)
    await house.asks()
    await house.takes()
    assert here.texts[0].startswith("**OPERATOR of Wrenfield staff is here.**")
    assert there.sent == other.sent == []
    assert len(neighbour.sent) == 1  # that somebody waits


async def test_words_go_to_the_other_side_under_a_name_and_letter_by_letter(house: House) -> None:
    customer, operator = await house.opened(customer=TALK, operator=DESK)
    await house.asks()
    one = await house.takes()
    await house.says(one, "I lost <b>it</b>\n\n![x](https://evil.example)", CUSTOMER)
    await house.says(one, "Good evening.", OPERATOR)
    assert operator.sent[-1]["output"].startswith("**C\\-1001**\n\nI lost \\<b\\>it")
    assert "https://" not in operator.sent[-1]["output"]
    assert customer.texts[-1] == "**Wrenfield staff · OPERATOR**\n\nGood evening."
    assert (customer.sent[-1]["name"], operator.sent[-1]["name"]) == ("Wrenfield staff", "Customer")


async def test_what_a_customer_is_told_is_kept_and_what_staff_are_told_is_not(house: House) -> None:
    customer, _ = await house.opened(customer=TALK, operator=DESK)
    await house.asks()
    one = await house.takes()
    await house.says(one, "My secret", CUSTOMER)
    await house.says(one, "Good evening.", OPERATOR)
    await house.ends(OPERATOR)
    told = dict.fromkeys(one["id"] for one in customer.sent)  # a chat just opened is told again
    assert [one["id"] for one in house.kept] == list(told)
    assert {one["threadId"] for one in house.kept} == {TALK}
    assert "secret" not in str(house.kept)


async def test_what_could_not_be_kept_is_told_at_the_next_look(house: House) -> None:
    (customer,) = await house.opened(customer=TALK)
    await house.asks()
    keep, house.relay.keep = house.relay.keep, refuse
    with pytest.raises(OSError, match="disk full"):
        await house.takes()
    house.relay.keep = keep
    await house.relay.look()
    assert customer.texts[0].startswith("**OPERATOR of Wrenfield staff is here.**")
    assert [message["id"] for message in house.kept] == [message["id"] for message in customer.sent]


async def test_a_page_that_has_just_been_opened_is_told_again_under_the_same_id(house: House) -> None:
    await house.opened(operator=DESK)
    await house.asks()
    one = await house.takes()
    (page,) = await house.opened(customer=TALK)
    await house.says(one, "Still there?", OPERATOR)
    for _ in range(60):
        await house.relay.look()
    assert len(page.sent) == 5  # once, and four times within the first twelve seconds
    assert len({message["id"] for message in page.sent}) == 1


async def test_two_processes_name_a_message_alike(house: House, record_url: str, vault: Vault) -> None:
    await house.opened(customer=TALK)
    with closing(Ledger(connect(record_url), house.ledger.clock, vault)) as ledger:
        other = House(ledger)
        (tab,) = await other.opened(customer=TALK)
        await house.asks()
        one = await house.takes()
        await house.says(one, "Good evening.", OPERATOR)
        ledger.settle()
        await other.relay.look()
        assert tab.texts[-1] == "**Wrenfield staff · OPERATOR**\n\nGood evening."
        assert [one["id"] for one in other.kept] == [one["id"] for one in house.kept]


async def test_each_side_is_told_that_the_other_has_ended_it(house: House) -> None:
    customer, operator = await house.opened(customer=TALK, operator=DESK)
    await house.asks()
    await house.takes()
    await house.ends(CUSTOMER)
    assert operator.texts[-1].startswith("**C-1001 ended the conversation.**")
    assert len(customer.sent) == 1  # that somebody was there; the command's own panel tells the rest


async def test_who_leaves_is_not_told_that_the_customer_waits(house: House) -> None:
    customer, operator, reviewer = await house.opened(customer=TALK, operator=DESK, reviewer="b")
    await house.asks()
    await house.takes()
    await handover_deeds.leave(house.ledger, house.board, DESK, actor=OPERATOR)
    await house.relay.look()
    assert "OPERATOR has left" in customer.texts[-1]
    assert (len(operator.sent), len(reviewer.sent)) == (1, 2)


async def test_nobody_in_time_means_that_the_customer_is_told_how_else(house: House, clock: fakes.Clock) -> None:
    (customer,) = await house.opened(customer=TALK)
    await house.asks()
    clock.at += HALF_AN_HOUR
    await house.relay.look()
    await house.relay.look()
    await house.relay.look()
    assert customer.texts == ["**Nobody could take over in time, I am sorry.** Call 1-800-555-0142."]


async def test_a_silent_conversation_ends_for_both(house: House, clock: fakes.Clock) -> None:
    customer, operator = await house.opened(customer=TALK, operator=DESK)
    await house.asks()
    await house.takes()
    clock.at += SILENCE
    await house.relay.look()
    await house.relay.look()
    assert customer.texts[-1].startswith("**The conversation with OPERATOR is over:**")
    assert operator.texts[-1].startswith("**The conversation with C-1001 is over:**")


async def test_who_was_away_too_long_is_told_by_whom(house: House, clock: fakes.Clock) -> None:
    customer, operator = await house.opened(customer=TALK, operator=DESK)
    await house.asks()
    await house.takes()
    clock.at += timedelta(minutes=10)
    await house.takes(REVIEWER, "desk-2")
    assert operator.texts[-1].startswith("**C-1001 is with REVIEWER now.**")
    assert customer.texts[-1].startswith("**REVIEWER of Wrenfield staff is here.**")


async def test_a_chat_that_lost_its_connection_is_told_when_it_is_back(house: House) -> None:
    (customer,) = await house.opened(customer=TALK)
    house.tabs.clear()
    await house.asks()
    one = await house.takes()
    await house.says(one, "Good evening.", OPERATOR)
    house.tabs.append(customer)
    await house.relay.look()
    assert len(customer.sent) == 2


async def test_one_broken_connection_keeps_nobody_else_from_hearing(house: House) -> None:
    broken, whole = await house.opened(operator="a", reviewer="b")
    broken.fails = True
    await house.asks()
    assert len(whole.sent) == 1


async def test_who_signed_out_is_told_nothing(house: House) -> None:
    (customer,) = await house.opened(customer=TALK)
    house.people["customer"] = None
    await house.asks()
    await house.takes()
    assert customer.sent == []


async def test_a_new_process_keeps_what_another_left_unkept_and_tells_it_to_nobody(house: House) -> None:
    await house.opened()
    await house.asks()
    one = await house.takes()
    await house.says(one, "Good evening.", OPERATOR)
    other = House(house.ledger)
    (customer,) = await other.opened(customer=TALK)
    assert [one["id"] for one in other.kept] == [one["id"] for one in house.kept]
    assert customer.sent == []
