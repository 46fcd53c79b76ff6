from opsplane.evaluation.scorers import expected
from opsplane.evidence import Sentence
from tests.opsplane.evaluation.scorers.answering import case, exchange


async def test_every_scorer_gives_its_score_under_its_own_name() -> None:
    told = case(facts=("$15",), documents=("document-1",), forbidden=("$20",))
    scores = [await one.score(told, exchange("The fee is $15.")) for one in expected.scorers()]
    assert {one.scorer: one.value for one in scores if one} == {
        "facts": 1,
        "citations": 1,
        "figures": 1,
        "forbidden": 1,
        "answered": 1,
    }


def test_facts_are_counted_by_share() -> None:
    found = expected.facts(case(facts=("$15", ("three a day", "3 a day"), "item")), exchange("The fee is $15 an item."))
    assert found
    assert (round(found.value or 0, 4), found.why) == (0.6667, "missing three a day or 3 a day")


def test_cases_without_facts_or_to_be_turned_away_say_nothing_about_facts() -> None:
    assert expected.facts(case(), exchange("Yes.")) is None
    assert expected.facts(case(facts=("$15",), expect="decline"), exchange("Yes.")) is None


def test_an_expected_document_must_be_cited() -> None:
    found = expected.citations(case(documents=("document-7",)), exchange("The fee is $15."))
    assert found
    assert (found.value, found.why) == (0, "none of document-7 cited")
    assert found.part == {"sources exist": 1, "expected document": 0}


def test_a_citation_of_a_source_that_there_is_not_counts_as_wrong() -> None:
    said = exchange("The fee is $15.", Sentence(text="Always.", cites=(9,)))
    found = expected.citations(case(documents=("document-1",)), said)
    assert found
    assert (found.value, found.why, found.part["sources exist"]) == (0, "no source 9", 0.5)


def test_refusals_and_answers_that_need_no_citation_say_nothing_about_citations() -> None:
    plain = Sentence(text="Hello.")
    assert expected.citations(case(), exchange(plain)) is None
    assert expected.citations(case(documents=("document-1",)), exchange(plain, outcome="declined")) is None


def test_a_figure_without_a_source_is_named() -> None:
    found = expected.figures(case(), exchange("The fee is $16."))
    assert found
    assert (found.value, found.why) == (0, "without a source $16")
    assert expected.figures(case(), exchange("Call 555.", outcome="replied")) is None


def test_something_forbidden_is_named() -> None:
    found = expected.forbidden(case(forbidden=("no fee", "free")), exchange("It is free."))
    assert found
    assert (found.value, found.why) == (0, "stated free")
    assert expected.forbidden(case(), exchange("It is free.")) is None


def test_turning_away_is_right_or_wrong_by_what_the_case_expects() -> None:
    away, said = exchange(outcome="declined", code="scope.off_topic"), exchange("The fee is $15.")
    ought, may = case(expect="decline"), case()
    found = [(rule(one, it)) for one in (ought, may) for it in (away, said) for rule in (expected.declines,)]
    assert [one and one.value for one in found] == [1, 0, None, None]
    values = [expected.answered(one, it) for one in (ought, may) for it in (away, said)]
    assert [one and one.value for one in values] == [None, None, 0, 1]
    assert values[2]
    assert values[2].why == "declined scope.off_topic"


def test_a_turn_that_failed_did_not_answer() -> None:
    found = expected.answered(case(), exchange(outcome="failed"))
    assert found
    assert found.value == 0
