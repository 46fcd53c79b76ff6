"""Why a search found what it found: every candidate with its scores, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.chunk import Chunk
from knowledge.encoder import Encoder
from knowledge.rank import SearchPlan
from knowledge.search import Read, Reader, Scored, Search, run
from knowledge.shelf import Shelf

MOST = 50
"""So many candidates are looked at, of those that may be read and of all."""


class Candidate(BaseModel):
    """A passage that might have been used. `scores` are by name: "cosine" of the question and its best window,
    "lexical" (BM25), and "fused", what all of it comes to; `rank` counts from 1 among those that may be read, None for
    one that may not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk: Chunk
    scores: Mapping[str, float]
    rank: int | None
    used: bool
    reason: str


class Trace(BaseModel):
    """A search explained. `candidates` may be read, best first; `barred` would have matched and may not be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str
    index: str
    generation: str
    on: date
    candidates: tuple[Candidate, ...] = ()
    barred: tuple[Candidate, ...] = ()


def explain(query: str, shelf: Shelf, reader: Reader, plan: SearchPlan, encoder: Encoder, read: Read) -> Trace:
    """The search as it is made for this reader, with what it left out and what the reader may not read."""
    opened = shelf.generation
    told = Trace(query=query, index=opened.index, generation=opened.name, on=reader.on)
    done = run(query, shelf, plan, encoder)
    every = run(query, Shelf(opened, np.ones(len(opened.ids), np.bool_)), plan, encoder)
    if every is None:
        return told
    barred = [place for place in _order(every.asked[0]) if not shelf.readable[place]]
    scores = _scores(every.asked[0])
    chunks = read([opened.ids[place] for place in barred])
    return told.model_copy(
        update={
            "candidates": tuple(_ranked(done, opened.ids, read)) if done else (),
            "barred": tuple(
                Candidate(chunk=chunk, scores=scores[place], rank=None, used=False, reason=_bar(chunk, reader))
                for place, chunk in zip(barred, chunks, strict=True)
            ),
        }
    )


def _ranked(done: Search, ids: Sequence[str], read: Read) -> list[Candidate]:
    """Those that may be read, best first; what only a part of the question found comes after."""
    scores: dict[int, Mapping[str, float]] = {}
    places: list[int] = []
    for asked in done.asked:
        scores = {**_scores(asked), **scores}
        places += [place for place in _order(asked) if place not in places]
    used = {n for one in done.made.passages for n in range(one.first, one.last + 1)}
    shown = [place for number, place in enumerate(places) if number < MOST or place in used]
    return [
        Candidate(chunk=chunk, scores=scores[place], rank=rank, used=place in used, reason=done.made.reasons[place])
        for rank, (place, chunk) in enumerate(zip(shown, read([ids[place] for place in shown]), strict=True), 1)
    ]


def _order(asked: Scored) -> list[int]:
    return [int(asked.pool[place]) for place in np.argsort(-asked.scores, kind="stable")[:MOST]]


def _scores(asked: Scored) -> dict[int, Mapping[str, float]]:
    columns = {"cosine": asked.cosines, "lexical": asked.words, "fused": asked.scores}
    return {
        int(position): {name: float(column[place]) for name, column in columns.items()}
        for place, position in enumerate(asked.pool)
    }


def _bar(chunk: Chunk, reader: Reader) -> str:
    """Why a reader may not read a passage."""
    if {chunk.document_id, f"{chunk.document_id}@{chunk.version}"} & reader.without:
        return "withdrawn by an operator"
    if chunk.effective_from > reader.on:
        return f"not in force before {chunk.effective_from}"
    if chunk.effective_to and chunk.effective_to < reader.on:
        return f"not in force after {chunk.effective_to}"
    return f"for another audience: {chunk.audience}"
