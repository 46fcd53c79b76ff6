from opsplane.evaluation.scorers import effort
from opsplane.evaluation.scoring import Better, How
from tests.opsplane.evaluation.scorers.answering import case, exchange


async def test_time_and_money_are_those_of_the_exchange() -> None:
    told = exchange("Yes.", total_ms=120, first_sentence_ms=40, cost_micros=900)
    scores = [await one.score(case(), told) for one in effort.scorers()]
    assert [(one.scorer, one.value) for one in scores if one] == [
        ("latency", 120),
        ("first_sentence", 40),
        ("cost", 900),
    ]


def test_what_said_nothing_has_no_first_sentence() -> None:
    assert effort.first_sentence(case(), exchange()) is None


def test_less_is_better_and_only_time_is_by_the_clock() -> None:
    measures = [one.measure for one in effort.scorers()]
    assert {one.better for one in measures} == {Better.LOWER}
    assert [one.how for one in measures] == [How.CLOCK, How.CLOCK, How.RULE]
    assert [one.unit for one in measures] == ["ms", "ms", "micros"]
