"""One search of one generation: what a question asks, who might answer it, and the best of that as passages."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge import decompose, rank, thesaurus
from knowledge.chunk import Chunk
from knowledge.encoder import Encoder
from knowledge.generation import Generation, Ints
from knowledge.passages import Assembly, Layout, Passage, Ranked, Shape, assemble
from knowledge.rank import Floats, SearchPlan
from knowledge.shelf import Nearest, Shelf

Read = Callable[[Sequence[str]], list[Chunk]]

_LONGEST_QUERY = 4_000
"""Characters of a query that are searched for; the rest is not read."""
_CONTEXT = 0.5
"""How much of the whole question a part of it carries along."""
_EVERYDAY = 0.5
"""How much the words count, in BM25, that a customer's own words stand for."""


@dataclass(frozen=True)
class Reader:
    """Who searches, as of which day; documents in `without` (`fees@2`, or `fees`) are withdrawn."""

    on: date
    audiences: frozenset[str]
    without: frozenset[str] = frozenset()


class Hit(BaseModel):
    """A passage that was found: the chunk that answers best, with its neighbours where they were joined to it.

    `chunk` has the text of all of them and the id of the best, `parts` their ids in reading order. `score` is fused,
    comparable only within one search; `cosine`, in [-1, 1], is the raw similarity of the question and the best window.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk: Chunk
    parts: tuple[str, ...]
    score: float
    cosine: float


class Found(BaseModel):
    """What a search found, best first, and in which generation of which index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    generation: str
    hits: tuple[Hit, ...] = ()
    unasked: str = ""  # why the store of vectors did not answer; every vector in the files was compared instead


@dataclass(frozen=True)
class Scored:
    """The candidates for a question or a part of it, by position: cosine of the best window and its unit vector, BM25,
    and the score of all of it."""

    pool: Ints
    cosines: Floats
    vectors: Floats
    words: Floats
    scores: Floats


@dataclass(frozen=True)
class Search:
    """A search that was made: its candidates, for the whole question and for its parts, and what became of them."""

    asked: tuple[Scored, ...]
    made: Assembly
    unasked: str = ""


def search(query: str, shelf: Shelf, plan: SearchPlan, encoder: Encoder, read: Read) -> Found:
    """Search a shelf; nothing is found where nothing may be read or nothing is asked."""
    opened = shelf.generation
    done = run(query, shelf, plan, encoder)
    found = Found(index=opened.index, generation=opened.name)
    if done is None:
        return found
    ids = [id_ for one in done.made.passages for id_ in opened.ids[one.first : one.last + 1]]
    chunks = dict(zip(ids, read(ids), strict=True))
    hits = tuple(_hit(one, done, opened, chunks) for one in done.made.passages)
    return found.model_copy(update={"hits": hits, "unasked": done.unasked})


def run(query: str, shelf: Shelf, plan: SearchPlan, encoder: Encoder) -> Search | None:
    """The search itself, before a text is read; None where nothing may be read or nothing is asked."""
    text = query[:_LONGEST_QUERY]
    if not text.strip() or not shelf.readable.any():
        return None
    questions = (text, *(decompose.parts(text) if plan.decompose else ()))
    worded = _worded(questions, shelf, plan, encoder)
    asked = tuple(_scored(one, shelf, plan) for one in worded)
    opened = shelf.generation
    ranked = [Ranked(one.pool, one.scores, one.vectors) for one in asked]
    shape = Shape(count=plan.passages, size=plan.passage_characters, alike=plan.alike)
    made = assemble(ranked, Layout(opened.document, opened.length), shape)
    return Search(asked, made, next((one.near.unasked for one in worded if one.near.unasked), ""))


@dataclass(frozen=True)
class _Worded:
    """A question or a part of it: its unit vector, the BM25 score of every chunk, and the nearest chunks."""

    vector: Floats
    words: Floats
    near: Nearest


