"""Signed checkpoints: at the rhythm, also when nothing happens, inside and outside the database."""

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from opsplane.events import CommandRun, SigningKeyAdded
from opsplane.ledger import checkpoint, keyfile, keys, verifier
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary, Rhythm
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import CHECKPOINT
from tests import fakes


def test_a_checkpoint_states_size_and_root_and_is_signed(ledger: Ledger, notary: Notary) -> None:
    made = checkpoint.make(ledger, notary)
    assert made is not None
    found = verifier.check_note(made.note, [keys.verifier_key(notary.signer)])
    assert (found.origin, found.size, found.root) == (f"opsplane/{ledger.id}", made.size, made.root)
    (row,) = ledger.read(CHECKPOINT.select())
    assert (row.size, bytes(row.root), row.note) == (made.size, made.root, made.note)
    assert notary.anchor.checkpoints(ledger.id)[0][0].note == made.note


def test_nothing_happened_is_worth_a_checkpoint_too(ledger: Ledger, notary: Notary, clock: fakes.Clock) -> None:
    sizes = []
    for _ in range(2):
        made = checkpoint.make(ledger, notary, timedelta(minutes=5))
        sizes.append(made.size if made else None)
        clock.at += timedelta(minutes=5)
    assert sizes[0] == sizes[1]
    assert len(ledger.read(CHECKPOINT.select())) == 2


def test_of_several_processes_one_makes_it(ledger: Ledger, notary: Notary) -> None:
    made = [checkpoint.make(ledger, notary, timedelta(minutes=5)) for _ in range(3)]
    assert [one is not None for one in made] == [True, False, False]


def test_the_rhythm_makes_one_at_the_start_and_one_at_the_end(ledger: Ledger, notary: Notary) -> None:
    rhythm = Rhythm(ledger, notary, timedelta(hours=1))
    ledger.append_now(CommandRun(command="status", arguments=""), fakes.OPERATOR)
    ledger.settle()
    rhythm.close()
    first, last = ledger.read(CHECKPOINT.select().order_by(CHECKPOINT.c.number))
    assert last.size == first.size + 1


def test_without_its_anchor_the_record_goes_on(ledger: Ledger, notary: Notary, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    checkpoint.attempt(ledger, replace(notary, anchor=Anchor(tmp_path / "file")))
    ledger.append_now(CommandRun(command="status", arguments=""), fakes.OPERATOR)
    assert ledger.count(["command_run"]) == 1


def test_a_new_key_is_endorsed_by_the_one_before_it(ledger: Ledger, notary: Notary, tmp_path: Path) -> None:
    checkpoint.introduce(ledger, notary)
    keyfile.rotate_signing(tmp_path / "keys" / "record.key", fakes.NOON)
    signer, *older = keys.open_keys("", tmp_path, fakes.NOON).signers(f"opsplane/{ledger.id}")
    renewed = Notary(signer, notary.anchor, tuple(older))
    for _ in range(2):
        checkpoint.introduce(ledger, renewed)
    first, second = [one.event for one in ledger.events(["signing_key_added"])]
    assert isinstance(first, SigningKeyAdded)
    assert isinstance(second, SigningKeyAdded)
    assert base64.b64decode(second.endorsement) == keys.endorsement(notary.signer, second.key)
    assert notary.anchor.keys(ledger.id) == [first.key, second.key]
