"""The record added up: by hour, topic and release; what comes late; what is bounded."""

from datetime import timedelta

from opsplane.quality.traffic import Ended, Place, Traffic, hour_of
from opsplane.sampling import UNTOLD
from tests.opsplane.quality.made import START, Record

HOUR = hour_of(START)


def taken(record: Record, *entries: object) -> tuple[Traffic, list[Ended]]:
    found, ended = Traffic(48), []
    for entry in entries:
        ended += list(found.take(entry))  # type: ignore[arg-type]
    ended += list(found.until(hour_of(START) + 40))
    return found, ended


def test_exchanges_are_added_up_where_they_belong() -> None:
    record = Record()
    found, _ = taken(record, record.answered(START), record.answered(START, topic="fees"), record.answered(START))
    cards = found.cells[Place(HOUR, "a" * 64, "cards")]
    assert (cards.exchanges, cards.input_tokens, cards.output_tokens, cards.micros) == (2, 1800, 160, 1400)
    assert (cards.whole.number, cards.first.number, cards.customers.number) == (2, 2, 2)
    assert len(found.cells) == 2


def test_a_late_score_counts_for_its_exchange_in_the_hour_that_the_record_had_it() -> None:
    record = Record()
    later = START + timedelta(hours=5)
    found, ended = taken(record, record.answered(START), record.scored(later, 70), record.scored(later, 10))
    series = "judge:embedded-1a2b"
    assert found.cells[Place(HOUR, "a" * 64, "cards")].sums[series].mean == 0.7  # the first one counts
    assert [one.hour - HOUR for one in ended if series in one.series] == [5]


def test_thumbs_and_reviews_count_and_a_thumb_taken_back_does_not() -> None:
    record = Record()
    found, _ = taken(
        record,
        record.answered(START),
        record.entry("feedback_given", START, exchange="e1", value=None),
        record.entry("feedback_given", START, exchange="e1", value=0),
        record.entry("exchange_reviewed", START, exchange="e1", verdict="right", score=None),
        record.answered(START),
        record.entry("exchange_reviewed", START, exchange="e2", verdict="unsure", score=None),
        record.entry("exchange_reviewed", START, exchange="gone", verdict="wrong", score=3),
    )
    sums = found.cells[Place(HOUR, "a" * 64, "cards")].sums
    assert (sums["thumbs"].mean, sums["review"].mean, sums["review"].number) == (0.0, 1.0, 1)


def test_what_was_looked_at_because_it_was_flagged_is_not_counted_as_drawn() -> None:
    record = Record()
    flagged = record.answered(START), record.scored(START, 5, stratum="flagged 1")
    found, _ = taken(record, *flagged, record.answered(START), record.scored(START, 80, stratum="flagged 1 plain"))
    assert found.cells[Place(HOUR, "a" * 64, "cards")].sums["judge:embedded-1a2b"].mean == 0.8


def test_a_customer_counts_once_an_hour_in_a_test() -> None:
    record = Record()
    busy = [record.answered(START, customer="C-1", outcome="abstained") for _ in range(50)]
    _, ended = taken(record, *busy, record.answered(START, customer="C-2"))
    assert ended[0].series["answered"] == {0: 1, 100: 1}
    assert sum(ended[0].topics.values()) == 2


def test_faithfulness_below_half_is_a_hallucination() -> None:
    record = Record()
    answers = (record.answered(START), record.scored(START, 80, measures={"faithfulness": 40}))
    found, _ = taken(record, *answers)
    assert found.cells[Place(HOUR, "a" * 64, "cards")].sums["faithful:embedded-1a2b"].mean == 0


def test_what_was_met_before_anybody_looked_has_no_topic() -> None:
    record = Record()
    found, ended = taken(record, record.answered(START, topic="", outcome="declined", code="injection.override"))
    assert [place.topic for place in found.cells] == [UNTOLD]
    assert ended[0].topics == {}


def test_old_cells_are_forgotten_and_entries_out_of_order_are_taken() -> None:
    record = Record()
    late = START + timedelta(hours=60)
    found, _ = taken(record, record.answered(START), record.answered(late), record.answered(START))
    assert all(place.hour >= HOUR + 12 for place in found.cells if place.hour != HOUR)
    assert sum(cell.exchanges for cell in found.cells.values()) == 2


def test_a_fourth_judge_waits_until_one_has_been_silent_for_a_day() -> None:
    record = Record()
    entries = [record.answered(START)]
    entries += [record.scored(START, 80, name) for name in ("a", "b", "c", "d")]
    later = START + timedelta(hours=30)
    entries += [record.answered(later), record.scored(later, 80, "b"), record.scored(later, 80, "e")]
    found, _ = taken(record, *entries)
    assert set(found.judges) == {"b", "c", "e"}
    assert sorted(found.judges.values()) == [0, 1, 2]


def test_topics_without_end_are_told_apart_up_to_a_number() -> None:
    record = Record()
    found, _ = taken(record, *(record.answered(START, topic=f"t{number}") for number in range(100)))
    assert len(found.topics) == len(found.cells) == 20
