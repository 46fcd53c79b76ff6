from dataclasses import dataclass

from assistant.extractive.confidence import Reading, confidence, sure
from assistant.extractive.lexicon import terms as terms_of
from tests.assistant.models import WordCounts


@dataclass(frozen=True)
class Near:
    """A statement that came close."""

    cosine: float
    under_heading: float
    terms: frozenset[str]
    reached: frozenset[str]


def reading(question: str, text: str, cosine: float = 0.6) -> Reading[Near]:
    words = frozenset(terms_of(text))
    return Reading(question, [words], [Near(cosine, cosine, words, words)])


def certainty(question: str, text: str, cosine: float = 0.6) -> float:
    return confidence([reading(question, text, cosine)], WordCounts())


def test_the_closer_the_statement_the_surer() -> None:
    assert certainty("stop payment fee", "stop payment fee", 0.7) > certainty(
        "stop payment fee", "stop payment fee", 0.5
    )


def test_a_word_that_nothing_holds_speaks_against_an_answer() -> None:
    known = certainty("debit card fee", "The debit card fee is $2.")
    assert certainty("platinum debit card fee", "The debit card fee is $2.") < known


def test_a_statement_with_every_topic_word_speaks_for_one() -> None:
    assert certainty("sell privacy data", "We do not sell privacy data.") > certainty(
        "sell privacy data", "Data: privacy."
    )


def test_a_number_that_names_something_must_be_known() -> None:
    plan = "A savings plan is free."
    assert certainty("savings plan 529", plan) < certainty("savings plan free", plan) - 1


def test_an_amount_or_a_time_names_nothing() -> None:
    plan = "A savings plan earns interest."
    assert certainty("savings plan $529", plan) > certainty("savings plan 529", plan)


def test_without_statements_nothing_is_sure() -> None:
    assert not sure([Reading[Near]("fee", [], [])], WordCounts())


def test_a_close_statement_is_sure() -> None:
    assert sure([reading("stop payment fee", "The stop payment fee is $30.", 0.9)], WordCounts())


def test_a_word_that_tells_products_apart_must_be_held() -> None:
    loans = "The rate of an auto loan is 6%."
    assert certainty("rate of a loan", loans) > certainty("rate of a boat loan", loans) + 2


def test_a_weak_word_may_be_missing() -> None:
    fee = "The stop payment fee is $30."
    assert abs(certainty("stop payment fee tomorrow", fee) - certainty("stop payment fee", fee)) < 1
