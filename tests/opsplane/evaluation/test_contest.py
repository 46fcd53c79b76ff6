"""Two releases' answers compared by a judge of pairs."""

import pytest

from opsplane.evaluation.contest import contest
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import PairJudge
from tests import judges
from tests.opsplane.evaluation.answers import answered, case

LONG = "The fee is $15 for each item, and there are many more words here that say nothing at all to anybody."


def pairs(*texts: tuple[str, str]) -> list[tuple[str, Matter, Matter]]:
    made = [[Matter.of(answered(text), case()) for text in pair] for pair in texts]
    return [(f"q{number}", old, new) for number, (old, new) in enumerate(made)]


async def test_a_judge_that_always_takes_the_first_decides_nothing() -> None:
    found = await contest(
        pairs(("It is $15.", "It costs $15."), ("Yes.", "No.")), judges.comparing(judges.always_first())
    )
    assert (found.won, found.lost) == ((), ())
    assert found.tied == found.swayed == ("q0", "q1")
    assert found.share is None


async def test_whoever_is_preferred_in_both_orders_wins() -> None:
    judge = judges.comparing(judges.prefers_long())
    found = await contest(pairs(("It is $15.", LONG), (LONG, "It is $15."), ("It is $15.", LONG)), judge)
    assert (found.won, found.lost) == (("q0", "q2"), ("q1",))
    assert found.share == pytest.approx(2 / 3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 2 / 3 < found.high


async def test_a_judge_that_cannot_be_read_leaves_pairs_unscored() -> None:
    found = await contest(pairs(("It is $15.", LONG)), judges.comparing(judges.prose()))
    assert found.unscored == ("q0",)
    assert found.low is None


async def test_nothing_to_compare_is_no_contest() -> None:
    judge: PairJudge = judges.comparing(judges.fair())
    assert (await contest([], judge)).share is None
