"""`opsplane documents`, `withdraw`, `reinstate`, `conflicts`: the same as in the chat."""

from typing import Annotated

import typer

from assistant import shell
from assistant.rollout_cli import Reason, Yes, steer
from assistant.shell import As, Data

Named = Annotated[str, typer.Argument(metavar="DOCUMENT", help="id@version, or the id alone: every version.")]
AsOf = Annotated[str, typer.Option(help="In force on this day, YYYY-MM-DD.")]


def documents(
    word: Annotated[str, typer.Argument(metavar="[WORD]", help="Part of a title, id or owner.")] = "",
    as_of: AsOf = "",
    at: Annotated[str, typer.Option(help="Out of what was served on this day, YYYY-MM-DD.")] = "",
    person: As = "operator",
    data: Data = None,
) -> None:
    """Show what is answered from: in force, waiting for its day, ended, withdrawn."""
    dated = [f"{name}={value}" for name, value in (("as-of", as_of), ("at", at)) if value]
    shell.command("documents", [*([word] if word else []), *dated], person, "", data)


def conflicts(as_of: AsOf = "", person: As = "operator", data: Data = None) -> None:
    """Show documents in force that state different figures for the same thing."""
    shell.command("conflicts", [f"as-of={as_of}"] if as_of else [], person, "", data)


def withdraw(
    document: Named, reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None
) -> None:
    """Answer nobody from a document, from the next turn on."""
    steer(["withdraw", document], {"reason": reason}, person, data, yes=yes)


def reinstate(
    document: Named, reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None
) -> None:
    """Ask for a document to be answered from again; a second person decides where the policy says so."""
    steer(["reinstate", document], {"reason": reason}, person, data, yes=yes)
