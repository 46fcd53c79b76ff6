"""Gemini: `generateContent`, `streamGenerateContent`, `countTokens`, cached contents."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex.cloud import Cloud, Verb, told

_MODEL = (
    r"/v1(beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/publishers/google/models/(?P<model>[^/:]+)"
)


async def _count(cloud: Cloud, request: Request, body: Any) -> Response:
    return told({"totalTokens": len(str(body)) // 4})


VERBS = (Verb("gemini.count", "POST", rf"{_MODEL}:countTokens", _count),)
