"""Cases that a model has seen: the same words, whole questions inside longer texts, and near ones."""

from datetime import date

import pytest

from opsplane.evaluation import contamination
from opsplane.evaluation.contamination import How, Match, Origin, Seen
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.release import Example, Prompt
from tests import fakes

DAY = date(2026, 11, 23)
FEE = "What is the overdraft fee for each item?"
LONG = "How long do I have to report a transfer that I did not make before I lose more than fifty dollars"


def cases(*questions: str, reference: str = "") -> Dataset:
    made = (
        Case(id=f"case-{number}", kind="x", question=one, reference=reference) for number, one in enumerate(questions)
    )
    return Dataset(as_of=DAY, cases=tuple(made))


def seen(question: str, answer: str = "", origin: Origin = Origin.TRAINING, where: str = "a, line 1") -> Seen:
    return Seen(origin=origin, where=where, question=question, answer=answer)


def found(whole: Dataset, *texts: Seen) -> tuple[Match, ...]:
    return contamination.check(whole, texts).matches


@pytest.mark.parametrize(
    "text",
    [
        FEE,
        "WHAT IS THE OVERDRAFT FEE, FOR EACH ITEM",
        "what is the överdraft  fee\nfor each item?!",
        "Sources: none\nQuestion: What is the overdraft fee for each item?\nAnswer briefly.",
    ],
)
def test_the_same_words_are_found_whatever_their_dress(text: str) -> None:
    (match,) = found(cases(FEE), seen(text))
    assert (match.case, match.part, match.how, match.share) == ("case-0", "question", How.EXACT, 1.0)


def test_a_short_question_is_found_only_where_it_stands_alone() -> None:
    assert found(cases("activate card"), seen("How do I activate card alerts?")) == ()
    assert found(cases("activate card"), seen("Activate card!"))[0].how is How.EXACT


def test_a_whole_question_is_found_inside_a_longer_text() -> None:
    (match,) = found(cases(FEE), seen(f"Be brief and say {FEE} Then stop."))
    assert match.how is How.CONTAINED


def test_a_reworded_question_is_found_by_its_runs_of_words() -> None:
    (match,) = found(cases(LONG), seen(LONG.replace("fifty", "500")))
    assert match.how is How.NEAR
    assert 0.7 <= match.share < 1


def test_most_of_a_long_question_is_found_inside_a_much_longer_text() -> None:
    text = f"{' '.join(f'word{number}' for number in range(300))} {LONG.removesuffix('dollars')}"
    (match,) = found(cases(LONG), seen(text))
    assert match.how is How.NEAR


def test_another_question_about_the_same_thing_is_not_found() -> None:
    assert found(cases(FEE, LONG), seen("What is the wire fee for each order?"), seen("How do I report a theft?")) == ()


def test_a_reference_is_held_against_answers_and_a_question_against_questions() -> None:
    whole = cases(FEE, reference="The overdraft fee is $15 for each item that is paid.")
    (match,) = found(whole, seen("Another one", "The overdraft fee is $15 for each item that is paid"))
    assert match.part == "reference"
    assert found(whole, seen("Another one", FEE)) == ()


def test_the_gravest_match_counts_and_the_places_are_counted() -> None:
    near = FEE.replace("each", "every")
    texts = (seen(f"Say {FEE} please"), seen(FEE, where="b, line 9"), seen(near), seen(FEE, where="c, line 1"))
    (match,) = found(cases(FEE), *texts)
    assert (match.how, match.where, match.times) == (How.EXACT, "b, line 9", 3)


def test_exemplars_of_scope_are_a_softer_find_than_examples() -> None:
    prompt = Prompt(system=fakes.release().prompt.system, examples=(Example(question=FEE, answer="It is $15."),))
    release = fakes.release(prompt=prompt.model_dump())
    whole = cases(FEE, "question number 7")
    told = contamination.check(whole, contamination.of_release(release))
    assert [(one.case, one.where) for one in told.grave] == [("case-0", "test-1, example 1")]
    assert [(one.case, one.origin) for one in told.soft] == [("case-1", Origin.EXEMPLAR)]


def test_nothing_near_is_missed_by_looking_up_the_rarest_runs_only() -> None:
    """Against the plain way: every pair compared."""
    words = ["open", "close", "card", "loan", "fee", "rate", "wire", "check"]
    texts = [
        " ".join(words[(number * step + place) % 8] for place in range(9))
        for number in range(8)
        for step in range(1, 8)
    ]
    whole = cases(*dict.fromkeys(texts))
    plain = {
        (one.id, text)
        for one in whole.cases
        for text in set(texts)
        if _resemblance(one.question, text) >= contamination.RESEMBLES
    }
    quick = {
        (one.case, text) for text in set(texts) for one in found(whole, seen(text)) if one.how is not How.CONTAINED
    }
    assert plain <= quick


def _resemblance(one: str, other: str) -> float:
    first, second = ({tuple(text.split()[at : at + 3]) for at in range(7)} for text in (one, other))
    return len(first & second) / len(first | second)


def test_twins_are_told_and_follow_ups_to_different_questions_are_none() -> None:
    asked = [
        Case(id="a", kind="x", question=LONG),
        Case(id="b", kind="x", question=LONG.upper()),
        Case(id="c", kind="x", question=LONG, history=("Hello",)),
        Case(id="d", kind="x", question=LONG, as_="customer2"),
        Case(id="e", kind="x", question="hi"),
        Case(id="f", kind="x", question="Hi!"),
    ]
    told = contamination.twins(Dataset(as_of=DAY, cases=tuple(asked)))
    assert [(one.first, one.second) for one in told] == [("a", "b"), ("e", "f")]


def test_hostile_texts_end() -> None:
    whole = cases(FEE, "word " * 20_000, "?!", "\ufdfa" * 1_000)
    texts = (seen("word " * 100_000), seen("a" * 1_000_000), seen("\ufdfa" * 100_000), seen("?"), seen(""))
    assert {one.case for one in found(whole, *texts)} <= {"case-1", "case-3"}
