"""`opsplane release`: list, read, compare, register, export and import releases."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from assistant import release_commands, release_panels, shell
from assistant.desk import Desk
from assistant.panels import Panel
from assistant.shell import As, Data
from opsplane import control
from opsplane.access import Actor
from opsplane.errors import InvalidRequest

cli = typer.Typer(help="Releases: everything that decides what customers are told.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="ID", help="Id, id@digest, or the beginning of a digest.")]


@cli.command("list")
def list_(person: As = "operator", data: Data = None) -> None:
    """List every registered release."""
    shell.command("releases", [], person, "", data)


@cli.command()
def show(
    name: Annotated[str, typer.Argument(metavar="[ID]", help="Left out: the stable release.")] = "",
    person: As = "operator",
    data: Data = None,
) -> None:
    """Show what a release contains."""
    shell.command("release", [name] if name else [], person, "", data)


@cli.command()
def diff(
    name: Name,
    other: Annotated[str, typer.Argument(metavar="[ID]", help="Left out: ID is compared with the stable one.")] = "",
    person: As = "operator",
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole difference as JSON.")] = False,
) -> None:
    """Show what two releases differ in: texts word by word, rules by id, the rest field by field."""
    shell.command("diff", [name, *([other] if other else [])], person, "", data, download=as_json)


@cli.command()
def register(
    file: Annotated[Path, typer.Argument(help="A release in YAML, or the id of one in the folder of release files.")],
    person: As = "operator",
    data: Data = None,
) -> None:
    """Put a release on the record; it never changes again."""
    if not file.exists() and len(file.parts) == 1:
        shell.command("register", [str(file)], person, "", data)
        return
    text = _content(file).decode("utf-8-sig", errors="replace")
    _run(person, data, lambda actor, desk: release_commands.register_text(text, file.name, actor, desk))


@cli.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Where its very bytes are written; must not be there yet.")],
    person: As = "operator",
    data: Data = None,
) -> None:
    """Write a release's very bytes to a file; their SHA-256 is its digest."""
    found = shell.chosen(data)
    actor = shell.person(found, person)
    with shell.desk(found, "") as desk:
        one = asyncio.run(control.release(desk.plane, desk.ledger, name, actor=actor))
    try:
        with file.open("xb") as out:
            out.write(release_panels.exported(one).content)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be written: {error.strerror or error}") from error
    shell.out.print(f"Wrote {one.id} with the digest {one.digest}.")


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `opsplane release export` wrote.")],
    digest: Annotated[str, typer.Option(help="The digest that it must have, or its beginning.")] = "",
    person: As = "operator",
    data: Data = None,
) -> None:
    """Put an exported release on the record, the very same bytes."""
    content = _content(file)
    _run(
        person,
        data,
        lambda actor, desk: release_commands.register_export(content, file.name, actor, desk, digest=digest),
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror or error}") from error


def _run(person: str, data: Path | None, deed: Callable[[Actor, Desk], Awaitable[Panel]]) -> None:
    found = shell.chosen(data)
    actor = shell.person(found, person)

    async def done(desk: Desk) -> Panel:
        return await deed(actor, desk)

    with shell.desk(found, "") as desk:
        shell.show(asyncio.run(done(desk)))
