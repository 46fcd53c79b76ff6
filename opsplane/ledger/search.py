"""The index behind `/audit`: words of exchanges, blinded, and their facets, in one inverted index.

*How it stays within the encryption.* Words are sealed under the customer's key; an index of them in the clear would
undo that. So a word becomes a token before it is stored: HMAC-SHA-256 under the installation's secret, cut to 40 bits
(8 characters). The secret is kept with the customers' keys and never in the record's database. Whoever has the database
alone sees which exchanges share some word and how often, not which word; with the secret as well one could try words
from a list, but then one holds the customers' keys too. Two words share a token once in 10**12 pairs: a search may
then find an exchange too many, never one too few.

*How it is forgotten.* Blinded words are still about somebody. `remove` takes an exchange's out of the lists
themselves. On SQLite, FTS5's `secure-delete` rewrites the pages where they stood instead of marking them deleted, and
`PRAGMA secure_delete` (set in `database`) clears pages that are freed; `purge` then empties the write-ahead log. On
PostgreSQL the row is replaced; `purge` vacuums away the old one and makes the GIN index anew, which alone drops tokens
that nobody uses any more. Bytes of a vacuumed row can lie in its page until another is written there or the table is
rewritten (`VACUUM FULL exchange_search`), and the server's own log holds them until it is recycled. Facets stay: they
are the public part of the record.

*What a word is.* NFKC, case folded, English Snowball stem ("fees" finds "fee"). Figures without thousands separators
and closing zeros ("4.10%" finds "4.1%"); one with a sign is two words, plain and signed, so that "25" finds "$25" and
"$25" does not find "25 days". "Phrases in quotes", and what a hyphen or the like joins, are found in that order only.
At most `LONGEST` words of an exchange are kept.

*Where.* SQLite: `exchange_fts`, an FTS5 table without content of its own, and `exchange_search` with the tokens that
stand in it, because taking a row out of FTS5 takes its tokens. PostgreSQL: `exchange_search` with a tsvector under a
GIN index. `exchange_facet` holds the facets that can be given by their beginning. Newest first is by number, the order
in which the record received the questions. FTS5 walks its lists backwards and stops when it has enough. A GIN index
knows no order, so it is asked for a stretch of numbers at a time (`n0` to `n2`), newest first; `exchange_hits` allows
no plan but the index, because the planner takes filters for independent of each other. It knows no places of words
either: so that a phrase of common words need not be looked for in every row that has them all, the first characters of
each two neighbouring tokens are a token too.
"""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, text

from opsplane.errors import InvalidRequest
from opsplane.guardrails.wording import stem
from opsplane.ledger import facets
from opsplane.ledger.database import scrub
from opsplane.ledger.facets import Row

LONGEST = 16_000
"""Words of one exchange that are kept: PostgreSQL counts positions no further and holds no more than 1 MB of them."""

STRETCHES = (11, 14, 17)
"""PostgreSQL is asked for 2**11 numbers at first, and for up to 2**17 at a time where few of them fit."""

_SECRET = 16
_LENGTH = 9  # of a token and a space
_CACHED = 50_000
_TWO = ["".join(two) for two in product("abcdefghijklmnopqrstuvwxyz234567", repeat=2)]
_LAST = 2**63 - 1
_WORD = re.compile(r"([$€£¥]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(%?)(?![^\W_])|[^\W_]+(?:'[^\W_]+)*")
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))

