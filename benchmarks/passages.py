"""The very sentence: questions over regulations and statutes, beside LangChain's splitter and ensemble.

`python -m benchmarks.passages [--library DIR]` reads `regqa`, `cfpb_regs` and `us_code` from the folder that
OPSPLANE_BENCH_DATA names, else from ../shared/data beside the repository. Searched are the latest versions of all
regulations and the statutes. A question counts where its evidence stands, whole and verbatim but for white space, in
one of the first five passages; of a question about two sections, where both are among them. "Section" is the share of
questions with the right section among the five. Passages differ in length, so their mean characters stand beside, and
LangChain's row is given for its first ten as well. --library keeps the index for another run.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ensemble, lawbooks
from benchmarks.ensemble import Ensemble, Passage
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.ingest import Options, ingest
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec
from opsplane.guardrails.sweep import wilson

FIRST = 5
READER = Reader(lawbooks.AFTER, frozenset({"customer"}))

Find = Callable[[str], list[Passage]]


@dataclass(frozen=True)
class Row:
    """A question, its kind, its evidence, the sections that answer it, and those in which the evidence stands."""

    question: str
    kind: str
    evidence: str
    gold: tuple[str, ...]
    holding: frozenset[str]


def main() -> None:
    """Index, ask, and print the table."""
    lawbooks.needed("regqa", "cfpb_regs", "us_code")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--library", type=Path)
    kept = options.parse_args().library
    rows = list(questions(lawbooks.DATA / "regqa" / "regqa_dev.jsonl"))
    model = embedding.load(lawbooks.MODELS)
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "library"
        source = lawbooks.lay(lawbooks.latest(), Path(scratch) / "source")
        report = ingest([Folder(source)], folder, {model.name: model}, [IndexSpec(embedding=model.name)], Options(at=0))
        print(f"{len(rows)} questions; {report.chunks:,} chunks; {report.embedded:,} windows embedded now\n")
        print("| | very sentence | both sections | section | mean characters | CPU ms |\n|---|---|---|---|---|---|")
        with closing(Library(folder, {model.name: model})) as library:
            line(f"ours, first {FIRST}", rows, lambda text: found(library, text), FIRST)
            cosines(library, rows)
    told = ensemble.missing()
    if told:
        print(told)
        return
    peer(rows, model)


def questions(path: Path) -> Iterator[Row]:
    """The rows of the set."""
    for told in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(told)
        gold = tuple(row["gold_docs"])
        holding = frozenset({*gold, *row.get("also_contains_evidence", ())})
        yield Row(row["question"], row["type"], plain(row.get("evidence", "")), gold, holding)


def found(library: Library, question: str, count: int = FIRST) -> list[Passage]:
    """The first passages, each with its document."""
    hits = library.search(question, READER, SearchPlan(passages=count)).hits
    return [Passage(hit.chunk.document_id, hit.chunk.text) for hit in hits]


def line(name: str, rows: Sequence[Row], find: Find, count: int) -> None:
    """Print a row of the table."""
    find("warm up")
    sentence, both, section, lengths, spent = [], [], [], [], 0.0
    for row in rows:
        began = time.process_time()
        passages = find(row.question)[:count]
        spent += time.process_time() - began
        names = {one.name for one in passages}
        lengths.append(sum(len(one.text) for one in passages) / max(len(passages), 1))
        if row.kind == "multi":
            both.append(set(row.gold) <= names)
        elif row.evidence:
            sentence.append(any(row.evidence in plain(one.text) for one in passages))
            section.append(bool(row.holding & names))
    shares = [share(flags) for flags in (sentence, both, section)]
    print(f"| {name} | {' | '.join(shares)} | {np.mean(lengths):,.0f} | {1000 * spent / len(rows):.1f} |", flush=True)


def cosines(library: Library, rows: Sequence[Row]) -> None:
    """Whether the best cosine tells what the documents answer from what they do not: the area under its curve."""
    best: dict[bool, list[float]] = {True: [], False: []}
    for row in rows:
        hits = library.search(row.question, READER, SearchPlan()).hits
        best[row.kind != "unanswerable"].append(max((hit.cosine for hit in hits), default=0.0))
    pairs = [(yes > no) + (yes == no) / 2 for yes in best[True] for no in best[False]]
    means = " and ".join(f"{np.mean(best[kind]):.2f}" for kind in (True, False))
    print(
        f"\nBest cosine: {means} on the mean of {len(best[True])} answerable and {len(best[False])} unanswerable, "
        f"AUC {np.mean(pairs):.2f}; the highest of an unanswerable one is {max(best[False]):.2f}\n",
        flush=True,
    )


def peer(rows: Sequence[Row], model: MiniLM) -> None:
    """The same questions to LangChain's splitter and ensemble, with the same embeddings."""
    texts = [Passage(name, text) for name, text in lawbooks.sections(lawbooks.latest())]
    with closing(Ensemble(texts, model)) as search:
        what = f"LangChain, {ensemble.SIZE:,}/{ensemble.OVERLAP} + ensemble"
        print(f"{what}: {search.pieces:,} pieces\n")
        print("| | very sentence | both sections | section | mean characters | CPU ms |\n|---|---|---|---|---|---|")
        for count in (FIRST, 2 * FIRST):
            line(f"{what}, first {count}", rows, search.find, count)


def plain(text: str) -> str:
    """White space as one blank, typewriter's quotation marks."""
    return re.sub(r"\s+", " ", text.replace("’", "'").replace("“", '"').replace("”", '"')).strip()


def share(flags: Sequence[bool]) -> str:
    """A share with its 95 % interval (Wilson)."""
    low, high = wilson(sum(flags), len(flags))
    return f"{sum(flags)} of {len(flags)}, {np.mean(flags):.3f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
