"""How far a conversation has come: every turn that a model was asked in, whatever became of it."""

import pytest

from opsplane.exchange import Outcome, Route, Tier
from opsplane.ledger.store import Ledger
from opsplane.ledger.talk import Talk, so_far
from tests.opsplane.ledger.test_store import exchange


async def turn(ledger: Ledger, identity: str, tier: Tier | None, outcome: Outcome = Outcome.ANSWERED) -> None:
    route = Route(tier=tier, model="m", reason="r") if tier else None
    await ledger.received(exchange(identity))
    await ledger.answered(exchange(identity, route=route, outcome=outcome))


async def test_a_conversation_is_as_long_as_its_turns_that_a_model_was_asked_in(ledger: Ledger) -> None:
    await turn(ledger, "e1", Tier.FLASH)
    await turn(ledger, "e2", None, Outcome.REPLIED)
    await turn(ledger, "e3", Tier.FLASH)
    assert so_far(ledger, "talk-1", "C-1001", "e4") == Talk(turns=2)


async def test_the_turn_itself_does_not_count(ledger: Ledger) -> None:
    await turn(ledger, "e1", Tier.PRO)
    assert so_far(ledger, "talk-1", "C-1001", "e1") == Talk()


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.FAILED, Outcome.ABSTAINED])
async def test_a_turn_on_pro_counts_however_it_ended(ledger: Ledger, outcome: Outcome) -> None:
    await turn(ledger, "e1", Tier.PRO, outcome)
    for number in range(2, 10):
        await turn(ledger, f"e{number}", Tier.FLASH)
    assert so_far(ledger, "talk-1", "C-1001", "e10") == Talk(turns=9, pro=True)


async def test_nobody_elses_conversation_counts(ledger: Ledger) -> None:
    await turn(ledger, "e1", Tier.PRO)
    assert so_far(ledger, "talk-1", "C-2002", "e2") == so_far(ledger, "talk-2", "C-1001", "e2") == Talk()
