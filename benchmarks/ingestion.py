"""What ingestion costs: the first time, again, after one edited sentence, and from one version of a law to the next.

`python -m benchmarks.ingestion [--edits N]` reads `cfpb_regs` from the folder that OPSPLANE_BENCH_DATA names, else from
../shared/data beside the repository. The embedding's own speed is that of the same texts on the same threads, measured
right before and right after the ingestion, half of them each; the ratio by processor time beside it is what other work
on the machine does not move. How many texts an edit embeds does not depend on the model, so that edits and versions are
counted with an embedding that costs nothing. LangChain's `index()` runs over the same files in the same run, with its
splitter, its record manager and cleanup "full", where its packages are installed (benchmarks/ensemble.py says how).
"""

import argparse
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import lawbooks
from benchmarks.ensemble import OVERLAP, SIZE, part
from benchmarks.projected import Projected
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.ingest import Options, ingest, unembedded
from knowledge.report import IngestReport
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec
from knowledge.vectors import Row, embed_here

OLD, NEW = "2016-11-14", "2019-04-01"
_DATE = re.compile(r'^effective_date: "?([0-9-]+)"?$', re.MULTILINE)


def main() -> None:
    """Print the tables."""
    lawbooks.needed("cfpb_regs")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edits", type=int, default=50)
    options.add_argument("--counts", action="store_true", help="leave out what is timed")
    given = options.parse_args()
    model = embedding.load(lawbooks.MODELS)
    with tempfile.TemporaryDirectory() as scratch:
        source = lawbooks.lay(lawbooks.every(), Path(scratch) / "source")
        if not given.counts:
            first(source, Path(scratch) / "timed", model)
        edits(source, Path(scratch) / "counted", Projected(model), given.edits)
        print(f"\n| Reg E {OLD} → {NEW}, texts embedded | new version | metadata changed |\n|---|---|---|")
        print(f"| ours | {' | '.join(map(str, versions(Path(scratch), Projected(model))))} |")
        if missing_packages():
            print("\nLangChain's row: not installed; benchmarks/ensemble.py says how to get it.")
            return
        for dated in (False, True):
            counts = peer(dated=dated)
            what = "the day in its metadata" if dated else "no metadata but the file's name"
            print(f"| LangChain `index()`, {what} | {' | '.join(map(str, counts))} |")


def first(source: Path, folder: Path, model: MiniLM) -> None:
    """The first ingestion against embedding alone, and the same again."""
    texts = _unembedded(source, folder.with_name("probe"), model)
    halves = texts[::2], texts[1::2]
    alone = [_embedding(halves[0], model)]
    report, clock, cpu = _timed(source, folder, model)
    alone.append(_embedding(halves[1], model))
    alone_clock, alone_cpu = (sum(one[place] for one in alone) for place in (0, 1))
    again = min((_timed(source, folder, model) for _ in range(3)), key=lambda one: one[1])
    print(f"{len(list(source.rglob('*.md')))} files, {report.chunks:,} chunks, {report.embedded:,} texts embedded\n")
    print("| | seconds | processor seconds |\n|---|---|---|")
    print(f"| embedding alone, {os.cpu_count()} threads | {alone_clock:.1f} | {alone_cpu:.1f} |")
    print(f"| first ingestion | {clock:.1f} | {cpu:.1f} |")
    print(f"| the embedding's speed that it reaches | {alone_clock / clock:.2f} | {alone_cpu / cpu:.2f} |")
    print(f"| again, unchanged | {again[1]:.2f} | {again[2]:.2f} |")
    print(f"| so many times faster | {clock / again[1]:.0f} | {cpu / again[2]:.0f} |", flush=True)


def edits(source: Path, folder: Path, encoder: Projected, count: int) -> None:
    """The most texts that one edited sentence embeds."""
    _ingested(source, folder, encoder)
    draw = random.Random(6)
    files = sorted(source.rglob("*.md"))
    embedded: list[int] = []
    while len(embedded) < count:
        path = draw.choice(files)
        before = path.read_bytes()
        if lawbooks.edit(path, draw):
            embedded.append(_ingested(source, folder, encoder, dry_run=True).embedded)
        path.write_bytes(before)
    mean = sum(embedded) / len(embedded)
    print(f"\nOne edited sentence, {count} times: at most {max(embedded)} texts embedded, {mean:.1f} on average")


