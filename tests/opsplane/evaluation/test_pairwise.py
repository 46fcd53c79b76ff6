import pytest

from opsplane.evaluation.judge import Grader
from opsplane.evaluation.pairwise import ByGrade, LanguagePair
from opsplane.exchange import Outcome
from tests import judges
from tests.judges import Says
from tests.opsplane.evaluation.matters import matter

SHORT, LONG = (
    matter("It is $15."),
    matter("It is $15.", "That is what we charge for an overdraft, as the schedule says."),
)


async def test_a_judge_that_always_takes_the_first_has_no_preference() -> None:
    found = await judges.comparing(judges.always_first()).prefer(SHORT, LONG)
    assert (found.forward, found.backward, found.preferred) == ("first", "second", "tie")
    assert found.by_order


async def test_a_judge_that_prefers_length_says_so_in_both_orders() -> None:
    found = await judges.comparing(judges.prefers_long()).prefer(SHORT, LONG)
    assert (found.forward, found.backward, found.preferred) == ("second", "second", "second")


async def test_a_tie_in_one_order_is_a_tie() -> None:
    says = Says([lambda user: judges.preferring(user, "tie"), lambda user: judges.preferring(user, "first")])
    found = await judges.comparing(says).prefer(SHORT, LONG)
    assert found.preferred == "tie"
    assert not found.by_order


async def test_prose_in_either_order_leaves_it_unscored() -> None:
    says = Says([lambda user: judges.preferring(user, "first"), "The first.", "Still the first."])
    found = await judges.comparing(says).prefer(SHORT, LONG)
    assert (found.preferred, len(found.costs)) == ("unscored", 3)
    assert "prose" in found.why


async def test_both_orders_are_asked_about_the_same_two_answers() -> None:
    says = judges.always_first()
    await judges.comparing(says).prefer(SHORT, LONG)
    one, other = (judges.pieces(user) for _, user in says.heard)
    assert (one["first"], one["second"]) == (other["second"], other["first"])
    assert one["sources"] == other["sources"]


async def test_who_did_not_answer_is_not_preferred() -> None:
    gone = matter(sentences=(), outcome=Outcome.FAILED)
    pair = judges.comparing(judges.always_first())
    assert (await pair.prefer(gone, SHORT)).preferred == "second"
    assert (await pair.prefer(gone, gone)).preferred == "unscored"


async def test_a_preference_for_a_place_that_is_none_is_unscored() -> None:
    found = await judges.comparing(Says([lambda user: judges.preferring(user, "both")])).prefer(SHORT, LONG)
    assert found.preferred == "unscored"
    assert found.why.startswith("schema")


async def test_grades_make_a_preference_where_they_are_far_enough_apart() -> None:
    pair = ByGrade(judges.grading(judges.prefers_long()))
    assert (await pair.prefer(SHORT, LONG)).preferred == "second"
    assert (await pair.prefer(SHORT, SHORT)).preferred == "tie"
    assert pair.identity.startswith("by-grade/answer/scripted:judge@")


def test_a_rubric_for_single_answers_compares_none() -> None:
    with pytest.raises(ValueError, match="grades one answer"):
        LanguagePair(judges.ANSWER, Grader("a:b", judges.fair(), judges.book))
