from opsplane.evaluation.scorers import grounded
from opsplane.evidence import Sentence
from tests.opsplane.evaluation.scorers.answering import case, exchange

FIXED = Sentence(text="This is general information.")


def test_sentences_that_were_withheld_count_against_those_that_were_shown() -> None:
    said = exchange("One.", "Two.", "Three.", FIXED, withheld=(Sentence(text="Four.", cites=(1,)),))
    found = grounded.grounded(case(), said)
    assert found
    assert (found.value, found.why) == (0.75, "1 of 4 sentences withheld")


def test_fixed_replies_say_nothing_about_grounding() -> None:
    assert grounded.grounded(case(), exchange(FIXED, outcome="replied")) is None


async def test_an_answer_that_was_withheld_whole_has_none() -> None:
    found = await grounded.scorer().score(case(), exchange(outcome="abstained", withheld=(FIXED,)))
    assert found
    assert (found.scorer, found.value) == ("grounded", 0)
