"""Gemini: `generateContent`, `streamGenerateContent` and `countTokens`, and which models there are.

Under `cloud.held["gemini"]` stand `bills`, what each call cost, and `cancelled`, the tokens that had been written when
a client went away; `chunk` may say how many tokens a stream sends at once.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.vertex import clock, gemini_bills, gemini_caches, gemini_models, gemini_request, gemini_written, tuning
from tests.vertex.cloud import Cloud, Verb, told
from tests.vertex.gemini_request import Asked
from tests.vertex.gemini_written import Written

CHUNK = 5
"""Tokens that a stream sends at once."""
_VERSION = r"/v1(beta1)?"
_MODEL = (
    rf"{_VERSION}/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/"
    r"(?P<kind>publishers/google/models|endpoints)/(?P<model>[^/:]+)"
)
_CATALOGUE = rf"{_VERSION}/publishers/google/models"
_GONE = 499
"""What others answer, too, where nobody waits any more."""


async def _generate(cloud: Cloud, request: Request, body: Any) -> Response:
    written, begun = await _write(cloud, request, body, "gemini.generate"), time.monotonic()
    location = request.path_params["location"]
    if await _stays(request, cloud.pace.first_token + cloud.pace.token * written.tokens):
        gemini_bills.note(cloud, written, location)
        return told(_stamped(cloud, request, {**written.whole()}))
    waited = time.monotonic() - begun - cloud.pace.first_token
    done = int(max(0.0, waited) / cloud.pace.token) if cloud.pace.token else 0
    gemini_bills.note(cloud, written, location, min(done, written.tokens))
    return Response(status_code=_GONE)


async def _stream(cloud: Cloud, request: Request, body: Any) -> Response:
    written = await _write(cloud, request, body, "gemini.stream")
    if not await _stays(request, cloud.pace.first_token):
        gemini_bills.note(cloud, written, request.path_params["location"], 0)
        return Response(status_code=_GONE)
    chunks = _chunks(cloud, request, written)
    if request.query_params.get("alt") == "sse":
        return StreamingResponse(_events(chunks), media_type="text/event-stream")
    return StreamingResponse(_array(chunks), media_type="application/json")


async def _write(cloud: Cloud, request: Request, body: Any, call: str) -> Written:
    """The answer to a request; raise `Refusal` for what is wrong with it."""
    model, path = _model(cloud, request), request.url.path
    if gemini_models.is_embedding(model):
        raise gemini_request.invalid(f"Model {model} does not support generateContent.")
    cached = gemini_caches.used(cloud, body, model, call, path)
    asked = gemini_request.read(body, model, cached)
    return await asyncio.to_thread(gemini_written.write, cloud, asked, call, path)


async def _chunks(cloud: Cloud, request: Request, written: Written) -> AsyncIterator[dict[str, Any]]:
    """The pieces of an answer, in their time; a client that goes away ends it, and what was written is noted."""
    sent, size = 0, int(gemini_bills.held(cloud).get("chunk", CHUNK))
    location = request.path_params["location"]
    try:
        while sent + size < len(written.pieces):
            text = "".join(written.pieces[sent : sent + size])
            candidate = written.candidate(text, last=False, thought=sent == 0)
            # only the last piece says what was used, as on Vertex AI
            usage = {"trafficType": "ON_DEMAND"}
            yield _stamped(cloud, request, {"candidates": [candidate], "usageMetadata": usage, **_version(written)})
            sent += size
            await asyncio.sleep(cloud.pace.token * size)
    except asyncio.CancelledError:
        gemini_bills.note(cloud, written, location, sent)
        raise
    gemini_bills.note(cloud, written, location)
    end = written.end("".join(written.pieces[sent:]), thought=sent == 0)
    yield _stamped(cloud, request, {**end, **_version(written)})


async def _events(chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\r\n\r\n"


async def _array(chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    before = "["
    async for chunk in chunks:
        yield f"{before}{json.dumps(chunk, indent=2)}\n"
        before = ",\r\n"
    yield "]"


def _stamped(cloud: Cloud, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "createTime": clock.stamp(clock.now(cloud)), "responseId": f"r{id(request):x}"}


def _version(written: Written) -> dict[str, str]:
    return {"modelVersion": written.asked.model}


async def _stays(request: Request, seconds: float) -> bool:
    """Whether the client is still there after so long."""
    if seconds <= 0:
        return True
    listening = asyncio.create_task(_left(request))
    try:
        done, _ = await asyncio.wait({listening}, timeout=seconds)
    finally:
        listening.cancel()
    return not done


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _model(cloud: Cloud, request: Request) -> str:
    """The model of a call, behind a tuned one its base; raise `Refusal` where there is none."""
    at = request.path_params
    if at["kind"] == "endpoints":
        gemini_models.must_be_ours(cloud, at["project"], "predict")
        return tuning.base_of(cloud, f"projects/{at['project']}/locations/{at['location']}/endpoints/{at['model']}")
    gemini_models.check(cloud, at["project"], at["location"], at["model"])
    return str(at["model"])


async def _count(cloud: Cloud, request: Request, body: Any) -> Response:
    model = _model(cloud, request)
    body = gemini_request.camel(body)
    given = {**body, **(body.get("generateContentRequest") or {})}
    asked = Asked(
        model=model,
        contents=gemini_request.turns(given.get("contents")),
        system=gemini_request.text_of(given.get("systemInstruction") or {}),
        tools=gemini_request.declarations(given.get("tools") or ()),
    )
    letters = sum(len("".join(gemini_request.text_of(turn).split())) for turn in asked.contents)
    return told({"totalTokens": asked.prompt_tokens, "totalBillableCharacters": letters})


async def _describe(cloud: Cloud, request: Request, body: Any) -> Response:
    model = request.path_params["model"]
    gemini_models.check(cloud, cloud.project, "global", model)
    return told(_described(model))


async def _list(cloud: Cloud, request: Request, body: Any) -> Response:
    return told({"publisherModels": [_described(one) for one in sorted(gemini_models.known(clock.now(cloud).date()))]})


def _described(model: str) -> dict[str, Any]:
    return {"name": f"publishers/google/models/{model}", "versionId": "default", "launchStage": "GA"}


VERBS = (
    Verb("gemini.generate", "POST", rf"{_MODEL}:generateContent", _generate),
    Verb("gemini.stream", "POST", rf"{_MODEL}:streamGenerateContent", _stream),
    Verb("gemini.count", "POST", rf"{_MODEL}:countTokens", _count),
    Verb("gemini.describe", "GET", rf"{_CATALOGUE}/(?P<model>[^/:]+)", _describe),
    Verb("gemini.models", "GET", _CATALOGUE, _list),
    *gemini_caches.VERBS,
)
