"""Which tier answered, why and at what cost."""

from datetime import timedelta

from opsplane import routing
from opsplane.exchange import Outcome, Route, Tier
from opsplane.ledger import routes
from opsplane.ledger.routes import Turns
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

OURS = fakes.release().digest
LONG = "the question has 40 words (Pro from 30)"


async def turn(
    ledger: Ledger, number: int, tier: Tier, reason: str, outcome: Outcome = Outcome.ANSWERED, digest: str = OURS
) -> None:
    """One turn of an hour, the larger the number the later."""
    route = Route(tier=tier, model="m", reason=reason)
    at = fakes.NOON + timedelta(hours=number)
    ledger.clock.at = at  # type: ignore[attr-defined]  # the tests' own clock
    told = {"route": route, "outcome": outcome, "digest": digest, "cost_micros": 100 * number, "at": at}
    await ledger.received(exchange(f"e{number}", at=at, digest=digest))
    await ledger.answered(exchange(f"e{number}", **told))
    ledger.settle()


async def test_turns_are_counted_by_tier_and_reason(ledger: Ledger) -> None:
    await turn(ledger, 1, Tier.FLASH, routing.PLAIN)
    await turn(ledger, 2, Tier.FLASH, routing.PLAIN, Outcome.ABSTAINED)
    await turn(ledger, 3, Tier.PRO, LONG)
    await turn(ledger, 4, Tier.PRO, routing.ESCALATED.format(2))
    found = routes.since(ledger, OURS, fakes.NOON)
    assert found.tiers == {Tier.FLASH: Turns(2, 1, 300), Tier.PRO: Turns(2, 2, 700)}
    assert found.reasons == {
        (Tier.FLASH, "plain"): Turns(2, 1, 300),
        (Tier.PRO, "words"): Turns(1, 1, 300),
        (Tier.PRO, "escalated"): Turns(1, 1, 400),
    }
    assert (found.number, found.read, found.elsewhere) == (4, 4, 0)


async def test_what_came_before_does_not_count(ledger: Ledger) -> None:
    for number in range(1, 8):
        await turn(ledger, number, Tier.FLASH, routing.PLAIN)
    found = routes.since(ledger, OURS, fakes.NOON + timedelta(hours=6))
    assert (found.number, found.read) == (2, 2)


async def test_other_releases_are_counted_apart(ledger: Ledger) -> None:
    await turn(ledger, 1, Tier.FLASH, routing.PLAIN)
    await turn(ledger, 2, Tier.PRO, LONG, digest="0" * 64)
    found = routes.since(ledger, OURS, fakes.NOON)
    assert (found.number, found.elsewhere, list(found.reasons)) == (1, 1, [(Tier.FLASH, "plain")])


async def test_what_no_model_was_asked_about_is_no_route(ledger: Ledger) -> None:
    await ledger.received(exchange("e1"))
    await ledger.answered(exchange("e1", outcome=Outcome.REPLIED))
    assert routes.since(ledger, OURS, fakes.NOON).number == 0


def test_an_empty_record_has_no_routes(ledger: Ledger) -> None:
    assert routes.since(ledger, OURS, fakes.NOON).number == 0
