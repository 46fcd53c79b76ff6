"""Passages for a turn: the library's hits as numbered evidence."""

import asyncio
import re
from collections.abc import Callable
from datetime import date

from knowledge.chunk import Chunk
from knowledge.library import Found, Library, Reader, SearchPlan
from opsplane.evidence import Evidence, Origin, Retrieved
from opsplane.parts import Retrieve
from opsplane.release import Release

CUSTOMERS = frozenset({"customer"})
"""The audience that answers are made for, whoever asks."""

_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def retriever(library: Library, today: Callable[[], date], withdrawn: Callable[[], frozenset[str]]) -> Retrieve:
    """What a turn is handed: search as the release says, among documents in force today and not withdrawn."""

    async def retrieve(query: str, release: Release) -> Retrieved:
        wanted = release.retrieval

        def search() -> Found:
            reader = Reader(today(), CUSTOMERS, withdrawn())
            return library.search(query, reader, plan(release), index=wanted.index, generation=wanted.generation or "")

        found = await asyncio.to_thread(search)
        told = [
            evidence(number, hit.chunk, score=round(hit.score, 6), cosine=round(hit.cosine, 6))
            for number, hit in enumerate(found.hits, start=1)
        ]
        return Retrieved(passages=tuple(told), index=found.index, generation=found.generation)

    return retrieve


def plan(release: Release) -> SearchPlan:
    """How a release searches."""
    return SearchPlan(**release.retrieval.model_dump(exclude={"index", "generation"}, exclude_none=True))


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


def _section(chunk: Chunk) -> str:
    """The path of headings above the passage, and those inside it where it spans several sections."""
    inside = "; ".join(_HEADING.findall(chunk.text))
    return " › ".join(part for part in (*chunk.section, inside) if part)
