"""100,000 chunks on one core: a search with the in-force restriction, memory, disk, and the update of one document.

`python -m benchmarks.scale [--chunks N] [--library DIR]` recombines sentences of `cfpb_regs` and `us_code`, which it
reads from the folder that OPSPLANE_BENCH_DATA names, else from ../shared/data beside the repository. Documents of some
sections each, with days on which they hold: on one day half of them, on another 2 %, on a third 30 %. Their vectors are
random projections of their words, so that building takes minutes; everything else is the real path, and questions (of
`regqa` and `fiqa_mini`) are embedded by the real model, each once, inside the time. Searching runs in a process of its
own that is held to one core; its memory is what it holds after all questions. --library keeps what was built.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks import lawbooks
from benchmarks.projected import Projected
from knowledge import embedding, trial
from knowledge.document import Document, Section, text_hash
from knowledge.ingest import Options
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.spec import IndexSpec

HALF, FEW, THIRD = date(2024, 6, 1), date(2025, 6, 1), date(2026, 6, 1)
DAYS = {"half": HALF, "2 %": FEW, "30 %": THIRD}
SHARES = ((0.48, None, HALF), (0.02, None, None), (0.28, FEW + timedelta(1), None), (0.22, None, date(2023, 12, 31)))
"""Shares of documents, from when and until when they hold."""
SECTIONS = 5
PIECES = 240
"""Word pieces of a section, about: one chunk, mostly one window."""
QUESTIONS = 300


def main() -> None:
    """Build where it is not there, then measure searches in a process of their own, then an update."""
    lawbooks.needed("regqa", "fiqa_mini", "cfpb_regs", "us_code")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--chunks", type=int, default=100_000)
    options.add_argument("--library", type=Path)
    options.add_argument("--search", action="store_true", help="measure searches of what --library holds, no more")
    given = options.parse_args()
    if given.search:
        search(given.library)
        return
    with nullcontext(str(given.library)) if given.library else tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = list(documents(given.chunks // SECTIONS))
        build(made, folder, "built")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"On disk: {size / 1e6:,.0f} MB\n", flush=True)
        command = [sys.executable, "-m", "benchmarks.scale", "--search", "--library", str(folder)]
        subprocess.run(command, check=True)
        text = f"{made[0].sections[0].text} This sentence is new."
        sections = (made[0].sections[0].model_copy(update={"text": text}), *made[0].sections[1:])
        made[0] = made[0].model_copy(update={"sections": sections, "sha256": text_hash(sections)})
        build(made, folder, "one document updated")


def documents(count: int) -> Iterator[Document]:
    """Documents out of shuffled sentences, each with its days."""
    draw = random.Random(100)
    bodies = [text for _, text in lawbooks.sections(lawbooks.latest())]
    sentences = [one for body in bodies for one in re.split(r"(?<=[.;]) +|\n+", body) if 60 < len(one) < 400]
    for number in range(count):
        _, begin, end = draw.choices(SHARES, [share for share, _, _ in SHARES])[0]
        sections = tuple(
            Section(path=(f"§ {number}.{place}",), text=_text(sentences, draw)) for place in range(SECTIONS)
        )
        yield Document(
            id=f"rule-{number:06d}",
            title=f"Rule {number}",
            effective_from=begin or date(2023, 1, 1),
            effective_to=end,
            source=f"rule-{number:06d}.md",
            sections=sections,
            sha256=text_hash(sections),
        )


def build(made: Sequence[Document], folder: Path, what: str) -> None:
    """Ingest documents, and tell what it took."""
    encoder = Projected(embedding.load(lawbooks.MODELS), asked=True)
    clock, cpu = time.perf_counter(), time.process_time()
    report = trial.shelve(
        made, folder, {encoder.name: encoder}, IndexSpec(embedding=encoder.name), Options(at=time.time())
    )
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    windows = sum(one.windows for one in report.indexes)
    print(
        f"{what}: {len(made):,} documents, {report.chunks:,} chunks, {windows:,} windows, {report.embedded:,} embedded "
        f"anew; {clock:.1f} s ({cpu:.1f} s of processor)",
        flush=True,
    )


def search(folder: Path) -> None:
    """The table of searches, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    encoder = Projected(embedding.load(lawbooks.MODELS), asked=True)
    asked = list(questions())
    print("| in force | wall ms, p50 | p99 | CPU ms, p50 | p99 | first search, ms |")
    print("|---|---|---|---|---|---|")
    with closing(Library(folder, {encoder.name: encoder})) as library:
        share = len(asked) // len(DAYS)
        for place, (name, day) in enumerate(DAYS.items()):
            reader = Reader(day, frozenset({"customer"}))
            began = time.perf_counter()
            library.search("warm up", reader, SearchPlan())
            opening = 1000 * (time.perf_counter() - began)
            times = [_timed(library, one, reader) for one in asked[place * share : (place + 1) * share]]
            wall, spent = (np.percentile([one[column] for one in times], [50, 99]) for column in (0, 1))
            print(
                f"| {name} | {wall[0]:.1f} | {wall[1]:.1f} | {spent[0]:.1f} | {spent[1]:.1f} | {opening:,.0f} |",
                flush=True,
            )
    told = memory()
    print(
        f"\n{share} questions each. Memory: {told['VmRSS']:,} MB, of it {told['RssFile']:,} MB mapped files; ", end=""
    )
    print(f"{told['VmHWM']:,} MB at most\n", flush=True)


def questions() -> Iterator[str]:
    """Questions of two sets, each once, in an order drawn at random."""
    found: list[str] = []
    for path, field in (("regqa/regqa_dev.jsonl", "question"), ("fiqa_mini/queries.jsonl", "text")):
        found += [json.loads(one)[field] for one in (lawbooks.DATA / path).read_text(encoding="utf-8").splitlines()]
    yield from random.Random(5).sample(found, min(len(DAYS) * QUESTIONS, len(found)))


def memory() -> dict[str, int]:
    """What this process holds, in MB; zeros where the system does not tell."""
    names = ("VmRSS", "VmHWM", "RssFile")
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return dict.fromkeys(names, 0)
    told = dict(line.split(":", 1) for line in lines)
    return {name: int(told.get(name, "0 kB").split()[0]) // 1000 for name in names}


def _text(sentences: Sequence[str], draw: random.Random) -> str:
    """Sentences up to about `PIECES` word pieces, of some four characters each."""
    parts: list[str] = []
    while sum(map(len, parts)) < 4 * PIECES:
        parts.append(draw.choice(sentences))
    return " ".join(parts)


def _timed(library: Library, question: str, reader: Reader) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    library.search(question, reader, SearchPlan())
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - cpu)


if __name__ == "__main__":
    main()