_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS exchange_fts USING fts5"
    "(words, facets, content='', columnsize=0, tokenize=\"ascii tokenchars '=._-%'\")",
    "INSERT INTO exchange_fts(exchange_fts, rank) VALUES ('secure-delete', 1)",
    "CREATE TABLE IF NOT EXISTS exchange_search"
    "(number INTEGER PRIMARY KEY, words TEXT NOT NULL, facets TEXT NOT NULL, puts TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS exchange_facet (token TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
)
_POSTGRESQL = (
    "CREATE TABLE IF NOT EXISTS exchange_search (number BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)",
    "ALTER TABLE exchange_search ALTER COLUMN tokens SET STATISTICS 0",  # they would hold tokens of rows long gone
    "CREATE INDEX IF NOT EXISTS exchange_search_tokens ON exchange_search USING gin (tokens)",
    'CREATE TABLE IF NOT EXISTS exchange_facet (token TEXT COLLATE "C" PRIMARY KEY)',
    "CREATE OR REPLACE FUNCTION exchange_hits(wanted TEXT[], checked TEXT[], most INTEGER) RETURNS SETOF BIGINT "
    "LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off "
    "SET jit = off AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT number FROM exchange_search WHERE ' || "
    "(SELECT string_agg(format('tokens @@ %%L::tsquery', one), ' AND ') FROM unnest(wanted) one) || "
    "(SELECT coalesce(string_agg(format(' AND tokens || '''' @@ %%L::tsquery', one), ''), '') FROM unnest(checked) one)"
    " || ' LIMIT ' || most; END $$",
)
_ROW = (
    "SELECT e.number, e.at, e.customer, e.actor, e.outcome, e.release, e.digest, e.codes, e.tier, e.model, "
    "e.cost_micros, e.rating, e.score, "
    "EXISTS (SELECT 1 FROM review r WHERE r.exchange = e.id AND r.verdict <> '')"
)
_OLD_SQLITE = (
    f"{_ROW}, s.words, s.facets, s.puts FROM exchange e LEFT JOIN exchange_search s ON s.number = e.number "
    "WHERE e.{} = ?"
)
_OLD_POSTGRESQL = f"{_ROW} FROM exchange e WHERE e.{{}} = %s"
# FTS5 counts its rows: each deletion is followed by an insertion, be it of nothing.
_INSERT = "INSERT INTO exchange_fts(rowid, words, facets) VALUES (?, ?, ?)"
_DELETE = "INSERT INTO exchange_fts(exchange_fts, rowid, words, facets) VALUES ('delete', ?, ?, ?)"
_STAND = "INSERT OR REPLACE INTO exchange_search VALUES (?, ?, ?, ?)"
_FACET = "INSERT OR IGNORE INTO exchange_facet VALUES (?)"
_REPLACE = (
    "WITH facet AS (INSERT INTO exchange_facet SELECT unnest(CAST(%s AS text[])) ON CONFLICT DO NOTHING) "
    "INSERT INTO exchange_search VALUES (%s, CAST(%s AS tsvector)) "
    "ON CONFLICT (number) DO UPDATE SET tokens = excluded.tokens"
)
_REFRESH = (
    "WITH facet AS (INSERT INTO exchange_facet SELECT unnest(CAST(%s AS text[])) ON CONFLICT DO NOTHING) "
    "INSERT INTO exchange_search AS s VALUES (%s, CAST(%s AS tsvector)) "
    "ON CONFLICT (number) DO UPDATE SET tokens = excluded.tokens || "
    "ts_delete(s.tokens, ARRAY(SELECT lexeme FROM unnest(s.tokens) WHERE strpos(lexeme, '=') > 0))"
)
_EVERY = text("SELECT number FROM exchange WHERE number < :below ORDER BY number DESC LIMIT :most")
_MATCH = text(
    "SELECT rowid FROM exchange_fts WHERE exchange_fts MATCH :wanted AND rowid < :below ORDER BY rowid DESC LIMIT :most"
)
_HITS = text("SELECT * FROM exchange_hits(CAST(:wanted AS text[]), CAST(:checked AS text[]), :most)")
_BEGIN = text("SELECT token FROM exchange_facet WHERE token >= :first AND token < :after")
_TOP = text("SELECT coalesce(max(number), 0) FROM exchange_search WHERE number < :below")


