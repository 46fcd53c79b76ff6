"""The index finds words and forgets them, and holds none in the clear."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from opsplane.errors import InvalidRequest
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.facets import Facet, beginning, token
from opsplane.ledger.search import LONGEST, TextIndex, Wanted
from opsplane.ledger.tables import EXCHANGE, METADATA, REVIEW

SECRET = b"a secret of thirty-two bytes ..."
DAY = 86_400_000_000
NOTHING: dict[str, Any] = {
    "conversation": "c",
    "customer": "C-1",
    "actor": "anna",
    "release": "heron-1",
    "digest": "ab" * 32,
    "arm": "",
    "outcome": "answered",
    "code": "",
    "codes": "  ",
    "tier": "flash",
    "model": "gemini-flash",
    "input_tokens": 1,
    "output_tokens": 1,
    "cached_tokens": 0,
    "cost_micros": 100,
    "first_sentence_ms": None,
    "total_ms": 5,
    "rating": None,
    "score": None,
    "key": "k",
    "at": 20_000 * DAY,
}


class Shelf:
    """What the ledger offers a search, over words in the clear."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.index = TextIndex(engine.dialect.name, SECRET)
        METADATA.create_all(engine)
        with transaction(engine) as connection:
            self.index.create(connection)

    def read(self, statement: Any) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def contents(self, rows: Sequence[Any]) -> dict[str, Any]:
        return {row.id: SimpleNamespace(**json.loads(row.sealed)) for row in rows}

    def add(self, number: int, question: str = "", answer: str = "", **values: Any) -> None:
        sealed = json.dumps({"question": question, "answer": answer}).encode()
        row = NOTHING | {"number": number, "id": f"exchange-{number:04}", "sealed": sealed} | values
        with transaction(self.engine) as connection:
            connection.execute(insert(EXCHANGE), row)
            self.index.put(connection, number, f"{question}\n{answer}")

    def found(self, words: str = "", *groups: tuple[str, ...], most: int = 100) -> list[int]:
        phrases = self.index.phrases(words) if words else ()
        return self.index.newest(self, Wanted(phrases, groups), most)

    def tokens(self, words: str) -> set[str]:
        return {one for phrase in self.index.phrases(words) for one in phrase}


@pytest.fixture
def shelf(record_url: str) -> Iterator[Shelf]:
    made = Shelf(connect(record_url))
    yield made
    made.engine.dispose()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wire", [3, 1]),
        ("WIRES", [3, 1]),
        ("wire abroad", [3]),
        ("fees", [3, 1]),
        ('"wire fee"', [1]),
        ('"fee wire"', []),
        ("“wire fee”", [1]),
        ('"wire fee', [1]),
        ('abroad "the fee"', [3]),
        ('"a wire" "the fee"', [3]),
        ('"abroad the fee is"', [3]),
        ('"fee the abroad"', []),
        ("25", [4, 1]),
        ("$25", [1]),
        ("$25.00", [1]),
        ("4.1%", [2]),
        ("4.10%", [2]),
        ("4.1", [2]),
        ("1250", [3]),
        ("$1,250.00", [3]),
        ("x-ray", [4]),
        ("ray-x", []),
        ("zürich", [2]),
        ("ZU\u0308RICH", [2]),
        ("customer’s", [4]),
        ("pancakes", []),
    ],
)
def test_words_figures_and_phrases_are_found(shelf: Shelf, words: str, expected: list[int]) -> None:
    shelf.add(1, "What is the wire fee?", "It is $25.00.")
    shelf.add(2, "Rates in Zürich?", "The rate is 4.10%.")
    shelf.add(3, "A wire abroad?", "The fee is $1,250 at most.")
    shelf.add(4, "25 days for the customer's x-ray?")
    assert shelf.found(words) == expected


@pytest.mark.parametrize("words", ["%", '""', ' " - " ', "…"])
def test_a_search_without_words_is_refused(shelf: Shelf, words: str) -> None:
    with pytest.raises(InvalidRequest, match="no word"):
        shelf.index.phrases(words)


@pytest.mark.parametrize("odd", ["' OR 1=1 --", '") NEAR(', "a:b & !c | (d)", "\\' x \x00 \ud800 ::", "*" * 50 + "x"])
def test_odd_words_do_no_harm(shelf: Shelf, odd: str) -> None:
    shelf.add(1, odd.replace("\ud800", ""))
    assert shelf.found(odd.replace('"', "").replace("\ud800", "")) == [1]
    assert shelf.found("nothing", (token(Facet.MODEL, odd),), (beginning(Facet.RULE, odd),)) == []