def _worded(questions: Sequence[str], shelf: Shelf, plan: SearchPlan, encoder: Encoder) -> list[_Worded]:
    """What is searched for.

    Where nothing is near, a customer's own words are searched for in those of the documents too. A part of a question
    carries the whole along, since it may name what the part only points to.
    """
    first, opened = list(encoder.encode(questions)), shelf.generation
    vectors, words = list(first), [opened.lexical.scores(one) for one in questions]
    near = shelf.nearest(first[0], plan.pool)
    if plan.familiar and opened.cosines(first[0], near.chunks[:1])[0].max(initial=-1.0) < plan.familiar:
        for number, question in enumerate(questions):
            if meant := "; ".join(thesaurus.meant(question)):
                words[number] = (words[number] + _EVERYDAY * opened.lexical.scores(meant)).astype(np.float32)
                vectors[number] = _unit(vectors[number] + encoder.encode([f"{question} {meant}"])[0])
    for number in range(1, len(questions)):
        vectors[number] = _unit(vectors[number] + _CONTEXT * vectors[0])
        words[number] = ((words[number] + _CONTEXT * words[0]) / (1 + _CONTEXT)).astype(np.float32)
    nearest = [near if one is first[0] else shelf.nearest(one, plan.pool) for one in vectors]
    return [_Worded(*told) for told in zip(vectors, words, nearest, strict=True)]


def _scored(worded: _Worded, shelf: Shelf, plan: SearchPlan) -> Scored:
    """The candidates of both searches, with their scores."""
    vector, opened = worded.vector, shelf.generation
    words = np.where(shelf.readable, worded.words, 0)
    matching = np.flatnonzero(words > 0)
    pool = np.union1d(worded.near.chunks, matching[rank.best(words[matching], plan.pool)])
    windows, starts = opened.windows_of(pool)
    vectors = opened.vectors(opened.row[windows])
    cosines = (vectors @ vector).astype(np.float32)
    best = _best_of(cosines, starts)
    part = rank.soft_maximum(*opened.sentences(vector, pool))
    document = opened.documents[opened.document[pool]] @ vector
    meaning = rank.meaning(rank.soft_maximum(cosines, starts), part, document, plan)
    fused = rank.fuse(meaning, words[pool], plan.dense_weight)
    scores = rank.weigh(fused, [opened.kinds[kind] for kind in opened.kind[pool]], plan.kind_weights)
    return Scored(pool, cosines[best], vectors[best], words[pool], scores)


def _best_of(cosines: Floats, starts: Ints) -> Ints:
    """Of each chunk the place of its best window among `cosines`."""
    if not len(starts):
        return starts
    highest = np.repeat(np.maximum.reduceat(cosines, starts), np.diff(starts, append=len(cosines)))
    places = np.flatnonzero(cosines == highest)
    return places[np.searchsorted(places, starts)]


def _hit(passage: Passage, done: Search, opened: Generation, known: Mapping[str, Chunk]) -> Hit:
    ids = opened.ids[passage.first : passage.last + 1]
    chunks = [known[one] for one in ids]
    best = chunks[passage.best - passage.first]
    scored = done.asked[passage.part]
    place = int(np.searchsorted(scored.pool, passage.best))
    whole = done.asked[0]
    at = int(np.searchsorted(whole.pool, passage.best))
    cosine = float(scored.cosines[place])
    if at < len(whole.pool) and whole.pool[at] == passage.best:
        cosine = float(whole.cosines[at])
    return Hit(chunk=_joined(chunks, best), parts=ids, score=float(scored.scores[place]), cosine=cosine)


def _joined(chunks: Sequence[Chunk], best: Chunk) -> Chunk:
    """Neighbours as one chunk, under the headings that they share; headings that only some have go into the text."""
    if len(chunks) == 1:
        return best
    shared = tuple(headings[0] for headings in _same(chunks))
    pieces: list[str] = []
    told = shared
    for one in chunks:
        if one.section != told:
            pieces += [f"## {heading}" for heading in one.section[len(shared) :]]
            told = one.section
        pieces.append(one.text)
    text = "\n\n".join(pieces)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    page = next((one.page for one in chunks if one.page is not None), None)
    return best.model_copy(update={"text": text, "section": shared, "sha256": sha256, "page": page})


def _same(chunks: Sequence[Chunk]) -> Iterator[tuple[str, ...]]:
    """The headings of all chunks, level by level, as long as they are one."""
    return takewhile(lambda level: len(set(level)) == 1, zip(*(one.section for one in chunks), strict=False))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
