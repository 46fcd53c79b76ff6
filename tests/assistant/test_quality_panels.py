"""Live quality as people see it: alarms, tables, a plot, a file; and in words where there is nothing."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assistant.charts import in_text
from assistant.quality_panels import By, Query, panel, parse, read
from opsplane.errors import InvalidRequest
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.policy import QualityWatch
from opsplane.quality.monitor import Monitor
from tests import fakes
from tests.opsplane.quality.made import JUDGE, START, Record
from tests.opsplane.quality.test_monitor import FALL, fallen

END = START + timedelta(hours=FALL + 40)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    folder, clock = Path(tmp_path_factory.mktemp("record")), fakes.Clock(START)
    with closing(Ledger(connect(f"sqlite:///{folder / 'r.db'}"), clock, fakes.vault(folder, clock))) as opened:
        yield Monitor(opened, QualityWatch(baseline=timedelta(days=5)))


@pytest.fixture(scope="module")
def monitor(empty: Monitor, tmp_path_factory: pytest.TempPathFactory) -> Monitor:
    """Good days, then another release and worse answers about cards."""
    found = Monitor(empty.ledger, QualityWatch(baseline=timedelta(days=5)))
    found.take(fallen(Record()))
    found.look(END)
    return found


def text(monitor: Monitor, arguments: str = "", at: datetime = END) -> str:
    return panel(read(monitor, parse(arguments), UTC, at)).text.replace("\\", "")


def test_filters_are_read_as_they_are_typed() -> None:
    query = parse("since=2026-11-02 until=2026-11-05 topic=cards by=release")
    assert query == Query(since=date(2026, 11, 2), until=date(2026, 11, 5), topic="cards", by=By.RELEASE)
    assert parse("") == Query()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("nonsense", "'nonsense' is not a filter. Filters: since=…"),
        ("by=week", "by=week: Input should be 'topic', 'release', 'hour' or 'day'"),
        ("since=yesterday", "since=yesterday"),
        ("since=2026-11-02 until=2026-11-01", "since=2026-11-02 is after until=2026-11-01"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named(typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse(typed)


def test_a_topic_that_nobody_asked_about_is_answered_with_those_there_are(monitor: Monitor) -> None:
    with pytest.raises(InvalidRequest, match=r"topic=pets: nobody asked .* cards, fees, loans"):
        text(monitor, "topic=pets")


def test_nothing_asked_is_said_in_words(empty: Monitor) -> None:
    found = panel(read(empty, Query(), UTC, START))
    assert "Too little was answered yet to say what is usual." in found.text
    assert "Nothing was asked from 2026-10-27 18:00" in found.text
    assert (found.download, found.figure) == (None, None)


def test_what_fell_stands_first_with_what_changed(monitor: Monitor) -> None:
    told = text(monitor)
    assert told.startswith("### Quality\n\n**Fell:** The judge's score (embedded-1a2b) fell from 7")
    assert "release heron-b@bbbbbbbbbbbb was promoted to everybody" in told
    assert f"| judge's score ({JUDGE}) (no vote) | 7" in told
    assert "| abstentions | 0.0 % | 0.0 % of" in told


def test_figures_stand_by_day_and_by_topic(monitor: Monitor) -> None:
    told = text(monitor, "by=day")
    assert "**2,400 exchanges** of about 2," in told
    assert "| 2026-11-03 | 576 |" in told
    assert "**By topic**" in told
    assert "| cards | 800 |" in told


def test_few_days_are_told_by_the_hour(monitor: Monitor) -> None:
    assert "| 2026-11-05 14:00 | 24 |" in text(monitor, "since=2026-11-05")


def test_releases_stand_side_by_side(monitor: Monitor) -> None:
    told = text(monitor, "by=release")
    assert told.index("| heron-a@aaaaaaaaaaaa | 1,440 |") < told.index("| heron-b@bbbbbbbbbbbb | 960 |")


def test_one_topic_alone_is_told_of_that_topic(monitor: Monitor) -> None:
    told = text(monitor, "topic=fees")
    assert "**800 exchanges**" in told
    assert "**By topic**" not in told


def test_what_is_older_than_is_kept_is_said(monitor: Monitor) -> None:
    late = START + timedelta(hours=150)
    assert "Figures are kept for 5 days" in text(monitor, "since=2026-11-01", late)
    assert "Figures are kept" not in text(monitor, "", late)


def test_days_are_those_of_the_bank(monitor: Monitor) -> None:
    found = read(monitor, parse("by=day"), ZoneInfo("America/New_York"), END)
    assert next(iter(found.groups)) == "2026-11-01"


def test_the_file_holds_every_figure_with_its_interval(monitor: Monitor) -> None:
    found = panel(read(monitor, parse("by=topic"), UTC, END))
    assert found.download
    rows = list(csv.DictReader(io.StringIO(found.download.content.decode("utf-8-sig"))))
    assert {row["topic"] for row in rows} == {"cards", "fees", "loans"}
    cards = next(row for row in rows if row["topic"] == "cards")
    mean, low, high = (float(cards[f"judge:{JUDGE}{part}"]) for part in ("", "_low", "_high"))
    assert low < mean < high < 70
    assert int(cards["exchanges"]) == 800
    assert float(cards["grounded_low"]) <= float(cards["grounded"]) <= float(cards["grounded_high"])


def test_the_figure_is_plain_json_with_releases_marked(monitor: Monitor) -> None:
    figure = panel(read(monitor, Query(), UTC, END)).figure
    assert figure is not None
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    names = [trace["name"] for trace in figure["data"]]
    assert names[0] == f"judge's score ({JUDGE}, no vote)"
    assert names[-2:] == ["half are answered in", "95 % are answered in"]
    assert [one["text"] for one in figure["layout"]["annotations"]] == ["heron-a", "heron-b"]
    assert figure["layout"]["shapes"][1]["x0"] == FALL - (FALL + 40)


def test_every_point_has_its_interval(monitor: Monitor) -> None:
    figure = panel(read(monitor, parse("by=topic"), UTC, END)).figure
    assert figure is not None
    cards = next(trace for trace in figure["data"] if trace["name"] == "cards")
    assert len(cards["error_y"]["array"]) == len(cards["y"]) == 5
    assert min(*cards["error_y"]["array"], *cards["error_y"]["arrayminus"]) > 0


def test_a_terminal_draws_the_scores(monitor: Monitor) -> None:
    figure = panel(read(monitor, parse("by=topic"), UTC, END)).figure
    assert figure is not None
    drawn = in_text(figure)
    assert "● cards  ○ fees  ■ loans" in drawn
    assert "answered in" not in drawn


def test_no_topic_comes_to_life(empty: Monitor) -> None:
    found = Monitor(empty.ledger, QualityWatch())
    record = Record()
    found.take([record.answered(START, topic="<b>|=1+1")])
    shown = panel(read(found, parse("by=topic"), UTC, START + timedelta(hours=1)))
    assert "<b>|" not in shown.text
    assert shown.download
    assert b"'=" not in shown.download.content
