"""Tuning jobs: made at once, and over by the cloud's clock; then there is a model, and an endpoint that answers."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex import clock, gemini_models, gemini_tokens, storage
from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.gemini_request import invalid

PENDING, WHOLE = timedelta(seconds=60), timedelta(seconds=1_800)
"""Until a job begins, and until it is over."""
TUNABLE = frozenset({"gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite"})
_PARENT = r"/v1(beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/tuningJobs"
_ONE = rf"{_PARENT}/(?P<job>[^/:]+)"
_DATA = {
    "supervisedTuningSpec": "trainingDatasetUri",
    "preferenceOptimizationSpec": "trainingDatasetUri",
    "distillationSpec": "promptDatasetUri",
    "reinforcementTuningSpec": "trainingDatasetUri",
}
"""The methods, and how each calls its examples."""
_OVER = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"})
_MOST_ROWS = 100_000


def base_of(cloud: Cloud, endpoint: str) -> str:
    """The model that answers at a tuned model's endpoint; raise `Refusal` where there is none, or none yet."""
    for job in _jobs(cloud).values():
        shown = _shown(cloud, job)
        if shown.get("tunedModel", {}).get("endpoint") == endpoint:
            return str(job["baseModel"])
    raise Refusal(404, "NOT_FOUND", f"Endpoint `{endpoint}` not found.")


async def _create(cloud: Cloud, request: Request, body: Any) -> Response:
    parent = _parent(cloud, request)
    base, method = str(body.get("baseModel", "")).rpartition("/")[2], next((m for m in _DATA if m in body), "")
    if base not in TUNABLE:
        raise invalid(f"Base model {base} is not supported for tuning; these are: {', '.join(sorted(TUNABLE))}.")
    uri = str(body.get(method, {}).get(_DATA.get(method, ""), ""))
    if not uri:
        raise invalid("The training dataset is missing.")
    try:
        data = storage.read(cloud, uri)
    except Refusal as refusal:
        raise invalid(f"Failed to read the training dataset: {refusal}") from refusal
    rows, wrong = _rows(data, method)
    jobs = _jobs(cloud)
    name = f"{parent}/tuningJobs/{7_000_000 + len(jobs)}"
    at = clock.now(cloud)
    jobs[name] = {**body, "name": name, "baseModel": base, "made": at, "rows": rows, "wrong": wrong, "ended": None}
    return told(_shown(cloud, jobs[name]))


async def _get(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(_shown(cloud, _asked(cloud, request)))


async def _list(cloud: Cloud, request: Request, body: Any) -> Response:
    parent = _parent(cloud, request)
    found = [_shown(cloud, job) for name, job in reversed(_jobs(cloud).items()) if name.startswith(f"{parent}/")]
    return told({"tuningJobs": found})


async def _cancel(cloud: Cloud, request: Request, body: Any) -> Response:
    job = _asked(cloud, request)
    if _shown(cloud, job)["state"] in _OVER:
        raise Refusal(400, "FAILED_PRECONDITION", f"The job {job['name']} is over and cannot be cancelled.")
    job["ended"] = clock.now(cloud)
    return told({})


def _rows(data: bytes, method: str) -> tuple[list[Mapping[str, Any]], str]:
    """The examples, and what is wrong with the first that is; an empty set is wrong too."""
    rows: list[Mapping[str, Any]] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines()[:_MOST_ROWS], 1):
        try:
            row = json.loads(line)
        except ValueError:
            return rows, f"Row: {number}. The line is not valid JSON."
        if wrong := _wrong(row, method):
            return rows, f"Row: {number}. {wrong}"
        rows.append(row)
    return rows, "" if rows else "The dataset has no examples."


def _wrong(row: Any, method: str) -> str:
    """What is wrong with one example; empty where nothing is."""
    contents = row.get("contents") if isinstance(row, dict) else None
    if not isinstance(contents, list) or not contents:
        return "Missing required `contents` field."
    roles = [one.get("role") for one in contents if isinstance(one, dict) and one.get("parts")]
    if len(roles) < len(contents) or any(role not in ("user", "model") for role in roles):
        return "Each of `contents` needs `parts`, and a role that is user or model."
    if any(one == other for one, other in pairwise(roles)):
        return "The roles user and model must take turns."
    if method == "supervisedTuningSpec":
        return "" if roles[-1] == "model" else "The last turn must be the model's."
    if method == "preferenceOptimizationSpec":
        scores = sorted(one.get("score", -1) for one in row.get("completions") or ())
        return "" if scores == [0, 1] else "There must be two `completions`, with scores 1 and 0."
    return "" if roles[-1] == "user" else "The last turn must be the user's."


def _shown(cloud: Cloud, job: Mapping[str, Any]) -> dict[str, Any]:
    """The job as it stands now."""
    made, now = job["made"], clock.now(cloud)
    state, ended = _state(job, now)
    shown = {name: value for name, value in job.items() if name not in ("made", "rows", "wrong", "ended")}
    shown |= {"state": state, "createTime": clock.stamp(made), "updateTime": clock.stamp(ended or now)}
    if now >= made + PENDING:
        shown["startTime"] = clock.stamp(made + PENDING)
    if ended:
        shown["endTime"] = clock.stamp(ended)
    if state == "JOB_STATE_FAILED":
        shown["error"] = {"code": 3, "message": job["wrong"]}
    if state == "JOB_STATE_SUCCEEDED":
        parent, _, number = str(job["name"]).rpartition("/tuningJobs/")
        shown["tunedModel"] = {"model": f"{parent}/models/{number}@1", "endpoint": f"{parent}/endpoints/{number}"}
        shown["tuningDataStats"] = {"supervisedTuningDataStats": _stats(job)}
    return shown


def _state(job: Mapping[str, Any], now: datetime) -> tuple[str, datetime | None]:
    """The state, and since when it is the last one."""
    made: datetime = job["made"]
    if job["ended"]:
        return "JOB_STATE_CANCELLED", job["ended"]
    if now < made + PENDING:
        return "JOB_STATE_PENDING", None
    if job["wrong"]:
        return "JOB_STATE_FAILED", made + PENDING
    return ("JOB_STATE_RUNNING", None) if now < made + WHOLE else ("JOB_STATE_SUCCEEDED", made + WHOLE)


def _stats(job: Mapping[str, Any]) -> dict[str, Any]:
    tokens = sum(gemini_tokens.of_contents(row["contents"]) for row in job["rows"])
    return {"tuningDatasetExampleCount": str(len(job["rows"])), "totalBillableTokenCount": str(tokens)}


def _asked(cloud: Cloud, request: Request) -> dict[str, Any]:
    name = f"{_parent(cloud, request)}/tuningJobs/{request.path_params['job']}"
    if name not in _jobs(cloud):
        raise Refusal(404, "NOT_FOUND", f"The TuningJob {name} does not exist.")
    return _jobs(cloud)[name]


def _parent(cloud: Cloud, request: Request) -> str:
    at = request.path_params
    gemini_models.must_be_ours(cloud, at["project"], "tuningJobs")
    return f"projects/{at['project']}/locations/{at['location']}"


def _jobs(cloud: Cloud) -> dict[str, dict[str, Any]]:
    with cloud.lock:
        found: dict[str, dict[str, Any]] = cloud.held.setdefault("tuning", {})
    return found


VERBS = (
    Verb("tuning.create", "POST", _PARENT, _create),
    Verb("tuning.list", "GET", _PARENT, _list),
    Verb("tuning.get", "GET", _ONE, _get),
    Verb("tuning.cancel", "POST", rf"{_ONE}:cancel", _cancel),
)
