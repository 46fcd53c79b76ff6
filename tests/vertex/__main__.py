"""`python -m tests.vertex`: the local cloud for a developer, until Ctrl-C."""

import argparse
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import typer

from tests.vertex import answering, control
from tests.vertex.cloud import Cloud, Pace
from tests.vertex.server import serving
from tests.vertex.services import VERBS

PORT = 8090
"""The port that `local-cloud.yaml` names."""
BIGQUERY = (8091, 8092)
"""Likewise for BigQuery: its REST interface, and the Storage Write API."""
DATASET = "opsplane"
"""The dataset that is there from the beginning."""


def main(arguments: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Run the local cloud; returns the exit code. `stop` ends it, as Ctrl-C does."""
    given = _parser().parse_args(arguments)
    cloud = Cloud(pace=Pace(given.first_token_ms / 1_000, given.token_ms / 1_000), project=given.project)
    if given.least_cached:
        cloud.held["gemini least cached"] = given.least_cached
    try:
        for fault in given.fault:
            control.add(cloud.faults, _rule(fault))
    except ValueError as error:
        typer.echo(f"--fault: {error}", err=True)
        return 2
    if not _free(given.port):
        typer.echo(f"Port {given.port} is in use; stop what uses it, or take another one with --port.", err=True)
        return 1
    stop = stop or _until_told()
    with serving(VERBS, cloud, given.port), _bigquery(given.project, wanted=given.bigquery):
        answering.of(cloud)  # opened now, not while the first customer waits
        typer.echo(_welcome(cloud))
        stop.wait()
    typer.echo("The local cloud has ended.")
    return 0


@contextmanager
def _bigquery(project: str, *, wanted: bool) -> Iterator[None]:
    """BigQuery beside it, in its own process, until the end of the block."""
    if not wanted:
        yield
        return
    ports = ["--port", str(BIGQUERY[0]), "--write-port", str(BIGQUERY[1])]
    command = [sys.executable, "-m", "tests.vertex.bigquery", *ports]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    # a session of its own: Ctrl-C is for this process, which ends that one by closing its input
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        if not told:
            raise SystemExit(f"BigQuery did not start: are the ports {BIGQUERY[0]} and {BIGQUERY[1]} free?")
        made = httpx.post(
            f"http://127.0.0.1:{BIGQUERY[0]}/bigquery/v2/projects/{project}/datasets",
            json={"datasetReference": {"projectId": project, "datasetId": DATASET}, "location": "US"},
        )
        made.raise_for_status()
        typer.echo(f"BigQuery serves the dataset {DATASET} on the ports {BIGQUERY[0]} and {BIGQUERY[1]}.")
        yield


def _welcome(cloud: Cloud) -> str:
    config = Path("local-cloud.yaml")
    named = f"OPSPLANE_GOOGLE_ENDPOINT={cloud.url} " if not cloud.url.endswith(f":{PORT}") else ""
    return (
        f"The local cloud serves the project {cloud.project} at {cloud.url}; Ctrl-C ends it.\n"
        f"Next, in another terminal:  {named}opsplane serve --config {config}"
    )


def _free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _rule(text: str) -> dict[str, object]:
    """KIND:calls:where:times as a rule; where and times may be left out."""
    kind, calls, where, times = [*text.split(":"), "", "", ""][:4]
    if text.count(":") > 3 or (times and not times.isdecimal()):
        raise ValueError(f"{text!r} is not of the form KIND:calls:where:times, such as 429:gemini:us-central1:3")
    return {"kind": kind, "calls": calls, "where": where, **({"times": int(times)} if times else {})}


def _until_told() -> threading.Event:
    """An event that Ctrl-C, or a polite kill, sets."""
    stop = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    return stop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.vertex", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="the port on this machine (%(default)s; 0: any)")
    parser.add_argument("--project", default=Cloud().project, help="the only project there is (%(default)s)")
    parser.add_argument("--first-token-ms", type=float, default=0.0, help="until a model begins to write")
    parser.add_argument("--token-ms", type=float, default=0.0, help="that a model takes for each token")
    parser.add_argument("--least-cached", type=int, default=0, help="tokens below which no prompt is cached")
    parser.add_argument("--bigquery", action="store_true", help=f"BigQuery too, on the ports {BIGQUERY}")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND:calls:where:times",
        help="such as 429:gemini.stream:us-central1:3; may be given several times",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
