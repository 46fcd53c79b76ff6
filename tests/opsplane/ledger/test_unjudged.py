"""What no judge has looked at yet, told by the record alone."""

from datetime import timedelta

from opsplane.access import SERVICE
from opsplane.evaluation_events import ExchangeScored, ExchangeUnscored, PreferenceScored
from opsplane.events import ExchangeReviewed
from opsplane.exchange import Outcome
from opsplane.ledger import retention, unjudged
from opsplane.ledger.store import Ledger
from opsplane.review import Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.test_reviews import FIGURE, PROMISE, thumb, turn
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.twice import twice

SINCE = fakes.NOON - timedelta(hours=1)


async def test_flags_and_shadows_are_told_without_a_key(ledger: Ledger) -> None:
    await turn(ledger, "plain-0001")
    await turn(ledger, "promise-01", PROMISE)
    await turn(ledger, "figure-001", FIGURE)
    await turn(ledger, "thumbed-01")
    await thumb(ledger, "thumbed-01", 0)
    await twice(ledger, "twice-0001")
    ledger.settle()
    found = {one.id: (one.reason, one.shadowed) for one in unjudged.candidates(ledger, SINCE)}
    assert found == {
        "plain-0001": (None, False),
        "promise-01": (Reason.ZERO_TOLERANCE, False),
        "figure-001": (Reason.FLAGGED, False),
        "thumbed-01": (Reason.THUMBS_DOWN, False),
        "twice-0001": (None, True),
    }


async def test_a_thumb_counts_that_went_down_after_the_review(ledger: Ledger) -> None:
    await turn(ledger, "plain-0001")
    chosen = ExchangeReviewed(exchange="plain-0001", reason=Reason.CHOSEN, verdict=Verdict.RIGHT)
    await ledger.append(chosen, fakes.REVIEWER, "plain-0001", "C-1001")
    assert [one.reason for one in unjudged.candidates(ledger, SINCE)] == [Reason.CHOSEN]
    await thumb(ledger, "plain-0001", 0)
    assert [one.reason for one in unjudged.candidates(ledger, SINCE)] == [Reason.THUMBS_DOWN]


async def test_a_turn_under_way_is_told_as_such_and_an_erased_one_not_at_all(ledger: Ledger) -> None:
    await turn(ledger, "plain-0001", customer="C-1001")
    await ledger.received(exchange("under-way1", customer="C-1002"))
    keys = ledger.vault.destroy("C-1001")
    retention.sweep(ledger, keys)
    found = [(one.id, one.outcome) for one in unjudged.candidates(ledger, SINCE)]
    assert found == [("under-way1", Outcome.RECEIVED)]


async def test_only_what_is_young_enough_is_read(ledger: Ledger) -> None:
    for number in range(7):
        await turn(ledger, f"turn-{number:05}", at=fakes.NOON + timedelta(minutes=number))
    ledger.settle()
    since = fakes.NOON + timedelta(minutes=4)
    whole = unjudged.candidates(ledger, since)
    assert [one.id for one in whole] == ["turn-00006", "turn-00005", "turn-00004"]
    assert unjudged.candidates(ledger, since, block=2) == whole
    assert [one.id for one in unjudged.candidates(ledger, SINCE, block=2, most=4)] == [
        "turn-00006",
        "turn-00005",
        "turn-00004",
        "turn-00003",
    ]


async def test_what_each_judge_said_is_kept_apart(ledger: Ledger) -> None:
    events = (
        ExchangeScored(exchange="a", scorer="one", score=80),
        ExchangeUnscored(exchange="b", scorer="one", reason="prose"),
        ExchangeUnscored(exchange="b", scorer="one", reason="timeout"),
        ExchangeScored(exchange="b", scorer="two", score=10),
        PreferenceScored(exchange="c", scorer="two", first="x", second="y", forward="first", backward="tie"),
        PreferenceScored(exchange="d", scorer="two", first="x", second="y", forward="first", backward="unscored"),
    )
    for event in events:
        await ledger.append(event, SERVICE, event.exchange, "C-1001")
    found = unjudged.words(ledger, SINCE)
    assert found["one"].scored == {"a"}
    assert sorted(found["one"].unscored["b"]) == ["prose", "timeout"]
    assert (found["two"].scored, found["two"].preferred) == ({"b"}, {"c"})
    assert found["two"].unpreferred == {"d": 1}
    ledger.settle()
    assert unjudged.words(ledger, fakes.NOON + timedelta(hours=1)) == {}


async def test_topics_come_from_the_public_part(ledger: Ledger) -> None:
    await turn(ledger, "plain-0001", topic="fees")
    await turn(ledger, "plain-0002")
    assert unjudged.topics(ledger, ["plain-0001", "plain-0002", "nobody"]) == {"plain-0001": "fees", "plain-0002": ""}
