"""opsplane embed: a large library's windows embedded beforehand, by as many processes and machines as there are."""

from pathlib import Path
from typing import Annotated

import typer

from assistant import ingesting, shell
from assistant.shell import Data, err, out
from knowledge import shards, workers
from knowledge.shards import BadJob
from opsplane.errors import InvalidRequest

cli = typer.Typer(
    help="Embed a large library in shards: plan, then work (here, elsewhere, or on Dataflow), then collect.",
    no_args_is_help=True,
)

Job = Annotated[Path, typer.Argument(help="The folder of the job; a shared one where several machines work.")]


@cli.command()
def plan(
    job: Job,
    where: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="As for ingest; none: the sources remembered.")
    ] = None,
    data: Data = None,
) -> None:
    """Read and cut the sources, and write a job for what has no vector yet. One job for each embedding model."""
    found = shell.chosen(data)
    with shell.progress() as bar:
        rows = ingesting.unembedded(list(where or ()), found, bar)
    if not rows:
        out.print("Everything is embedded already: opsplane ingest does the rest.")
    for model, some in sorted(rows.items()):
        folder = job / model if len(rows) > 1 else job
        planned = shards.plan(some, folder, model)
        out.print(f"{folder}: {planned.rows:,} texts for {model} in {len(planned.shards):,} shards.", highlight=False)


@cli.command()
def work(
    job: Job,
    processes: Annotated[int, typer.Option("--workers", min=1, help="Processes; one for each core is best.")] = 1,
    data: Data = None,
) -> None:
    """Embed shards of a job until none is left; kill it and start it again, here or elsewhere, as you like."""
    found = shell.chosen(data)
    try:
        with shell.progress() as bar:
            workers.run(
                job, lambda done, total: bar("embedding", done, total), models=found.data / "models", workers=processes
            )
        left = shards.missing(shards.planned(shards.Local(job)), shards.Local(job))
    except BadJob as error:
        raise InvalidRequest(str(error)) from error
    out.print("Every shard is embedded." if not left else f"{len(left):,} shards are being embedded by others.")


@cli.command()
def collect(job: Job, data: Data = None) -> None:
    """Take the vectors of a finished job into the library; `opsplane ingest` then embeds nothing of them again."""
    found = shell.chosen(data)
    try:
        with shell.progress() as bar:
            count = ingesting.collect_vectors(job, found, bar)
    except BadJob as error:
        raise InvalidRequest(str(error)) from error
    out.print(f"{count:,} vectors are in the library.", highlight=False)
    err.print("Next: opsplane ingest", highlight=False)
