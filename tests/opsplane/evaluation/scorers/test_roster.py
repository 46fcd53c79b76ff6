from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane.errors import InvalidRequest
from opsplane.evaluation.scorers import roster
from opsplane.evaluation.scorers.roster import Parts
from opsplane.evaluation.scoring import How
from tests.opsplane.evaluation.scorers.answering import case, exchange, replying


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.ones((len(texts), 2), np.float32)


EMBEDDED = Parts(support=lambda *_: 1.0, support_name="s", encode=vectors, encoder="e", reported=lambda _: [-1.0])


def test_every_scorer_has_its_name_and_a_digest_of_its_own() -> None:
    scorers = roster.chosen(roster.names(), EMBEDDED)
    assert tuple(one.measure.name for one in scorers) == roster.names()
    assert len({one.measure.digest for one in scorers}) == len(roster.names()) == 21


async def test_every_scorer_scores_or_says_nothing() -> None:
    told = case(facts=("$15",), documents=("document-1",), forbidden=("free",), reference="The fee is $15.")
    said = exchange("The fee is $15.", first_sentence_ms=1)
    scores = {name: await roster.chosen([name], EMBEDDED)[0].score(told, said) for name in roster.names()}
    assert [name for name, score in scores.items() if score is None] == ["declines"]
    assert all(score is None or (score.scorer == name and score.value is not None) for name, score in scores.items())


def test_with_a_judge_model_ragas_is_read_by_it() -> None:
    reader, _ = replying()
    names = ["faithfulness", "answer_relevancy", "context_precision", "context_recall"]
    with_it = Parts(reader=reader, support=EMBEDDED.support, encode=vectors)
    assert {one.measure.how for one in roster.chosen(names, with_it)} == {How.MODEL}
    assert {one.measure.how for one in roster.chosen(names, EMBEDDED)} == {How.EMBEDDED}


def test_a_scorer_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(
        InvalidRequest, match=r"no scorer 'faithfullness'. Did you mean faithfulness\? There are: facts,"
    ):
        roster.chosen(["facts", "faithfullness"], EMBEDDED)
    with pytest.raises(InvalidRequest, match=r"no scorer '✗'\. There are"):
        roster.chosen(["✗"], EMBEDDED)


@pytest.mark.parametrize("name", ["faithfulness", "answer_relevancy", "context_recall", "perplexity"])
def test_a_scorer_without_its_parts_says_what_it_needs(name: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{name} cannot be scored here: it needs .+\.$"):
        roster.chosen([name], Parts())
    assert name not in roster.possible(Parts())


def test_a_name_given_twice_is_one_scorer() -> None:
    assert len(roster.chosen(["facts", "facts"], Parts())) == 1
