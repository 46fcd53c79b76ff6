"""Cached contents: the stable beginning of prompts, kept by the server until its time is over by the cloud's clock."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex import clock, gemini_models, gemini_request, gemini_tokens
from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.faults import Kind

LEAST = 2_048
"""Tokens below which nothing is kept; `cloud.held["gemini least cached"]` may say another number."""
_PARENT = r"/v1(beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/cachedContents"
_ONE = rf"{_PARENT}/(?P<cache>[^/:]+)"
_TTL = re.compile(r"(\d+)(?:\.\d+)?s")
_DEFAULT_TTL = 3_600
_PRIVATE = frozenset({"contents", "systemInstruction", "tools", "toolConfig"})


def used(cloud: Cloud, body: Any, model: str, call: str, path: str) -> Mapping[str, Any] | None:
    """The content that a request names, or None; raise `Refusal` where it may not be used so, or is gone."""
    name = body.get("cachedContent") if isinstance(body, dict) else None
    if not name:
        return None
    if any(body.get(part) for part in ("systemInstruction", "tools", "toolConfig")):
        raise gemini_request.invalid(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request."
        )
    if cloud.faults.special(call, path, Kind.EXPIRED):
        _caches(cloud).pop(str(name), None)
    found = _there(cloud, str(name))
    own = str(found["model"]).rpartition("/")[2]
    if own != model:
        raise gemini_request.invalid(
            f"Model used by GenerateContent request (models/{model}) and CachedContent (models/{own}) has to be the "
            "same."
        )
    if path.partition("/locations/")[2].partition("/")[0] != str(name).split("/")[3]:
        raise _gone(str(name))
    return found


async def _create(cloud: Cloud, request: Request, body: Any) -> Response:
    project, location = _place(cloud, request)
    body = gemini_request.camel(body)
    model = str(body.get("model", "")).rpartition("/")[2]
    gemini_models.check(cloud, project, location, model)
    tokens = (
        gemini_tokens.count(gemini_request.text_of(body.get("systemInstruction") or {}))
        + gemini_tokens.of_value(list(gemini_request.declarations(body.get("tools") or ())))
        + gemini_tokens.of_contents(body.get("contents") or ())
    )
    least = int(cloud.held.get("gemini least cached", LEAST))
    if tokens < least:
        raise gemini_request.invalid(
            f"The cached content is of {tokens} tokens. The minimum token count to start caching is {least}."
        )
    at = clock.now(cloud)
    caches = _caches(cloud)
    with cloud.lock:
        cloud.held["gemini caches made"] = number = int(cloud.held.get("gemini caches made", 0)) + 1
    name = f"projects/{project}/locations/{location}/cachedContents/{1_000_000 + number}"
    caches[name] = {
        **body,
        "name": name,
        "model": f"projects/{project}/locations/{location}/publishers/google/models/{model}",
        "createTime": clock.stamp(at),
        "updateTime": clock.stamp(at),
        "tokens": tokens,
        "expires": _expiry(body, at),
    }
    return told(_shown(caches[name]))


async def _get(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(_shown(_asked(cloud, request)))


async def _patch(cloud: Cloud, request: Request, body: Any) -> Response:
    found = _asked(cloud, request)
    if not {"ttl", "expireTime"} & set(body):
        raise gemini_request.invalid("Only ttl and expireTime of cached content can be changed.")
    at = clock.now(cloud)
    found.update(expires=_expiry(body, at), updateTime=clock.stamp(at))
    return told(_shown(found))


async def _delete(cloud: Cloud, request: Request, body: Any) -> Response:
    _caches(cloud).pop(str(_asked(cloud, request)["name"]))
    return told({})


async def _list(cloud: Cloud, request: Request, body: Any) -> Response:
    project, location = _place(cloud, request)
    parent, at = f"projects/{project}/locations/{location}/", clock.now(cloud)
    found = [one for name, one in sorted(_caches(cloud).items()) if name.startswith(parent) and one["expires"] > at]
    return told({"cachedContents": [_shown(one) for one in found]})


def _asked(cloud: Cloud, request: Request) -> dict[str, Any]:
    project, location = _place(cloud, request)
    return _there(cloud, f"projects/{project}/locations/{location}/cachedContents/{request.path_params['cache']}")


def _place(cloud: Cloud, request: Request) -> tuple[str, str]:
    project = request.path_params["project"]
    gemini_models.must_be_ours(cloud, project, "cachedContents")
    return project, request.path_params["location"]


def _there(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] | None = _caches(cloud).get(name)
    if found is None or found["expires"] <= clock.now(cloud):
        raise _gone(name)
    return found


def _gone(name: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", f"Not found: cached content metadata for {name.rpartition('/')[2]}.")


def _caches(cloud: Cloud) -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = cloud.held.setdefault("gemini caches", {})
    return held


def _expiry(body: Mapping[str, Any], at: datetime) -> datetime:
    if told_at := body.get("expireTime"):
        return datetime.fromisoformat(str(told_at))
    written = str(body.get("ttl") or f"{_DEFAULT_TTL}s")
    found = _TTL.fullmatch(written)
    if not found or int(found[1]) < 1:
        raise gemini_request.invalid(f"Invalid ttl {written!r}: a number of seconds such as 3600s is wanted.")
    return at + timedelta(seconds=int(found[1]))


def _shown(cache: Mapping[str, Any]) -> dict[str, Any]:
    """As clients see it: without what was cached."""
    shown = {name: value for name, value in cache.items() if name not in {*_PRIVATE, "tokens", "expires", "ttl"}}
    return {
        **shown,
        "expireTime": clock.stamp(cache["expires"]),
        "usageMetadata": {"totalTokenCount": cache["tokens"]},
    }


VERBS = (
    Verb("gemini.cache.create", "POST", _PARENT, _create),
    Verb("gemini.cache.list", "GET", _PARENT, _list),
    Verb("gemini.cache.get", "GET", _ONE, _get),
    Verb("gemini.cache.update", "PATCH", _ONE, _patch),
    Verb("gemini.cache.delete", "DELETE", _ONE, _delete),
)
