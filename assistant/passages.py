"""Passages for a turn: the library's hits as numbered evidence."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date

from assistant.discovery import Discovery, Unanswered
from assistant.engine import Engines
from assistant.ranking import config, ranked
from knowledge.chunk import Chunk
from knowledge.document import UNDATED, Kind
from knowledge.library import Found, Library, Reader, SearchPlan
from opsplane.evidence import Evidence, Origin, Retrieved
from opsplane.parts import Retrieve
from opsplane.release import Engine, Release

log = logging.getLogger(__name__)

CUSTOMERS = frozenset({"customer"})
"""The audience that answers are made for, whoever asks."""

_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_HASHES = re.compile(r"^#{1,6} +", re.MULTILINE)
_RANKS = 60  # the constant of reciprocal ranks
_MOST = 50  # passages that a search gives


def retriever(
    library: Library,
    today: Callable[[], date],
    withdrawn: Callable[[], frozenset[str]],
    discovery: Discovery | None = None,
) -> Retrieve:
    """What a turn is handed: search as the release says, among documents in force today and not withdrawn.

    Vertex AI Search is searched at the same time, and the ranking API asked, where the release names them and there
    is a door to them; what they do not answer in time is left out. The generation that is told is the index's.
    """
    return _Search(library, lambda: Reader(today(), CUSTOMERS, withdrawn()), discovery)


def open_clients(release: Release, discovery: Discovery) -> None:
    """Open what a release names beside the index, since its first question should not wait for that.

    Raises `InvalidRequest`, naming the setting, where it can never be asked.
    """
    if engine := release.retrieval.engine:
        discovery.open("search", engine.name)
    if release.retrieval.ranking:
        discovery.open("rank", config(discovery.cloud))


class _Search:
    """The index and, where a release names them, what is asked beside it and after it."""

    def __init__(self, library: Library, reader: Callable[[], Reader], discovery: Discovery | None) -> None:
        self._library = library
        self._reader = reader
        self._discovery = discovery
        self._engines = Engines(discovery) if discovery else None

    async def __call__(self, query: str, release: Release) -> Retrieved:
        wanted = release.retrieval
        search = asyncio.to_thread(self._index, query, release)
        if wanted.engine and self._engines:
            beside = _or_nothing("search", self._beside(query, wanted.index, wanted.engine, self._engines))
            found, others = await asyncio.gather(search, beside)
        else:
            found, others = await search, []
        told = [
            evidence(number, hit.chunk, score=round(hit.score, 6), cosine=round(hit.cosine, 6))
            for number, hit in enumerate(found.hits, start=1)
        ]
        if others:
            told = merged(told, others, plan(release).kind_weights)
        if wanted.ranking and self._discovery:
            told = await _or_nothing("ranking", ranked(query, told, wanted.ranking, self._discovery)) or told
        chosen = enumerate(told[: wanted.passages], start=1)
        passages = tuple(one.model_copy(update={"number": number}) for number, one in chosen)
        return Retrieved(passages=passages, index=found.index, generation=found.generation, unasked=found.unasked)

    def _index(self, query: str, release: Release) -> Found:
        wanted = release.retrieval
        generation = wanted.generation or ""
        return self._library.search(query, self._reader(), plan(release), index=wanted.index, generation=generation)

    async def _beside(self, query: str, index: str, engine: Engine, engines: Engines) -> list[Evidence]:
        """What Vertex AI Search finds, with cosines that compare with the index's."""
        found = await engines.search(query, engine, await asyncio.to_thread(self._reader))
        chunks = [_chunk(one) for one in found]
        cosines = await asyncio.to_thread(self._library.likeness, query, chunks, index)
        pairs = zip(found, cosines, strict=True)
        return [one.model_copy(update={"cosine": round(cosine, 6)}) for one, cosine in pairs]


async def _or_nothing(name: str, asked: Awaitable[list[Evidence]]) -> list[Evidence]:
    """What Google's service answers; nothing, and a line in the log, where it does not."""
    try:
        return await asked
    except Unanswered as missing:
        log.warning("Vertex AI Search (%s) is left out: %s", name, missing)
    except (LookupError, ValueError, RuntimeError) as error:  # of the model that embeds, which may be far away too
        log.error("Vertex AI Search (%s) failed: %s", name, type(error).__name__)
    return []


def merged(ours: Sequence[Evidence], others: Sequence[Evidence], weights: Mapping[str, float]) -> list[Evidence]:
    """Two lists as one, best first; what both found is the index's passage.

    The scale is that of reciprocal ranks (Cormack, Clarke, Büttcher 2009): 1 / (60 + place) in each list, added up;
    of the others, whose ranking knows nothing of it, times the weight of the document's kind. At equal scores the
    index's own passage is first.
    """
    scores = [1 / (_RANKS + place) for place in range(1, len(ours) + 1)]
    passages = list(ours)
    for place, other in enumerate(others, start=1):
        share = weights.get(other.kind, 1.0) / (_RANKS + place)
        same = next((n for n, one in enumerate(passages) if _same(one, other)), None)
        if same is None:
            passages.append(other)
            scores.append(share)
        elif same < len(ours):
            scores[same] += share
    order = sorted(range(len(passages)), key=lambda n: -scores[n])
    return [passages[n].model_copy(update={"score": round(scores[n], 6)}) for n in order]


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether two passages are of one document, and one says all that the other does."""
    if one.document != other.document:
        return False
    first, second = (" ".join(_HASHES.sub("", text.text).split()) for text in (one, other))
    return first in second or second in first


def plan(release: Release) -> SearchPlan:
    """How a release searches."""
    wanted = release.retrieval
    told = wanted.model_dump(exclude={"index", "generation", "engine", "ranking"}, exclude_none=True)
    if wanted.ranking:  # it is shown more than are used
        told["passages"] = max(wanted.passages, min(wanted.ranking.passages, _MOST))
    return SearchPlan(**told)


def evidence(number: int, chunk: Chunk, score: float = 0.0, cosine: float = 0.0) -> Evidence:
    """A chunk as the source of that number."""
    return Evidence(
        number=number,
        origin=Origin.PASSAGE,
        id=chunk.id,
        document=chunk.document_id,
        title=chunk.title,
        section=_section(chunk),
        version=chunk.version,
        kind=str(chunk.kind),
        effective_from=chunk.effective_from,
        effective_to=chunk.effective_to,
        source=chunk.source,
        text=chunk.text,
        sha256=chunk.sha256,
        score=score,
        cosine=cosine,
    )


def _chunk(one: Evidence) -> Chunk:
    """A passage from elsewhere as the index would hold it."""
    return Chunk(
        id=one.id,
        document_id=one.document,
        title=one.title,
        section=(),
        kind=Kind(one.kind),
        audience="customer",
        version=one.version,
        effective_from=one.effective_from or UNDATED,
        effective_to=one.effective_to,
        owner="",
        source=one.source,
        text=one.text,
        sha256=one.sha256,
    )


def _section(chunk: Chunk) -> str:
    """The path of headings above the passage, and those inside it where it spans several sections."""
    inside = "; ".join(_HEADING.findall(chunk.text))
    return " › ".join(part for part in (*chunk.section, inside) if part)
