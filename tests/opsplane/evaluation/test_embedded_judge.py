from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane.evaluation.embedded_judge import EmbeddedJudge
from opsplane.evaluation.judge import reason
from opsplane.evaluation.scoring import How, Score
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Outcome
from opsplane.guardrails import wording
from tests.opsplane.evaluation.matters import FEE, case, matter


def copied(text: str, cited: Sequence[Evidence]) -> float:
    """Borne out is what stands in a source as it is."""
    return float(any(text in one.text for one in cited))


def counted(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors by which words a text holds, out of all that were handed over."""
    known = sorted(set().union(*(wording.stems(text) for text in texts)))
    rows = np.array([[word in wording.stems(text) for word in known] + [0.01] for text in texts], np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


JUDGE = EmbeddedJudge(copied, counted, "counted", "0")


async def graded(*texts: str, **changes: Any) -> Score:
    return await JUDGE.grade(matter(*texts, **changes))


async def scored(*texts: str, **changes: Any) -> float:
    value = (await graded(*texts, **changes)).value
    assert value is not None
    return value


async def test_an_answer_out_of_its_source_scores_high() -> None:
    assert await scored() > 0.85


async def test_a_live_answer_is_graded_without_a_case() -> None:
    assert set((await graded()).part) == {"accuracy", "relevance", "clarity"}


async def test_a_wrong_figure_costs() -> None:
    wrong = await graded(FEE.replace("$15", "$16"))
    assert wrong.part["accuracy"] == 0
    assert wrong.value is not None
    assert wrong.value < await scored() - 0.3


async def test_one_sentence_without_a_source_costs_more_than_its_share() -> None:
    found = await graded(FEE, FEE, FEE, "We never charge a fee.")
    assert found.part["accuracy"] == pytest.approx((0.75 + 0) / 2)


async def test_another_answer_is_not_relevant() -> None:
    assert (await graded("A branch opens at noon.")).part["relevance"] <= 0.25  # for the heading


async def test_what_a_case_asks_for_is_looked_for() -> None:
    facts = case(facts=("$15", ("3 a day", "three a day"), "$20 or less"))
    assert (await graded(case=facts)).part["completeness"] == pytest.approx(2 / 3, abs=1e-4)


async def test_a_reference_is_looked_for_by_words_and_figures() -> None:
    whole, half = case(facts=(), reference=FEE), case(facts=(), reference=f"{FEE} Students pay $5 on Mondays.")
    assert (await graded(case=whole)).part["completeness"] == 1
    assert 0.5 < (await graded(case=half)).part["completeness"] < 0.8


async def test_a_forbidden_statement_is_not_accurate() -> None:
    assert (await graded(case=case(forbidden=("$15",)))).part["accuracy"] == 0


async def test_hedging_and_length_cost_clarity() -> None:
    plain = (await graded()).part["clarity"]
    assert (await graded(f"I guess that {FEE}")).part["clarity"] < plain
    assert (await graded(*[FEE] * 25)).part["clarity"] < plain


async def test_the_banks_own_words_need_no_source() -> None:
    disclosed = (Sentence(text=FEE, cites=(1,)), Sentence(text="Member FDIC."))
    assert (await graded(sentences=disclosed, fixed=frozenset({"Member FDIC."}))).part["accuracy"] == 1
    assert (await graded(sentences=disclosed)).part["accuracy"] == 0.25


DECLINED = {"outcome": Outcome.ABSTAINED, "sentences": (Sentence(text="I could not find that."),)}


async def test_turning_away_is_judged_by_the_case() -> None:
    assert await scored(**DECLINED, case=case(expect="decline")) == 1
    assert await scored(**DECLINED, case=case()) == 0
    assert await scored(case=case(expect="decline")) == 0


async def test_without_a_case_nobody_can_tell_whether_turning_away_was_right() -> None:
    assert reason(await graded(**DECLINED)) == "no_case"


async def test_a_fixed_reply_is_judged_by_the_cases_facts() -> None:
    hello = {"outcome": Outcome.REPLIED, "sentences": (Sentence(text="Hello from Wrenfield."),)}
    assert await scored(**hello, case=case(facts=("Hello",))) == 1
    assert await scored(**hello, case=case(facts=("Hello", "$15"))) == 0.5
    assert reason(await graded(**hello)) == "no_case"


async def test_where_nothing_was_said_nothing_is_graded() -> None:
    assert reason(await graded(outcome=Outcome.FAILED, sentences=())) == "empty"


async def test_an_answer_of_nothing_but_marks_scores_low() -> None:
    assert await scored("…") < 0.2


async def test_the_same_answer_scores_the_same() -> None:
    assert await graded(case=case()) == await graded(case=case())


def test_it_says_that_no_language_model_judged() -> None:
    assert "no language model" in JUDGE.words
    assert JUDGE.how is How.EMBEDDED
    assert JUDGE.identity.startswith("embedded/counted@")


def test_other_weights_of_the_grounding_model_make_another_judge() -> None:
    assert EmbeddedJudge(copied, counted, "counted", "1").identity != JUDGE.identity
