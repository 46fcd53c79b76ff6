"""Passages for a turn: the library's hits as numbered evidence."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import date

from knowledge.chunk import Chunk
from knowledge.library import Library, SearchPlan
from opsplane.evidence import Evidence, Origin
from opsplane.parts import Retrieve
from opsplane.release import Release

CUSTOMERS = frozenset({"customer"})
"""The audience that answers are made for, whoever asks."""

_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def retriever(library: Library, today: Callable[[], date]) -> Retrieve:
    """What a turn is handed: search as the release says, among documents in force today."""

    async def retrieve(query: str, release: Release) -> Sequence[Evidence]:
        wanted = release.retrieval
        plan = SearchPlan(
            passages=wanted.passages,
            pool=wanted.pool,
            dense_weight=wanted.dense_weight,
            kind_weights=wanted.kind_weights,
        )
        hits = await asyncio.to_thread(library.search, query, on=today(), audiences=CUSTOMERS, plan=plan)
        return [
            evidence(number, hit.chunk, score=round(hit.score, 6), cosine=round(hit.cosine, 6))
            for number, hit in enumerate(hits, start=1)
        ]

    return retrieve


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
