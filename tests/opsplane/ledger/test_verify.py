"""Whatever was done to a record is found, with the row; a sound one is found sound."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from opsplane.errors import InvalidRequest, RecordUnavailable
from opsplane.ledger import checkpoint, verifier
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.readonly import open_readonly, snapshot
from opsplane.ledger.store import Ledger
from opsplane.ledger.timestamp import Authority
from opsplane.ledger.vault import Vault
from opsplane.ledger.verify import Mode
from tests import fakes
from tests.opsplane.ledger.records import codes, fill, look, sealed, tamper
from tests.opsplane.ledger.test_timestamp import OPENSSL, Answer, Tsa, serve

__all__ = ["serve"]  # a fixture of theirs that is used here too


@pytest.fixture
def kept(ledger: Ledger, notary: Notary, record_url: str) -> str:
    """The URL of a record with eight turns and two checkpoints."""
    sealed(ledger, notary)
    return record_url


def test_a_sound_record_is_valid_to_the_last_entry(kept: str, tmp_path: Path) -> None:
    found = look(kept, tmp_path / "anchor")
    assert codes(found) == []
    assert (found.size, found.read, found.proven, found.checkpoints) == (22, 22, 22, 2)


OF_3 = "exchange = 'exchange-0003'"
TAMPERED: list[tuple[str, list[tuple[str, int | None]]]] = [
    ("UPDATE entry SET actor = 'mallory' WHERE seq = 7", [("entry.changed", 7)]),
    ("UPDATE entry SET at = at + 1 WHERE seq = 7", [("entry.changed", 7)]),
    ("UPDATE entry SET sealed = :bytes WHERE seq = 9", [("entry.changed", 9)]),
    ("DELETE FROM entry WHERE seq = 7", [("entry.missing", 7)]),
    ("UPDATE passage SET text = 'Fee 3 is $5.' WHERE text LIKE 'Fee 3%'", [("passage.changed", None)]),
    ("UPDATE node SET hash = :bytes", [("node.differs", 1)]),
    ("DELETE FROM node", [("node.missing", 1)]),
    ("INSERT INTO node VALUES (4, 1, :bytes)", [("node.extra", 17)]),
    ("INSERT INTO node VALUES (5, 0, :bytes)", [("node.extra", None)]),
    ("UPDATE checkpoint SET size = 3 WHERE number = 1", [("checkpoint.differs", 3)]),
    ("DELETE FROM checkpoint WHERE number = 2", [("checkpoint.missing", 22)]),
    ("UPDATE exchange SET cost_micros = 1 WHERE id = 'exchange-0003'", [("exchange.differs", 12)]),
    ("UPDATE exchange SET release = 'x' WHERE id = 'exchange-0003'", [("exchange.differs", 12)]),
    ("UPDATE exchange SET rating = 0 WHERE id = 'exchange-0001'", [("exchange.differs", None)]),
    ("UPDATE exchange SET score = 99 WHERE id = 'exchange-0001'", [("exchange.differs", None)]),
    ("DELETE FROM exchange WHERE id = 'exchange-0003'", [("exchange.missing", 12)]),
    ("UPDATE exchange SET id = 'x' WHERE number = 4", [("exchange.missing", 12), ("exchange.extra", None)]),
    (f"UPDATE spend SET cost_micros = 56 WHERE {OF_3}", [("spend.missing", 12), ("spend.extra", None)]),
    (f"DELETE FROM spend WHERE {OF_3}", [("spend.missing", 12)]),
]


@pytest.mark.parametrize(("statement", "expected"), TAMPERED)
def test_what_somebody_changed_is_found_and_located(
    kept: str, tmp_path: Path, statement: str, expected: list[tuple[str, int | None]]
) -> None:
    tamper(kept, statement, **({"bytes": b"x" * 32} if ":bytes" in statement else {}))
    assert codes(look(kept, tmp_path / "anchor")) == expected


def test_entries_cut_off_at_the_end_are_missed_by_the_checkpoints_elsewhere(kept: str, tmp_path: Path) -> None:
    tamper(kept, "DELETE FROM entry WHERE seq > 20", "DELETE FROM checkpoint WHERE size > 20")
    found = look(kept, tmp_path / "anchor")
    assert ("ledger.truncated", 21) in codes(found)


def test_a_database_of_another_ledger_is_not_taken_for_this_one(
    kept: str, tmp_path: Path, clock: fakes.Clock, vault: Vault
) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    Ledger(connect(other), clock, vault).close()
    assert codes(look(other, tmp_path / "anchor")) == [("ledger.foreign", None)]


def test_without_checkpoints_elsewhere_nothing_counts_as_proven(kept: str, tmp_path: Path) -> None:
    found = look(kept, tmp_path / "nowhere")
    assert codes(found) == [("anchor.missing", None)]
    assert "would go unnoticed" in found.violations[0].detail


def test_a_lost_file_of_keys_is_told_and_the_ledger_vouches_for_itself(kept: str, tmp_path: Path) -> None:
    for file in (tmp_path / "anchor").glob("*.keys"):
        file.unlink()
    found = look(kept, tmp_path / "anchor")
    assert found.valid
    assert "key.unpinned" in [one.code for one in found.remarks]


def test_a_key_that_was_kept_elsewhere_must_have_signed(kept: str, tmp_path: Path, ledger: Ledger) -> None:
    (key,) = Anchor(tmp_path / "anchor").keys(ledger.id)
    assert look(kept, tmp_path / "anchor", keys=(key,)).pinned
    stranger = verifier.format_key(f"opsplane/{ledger.id}", b"s" * 32)
    found = look(kept, tmp_path / "anchor", keys=(stranger,))
    assert {"key.unendorsed", "checkpoint.unknown_key"} <= {code for code, _ in codes(found)}
    with pytest.raises(InvalidRequest, match="not a verifier key"):
        look(kept, tmp_path / "anchor", keys=("nonsense",))


def test_verifying_writes_nothing_to_the_record(kept: str, tmp_path: Path) -> None:
    engine = open_readonly(kept)
    with snapshot(engine) as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.exec_driver_sql("DELETE FROM exchange")
    engine.dispose()
    if kept.startswith("sqlite"):
        before = (tmp_path / "record.db").read_bytes()
        look(kept, tmp_path / "anchor")
        assert (tmp_path / "record.db").read_bytes() == before


def test_what_is_new_is_verified_from_the_last_checkpoint_on(
    kept: str, tmp_path: Path, ledger: Ledger, notary: Notary
) -> None:
    first = look(kept, tmp_path / "anchor", Mode.INCREMENTAL)
    assert (first.mode, first.read) == (Mode.FULL, 22)
    fill(ledger, 0)
    checkpoint.make(ledger, notary)
    found = look(kept, tmp_path / "anchor", Mode.INCREMENTAL)
    assert codes(found) == []
    assert (found.mode, found.read, found.size, found.proven) == (Mode.INCREMENTAL, 3, 25, 25)


def test_a_change_among_what_is_new_is_found(kept: str, tmp_path: Path, ledger: Ledger) -> None:
    look(kept, tmp_path / "anchor")
    fill(ledger, 0)
    tamper(kept, "UPDATE entry SET role = 'service' WHERE seq = 24")
    assert codes(look(kept, tmp_path / "anchor", Mode.INCREMENTAL)) == [("entry.changed", 24)]


def test_where_what_was_verified_changed_everything_is_verified_again(kept: str, tmp_path: Path) -> None:
    look(kept, tmp_path / "anchor")
    tamper(kept, "UPDATE node SET hash = :bytes", bytes=b"x" * 32)
    found = look(kept, tmp_path / "anchor", Mode.INCREMENTAL)
    assert (found.mode, codes(found)) == (Mode.FULL, [("node.differs", 1)])


def test_a_record_with_violations_is_no_place_to_go_on_from(kept: str, tmp_path: Path) -> None:
    tamper(kept, "UPDATE entry SET role = 'service' WHERE seq = 9")
    look(kept, tmp_path / "anchor")
    assert not list((tmp_path / "anchor").glob("*.verified"))


def test_entries_that_waited_long_for_a_checkpoint_are_remarked(
    kept: str, tmp_path: Path, ledger: Ledger, clock: fakes.Clock
) -> None:
    every = timedelta(minutes=5)
    clock.at -= timedelta(hours=1)  # the clock of the record; it is verified at noon
    fill(ledger, 0)
    found = look(kept, tmp_path / "anchor", every=every)
    assert [one.code for one in found.remarks].count("checkpoint.gap") == 0
    tamper(kept, f"UPDATE checkpoint SET at = at - {3 * 3_600_000_000}")
    late = look(kept, tmp_path / "anchor", every=every)
    assert [one.code for one in late.remarks].count("checkpoint.gap") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "holds no record"), (b"this is no database" * 99, "not a database"), (None, "There is no record")],
)
def test_what_is_no_record_is_told_in_words(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "record.db").write_bytes(content)
    with pytest.raises(RecordUnavailable, match=words):
        look(f"sqlite:///{tmp_path / 'record.db'}", tmp_path / "anchor")


def test_a_foreign_database_and_other_schemas_are_told_in_words(kept: str, tmp_path: Path) -> None:
    for version, words in (("0001", "earlier schema"), ("9999", "newer version")):
        tamper(kept, f"UPDATE alembic_version SET version_num = '{version}'")
        with pytest.raises(RecordUnavailable, match=words):
            look(kept, tmp_path / "anchor")
    tamper(kept, "DROP TABLE alembic_version")
    with pytest.raises(RecordUnavailable, match="not a record of this product"):
        look(kept, tmp_path / "anchor")


@pytest.mark.skipif(OPENSSL is None, reason="no openssl program here: time stamps are NOT TESTED by verification")
def test_time_stamps_of_checkpoints_are_checked_against_their_authority(
    ledger: Ledger, notary: Notary, clock: fakes.Clock, record_url: str, tmp_path: Path, serve: Callable[[Answer], str]
) -> None:
    tsa = Tsa(tmp_path)
    stamping = replace(notary, authority=Authority(serve(tsa.answer)))
    checkpoint.introduce(ledger, stamping)
    clock.at = datetime.now(UTC)
    checkpoint.make(ledger, stamping)
    assert [one.code for one in look(record_url, tmp_path / "anchor").remarks] == ["timestamp.unchecked"]
    assert codes(look(record_url, tmp_path / "anchor", roots=(tsa.root,))) == []
    clock.at += timedelta(hours=1)  # a checkpoint that says it is of another time than it was stamped at
    checkpoint.make(ledger, stamping)
    assert codes(look(record_url, tmp_path / "anchor", roots=(tsa.root,))) == [("timestamp.differs", 2)]
    (tmp_path / "stranger").mkdir()
    stranger = Tsa(tmp_path / "stranger").root
    found = look(record_url, tmp_path / "anchor", roots=(stranger,))
    assert codes(found) == [("timestamp.invalid", 2), ("timestamp.invalid", 2)]