def test_words_and_facets_go_together(shelf: Shelf) -> None:
    for number in range(1, 31):
        shelf.add(number, "the fee", outcome="declined" if number % 3 else "answered", codes=f" pii.card{number % 2} ")
    declined, card = (token(Facet.OUTCOME, "declined"),), (beginning(Facet.RULE, "pii.card1"),)
    assert shelf.found("fee", declined, card) == [n for n in range(30, 0, -1) if n % 3 and n % 2]
    assert shelf.found("fee", declined, card, most=2) == [29, 25]
    assert shelf.found("fee", declined, (token(Facet.OUTCOME, "answered"),)) == []
    assert shelf.found("fee", ()) == []
    assert len(shelf.found("", (token(Facet.OUTCOME, "answered"), *declined))) == 30


def test_stretches_of_numbers_are_walked_to_the_end(shelf: Shelf) -> None:
    numbers = [1, 2_047, 2_048, 16_383, 16_384, 16_385, 100_000, 131_071, 131_072, 1_000_000]
    for number in numbers:
        shelf.add(number, "the fee")
    assert shelf.found("fee") == numbers[::-1]
    assert shelf.index.newest(shelf, Wanted(shelf.index.phrases("fee")), 2, below=16_385) == [16_384, 16_383]
    assert shelf.index.newest(shelf, Wanted(), 2, below=16_384) == [16_383, 2_048]


@pytest.mark.parametrize("most", [1, 30, 500, 2_500, 9_999])
def test_the_newest_are_found_where_many_fit_and_where_few_do(shelf: Shelf, most: int) -> None:
    chance = random.Random(3)
    numbers = sorted({*range(40_000, 42_500), *(chance.randrange(1, 300_000) for _ in range(1_000))}, reverse=True)
    rows = [NOTHING | {"number": number, "id": f"x-{number}", "sealed": b""} for number in numbers]
    with transaction(shelf.engine) as connection:
        connection.execute(insert(EXCHANGE), rows)
        for number in reversed(numbers):
            shelf.index.put(connection, number, "fee")
    wanted = Wanted(shelf.index.phrases("fee"), ((token(Facet.CUSTOMER, "C-1"), token(Facet.CUSTOMER, "C-2")),))
    for below in (numbers[0] + 1, 41_000, 39_999, numbers[-1]):
        assert shelf.index.newest(shelf, wanted, most, below) == [one for one in numbers if one < below][:most]


def test_an_answer_comes_behind_its_question(shelf: Shelf) -> None:
    shelf.add(1, "wire fee", outcome="received")
    with transaction(shelf.engine) as connection:
        connection.execute(update(EXCHANGE).values(outcome="answered"))
        shelf.index.put(connection, 1, "wire fee\n\nThe fee is $25")
    assert [shelf.found(words) for words in ('"wire fee"', '"fee is $25"', "wire 25")] == [[1]] * 3
    assert shelf.found("", (token(Facet.OUTCOME, "received"),)) == []
    assert shelf.found("wire", (token(Facet.OUTCOME, "answered"),)) == [1]


def test_other_words_replace_those_that_stood(shelf: Shelf) -> None:
    shelf.add(1, "wire fee")
    for words in ("wire fee abroad", "mortgage"):
        with transaction(shelf.engine) as connection:
            shelf.index.put(connection, 1, words)
    assert [shelf.found(words) for words in ("wire", "abroad", "mortgage")] == [[], [], [1]]


def test_ratings_scores_and_reviews_are_found_after_a_refresh(shelf: Shelf) -> None:
    shelf.add(1, "wire fee")
    review = {"exchange": "exchange-0001", "at": 1, "reason": "r", "rank": 1, "verdict": "right", "reviewer": "r"}
    for rating in (1, 0, None):
        with transaction(shelf.engine) as connection:
            connection.execute(update(EXCHANGE).values(rating=rating, score=70))
            shelf.index.refresh(connection, "exchange-0001")
        assert [value for value in (1, 0) if shelf.found("wire", (f"g={value}",))] == (
            [] if rating is None else [rating]
        )
    with transaction(shelf.engine) as connection:
        connection.execute(insert(REVIEW), review)
        shelf.index.refresh(connection, "exchange-0001")
        shelf.index.refresh(connection, "no such exchange")
    assert shelf.found('"wire fee"', ("v=1",), ("s0=70",)) == [1]
    assert shelf.found("", ("v=0",)) == []


def test_removed_words_are_gone_and_the_row_is_not(shelf: Shelf) -> None:
    shelf.add(1, "wire fee")
    shelf.add(2, "wire fee")
    with transaction(shelf.engine) as connection:
        shelf.index.put(connection, 1, "wire fee of old")
        for _ in range(2):
            shelf.index.remove(connection, 1)
        shelf.index.remove(connection, 99)
    assert shelf.found("wire") == [2]
    assert shelf.found("old") == []
    assert shelf.found("", (token(Facet.CUSTOMER, "C-1"),)) == [2, 1]


