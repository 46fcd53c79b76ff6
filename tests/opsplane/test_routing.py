"""Flash or Pro, and why."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane import routing
from opsplane.budget import Budget, Level, Period, Scope, Standing, Steps, decide, stand
from opsplane.exchange import Earlier, Route, Tier
from opsplane.ledger.talk import Talk
from opsplane.release import Release, Routing
from opsplane.routing import NEVER, RULES, Signals
from tests import fakes

UNSPENT = decide((), {})
SPENT = Standing(Level.FLASH, None, 100, 100, "Budget bank-day: $1.00 of $1.00 spent today (100 %).")
FAR = {"pro_from_words": NEVER, "pro_from_documents": NEVER}


def release(**policy: Any) -> Release:
    models = {"flash": {"name": "embedded:extractive"}, "pro": {"name": "google_genai:gemini-4-argon"}}
    return fakes.release(routing=policy, models=models)


def test_a_short_question_with_one_clear_source_goes_to_flash() -> None:
    route = routing.choose(fakes.question(), [fakes.passage()], fakes.release(), UNSPENT)
    assert route.tier is Tier.FLASH
    assert route.model == "embedded:extractive"


def test_a_long_question_goes_to_pro_and_the_reason_says_how_long() -> None:
    route = routing.choose(fakes.question("why " * 40), [], fakes.release(), UNSPENT)
    assert route.tier is Tier.PRO
    assert "40 words" in route.reason


def test_many_equally_close_documents_go_to_pro() -> None:
    passages = [fakes.passage(number, cosine=0.6) for number in range(1, 5)]
    assert routing.choose(fakes.question(), passages, fakes.release(), UNSPENT).tier is Tier.PRO


def test_far_passages_do_not_count_as_close() -> None:
    passages = [fakes.passage(1, cosine=0.7), *(fakes.passage(number, cosine=0.3) for number in range(2, 6))]
    assert routing.choose(fakes.question(), passages, fakes.release(), UNSPENT).tier is Tier.FLASH


def test_a_conversation_on_pro_stays_there() -> None:
    earlier = (Earlier(question="a", answer="b", tier=Tier.PRO),)
    assert routing.choose(fakes.question(earlier=earlier), [], fakes.release(), UNSPENT).tier is Tier.PRO


def test_a_turn_on_pro_that_is_looked_back_on_no_longer_counts_all_the_same() -> None:
    route = routing.choose(fakes.question(), [], fakes.release(), UNSPENT, talk=Talk(turns=9, pro=True))
    assert (route.tier, route.reason) == (Tier.PRO, "the conversation is already on Pro")


def test_a_budget_that_is_used_up_sends_every_question_to_flash() -> None:
    route = routing.choose(fakes.question("why " * 40), [], fakes.release(), SPENT)
    assert (route.tier, route.reason) == (Tier.FLASH, SPENT.reason)


def test_a_release_that_says_nothing_more_routes_by_words_and_documents_alone() -> None:
    assert [rule.name for rule in RULES if rule.on(Routing())] == ["conversation", "care", "words", "documents"]


CLEAR = Signals(words=5, near=(("a", 0.8), ("a", 0.75), ("b", 0.5)), topic="fees", turns=2)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"pro_intents": ("loans", "fees")}, "the question is about fees, which Pro answers"),
        ({"pro_from_words": 5}, "the question has 5 words (Pro from 5)"),
        ({"pro_from_turns": 2}, "2 turns of the conversation came before (Pro from 2)"),
        ({"pro_from_documents": 2, "close_within": 0.3}, "2 documents are about equally close (Pro from 2)"),
        ({"pro_from_passages": 2}, "2 passages are about equally close (Pro from 2)"),
        (
            {"pro_below_margin": 0.3},
            "the best passage is nearer than that of another document by only 0.300 (Pro up to 0.3)",
        ),
        ({"pro_below_cosine": 0.8}, "the nearest passage has a cosine of only 0.800 (Pro up to 0.8)"),
    ],
)
def test_each_rule_holds_at_its_very_threshold_and_says_why(policy: dict[str, Any], reason: str) -> None:
    assert routing.needs_pro(CLEAR, Routing.model_validate(FAR | policy)) == reason


@pytest.mark.parametrize(
    "policy",
    [
        {"pro_intents": ("loans",)},
        {"pro_from_words": 6},
        {"pro_from_turns": 3},
        {"pro_from_documents": 3, "close_within": 0.3},
        {"pro_from_passages": 3},
        {"pro_below_margin": 0.299},
        {"pro_below_cosine": 0.799},
    ],
)
def test_short_of_its_threshold_no_rule_holds(policy: dict[str, Any]) -> None:
    assert routing.needs_pro(CLEAR, Routing.model_validate(FAR | policy)) == ""


def test_tenths_that_no_computer_can_hold_count_as_written() -> None:
    near = Signals(words=1, near=(("a", 0.8), ("b", 0.7)))
    assert routing.needs_pro(near, Routing(pro_below_margin=0.1))
    assert len(near.close(0.1)) == 2


def test_a_passage_without_a_rival_is_clear_and_no_passage_at_all_is_not() -> None:
    assert not routing.needs_pro(Signals(words=1, near=(("a", 0.8),)), Routing(pro_below_margin=0.5))
    assert not routing.needs_pro(Signals(words=1), Routing(pro_below_margin=0.5))
    assert routing.needs_pro(Signals(words=1), Routing(pro_below_cosine=0.5))


def test_signals_are_read_off_question_passages_and_conversation() -> None:
    earlier = (Earlier(question="a", answer="b", tier=Tier.FLASH),)
    question = fakes.question("two words", earlier=earlier, care=("fraud",))
    found = routing.signals(question, [fakes.passage(cosine=0.7)], "cards", Talk(turns=8))
    assert found == Signals(2, (("document-1", 0.7),), "cards", ("fraud",), turns=8)


Values = dict[str, Any]
FROM = ("pro_from_words", "pro_from_documents", "pro_from_turns", "pro_from_passages")
BELOW = ("pro_below_margin", "pro_below_cosine")
share = st.floats(0, 1)
known = st.builds(
    Signals,
    words=st.integers(0, 60),
    near=st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-1, 1)), max_size=8).map(tuple),
    topic=st.sampled_from(["", "fees", "loans"]),
    care=st.sampled_from([(), ("fraud",)]),
    turns=st.integers(0, 12),
    pro=st.booleans(),
)
policies = st.fixed_dictionaries(
    {"pro_from_words": st.integers(1, 60), "pro_from_documents": st.integers(1, 9), "close_within": share},
    optional={
        **{name: st.integers(1, 12) for name in FROM[2:]},
        **dict.fromkeys(BELOW, share),
        "pro_intents": st.sampled_from([(), ("fees",), ("fees", "loans")]),
    },
)


def pro(one: Signals, policy: Values) -> bool:
    return bool(routing.needs_pro(one, Routing.model_validate(policy)))


@given(known, policies, st.sampled_from(FROM), st.integers(1, 60), st.integers(1, 60))
def test_a_lower_threshold_never_sends_fewer_to_pro(
    one: Signals, policy: Values, name: str, first: int, second: int
) -> None:
    low, high = sorted((first, second))
    assert pro(one, policy | {name: low}) >= pro(one, policy | {name: high}) >= pro(one, policy | {name: NEVER})


@given(known, policies, st.sampled_from((*BELOW, "close_within")), share, share)
def test_a_wider_reach_never_sends_fewer_to_pro(
    one: Signals, policy: Values, name: str, first: float, second: float
) -> None:
    low, high = sorted((first, second))
    assert pro(one, policy | {name: high}) >= pro(one, policy | {name: low})


@given(known, policies)
def test_a_question_goes_to_pro_just_where_one_rule_alone_would_send_it(one: Signals, policy: Values) -> None:
    whole = Routing.model_validate(policy)
    alone: Callable[[Any], bool] = lambda rule: rule.on(whole) and rule.finds(one, whole) is not None  # noqa: E731
    assert bool(routing.needs_pro(one, whole)) is any(map(alone, RULES))


@given(st.lists(known, min_size=1, max_size=6), policies)
def test_within_a_conversation_the_tier_never_falls(turns: list[Signals], policy: Values) -> None:
    reached, tiers = False, []
    for number, one in enumerate(turns):
        words = fakes.question(" ".join(["word"] * one.words) or "?")
        passages = [fakes.passage(1, document=document, cosine=cosine) for document, cosine in one.near]
        talk = Talk(number, reached)
        route = routing.choose(words, passages, release(**policy), UNSPENT, one.topic, talk)
        reached = reached or route.tier is Tier.PRO
        tiers.append(route.tier is Tier.PRO)
    assert tiers == sorted(tiers)


@given(known, policies)
def test_every_reason_names_its_rule_again(one: Signals, policy: Values) -> None:
    whole = Routing.model_validate(policy)
    if reason := routing.needs_pro(one, whole):
        first = next(rule for rule in RULES if rule.on(whole) and rule.finds(one, whole) is not None)
        assert routing.why(reason) == first.name


def test_other_reasons_are_told_apart_too() -> None:
    assert routing.why(routing.PLAIN) == "plain"
    assert routing.why(SPENT.reason) == "budget"
    assert routing.why(routing.ESCALATED.format(3)) == "escalated"
    assert routing.why("gemini-3.8-flash did not answer") == "other"


FLASH = Route(tier=Tier.FLASH, model="embedded:extractive", reason=routing.PLAIN)


def test_nothing_that_stood_up_on_flash_is_tried_on_pro_where_the_release_says_so() -> None:
    found = routing.escalate(FLASH, 2, release(escalate="once"), UNSPENT)
    assert found is not None
    assert (found.tier, found.model) == (Tier.PRO, "google_genai:gemini-4-argon")
    assert "2 withheld" in found.reason
    assert routing.escalate(FLASH, 2, release(), UNSPENT) is None


def test_what_pro_or_another_model_in_its_place_answered_is_not_escalated() -> None:
    for changed in ({"tier": Tier.PRO}, {"model": "embedded:other"}):
        assert routing.escalate(FLASH.model_copy(update=changed), 2, release(escalate="once"), UNSPENT) is None


def test_a_budget_that_this_very_turn_used_up_allows_no_second_model() -> None:
    steps = Steps(flash=Decimal(1))
    limit = Budget(id="day", scope=Scope.TOTAL, period=Period.DAY, limit=Decimal("0.01"), steps=steps)
    standing = stand(limit, 9_000)
    assert routing.escalate(FLASH, 1, release(escalate="once"), standing, spent=999)
    assert routing.escalate(FLASH, 1, release(escalate="once"), standing, spent=1_000) is None
    assert routing.escalate(FLASH, 1, release(escalate="once"), SPENT) is None


def test_a_policy_reads_as_sentences_one_for_each_rule() -> None:
    policy = Routing(pro_from_words=30, pro_from_documents=NEVER, pro_intents=("loans", "fraud"), escalate="once")
    told = routing.policy_in_words(policy)
    assert "Questions of 30 words or more go to Pro." in told
    assert "Questions about loans, fraud go to Pro." in told
    assert not any("documents" in one for one in told)
    assert "tries once before the turn abstains" in told[-1]
