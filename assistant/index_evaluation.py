"""Two indexes on the same golden questions: what each finds, and what is answered from it through the real turn."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assistant import bootstrap, passages, questions
from assistant.bootstrap import App, Progress
from assistant.index_comparison import Comparison, Side, judged
from assistant.settings import Settings
from knowledge import relevance
from knowledge.library import Library, Reader
from opsplane.errors import InvalidRequest, NotFound
from opsplane.evaluation import dataset as datasets
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.evaluate import Result, evaluate
from opsplane.evaluation.paired import Part
from opsplane.evidence import Retrieved
from opsplane.exchange import Exchange
from opsplane.parts import Retrieve
from opsplane.release import Release

RECALL, NDCG, RIGHT, GROUNDED = "recall@5", "nDCG@10", "right answers", "groundedness"
DEPTH = 30
"""Passages that are ranked for recall and nDCG, which go by document."""

Found = tuple[Sequence[str], Mapping[str, float]]
"""Documents as they were ranked, and which of them are relevant."""
_NOTHING: Part = (0.0, 0.0)


def run(path: Path, new: str, old: str, settings: Settings, margin: float, progress: Progress) -> Comparison:
    """Ask the golden questions twice, on the day on which they were true, with the passages of either index.

    The release is that of `settings`. Both indexes stay at the generation that they serve at the beginning. Record,
    people and accounts live in a folder that is removed afterwards. Raises `NotFound` for an index that there is not.
    """
    if new == old:
        raise InvalidRequest(f"{new} cannot be compared with itself: name another index with --against.")
    golden = datasets.load(path)
    clock = questions.clock_on(golden.as_of.isoformat(), settings.zone)
    with tempfile.TemporaryDirectory(prefix="opsplane-indexes-") as folder:
        apart = {f"{name}_url": f"sqlite:///{Path(folder) / name}.db" for name in ("record", "keys", "chat", "bank")}
        apart["anchor"] = str(Path(folder) / "anchor")
        with bootstrap.build(replace(settings, **apart), progress, clock) as app:  # type: ignore[arg-type]
            before, after = (side(app.library, index) for index in (old, new))
            results = [asyncio.run(_asked(golden, app, one, progress)) for one in (before, after)]
            ranked = [_found(app, golden, one, asked) for one, asked in zip((before, after), results, strict=True)]
            release = app.parts.plane.stable().short
    rows = [_rows(asked, found) for asked, found in zip(results, ranked, strict=True)]
    sides = [
        one.model_copy(update={"wrong": sum(len(r.stated) + len(r.unsupported) for r in asked)})
        for one, asked in zip((before, after), results, strict=True)
    ]
    head = {"dataset": str(path), "as_of": golden.as_of, "release": release, "questions": len(golden.cases)}
    return judged(rows[0], rows[1], sides, margin, head)


def side(library: Library, index: str) -> Side:
    """An index as it serves now; raise `NotFound` where there is none that does."""
    indexes = library.indexes()
    generation = library.generation(index) if index in indexes else ""
    if not generation:
        raise NotFound(f"There is no index {index[:80]!r}. There are: {', '.join(indexes) or 'none'}.")
    return Side(index=index, generation=generation)


async def _asked(golden: Dataset, app: App, one: Side, progress: Progress) -> list[Result]:
    """Every case through the turn, in conversations of this index alone."""
    apart = replace(app, parts=replace(app.parts, retrieve=_through(app.parts.retrieve, one)))

    async def ask(name: str, conversation: str, text: str) -> Exchange:
        return await questions.exchange_of(apart, name, f"{one.index}-{conversation}", text)

    def told(_what: str, done: int, total: int) -> None:
        progress(f"Questions on {one.index}", done, total)

    return await evaluate(golden, ask, told)


def _through(retrieve: Retrieve, one: Side) -> Retrieve:
    """The same search in another index, whatever the release names."""

    async def through(query: str, release: Release) -> Retrieved:
        return await retrieve(query, searching(release, one.index, one.generation))

    return through


def searching(release: Release, index: str, generation: str = "") -> Release:
    """The release with another index, and with a generation of it where one is named."""
    wanted = release.retrieval.model_copy(update={"index": index, "generation": generation or None})
    return release.model_copy(update={"retrieval": wanted})


def _found(app: App, golden: Dataset, one: Side, results: Sequence[Result]) -> dict[str, Found]:
    """What each answerable case finds, by the question as the turn understood it, and what it ought to find."""
    plan = passages.plan(app.parts.plane.stable()).model_copy(update={"passages": DEPTH})
    reader = Reader(golden.as_of, passages.CUSTOMERS)
    held = {document.id for document in app.library.whole(one.index, one.generation)}
    found: dict[str, Found] = {}
    for result in results:
        wanted = held & set(result.case.documents)  # the others are account tools
        if result.case.expect != "answer" or not wanted:
            continue
        asked = result.exchange.standalone or result.exchange.question
        hits = app.library.search(asked, reader, plan, index=one.index, generation=one.generation).hits
        found[result.case.id] = [hit.chunk.document_id for hit in hits], dict.fromkeys(sorted(wanted), 1.0)
    return found


def _rows(results: Sequence[Result], found: Mapping[str, Found]) -> dict[str, dict[str, Part]]:
    """What each case gives for each measure; a case of which nothing can be found counts for the answers alone."""
    cases = {one.case.id: one for one in results}
    return {
        RECALL: {name: (relevance.recall(*found[name], 5), 1.0) if name in found else _NOTHING for name in cases},
        NDCG: {name: (relevance.ndcg(*found[name], 10), 1.0) if name in found else _NOTHING for name in cases},
        RIGHT: {name: (float(one.passed), 1.0) for name, one in cases.items()},
        GROUNDED: {name: _grounded(one.exchange) for name, one in cases.items()},
    }


def _grounded(exchange: Exchange) -> Part:
    """The model's sentences that passed the checks, of all that it wrote; fixed replies cite nothing."""
    passed = sum(bool(one.cites) for one in exchange.sentences)
    return float(passed), float(passed + len(exchange.withheld))
