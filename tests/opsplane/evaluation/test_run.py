"""A run over cases: asking, scoring, taking what is known from before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opsplane.errors import RecordUnavailable
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.report import gathered
from opsplane.evaluation.run import Run, Standing
from opsplane.evaluation.scoring import How
from opsplane.exchange import Exchange, Outcome
from tests.opsplane.evaluation.answers import DAY, Desk, Fixed, answered, case, dataset

THREE = dataset(case("a"), case("b", question="And the wire fee?"), case("c", question="And the ATM fee?"))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with Kept(tmp_path / "kept.db") as one:
        yield one


def run(kept: Kept, desk: Desk, *scorers: Fixed) -> Run:
    return Run(subject="s", ask=desk, scorers=scorers, kept=kept)


async def test_every_case_is_asked_and_held_against_what_is_expected(kept: Kept) -> None:
    rows = await run(kept, Desk(), Fixed(0.5))(THREE)
    assert [(row.case, row.passed) for row in rows] == [("a", True), ("b", True), ("c", True)]
    assert [row.score("fixed").value for row in rows if row.score("fixed")] == [0.5] * 3  # type: ignore[union-attr]


async def test_earlier_questions_come_first_in_the_same_conversation(kept: Kept) -> None:
    desk = Desk()
    await run(kept, desk)(dataset(case("a", history=("Hello?",), **{"as": "customer2"})))
    assert desk.asked == [
        ("customer2", "case-a", "Hello?"),
        ("customer2", "case-a", "What is the overdraft fee?"),
    ]


async def test_what_stood_in_the_way_is_told_in_words(kept: Kept) -> None:
    (row,) = await run(kept, Desk(lambda _: answered("The fee is $51.")))(dataset())
    assert not row.passed
    assert row.why == "missing $15; without a source $51; expected answer, got answered"


async def test_a_second_run_asks_nothing_and_comes_to_the_same_report(kept: Kept) -> None:
    first, second = Desk(), Desk()
    reports = [
        gathered(
            await run(kept, desk, Fixed(1.0))(THREE),
            [Fixed(1.0).measure],
            release="r",
            release_digest="0",
            dataset="t",
            dataset_digest=THREE.digest,
            as_of=DAY,
            asked=3,
        )
        for desk in (first, second)
    ]
    assert (len(first.asked), len(second.asked)) == (3, 0)
    assert reports[0].digest == reports[1].digest


async def test_a_run_that_was_cut_off_goes_on_where_it_was(kept: Kept) -> None:
    def failing(text: str) -> Exchange:
        if "ATM" in text:
            raise RecordUnavailable("the disk is full")
        return answered()

    with pytest.raises(RecordUnavailable, match="the disk is full"):
        await replace(run(kept, Desk(failing)), together=1)(THREE)
    again = Desk()
    assert len(await run(kept, again)(THREE)) == 3
    assert [text for _, _, text in again.asked] == ["And the ATM fee?"]


async def test_another_release_is_asked_anew(kept: Kept) -> None:
    await run(kept, Desk())(THREE)
    desk = Desk()
    await replace(run(kept, desk), subject="another")(THREE)
    assert len(desk.asked) == 3


async def test_a_turn_that_failed_is_tried_again_by_the_next_run(kept: Kept) -> None:
    broken = Desk(lambda _: answered("Sorry.", outcome=Outcome.FAILED, error="Timeout"))
    (row,) = await run(kept, broken)(dataset())
    assert row.answer.error == "Timeout"
    await run(kept, desk := Desk())(dataset())
    assert len(desk.asked) == 1


async def test_a_customers_words_are_kept_by_the_record_alone(kept: Kept) -> None:
    mine = dataset(case("a", source="exchange-0001"))
    await run(kept, Desk())(mine)
    assert kept.forget() == 0


async def test_a_scorer_that_fails_is_an_unscored_score_of_the_row(kept: Kept) -> None:
    (row,) = await run(kept, Desk(), Fixed(TimeoutError("too slow")))(dataset())
    score = row.score("fixed")
    assert score is not None
    assert (score.value, score.why) == (None, "TimeoutError: too slow")


async def test_a_models_score_is_known_the_next_time(kept: Kept) -> None:
    scorer = Fixed(0.7, How.MODEL)
    await run(kept, Desk(), scorer)(dataset())
    await run(kept, Desk(), scorer)(dataset())
    assert scorer.calls == 1


async def test_what_a_clock_measured_stands_apart(kept: Kept) -> None:
    (row,) = await run(kept, Desk(), Fixed(12.0, How.CLOCK, "latency"))(dataset())
    assert ([one.scorer for one in row.scores], [one.scorer for one in row.clocked]) == ([], ["latency"])


async def test_no_case_begins_beyond_what_may_be_spent(kept: Kept) -> None:
    dear = Desk(lambda _: answered(cost_micros=600))
    rows = await replace(run(kept, dear), at_most=1_000, together=1)(THREE)
    assert len(rows) == 2


async def test_whoever_waits_hears_how_far_it_is(kept: Kept) -> None:
    heard: list[tuple[int, int]] = []

    def told(one: Standing) -> None:
        heard.append((one.done, one.of))

    await replace(run(kept, Desk()), told=told)(THREE)
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_what_is_not_known_yet_can_be_counted_beforehand(kept: Kept) -> None:
    assert len(run(kept, Desk()).asked(THREE)) == 3
