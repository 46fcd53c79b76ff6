"""Judging off the hot path: the flagged ones and a share, within the budget, once whoever does it, by any process."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

import pytest

from assistant import live_judging, schedule
from assistant.live_judging import Court, LiveJudging, Looked
from assistant.schedule import Job
from opsplane.errors import RecordUnavailable
from opsplane.evaluation.judge import MEASURE
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import Preference
from opsplane.evaluation.scoring import How, Score
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.ledger import costs, pairs
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger
from opsplane.policy import Sampling
from opsplane.preference import ordered
from opsplane.sampling import lot
from opsplane.spend import Cost, Purpose, Usage
from tests import fakes, judges
from tests.opsplane.ledger.test_reviews import PROMISE, thumb, turn
from tests.opsplane.twice import twice

EVERY, NOTHING = Sampling(share=1.0), Sampling(share=0.0)
USAGE = Usage(input=100, output=10)


@dataclass
class Judge:
    """Says what it was told to for each answer, one micro-dollar of `each`; an exception is raised."""

    says: Callable[[Matter], Score | Exception] = lambda _: scored(0.8)
    identity: str = "answer/test:model@0123456789ab"
    how: How = How.MODEL
    words: str = "a scripted judge"
    seen: list[str] = field(default_factory=list)
    meets: Callable[[], None] = lambda: None

    async def grade(self, matter: Matter) -> Score:
        self.seen.append(matter.question)
        self.meets()
        found = self.says(matter)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Prefers:
    """Prefers one place, or one answer."""

    word: Preference
    identity: str = "preference/test:model@0123456789ab"
    how: How = How.MODEL
    seen: list[tuple[str, str]] = field(default_factory=list)

    async def prefer(self, first: Matter, second: Matter) -> Preference:
        self.seen.append((first.answer, second.answer))
        return self.word


def cost(micros: int) -> Cost:
    return Cost(purpose=Purpose.EVALUATION, model="test:judge", usage=USAGE, micros=micros, prices="t")


def scored(value: float | None, micros: int = 0, why: str = "", **part: float) -> Score:
    spent = (cost(micros),) if micros else ()
    return Score(scorer=MEASURE, value=value, why=why, part=part, costs=spent)


async def answered(ledger: Ledger, *names: str, **changes: Any) -> list[Exchange]:
    """Exchanges that ended well, each with a sentence of its own."""
    sentence = (Sentence(text="The fee is $15.", cites=(1,)),)
    told = {"sentences": sentence, "evidence": (fakes.passage(),), "topic": "fees"} | changes
    done = [await turn(ledger, one, **told) for one in names]
    ledger.settle()
    return done


def judging(ledger: Ledger, judge: Any, sampling: Sampling = EVERY, pair: Any = None) -> LiveJudging:
    return LiveJudging(ledger, Court(judge, pair), sampling, UTC)


async def look(at: LiveJudging) -> Looked:
    return await asyncio.to_thread(at.look)


def told(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    return [one.event.model_dump() for one in ledger.events([kind])]


async def test_a_score_is_on_the_record_with_why_it_was_given(ledger: Ledger) -> None:
    (exchange,) = await answered(ledger, "turn-00001")
    judge = Judge(lambda _: scored(0.834, grounded=1.0, plain=0.25))
    assert str(await look(judging(ledger, judge))) == "1 answers judged, 0 in vain, 0 pairs compared"
    assert told(ledger, "exchange_scored") == [
        {
            "kind": "exchange_scored",
            "exchange": "turn-00001",
            "scorer": judge.identity,
            "score": 83,
            "measures": {"grounded": 100, "plain": 25},
            "topic": "fees",
            "stratum": "fees/answered 1 plain",
            "length": len(exchange.answer),
        }
    ]


async def test_nothing_is_judged_twice_by_this_process_or_the_next(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001", "turn-00002")
    first, second = Judge(), Judge()
    at = judging(ledger, first)
    assert [(await look(at)).scored for _ in range(2)] == [2, 0]
    assert (await look(judging(ledger, second))).scored == 0
    assert second.seen == []
    await answered(ledger, "turn-00003")
    assert (await look(judging(ledger, second))).scored == 1


async def test_another_judge_looks_at_all_of_it_again(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    await look(judging(ledger, Judge()))
    assert (await look(judging(ledger, Judge(identity="answer/test:other@ffff")))).scored == 1


async def test_two_at_once_judge_each_exchange_once(ledger: Ledger) -> None:
    await answered(ledger, *(f"turn-{number:05}" for number in range(5)))
    inside, go_on = threading.Event(), threading.Event()

    def meets() -> None:
        inside.set()
        go_on.wait(20)

    slow, other = Judge(meets=meets), Judge()
    works = [Job("judge", "Judging", timedelta(minutes=5), judging(ledger, one).look) for one in (slow, other)]
    running = asyncio.create_task(asyncio.to_thread(schedule.once, works[0], ledger))
    assert await asyncio.to_thread(inside.wait, 20)
    outcome = await asyncio.to_thread(schedule.once, works[1], ledger)
    go_on.set()
    await running
    assert outcome.elsewhere
    assert other.seen == []
    assert sorted(one["exchange"] for one in told(ledger, "exchange_scored")) == [f"turn-{n:05}" for n in range(5)]


async def test_what_was_flagged_is_judged_though_nothing_is_drawn(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001", "turn-00002")
    await turn(ledger, "promise-01", PROMISE)
    await turn(ledger, "failed-001", outcome=Outcome.FAILED)
    await thumb(ledger, "turn-00002", 0)
    await look(judging(ledger, Judge(), NOTHING))
    found = {one["exchange"]: one["stratum"] for one in told(ledger, "exchange_scored")}
    assert found == {"promise-01": "zero_tolerance 1", "failed-001": "flagged 1", "turn-00002": "thumbs_down 1"}


async def test_a_share_by_topic_and_outcome_is_judged(ledger: Ledger) -> None:
    names = [f"turn-{number:05}" for number in range(40)]
    await answered(ledger, *names[:20], topic="cards")
    await answered(ledger, *names[20:])
    await look(judging(ledger, Judge(), Sampling(share=0.25, strata={"cards": 0.6})))
    drawn = {one for one in names if lot(one) < (0.6 if one in names[:20] else 0.25)}
    assert {one["exchange"] for one in told(ledger, "exchange_scored")} == drawn
    assert 0 < len(drawn) < 40


async def test_the_budget_of_the_day_goes_to_the_most_urgent(ledger: Ledger, clock: fakes.Clock) -> None:
    await answered(ledger, *(f"turn-{number:05}" for number in range(6)))
    await turn(ledger, "promise-01", PROMISE, at=fakes.NOON)
    judge = Judge(lambda _: scored(0.5, 100))
    policy = Sampling(share=1.0, day_micros=350)
    looked = await look(judging(ledger, judge, policy))
    assert (looked.scored, looked.micros, looked.left) == (3, 300, 4)
    assert "4 wait for tomorrow's budget" in str(looked)
    assert told(ledger, "exchange_scored")[0]["exchange"] == "promise-01"
    assert (await look(judging(ledger, judge, policy))).scored == 0
    clock.at += timedelta(days=1)
    assert (await look(judging(ledger, judge, policy))).scored == 3


async def test_judging_is_booked_as_a_judges_whatever_it_says_itself(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    await look(judging(ledger, Judge(lambda _: scored(None, 70, why="prose: it talks"))))
    begin = fakes.NOON - timedelta(hours=1)
    assert costs.spent(ledger, begin, begin + timedelta(days=1), "C-1001") == {Purpose.JUDGE: 70}
    (booked,) = told(ledger, "cost_booked")
    assert (booked["exchange"], booked["release"]) == ("turn-00001", "test-1")


async def test_without_a_budget_only_a_judge_that_costs_nothing_judges(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    broke = Sampling(share=1.0, day_micros=0)
    assert (await look(judging(ledger, Judge(), broke))).left == 1
    assert (await look(judging(ledger, Judge(how=How.EMBEDDED, identity="embedded@1"), broke))).scored == 1


async def test_a_judge_that_gives_nothing_is_asked_three_times(ledger: Ledger, clock: fakes.Clock) -> None:
    await answered(ledger, "turn-00001")
    clock.step = timedelta(milliseconds=1)
    judge = Judge(lambda _: scored(None, why="prose: it is not one JSON object alone"))
    assert [(await look(judging(ledger, judge))).unscored for _ in range(5)] == [1, 1, 1, 0, 0]
    assert [one["reason"] for one in told(ledger, "exchange_unscored")] == ["prose"] * 3


@pytest.mark.parametrize(
    ("error", "reason"), [(ValueError("pa55"), "failed"), (TimeoutError(), "timeout"), (ConnectionError(), "failed")]
)
async def test_a_judge_that_breaks_leaves_the_exchange_for_the_next_time(
    ledger: Ledger, error: Exception, reason: str
) -> None:
    await answered(ledger, "turn-00001", "turn-00002")
    answers: list[Score | Exception] = [error, scored(0.9), scored(0.7)]
    judge = Judge(lambda _: answers.pop(0))
    looked = await look(judging(ledger, judge))
    assert (looked.scored, looked.unscored) == (1, 1)
    assert [one["reason"] for one in told(ledger, "exchange_unscored")] == [reason]
    assert (await look(judging(ledger, judge))).scored == 1


@pytest.mark.parametrize(("how", "why"), [(How.MODEL, "empty: there is no answer"), (How.EMBEDDED, "prose: never")])
async def test_what_another_attempt_would_not_change_is_not_tried_again(ledger: Ledger, how: How, why: str) -> None:
    await answered(ledger, "turn-00001")
    judge = Judge(lambda _: scored(None, why=why), how=how)
    assert [(await look(judging(ledger, judge))).unscored for _ in range(2)] == [1, 0]


async def test_a_record_that_cannot_be_read_ends_the_look(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    with pytest.raises(RecordUnavailable):
        await look(judging(ledger, Judge(lambda _: RecordUnavailable("The record cannot be read."))))


async def test_erased_words_are_judged_by_nobody(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    ledger.vault.destroy("C-1001")
    judge = Judge()
    at = judging(ledger, judge)
    assert [str(await look(at)) for _ in range(2)] == ["0 answers judged, 0 in vain, 0 pairs compared"] * 2
    assert judge.seen == []


async def test_what_is_older_than_two_days_is_left(ledger: Ledger, clock: fakes.Clock) -> None:
    await answered(ledger, "turn-00001")
    clock.at += live_judging.WINDOW + timedelta(minutes=1)
    assert (await look(judging(ledger, Judge()))).scored == 0


async def test_a_stop_cuts_off_what_is_under_way_and_it_comes_again(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001", "turn-00002")
    over, hanging = threading.Event(), asyncio.Event

    class Hangs(Judge):
        async def grade(self, matter: Matter) -> Score:
            over.set()
            await hanging().wait()
            raise AssertionError

    stopped = LiveJudging(ledger, Court(Hangs()), EVERY, UTC, over)
    assert (await look(stopped)).scored == 0
    assert told(ledger, "exchange_unscored") == []
    assert (await look(judging(ledger, Judge()))).scored == 2


async def test_what_people_labelled_is_judged_on_request_and_once(ledger: Ledger, clock: fakes.Clock) -> None:
    await answered(ledger, "turn-00001", "turn-00002")
    clock.at += timedelta(days=30)
    at = judging(ledger, Judge(), NOTHING)
    wanted = ["turn-00001", "nobody"]
    assert [(await asyncio.to_thread(at.judge, wanted)).scored for _ in range(2)] == [1, 0]
    (event,) = told(ledger, "exchange_scored")
    assert (event["exchange"], event["topic"], event["stratum"]) == ("turn-00001", "fees", "chosen 1")
    with exclusive(ledger, live_judging.JOB):
        assert (await asyncio.to_thread(at.judge, ["turn-00002"])).scored == 0


async def test_a_pair_is_compared_once_in_the_order_that_reviewers_see(ledger: Ledger) -> None:
    await twice(ledger, "twice-0001")
    pair, judge = pairs.pair(ledger, "twice-0001"), Prefers(Preference("first", "second", costs=(cost(30), cost(40))))
    assert pair is not None
    first, second = ordered(pair)
    at = judging(ledger, Judge(), pair=judge)
    assert [(await look(at)).compared for _ in range(2)] == [1, 0]
    assert judge.seen == [(first.answer, second.answer)]
    (event,) = told(ledger, "preference_scored")
    assert (event["scorer"], event["forward"], event["backward"]) == (judge.identity, "first", "second")
    assert (event["first"], event["second"]) == (first.digest, second.digest)
    assert sum(one["cost"]["micros"] for one in told(ledger, "cost_booked")) == 70


async def test_a_judge_that_goes_by_the_order_is_on_the_record_as_that(ledger: Ledger) -> None:
    await twice(ledger, "twice-0001")
    await look(judging(ledger, judges.grading(judges.fair()), pair=judges.comparing(judges.always_first())))
    (event,) = told(ledger, "preference_scored")
    assert (event["forward"], event["backward"]) == ("first", "second")


async def test_a_pair_without_a_word_is_tried_again_and_equal_answers_never(ledger: Ledger, clock: fakes.Clock) -> None:
    clock.step = timedelta(milliseconds=1)
    live = await twice(ledger, "twice-0001")
    await twice(ledger, "twice-0002", shadowed=live.answer)
    judge = Prefers(Preference("tie", "unscored"))
    compared = [(await look(judging(ledger, Judge(), pair=judge))).compared for _ in range(5)]
    assert compared == [1, 1, 1, 0, 0]


async def test_a_real_judge_reads_what_was_shown(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    says: Sequence[Any] = [lambda user: judges.graded(user, 4 if "The fee is $15." in user else 1)]
    await look(judging(ledger, judges.grading(judges.Says(says))))
    (event,) = told(ledger, "exchange_scored")
    assert (event["score"], set(event["measures"].values())) == (75, {75})
    assert told(ledger, "cost_booked")[0]["cost"]["micros"] == 960
