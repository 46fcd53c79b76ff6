"""Which questions two releases answered, and which of them still wait for somebody to compare them."""

import asyncio

import pytest

from opsplane.access import Actor
from opsplane.evaluation_events import PreferenceGiven
from opsplane.events import ShadowAnswered
from opsplane.exchange import Outcome
from opsplane.ledger import pairs
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.twice import NEW, SHADOWED, SHOWN, twice

ANN, BOB = (fakes.REVIEWER.model_copy(update={"id": name}) for name in ("ann", "bob"))


def say(ledger: Ledger, identity: str, who: Actor) -> None:
    event = PreferenceGiven(exchange=identity, first="aa", second="bb", preferred="tie")
    ledger.append_now(event, who, identity, "C-1001")
    ledger.settle()


def coming(ledger: Ledger, who: Actor = ANN) -> str:
    found = pairs.upcoming(ledger, who.id)
    return found.live.id if found else ""


async def test_a_pair_is_what_was_shown_and_what_a_shadow_said_with_their_sources(ledger: Ledger) -> None:
    await twice(ledger, "exchange-1")
    found = pairs.pair(ledger, "exchange-1")
    assert found
    assert (found.live.answer, found.shadow.answer, found.shadow.digest) == (SHOWN, SHADOWED, NEW.digest)
    assert [one.text for one in found.shadow.evidence] == ["The fee is $15 for each item.", "Each item costs $15."]
    assert found.trouble == ""


async def test_a_question_answered_once_is_no_pair(ledger: Ledger) -> None:
    await ledger.received(exchange("exchange-1"))
    assert pairs.pair(ledger, "exchange-1") is None
    assert pairs.pair(ledger, "nothing") is None


async def test_of_several_shadows_the_first_counts(ledger: Ledger) -> None:
    await twice(ledger, "exchange-1")
    found = pairs.pair(ledger, "exchange-1")
    assert found
    later = found.shadow.model_copy(update={"digest": "another"})
    ledger.append_now(ShadowAnswered(exchange=later), fakes.OPERATOR, "exchange-1", "C-1001")
    assert pairs.pair(ledger, "exchange-1") == found


async def test_the_newest_comes_first_and_what_nobody_compared_before_what_somebody_did(ledger: Ledger) -> None:
    for name in ("exchange-1", "exchange-2", "exchange-3"):
        await twice(ledger, name)
    assert coming(ledger) == "exchange-3"
    say(ledger, "exchange-3", BOB)
    assert coming(ledger) == "exchange-2"
    for name in ("exchange-1", "exchange-2"):
        say(ledger, name, ANN)
    assert (coming(ledger), coming(ledger, BOB)) == ("exchange-3", "exchange-2")
    assert (pairs.waiting(ledger, "ann"), pairs.waiting(ledger, "bob")) == (1, 2)
    say(ledger, "exchange-3", ANN)
    assert coming(ledger) == ""


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"shadowed": SHOWN}, "said the same"),
        ({"outcome": Outcome.FAILED}, "failed or was stopped"),
        ({"outcome": Outcome.STOPPED}, "failed or was stopped"),
        ({"digest": fakes.release().digest}, "one release gave both"),
    ],
)
async def test_what_cannot_be_compared_is_passed_over(ledger: Ledger, changes: dict[str, object], trouble: str) -> None:
    await twice(ledger, "exchange-1")
    await twice(ledger, "exchange-2", **changes)  # type: ignore[arg-type]
    found = pairs.pair(ledger, "exchange-2")
    assert found
    assert trouble in found.trouble
    assert coming(ledger) == "exchange-1"


async def test_nothing_of_an_erased_customer_waits(ledger: Ledger) -> None:
    await twice(ledger, "exchange-1")
    ledger.vault.destroy("C-1001")
    found = pairs.pair(ledger, "exchange-1")
    assert found
    assert "erased" in found.trouble
    assert coming(ledger) == ""


async def test_a_pair_behind_many_that_are_none_is_found(ledger: Ledger) -> None:
    await twice(ledger, "exchange-0")
    await asyncio.gather(*(twice(ledger, f"same-{number:04}", SHOWN) for number in range(pairs.BATCH + 5)))
    assert coming(ledger) == "exchange-0"
