from datetime import date, datetime, time, timedelta

import pytest

from knowledge.cell import shown

NOON = datetime(2026, 7, 1, 12, 30)  # noqa: DTZ001  # spreadsheets know no zones


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (35, '"$"#,##0.00', "$35.00"),
        (1234.5, "$#,##0.00", "$1,234.50"),
        (1234567.895, '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', "$1,234,567.90"),
        (-35, '"$"#,##0.00;[Red]("$"#,##0.00)', "-$35.00"),
        (25, "[$€-2] #,##0", "€25"),
        (25, "#,##0.00 [$€-407]", "25.00 €"),
        (0.0425, "0.00%", "4.25%"),
        (0.05, "0%", "5%"),
        (2.675, "0.00", "2.68"),
        (2.5, "0.##", "2.5"),
        (3, "0.##", "3"),
        (12, '0" days"', "12 days"),
        (0, '"$"0.00', "$0.00"),
        (-0.001, "0.00", "0.00"),
        (35.0, "General", "35"),
        (0.1 + 0.2, "General", "0.3"),
        (1e300, "#,##0.00", "1e+300"),
        (float("inf"), "0.00", "inf"),
        (1234, "0.00E+00", "1234"),
        (True, "General", "TRUE"),
        (None, "General", ""),
        ("=1+1", "@", "=1+1"),
        (datetime(2026, 7, 1), "m/d/yy", "2026-07-01"),  # noqa: DTZ001
        (NOON, "m/d/yy h:mm", "2026-07-01 12:30"),
        (date(2026, 7, 1), "m/d/yy", "2026-07-01"),
        (time(16, 0), "h:mm", "16:00"),
        (timedelta(hours=30), "[h]:mm", "1 day, 6:00:00"),
    ],
)
def test_a_cell_reads_as_it_is_shown(value: object, pattern: str, text: str) -> None:
    assert shown(value, pattern) == text
