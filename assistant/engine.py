"""Vertex AI Search as a further retriever: what a serving configuration finds, as evidence that may be shown."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from assistant.discovery import Discovery, Refused, Unanswered
from knowledge.document import Kind
from knowledge.library import Reader
from opsplane.evidence import Evidence, Origin
from opsplane.guardrails import pii
from opsplane.release import Engine

LONGEST = 8_000
"""Characters of one passage that are read."""

_QUERY = 1_000  # characters of a question that are sent
_SPARE = 2  # asked for so many times as are wanted, since some may not be in force
_MOST = 50
_CHUNKS = {"search_result_mode": "CHUNKS"}
_SEGMENTS = {"search_result_mode": "DOCUMENTS", "extractive_content_spec": {"max_extractive_segment_count": 2}}


class _Segment(BaseModel):
    content: str = ""
    id: str = ""


class _Derived(BaseModel):
    title: str = ""
    link: str = ""
    extractive_segments: list[_Segment] = []


class _Document(BaseModel):
    id: str = ""
    struct_data: dict[str, Any] | None = None
    derived_struct_data: _Derived | None = None


class _Metadata(BaseModel):
    uri: str = ""
    title: str = ""
    struct_data: dict[str, Any] | None = None


class _Chunk(BaseModel):
    name: str = ""
    id: str = ""
    content: str = ""
    document_metadata: _Metadata | None = None


class _Result(BaseModel):
    """One result: a document with its segments, or a chunk."""

    document: _Document | None = None
    chunk: _Chunk | None = None


class _Found(BaseModel):
    """What is read of a search's answer."""

    results: list[_Result] = Field(default=[])


class Told(BaseModel):
    """A passage as the service tells it; `facts` are the document's own data, as the bank put them there."""

    id: str
    document: str
    title: str
    link: str
    text: str
    facts: Mapping[str, Any]


class Engines:
    """Serving configurations, and which of them cut documents into chunks."""

    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery
        self._whole: set[str] = set()

    async def search(self, query: str, engine: Engine, reader: Reader) -> list[Evidence]:
        """What the reader may read of what it finds, best first and numbered from 1; raises `Unanswered`."""
        request = {
            "serving_config": engine.name,
            "query": sent(query),
            "page_size": min(_SPARE * engine.passages, _MOST),
            "filter": _filter(reader.audiences),
        }
        answer = await self._answer(request, engine)
        try:
            told = [passage for result in _Found.model_validate(answer).results for passage in _passages(result)]
        except ValidationError as error:
            raise Unanswered("the answer is no search response") from error
        found = [one for one in (_evidence(passage, reader) for passage in told) if one]
        return [one.model_copy(update={"number": n}) for n, one in enumerate(found[: engine.passages], start=1)]

    async def _answer(self, request: Mapping[str, Any], engine: Engine) -> Mapping[str, Any]:
        """Chunks; where the data store does not cut its documents, which it says by refusing, extractive segments."""
        ask, begun = self._discovery.search, self._discovery.clock()
        if engine.name not in self._whole:
            try:
                return await ask({**request, "content_search_spec": _CHUNKS}, engine.timeout_seconds)
            except Refused as refusal:
                if refusal.code != 400:
                    raise
        left = engine.timeout_seconds - (self._discovery.clock() - begun)
        answer = await ask({**request, "content_search_spec": _SEGMENTS}, left)
        self._whole.add(engine.name)
        return answer


def sent(text: str) -> str:
    """A question as it leaves the house: not too long, masked, and with nothing that UTF-8 cannot carry."""
    return pii.mask(text[:_QUERY]).encode("utf-8", "replace").decode()


def _filter(audiences: frozenset[str]) -> str:
    """In the service's language for filters; the data store must have `audience` as an indexable field."""
    named = ", ".join(f'"{one}"' for one in sorted(audiences))
    return f"audience: ANY({named})"


def _passages(result: _Result) -> Iterator[Told]:
    if chunk := result.chunk:
        about = chunk.document_metadata or _Metadata()
        document = chunk.name.partition("/documents/")[2].partition("/")[0]
        yield _told(document, chunk.id, about.title, about.uri, chunk.content, about.struct_data)
    elif document_ := result.document:
        derived = document_.derived_struct_data or _Derived()
        for number, segment in enumerate(derived.extractive_segments, start=1):
            id_ = segment.id or str(number)
            yield _told(document_.id, id_, derived.title, derived.link, segment.content, document_.struct_data)


def _told(document: str, id_: str, title: str, link: str, text: str, facts: Mapping[str, Any] | None) -> Told:
    facts = facts or {}
    named = _word(facts.get("id")) or document
    return Told(
        id=f"{document or named}#{id_}",
        document=named,
        title=str(facts.get("title") or title or named),
        link=str(facts.get("source") or link),
        text=text[:LONGEST].strip(),
        facts=facts,
    )


def _evidence(told: Told, reader: Reader) -> Evidence | None:
    """The passage as evidence; None where the reader may not read it today, or nothing says that he may."""
    version = _word(told.facts.get("version"))
    try:
        begin, end = _day(told.facts.get("effective_from")), _day(told.facts.get("effective_to"))
    except ValueError:  # a day that cannot be read may be over
        return None
    if not told.text or not told.document or not _may_read(told.facts.get("audience"), reader):
        return None
    if {told.document, f"{told.document}@{version}"} & reader.without:
        return None
    if (begin and begin > reader.on) or (end and end < reader.on):
        return None
    kind = told.facts.get("kind")
    return Evidence(
        number=1,
        origin=Origin.PASSAGE,
        id=told.id,
        document=told.document,
        title=told.title,
        version=version,
        kind=str(kind) if kind in _KINDS else Kind.DOCUMENT.value,
        effective_from=begin,
        effective_to=end,
        source=told.link,
        text=told.text,
        sha256=hashlib.sha256(told.text.encode()).hexdigest(),
    )


_KINDS: Sequence[str] = [kind.value for kind in Kind]


def _may_read(audience: object, reader: Reader) -> bool:
    """Whether one of the audiences that are told is the reader's; what tells none is for nobody."""
    told = audience if isinstance(audience, list) else [audience]
    return any(one in reader.audiences for one in told if isinstance(one, str))


def _word(told: object) -> str:
    """A fact as a word; the service's numbers are all fractions."""
    return str(int(told) if isinstance(told, float) and told.is_integer() else told or "")


def _day(told: object) -> date | None:
    """A day as it is told, also one with a time behind it; raises `ValueError`."""
    return date.fromisoformat(str(told)[:10]) if told else None
