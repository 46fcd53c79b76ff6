"""An exchange is proven under a signed root; what was rewritten is not."""

import json
from pathlib import Path

import pytest

from opsplane.errors import InvalidRequest, NotFound
from opsplane.ledger import checkpoint, proofs
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.ledger.verifier import check_note, verify_inclusion
from tests.opsplane.ledger.records import fill, sealed, tamper


@pytest.fixture
def kept(ledger: Ledger, notary: Notary) -> Ledger:
    """Eight turns under two checkpoints."""
    sealed(ledger, notary)
    return ledger


def test_every_entry_of_an_exchange_leads_to_the_signed_root(kept: Ledger, notary: Notary) -> None:
    proof = proofs.prove(kept, notary, "exchange-0001")
    assert proof.valid
    assert [(one.seq, one.kind) for one in proof.entries] == [
        (7, "question_received"),
        (8, "question_answered"),
        (21, "feedback_given"),
    ]
    signed = check_note(proof.note, proofs.keys(kept, notary))
    for one in proof.entries:
        assert verify_inclusion(one.hash, one.seq - 1, signed.size, one.path, signed.root)


def test_a_proof_as_json_holds_all_that_is_needed(kept: Ledger, notary: Notary) -> None:
    told = json.loads(json.dumps(proofs.prove(kept, notary, "exchange-0001").as_json()))
    entry = told["entries"][0]
    path = [bytes.fromhex(step) for step in entry["path"]]
    root = bytes.fromhex(entry["root"])
    assert verify_inclusion(bytes.fromhex(entry["hash"]), entry["index"], entry["size"], path, root)
    assert told["valid"] is True


def test_a_checkpoint_is_made_where_none_reaches_the_exchange(ledger: Ledger, notary: Notary) -> None:
    checkpoint.introduce(ledger, notary)
    fill(ledger, 1)
    assert proofs.prove(ledger, notary, "exchange-0000").valid


def test_a_changed_entry_is_not_proven(kept: Ledger, notary: Notary, record_url: str) -> None:
    tamper(record_url, "UPDATE entry SET payload = :bytes WHERE seq = 8", bytes=b"{}")
    proof = proofs.prove(kept, notary, "exchange-0001")
    assert not proof.valid
    assert [one.fits for one in proof.entries] == [True, False, True]


def test_a_checkpoint_that_nobody_known_signed_proves_nothing(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    notary.anchor.keys_file(kept.id).write_text("")
    proof = proofs.prove(kept, notary, "exchange-0001")
    assert not proof.valid
    assert "no trusted key" in proof.unsigned


def test_an_unknown_exchange_has_no_proof(kept: Ledger, notary: Notary) -> None:
    with pytest.raises(NotFound):
        proofs.prove(kept, notary, "nothing")


def test_an_older_checkpoint_is_the_beginning_of_the_newest(kept: Ledger, notary: Notary) -> None:
    found = proofs.prove_consistency(kept, notary, "21")
    assert found.valid
    assert (found.old.size, found.new.size) == (21, 22)
    assert found.as_json()["valid"] is True


def test_a_checkpoint_that_was_kept_elsewhere_shows_a_rewritten_record(
    kept: Ledger, notary: Notary, record_url: str
) -> None:
    anchored = notary.anchor.checkpoints(kept.id)[0][0].note
    assert proofs.prove_consistency(kept, notary, anchored).valid
    tamper(record_url, "UPDATE entry SET hash = :bytes WHERE seq = 18", bytes=b"x" * 32)
    found = proofs.prove_consistency(kept, notary, anchored)
    assert "rewritten" in found.trouble


def test_a_checkpoint_that_was_kept_elsewhere_shows_a_cut_record(kept: Ledger, notary: Notary, record_url: str) -> None:
    old, new = (one.note for one in notary.anchor.checkpoints(kept.id)[0])
    tamper(record_url, "DELETE FROM entry WHERE seq = 22")
    assert "missing at its end" in proofs.prove_consistency(kept, notary, old, new).trouble


@pytest.mark.parametrize("name", ["20", "99999999999999999999999", "0"])
def test_a_size_without_a_checkpoint_is_told(kept: Ledger, notary: Notary, name: str) -> None:
    with pytest.raises(NotFound, match="the newest are of 22, 21"):
        proofs.prove_consistency(kept, notary, name)


def test_what_is_no_checkpoint_is_told(kept: Ledger, notary: Notary) -> None:
    with pytest.raises(InvalidRequest, match="no checkpoint of this record"):
        proofs.prove_consistency(kept, notary, "nonsense")
    with pytest.raises(InvalidRequest, match="not older"):
        proofs.prove_consistency(kept, notary, "22", "21")
