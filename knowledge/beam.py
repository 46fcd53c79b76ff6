"""The job of embedding as an Apache Beam transform: on this machine, or on Dataflow with the image in deploy/beam.

python -m knowledge.beam --job FOLDER [--through gs://BUCKET/FOLDER] [--models FOLDER] [--runner DataflowRunner …]

It has an environment of its own (`make beam`): Beam and the assistant want different versions of the same libraries.
"""

import argparse
import importlib
import sys
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apache_beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.utils.shared import Shared

from knowledge.embedding import MiniLM
from knowledge.shards import BadJob, Folder, Incomplete, Local, Plan, Shard, finish, missing, planned
from knowledge.workers import MODELS, encoder

_COPIED_AT_ONCE = 16


class BeamFolder:
    """A job's folder behind Beam's file systems: `gs://…`, or a path of this machine."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self, name: str) -> bytes | None:
        """The file's bytes; None where there is none."""
        path = FileSystems.join(self._url, name)
        if not FileSystems.exists(path):
            return None
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            return bytes(file.read())

    def write(self, name: str, data: bytes) -> None:
        """Write beside, and rename: a worker that ends half-way leaves nothing that looks like a result."""
        beside = FileSystems.join(self._url, f".{name}.{uuid.uuid4().hex}")
        with FileSystems.create(beside, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.write(data)
        FileSystems.rename([beside], [FileSystems.join(self._url, name)])


class EmbedShards(apache_beam.PTransform):  # type: ignore[misc]  # unknown here: Beam has its own environment
    """Shards of a job at `url` to pairs of a shard's name and the rows computed for it; the results lie at `url`."""

    def __init__(self, plan: Plan, url: str, models: Path = MODELS) -> None:
        super().__init__()
        self._deed = _Embed(plan.model_copy(update={"shards": ()}), url, models)

    def expand(self, shards: "apache_beam.PCollection[Shard]") -> "apache_beam.PCollection[tuple[str, int]]":
        """Spread the shards over the workers, then embed each."""
        return shards | apache_beam.Reshuffle() | apache_beam.ParDo(self._deed)


class _Embed(apache_beam.DoFn):  # type: ignore[misc]  # as above
    """Finishes shards as `knowledge.workers` does; the threads of a worker share one model."""

    def __init__(self, plan: Plan, url: str, models: Path) -> None:
        self._plan = plan
        self._folder = BeamFolder(url)
        self._models = models
        self._shared = Shared()
        self._rows = Metrics.counter("opsplane", "rows_embedded")

    def setup(self) -> None:
        """Load the model, once in each process."""
        self._model: MiniLM = self._shared.acquire(lambda: encoder(self._plan, self._models))

    def process(self, shard: Shard) -> Iterator[tuple[str, int]]:
        """Embed what the shard's result lacks."""
        computed = finish(shard, self._folder, self._model)
        self._rows.inc(computed)
        yield shard.name, computed


def run(job: Path, through: str, models: Path, options: PipelineOptions) -> None:
    """Embed what is open in a job and leave the results in its folder; `through` is where the workers can reach it.

    Raises `knowledge.shards.BadJob`.
    """
    here = Local(job)
    plan = planned(here)
    url = through or str(job.resolve())
    there = BeamFolder(url)
    left = missing(plan, here)
    if not left:
        return
    if through:
        _copy((f"{shard.name}.jsonl" for shard in left), here, there)
    with apache_beam.Pipeline(runner=_runner(options), options=options) as pipeline:
        _ = pipeline | "Open shards" >> apache_beam.Create(left) | "Embed" >> EmbedShards(plan, url, models)
    if through:
        _copy((f"{shard.name}.vectors" for shard in left), there, here)
    still = missing(plan, here)
    if still:
        raise Incomplete(still)


def _runner(options: PipelineOptions) -> FnApiRunner | None:
    """Beam's local runner, named: by the name DirectRunner it may fetch a program from the network to run with."""
    name = options.view_as(StandardOptions).runner
    return FnApiRunner() if name in (None, "DirectRunner") else None


def _copy(names: Iterable[str], source: Folder, target: Folder) -> None:
    def copied(name: str) -> None:
        data = source.read(name)
        if data is not None:
            target.write(name, data)

    with ThreadPoolExecutor(_COPIED_AT_ONCE) as pool:
        list(pool.map(copied, names))


def main() -> int:
    """The command; 1 where the job cannot be done, with the reason on standard error. Other options are Beam's."""
    options = argparse.ArgumentParser(
        prog="python -m knowledge.beam", description="Embed a job with Apache Beam.", allow_abbrev=False
    )
    options.add_argument("--job", type=Path, required=True, help="the job's folder, as it was planned")
    options.add_argument("--through", default="", help="folder that the workers reach, such as gs://bucket/job")
    options.add_argument("--models", type=Path, default=MODELS, help="the model's graph, at the workers")
    told, beams = options.parse_known_args()
    try:
        run(told.job, told.through, told.models, PipelineOptions(beams))
    except BadJob as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    # By its name: what belongs to __main__ cannot be found again by a worker in another process.
    sys.exit(importlib.import_module("knowledge.beam").main())
