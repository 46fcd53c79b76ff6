"""Retrieval quality and cost on FiQA-mini: dense, lexical and fused.

    python benchmarks/retrieval.py [--data DIR]

DIR holds `fiqa_mini/` with corpus.jsonl, queries.jsonl and qrels.tsv; without it, the environment variable
OPSPLANE_BENCH_DATA, then `../shared/data` beside the repository. FiQA-mini is a derived set of 962 questions
and 1,494 answers: its figures are not comparable with BEIR's FiQA.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from knowledge import embedding  # noqa: E402 - the repository need not be installed
from knowledge.chunk import Chunking  # noqa: E402
from knowledge.ingest import ingest  # noqa: E402
from knowledge.library import Library, SearchPlan  # noqa: E402

Ranking = Callable[[str], list[str]]
ON, EVERYBODY = date(2026, 1, 1), frozenset({"customer"})


def documents(library: Library, dense_weight: float) -> Ranking:
    """A ranking of document ids by a library, best first."""
    plan = SearchPlan(passages=50, dense_weight=dense_weight)

    def ranked(query: str) -> list[str]:
        hits = library.search(query, on=ON, audiences=EVERYBODY, plan=plan)
        return list(dict.fromkeys(hit.chunk.document_id for hit in hits))

    return ranked


def ndcg(found: list[str], relevant: set[str], at: int = 10) -> float:
    """Normalised discounted cumulative gain with binary relevance."""
    gain = sum(1 / np.log2(place + 2) for place, name in enumerate(found[:at]) if name in relevant)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(at, len(relevant))))
    return float(gain / ideal)


def recall(found: list[str], relevant: set[str], at: int = 5) -> float:
    """Share of the relevant documents among the first `at`."""
    return len(set(found[:at]) & relevant) / len(relevant)


def measure(library: Library, queries: dict[str, str], relevant: dict[str, set[str]]) -> None:
    """Print the table. Queries are embedded before, so that each row's time is the search alone."""
    print("| ranking | nDCG@10 | recall@5 | CPU ms a search | against dense |\n|---|---|---|---|---|")
    weights = {"dense": 1.0, "BM25": 0.0, **{f"fused, a = {a:.1f}": a for a in (0.4, 0.5, 0.6, 0.7)}}
    base = 0.0
    for name, weight in weights.items():
        rank = documents(library, weight)
        started = time.process_time()
        found = {key: rank(queries[key]) for key in relevant}
        spent = 1000 * (time.process_time() - started) / len(found)
        base = base or spent
        gain = np.mean([ndcg(found[key], relevant[key]) for key in relevant])
        share = np.mean([recall(found[key], relevant[key]) for key in relevant])
        print(f"| {name} | {gain:.3f} | {share:.3f} | {spent:.1f} | {spent / base:.2f} |", flush=True)


def main() -> None:
    """Index the answers in a folder that is deleted afterwards, and ask all questions."""
    options = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data")
    options.add_argument("--data", type=Path, default=Path(default))
    source = options.parse_args().data / "fiqa_mini"
    if not (source / "corpus.jsonl").exists():
        sys.exit("FiQA-mini is not there: name its parent folder with --data or OPSPLANE_BENCH_DATA.")
    queries = {row["_id"]: row["text"] for row in _lines(source / "queries.jsonl")}
    relevant: dict[str, set[str]] = defaultdict(set)
    with (source / "qrels.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            relevant[row["query-id"]].add(row["corpus-id"])
    model = embedding.load(ROOT / ".data" / "models")
    with tempfile.TemporaryDirectory() as scratch:
        texts = Path(scratch, "texts")
        texts.mkdir()
        for row in _lines(source / "corpus.jsonl"):
            head = f"---\nid: {row['_id']}\ntitle: Answer\n---\n"
            Path(texts, f"{row['_id']}.md").write_text(head + row["text"].replace("#", ""))
        folder = Path(scratch, "library")
        report = ingest([texts], folder, model, Chunking(), lambda *_: None)
        print(f"{len(report.added):,} answers, {report.chunks:,} chunks, {report.embedded:,} windows\n")
        library = Library.open(folder, model)
        started = time.process_time()
        for start in range(0, len(queries), 100):
            model.encode(list(queries.values())[start : start + 100])
        spent = 1000 * (time.process_time() - started) / len(queries)
        print(f"Embedding a query: {spent:.1f} ms CPU\n")
        measure(library, queries, relevant)
        library.close()


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    main()
