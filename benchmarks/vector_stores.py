"""Chroma and both Vertex AI Vector Searches: filling, asking, doing without, and writers killed in the middle.

`python -m benchmarks.vector_stores [--vectors N] [--kills N]`. Google's stores are those of the local server, which
compares every vector with every other: what is measured is our side and the wire, not Google's. Vectors are drawn
around 200 centres, 384 wide; recall is of the 20 nearest, against a comparison with all.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from google.oauth2.credentials import Credentials
from numpy.typing import NDArray

from knowledge.index.chroma import beside
from knowledge.index.collections import Collections
from knowledge.index.site import Site
from knowledge.index.store import Contents, Near, Store
from knowledge.index.vertex import Vertex
from tests.vertex import vector_collections, vector_index
from tests.vertex.cloud import Cloud, Verb
from tests.vertex.faults import Kind
from tests.vertex.server import serving

KINDS = ("chroma", "vertex", "vertex-collections")
FIND = {"vertex": "match.find", "vertex-collections": "objects.search"}
BASE = "base-0123456789abcdef"
ASKED, NEAREST = 200, 20


def main() -> None:
    """Measure each store, then kill writers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vectors", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--write", nargs=3, metavar=("KIND", "URL", "FOLDER"), help="fill a store, no more")
    given = options.parse_args()
    if given.write:
        kind, url, folder = given.write
        with closing(opened(kind, url, Path(folder))) as store:
            store.write(BASE, Contents(drawn(given.vectors)), lambda *_: None)
        return
    vectors = drawn(given.vectors)
    print(f"{len(vectors):,} vectors, {ASKED} questions for {NEAREST} of them\n")
    print("store               filled/s   p50 ms   p95 ms   of Chroma   recall   down: first ms, then ms")
    base = 0.0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder, serving(verbs()) as cloud:
            base = measured(kind, cloud, Path(folder), vectors, base)
    for kind in KINDS[1:]:
        killed(kind, given.vectors, given.kills)


def verbs() -> tuple[Verb, ...]:
    """What the local server can do."""
    return (*vector_index.VERBS, *vector_collections.VERBS)


def drawn(count: int) -> NDArray[np.float32]:
    """Unit vectors around 200 centres, shape (count, 384); equal counts draw equal ones."""
    draw = np.random.default_rng(3)
    centres = draw.standard_normal((200, 384))
    vectors = centres[draw.integers(0, 200, count)] + draw.standard_normal((count, 384))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def opened(kind: str, url: str, folder: Path) -> Store:
    """One of the stores."""
    if kind == "chroma":
        return beside(folder)
    site = Site("wrenfield-local", "us-central1", Credentials("local"), url)  # type: ignore[no-untyped-call]
    make: Callable[[Site, Path], Store] = Vertex if kind == "vertex" else Collections
    return make(site, folder)


def measured(kind: str, cloud: Cloud, folder: Path, vectors: NDArray[np.float32], base: float) -> float:
    """Fill and ask one store; the median of its answers in milliseconds where it is the first, else `base`."""
    with closing(opened(kind, cloud.url, folder)) as store:
        began = time.perf_counter()
        store.write(BASE, Contents(vectors), lambda *_: None)
        rate = len(vectors) / (time.perf_counter() - began)
        held = store.open(BASE)
        if held is None:
            raise SystemExit(f"{kind} does not open what it wrote")
        asked = drawn(len(vectors) + ASKED)[-ASKED:]
        held.nearest(asked[0], NEAREST)
        times, shares = [], []
        for vector in asked:
            began = time.perf_counter()
            found = held.nearest(vector, NEAREST)
            times.append(1_000 * (time.perf_counter() - began))
            exact = set(np.argsort(-(vectors @ vector))[:NEAREST].tolist())
            shares.append(len(exact & set(found.rows.tolist())) / NEAREST if isinstance(found, Near) else 0.0)
        down = []
        cloud.faults.add(Kind.UNAVAILABLE, FIND.get(kind, "none"))
        for _ in range(2):
            began = time.perf_counter()
            held.nearest(asked[0], NEAREST)
            down.append(1_000 * (time.perf_counter() - began))
    median, late = statistics.median(times), float(np.percentile(times, 95))
    first = base or median
    told = f"{down[0]:.1f}, {down[1]:.3f}" if kind in FIND else "-"
    print(
        f"{kind:18} {rate:9,.0f} {median:8.1f} {late:8.1f} {median / first:10.1f}x {np.mean(shares):8.3f}   {told}",
        flush=True,
    )
    return first


def killed(kind: str, count: int, kills: int) -> None:
    """Kill writers at random places, let the last one finish, and count what came to the server."""
    draw = random.Random(11)
    with tempfile.TemporaryDirectory() as folder, serving(verbs()) as cloud:
        command = [sys.executable, "-m", "benchmarks.vector_stores", "--vectors", str(count), "--write", kind]
        for _ in range(kills):
            writer = subprocess.Popen([*command, cloud.url, folder])
            aim = len(cloud.calls) + draw.randint(1, 8)
            while writer.poll() is None and len(cloud.calls) < aim:
                time.sleep(0.002)
            writer.kill()
            writer.wait()
        subprocess.run([*command, cloud.url, folder], check=True)
        points = (
            list(vector_index.state(cloud).points.values())
            if kind == "vertex"
            else [one for held in vector_collections.state(cloud).every.values() for one in held.points.values()]
        )
        held, writes = sum(len(one.held) for one in points), sum(one.writes for one in points)
        print(
            f"{kind}: {kills} kills; {len(points)} index, {held:,} of {count:,} vectors, {writes:,} writes",
            flush=True,
        )


if __name__ == "__main__":
    main()
