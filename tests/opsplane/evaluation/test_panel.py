import pytest

from opsplane.evaluation.judge import reason
from opsplane.evaluation.pairwise import Preference
from opsplane.evaluation.panel import PairPanel, Panel
from tests import judges
from tests.judges import Says
from tests.opsplane.evaluation.matters import matter


def panel(*says: Says) -> Panel:
    return Panel([judges.grading(one, f"scripted:{number}") for number, one in enumerate(says)])


async def preferred(*says: Says) -> Preference:
    pairs = [judges.comparing(one, f"scripted:{number}") for number, one in enumerate(says)]
    return await PairPanel(pairs).prefer(matter("It is $15."), matter("It is $15.", "And that is all there is to say."))


async def test_the_median_counts() -> None:
    score = await panel(judges.fair(1), judges.fair(4), judges.fair(5)).grade(matter())
    assert (score.value, score.part["accuracy"]) == (0.75, 0.75)
    assert len(score.costs) == 3


async def test_one_judge_that_fails_is_outvoted() -> None:
    score = await panel(judges.fair(4), judges.prose(), judges.fair(4)).grade(matter())
    assert score.value == 0.75
    assert "prose" in score.why


async def test_where_half_of_them_fail_nothing_is_scored() -> None:
    score = await panel(judges.fair(4), judges.slow()).grade(matter())
    assert (score.value, reason(score)) == (None, "split")


async def test_the_majority_is_preferred() -> None:
    found = await preferred(judges.prefers_long(), judges.prefers_long(), judges.always_first())
    assert found.preferred == "second"


async def test_without_a_majority_it_is_a_tie() -> None:
    first = Says([lambda user: judges.preferring(user, "first"), lambda user: judges.preferring(user, "second")])
    assert (await preferred(judges.prefers_long(), first, judges.always_first())).preferred == "tie"


async def test_judges_that_all_take_the_first_are_unmasked_together() -> None:
    found = await preferred(judges.always_first(), judges.always_first(), judges.always_first())
    assert (found.preferred, found.by_order) == ("tie", True)


async def test_a_panel_of_silent_judges_is_unscored() -> None:
    assert (await preferred(judges.prose(), judges.slow(), judges.always_first())).preferred == "unscored"


def test_another_member_makes_another_panel() -> None:
    assert panel(judges.fair()).identity != panel(judges.fair(), judges.fair()).identity


def test_an_empty_panel_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a judge"):
        Panel([])
