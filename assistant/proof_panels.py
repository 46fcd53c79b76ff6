"""What verification, proofs and the past look like, as Markdown."""

from dataclasses import asdict
from typing import Any

from assistant.panels import Panel, moment, plain, table
from opsplane.events import ServiceStarted
from opsplane.ledger.asof import AsOf
from opsplane.ledger.export import Exported
from opsplane.ledger.proofs import Consistency, Inclusion, Proof
from opsplane.ledger.verify import Verification
from opsplane.protection import Stage
from opsplane.rollouts.plan import percent


def as_of(held: AsOf) -> Panel:
    """What held at a moment of the past."""
    head = f"### As of {moment(held.at)} UTC"
    if not held.entries:
        return Panel(f"{head}\n\nThe record had not begun.")
    parts = [head, table(("What", "Then"), _facts(held))]
    releases = [(one.id, digest[:12], moment(one.at)) for digest, one in held.state.registered.items()]
    if releases:
        parts += ["**Registered releases**", table(("Id", "Digest", "Registered (UTC)"), releases)]
    holds = [(one.customer, moment(one.since), one.by.id, one.reason) for one in held.protection.holds]
    if holds:
        parts += ["**Holds in force**", table(("Customer", "Since (UTC)", "By", "Why"), holds)]
    people = [(one.name, one.role, one.customer) for one in held.people]
    if people:
        parts += ["**People who could sign in**", table(("Name", "Role", "Customer"), people)]
    counts = [(kind.replace("_", " "), str(number)) for kind, number in held.counts]
    return Panel("\n\n".join([*parts, "**Events so far**", table(("Kind", "Count"), counts)]))


def _facts(held: AsOf) -> list[tuple[str, str]]:
    one = held.checkpoint
    signed = f"{one.size} entries, root {one.root.hex()}, signed {moment(one.at)}" if one else "none yet"
    return [
        ("Entries", f"{held.entries}, the last one {held.last}"),
        ("Exchanges", str(held.exchanges)),
        ("Release in force", _served(held)),
        *_moving(held),
        ("Checkpoint", signed),
        ("Service", _running(held)),
        ("Signing key", held.keys[-1] if held.keys else "none yet"),
        ("Content is kept", f"{held.protection.years_kept} years"),
        (
            "Customers erased",
            str(sum(one.told and one.stage is Stage.DONE for one in held.protection.erasures.values())),
        ),
        ("Sign-ins so far", str(held.signed_in)),
    ]


def _moving(held: AsOf) -> list[tuple[str, str]]:
    """The rollout, the freeze and the kill switch of then."""
    state, facts = held.state, []
    if rollout := state.rollout:
        names = ", ".join(state.short(one) for one in rollout.candidates)
        agreed = f", request {rollout.request}" if rollout.request else ""
        facts.append(
            (
                "Rollout",
                f"{rollout.id} ({rollout.plan.kind.value}, {rollout.status.value}): {names} at "
                f"{percent(rollout.share)}, started {moment(rollout.at)} by {rollout.maker.id}{agreed}",
            )
        )
    if frozen := state.frozen_at(held.at):
        facts.append(("Changes", f"frozen since {moment(frozen.at)} by {frozen.by.id}: {frozen.reason}"))
    if killed := state.killed:
        facts.append(("Kill switch", f"on since {moment(killed.at)} by {killed.by.id}: {killed.reason}"))
    return facts


def _served(held: AsOf) -> str:
    if not held.state.tenures:
        return "none"
    newest = held.state.tenures[-1]
    who = f"{newest.by.id} ({newest.by.role.value})"
    return f"{held.state.short(newest.digest)}, put in force {moment(newest.at)} by {who}: {newest.reason}"


def _running(held: AsOf) -> str:
    if held.service is None or not isinstance(held.service.event, ServiceStarted):
        return "not running"
    event = held.service.event
    settings = ", ".join(f"{name} {value}" for name, value in event.settings.items())
    return f"version {event.version}, started {moment(held.service.at)} ({settings})"


SHOWN = 100
"""At most so many violations and remarks are listed; `--json` holds all."""


def verification(found: Verification) -> Panel:
    """What a verification came to."""
    head = "The record is sound." if found.valid else f"**{len(found.violations)} violations.**"
    trusted = "keys that were given" if found.pinned else "the keys beside the checkpoints"
    facts = [
        ("Ledger", f"opsplane/{found.ledger}"),
        ("Entries", f"{found.size}, of which {found.read} were read ({found.mode.value})"),
        ("Proven", f"up to entry {found.proven} by a signed checkpoint, trusting {trusted}"),
        ("Checkpoints", str(found.checkpoints)),
        ("Root", found.root or "none: the entries do not hang together"),
        ("At", f"{moment(found.at)} UTC"),
    ]
    parts = [f"### Verification\n\n{head}", table(("What", "Found"), facts)]
    for title, listed in (("Violations", found.violations), ("Remarks", found.remarks)):
        if listed:
            rows = [("" if one.row is None else str(one.row), one.code, one.detail) for one in listed[:SHOWN]]
            more = f"\n\nand {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
            parts.append(f"**{title}**\n\n{table(('Entry', 'Code', 'What'), rows)}{more}")
    return Panel("\n\n".join(parts))


def verification_json(found: Verification) -> dict[str, Any]:
    """The same as JSON, with every violation and remark."""
    return asdict(found) | {"valid": found.valid, "at": found.at.isoformat()}


def proof(found: Proof) -> Panel:
    """An exchange's inclusion proof."""
    head = "Proven: every entry stands under the signed root." if found.valid else "**Not proven.**"
    why = f" {plain(found.unsigned)}" if found.unsigned else ""
    rows = [
        (
            str(one.seq),
            moment(one.at),
            one.kind,
            one.hash.hex()[:16],
            str(len(one.path)),
            _holds(one),
        )
        for one in found.entries
    ]
    listed = table(("Entry", "Time (UTC)", "Event", "Hash", "Steps", ""), rows)
    note = "\n".join(f"    {line}" for line in found.note.splitlines())
    return Panel(f"### Proof of {plain(found.exchange)}\n\n{head}{why}\n\n{listed}\n\n**Checkpoint**\n\n{note}")


def _holds(one: Inclusion) -> str:
    if not one.fits:
        return "CHANGED: it does not fit its hash"
    return "proven" if one.included else "NOT under the root"


def consistency(found: Consistency) -> Panel:
    """Whether anything was rewritten between two checkpoints."""
    head = "Consistent: nothing was rewritten." if found.valid else f"**{plain(found.trouble)}**"
    rows = [
        (name, str(one.size), one.time, one.root.hex()) for name, one in (("older", found.old), ("newer", found.new))
    ]
    return Panel(f"### Consistency\n\n{head}\n\n{table(('Checkpoint', 'Entries', 'Signed', 'Root'), rows)}")


def exported(done: Exported) -> Panel:
    """What was copied, and how to check it."""
    what = "the whole ledger" if done.complete else "a selection with proofs"
    counts = f"{done.entries} entries, {done.exchanges} exchanges, under the checkpoint of {done.size} entries"
    return Panel(
        f"### Exported\n\n{plain(what)}: {counts}.\n\nManifest SHA-256: `{done.manifest}`\n\n"
        "To check it: `python verify.py .` in the folder; README.txt tells more."
    )
