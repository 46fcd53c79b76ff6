"""`opsplane bench` and `opsplane tune`: the product's own retrieval on anybody's judged questions."""

import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from assistant import bootstrap, retrieval_sweep, shell, trials, tuning
from assistant.bench_report import Bench
from assistant.retrieval_sweep import Sweep
from assistant.shell import Data, Json, err, out
from assistant.trials import JudgedSet
from assistant.tuning import Evidence, Setting
from knowledge.judged import MEASURES, Mean
from opsplane.errors import InvalidRequest

bench = typer.Typer(help="The product's own retrieval, measured on anybody's judged questions.", no_args_is_help=True)
tune = typer.Typer(help="Settings chosen on judged questions, as a release fragment.", no_args_is_help=True)

_Files = tuple[Path | None, Path | None, Path | None]
Corpus = Annotated[Path | None, typer.Option("--corpus", help='Documents: JSON lines with "_id", "title", "text".')]
Queries = Annotated[Path | None, typer.Option("--queries", help='Questions: JSON lines with "_id", "text".')]
Qrels = Annotated[Path | None, typer.Option("--qrels", help="Judgements: query id, document id, grade between tabs.")]
Named = Annotated[str | None, typer.Option("--release", help="Id of a release file. [OPSPLANE_RELEASE]")]
Settings_ = Annotated[
    list[str] | None,
    typer.Option("--setting", help="field=value of the search, in place of the release's; may be given again."),
]
Cut = Annotated[
    list[str] | None, typer.Option("--chunking", help="field=value of how documents are cut; may be given again.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Index again what an earlier run kept.")]


