"""Questions that two releases answered, for tests of what people prefer."""

from opsplane.events import ReleaseRegistered, ShadowAnswered
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.ledger.store import Ledger
from opsplane.release import Release
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

NEW = fakes.release(id="test-2")
SHOWN, SHADOWED = "The fee is $29.", "It costs $15 an item."


def register(ledger: Ledger, release: Release = NEW) -> None:
    """Put a release on the record."""
    event = ReleaseRegistered(release=release.id, digest=release.digest, canonical=release.canonical().decode())
    ledger.append_now(event, fakes.OPERATOR)


async def twice(ledger: Ledger, identity: str, shadowed: str = SHADOWED, **changes: object) -> Exchange:
    """A question that release test-1 answered and test-2 in its shadow, with `changes` to the latter's turn."""
    shown = Sentence(text=SHOWN, cites=(1,))
    live = exchange(identity, fakes.passage(), outcome=Outcome.ANSWERED, sentences=(shown,))
    await ledger.received(exchange(identity))
    await ledger.answered(live)
    told = {
        "release": NEW.id,
        "digest": NEW.digest,
        "arm": "shadow",
        "sentences": (Sentence(text=shadowed, cites=(2,)),),
    }
    passages = fakes.passage(1), fakes.passage(2, "Each item costs $15.")
    shadow = exchange(identity, *passages, outcome=Outcome.ANSWERED).model_copy(update=told | changes)
    await ledger.append(ShadowAnswered(exchange=shadow), fakes.OPERATOR, identity, live.customer)
    ledger.settle()
    return live
