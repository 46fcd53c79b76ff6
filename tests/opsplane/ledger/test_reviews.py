"""The queue in the database: once each, most urgent first, decided once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from opsplane.access import Actor
from opsplane.coverage import Count, Opinion, Preference
from opsplane.evaluation_events import PreferenceGiven
from opsplane.events import ExchangeReviewed, FeedbackGiven
from opsplane.exchange import Exchange, Outcome
from opsplane.finding import Action, Finding
from opsplane.ledger import retention, reviews
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import EXCHANGE
from opsplane.review import Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

ANN, BOB = (fakes.REVIEWER.model_copy(update={"id": name}) for name in ("ann", "bob"))
PROMISE = Finding(code="compliance.promise", action=Action.WITHHOLD, stage="answer")
FIGURE = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer")


@pytest.fixture
def ledger(ledger: Ledger, clock: fakes.Clock) -> Ledger:
    clock.step = timedelta(seconds=1)
    return ledger


async def turn(ledger: Ledger, identity: str, *findings: Finding, **changes: object) -> Exchange:
    done = exchange(identity, findings=findings, **{"outcome": Outcome.ANSWERED, **changes})
    await ledger.received(exchange(identity, customer=done.customer))
    await ledger.answered(done)
    return done


async def thumb(ledger: Ledger, identity: str, value: int | None) -> None:
    event = FeedbackGiven.model_validate({"exchange": identity, "value": value})
    await ledger.append(event, fakes.CUSTOMER, identity, "C-1001")


async def decide(ledger: Ledger, identity: str, verdict: Verdict, who: Actor = ANN, score: int | None = None) -> None:
    event = ExchangeReviewed(exchange=identity, reason=Reason.FLAGGED, verdict=verdict, score=score, comment="words")
    await ledger.append(event, who, identity, "C-1001")


def score(ledger: Ledger) -> int | None:
    (row,) = ledger.read(select(EXCHANGE.c.score).where(EXCHANGE.c.id == "flagged-1"))
    found: int | None = row.score
    return found


def order(ledger: Ledger, reason: Reason | None = None) -> list[str]:
    return [one.exchange for one in reviews.upcoming(ledger, reason)[0]]


async def test_the_most_urgent_comes_first_and_then_the_oldest(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", FIGURE, outcome=Outcome.FAILED)
    await turn(ledger, "flagged-2", FIGURE, outcome=Outcome.FAILED)
    await turn(ledger, "plain-1")
    await turn(ledger, "promise-1", PROMISE)
    await thumb(ledger, "plain-1", 0)
    assert order(ledger) == ["promise-1", "plain-1", "flagged-1", "flagged-2"]
    assert order(ledger, Reason.FLAGGED) == ["flagged-1", "flagged-2"]
    assert reviews.waiting(ledger) == {Reason.ZERO_TOLERANCE: 1, Reason.THUMBS_DOWN: 1, Reason.FLAGGED: 2}


async def test_an_exchange_waits_once_under_its_most_urgent_reason(ledger: Ledger) -> None:
    await turn(ledger, "promise-1", PROMISE)
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED)
    for identity in ("promise-1", "flagged-1", "flagged-1"):
        await thumb(ledger, identity, 0)
    await thumb(ledger, "flagged-1", None)
    assert reviews.waiting(ledger) == {Reason.ZERO_TOLERANCE: 1, Reason.THUMBS_DOWN: 1}


async def test_a_decision_takes_it_out_and_sets_the_score(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED)
    await decide(ledger, "flagged-1", Verdict.WRONG, score=20)
    assert order(ledger) == []
    place = reviews.place(ledger, "flagged-1")
    assert place
    assert (place.verdict, place.reviewer, place.reason) == ("wrong", "ann", Reason.FLAGGED)
    assert score(ledger) == 20


async def test_a_thumb_down_after_the_decision_does_not_reopen_it(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED)
    await decide(ledger, "flagged-1", Verdict.WRONG)
    await thumb(ledger, "flagged-1", 0)
    assert reviews.waiting(ledger) == {}


async def test_a_second_opinion_changes_neither_verdict_nor_score(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED)
    await decide(ledger, "flagged-1", Verdict.WRONG, ANN, score=20)
    await decide(ledger, "flagged-1", Verdict.RIGHT, BOB, score=90)
    place = reviews.place(ledger, "flagged-1")
    assert place
    assert (place.verdict, place.reviewer) == ("wrong", "ann")
    assert score(ledger) == 20
    await decide(ledger, "flagged-1", Verdict.UNSURE, ANN, score=50)
    assert score(ledger) == 50


async def test_one_that_waited_for_nothing_may_be_judged_all_the_same(ledger: Ledger) -> None:
    await turn(ledger, "plain-1")
    await decide(ledger, "plain-1", Verdict.RIGHT)
    assert [one.verdict for one in reviews.counts(ledger, None, None)] == ["right"]


async def test_what_was_erased_waits_no_longer(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED, customer="C-1002")
    await turn(ledger, "flagged-2", outcome=Outcome.FAILED)
    keys = [key.id for key in ledger.vault.keys_of("C-1002")]
    ledger.vault.destroy("C-1002")
    assert order(ledger) == ["flagged-2"]
    retention.sweep(ledger, keys)
    assert order(ledger) == ["flagged-2"]
    assert reviews.waiting(ledger) == {Reason.FLAGGED: 1}


async def test_a_long_queue_is_read_in_parts(ledger: Ledger) -> None:
    for number in range(reviews.BATCH + 1):
        await turn(ledger, f"flagged-{number:02}", outcome=Outcome.FAILED)
    first, after = reviews.upcoming(ledger)
    assert after is not None
    second, end = reviews.upcoming(ledger, None, after)
    assert [len(first), len(second), end] == [reviews.BATCH, 1, None]


async def test_counts_and_opinions_are_those_of_the_exchanges_of_that_time(ledger: Ledger, clock: fakes.Clock) -> None:
    await turn(ledger, "plain-1")
    await turn(ledger, "old-1", at=clock.at - timedelta(days=40), outcome=Outcome.FAILED)
    await decide(ledger, "old-1", Verdict.WRONG, ANN)
    await decide(ledger, "old-1", Verdict.RIGHT, BOB)
    month_ago = micros(clock.at - timedelta(days=30))
    assert reviews.counts(ledger, month_ago, None) == [Count("answered", "", "", 1)]
    assert reviews.counts(ledger, None, month_ago) == [Count("failed", "flagged", "wrong", 1)]
    both = [Opinion("old-1", "ann", "wrong"), Opinion("old-1", "bob", "right")]
    assert reviews.opinions(ledger, None, month_ago) == both
    assert reviews.opinions(ledger, None, None) == both
    assert reviews.opinions(ledger, month_ago, None) == []


async def test_scores_and_marks_are_read_with_the_verdict(ledger: Ledger) -> None:
    await turn(ledger, "flagged-1", outcome=Outcome.FAILED)
    event = ExchangeReviewed(
        exchange="flagged-1", reason=Reason.FLAGGED, verdict=Verdict.WRONG, score=20, marks={"clarity": 2}
    )
    await ledger.append(event, ANN, "flagged-1", "C-1001")
    assert reviews.opinions(ledger, None, None) == [Opinion("flagged-1", "ann", "wrong", 20, {"clarity": 2})]


async def test_preferences_are_those_of_the_exchanges_of_that_time(ledger: Ledger, clock: fakes.Clock) -> None:
    await turn(ledger, "plain-1")
    event = PreferenceGiven(exchange="plain-1", first="aa", second="bb", preferred="tie", comment="words")
    await ledger.append(event, ANN, "plain-1", "C-1001")
    assert reviews.preferences(ledger, None, None) == [Preference("plain-1", "ann", "aa", "bb", "tie")]
    assert reviews.preferences(ledger, micros(clock.at + timedelta(days=1)), None) == []


async def test_a_second_opinion_is_asked_for_on_what_somebody_else_judged(ledger: Ledger) -> None:
    for name in ("c-1", "a-1", "b-1", "d-1"):
        await turn(ledger, name, outcome=Outcome.FAILED)
    await decide(ledger, "c-1", Verdict.WRONG, ANN)
    await decide(ledger, "a-1", Verdict.WRONG, ANN)
    await decide(ledger, "b-1", Verdict.WRONG, BOB)
    assert reviews.judged_by_others(ledger, "bob") == ["a-1", "c-1"]
    assert reviews.judged_by_others(ledger, "ann") == ["b-1"]
    ledger.vault.destroy("C-1001")
    assert reviews.judged_by_others(ledger, "bob") == []
