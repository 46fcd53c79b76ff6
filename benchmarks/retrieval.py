"""Retrieval on FiQA-mini through the product's own commands: dense, lexical, ours, and LangChain's ensemble.

`python -m benchmarks.retrieval` reads `fiqa_mini/` from the folder that OPSPLANE_BENCH_DATA names, else from
../shared/data beside the repository. FiQA-mini is a derived set of 962 questions and 1,494 answers: its figures are not
comparable with BEIR's FiQA. "Ours" is the setting that every release begins with, the same for every collection; it was
chosen with this set among four in sight. `opsplane bench retrieval` measures the same on any other set. Questions are
embedded before, so that each row's time is the search alone; times are of the processor.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from assistant import corpus, trials
from assistant.settings import Settings
from assistant.trials import JudgedSet
from benchmarks import ensemble
from benchmarks.ensemble import Ensemble, Passage
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.judged import MEASURES, Ranking, mean
from knowledge.rank import SearchPlan

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))
PLANS = {
    "dense alone": SearchPlan(dense_weight=1, part_weight=0, document_weight=0),
    "BM25 alone": SearchPlan(dense_weight=0),
    "ours": SearchPlan(),
}
SHOWN = ("nDCG@10", "recall@5")


def main() -> None:
    """Index the answers in a folder that is deleted afterwards, and ask all questions."""
    folder = DATA / "fiqa_mini"
    if not (folder / "corpus.jsonl").exists():
        sys.exit(f"skipped: {folder} is not there; OPSPLANE_BENCH_DATA names the folder above it.")
    judged = trials.read(*(folder / name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv")))
    model = embedding.load(ROOT / ".data" / "models")
    started = time.process_time()
    for one in judged.questions:
        model.encode([one.text])
    spent = 1000 * (time.process_time() - started) / len(judged.questions)
    print(
        f"{len(judged.questions):,} questions, {len(judged.documents):,} answers; a question embedded: {spent:.1f} ms\n"
    )
    print("| ranking | nDCG@10 | recall@5 | CPU ms a search |\n|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as scratch,
        trials.indexed(judged, corpus.SPEC, Settings(data=Path(scratch)), model, lambda *_: None) as asking,
    ):
        for name, plan in PLANS.items():
            row(name, trials.asked(asking, judged.questions, plan, lambda *_: None, name, timed=True))
    told = ensemble.missing()
    if told:
        print(f"\n{told}")
    else:
        row("LangChain's EnsembleRetriever (BM25 + Chroma)", langchain(judged, model))


def row(name: str, rankings: Sequence[Ranking]) -> None:
    """Print a row: means with 95 % intervals over questions, processor time."""
    means = [str(mean([MEASURES[one](ranking) for ranking in rankings])) for one in SHOWN]
    spent = sum(one.cpu for one in rankings) / len(rankings)
    print(f"| {name} | {' | '.join(means)} | {spent:.1f} |", flush=True)


def langchain(judged: JudgedSet, model: MiniLM) -> list[Ranking]:
    """Its rankings of the same texts, cut by its own splitter, with the same embeddings."""
    texts = [Passage(judged.names[one.id], one.sections[0].text) for one in judged.documents]
    rankings = []
    with closing(Ensemble(texts, model)) as search:
        search.find("warm up")
        for question in judged.questions:
            began = time.process_time()
            found = search.find(question.text)
            spent = 1000 * (time.process_time() - began)
            rankings.append(Ranking(question, tuple((one.name, 0.0) for one in found), spent, 0.0))
    return rankings


if __name__ == "__main__":
    main()
