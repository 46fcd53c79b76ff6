"""`opsplane rollout`, `rollback`, `freeze`, `unfreeze`, `killswitch`: as in the chat, asked back on the terminal."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant import arguments, commands, shell
from assistant.shell import As, Data
from opsplane.errors import InvalidRequest

cli = typer.Typer(help="Put a candidate beside the stable release, step by step.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking back.")]
Early = Annotated[bool, typer.Option("--early", help="Before the plan allows it; a second person may have to agree.")]


@cli.command()
def start(
    releases: Annotated[list[str], typer.Argument(help="The candidate; several in an experiment.")],
    plan: Annotated[str, typer.Option(help="The plan, as `opsplane rollout plans` lists them.")],
    reason: Reason = "",
    yes: Yes = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Begin a rollout; the policy may ask for a second person."""
    steer(["rollout", "start", *releases], {"plan": plan, "reason": reason}, person, data, yes=yes)


@cli.command()
def status(person: As = "operator", data: Data = None) -> None:
    """Show where the rollout in progress stands, and what blocks its next step."""
    shell.command("rollout", ["status"], person, "", data)


@cli.command("list")
def list_(person: As = "operator", data: Data = None) -> None:
    """List every rollout there was."""
    shell.command("rollout", ["list"], person, "", data)


@cli.command()
def plans(
    name: Annotated[str, typer.Argument(metavar="[PLAN]", help="Left out: all of them.")] = "",
    person: As = "operator",
    data: Data = None,
) -> None:
    """Show the plans, or all of one."""
    shell.command("rollout", ["plans", *([name] if name else [])], person, "", data)


@cli.command()
def report(
    rollout: Annotated[str, typer.Argument(metavar="[ID]", help="Left out: the newest.")] = "",
    html: Annotated[bool, typer.Option("--html", help="Print the whole report as one HTML file.")] = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Show a rollout's closing report, made anew from the record."""
    shell.command("rollout", ["report", *([rollout] if rollout else [])], person, "", data, download=html)


@cli.command()
def advance(
    reason: Reason = "", early: Early = False, yes: Yes = False, person: As = "operator", data: Data = None
) -> None:
    """Go to the next step."""
    steer(["rollout", "advance"], {"reason": reason, "early": "yes" if early else ""}, person, data, yes=yes)


@cli.command()
def promote(
    reason: Reason = "", early: Early = False, yes: Yes = False, person: As = "operator", data: Data = None
) -> None:
    """Let the candidate serve everybody."""
    steer(["rollout", "promote"], {"reason": reason, "early": "yes" if early else ""}, person, data, yes=yes)


@cli.command()
def pause(reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None) -> None:
    """Keep the share as it is."""
    steer(["rollout", "pause"], {"reason": reason}, person, data, yes=yes)


@cli.command()
def resume(reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None) -> None:
    """Go on after a pause."""
    steer(["rollout", "resume"], {"reason": reason}, person, data, yes=yes)


@cli.command()
def abort(reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None) -> None:
    """Everybody back on the stable release."""
    steer(["rollout", "abort"], {"reason": reason}, person, data, yes=yes)


@cli.command()
def conclude(reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None) -> None:
    """End a shadow or an experiment with its report."""
    steer(["rollout", "conclude"], {"reason": reason}, person, data, yes=yes)


def rollback(
    release: Annotated[str, typer.Argument(metavar="[RELEASE]", help="Left out: the one before.")] = "",
    reason: Reason = "",
    yes: Yes = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Let a release that served before serve everybody again, from the next turn on."""
    steer(["rollback", *([release] if release else [])], {"reason": reason}, person, data, yes=yes)


def freeze(
    lasts: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 7d; left out: until it is lifted.")] = "",
    reason: Reason = "",
    yes: Yes = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """No rollout starts or goes further."""
    steer(["freeze"], {"for": lasts, "reason": reason}, person, data, yes=yes)


def unfreeze(reason: Reason = "", yes: Yes = False, person: As = "operator", data: Data = None) -> None:
    """Rollouts may start and go on again."""
    steer(["unfreeze"], {"reason": reason}, person, data, yes=yes)


def killswitch(
    wanted: Annotated[str, typer.Argument(metavar="on | off", help="Left out: how it stands.")] = "",
    reason: Reason = "",
    yes: Yes = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Every answer becomes the holding message; to end that takes two people."""
    steer(["killswitch", *([wanted] if wanted else [])], {"reason": reason}, person, data, yes=yes)


def steer(words: Sequence[str], values: Mapping[str, str], who: str, data: Path | None, *, yes: bool) -> None:
    """Say what a command would do, ask back, and do it; raise `InvalidRequest` where nobody can be asked."""
    found = shell.chosen(data)
    actor = shell.person(found, who)
    text = "/" + arguments.written(words, {name: value for name, value in values.items() if value})
    with shell.desk(found, "") as desk:
        shell.show(asyncio.run(commands.run(text, actor, desk)))
        if not desk.intents.waits(actor.id, "", desk.ledger.clock()):
            return
        if not yes and not sys.stdin.isatty():
            raise InvalidRequest("Nothing was done: say --yes where nobody can be asked back.")
        if not yes and not typer.confirm("Go on?", err=True):
            shell.err.print("Nothing was done.")
            raise typer.Exit(shell.VIOLATED)
        panel = asyncio.run(commands.go_on("yes", actor, desk, ""))
        if panel:
            shell.show(panel)
