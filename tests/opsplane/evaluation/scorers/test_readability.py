import pytest

from opsplane.evaluation.scorers import readability
from opsplane.evaluation.scorers.readability import Counts, counted
from opsplane.evidence import Sentence
from tests.opsplane.evaluation.scorers.answering import case, exchange

PLATYPUS = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."


@pytest.mark.parametrize(
    ("text", "counts", "ease"),
    [
        ("The cat sat on the mat.", (1, 6, 6), 116),
        (PLATYPUS, (1, 13, 24), 37.5),
        ("This sentence, taken as a reading passage unto itself, is being used to prove a point.", (1, 16, 23), 69),
    ],
)
def test_reading_ease_of_published_examples(text: str, counts: tuple[int, int, int], ease: float) -> None:
    """The worked examples of Wikipedia's article "Flesch-Kincaid readability tests"."""
    found = counted([text])
    assert found == counts
    assert found
    assert found.ease == pytest.approx(ease, abs=0.5)


def test_grades_of_published_examples() -> None:
    """The same article: 11.3 for the platypus; "Green Eggs and Ham" has 5.7 words a sentence, 1.02 syllables a word."""
    found = counted([PLATYPUS])
    assert found
    assert round(found.grade, 1) == 11.3
    assert round(Counts(1_000, 5_700, 5_814).grade, 1) == -1.3


def test_the_easiest_text_there_can_be() -> None:
    assert round(Counts(1, 1, 1).ease, 2) == 121.22


def test_lines_are_sentences_and_a_figure_is_a_word_of_one_syllable() -> None:
    assert counted(["The fee is $1,250.50", "| Wire | $15 |"]) == (3, 6, 6)


def test_only_the_models_own_words_are_read() -> None:
    own, fixed = Sentence(text="The fee is $15.", cites=(1,)), exchange("The fee is $15.")
    assert readability.readability(case(), exchange(own)) == readability.readability(case(), fixed)
    assert readability.readability(case(), exchange("Hello there.", outcome="replied")) is None
    assert readability.grade_level(case(), exchange("…")) is None


async def test_both_scorers_score_in_points() -> None:
    scores = [await one.score(case(), exchange("The cat sat on the mat.")) for one in readability.scorers()]
    assert [(one.scorer, one.value) for one in scores if one] == [("readability", 116.145), ("grade_level", -1.45)]
    assert {one.measure.unit for one in readability.scorers()} == {"points"}


def test_a_huge_answer_is_read_in_part() -> None:
    found = counted(["word " * 1_000_000])
    assert found
    assert found.words == 20_000
    assert counted([" " * 1_000_000]) is None  # at once