def versions(scratch: Path, encoder: Projected) -> tuple[int, int]:
    """How many texts the new version embeds once the old one is there, and a change of metadata alone."""
    folder, books = scratch / "versions", lawbooks.versions()
    source = lawbooks.lay(sorted(books[OLD].glob("*.md")), scratch / "old")
    _ingested(source, folder, encoder)
    lawbooks.lay(sorted(books[NEW].glob("*.md")), source)
    embedded = _ingested(source, folder, encoder).embedded
    for path in source.rglob("*.md"):
        path.write_text(path.read_text(encoding="utf-8").replace("kind: ", "owner: compliance\nkind: ", 1))
    return embedded, _ingested(source, folder, encoder).embedded


def missing_packages() -> bool:
    """Whether LangChain's own store and record manager are absent."""
    try:
        part("langchain_classic.indexes", "SQLRecordManager")
        part("langchain_text_splitters", "RecursiveCharacterTextSplitter")
    except ImportError:
        return True
    return False


def peer(*, dated: bool) -> tuple[int, int]:
    """The same steps with LangChain's `index()`: texts that it embeds for the new version, and for new metadata."""
    counter = Counting()
    store = part("langchain_core.vectorstores", "InMemoryVectorStore")(counter)
    manager = part("langchain_classic.indexes", "SQLRecordManager")("bench", db_url="sqlite:///:memory:")
    manager.create_schema()
    counts = []
    for day, owner in ((OLD, ""), (NEW, ""), (NEW, "compliance")):
        pieces = documents(sorted(lawbooks.versions()[day].glob("*.md")), dated=dated, owner=owner)
        counter.embedded = 0
        part("langchain_core.indexing", "index")(
            pieces, manager, store, cleanup="full", source_id_key="source", key_encoder="sha256"
        )
        counts.append(counter.embedded)
    return counts[1], counts[2]


class Counting(part("langchain_core.embeddings", "Embeddings")):  # type: ignore[misc]
    """LangChain's form of an embedding that counts what it is asked for."""

    embedded = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One number each."""
        self.embedded += len(texts)
        return [[1.0, float(len(text) % 7)] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Never asked."""
        return self.embed_documents([text])[0]


def documents(files: Sequence[Path], *, dated: bool, owner: str) -> list[Any]:
    """LangChain's documents: pieces of each file with the metadata that an application keeps beside them."""
    make = part("langchain_core.documents", "Document")
    splitter = part("langchain_text_splitters", "RecursiveCharacterTextSplitter")(
        chunk_size=SIZE, chunk_overlap=OVERLAP
    )
    found = []
    for path, (name, body) in zip(files, lawbooks.sections(files), strict=True):
        told = {"source": name}
        day = _DATE.search(path.read_text(encoding="utf-8"))
        if dated and day:
            told["effective_date"] = day.group(1)
        if owner:
            told["owner"] = owner
        found += [make(page_content=piece, metadata=dict(told)) for piece in splitter.split_text(body)]
    return found


def _ingested(source: Path, folder: Path, encoder: MiniLM | Projected, *, dry_run: bool = False) -> IngestReport:
    how = Options(at=time.time(), dry_run=dry_run, on=lawbooks.AFTER)
    return ingest([Folder(source)], folder, {encoder.name: encoder}, [IndexSpec(embedding=encoder.name)], how)


def _timed(source: Path, folder: Path, model: MiniLM) -> tuple[IngestReport, float, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    report = _ingested(source, folder, model)
    return report, time.perf_counter() - clock, time.process_time() - cpu


def _unembedded(source: Path, folder: Path, model: MiniLM) -> list[Row]:
    """What the first ingestion embeds, found out in a folder of its own."""
    spec = IndexSpec(embedding=model.name)
    rows = unembedded([Folder(source)], folder, {model.name: model}, [spec], Options(at=time.time()))
    shutil.rmtree(folder)
    return rows[model.name]


def _embedding(rows: Sequence[Row], model: MiniLM) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in embed_here(rows, model):
        pass
    return time.perf_counter() - clock, time.process_time() - cpu


if __name__ == "__main__":
    main()
