"""A million entries: how fast are they verified, is one flipped byte found, and how long does a proof take?

    python -m benchmarks.verify [--rows 1000000] [--url postgresql://…]

The record is filled with whole turns (a question, two sentences, an answer: four entries with about two kilobytes of
JSON and ciphertext) and the read models that belong to them. Verifying in full means everything that
`opsplane audit verify` does: SQLite's own examination of the file, the chain, the tree, its stored nodes, checkpoints
and signatures, the read models and the passages. Then one byte of one entry is flipped. A `--url` must be an empty one.
"""

import argparse
import hashlib
import itertools
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any, TypeVar

from sqlalchemy import insert, select, update

from assistant.panels import table
from opsplane.access import Actor, Role
from opsplane.events import QuestionAnswered, QuestionReceived, SentenceSaid
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome, Route, Tier
from opsplane.ledger import chain, checkpoint, merkle, seal, verifier
from opsplane.ledger.agreement import BOOKED, COLUMNS, booked, told
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.chain import Sealed
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.keys import open_keys
from opsplane.ledger.readonly import entries, open_readonly, snapshot
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import CHECKPOINT, ENTRY, EXCHANGE, SPEND
from opsplane.ledger.vault import Vault
from opsplane.ledger.verifier import verify_inclusion
from opsplane.ledger.verify import Mode, Trust, Verification, verify
from opsplane.spend import Cost, Purpose, Usage

T = TypeVar("T")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
CHECKPOINTS = 10
PROOFS = 2_000
_BATCH = 2_000  # turns
_MARK = "exchange-to-be-numbered"


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url", default="", help="an empty database; a temporary SQLite file where not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.url or f"sqlite:///{folder}/record.db"
        ledger, notary = opened(url, Path(folder))
        fill(ledger, notary, chosen.rows)
        rows = measure(url, notary.anchor)
        ledger.close()
        ledger.vault.close()
    print(table(("Measure", "Result"), rows).replace("\\", ""))


def opened(url: str, folder: Path) -> tuple[Ledger, Notary]:
    """An empty record with keys of its own."""
    keys = open_keys("", folder, BEGUN)
    vault = Vault(connect(f"sqlite:///{folder}/keys.db"), keys.wrappers, lambda: BEGUN)
    ledger = Ledger(connect(url), lambda: BEGUN, vault)
    notary = Notary(keys.signers(f"opsplane/{ledger.id}")[0], Anchor(folder / "anchor"))
    checkpoint.introduce(ledger, notary)
    ledger.settle()
    return ledger, notary


def fill(ledger: Ledger, notary: Notary, rows: int) -> None:
    """Turns as the product writes them, sealed parts out of random bytes, without the keys that would open them."""
    chance, turns = random.Random(7), (rows - 2) // 4
    with ledger.engine.connect() as connection:
        head = chain.head(connection, None)
    for start in range(0, turns, _BATCH):
        batch = [turn(number, chance) for number in range(start, min(start + _BATCH, turns))]
        with transaction(ledger.engine) as connection:
            head = chain.extend(connection, head, [line for lines, _ in batch for line in lines])
            rows_ = [dict(zip(COLUMNS, told(values), strict=True)) for _, values in batch]
            connection.execute(insert(EXCHANGE), [row | {"key": "k", "sealed": b""} for row in rows_])
            bookings = [one for _, values in batch for one in booked(values, seal.micros(BEGUN))]
            connection.execute(insert(SPEND), [dict(zip(BOOKED, one, strict=True)) for one in bookings])
        if start // (turns // CHECKPOINTS + 1) != (start + _BATCH) // (turns // CHECKPOINTS + 1):
            checkpoint.make(ledger, notary)
    checkpoint.make(ledger, notary)


