"""A damaged database is read as far as it can be, and told about in words."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from opsplane.errors import RecordUnavailable
from opsplane.ledger import checkpoint, keys
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.readonly import entries, open_readonly, snapshot
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.records import codes, look, sealed, tamper


@pytest.fixture
def url(tmp_path: Path, clock: fakes.Clock) -> str:
    """A closed SQLite record with two hundred turns."""
    vault = fakes.vault(tmp_path, clock)
    place = f"sqlite:///{tmp_path / 'record.db'}"
    ledger = Ledger(connect(place), clock, vault)
    signer = keys.open_keys("", tmp_path, clock()).signers(f"opsplane/{ledger.id}")[0]
    sealed(ledger, Notary(signer, Anchor(tmp_path / "anchor")), turns=200)
    checkpoint.make(ledger, Notary(signer, Anchor(tmp_path / "anchor")))
    ledger.close()
    vault.close()
    return place


def test_text_that_is_no_utf_8_is_one_changed_entry(url: str, tmp_path: Path) -> None:
    tamper(url, "UPDATE entry SET actor = CAST(x'6d61ff' AS TEXT) WHERE seq = 300")
    found = look(url, tmp_path / "anchor")
    assert [(code, row) for code, row in codes(found) if not code.startswith("database")] == [("entry.malformed", 300)]


def test_entries_that_a_damaged_file_cannot_give_are_named(url: str, tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    content = bytearray(file.read_bytes())
    at = content.index(b'"id":"exchange-0150"')
    page = at // 4096 * 4096
    content[page : page + 4096] = bytes(4096)
    file.write_bytes(bytes(content))
    found = look(url, tmp_path / "anchor")
    told = {code for code, _ in codes(found)}
    assert told & {"entry.unreadable", "entry.missing"}
    assert "database.damaged" in told
    assert found.read > 100


def test_no_damage_to_the_file_gets_past_or_crashes(url: str, tmp_path: Path) -> None:
    file, chance = tmp_path / "record.db", random.Random(5)
    content = file.read_bytes()
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 1, 20))):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        cut = len(damaged) if chance.random() < 0.8 else chance.randrange(len(damaged))
        file.write_bytes(damaged[:cut])
        with suppress(RecordUnavailable):  # told in words: what is left is no record
            assert look(url, tmp_path / "anchor").violations or _same(url, content, tmp_path)


def _same(url: str, content: bytes, folder: Path) -> bool:
    """Whether the damage was where nothing stands: every table reads as it did."""
    (folder / "sound.db").write_bytes(content)
    return _dump(url) == _dump(f"sqlite:///{folder / 'sound.db'}")


def _dump(url: str) -> list[object]:
    engine = open_readonly(url)
    with snapshot(engine) as connection:
        found = [
            connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).all()
            for name in ("entry", "node", "checkpoint", "passage", "spend")
        ]
    engine.dispose()
    return list(found)


def test_a_number_far_away_does_not_make_reading_endless(url: str) -> None:
    tamper(url, "UPDATE entry SET seq = 4611686018427387904 WHERE seq = 300")
    engine = open_readonly(url)
    with snapshot(engine) as connection:
        seqs = [row[0] for chunk in entries(connection, 0, lambda *_: None) for row in chunk]
    engine.dispose()
    assert seqs[-1] == 4611686018427387904
