"""`opsplane cost`: what was spent, and whether that agrees with the provider's bill."""

import asyncio
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant import bootstrap, cost_panel, shell
from assistant.shell import As, Data, Filtered, Json
from opsplane import control, reconcile, spend
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest
from opsplane.ledger import costs
from opsplane.ledger.costs import CostQuery
from opsplane.ledger.store import Ledger
from opsplane.reconcile import Bill, Reconciliation


class Reporting(Filtered):
    """Words that name no command are filters of a report."""

    otherwise = "report"
    example = "by=month"


cli = typer.Typer(cls=Reporting, help="What was spent (`opsplane cost by=month`), and whether the provider agrees.")


@cli.command()
def report(
    filters: Annotated[
        list[str] | None,
        typer.Argument(help="by=day|month|customer|release|model|purpose since=… until=… customer=… model=… purpose=…"),
    ] = None,
    person: As = "operator",
    data: Data = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every group as CSV.")] = False,
) -> None:
    """Sum what was booked, say where the month will end, and how the budgets stand."""
    shell.command("cost", filters or [], person, "", data, download=as_csv)


@cli.command("reconcile")
def reconcile_(
    file: Annotated[Path, typer.Argument(help="The provider's billing export, CSV.", exists=True, dir_okay=False)],
    person: As = "operator",
    data: Data = None,
    tolerance: Annotated[float, typer.Option(help="So much apart is a match, in percent.", min=0, max=100)] = 1.0,
    as_json: Json = False,
) -> None:
    """Hold what was booked against the provider's bill, by day and model."""
    found = shell.chosen(data)
    actor, text = shell.person(found, person), _read(file)
    bill = reconcile.read(text, spend.load().models, found.zone)
    with bootstrap.record(found) as (ledger, _):
        share = Decimal(str(tolerance)) / 100
        compared = asyncio.run(_compared(ledger, bill, share, found.zone, actor=actor))
    if as_json:
        shell.print_json(_as_json(compared))
    else:
        shell.show(cost_panel.reconciled(compared))
    raise typer.Exit(shell.FINE if compared.agrees else shell.VIOLATED)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}") from error


async def _compared(ledger: Ledger, bill: Bill, tolerance: Decimal, zone: tzinfo, *, actor: Actor) -> Reconciliation:
    """The bill beside what was booked on its days."""
    async with control.recorded(ledger, "cost reconcile", "", actor) as tally:
        actor.must_be(Role.OPERATOR, Role.APPROVER, Role.REVIEWER)
        if bill.days is None:
            raise InvalidRequest("The bill has no line of a model: there is nothing to compare.")
        query = CostQuery(since=bill.days[0], until=bill.days[1])
        booked = await asyncio.to_thread(costs.daily_models, ledger, query, zone)
        compared = reconcile.compare(bill, booked, tolerance)
        tally.rows = len(compared.lines)
    return compared


def _as_json(compared: Reconciliation) -> dict[str, Any]:
    lines = [
        {
            "day": line.day.isoformat(),
            "model": line.model,
            "booked_micros": line.booked,
            "billed_micros": line.billed,
            "match": line.match.value,
        }
        for line in compared.lines
    ]
    sums = {"booked_micros": compared.booked, "billed_micros": compared.billed, "agrees": compared.agrees}
    return sums | {"lines": lines}
