"""`opsplane job`: what the product does by the clock, listed, and run from outside by cron or a scheduler."""

from typing import Annotated

import typer

from assistant import jobs, schedule, shell
from assistant.bootstrap import App
from assistant.schedule import Job
from assistant.shell import Data, Json, out
from opsplane.errors import NotFound, PlaneError

cli = typer.Typer(help="Jobs: judging, watching, the golden set, calibration.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, as `opsplane job list` shows it.")]


@cli.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the jobs: what each does, when, and whether the service runs them by itself."""
    found = shell.chosen(data)
    rows = [(one.name, schedule.times(one.when), one.words) for one in jobs.listed(found)]
    if as_json:
        told = [dict(zip(("name", "when", "what"), row, strict=True)) for row in rows]
        shell.print_json({"by_service": found.schedule, "jobs": told})
        return
    for name, when, words in rows:
        out.print(f"{name:<10} {when:<18} {words}", markup=False, highlight=False)
    by = "While the product serves they run by themselves." if found.schedule else "The service leaves them to others."
    out.print(f"{by} One now: opsplane job run NAME", highlight=False)


@cli.command()
def run(name: Name, data: Data = None) -> None:
    """Do one job now, and end when it is done: 0 where it is done or another process does it, 2 where it failed."""
    found = shell.chosen(data)
    known = [one.name for one in jobs.listed(found)]
    if name not in known:
        raise NotFound(f"There is no job {name[:40]!r}; there are {', '.join(known)}.")
    with shell.opened(found) as app:
        job = jobs.jobs(jobs.works_of(app))[name]
        raise typer.Exit(done(job, app))


def done(job: Job, app: App) -> int:
    """Do it, say what came of it, and give the exit code."""
    try:
        outcome = schedule.once(job, app.desk.ledger)
    except PlaneError as error:
        shell.complain(f"The job {job.name} failed: {error}")
        return shell.COULD_NOT
    out.print(f"{job.name}: {outcome.words}", markup=False, highlight=False)
    return shell.FINE
