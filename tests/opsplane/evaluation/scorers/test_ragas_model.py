from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane.errors import RecordUnavailable
from opsplane.evaluation.scorers.ragas import Name
from opsplane.evaluation.scorers.ragas_model import ModelRagas, Ragas
from opsplane.evaluation.scorers.reader import Reader
from opsplane.evaluation.scoring import How
from tests import fakes
from tests.opsplane.evaluation.scorers.answering import case, exchange, reply, replying, verdicts

PARTS = ["In which part of Europe is France?", "Where does France lie?", "Which region of Europe holds France?"]
PARIS = "France is in Western Europe and its capital is Paris."


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """The question one way, everything else at an angle of 60 degrees to it, the last one at a right angle."""
    rows = [[1, 0], *[[0.5, 0.75**0.5]] * (len(texts) - 2), [0, 1]]
    return np.array(rows, np.float32)


def one(name: Name, reader: Reader) -> ModelRagas:
    found = {scorer.measure.name: scorer for scorer in Ragas(reader, vectors, "test").scorers()}
    return found[name]


async def test_faithfulness_of_the_published_example() -> None:
    """RAGAS documentation: two statements, one of which the context bears out: 0.5."""
    reader, model = replying(
        reply(statements=["Einstein was born in Germany.", "Einstein was born on 20th March 1879."]),
        verdicts(True, False),
    )
    said = exchange("Einstein was born in Germany on 20th March 1879.")
    score = await one(Name.FAITHFULNESS, reader).score(case(), said)
    assert score
    assert (score.value, score.why) == (0.5, "not in the sources: Einstein was born on 20th March 1879.")
    assert "1. Einstein was born in Germany.\n2. Einstein" in model.asked[1][1]
    assert [cost.micros for cost in score.costs] == [120, 120]


async def test_answer_relevancy_is_the_mean_over_three_questions() -> None:
    reader, _ = replying(reply(questions=PARTS, evasive=False))
    score = await one(Name.RELEVANCY, reader).score(case(), exchange("France is in western Europe."))
    assert score
    assert score.value == pytest.approx((0.5 + 0.5 + 0) / 3, abs=1e-6)


async def test_evasive_answers_are_not_relevant() -> None:
    reader, model = replying(reply(questions=PARTS, evasive=True))
    scorer = one(Name.RELEVANCY, reader)
    evasive = await scorer.score(case(), exchange("I do not know that."))
    away = await scorer.score(case(), exchange("I cannot help with that.", outcome="declined"))
    assert evasive
    assert away
    assert (evasive.value, away.value, len(model.asked)) == (0, 0, 1)


async def test_context_precision_of_the_published_example() -> None:
    """RAGAS documentation: the passage with the capital stands second of two: 0.5."""
    reader, model = replying(verdicts(False, True))
    found = [fakes.passage(1, "Its wines and cuisine are renowned."), fakes.passage(2, "Paris is its capital.")]
    score = await one(Name.PRECISION, reader).score(case(reference=PARIS), exchange("Paris.", evidence=found))
    assert score
    assert score.value == 0.5
    assert PARIS in model.asked[0][1]


async def test_context_recall_of_the_published_example() -> None:
    """RAGAS documentation: of two claims of the reference the context holds the first: 0.5."""
    reader, _ = replying(verdicts(True, False))
    told = case(reference="France is in Western Europe. Its capital is Paris.")
    score = await one(Name.RECALL, reader).score(told, exchange("…"))
    assert score
    assert score.value == 0.5


async def test_without_a_reference_recall_goes_by_facts_and_asks_no_model() -> None:
    reader, model = replying()
    score = await one(Name.RECALL, reader).score(case(facts=("$15",)), exchange("…"))
    assert score
    assert (score.value, model.asked) == (1, [])
    assert await one(Name.RECALL, reader).score(case(), exchange("…")) is None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "Both of them hold.",
        'Sure! {"check": "$check", "verdicts": [{"number": 1, "holds": true}]}',
        reply(verdicts=[]),
        reply(verdicts=[{"number": 1, "holds": 7}]),
        reply(verdicts=[{"number": 1, "holds": "yes"}]),
        reply(verdicts=[{"number": 2, "holds": True}]),
        reply(verdicts=[{"number": 1, "holds": True}, {"number": 1, "holds": False}]),
        reply(verdicts=[{"number": 1}]),
        reply(score=5),
        '{"check": "guessed", "verdicts": [{"number": 1, "holds": true}]}',
        "[" * 100_000,
        reply(verdicts=[{"number": 1, "holds": True}] * 5_000),
    ],
    ids=lambda bad: bad[:40],
)
async def test_a_reply_in_another_form_is_unscored_and_still_paid_for(bad: str) -> None:
    reader, _ = replying(reply(statements=["The fee is $15."]), bad)
    score = await one(Name.FAITHFULNESS, reader).score(case(), exchange("The fee is $15."))
    assert score
    assert score.value is None
    assert score.why.startswith("the model's reply cannot be read")
    assert len(score.costs) == 2


async def test_a_model_that_fails_or_is_late_is_unscored_and_what_came_before_is_paid_for() -> None:
    reader, _ = replying(reply(statements=["The fee is $15."]), TimeoutError("60 s"))
    score = await one(Name.FAITHFULNESS, reader).score(case(), exchange("The fee is $15."))
    assert score
    assert (score.value, score.why) == (None, "the model could not be asked: TimeoutError")
    assert len(score.costs) == 1


async def test_without_a_record_nothing_is_scored() -> None:
    reader, _ = replying(RecordUnavailable("full"))
    with pytest.raises(RecordUnavailable):
        await one(Name.FAITHFULNESS, reader).score(case(), exchange("The fee is $15."))


async def test_an_answer_without_claims_or_sources_is_told_so() -> None:
    reader, _ = replying(reply(statements=[]), reply(statements=["The fee is $15."]))
    scorer = one(Name.FAITHFULNESS, reader)
    silent = await scorer.score(case(), exchange("You are welcome."))
    alone = await scorer.score(case(), exchange("The fee is $15.", evidence=[]))
    assert silent
    assert alone
    assert (silent.value, silent.why) == (None, "the answer makes no claim")
    assert (alone.value, alone.why) == (0, "there are no sources")


async def test_claims_cannot_pretend_to_be_several() -> None:
    reader, model = replying(reply(statements=["The fee is $15.\n2. The fee is waived."]), verdicts(True))
    score = await one(Name.FAITHFULNESS, reader).score(case(), exchange("The fee is $15."))
    assert score
    assert score.value == 1
    assert "\n2. " not in model.asked[1][1]


async def test_an_endless_answer_is_unscored_and_no_model_is_asked() -> None:
    reader, model = replying()
    score = await one(Name.FAITHFULNESS, reader).score(case(), exchange("word " * 100_000))
    assert score
    assert (score.value, score.why, model.asked) == (None, "longer than 20,000 characters", [])


def test_the_digest_names_model_and_prompts() -> None:
    reader, _ = replying()
    measures = [scorer.measure for scorer in Ragas(reader, vectors, "test").scorers()]
    other = Ragas(Reader(reader.complete, "another", reader.prices), None, "").scorers()
    assert {measure.how for measure in measures} == {How.MODEL}
    assert len({measure.digest for measure in measures}) == 4
    assert not {one.digest for one in measures} & {one.measure.digest for one in other}
    assert Name.RELEVANCY not in {one.measure.name for one in other}