class Reader(Protocol):
    """What queries are put to: the ledger."""

    def read(self, statement: Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What exchanges must have: every phrase (of blinded words), and of every group of facets at least one.

    A facet that ends in a star stands for all that begin so.
    """

    phrases: tuple[tuple[str, ...], ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()


class TextIndex:
    """Puts exchanges into the index, takes their words out, and finds them. Safe to share between threads."""

    def __init__(self, dialect: str, secret: bytes) -> None:
        if len(secret) < _SECRET:
            raise ValueError(f"the secret of the search index needs at least {_SECRET} bytes")
        self._dialect = dialect
        self._secret = secret
        self._known = lru_cache(_CACHED)(self._chunk)

    def create(self, connection: Connection) -> None:
        """Make the index's tables where they are missing."""
        for statement in _SQLITE if self._dialect == "sqlite" else _POSTGRESQL:
            connection.exec_driver_sql(statement)

    def clear(self, connection: Connection) -> None:
        """Empty the index."""
        if self._dialect == "sqlite":
            connection.exec_driver_sql("INSERT INTO exchange_fts(exchange_fts) VALUES ('delete-all')")
            connection.exec_driver_sql("DELETE FROM exchange_search")
            connection.exec_driver_sql("DELETE FROM exchange_facet")
        else:
            connection.exec_driver_sql("TRUNCATE exchange_search, exchange_facet")

    def put(self, connection: Connection, number: int, words: str) -> None:
        """Index the exchange's row as it stands, with its words, in place of what the index had of it."""
        self._put(connection, "number", number, self.blinded(words))

    def refresh(self, connection: Connection, exchange: str) -> None:
        """Index anew what is public of the row with this id: its rating, score or review has changed."""
        self._put(connection, "id", exchange, None)

    def remove(self, connection: Connection, number: int) -> None:
        """Forget the exchange's words; by what is public it is still found. Fastest in rising order of numbers."""
        self._put(connection, "number", number, "")

    def purge(self, engine: Engine) -> bool:
        """Clear away what removed words left behind outside the lists; False while somebody's reading prevents it.

        PostgreSQL makes the index anew beside the old one, which takes minutes on a large record.
        """
        cleared = scrub(engine, "exchange_search")
        if self._dialect == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("REINDEX INDEX CONCURRENTLY exchange_search_tokens")
        return cleared

    def blinded(self, words: str) -> str:
        """The words of a text as tokens in order, between them at least one space."""
        tokens = " ".join(map(self._known, _folded(words).split()))
        return tokens if len(tokens) < LONGEST * _LENGTH else " ".join(tokens.split()[:LONGEST])

    def phrases(self, words: str) -> tuple[tuple[str, ...], ...]:
        """Words and "phrases in quotes" as a reviewer types them, blinded; raise `InvalidRequest` where there are none.

        A quotation mark that is not closed reaches to the end.
        """
        parts = words.translate(_QUOTES).split('"')
        wanted = parts[1::2] + [one for part in parts[::2] for one in part.split()]
        found = tuple(dict.fromkeys(tuple(self.blinded(one).split()) for one in wanted))
        if not any(found):
            raise InvalidRequest("There is no word or figure in it to search for.")
        return tuple(one for one in found if one)

    def newest(self, reader: Reader, wanted: Wanted, most: int, below: int = _LAST) -> list[int]:
        """Numbers of at most `most` exchanges that fit, newest first, of those whose number is under `below`."""
        groups = tuple(_expanded(reader, group) for group in wanted.groups)
        if not all(groups):
            return []
        if not groups and not wanted.phrases:
            return [row[0] for row in reader.read(_EVERY.bindparams(below=below, most=most))]
        sought = Wanted(wanted.phrases, groups)
        if self._dialect == "sqlite":
            match = _MATCH.bindparams(wanted=fts_query(sought), below=below, most=most)
            return [row[0] for row in reader.read(match)]
        return sorted(_by_stretches(reader, sought, most, below), reverse=True)[:most]

    def _put(self, connection: Connection, key: str, value: int | str, words: str | None) -> None:
        if self._dialect == "sqlite":
            # The driver's own cursor: SQLAlchemy's costs more than FTS5 takes.
            with closing(connection.connection.cursor()) as cursor:
                _put_sqlite(cursor, key, value, words)
        else:
            _put_postgresql(connection, key, value, words)

    def _chunk(self, chunk: str) -> str:
        """The blinded words of what stands between two spaces."""
        found: list[str] = []
        for word in _WORD.finditer(chunk):
            sign, whole, fraction, percent = word.groups()
            if whole is None:
                found.append(self._blind(stem(word[0])))
                continue
            figure = whole.replace(",", "") + (fraction or "").rstrip("0").rstrip(".")
            found.append(self._blind(figure))
            if sign or percent:
                found.append(self._blind(f"{sign}{figure}{percent}"))
        return " ".join(found)

    def _blind(self, word: str) -> str:
        digest = hmac.digest(self._secret, word.encode("utf-8", "surrogatepass"), "sha256")
        bits = int.from_bytes(digest[:5], "big")
        return _TWO[bits >> 30] + _TWO[bits >> 20 & 1023] + _TWO[bits >> 10 & 1023] + _TWO[bits & 1023]


def fts_query(wanted: Wanted) -> str:
    """The query in FTS5's language."""
    phrases = [f'"{" ".join(phrase)}"' for phrase in wanted.phrases]
    groups = [" OR ".join(f'"{one}"' for one in group) for group in wanted.groups]
    return " AND ".join([*phrases, *(f"({group})" for group in groups)])


def tsqueries(wanted: Wanted, stretch: str) -> tuple[list[str], list[str]]:
    """The same as PostgreSQL's tsqueries for one stretch of numbers: those the index answers, and those it cannot.

    What has alternatives is a query of its own: GIN then leaps from one list to the next match of the other. Three
    words or more are so well told by their neighbours that the rows left are looked at instead of the words' lists.
    """
    terms = [stretch, *(group[0] for group in wanted.groups if len(group) == 1)]
    several = [" | ".join(map(_quoted, group)) for group in wanted.groups if len(group) > 1]
    short = [f"({' <-> '.join(phrase)})" for phrase in wanted.phrases if len(phrase) < 3]
    long = [" <-> ".join(phrase) for phrase in wanted.phrases if len(phrase) > 2]
    pairs = dict.fromkeys(pair for phrase in wanted.phrases for pair in _pairs(phrase))
    return [" & ".join([*map(_quoted, terms), *short, *pairs]), *several], long


def _quoted(token: str) -> str:
    return f"'{token}'"


def _expanded(reader: Reader, group: Sequence[str]) -> tuple[str, ...]:
    """The group with every facet that ends in a star replaced by those that begin so."""
    found = [one for one in group if not one.endswith("*")]
    for first in (one[:-1] for one in group if one.endswith("*")):
        found += [row[0] for row in reader.read(_BEGIN.bindparams(first=first, after=first + "~"))]
    return tuple(found)


def _by_stretches(reader: Reader, wanted: Wanted, most: int, below: int) -> set[int]:
    """At least `most` of the newest, or all. Long stretches in which too many fit are left to shorter ones."""
    top = reader.read(_TOP.bindparams(below=below))[0][0]
    found: set[int] = set()
    density = 0.0

    def collect(level: int, place: int) -> None:
        nonlocal density
        numbers, limit = 1 << STRETCHES[level], most + len(found)
        if level == 0 or density * numbers < limit:
            queries, checked = tsqueries(wanted, f"n{level}={place}")
            query = _HITS.bindparams(wanted=queries, checked=checked, most=limit if level else numbers)
            here = [row[0] for row in reader.read(query)]
            density = len(here) / numbers
            if level == 0 or len(here) < limit:
                found.update(number for number in here if number < below)
                return
        last = min(top >> STRETCHES[level - 1], (place << 3) + 7)
        for shorter in range(last, (place << 3) - 1, -1):
            if len(found) < most:
                collect(level - 1, shorter)

    longest = range(top >> STRETCHES[2], -1, -1)
    for level, place in [(0, top >> STRETCHES[0]), (1, top >> STRETCHES[1]), *((2, place) for place in longest)]:
        if len(found) < most:
            collect(level, place)
    return found


def _put_sqlite(cursor: Any, key: str, value: int | str, words: str | None) -> None:
    """Words are only ever added behind those that stand (an answer behind its question), or replaced altogether.

    In the first case FTS5 is given all of them once more, which supersedes what it had and costs a tenth of
    taking it out; `puts` says how much each time (in characters), because every time is to be taken out in the end.
    """
    found = cursor.execute(_OLD_SQLITE.format(key), (value,)).fetchone()
    if found is None:
        return
    row = Row(*found[:-3])
    old, stand, puts = found[-3] or "", (found[-2] or "").split(), (found[-1] or "").split()
    new, tokens = old if words is None else words, facets.of(row)
    if not new.startswith(old):
        _take_out(cursor, row.number, [old[: int(length)] for length in puts])
        old, puts = "", []
    if gone := set(stand).difference(tokens):
        cursor.execute(_DELETE, (row.number, "", " ".join(gone)))
    fresh = [one for one in tokens if one not in stand] if stand else tokens
    if gone or fresh or new != old:
        cursor.execute(_INSERT, (row.number, new if new != old else "", " ".join(fresh)))
    if new != old:
        puts.append(str(len(new)))
    for one in fresh:
        if one[0] in facets.BEGUN:
            cursor.execute(_FACET, (one,))
    cursor.execute(_STAND, (row.number, new, " ".join(tokens), " ".join(puts)))


def _take_out(cursor: Any, number: int, puts: Sequence[str]) -> None:
    for words in puts:
        cursor.execute(_DELETE, (number, words, ""))
        cursor.execute(_INSERT, (number, "", ""))


def _put_postgresql(connection: Connection, key: str, value: int | str, words: str | None) -> None:
    found = connection.exec_driver_sql(_OLD_POSTGRESQL.format(key), (value,)).one_or_none()
    if found is not None:
        row = Row(*found)
        tokens = facets.of(row)
        values = (
            [one for one in tokens if one[0] in facets.BEGUN],
            row.number,
            vector(row.number, (words or "").split(), tokens),
        )
        connection.exec_driver_sql(_REFRESH if words is None else _REPLACE, values)


def vector(number: int, words: Sequence[str], tokens: Sequence[str]) -> str:
    """An exchange as PostgreSQL's tsvector: blinded words in their places, neighbours, facets, stretches of numbers."""
    placed = [f"{word}:{place}" for place, word in enumerate(words, 1)]
    public = [f"'{one}'" for one in (*tokens, *_stretches(number))]
    return " ".join([*placed, *dict.fromkeys(_pairs(words)), *public])


def _stretches(number: int) -> list[str]:
    return [f"n{level}={number >> bits}" for level, bits in enumerate(STRETCHES)]


def _pairs(words: Sequence[str]) -> list[str]:
    return [one[0] + other[:2] for one, other in pairwise(words)]


def _folded(words: str) -> str:
    if words.isascii():
        return words.lower()
    return unicodedata.normalize("NFKC", words).translate(_APOSTROPHES).casefold()
