"""Proofs are for staff, copies for reviewers, and neither leaves without an entry that tells of it."""

import asyncio
import threading
from pathlib import Path

import pytest

from opsplane import attestation
from opsplane.errors import RecordUnavailable, Refused
from opsplane.events import RecordExported, RecordVerified
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.export import Purpose, Selection
from opsplane.ledger.store import Ledger
from opsplane.review import SHARE
from tests import fakes
from tests.opsplane.ledger.records import look, sealed

WHY = Purpose(fakes.REVIEWER, "case 17")
ALL = Selection()


def silent(*_: object) -> None:
    pass


@pytest.fixture
def kept(ledger: Ledger, notary: Notary) -> Ledger:
    """Eight turns under two checkpoints."""
    sealed(ledger, notary)
    return ledger


def kinds(ledger: Ledger) -> list[str]:
    ledger.settle()
    return [entry.event.kind for entry in ledger.events(["record_exported", "record_verified", "command_refused"])]


async def test_a_verification_goes_on_the_record(kept: Ledger, record_url: str, tmp_path: Path) -> None:
    found = look(record_url, tmp_path / "anchor")
    await attestation.verified(kept, found, actor=fakes.OPERATOR)
    (entry,) = kept.events(["record_verified"])
    assert isinstance(entry.event, RecordVerified)
    assert (entry.event.size, entry.event.violations, entry.event.root) == (22, 0, found.root)


async def test_a_copy_goes_on_the_record_with_its_manifest(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    done = await attestation.take_copy(kept, notary, tmp_path / "copy", ALL, WHY, silent)
    (entry,) = kept.events(["record_exported"])
    assert isinstance(entry.event, RecordExported)
    assert (entry.event.manifest, entry.event.complete, entry.actor) == (done.manifest, True, fakes.REVIEWER)


async def test_what_may_not_be_is_refused_and_recorded(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await attestation.take_copy(kept, notary, tmp_path / "copy", ALL, Purpose(fakes.OPERATOR, "curious"), silent)
    with pytest.raises(Refused):
        await attestation.take_bundle(kept, notary, ALL, Purpose(fakes.CUSTOMER, "curious"))
    with pytest.raises(Refused):
        await attestation.prove(kept, notary, "exchange-0001", actor=fakes.CUSTOMER)
    with pytest.raises(Refused):
        await attestation.rebuild(kept, SHARE, "why", silent, actor=fakes.REVIEWER)
    assert kinds(kept) == ["command_refused"] * 4
    assert not (tmp_path / "copy").exists()


async def test_a_copy_that_cannot_be_recorded_is_taken_back(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    def shut(what: str, *_: object) -> None:
        if what == "Putting it in place":
            kept.close()

    with pytest.raises(RecordUnavailable):
        await attestation.take_copy(kept, notary, tmp_path / "out" / "copy", ALL, WHY, shut)
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_copy_that_is_interrupted_leaves_nothing(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def wait(*_: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)

    copying = asyncio.create_task(attestation.take_copy(kept, notary, tmp_path / "out" / "copy", ALL, WHY, wait))
    await begun.wait()
    copying.cancel()
    loop.call_later(0.01, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert list((tmp_path / "out").iterdir()) == []
    assert kinds(kept) == []


async def test_the_chat_gets_the_same_as_one_file(kept: Ledger, notary: Notary) -> None:
    content, done = await attestation.take_bundle(kept, notary, Selection(exchanges=("exchange-0001",)), WHY)
    assert content[:2] == b"PK"
    assert (done.exchanges, kinds(kept)) == (1, ["record_exported"])


async def test_reading_proofs_is_recorded_too(kept: Ledger, notary: Notary) -> None:
    assert (await attestation.prove(kept, notary, "exchange-0001", actor=fakes.APPROVER)).valid
    assert (await attestation.prove_consistency(kept, notary, "21", "", actor=fakes.APPROVER)).valid
    await attestation.as_of(kept, fakes.NOON, "case 17", actor=fakes.REVIEWER)
    assert len(await attestation.signing_keys(kept, actor=fakes.OPERATOR)) == 1
    kept.settle()
    ran = [getattr(entry.event, "command", "") for entry in kept.events(["command_run"])]
    assert ran == ["prove", "prove-consistency", "as-of", "keys show"]