def test_the_index_can_be_made_anew(shelf: Shelf) -> None:
    shelf.add(1, "wire")
    with transaction(shelf.engine) as connection:
        shelf.index.clear(connection)
    assert shelf.found("", (token(Facet.CUSTOMER, "C-1"),)) == []
    with transaction(shelf.engine) as connection:
        shelf.index.put(connection, 1, "fee")
    assert (shelf.found("wire"), shelf.found("fee")) == ([], [1])


def test_a_long_text_is_kept_as_far_as_it_goes(shelf: Shelf) -> None:
    shelf.add(1, " ".join(f"w{number}" for number in range(LONGEST + 10)))
    assert (shelf.found(f"w{LONGEST - 1}"), shelf.found(f"w{LONGEST + 1}")) == ([1], [])
    with transaction(shelf.engine) as connection:
        shelf.index.remove(connection, 1)
    assert shelf.found("w1") == []


def test_another_secret_finds_nothing(shelf: Shelf) -> None:
    shelf.add(1, "wire")
    other = TextIndex(shelf.engine.dialect.name, SECRET[::-1])
    assert other.newest(shelf, Wanted(other.phrases("wire")), 5) == []
    with pytest.raises(ValueError, match="16 bytes"):
        TextIndex("sqlite", b"short")


_RELATIONS = (
    "SELECT pg_relation_filepath(c.oid) FROM pg_class c LEFT JOIN pg_class t ON t.reltoastrelid = c.oid "
    "WHERE current_schema()::regnamespace IN (c.relnamespace, t.relnamespace) AND c.relkind IN ('r', 'i', 't') "
    "OR c.relname = 'pg_statistic'"
)


def _files(shelf: Shelf, tmp_path: Path) -> list[bytes]:
    if shelf.engine.dialect.name == "sqlite":
        files = [tmp_path / f"record.db{end}" for end in ("", "-wal")]
    else:
        with shelf.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
            where = connection.exec_driver_sql("SHOW data_directory").scalar_one()
            files = [Path(where, name) for name in connection.exec_driver_sql(_RELATIONS).scalars()]
    return [file.read_bytes() for file in files if file.exists()]


def _looks_for(shelf: Shelf, tmp_path: Path, tokens: set[str]) -> set[str]:
    """Which tokens stand in a file. FTS5 leaves out what one shares with the one before: three characters at most."""
    shared = 3 if shelf.engine.dialect.name == "sqlite" else 0
    ends = re.compile(rb"(?=([a-z2-7]{%d}))" % (8 - shared))
    found = {end for data in _files(shelf, tmp_path) for end in ends.findall(data)}
    return {token for token in tokens if token[shared:].encode() in found}


def test_no_file_holds_a_removed_word_or_its_token(shelf: Shelf, tmp_path: Path) -> None:
    theirs = [f"quetzal{number}" for number in range(300)]
    for number in range(60):
        question, answer = (f"common {' '.join(theirs[first : first + 3])}" for first in (5 * number, 5 * number + 2))
        shelf.add(2 * number + 1, question, key="gone")
        shelf.add(2 * number + 2, f"common others{number}")
        with transaction(shelf.engine) as connection:
            shelf.index.put(connection, 2 * number + 1, f"{question}\n{answer}")
    tokens = shelf.tokens(" ".join(theirs))
    assert _looks_for(shelf, tmp_path, tokens) == tokens
    for number in range(60):
        with transaction(shelf.engine) as connection:
            connection.execute(update(EXCHANGE).where(EXCHANGE.c.key == "gone").values(sealed=b""))
            shelf.index.remove(connection, 2 * number + 1)
    assert shelf.index.purge(shelf.engine)
    if shelf.engine.dialect.name == "postgresql":  # bytes that vacuuming leaves in a page
        with shelf.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM FULL exchange_search")
    assert len(_looks_for(shelf, tmp_path, tokens)) <= 1  # five characters may meet by chance
    assert _looks_for(shelf, tmp_path, shelf.tokens("common others7")) == shelf.tokens("common others7")
    assert shelf.found("common") == list(range(120, 0, -2))


def test_no_word_stands_in_the_clear(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(1, "", "")
    with transaction(shelf.engine) as connection:
        shelf.index.put(connection, 1, "quetzalcoatlus")
    assert shelf.found("Quetzalcoatlus") == [1]
    assert not [part for part in _files(shelf, tmp_path) if b"quetzal" in part]
