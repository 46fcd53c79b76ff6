"""What operators read."""

from datetime import timedelta

import pytest

from opsplane.quality.alarm import MIX, Alarm
from opsplane.quality.changes import Change
from tests.opsplane.quality.made import START


def alarm(series: str, before: float, after: float, **changes: object) -> Alarm:
    fell = after - before
    return Alarm(
        series,
        START,
        START,
        before,
        after,
        fell,
        fell - 0.03,
        fell + 0.03,
        20.0,
        7.5,
        **changes,  # type: ignore[arg-type]
    )


def test_a_score_that_fell_is_one_sentence() -> None:
    change = Change(START - timedelta(minutes=20), "release_promoted", "release heron-7@ab was promoted to everybody")
    assert alarm("judge:gemini-12", 0.782, 0.681, change=change, place="about cards").text == (
        "The judge's score (gemini-12) fell from 78.2 to 68.1 (10.1 points; 7.1 to 13.1) since 2026-11-02 00:00 UTC, "
        "most of it about cards; just before, at 2026-11-01 23:40 UTC, release heron-7@ab was promoted to everybody."
    )


def test_a_share_of_what_must_not_happen_rose() -> None:
    told = alarm("grounded", 0.98, 0.93).text
    assert told.startswith(
        "Answers with something withheld as ungrounded rose from 2.0 % to 7.0 % (5.0 points; 2.0 to 8"
    )
    assert told.endswith("no release, index, model or setting changed in the 48 hours before.")


def test_a_time_rose_by_a_factor() -> None:
    told = alarm("fast", 0.5, 0.456).text
    assert told.startswith("The time to the whole answer rose from 1,000 ms to 1,500 ms (1.50 times; 1.14 to 1.98)")


def test_a_judge_without_a_vote_is_called_so() -> None:
    assert "this judge has no vote" in alarm("judge:j", 0.8, 0.7, votes=False).text


@pytest.mark.parametrize(("series", "begins"), [("thumbs", "Thumbs up fell"), ("cheap", "The cost of an answer rose")])
def test_sentences_begin_as_they_should(series: str, begins: str) -> None:
    assert alarm(series, 0.8, 0.7).text.startswith(begins)


def test_the_mix_names_what_moved() -> None:
    told = alarm(MIX, 1.0, 0.86, detail="cards 18% → 31%").text
    assert told.startswith("What customers ask about moved by 14.0 points (11.0 to 17.0; cards 18% → 31%) since")
