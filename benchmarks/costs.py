"""A million bookings: do SQL's sums agree with Python's to the micro-dollar, and how long do reports take?

    python -m benchmarks.costs [--exchanges 1000000] [--url sqlite:///…]

Every exchange books one call, and one in five a second one for a judge, over thirteen months that hold both changes
of the clock. Printed are the sums, how far adding the same amounts as floats drifts, and each query's time as a
multiple of counting the table's rows. Without `--url` it is done in a temporary SQLite file; with it in that database,
which must be empty.
"""

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Select, func, insert, select

from assistant.panels import table
from opsplane.ledger import costs
from opsplane.ledger.costs import By, CostQuery
from opsplane.ledger.database import connect
from opsplane.ledger.seal import micros, moment
from opsplane.ledger.tables import METADATA, SPEND
from opsplane.spend import Purpose, Usage, load

ZONE = ZoneInfo("America/New_York")
BEGUN = datetime(2025, 11, 1, tzinfo=UTC)
SPAN = 395 * 86_400_000_000  # microseconds
MODELS = ("google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon")
CUSTOMERS = 5_000
PRICES = load()
_BATCH = 20_000


@dataclass
class Expected:
    """What Python's own whole numbers come to."""

    total: int = 0
    floats: float = 0.0  # the same amounts in dollars, added as floats
    bookings: int = 0
    groups: dict[By, Counter[str]] = field(default_factory=lambda: {by: Counter() for by in By})

    def add(self, row: dict[str, Any]) -> None:
        """Count one booking."""
        cost = row["cost_micros"]
        self.total += cost
        self.floats += cost / 1_000_000
        self.bookings += 1
        day = moment(row["at"]).astimezone(ZONE).date()
        for by in By:
            key = {By.DAY: day.isoformat(), By.MONTH: f"{day:%Y-%m}"}.get(by) or row[by.value]
            self.groups[by][key] += cost


class Database:
    """A database that is only read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, statement: Select[Any]) -> Sequence[Any]:
        """Run one query."""
        with self._engine.connect() as connection:
            return connection.execute(statement).all()


def bookings(exchanges: int) -> Iterator[dict[str, Any]]:
    """The same bookings every time, in the order of their times."""
    chance, begun = random.Random(11), micros(BEGUN)
    for number in range(exchanges):
        shared = {
            "at": begun + number * SPAN // exchanges + chance.randrange(1_000),
            "customer": f"C-{chance.randrange(CUSTOMERS):05}",
            "exchange": f"{chance.getrandbits(128):032x}",
            "release": f"heron-{1 + number * 4 // exchanges}",
            "digest": f"{1 + number * 4 // exchanges:064x}",
            "region": "",
            "prices": PRICES.version,
        }
        yield shared | _call(Purpose.SHADOW if number % 10 == 9 else Purpose.ANSWER, MODELS[number % 7 == 0], chance)
        if number % 5 == 0:
            yield shared | _call(Purpose.JUDGE, MODELS[0], chance)


def _call(purpose: Purpose, model: str, chance: random.Random) -> dict[str, Any]:
    read, written = chance.randrange(500, 6_000), chance.randrange(20, 800)
    usage = Usage(input=read, output=written, cached=chance.randrange(read), thinking=chance.randrange(written))
    return {
        "purpose": purpose.value,
        "model": model,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "thinking_tokens": usage.thinking,
        "cost_micros": PRICES.cost(model, usage),
    }


def fill(engine: Engine, exchanges: int) -> Expected:
    """Book everything, and count it on the way."""
    METADATA.create_all(engine)
    expected, batch = Expected(), []
    with engine.begin() as connection:
        for row in bookings(exchanges):
            expected.add(row)
            batch.append(row)
            if len(batch) == _BATCH:
                connection.execute(insert(SPEND), batch)
                batch.clear()
        if batch:
            connection.execute(insert(SPEND), batch)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return expected


def timed(run: Callable[[], Any], times: int = 3) -> tuple[Any, float]:
    """The result, and the seconds of the quickest of some runs."""
    seconds = []
    for _ in range(times):
        begun = perf_counter()
        result = run()
        seconds.append(perf_counter() - begun)
    return result, min(seconds)


def compare(database: Database, expected: Expected) -> list[tuple[str, str, str]]:
    """Each report against Python's numbers; raise `SystemExit` at the first micro-dollar of difference."""
    _, unit = timed(lambda: database.read(select(func.count()).select_from(SPEND)))
    rows = [("Counting the table's rows", f"{expected.bookings} bookings", f"1 ({unit * 1000:.0f} ms)")]
    for by in By:
        report, seconds = timed(partial(costs.search, database, CostQuery(by=by), ZONE))
        if report.total.micros != expected.total:
            raise SystemExit(f"the total by {by} is {report.total.micros}, not {expected.total}")
        if {row.key: row.micros for row in report.rows} != dict(expected.groups[by]):
            raise SystemExit(f"the sums by {by} differ")
        rows.append((f"Report by {by}, everything", f"{report.groups} sums equal", _ratio(seconds, unit)))
    last = moment(micros(BEGUN) + SPAN - 1).astimezone(ZONE).date()
    rows += [(what, "", _ratio(timed(run)[1], unit)) for what, run in _usual(database, last)]
    return rows


def _usual(database: Database, last: date) -> list[tuple[str, Callable[[], Any]]]:
    month = last.replace(day=1)
    two = CostQuery(since=(month - timedelta(days=1)).replace(day=1))
    one = CostQuery(by=By.MONTH, customer=f"C-{7:05}")
    begun, end = costs.start(month, ZONE), costs.start(last + timedelta(days=1), ZONE)
    return [
        ("Report by day, this month", partial(costs.search, database, CostQuery(since=month), ZONE)),
        ("Days and purposes of two months", partial(costs.daily, database, two, ZONE)),
        ("One customer by month, everything", partial(costs.search, database, one, ZONE)),
        ("Budget: everybody's month", partial(costs.spent, database, begun, end)),
        ("Budget: one customer's month", partial(costs.spent, database, begun, end, one.customer)),
    ]


def _ratio(seconds: float, unit: float) -> str:
    return f"{seconds / unit:.1f} ({seconds * 1000:.0f} ms)"


def main() -> None:
    """Book, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    parser.add_argument("--url", default="", help="an empty database; a temporary SQLite file where not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(chosen.url or f"sqlite:///{folder}/costs.db")
        expected = fill(engine, chosen.exchanges)
        rows = compare(Database(engine), expected)
        engine.dispose()
    drift = abs(expected.floats * 1_000_000 - expected.total)
    print(f"Sum: {expected.total} micro-dollars, the same in SQL and in Python.")
    print(f"Added as floats, the dollars are {drift:.6f} micro-dollars off.\n")
    print(table(("Query", "Agrees", "Times the count"), rows).replace("\\", ""))


if __name__ == "__main__":
    main()
