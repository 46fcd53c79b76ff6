"""`opsplane routing frontier`: what routing's thresholds cost and are worth, on questions that both tiers answer."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from assistant import (
    assessing,
    evaluating,
    judging,
    routing_measuring,
    routing_page,
    routing_report,
    scoring,
    shell,
    workshop,
)
from assistant.evaluate_cli import INCONCLUSIVE, Fresh, Judges, Set, Together, Which
from assistant.panels import dollars
from assistant.routing_measuring import PASSED, Measured, Order
from assistant.routing_report import Told
from assistant.settings import Settings
from assistant.shell import Data, Json, err, out
from opsplane.errors import InvalidRequest
from opsplane.evaluation import frontier as exploring
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.frontier import Goal
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.scorers import roster
from opsplane.release import Release

Budget = Annotated[
    float | None, typer.Option(min=0, help="Recommend the best within so many dollars per 1,000 questions.")
]
Margin = Annotated[
    float, typer.Option(min=0, max=1, help="Else the cheapest that surely loses at most so much against always Pro.")
]

cli = typer.Typer(help="Which tier answers a question, Flash or Pro, and what that is worth.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """Which tier answers a question, Flash or Pro, and what that is worth."""


@cli.command()
def frontier(  # noqa: PLR0913 - each option is a parameter
    release: Which = "",
    dataset: Set = "golden",
    judge: Judges = "",
    measure: Annotated[
        str, typer.Option(help="What quality is: passed, or a scorer such as facts, grounded, judge. [passed]")
    ] = "",
    budget: Budget = None,
    margin: Margin = 0.02,
    html: Annotated[Path | None, typer.Option("--html", help="Write the plot and its table as one HTML page.")] = None,
    as_json: Json = False,
    at_most: Annotated[float | None, typer.Option(min=0, help="Dollars beyond which no case begins.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Spend without being asked.")] = False,
    together: Together = evaluating.TOGETHER,
    fresh: Fresh = False,
    data: Data = None,
) -> None:
    """Show what each setting of routing would cost and be worth, and recommend one.

    Every case is answered once by Flash and once by Pro through the governed
    turn; then each setting only chooses between the two answers. What was
    answered before is not asked again, so that a second run costs nothing and
    one that was interrupted goes on where it was.

    Quality is the share of cases passed, or a scorer's mean; with --judge it
    is the judge's score. The recommendation is printed as lines for a release
    file. Ends with 3 where answers are missing.

    \b
    opsplane routing frontier heron-7 --html frontier.html
    opsplane routing frontier heron-7 --judge embedded --budget 0.80
    """
    chosen = shell.chosen(data)
    judged = judge not in ("", scoring.NONE)
    order = Order(measure or (scoring.JUDGE if judged else PASSED), judge, together, _micros(at_most))
    _writable(html)
    one, wanted = evaluating.release(release, chosen), assessing.named(dataset, chosen)
    _must_be_known(one, order, chosen)
    goal = Goal(margin, None if budget is None else round(_finite(budget, "--budget") * 1_000, 6))
    told = _told(one, wanted, _measured(chosen, one, wanted, order, fresh=fresh, yes=yes), order, goal)
    err.print(routing_report.after(told.measured), highlight=False)
    _show(told, html, as_json=as_json)
    if told.measured.missing:
        limit = f"The limit of {dollars(order.at_most or 0)} was reached."
        err.print(f"{limit} What was answered is kept: with a higher --at-most it goes on there.", highlight=False)
    if told.measured.missing or told.measured.failed:
        raise typer.Exit(INCONCLUSIVE)


def _measured(chosen: Settings, one: Release, wanted: Dataset, order: Order, *, fresh: bool, yes: bool) -> Measured:
    """Answer what is not known yet, with what it will cost said before and a bar while it lasts."""
    with (
        shell.progress() as opening,
        workshop.opened(chosen, opening) as shop,
        Kept(evaluating.kept(chosen.data)) as known,
    ):
        opening.close()
        if fresh:
            known.forget()
        expected = routing_measuring.expected(shop, one, wanted, order, known)
        err.print(routing_report.before(len(wanted.cases), expected), highlight=False)
        if expected.micros or expected.unpriced:
            _must_be_wanted(yes=yes)
        try:
            with shell.progress() as bar:
                return routing_measuring.measure(shop, one, wanted, order.telling(bar), known)
        except KeyboardInterrupt:
            err.print("Interrupted. What was answered is kept: the same command goes on there.", highlight=False)
            raise typer.Exit(shell.COULD_NOT) from None


def _must_be_wanted(*, yes: bool) -> None:
    """Nobody spends by mistake: raise `InvalidRequest` where nobody can be asked, end where somebody says no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest("Nothing was asked, for this costs money: say --yes, and --at-most with a limit.")
    if not typer.confirm("Go on?", err=True):
        raise typer.Exit(shell.COULD_NOT)


def _told(one: Release, wanted: Dataset, measured: Measured, order: Order, goal: Goal) -> Told:
    return Told(
        frontier=exploring.explore(measured.trials, one.routing, goal),
        measured=measured,
        release=one.id,
        digest=one.digest,
        flash=one.models.flash.name,
        pro=one.models.pro.name,
        dataset=wanted.name,
        dataset_digest=wanted.digest,
        measure=order.measure,
    )


def _show(told: Told, html: Path | None, *, as_json: bool) -> None:
    if as_json:
        shell.print_json(routing_report.as_json(told))
    else:
        out.print(Markdown(routing_report.as_markdown(told)))
        sys.stdout.write(routing_report.fragment(told))  # as it is, so that it can be copied
    if html:
        try:
            html.write_text(routing_page.as_html(told), encoding="utf-8")
        except OSError as error:
            raise InvalidRequest(f"{html} cannot be written: {error.strerror}.") from error


def _must_be_known(one: Release, order: Order, chosen: Settings) -> None:
    """Raise `InvalidRequest` for a measure or a judge that there is not, before documents and models are loaded."""
    names: Sequence[str] = (PASSED, scoring.JUDGE, *roster.names())
    if order.measure not in names:
        roster.chosen([order.measure], roster.Parts())  # refuses it in words
    for judge in scoring.who(one, chosen, order.judge):
        if judge != judging.EMBEDDED:
            judging.must_be_model(judge)


def _writable(html: Path | None) -> None:
    """Make the folder; raise `InvalidRequest` for a file that cannot be written, before a run is paid for."""
    if html is None:
        return
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        there = html.exists()
        with html.open("ab"):
            pass
        if not there:
            html.unlink()
    except OSError as error:
        raise InvalidRequest(f"{html} cannot be written: {error.strerror}.") from error


def _micros(at_most: float | None) -> int | None:
    return None if at_most is None else round(_finite(at_most, "--at-most") * 1_000_000)


def _finite(given: float, option: str) -> float:
    if not math.isfinite(given):
        raise InvalidRequest(f"{option} is an amount in dollars, such as 2.50.")
    return given
