"""The same parts from a terminal: opsplane serve | ask | ingest | evaluate | audit | exchange | cost …"""

import asyncio
import json
import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from assistant import (
    audit_cli,
    bench_cli,
    bootstrap,
    cost_cli,
    dataset_cli,
    doctor_cli,
    document_cli,
    embed_cli,
    evaluate_cli,
    export_cli,
    guardrail_cli,
    index_cli,
    ingest_cli,
    job_cli,
    jobs,
    keys_cli,
    questions,
    release_cli,
    rollout_cli,
    routing_cli,
    shell,
)
from assistant.shell import As, Data, Why, err, out
from assistant.terminal import TerminalScreen
from opsplane.access import SERVICE, Role
from opsplane.errors import PlaneError
from opsplane.events import PersonAdded, PersonDisabled

log = logging.getLogger(__name__)

cli = typer.Typer(
    name="opsplane",
    help="A bank's chat assistant with the control plane that makes it safe to run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
people_cli = typer.Typer(help="The people who may sign in.", no_args_is_help=True)
cli.add_typer(audit_cli.cli, name="audit")
cli.add_typer(bench_cli.bench, name="bench")
cli.add_typer(bench_cli.tune, name="tune")
cli.add_typer(cost_cli.cli, name="cost")
cli.add_typer(dataset_cli.cli, name="dataset")
cli.add_typer(embed_cli.cli, name="embed")
cli.add_typer(export_cli.cli, name="export")
cli.add_typer(guardrail_cli.cli, name="guardrails")
cli.add_typer(index_cli.cli, name="index")
cli.add_typer(job_cli.cli, name="job")
cli.add_typer(keys_cli.cli, name="keys")
cli.add_typer(people_cli, name="people")
cli.add_typer(release_cli.cli, name="release")
cli.add_typer(rollout_cli.cli, name="rollout")
cli.add_typer(routing_cli.cli, name="routing")
for _shown in (document_cli.documents, document_cli.conflicts, document_cli.withdraw, document_cli.reinstate):
    cli.command()(_shown)
for _deed in (rollout_cli.rollback, rollout_cli.freeze, rollout_cli.unfreeze, rollout_cli.killswitch):
    cli.command()(_deed)
for _run in (evaluate_cli.evaluate, evaluate_cli.gate, evaluate_cli.diagnose):
    cli.command()(_run)
cli.command("doctor")(doctor_cli.examine)
cli.command()(ingest_cli.ingest)
cli.command()(ingest_cli.sources)
cli.command()(audit_cli.requests)
cli.command()(audit_cli.approve)
cli.command()(audit_cli.reject)


@cli.command()
def serve(
    data: Data = None,
    config: Annotated[
        Path | None, typer.Option(help="A file of settings; the environment goes before it. [OPSPLANE_CONFIG]")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [OPSPLANE_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one. [OPSPLANE_PORT]")] = None,
    demo: Annotated[bool | None, typer.Option(help="Create and show the demo people. [OPSPLANE_DEMO]")] = None,
) -> None:
    """Serve the chat. Documents are ingested first where they have changed."""
    # Chainlit takes seconds to import and every other command does without it.
    from assistant import web  # noqa: PLC0415

    chosen = shell.chosen(data, config=config, host=host, port=port, demo=demo)
    with shell.opened(chosen, refresh=True) as app, jobs.scheduled(jobs.works_of(app)):
        doctor_cli.ask_later(chosen)
        web.serve(app, err)


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question; leave out with --file.")] = "",
    person: As = "customer",
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole exchange as JSON.")] = False,
    file: Annotated[
        Path | None, typer.Option(help='JSON lines with "question" (and "as", "id", "history"); "-" reads stdin.')
    ] = None,
    today: Annotated[str, typer.Option(help="Answer as on this day, YYYY-MM-DD.")] = "",
) -> None:
    """Ask one question, or many from a file; each is one governed turn on the record."""
    if bool(question) == bool(file):
        raise typer.BadParameter("give either a question or --file")
    with shell.opened(shell.chosen(data), today) as app:
        if file is not None:
            failed = asyncio.run(questions.ask_all(app, questions.read(file), person, sys.stdout))
            raise typer.Exit(1 if failed else 0)
        screen = TerminalScreen(out, quiet=as_json)
        asyncio.run(questions.ask_one(app, question, person, screen))
        if screen.exchange is None:
            raise typer.Exit(1)
        if as_json:
            sys.stdout.write(json.dumps(questions.as_json(screen.exchange)) + "\n")


@cli.command()
def exchange(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning.")],
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the exchange as JSON.")] = False,
) -> None:
    """Show everything about one turn; that it was read is recorded, with the reason."""
    shell.command("exchange", [identity], person, shell.reason(why), data, download=as_json)


@cli.command()
def queue(person: As = "operator", data: Data = None) -> None:
    """List the customers who wait for a person, and who speaks with one; they are answered in the chat."""
    shell.command("queue", [], person, "", data)


@people_cli.command("add")
def people_add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    customer: Annotated[str, typer.Option(help="Customer id, for customers.")] = "",
    display: Annotated[str, typer.Option(help="Name as shown.")] = "",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
    data: Data = None,
) -> None:
    """Add a person who may sign in."""
    chosen = shell.chosen(data)
    with bootstrap.record(chosen) as (ledger, _), closing(bootstrap.people(chosen)) as people:
        added = people.add(name, password, role, customer=customer, display=display or name)
        ledger.append_now(PersonAdded(name=added.name, role=role.value, customer=customer), SERVICE)
    out.print(f"Added {name} as {role.value}.")


@people_cli.command("list")
def people_list(data: Data = None) -> None:
    """List the people who may sign in."""
    rows = bootstrap.people(shell.chosen(data)).all()
    if not rows:
        out.print("Nobody yet. Add somebody with: opsplane people add NAME --role ROLE")
    for one in rows:
        out.print(f"{one.name}\t{one.role.value}\t{one.customer}\t{'active' if one.active else 'disabled'}")


@people_cli.command("disable")
def people_disable(name: str, data: Data = None) -> None:
    """Keep a person from signing in; open sessions end with their next message."""
    chosen = shell.chosen(data)
    with bootstrap.record(chosen) as (ledger, _), closing(bootstrap.people(chosen)) as people:
        people.set_active(name, active=False)
        ledger.append_now(PersonDisabled(name=name), SERVICE)
    out.print(f"Disabled {name}.")


def main() -> None:
    """Run one command; what a person can mend is told in words, without a traceback.

    Whatever goes wrong ends with 2: with 1 a command says that something does not hold.
    """
    try:
        cli()
    except PlaneError as error:
        shell.complain(str(error))
        sys.exit(shell.COULD_NOT)
    except OSError as error:  # a folder, a disk, a network: the system's words name it
        log.info("a command ended early", exc_info=True)
        shell.complain(" ".join(str(error).split()) or type(error).__name__)
        sys.exit(shell.COULD_NOT)
    except Exception as error:
        log.exception("a command failed")
        shell.complain(f"This should not happen: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        sys.exit(shell.COULD_NOT)


if __name__ == "__main__":
    main()
