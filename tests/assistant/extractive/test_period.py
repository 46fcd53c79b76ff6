from datetime import date

import pytest

from assistant.extractive.period import read

TODAY = date(2026, 11, 23)  # a Monday


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("last month", "2026-10-01", "2026-10-31"),
        ("this month", "2026-11-01", "2026-11-23"),
        ("last week", "2026-11-16", "2026-11-22"),
        ("last weekend", "2026-11-21", "2026-11-22"),
        ("this week", "2026-11-23", "2026-11-23"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("this year", "2026-01-01", "2026-11-23"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("yesterday", "2026-11-22", "2026-11-22"),
        ("today", "2026-11-23", "2026-11-23"),
        ("in the last 30 days", "2026-10-24", "2026-11-23"),
        ("over the past two weeks", "2026-11-09", "2026-11-23"),
        ("in the past 3 months", "2026-08-23", "2026-11-23"),
        ("since October 1", "2026-10-01", None),
        ("since last month", "2026-10-01", None),
        ("since 2026-09-15", "2026-09-15", None),
        ("until October 15th", None, "2026-10-15"),
        ("before November 1", None, "2026-10-31"),
        ("in October", "2026-10-01", "2026-10-31"),
        ("in December", "2025-12-01", "2025-12-31"),
        ("in March 2026", "2026-03-01", "2026-03-31"),
        ("on November 3", "2026-11-03", "2026-11-03"),
        ("on the 3rd of November", "2026-11-03", "2026-11-03"),
        ("on 11/03/2026", "2026-11-03", "2026-11-03"),
        ("on 11/3/26", "2026-11-03", "2026-11-03"),
        ("between October 1 and October 15", "2026-10-01", "2026-10-15"),
        ("from September 1 to September 30", "2026-09-01", "2026-09-30"),
        ("on February 31", None, None),
        ("on Friday", "2026-11-20", "2026-11-20"),
        ("since last Wednesday", "2026-11-18", None),
        ("on monday", "2026-11-23", "2026-11-23"),
        ("of my november rent", "2026-11-01", "2026-11-30"),
        ("my balance", None, None),
    ],
)
def test_stretches_of_time_are_read(text: str, since: str | None, until: str | None) -> None:
    first, last = read(f"my purchases {text}", TODAY)
    assert (first and first.isoformat(), last and last.isoformat()) == (since, until)
