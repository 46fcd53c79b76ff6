"""`opsplane keys`: the keys that sign the record's checkpoints and that wrap customers' keys."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from assistant import bootstrap, panels, shell
from assistant.panels import Panel
from assistant.settings import Settings
from assistant.shell import As, Data, Json, Why
from opsplane import attestation
from opsplane.errors import InvalidRequest
from opsplane.ledger import keyfile, vault
from opsplane.ledger.database import connect

cli = typer.Typer(help="The keys that sign the record and that wrap customers' keys.", no_args_is_help=True)


@cli.command()
def show(person: As = "operator", data: Data = None, as_json: Json = False) -> None:
    """Show the public half of every signing key, to be kept elsewhere, and which keys wrap."""
    found = shell.chosen(data)
    actor = shell.person(found, person)
    with bootstrap.record(found) as (ledger, _):
        signing = asyncio.run(attestation.signing_keys(ledger, actor=actor))
    engine = connect(found.database("keys"))
    wrapping = sorted(vault.wrappers_of(engine))
    engine.dispose()
    current = bootstrap.installation_keys(found).wrappers[0].id
    if as_json:
        shell.print_json({"signing": signing, "wrapping": {"current": current, "in_use": wrapping}})
        return
    rows = [(key, "current" if key == signing[-1] else "earlier") for key in signing]
    rows_ = [(name, "current" if name == current else "earlier, still in use") for name in {current, *wrapping}]
    text = ["### Keys", "**Signing** (give one to `opsplane audit verify --key`)", panels.table(("Key", ""), rows)]
    shell.show(Panel("\n\n".join([*text, "**Wrapping**", panels.table(("Key", ""), sorted(rows_))])))


@cli.command()
def rotate(
    person: As = "",
    why: Why = "",
    data: Data = None,
    signing: Annotated[bool, typer.Option(help="Make a new signing key, endorsed by the one before it.")] = True,
    wrapping: Annotated[bool, typer.Option(help="Make a new wrapping key and wrap every customer's key anew.")] = True,
) -> None:
    """Replace the current keys. Older ones stay in the key file: they vouch for what was signed, and read backups."""
    found = shell.chosen(data)
    actor, told = shell.person(found, person), shell.reason(why)
    file = _file(found, signing=signing)

    def turn() -> None:
        if file is not None and signing:
            keyfile.rotate_signing(file, bootstrap.now())
        if file is not None and wrapping:
            keyfile.rotate_wrapping(file, bootstrap.now())

    with bootstrap.record(found) as (ledger, _):
        asyncio.run(attestation.rotate_keys(ledger, turn, told, actor=actor))
    with bootstrap.record(found) as (ledger, _), shell.progress() as bar:  # anew: with the new keys
        wrapped = ledger.vault.rewrap(lambda done, total: bar("Wrapping keys", done, total)) if wrapping else 0
    shell.out.print(f"Done; {wrapped} keys were wrapped anew. Keep a copy of the key file, and restart the service.")


def _file(found: Settings, *, signing: bool) -> Path | None:
    """The key file; None where the keys are in Cloud KMS, which rotates them itself."""
    parts = [part.strip() for part in found.keys.split(";") if part.strip()] or [
        str(found.data / "keys" / "record.key")
    ]
    files = [part for part in parts if not part.startswith("kms:") and "/cryptoKeys/" not in part]
    if len(parts) == 1 and files:
        return Path(files[0])
    if signing:
        raise InvalidRequest(
            "Keys of Cloud KMS are rotated there: make a new version, name it first in OPSPLANE_KEYS, and start the "
            "service. Afterwards `opsplane keys rotate --no-signing` wraps every customer's key with the new one."
        )
    return None
