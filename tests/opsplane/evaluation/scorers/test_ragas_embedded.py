from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane.evaluation.scorers.ragas_embedded import Held, Near, precision_scorer
from opsplane.evaluation.scorers.support import by_rules
from opsplane.evaluation.scoring import How, Scorer
from opsplane.evidence import Sentence
from opsplane.guardrails.support import Support
from tests import fakes
from tests.opsplane.evaluation.scorers.answering import case, exchange

EINSTEIN = (
    "Albert Einstein (born 14 March 1879) was a German-born theoretical physicist, widely held to be one of the "
    "greatest and most influential scientists of all time"
)


def by_words(claim: str, texts: Sequence[str]) -> float:
    """Supported where every word stands in a text."""
    words = claim.lower().rstrip(".").split()
    return float(any(all(word in text.lower() for word in words) for text in texts))


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Questions point one way; of sentences, those with a fee go half that way."""
    return np.array([[1, 0] if "?" in one else [1, 3**0.5] if "fee" in one else [0, 1] for one in texts], np.float32)


def test_faithfulness_is_the_share_of_sentences_that_are_borne_out() -> None:
    said = exchange("The fee is $15.", "It is waived on Sundays.")
    found = Held(by_words, "words").faithfulness(case(), said)
    assert found
    assert (found.value, found.why) == (0.5, "not in the sources: It is waived on Sundays.")
    assert found.part == {"mean support": 0.5}


def test_the_published_example_by_rules_and_grounding_model() -> None:
    """RAGAS documentation: the right day of birth is faithful, another is not."""
    held = Held(by_rules(fakes.release(), Support.load()), "grounding")
    source = [fakes.passage(text=EINSTEIN)]
    days = [exchange(f"Einstein was born on {day} March 1879.", evidence=source) for day in (14, 20)]
    found = [held.faithfulness(case(), one) for one in days]
    assert [one and one.value for one in found] == [1, 0]


def test_sentences_without_a_citation_count_and_an_answer_without_sources_has_nothing() -> None:
    held = Held(by_words, "words")
    half = held.faithfulness(case(), exchange("The fee is $15.", Sentence(text="It is $99 abroad.")))
    none = held.faithfulness(case(), exchange("The fee is $15.", evidence=[]))
    assert half
    assert none
    assert (half.value, none.value) == (0.5, 0)
    assert held.faithfulness(case(), exchange("Hello.", outcome="replied")) is None


def test_recall_goes_by_the_reference_and_else_by_the_facts() -> None:
    held = Held(by_words, "words")
    told = held.recall(case(reference="The fee is $15. It is waived on Sundays."), exchange("…"))
    facts = held.recall(case(facts=("$15",)), exchange("…"))
    assert told
    assert facts
    assert (told.value, facts.value, facts.part) == (0.5, 1, {"facts": 1})
    assert held.recall(case(), exchange("…")) is None
    assert held.recall(case(facts=("$15",), expect="decline"), exchange("…")) is None


@pytest.mark.parametrize(
    ("said", "why"), [("Yes.\n" * 500, "more than 200 sentences"), ("a-" * 50_000, "longer than 20,000 characters")]
)
def test_too_long_an_answer_is_unscored(said: str, why: str) -> None:
    for read in (Held(by_words, "words").faithfulness, Near(vectors, "test").relevancy):
        found = read(case(), exchange(said))
        assert found
        assert (found.value, found.why) == (None, why)


def test_relevancy_is_the_mean_cosine_of_question_and_sentences() -> None:
    found = Near(vectors, "test").relevancy(case(), exchange("The fee is $15.", "Hello."))
    assert found
    assert found.value == pytest.approx(0.25)


def test_an_answerable_question_that_was_turned_away_has_no_relevancy() -> None:
    near = Near(vectors, "test")
    away = near.relevancy(case(), exchange("I cannot say.", outcome="abstained"))
    assert away
    assert (away.value, away.why) == (0, "turned away")
    assert near.relevancy(case(expect="decline"), exchange(outcome="declined")) is None


async def test_precision_goes_by_the_expected_documents() -> None:
    found = [fakes.passage(number, document=name) for number, name in enumerate(("other", "fees", "fees"), start=1)]
    score = await precision_scorer().score(case(documents=("fees",)), exchange("Yes.", evidence=found))
    assert score
    assert score.value == pytest.approx((1 / 2 + 2 / 3) / 2)


async def test_account_tools_are_no_passages_that_could_be_missed() -> None:
    scorer = precision_scorer(frozenset({"list_cards"}))
    assert await scorer.score(case(documents=("list_cards",)), exchange("Yes.")) is None
    missed = await scorer.score(case(documents=("fees",)), exchange("Yes."))
    assert missed
    assert (missed.value, missed.why) == (0, "no passage of an expected document")


async def test_all_say_that_no_language_model_was_asked() -> None:
    scorers: list[Scorer] = [*Held(by_words, "words").scorers(), Near(vectors, "test").scorer(), precision_scorer()]
    assert {one.measure.how for one in scorers} == {How.EMBEDDED}
    assert Held(by_words, "a").scorers()[0].measure.digest != Held(by_words, "b").scorers()[0].measure.digest
    score = await scorers[0].score(case(), exchange("The fee is $15."))
    assert score
    assert (score.scorer, score.value) == ("faithfulness", 1)
