"""Who answers: the assistant while a person is waited for, the person once one is there."""

from uuid import uuid4

import pytest

from assistant import chat, handover_chat, questions
from assistant.bootstrap import App
from assistant.signin import demo_person
from assistant.terminal import TerminalScreen
from opsplane.events import CommandRun
from opsplane.finding import Action, Finding
from opsplane.handover_events import HandoverSaid
from tests.assistant.test_chat import Seen
from tests.opsplane.ledger.test_store import exchange as a_turn


async def send(app: App, text: str, talk: str, name: str = "customer") -> Seen:
    person, seen = demo_person(name), Seen()
    assert person
    if exchange := await chat.reply(text, person.actor, person.customer, talk, app, seen):
        await chat.call_person(exchange, person.actor, app, seen)
    return seen


@pytest.fixture
def talk() -> str:
    return str(uuid4())


async def waiting(app: App, talk: str) -> str:
    """The customer asks; the id."""
    await send(app, "/person", talk)
    return next(one.short for one in app.desk.handovers.look(app.desk.ledger).values() if one.conversation == talk)


def said(app: App) -> list[str]:
    return [one.event.text for one in app.desk.ledger.events(["handover_said"]) if isinstance(one.event, HandoverSaid)]


async def test_who_wants_a_person_is_told_how_to_call_and_that_one_was_asked(app: App, talk: str) -> None:
    seen = await send(app, "I want to talk to a human", talk)
    assert "1-800-555-0142" in seen.text
    assert "**A person has been asked.** You are number" in seen.panels[-1].text
    await send(app, "/end", talk)


async def test_a_terminal_asks_for_nobody(app: App) -> None:
    before = app.desk.ledger.count(["handover_asked"])
    await questions.ask_one(app, "I want to talk to a human", "customer", TerminalScreen.silent())
    assert app.desk.ledger.count(["handover_asked"]) == before


async def test_while_a_customer_waits_the_assistant_answers(app: App, talk: str) -> None:
    await waiting(app, talk)
    assert "$15" in (await send(app, "How much is the overdraft fee?", talk)).text
    await send(app, "/end", talk)


async def test_both_sides_speak_and_the_assistant_is_back_afterwards(app: App, talk: str) -> None:
    identity, desk = await waiting(app, talk), str(uuid4())
    await send(app, f"/queue take {identity}", desk, "operator")
    mine = await send(app, "How much is the overdraft fee?", talk)
    assert (mine.panels[0].text, mine.exchanges) == ("*Passed on to Operator.*", [])
    theirs = await send(app, "yes", desk, "operator")
    assert theirs.panels[0].text == "*Passed on to C\\-1001.*"
    assert said(app)[-2:] == ["How much is the overdraft fee?", "yes"]
    await send(app, "/end", desk, "operator")
    assert "$15" in (await send(app, "How much is the overdraft fee?", talk)).text


async def test_other_conversations_are_the_assistants(app: App, talk: str) -> None:
    identity, desk = await waiting(app, talk), str(uuid4())
    await send(app, f"/queue take {identity}", desk, "reviewer")
    for name in ("customer", "customer2", "operator"):
        assert (await send(app, "How much is the overdraft fee?", str(uuid4()), name)).exchanges
    assert (await send(app, "How much is the overdraft fee?", talk, "customer2")).exchanges
    await send(app, "/end", talk)


async def test_a_message_that_is_too_long_is_not_passed_on(app: App, talk: str) -> None:
    identity, desk = await waiting(app, talk), str(uuid4())
    await send(app, f"/queue take {identity}", desk, "operator")
    before = len(said(app))
    assert "It was not passed on" in (await send(app, "x" * 100_000, talk)).text
    assert len(said(app)) == before
    await send(app, "/end", talk)


async def test_a_finding_asks_for_customers_alone(app: App, talk: str) -> None:
    person = Finding(code="signal.fraud", action=Action.NOTE, stage="question", person=True)
    turn, customer, operator = (
        a_turn(talk, findings=(person,), conversation=talk),
        *map(demo_person, ("customer", "operator")),
    )
    assert customer
    assert operator
    assert await handover_chat.asked_for(turn, operator.actor, app) is None
    panel = await handover_chat.asked_for(turn, customer.actor, app)
    assert panel
    assert "number 1 in the queue" in panel.text  # urgent
    await send(app, "/end", talk)


async def test_staff_who_come_back_see_the_context_once_more(app: App, talk: str) -> None:
    operator, customer = demo_person("operator"), demo_person("customer")
    assert operator
    assert customer
    identity, desk = await waiting(app, talk), str(uuid4())
    assert "wait" in await handover_chat.waiting(operator, app)
    assert await handover_chat.waiting(customer, app) == ""
    assert await handover_chat.still(operator, desk, app) is None
    await send(app, f"/queue take {identity}", desk, "operator")
    panel = await handover_chat.still(operator, desk, app)
    assert panel
    assert "You speak with C\\-1001" in panel.text
    read = app.desk.ledger.events(["command_run"])[-1].event
    assert isinstance(read, CommandRun)
    assert read.why == f"hand-over {identity}"
    assert await handover_chat.still(customer, talk, app) is None
    await send(app, "/end", desk, "operator")
