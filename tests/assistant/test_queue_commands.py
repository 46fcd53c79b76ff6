"""Hand-overs as they are typed: /queue by staff, /person by customers, /end by both."""

from typing import Any

import pytest

from assistant import commands
from assistant.desk import Desk
from assistant.panels import Panel
from opsplane import handover_deeds
from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.events import CommandRefused
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from tests import fakes
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.waiting import asked

FRAUD = Finding(code="signal.fraud", action=Action.PREFACE, stage="question", span="stolen | card", person=True)


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(text: str, desk: Desk, who: Actor = fakes.OPERATOR, talk: str = "desk-1") -> Panel:
    customer = "C-1001" if who == fakes.CUSTOMER else ""
    return await commands.run(text, who, desk, talk=talk, customer=customer)


async def ask(desk: Desk, name: str = "aaaaaaaa-1", **changes: Any) -> None:
    await handover_deeds.ask(desk.ledger, desk.handovers, asked(name, **changes), actor=fakes.CUSTOMER)


def refused(desk: Desk) -> list[tuple[str, str]]:
    events = (one.event for one in desk.ledger.events(["command_refused"]))
    return [(one.command, one.reason) for one in events if isinstance(one, CommandRefused)]


async def test_an_empty_queue_says_so(desk: Desk) -> None:
    assert "No customer waits for a person." in (await run("/queue", desk)).text


async def test_the_queue_lists_the_urgent_first_and_says_why(desk: Desk, clock: fakes.Clock) -> None:
    await ask(desk)
    await ask(desk, "bbbbbbbb-2", code="signal.fraud", urgent=True)
    text = (await run("/queue", desk, fakes.APPROVER)).text
    assert text.index("| 1, urgent | bbbbbbbb |") < text.index("| 2 | aaaaaaaa |")
    assert "the customer asked for a person" in text
    assert "`/queue take bbbbbbbb`" in text


async def test_a_customer_asks_with_a_reason_and_is_told_the_place(desk: Desk) -> None:
    await ask(desk, "bbbbbbbb-2")
    panel = await run("/person my card ends in 4111 1111 1111 1111", desk, fakes.CUSTOMER, "talk-9")
    assert "**A person has been asked.** You are number 2" in panel.text
    again = await run("/person", desk, fakes.CUSTOMER, "talk-9")
    assert "has been asked already" in again.text
    (row,) = [one for one in desk.handovers.look(desk.ledger).values() if one.code == "customer.asked"]
    taken = (await run(f"/queue take {row.short}", desk)).text
    assert "my card ends in" in taken
    assert "4111 1111" not in taken


async def test_who_takes_a_customer_over_sees_what_helps_and_where_words_go(desk: Desk) -> None:
    talk = {"conversation": "talk-aaaaaaaa-1"}
    turn = exchange("aaaaaaaa-1", fakes.passage(), outcome=Outcome.ANSWERED, findings=(FRAUD,), **talk)
    await desk.ledger.received(turn)
    await desk.ledger.answered(turn.model_copy(update={"sentences": (Sentence(text="Block it *now*.", cites=(1,)),)}))
    await ask(desk, exchange="aaaaaaaa-1", code="signal.fraud", urgent=True)
    panel = await run("/queue take aaaaaaaa", desk)
    assert not panel.kept
    for part in ("You speak with C\\-1001", "goes to the customer", "signal\\.fraud", "stolen \\| card"):
        assert part in panel.text
    for part in ("What is the overdraft fee?", "Block it \\*now\\*\\.", "- Fee Schedule", "`/queue leave`"):
        assert part in panel.text


async def test_what_was_said_is_shown_once_more(desk: Desk) -> None:
    await ask(desk)
    await run("/queue take aaaaaaaa", desk)
    (one,) = desk.handovers.look(desk.ledger).values()
    await handover_deeds.say(desk.ledger, desk.handovers, one, "<b>Hello</b>", actor=fakes.CUSTOMER)
    assert "17:00 **C\\-1001:** \\<b\\>Hello\\</b\\>" in (await run("/queue aaaaaaaa", desk)).text


async def test_leaving_and_ending_say_what_holds_now(desk: Desk) -> None:
    await ask(desk)
    await run("/queue take aaaaaaaa", desk)
    assert "back in the queue as number 1" in (await run("/queue leave", desk)).text
    await run("/queue take aaaaaaaa", desk)
    assert "The assistant answers them again" in (await run("/end solved", desk)).text
    with pytest.raises(NotFound, match="no customer"):
        await run("/end", desk)


async def test_a_customer_ends_it_waiting_or_speaking(desk: Desk) -> None:
    await run("/person", desk, fakes.CUSTOMER, "talk-9")
    assert "Nobody is asked any longer" in (await run("/end", desk, fakes.CUSTOMER, "talk-9")).text
    await run("/person", desk, fakes.CUSTOMER, "talk-9")
    (one,) = handover_waiting(desk)
    await run(f"/queue take {one}", desk)
    assert "already" in (await run("/person", desk, fakes.CUSTOMER, "talk-9")).text
    assert "The assistant answers you again" in (await run("/end", desk, fakes.CUSTOMER, "talk-9")).text


def handover_waiting(desk: Desk) -> list[str]:
    known = desk.handovers.look(desk.ledger).values()
    return [one.short for one in known if one.stage.value == "waiting"]


async def test_in_a_chat_where_a_customer_listens_nothing_else_is_asked(desk: Desk) -> None:
    await ask(desk)
    await run("/queue take aaaaaaaa", desk)
    with pytest.raises(Conflict, match="Open another one for /rollout"):
        await run("/rollout", desk)
    assert refused(desk)[-1][0] == "rollout"
    assert "What you can do" in (await run("/help", desk)).text
    assert (await run("/status", desk, talk="desk-2")).text


async def test_customers_and_approvers_are_kept_out_and_that_is_recorded(desk: Desk) -> None:
    for text, who in (
        ("/queue", fakes.CUSTOMER),
        ("/queue take aaaaaaaa", fakes.APPROVER),
        ("/queue x y z", fakes.CUSTOMER),
    ):
        with pytest.raises(Refused):
            await run(text, desk, who)
    with pytest.raises(Refused):
        await run("/person", desk, fakes.OPERATOR)
    assert [command for command, _ in refused(desk)] == ["queue", "queue", "queue", "person"]


@pytest.mark.parametrize("text", ["/queue take", "/queue give up now", "/end well", "/queue take a"])
async def test_what_cannot_be_read_is_explained(desk: Desk, text: str) -> None:
    with pytest.raises(InvalidRequest):
        await run(text, desk)


async def test_a_terminal_lists_and_takes_nobody_over(desk: Desk) -> None:
    await ask(desk)
    assert "aaaaaaaa" in (await run("/queue", desk, talk="")).text
    with pytest.raises(InvalidRequest, match="in the chat"):
        await run("/queue take aaaaaaaa", desk, talk="")
    with pytest.raises(InvalidRequest, match="in the chat"):
        await run("/person", desk, fakes.CUSTOMER, "")
