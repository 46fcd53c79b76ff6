"""What every terminal command stands on: shared options, the consoles, and the opened product or record."""

import asyncio
import difflib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from typer.core import TyperGroup

from assistant import arguments, bootstrap, charts, commands, evaluations, logs, questions, reasons, settings
from assistant.desk import Desk
from assistant.panels import Panel
from assistant.settings import Settings
from assistant.signin import demo_person
from assistant.terminal import Bar
from opsplane.access import Actor
from opsplane.errors import InvalidRequest, NotFound

FINE, VIOLATED, COULD_NOT = 0, 1, 2
"""Exit codes: all is well, something does not hold, it could not be done."""

Data = Annotated[Path | None, typer.Option("--data", help="Folder of everything that is written. [OPSPLANE_DATA]")]
As = Annotated[str, typer.Option("--as", help="Sign-in name of the person who acts.")]
Why = Annotated[str, typer.Option("--reason", help="Why; asked for where it is left out on a terminal.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

out = Console()
err = Console(stderr=True)


class Filtered(TyperGroup):
    """A group in which words that name no command are filters of the command `otherwise`."""

    otherwise = ""
    example = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command before its filters; a word that is neither gets a hint."""
        first = args[0] if args else ""
        if first not in self.commands and first != "--help":
            if first and not first.startswith("-") and "=" not in first:
                near = difflib.get_close_matches(first, self.commands, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                ctx.fail(f"{first!r} is neither a command nor a filter like {self.example}.{hint}")
            args = [self.otherwise, *args]
        return super().parse_args(ctx, args)


def chosen(data: Path | None, config: Path | None = None, **overrides: object) -> Settings:
    """The settings of this run, and logging as they say."""
    found = settings.from_environment(os.environ, config, data=data, **overrides)
    logs.set_up(found.log_level, found.log_format, found.google_project)
    return found


@contextmanager
def opened(found: Settings, today: str = "", *, refresh: bool = False) -> Iterator[bootstrap.App]:
    """The whole product, with a bar while it opens; `today` stands its clock still at noon of a day."""
    clock = questions.clock_on(today, found.zone) if today else bootstrap.now
    with progress() as bar, bootstrap.build(found, bar, clock, refresh=refresh) as app:
        bar.close()
        yield evaluations.equipped(app)


@contextmanager
def desk(found: Settings, why: str) -> Iterator[Desk]:
    """What slash commands work on, without documents and models; `why` is the reason that counts for them."""
    laid_down = bootstrap.laid_down_in(found)
    with bootstrap.record(found) as (ledger, notary), closing(bootstrap.people(found)) as people:
        yield replace(bootstrap.desk_of(found, ledger, notary, people, laid_down), why=why)


@contextmanager
def progress() -> Iterator[Bar]:
    """A bar that is off the screen afterwards, however it ends."""
    bar = Bar(err)
    try:
        yield bar
    finally:
        bar.close()


def person(found: Settings, name: str) -> Actor:
    """Somebody by sign-in name; the demo people are known at the terminal even where they may not sign in."""
    if not name:
        raise InvalidRequest("Who does this? Give a sign-in name with --as.")
    with closing(bootstrap.people(found)) as people:
        known = people.get(name) or demo_person(name)
    if known is None:
        raise NotFound(f"Nobody is called {name!r}. `opsplane people list` shows who is known.")
    return known.actor


def reason(given: str) -> str:
    """The reason given, or asked for on a terminal; raise `InvalidRequest` where there is none."""
    if not given and sys.stdin.isatty():
        given = str(typer.prompt("Why (a case number will do)", err=True))
    if not reasons.is_reason(given):
        raise InvalidRequest(f"Say why with --reason, in at least {reasons.SHORTEST} letters: it goes on the record.")
    return given


def command(name: str, words: Sequence[str], who: str, why: str, data: Path | None, *, download: bool = False) -> None:
    """Run a slash command on the record alone and print what it shows, or the file that goes with it."""
    found = chosen(data)
    actor = person(found, who)
    text = f"/{name} {arguments.written(words, {})}".strip()
    with desk(found, why) as opened_desk:
        panel = asyncio.run(commands.run(text, actor, opened_desk))
    show(panel, download=download)


def show(panel: Panel, *, download: bool = False) -> None:
    """Print a panel with its chart, or the file that goes with it."""
    if download and panel.download:
        sys.stdout.buffer.write(panel.download.content)
        return
    out.print(Markdown(panel.text))
    if panel.figure:
        out.print(charts.in_text(panel.figure), markup=False, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def complain(words: str) -> None:
    """One line on standard error."""
    err.print(f"opsplane: {words}", style="red", markup=False, highlight=False)