@bench.command("retrieval")
def bench_retrieval(  # noqa: PLR0913 - each option is a parameter
    corpus_file: Corpus = None,
    queries: Queries = None,
    qrels: Qrels = None,
    release: Named = None,
    setting: Settings_ = None,
    chunking: Cut = None,
    run: Annotated[Path | None, typer.Option("--run", help="Write the rankings here, as TREC has them.")] = None,
    fresh: Fresh = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Measure search on your own documents, questions and judgements.

    Files are in BEIR's form, plain or gzipped. Documents are cut, embedded and
    indexed as the release's are, and searched as it searches; a document is
    where its best passage is, 50 passages deep. The index stays under the data
    folder in trials/, so that a second run embeds nothing.

    Told are nDCG@10, recall@5 and @10, MRR@10 and MAP, each with its 95 %
    interval (bootstrap over questions), and the time of a search. Questions
    to which nothing is judged relevant are left out, and counted.

    \b
    opsplane bench retrieval --corpus corpus.jsonl --queries queries.jsonl --qrels qrels.tsv
    opsplane bench retrieval … --setting dense_weight=0.6 --chunking max_tokens=256

    Ends with 0, or with 2 where a line cannot be read: then nothing was done.
    """
    found = shell.chosen(data, release=release)
    chosen = trials.release_of(found)
    plan, spec = trials.plan(chosen, setting or ()), trials.spec(chosen, found, chunking or ())
    judged = trials.read(*_three(corpus_file, queries, qrels))
    with shell.progress() as bar:
        model = bootstrap.embeddings_of(found, bar)
        with trials.indexed(judged, spec, found, model, bar, fresh=fresh) as asking:
            rankings = trials.asked(asking, judged.questions, plan, bar, "Asking", timed=True)
    told = Bench(judged, spec, plan, rankings)
    if run:
        _write(run, told.run())
    if as_json:
        shell.print_json(told.as_json())
    else:
        out.print(Markdown(told.markdown()))
        err.print(f"The index is kept in {trials.place(judged, spec, found)}.", markup=False, highlight=False)


@tune.command("retrieval")
def tune_retrieval(  # noqa: PLR0913 - each option is a parameter
    corpus_file: Corpus = None,
    queries: Queries = None,
    qrels: Qrels = None,
    dataset: Annotated[
        Path | None, typer.Option("--dataset", help="Golden questions over the documents here, instead of such files.")
    ] = None,
    weights: Annotated[str, typer.Option(help="Shares of the meaning to try, with commas.")] = "",
    chunks: Annotated[str, typer.Option(help="Sizes of chunks to try, in word pieces: each embeds anew.")] = "",
    overlaps: Annotated[str, typer.Option(help="Overlaps of windows to try: each embeds anew.")] = "",
    measure: Annotated[str, typer.Option(help=f"What is to be best: {', '.join(MEASURES)}.")] = "nDCG@10",
    most: Annotated[int, typer.Option(help="Questions that are asked, at most.", min=1)] = 500,
    output: Annotated[Path | None, typer.Option("--output", help="Write the setting as a release fragment.")] = None,
    release: Named = None,
    fresh: Fresh = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Sweep fusion and number of passages, and chunk sizes where named, on judged questions.

    Which setting is best is decided on four fifths of the questions and scored on the rest, five times over: another
    than the release's is chosen only where that gains beyond chance. --output writes a release fragment, with its
    evidence. Other sizes of chunks want the documents embedded again; what that takes is told before it begins.

    opsplane tune retrieval --dataset tests/golden --output retrieval.yaml

    Ends with 1 where there are too few questions to choose by, with 2 where a line cannot be read.
    """
    files = _asked(measure, dataset, (corpus_file, queries, qrels))
    found = shell.chosen(data, release=release)
    chosen = trials.release_of(found)
    now = Setting(trials.spec(chosen, found, ()), trials.plan(chosen, ()))
    settings = retrieval_sweep.grid(now, weights, chunks, overlaps)
    with shell.progress() as bar:
        model = bootstrap.embeddings_of(found, bar)
        judged = trials.golden(dataset, found, model, now.spec, bar) if dataset else trials.read(*_three(*files))
        sweep = Sweep(judged, trials.sample(judged.questions, most), found, model, bar, fresh)
        for told in sweep.costs([one.spec for one in settings]):
            err.print(told, markup=False, highlight=False)
        choice, rankings = sweep.choice(settings, measure)
    evidence = _evidence(judged, len(sweep.questions), tuning.by_passages(rankings))
    taken = tuning.passages(rankings, now.plan.passages)
    if output:
        _write(output, tuning.fragment(choice, evidence, taken))
        err.print(f"The setting is in {output}; its lines go under `retrieval:` of a release.", soft_wrap=True)
    if as_json:
        shell.print_json(tuning.as_json(choice, evidence, taken))
    else:
        out.print(Markdown(tuning.markdown(choice, evidence, taken)))
    raise typer.Exit(shell.FINE if len(sweep.questions) >= tuning.FEWEST else shell.VIOLATED)


def _evidence(judged: JudgedSet, asked: int, k: Mapping[int, Mean]) -> Evidence:
    return Evidence(
        title=judged.title,
        digest=judged.digest,
        questions=asked,
        documents=len(judged.documents),
        on=datetime.now(UTC).date(),
        command=shlex.join(["opsplane", *sys.argv[1:]]),
        k=k,
    )


def _asked(measure: str, dataset: Path | None, files: _Files) -> _Files:
    """The files of a set, if it is one; raise `InvalidRequest` for what does not go together."""
    if measure not in MEASURES:
        raise InvalidRequest(f"--measure {measure[:40]}: there are {', '.join(MEASURES)}.")
    if dataset and any(files):
        raise InvalidRequest("Give either --dataset, or --corpus, --queries and --qrels.")
    return files


def _three(corpus: Path | None, queries: Path | None, qrels: Path | None) -> tuple[Path, Path, Path]:
    if corpus is None or queries is None or qrels is None:
        raise InvalidRequest("Name the three files of the set with --corpus, --queries and --qrels.")
    return corpus, queries, qrels


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror}.") from error