def _exchange(**changes: Any) -> Exchange:
    data: dict[str, Any] = {
        "id": _MARK,
        "conversation": "0d3f0c52-0000-4000-8000-000000000000",
        "customer": "C-1001",
        "actor": CUSTOMER,
        "at": BEGUN,
        "release": "heron-1",
        "digest": "5" * 64,
        "arm": "stable",
        "outcome": Outcome.RECEIVED,
        "question": "What does a domestic wire cost?",
        "standalone": "What does a domestic wire cost?",
    }
    return Exchange.model_validate(data | changes)


_COST = Cost(purpose=Purpose.ANSWER, model="m:flash", usage=Usage(input=900, output=60), micros=412, prices="2026-11")
_RECEIVED = _exchange()
_ENDED = _exchange(
    outcome=Outcome.ANSWERED,
    route=Route(tier=Tier.FLASH, model="m:flash", reason="a short question"),
    usage=_COST.usage,
    costs=(_COST,),
    cost_micros=_COST.micros,
    prices=_COST.prices,
    first_sentence_ms=61,
    total_ms=204,
)
_SAID = Sentence(text="A domestic wire costs $25.", cites=(1,))
_EVENTS = (
    (QuestionReceived(exchange=_RECEIVED), 150),
    (SentenceSaid(exchange=_MARK, number=1, sentence=_SAID), 120),
    (SentenceSaid(exchange=_MARK, number=2, sentence=_SAID), 120),
    (QuestionAnswered(exchange=_ENDED), 2_400),
)
_PARTS = [(event.kind, seal.line(event, CUSTOMER, BEGUN, subject="C-1001").payload, size) for event, size in _EVENTS]
_VALUES = _ENDED.model_dump(mode="json")


def turn(number: int, chance: random.Random) -> tuple[list[Sealed], dict[str, Any]]:
    """The four entries of a turn, and its exchange as the last one tells it."""
    identity = f"{number:08x}-0000-4000-8000-{number:012x}"
    at = seal.micros(BEGUN + timedelta(milliseconds=40 * number))
    lines = []
    for place, (kind, payload, size) in enumerate(_PARTS):
        told_ = payload.replace(_MARK.encode(), identity.encode())
        head = at + place, kind, CUSTOMER.id, CUSTOMER.role.value, identity, "C-1001", "k"
        lines.append(Sealed(*head, told_, chance.randbytes(size)))
    return lines, _VALUES | {"id": identity}


@dataclass(frozen=True)
class Took:
    """What a piece of work took: seconds on the wall, and of this process's processor time."""

    wall: float
    cpu: float

    def rate(self, entries_: int) -> str:
        """Entries in a second of either; where cores are shared, processor time is what compares."""
        return (
            f"{entries_ / self.cpu:,.0f} a second of processor time ({self.cpu:.1f} s; {self.wall:.1f} s on the wall)"
        )


def timed(run: Callable[[], T]) -> tuple[T, Took]:
    """The result, and what it took."""
    wall, cpu = perf_counter(), process_time()
    result = run()
    return result, Took(perf_counter() - wall, process_time() - cpu)


def measure(url: str, anchor: Anchor) -> list[tuple[str, str]]:
    """The table's rows; raise `SystemExit` where something is not found as it should be."""
    sound, full = timed(lambda: _verify(url, anchor, Mode.FULL))
    if sound.violations:
        raise SystemExit(f"the record is not sound: {sound.violations[:3]}")
    again, incremental = timed(lambda: _verify(url, anchor, Mode.INCREMENTAL))
    _, alone = timed(lambda: walk(url, anchor, sound.ledger))
    unit = hashing(url)
    median, worst = prove(url)
    flipped = random.Random(11).randrange(1, sound.size + 1)
    byte = flip(url, flipped)
    found = _verify(url, anchor, Mode.FULL)
    if [(one.code, one.row) for one in found.violations] != [("entry.changed", flipped)]:
        raise SystemExit(f"entry {flipped} was changed, and found was {found.violations[:3]}")
    floor = sound.size * unit
    return [
        ("Entries", f"{sound.size} in {size(url)}"),
        ("Verified: chain, tree, checkpoints, signatures", f"{alone.rate(sound.size)}"),
        ("… and the file, stored nodes, read models, passages", f"{full.rate(sound.size)}"),
        ("Both ÷ hashing the same bytes", f"{alone.cpu / floor:.1f} and {full.cpu / floor:.1f}"),
        ("Incremental, nothing new", f"{incremental.wall * 1000:.0f} ms, {again.read} entries read"),
        (f"Byte {byte} of entry {flipped} flipped", "found, in exactly this entry and nowhere else"),
        ("Inclusion proof made and checked, p50 / p99", f"{median:.2f} / {worst:.2f} ms of processor time"),
    ]


