"""`opsplane export`: the record sent to BigQuery, how far it has come, and the views over it."""

from typing import Annotated

import typer

from assistant import bootstrap, export_panels, shell
from assistant.shell import Data, Json, out

cli = typer.Typer(help="The record, sent to BigQuery: every row once.", no_args_is_help=True)

Follow = Annotated[bool, typer.Option("--follow/--once", help="Go on until Ctrl-C, or end when all is sent.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would be made and sent, no more.")]


@cli.command()
def bigquery(follow: Follow = False, dry_run: Dry = False, data: Data = None) -> None:
    """Send what is on the record and not in BigQuery yet, and let erasures follow: 0 where all is done, else 2."""
    # Google's clients take their time to import, and every other command does without them.
    from assistant import export_sending  # noqa: PLC0415

    raise typer.Exit(export_sending.send(shell.chosen(data), follow=follow, dry_run=dry_run))


@cli.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say how far each table has come, when anything last arrived, and which erasures are still to follow."""
    with bootstrap.record(shell.chosen(data)) as (ledger, _):
        found = export_panels.read(ledger)
    if as_json:
        shell.print_json(export_panels.as_json(found))
    else:
        shell.show(export_panels.panel(found))
    troubled = any(one.position.trouble for one in found.tables)
    raise typer.Exit(shell.VIOLATED if troubled or found.waiting else shell.FINE)


@cli.command()
def views(data: Data = None) -> None:
    """Make or renew the views for spend, quality and safety, and the tables under them."""
    from assistant import export_sending  # noqa: PLC0415 - as above

    for name in export_sending.views(shell.chosen(data)):
        out.print(name, markup=False, highlight=False)
