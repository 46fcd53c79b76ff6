"""Proving the record: one function, one rule, one event. Chat and terminal come through here."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from opsplane.access import Actor, Role
from opsplane.control import STAFF, recorded, refusals
from opsplane.events import RecordExported, RecordVerified, SigningKeyAdded
from opsplane.ledger import asof, audit, export, proofs
from opsplane.ledger import rebuild as rebuilding
from opsplane.ledger.asof import AsOf
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.export import Exported, Progress, Purpose, Selection
from opsplane.ledger.proofs import Consistency, Proof
from opsplane.ledger.store import Ledger
from opsplane.ledger.verify import Verification

T = TypeVar("T")
READERS = (*STAFF, Role.REVIEWER)
"""Who may see proofs; they hold no words of customers."""


async def signing_keys(ledger: Ledger, *, actor: Actor) -> list[str]:
    """The verifier keys that sign the record's checkpoints, oldest first."""
    async with recorded(ledger, "keys show", "", actor):
        actor.must_be(*READERS)
        entries = await asyncio.to_thread(ledger.events, ["signing_key_added"])
    return [entry.event.key for entry in entries if isinstance(entry.event, SigningKeyAdded)]


async def rotate_keys(ledger: Ledger, rotate: Callable[[], None], why: str, *, actor: Actor) -> None:
    """Replace the installation's keys by `rotate`; the new signing key is introduced when the record is next opened."""
    async with recorded(ledger, "keys rotate", "", actor, why):
        actor.must_be(*STAFF)
        await asyncio.to_thread(rotate)


async def rebuild(ledger: Ledger, share: float, why: str, progress: Progress, *, actor: Actor) -> int:
    """Make the read models anew, with `share` of the exchanges for reviewers; how many entries were read."""
    async with recorded(ledger, "rebuild", "", actor, why) as tally:
        actor.must_be(*STAFF)
        tally.rows = await _long(lambda step: rebuilding.rebuild(ledger, share, step), progress)
    return tally.rows


async def as_of(ledger: Ledger, at: datetime, why: str, *, actor: Actor) -> AsOf:
    """What held at a time of the past."""
    async with recorded(ledger, "as-of", at.isoformat(), actor, why):
        actor.must_be(*READERS)
        return await asyncio.to_thread(asof.as_of, ledger, at)


async def verified(ledger: Ledger, found: Verification, *, actor: Actor) -> None:
    """Put on the record that it was verified, and what came of it."""
    async with refusals(ledger, "verify", found.mode.value, actor):
        actor.must_be(*READERS)
        event = RecordVerified(
            mode=found.mode.value,
            size=found.size,
            root=found.root,
            checkpoints=found.checkpoints,
            violations=len(found.violations),
        )
        await ledger.append(event, actor)


async def prove(ledger: Ledger, notary: Notary, identity: str, *, actor: Actor) -> Proof:
    """Prove an exchange's entries; the id may be shortened to the beginning that only it has."""
    async with recorded(ledger, "prove", identity, actor) as tally:
        actor.must_be(*READERS)
        whole = await asyncio.to_thread(audit.complete_id, ledger, identity)
        proof = await asyncio.to_thread(proofs.prove, ledger, notary, whole)
        tally.rows = len(proof.entries)
    return proof


async def prove_consistency(ledger: Ledger, notary: Notary, old: str, new: str, *, actor: Actor) -> Consistency:
    """Prove that nothing was rewritten between two checkpoints."""
    async with recorded(ledger, "prove-consistency", f"{_named(old)} {_named(new)}".strip(), actor):
        actor.must_be(*READERS)
        return await asyncio.to_thread(proofs.prove_consistency, ledger, notary, old, new)


async def take_copy(
    ledger: Ledger, notary: Notary, target: Path, selection: Selection, purpose: Purpose, progress: Progress
) -> Exported:
    """Export to a folder or zip file. Without an entry that tells of it there is no copy."""
    done: list[Exported] = []

    def write(step: Progress) -> None:
        done.append(export.export(ledger, notary, target, selection, purpose, step))

    async with refusals(ledger, "export", "", purpose.actor):
        purpose.actor.must_be(Role.REVIEWER)
        try:
            await _long(write, progress)
            await ledger.append(_exported(done[0], selection), purpose.actor)
        except BaseException:
            if done:
                _remove(target)
            raise
    return done[0]


async def take_bundle(ledger: Ledger, notary: Notary, selection: Selection, purpose: Purpose) -> tuple[bytes, Exported]:
    """The same as the bytes of a zip file, for the chat."""
    async with refusals(ledger, "export", "", purpose.actor):
        purpose.actor.must_be(Role.REVIEWER)
        content, done = await asyncio.to_thread(export.bundle, ledger, notary, selection, purpose, lambda *_: None)
        await ledger.append(_exported(done, selection), purpose.actor)
    return content, done


async def _long(work: Callable[[Progress], T], progress: Progress) -> T:
    """Do long work beside the event loop; when the caller is cancelled (Ctrl-C), it ends at its next step."""
    stopped = threading.Event()

    def step(what: str, done: int, total: int) -> None:
        if stopped.is_set():
            raise asyncio.CancelledError
        progress(what, done, total)

    task = asyncio.ensure_future(asyncio.to_thread(work, step))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: nobody else will
        raise


def _exported(done: Exported, selection: Selection) -> RecordExported:
    return RecordExported(
        scope=str(selection),
        complete=done.complete,
        entries=done.entries,
        exchanges=done.exchanges,
        size=done.size,
        manifest=done.manifest,
    )


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _named(checkpoint: str) -> str:
    """A size as it is; of a checkpoint's text the second line, its size."""
    lines = checkpoint.splitlines()
    return lines[1][:20] if len(lines) > 1 else checkpoint[:20]
