"""`opsplane audit`: search the record, prove it, look back, export it, and keep or erase what is on it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from assistant import arguments, audit_commands, bootstrap, proof_panels, rollout_cli, shell
from assistant.settings import Settings
from assistant.shell import As, Data, Filtered, Json, Why
from opsplane import attestation
from opsplane.errors import InvalidRequest, PlaneError
from opsplane.ledger import asof, audit, timestamp
from opsplane.ledger import verify as verifying
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.export import Purpose, Selection
from opsplane.ledger.readonly import open_readonly
from opsplane.ledger.verifier.__main__ import main as offline
from opsplane.ledger.verify import Mode, Trust, Verification


class Searching(Filtered):
    """Words that name no command are filters of a search."""

    otherwise = "search"
    example = "customer=C-1001"


cli = typer.Typer(
    cls=Searching,
    help="Search the record (the default: `opsplane audit customer=C-1001 since=2026-11-01`), prove it, export it, "
    "and keep or erase what is on it.",
)

Who = Annotated[str, typer.Option("--as", help="Sign-in name of the person who acts.")]
Customer = Annotated[str, typer.Argument(help="Customer id.")]
Request = Annotated[str, typer.Argument(metavar="ID", help="The request's id, as `opsplane audit requests` lists it.")]
"""Arguments that several commands share."""


@cli.command()
def search(
    filters: Annotated[
        list[str] | None, typer.Argument(help="customer=… since=… until=… outcome=… release=… rule=… text=… page=…")
    ] = None,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every row that fits as CSV.")] = False,
) -> None:
    """Search the record; that it was read is recorded, with the reason."""
    words = [*(filters or []), *(["csv=all"] if as_csv else [])]
    shell.command("audit", words, person, shell.reason(why), data, download=as_csv)


@cli.command()
def verify(  # noqa: PLR0913 - each option is a parameter
    folder: Annotated[Path | None, typer.Argument(help="An export, verified offline; left out: the record.")] = None,
    keys: Annotated[
        list[str] | None, typer.Option("--key", help="A verifier key that you trust, kept elsewhere; may be repeated.")
    ] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="Of an export: a file of checkpoints. Of the record: their folder.")
    ] = None,
    roots: Annotated[
        Path | None, typer.Option(help="PEM file with the root certificates of the time-stamping authority.")
    ] = None,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="Only what is new since the last full one.")
    ] = False,
    person: As = "reviewer",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Verify the record, or an export: everything that is wrong, with the entry that it concerns."""
    if folder is not None:
        raise typer.Exit(_offline(folder, keys or [], anchor))
    found = shell.chosen(data)
    actor = shell.person(found, person)
    actor.must_be(*attestation.READERS)
    trust = Trust(
        anchor=Anchor(anchor or found.anchor_folder),
        keys=tuple(keys or ()),
        roots=tuple(timestamp.read_roots(roots)) if roots else (),
        every=timedelta(seconds=found.checkpoint_seconds),
    )
    verification = _verified(found, trust, Mode.INCREMENTAL if incremental else Mode.FULL)
    if as_json:
        shell.print_json(proof_panels.verification_json(verification))
    else:
        shell.show(proof_panels.verification(verification))
    try:
        with bootstrap.record(found) as (ledger, _):
            asyncio.run(attestation.verified(ledger, verification, actor=actor))
    except PlaneError as error:
        shell.complain(f"That the record was verified could not be put on it: {error}")
    raise typer.Exit(shell.FINE if verification.valid else shell.VIOLATED)


def _verified(found: Settings, trust: Trust, mode: Mode) -> Verification:
    engine = open_readonly(found.database("record"))
    try:
        with shell.progress() as bar:
            return verifying.verify(engine, trust, bootstrap.now(), mode, bar)
    finally:
        engine.dispose()


def _offline(folder: Path, keys: Sequence[str], anchor: Path | None) -> int:
    """What the verifier says that lies in every export; here it is this installation's own."""
    given = [str(folder), *(part for key in keys for part in ("--key", key))]
    return offline([*given, "--anchor", str(anchor)] if anchor else given)


