"""Model Armor: a template's filters by simple rules of their own, with Google's answers."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex.cloud import Cloud, Refusal, Verb, told

_TEMPLATE = r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/templates/(?P<template>[^/:]+)"
_INJECTION = re.compile(
    r"(?i)\b(ignore|disregard|forget)\b[^.]{0,40}\b(instructions?|rules|prompt)\b|\bsystem prompt\b|\bdeveloper mode\b"
    r"|\b(jailbreak|DAN)\b|\byou are now\b"
)
_PERSONAL: Mapping[str, re.Pattern[str]] = {
    "US_SOCIAL_SECURITY_NUMBER": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "CREDIT_CARD_NUMBER": re.compile(r"\b(?:\d[ -]?){13,16}\b"),
    "EMAIL_ADDRESS": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
}
_RESPONSIBLE: Mapping[str, re.Pattern[str]] = {
    "dangerous": re.compile(r"(?i)\b(bomb|explosives?|poison)\b"),
    "harassment": re.compile(r"(?i)\b(idiots?|morons?|stupid)\b"),
    "hate_speech": re.compile(r"(?i)\bsubhuman\b"),
    "sexually_explicit": re.compile(r"(?i)\bporn\w*\b"),
}
_BAD_ADDRESS = re.compile(r"https?://[^\s/]*\.(?:invalid|malware)\b\S*")
_DONE = {"executionState": "EXECUTION_SUCCESS"}


def _state(found: object) -> str:
    return "MATCH_FOUND" if found else "NO_MATCH_FOUND"


def _injection(text: str) -> Any:
    found = _INJECTION.search(text)
    level = {"confidenceLevel": "HIGH"} if found else {}
    return {"piAndJailbreakFilterResult": {**_DONE, "matchState": _state(found), **level}}


def _personal(text: str) -> Any:
    kinds = [kind for kind, pattern in _PERSONAL.items() if pattern.search(text)]
    findings = [{"infoType": kind, "likelihood": "VERY_LIKELY", "location": {}} for kind in kinds]
    result = {**_DONE, "matchState": _state(kinds)} | ({"findings": findings} if findings else {})
    return {"sdpFilterResult": {"inspectResult": result}}


def _responsible(text: str) -> Any:
    kinds = {}
    for kind, pattern in _RESPONSIBLE.items():
        found = pattern.search(text)
        level = {"confidenceLevel": "MEDIUM_AND_ABOVE"} if found else {}
        kinds[kind] = {"matchState": _state(found), **level}
    matched = any(one["matchState"] == "MATCH_FOUND" for one in kinds.values())
    return {"raiFilterResult": {**_DONE, "matchState": _state(matched), "raiFilterTypeResults": kinds}}


def _addresses(text: str) -> Any:
    found = _BAD_ADDRESS.findall(text)
    items = {"maliciousUriMatchedItems": [{"uri": one} for one in found]} if found else {}
    return {"maliciousUriFilterResult": {**_DONE, "matchState": _state(found), **items}}


FILTERS: Mapping[str, Callable[[str], Any]] = {
    "pi_and_jailbreak": _injection,
    "sdp": _personal,
    "rai": _responsible,
    "malicious_uris": _addresses,
}
"""The filters of the templates here, by Google's names."""


def sanitized(text: str) -> Any:
    """What all filters say of a text."""
    results = {name: look(text) for name, look in FILTERS.items()}
    matched = any(_matched(one) for one in results.values())
    return {"filterMatchState": _state(matched), "filterResults": results, "invocationResult": "SUCCESS"}


def _matched(result: Any) -> bool:
    (inner,) = result.values()
    return bool(inner.get("inspectResult", inner)["matchState"] == "MATCH_FOUND")


async def _sanitize(cloud: Cloud, request: Request, body: Any) -> Response:
    templates = cloud.held.get("armor")  # names of templates; without any, all exist
    if templates is not None and request.path_params["template"] not in templates:
        raise Refusal(404, "NOT_FOUND", f"Template {request.path_params['template']} not found.")
    text = (body.get("userPromptData") or body.get("modelResponseData") or {}).get("text", "")
    if not text:
        raise Refusal(400, "INVALID_ARGUMENT", "Nothing to sanitize.")
    return told({"sanitizationResult": sanitized(text)})


VERBS = (
    Verb("armor.prompt", "POST", rf"{_TEMPLATE}:sanitizeUserPrompt", _sanitize),
    Verb("armor.response", "POST", rf"{_TEMPLATE}:sanitizeModelResponse", _sanitize),
)