def _verify(url: str, anchor: Anchor, mode: Mode) -> Verification:
    engine = open_readonly(url)
    found = verify(engine, Trust(anchor), BEGUN, mode, lambda *_: None)
    engine.dispose()
    return found


def walk(url: str, anchor: Anchor, ledger: str) -> None:
    """What the verifier does with the rows, read from the database; what is derived from them is not looked at."""
    engine = open_readonly(url)
    notes = [one.note for one in anchor.checkpoints(ledger)[0]]
    with snapshot(engine) as connection:
        rows = itertools.chain.from_iterable(entries(connection, 0, lambda *_: None))
        verifier.verify(rows, notes, notes, anchor.keys(ledger))
    engine.dispose()


def hashing(url: str) -> float:
    """Seconds of processor time to hash one entry's bytes once, of the first few thousand held in memory."""
    engine = open_readonly(url)
    with snapshot(engine) as connection:
        rows = list(itertools.islice(itertools.chain.from_iterable(entries(connection, 2, lambda *_: None)), 8_000))
    engine.dispose()
    bodies = [verifier.body(*row[:10], verifier.START) for row in rows]
    begun = process_time()
    for body in bodies:
        hashlib.sha256(body).digest()
    return (process_time() - begun) / len(bodies)


def prove(url: str) -> tuple[float, float]:
    """Milliseconds, median and 99th percentile, of making the proof of one entry from the database and checking it."""
    engine, chance, times = open_readonly(url), random.Random(3), []
    with snapshot(engine) as connection:
        last = connection.execute(
            select(CHECKPOINT.c.size, CHECKPOINT.c.root).order_by(CHECKPOINT.c.size.desc())
        ).first()
        if last is None:
            raise SystemExit("there is no checkpoint")
        nodes = chain.nodes(connection)
        for _ in range(PROOFS):
            seq = chance.randrange(1, last.size + 1)
            leaf = nodes(0, seq - 1, 1)[0]
            begun = process_time()
            path = merkle.inclusion(nodes, seq - 1, last.size)
            holds = verify_inclusion(leaf, seq - 1, last.size, path, bytes(last.root))
            times.append((process_time() - begun) * 1000)
            if not holds:
                raise SystemExit(f"entry {seq} could not be proven")
    engine.dispose()
    cuts = quantiles(times, n=100)
    return cuts[49], cuts[98]


def flip(url: str, seq: int) -> int:
    """Turn one bit of an entry's ciphertext or payload round, past the guards; which byte it was."""
    engine = connect(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        sealed = bytearray(connection.scalar(select(ENTRY.c.sealed).where(ENTRY.c.seq == seq)) or b"")
        place = random.Random(seq).randrange(len(sealed))
        sealed[place] ^= 1
        connection.execute(update(ENTRY).where(ENTRY.c.seq == seq).values(sealed=bytes(sealed)))
    engine.dispose()
    return place


def size(url: str) -> str:
    """How large the database is."""
    engine = connect(url)
    sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with engine.connect() as connection:
        query = sqlite if engine.dialect.name == "sqlite" else "SELECT pg_database_size(current_database())"
        found = int(connection.exec_driver_sql(query).scalar() or 0)
    engine.dispose()
    return f"{found / 1e9:.2f} GB"


if __name__ == "__main__":
    main()