@cli.command()
def prove(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The exchange's id, or its beginning.")],
    person: As = "reviewer",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Prove that an exchange's entries stand under a signed checkpoint."""
    found = shell.chosen(data)
    actor = shell.person(found, person)
    with bootstrap.record(found) as (ledger, notary):
        proof = asyncio.run(attestation.prove(ledger, notary, identity, actor=actor))
    if as_json:
        shell.print_json(proof.as_json())
    else:
        shell.show(proof_panels.proof(proof))
    raise typer.Exit(shell.FINE if proof.valid else shell.VIOLATED)


@cli.command("prove-consistency")
def prove_consistency(
    old: Annotated[str, typer.Argument(help="How many entries a checkpoint has, or a file with one that you kept.")],
    new: Annotated[str, typer.Argument(help="The same of a later one; left out: the newest.")] = "",
    person: As = "reviewer",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Prove that nothing was rewritten between two checkpoints."""
    found = shell.chosen(data)
    actor = shell.person(found, person)
    named = [_checkpoint(one) for one in (old, new)]
    with bootstrap.record(found) as (ledger, notary):
        proof = asyncio.run(attestation.prove_consistency(ledger, notary, *named, actor=actor))
    if as_json:
        shell.print_json(proof.as_json())
    else:
        shell.show(proof_panels.consistency(proof))
    raise typer.Exit(shell.FINE if proof.valid else shell.VIOLATED)


def _checkpoint(name: str) -> str:
    """A size as it is, of a file what stands in it."""
    if not name or name.isdecimal():
        return name
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{name} is neither a number of entries nor a checkpoint's file: {error}") from error


@cli.command()
def export(  # noqa: PLR0913 - each option is a parameter
    folder: Annotated[Path, typer.Argument(help="The folder to make, or a file that ends with .zip.")],
    filters: Annotated[list[str] | None, typer.Argument(help="As of a search; left out: the whole ledger.")] = None,
    exchanges: Annotated[
        list[str] | None, typer.Option("--exchange", help="The id of an exchange; may be repeated.")
    ] = None,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Copy the record, or a selection with proofs, with everything that is needed to check it elsewhere."""
    found = shell.chosen(data)
    actor, told = shell.person(found, person), shell.reason(why)
    words = arguments.written(filters or [], {})
    query = audit_commands.parse_query(arguments.filters(words, audit_commands.FILTERS)) if filters else None
    with bootstrap.record(found) as (ledger, notary), shell.progress() as bar:
        whole = tuple(audit.complete_id(ledger, one) for one in exchanges or [])
        purpose = Purpose(actor, told)
        done = asyncio.run(attestation.take_copy(ledger, notary, folder, Selection(query, whole), purpose, bar))
    if as_json:
        shell.print_json(asdict(done) | {"path": str(done.path)})
    else:
        shell.show(proof_panels.exported(done))


@cli.command()
def hold(customer: Customer, person: Who = "", why: Why = "", data: Data = None) -> None:
    """Keep everything of a customer from erasure and retention, at once; a second person confirms."""
    shell.command("hold", [customer], person, shell.reason(why), data)


@cli.command("release-hold")
def release_hold(customer: Customer, person: Who = "", why: Why = "", data: Data = None) -> None:
    """Ask for the end of a customer's holds; a second person approves."""
    shell.command("release-hold", [customer], person, shell.reason(why), data)


@cli.command()
def erase(customer: Customer, person: Who = "", why: Why = "", data: Data = None) -> None:
    """Ask for the erasure of everything a customer said and was told; a second person approves."""
    shell.command("erase", [customer], person, shell.reason(why), data)


@cli.command()
def retention(
    years: Annotated[int | None, typer.Argument(help="Ask for so many years; a second person approves.", min=1)] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Destroy what is due now, not in the night.")] = False,
    person: Who = "",
    why: Why = "",
    data: Data = None,
) -> None:
    """Show how long content is kept and what is due; ask for longer, or destroy what is due."""
    if years is not None and apply:
        raise typer.BadParameter("either ask for years or apply what is in force")
    words = [f"years={years}"] if years is not None else ["apply"] if apply else []
    shell.command("retention", words, person, shell.reason(why) if years is not None else "", data)


@cli.command()
def requests(
    request: Annotated[str, typer.Argument(metavar="[ID]", help="One of them; left out: all that wait.")] = "",
    person: Who = "",
    data: Data = None,
) -> None:
    """List what waits for a second person, or show one request and what became of it."""
    shell.command("requests", [request] if request else [], person, "", data)


@cli.command()
def approve(request: Request, yes: rollout_cli.Yes = False, person: Who = "", data: Data = None) -> None:
    """Agree to a request of somebody else; what would change for customers is told first."""
    rollout_cli.steer(["approve", request], {}, person, data, yes=yes)


@cli.command()
def reject(request: Request, person: Who = "", why: Why = "", data: Data = None) -> None:
    """Turn a request of somebody else down, or take one's own back."""
    shell.command("reject", [request], person, shell.reason(why), data)


@cli.command()
def coverage(
    filters: Annotated[list[str] | None, typer.Argument(help="since=… until=…")] = None,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
) -> None:
    """Show what share of the exchanges was reviewed, and by whom."""
    shell.command("coverage", filters or [], person, shell.reason(why), data)


@cli.command()
def corrections(
    filters: Annotated[list[str] | None, typer.Argument(help="since=… until=…")] = None,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="Print every row, with sources, as JSONL.")] = False,
) -> None:
    """Show the answers that reviewers corrected, with what they should have been."""
    shell.command("corrections", filters or [], person, shell.reason(why), data, download=as_jsonl)


@cli.command()
def rebuild(person: Who = "operator", why: Why = "", data: Data = None) -> None:
    """Make what is searched and counted anew from the entries; the service waits meanwhile."""
    found = shell.chosen(data)
    actor, told = shell.person(found, person), shell.reason(why)
    share = found.review_percent / 100
    with bootstrap.record(found) as (ledger, _), shell.progress() as bar:
        read = asyncio.run(attestation.rebuild(ledger, share, told, bar, actor=actor))
    shell.out.print(f"Made anew from {read} entries.")


@cli.command("as-of")
def as_of(
    time: Annotated[str, typer.Argument(help="2026-11-23 (the end of that day, UTC) or 2026-11-23T17:00.")],
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
) -> None:
    """Show what held at a time of the past: releases, holds, people, checkpoint."""
    at = asof.parse(time)
    found = shell.chosen(data)
    actor, told = shell.person(found, person), shell.reason(why)
    with bootstrap.record(found) as (ledger, _):
        held = asyncio.run(attestation.as_of(ledger, at, told, actor=actor))
    shell.show(proof_panels.as_of(held))
