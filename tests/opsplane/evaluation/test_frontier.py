"""Quality and cost of routing settings, chosen question by question between two answers."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsplane import routing
from opsplane.evaluation.frontier import Frontier, Goal, Side, Trial, explore, label
from opsplane.release import Routing
from opsplane.routing import NEVER, Signals

PRESENT = Routing(pro_from_words=30, pro_from_documents=4)


def trial(words: int, *, flash: float = 1, pro: float = 1, refused: bool = False, topic: str = "") -> Trial:
    known = Signals(words=words, near=(("a", 0.9),), topic=topic)
    return Trial((known,), Side(flash, 100, refused), Side(pro, 1_000))


def hard_when_long(count: int = 60) -> list[Trial]:
    """A third of the questions is long, and only Pro answers these."""
    return [trial(25, flash=0) if number % 3 == 0 else trial(5) for number in range(count)]


def found(trials: Sequence[Trial], present: Routing = PRESENT, **goal: float) -> Frontier:
    return explore(trials, present, Goal(**goal))


def test_always_one_tier_is_the_mean_of_its_side() -> None:
    told = found(hard_when_long())
    assert told.flash.quality.value == pytest.approx(2 / 3, abs=1e-6)
    assert (told.flash.micros, told.flash.share) == (100, 0)
    assert (told.pro.quality.value, told.pro.micros, told.pro.share) == (1, 1_000, 1)
    assert told.pro.against.value == 0


def test_the_cheapest_setting_as_good_as_pro_is_recommended() -> None:
    told = found(hard_when_long())
    assert told.chosen is not None
    assert told.chosen.policy is not None
    assert told.chosen.policy.pro_from_words == 10
    assert (told.chosen.quality.value, told.chosen.micros) == (1, 400)
    assert told.chosen.optimal


def test_within_a_budget_the_best_is_recommended() -> None:
    told = found(hard_when_long(), at_most=150)
    assert told.chosen is not None
    assert told.chosen.micros == 100
    assert "cost 150 micro-dollars" in told.why


def test_a_budget_that_no_setting_keeps_to_gets_no_recommendation() -> None:
    told = found(hard_when_long(), at_most=99)
    assert told.chosen is None
    assert told.why == "No setting costs 99 micro-dollars a question or less: the cheapest costs 100."


def test_too_few_questions_get_no_recommendation() -> None:
    told = found(hard_when_long(19))
    assert told.chosen is None
    assert "19 questions are too few" in told.why


def test_nothing_at_all_can_be_explored() -> None:
    told = found([])
    assert (told.cases, told.chosen, told.pro.quality.value) == (0, None, None)


def test_the_release_stands_beside_them_as_it_is() -> None:
    told = found(hard_when_long())
    assert told.present.policy == PRESENT
    assert told.present.micros == told.flash.micros
    assert told.present.name == "from 30 words or from 4 documents"


def test_an_answer_of_which_nothing_stood_up_costs_both_and_gets_pros_quality() -> None:
    some = [trial(5, flash=0, refused=True), *(trial(5) for _ in range(29))]
    told = found(some, Routing(escalate="once"))
    assert told.present.quality.value == 1
    assert told.present.micros == pytest.approx((1_100 + 29 * 100) / 30, abs=1e-3)
    assert told.present.escalated == pytest.approx(1 / 30, abs=1e-6)
    assert told.chosen is not None
    assert told.chosen.policy is not None
    assert told.chosen.policy.escalate == "once"


def test_a_conversation_that_reached_pro_before_is_on_pro() -> None:
    before = Trial((Signals(words=35), Signals(words=3)), Side(0, 100), Side(1, 1_000))
    assert found([before]).present.share == 1


def test_what_was_met_before_routing_is_on_no_tier() -> None:
    told = found([Trial((), Side(1, 0), Side(1, 0)), trial(50)])
    assert (told.cases, told.routed, told.present.share) == (2, 1, 1)


def test_a_topic_that_only_pro_answers_is_found() -> None:
    some = [trial(5, flash=0, topic="loans") if n % 4 == 0 else trial(5, topic="fees") for n in range(60)]
    told = found(some)
    assert told.chosen is not None
    assert told.chosen.policy is not None
    assert told.chosen.policy.pro_intents == ("loans",)


def test_where_both_tiers_are_free_pros_share_stands_for_the_cost() -> None:
    free = [Trial(one.questions, Side(one.flash.quality, 0), Side(one.pro.quality, 0)) for one in hard_when_long()]
    told = found(free)
    assert told.free
    assert told.chosen is not None
    assert told.chosen.share == pytest.approx(1 / 3, abs=1e-6)
    assert told.why.endswith("it asks Pro least.")


def test_choosing_is_checked_on_questions_that_it_did_not_see() -> None:
    draw = np.random.default_rng(1)
    noise = [
        trial(int(draw.integers(1, 45)), flash=float(draw.integers(2)), pro=float(draw.integers(2))) for _ in range(100)
    ]
    told = found(noise, at_most=10_000)
    assert told.chosen is not None
    assert told.held_out is not None
    assert (told.held_out.quality.value or 0) < (told.chosen.quality.value or 0)


def test_a_setting_reads_in_a_few_words() -> None:
    assert label(Routing(pro_from_words=NEVER, pro_from_documents=NEVER)) == "no rule"
    assert label(Routing(pro_from_words=1, pro_from_documents=NEVER, escalate="once")) == "every question, escalating"


known = st.builds(
    Signals,
    words=st.integers(1, 50),
    near=st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=5).map(tuple),
    topic=st.sampled_from(["", "fees"]),
    turns=st.integers(0, 6),
)
sides = st.builds(Side, quality=st.sampled_from([0.0, 0.5, 1.0]), micros=st.integers(0, 999), refused=st.booleans())
some = st.lists(st.builds(Trial, st.lists(known, max_size=3).map(tuple), sides, sides), min_size=1, max_size=8)


@settings(max_examples=8, deadline=None)
@given(some)
def test_every_setting_chooses_as_the_turn_itself_would(trials: list[Trial]) -> None:
    for point in found(trials).points:
        assert point.policy is not None
        sent = [any(routing.needs_pro(q, point.policy) for q in one.questions) for one in trials]
        again = [
            bool(point.policy.escalate and one.questions and one.flash.refused and not pro)
            for one, pro in zip(trials, sent, strict=True)
        ]
        cost = [
            (one.pro.micros if pro else one.flash.micros) + (one.pro.micros if more else 0)
            for one, pro, more in zip(trials, sent, again, strict=True)
        ]
        assert point.micros == pytest.approx(sum(cost) / len(cost), abs=1e-3)


@settings(max_examples=8, deadline=None)
@given(some)
def test_nothing_beats_the_frontier_and_it_rises_with_the_cost(trials: list[Trial]) -> None:
    told = found(trials)
    line = [(one.share if told.free else one.micros, one.quality.value or 0) for one in told.optimal]
    assert line == sorted(line)
    for one in told.points:
        cost = one.share if told.free else one.micros
        assert any(x <= cost + 1e-3 and y >= (one.quality.value or 0) - 1e-6 for x, y in line)
