"""Flash or Pro, and why."""

from opsplane import routing
from opsplane.budget import Level, Standing, decide
from opsplane.exchange import Earlier, Tier
from tests import fakes

UNSPENT = decide((), {})


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


def test_a_budget_that_is_used_up_sends_every_question_to_flash() -> None:
    spent = Standing(Level.FLASH, None, 100, 100, "Budget bank-day: $1.00 of $1.00 spent today (100 %).")
    route = routing.choose(fakes.question("why " * 40), [], fakes.release(), spent)
    assert (route.tier, route.reason) == (Tier.FLASH, spent.reason)
