"""Why cases failed."""

import pytest

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.diagnosis import TUNABLE, Cause, Diagnosis, Found, Remedy, diagnose
from opsplane.evaluation.evaluate import score
from opsplane.evaluation.report import Answer, Row, gathered
from opsplane.evaluation.run import why
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from tests import fakes
from tests.opsplane.evaluation.answers import DAY, answered, case, dataset
from tests.opsplane.ledger.test_store import exchange

HELD = {"document-1": "Overdrafts. The fee is $15 for each item.", "document-2": "Wires cost $25."}


def lost(one: Case, found: Exchange) -> Found:
    result = score(one, found)
    row = Row(
        case=one.id,
        digest=one.digest,
        kind=one.kind,
        expect=one.expect,
        passed=result.passed,
        why=why(result),
        answer=Answer.of(found),
    )
    head = {"release": "r", "release_digest": "0", "dataset": "t", "dataset_digest": "1", "as_of": DAY, "asked": 1}
    (diagnosed,) = diagnose(gathered([row], [], **head), dataset(one), HELD, {"account_balances"}).found
    return diagnosed


def nothing(*evidence: int, **changes: object) -> Exchange:
    sources = [fakes.passage(number, HELD[f"document-{number}"]) for number in evidence]
    return exchange("e1", *sources, **({"outcome": Outcome.ABSTAINED} | changes))


CAUSES = [
    (case(), nothing(2), Cause.SEARCH),
    (case(), nothing(1), Cause.IGNORED),
    (case(facts=("$15", "ten days")), nothing(2), Cause.SEARCH),
    (case(facts=("ten days",)), nothing(1), Cause.DOCUMENT),
    (case(documents=("gone",)), nothing(2), Cause.DOCUMENT),
    (case(documents=()), nothing(2), Cause.SEARCH),
    (case(documents=(), facts=("ten days",)), nothing(2), Cause.DOCUMENT),
    (case(documents=(), facts=("$25", "$15")), nothing(2), Cause.SEARCH),
    (case(documents=("account_balances",)), nothing(2), Cause.IGNORED),
    (case(), nothing(outcome=Outcome.DECLINED, code="scope.off_topic"), Cause.STRICT),
    (case(), nothing(1, withheld=(Sentence(text="It is $15.", cites=(1,)),)), Cause.STRICT),
    (case(), nothing(outcome=Outcome.FAILED, error="Timeout"), Cause.BROKEN),
    (case(documents=("document-2",)), answered(), Cause.FORMAT),
    (case(forbidden=("$15",)), answered(), Cause.INVENTED),
    (case(facts=(), expect="decline"), answered(), Cause.LOOSE),
]


@pytest.mark.parametrize(("one", "found", "cause"), CAUSES)
def test_a_failure_is_told_by_where_the_fact_got_lost(one: Case, found: Exchange, cause: Cause) -> None:
    assert lost(one, found).cause is cause


def test_another_passage_of_the_right_document_is_told_from_another_document() -> None:
    other = exchange("e1", fakes.passage(1, "Nothing of the kind."), outcome=Outcome.ABSTAINED)
    assert lost(case(), other).cause is Cause.PASSAGE


def test_a_diagnosis_names_the_document_that_says_it_and_none_that_it_did_not_look_at() -> None:
    assert lost(case(documents=()), nothing(2)).detail == "document-1 says $15 and was not among the passages"
    assert lost(case(documents=("document-1", "document-2")), nothing(2)).detail.startswith("document-1 says $15")
    assert lost(case(documents=("gone",)), nothing(2)).detail == "not in force: gone"
    unknown = lost(case(documents=(), facts=("ten days",)), nothing(2))
    assert unknown.detail == "nothing of ten days in any of the 2 documents in force"


def test_what_a_passage_said_is_not_looked_for() -> None:
    one = case(documents=(), facts=("$25", "$15"))
    assert lost(one, nothing(2)).detail == "document-1 says $15 and was not among the passages"


def test_what_passed_is_not_diagnosed() -> None:
    assert not diagnose(
        gathered([], [], release="r", release_digest="0", dataset="t", dataset_digest="1", as_of=DAY, asked=0),
        dataset(),
        HELD,
    ).found


def test_the_advice_begins_with_what_mends_most_and_says_the_counts() -> None:
    causes = [Cause.SEARCH] * 3 + [Cause.STRICT]
    found = Diagnosis(9, tuple(Found(case=str(n), cause=one, detail="") for n, one in enumerate(causes)))
    assert [*found.by_remedy()] == [Remedy.RETRIEVAL, Remedy.GUARDRAILS]
    assert found.advice()[0].startswith("3 of 4: Change the retrieval")


def test_tuning_is_advised_only_where_the_model_is_the_problem_and_corrected_answers_are_there() -> None:
    ignored = tuple(Found(case=str(n), cause=Cause.IGNORED, detail="") for n in range(3))
    assert [*Diagnosis(9, ignored, TUNABLE - 1).by_remedy()] == [Remedy.PROMPT]
    assert [*Diagnosis(9, ignored, TUNABLE).by_remedy()] == [Remedy.TUNING]
