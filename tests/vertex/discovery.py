"""Discovery Engine: search of a data store, the ranking API, check grounding; all three by the words they are sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from knowledge.chunk import Chunk
from tests.vertex.cloud import Cloud, Refusal, Verb, told

MODELS = frozenset({"semantic-ranker-default-004", "semantic-ranker-default-003", "semantic-ranker-512@latest"})
_MOST_RECORDS, _MOST_FACTS = 200, 200
_NAME = r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
_STORE = r"/collections/(?P<collection>[^/]+)/(engines|dataStores)/(?P<store>[^/]+)"
_WORD = re.compile(r"[a-z0-9$%.]*[a-z0-9%]")
_FILTER = re.compile(r'(\w+): ANY\(("[^"]*"(?:, ?"[^"]*")*)\)')
_EMPTY = frozenset(
    re.findall("[a-z]+", "a an and are as at be by can do does for from how i in is it my of on or the to")
)


@dataclass
class Store:
    """The documents of one engine: their data and their text in pieces; `chunked` says how it was set up."""

    chunked: bool = True
    documents: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = field(default_factory=dict)

    def put(self, id_: str, pieces: Iterable[str], /, **data: Any) -> None:
        """Add a document, or put another version in its place."""
        self.documents[id_] = (data, tuple(pieces))


def store(cloud: Cloud, name: str = "bank") -> Store:
    """The engine of that name, made when it is first named."""
    made: Store = cloud.held.setdefault("discovery", {}).setdefault(name, Store())
    return made


def fill(cloud: Cloud, chunks: Iterable[Chunk], name: str = "bank") -> None:
    """Put passages of a library into an engine, with the facts of their documents."""
    documents: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        documents.setdefault(re.sub(r"[^\w-]", "-", f"{chunk.document_id}-{chunk.version}"), []).append(chunk)
    for id_, held in documents.items():
        facts = held[0].model_dump(
            mode="json", include={"title", "kind", "audience", "version", "effective_from", "effective_to", "source"}
        )
        store(cloud, name).put(id_, [one.text for one in held], id=held[0].document_id, **facts)


async def _search(cloud: Cloud, request: Request, body: Any) -> Response:
    held: dict[str, Store] = cloud.held.get("discovery", {})
    known = held.get(request.path_params["store"])
    if known is None:
        raise Refusal(404, "NOT_FOUND", f"Engine {request.path_params['store']} not found.")
    spec = body.get("contentSearchSpec", {})
    chunks = spec.get("searchResultMode") in ("CHUNKS", 2)  # Google's client sends enums as numbers
    if chunks and not known.chunked:
        raise Refusal(400, "INVALID_ARGUMENT", "search_result_mode CHUNKS needs a data store with chunking.")
    wanted = _wanted(body.get("filter", ""))
    pieces = [
        (_likeness(body["query"], text), id_, number)
        for id_, (data, texts) in known.documents.items()
        if all(str(data.get(name)) in values for name, values in wanted)
        for number, text in enumerate(texts)
    ]
    best = sorted((one for one in pieces if one[0] > 0), key=lambda one: (-one[0], one[1], one[2]))
    where = f"{request.url.path.partition('/v1/')[2].partition('/engines/')[0]}/dataStores/docs/branches/0/documents"
    size = body.get("pageSize", 10)
    results = _chunks(best, known, where, size) if chunks else _documents(best, known, where, spec, size)
    return told({"results": results, "totalSize": len(results), "attributionToken": "local"})


def _chunks(best: list[tuple[float, str, int]], known: Store, where: str, size: int) -> list[Any]:
    results = []
    for score, id_, number in best[:size]:
        data, texts = known.documents[id_]
        about = {"uri": f"gs://bank/{id_}.md", "title": str(data.get("title", id_)), "structData": data}
        chunk = {"name": f"{where}/{id_}/chunks/c{number}", "id": f"c{number}", "content": texts[number]}
        results.append({"id": f"c{number}", "chunk": {**chunk, "relevanceScore": score, "documentMetadata": about}})
    return results


def _documents(best: list[tuple[float, str, int]], known: Store, where: str, spec: Any, size: int) -> list[Any]:
    most = spec.get("extractiveContentSpec", {}).get("maxExtractiveSegmentCount", 0)
    results = []
    for id_ in list(dict.fromkeys(one[1] for one in best))[:size]:
        data, texts = known.documents[id_]
        segments = [{"pageNumber": "1", "content": texts[n]} for _, other, n in best if other == id_][:most]
        derived = {"title": str(data.get("title", id_)), "link": f"gs://bank/{id_}.md", "extractive_segments": segments}
        document = {"name": f"{where}/{id_}", "id": id_, "structData": data, "derivedStructData": derived}
        results.append({"id": id_, "document": document})
    return results


def _wanted(given: str) -> list[tuple[str, frozenset[str]]]:
    """A filter of the form `field: ANY("a", "b")`, with AND between several."""
    found = [(one[1], frozenset(re.findall(r'"([^"]*)"', one[2]))) for one in _FILTER.finditer(given)]
    if given and not found:
        raise Refusal(400, "INVALID_ARGUMENT", f"Unsupported filter {given!r}.")
    return found


async def _rank(cloud: Cloud, request: Request, body: Any) -> Response:
    records = body.get("records", [])
    if not records or len(records) > _MOST_RECORDS:
        raise Refusal(400, "INVALID_ARGUMENT", f"Between 1 and {_MOST_RECORDS} records can be ranked.")
    if body.get("model", "semantic-ranker-512@latest") not in MODELS:
        raise Refusal(400, "INVALID_ARGUMENT", f"Model {body['model']} is not supported.")
    ranked = [
        {"id": one["id"], "score": _likeness(body.get("query", ""), f"{one.get('title', '')} {one.get('content', '')}")}
        | ({} if body.get("ignoreRecordDetailsInResponse") else one)
        for one in records
    ]
    ranked.sort(key=lambda one: -one["score"])
    return told({"records": ranked[: body.get("topN") or None]})


async def _check(cloud: Cloud, request: Request, body: Any) -> Response:
    """A claim is supported as far as its words stand in one fact, and not at all where a figure does not."""
    answer, facts = body.get("answerCandidate", ""), body.get("facts", [])
    if not answer or not facts or len(facts) > _MOST_FACTS:
        raise Refusal(400, "INVALID_ARGUMENT", f"An answer and 1 to {_MOST_FACTS} facts are required.")
    scores = [_support(answer, one["factText"]) for one in facts]
    least = body.get("groundingSpec", {}).get("citationThreshold", 0.6)
    cited = [n for n, score in enumerate(scores) if score >= least]
    claim = {"startPos": 0, "endPos": len(answer.encode()), "claimText": answer, "groundingCheckRequired": True}
    return told(
        {
            "supportScore": max(scores),
            "citedChunks": [{"chunkText": facts[n]["factText"], "source": str(n)} for n in cited],
            "claims": [{**claim, "citationIndices": list(range(len(cited)))}],
        }
    )


def _words(text: str) -> set[str]:
    return {one.rstrip(".").removesuffix("s") for one in _WORD.findall(text.lower())} - _EMPTY


def _likeness(query: str, text: str) -> float:
    """The share of the query's words that a text holds, a little less the longer it is."""
    asked, there = _words(query), _words(text)
    return round(len(asked & there) / max(len(asked), 1) * (1 - min(len(there), 1_000) / 10_000), 4)


def _support(claim: str, fact: str) -> float:
    said, there = _words(claim), _words(fact)
    if {one for one in said if any(c.isdigit() for c in one)} - there:
        return 0.02
    return round(len(said & there) / max(len(said), 1), 4)


VERBS = (
    Verb("search.search", "POST", rf"{_NAME}{_STORE}/servingConfigs/(?P<config>[^/:]+):search", _search),
    Verb("search.rank", "POST", rf"{_NAME}/rankingConfigs/(?P<config>[^/:]+):rank", _rank),
    Verb("search.check", "POST", rf"{_NAME}/groundingConfigs/(?P<config>[^/:]+):check", _check),
)
