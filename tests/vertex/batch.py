"""Batch jobs: a file of requests in Cloud Storage, answered as single ones are, and over by the cloud's clock."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex import clock, gemini_bills, gemini_models, gemini_request, gemini_written, storage
from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.gemini_request import invalid

PENDING, WHOLE = timedelta(seconds=30), timedelta(seconds=300)
"""Until a job begins, and until it is over."""
_PARENT = r"/v1(beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/batchPredictionJobs"
_ONE = rf"{_PARENT}/(?P<job>[^/:]+)"
_MOST_ROWS = 10_000
_OVER = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"})
_PRIVATE = frozenset({"made", "ended", "written"})


async def _create(cloud: Cloud, request: Request, body: Any) -> Response:
    project, location = _place(cloud, request)
    model = str(body.get("model", "")).rpartition("/")[2]
    gemini_models.check(cloud, project, location, model)
    source, target = body.get("inputConfig") or {}, body.get("outputConfig") or {}
    uris, prefix = source.get("gcsSource", {}).get("uris") or [], target.get("gcsDestination", {})
    if "bigquerySource" in source or "bigqueryDestination" in target:
        raise invalid("The local cloud runs batch jobs from Cloud Storage to Cloud Storage only.")
    if not uris or not prefix.get("outputUriPrefix"):
        raise invalid("A batch job needs a source and a destination in Cloud Storage.")
    for uri in uris:
        storage.read(cloud, uri)
    jobs = _jobs(cloud)
    name = f"projects/{project}/locations/{location}/batchPredictionJobs/{5_000_000 + len(jobs)}"
    jobs[name] = {**body, "name": name, "made": clock.now(cloud), "ended": None, "written": None}
    return told(await _shown(cloud, jobs[name]))


async def _get(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(await _shown(cloud, _asked(cloud, request)))


async def _list(cloud: Cloud, request: Request, body: Any) -> Response:
    project, location = _place(cloud, request)
    parent = f"projects/{project}/locations/{location}/"
    found = [await _shown(cloud, job) for name, job in _jobs(cloud).items() if name.startswith(parent)]
    return told({"batchPredictionJobs": found[::-1]})


async def _cancel(cloud: Cloud, request: Request, body: Any) -> Response:
    job = _asked(cloud, request)
    if _state(job, clock.now(cloud)) in _OVER:
        raise Refusal(400, "FAILED_PRECONDITION", f"The job {job['name']} is over and cannot be cancelled.")
    job["ended"] = clock.now(cloud)
    return told({})


async def _delete(cloud: Cloud, request: Request, body: Any) -> Response:
    job = _asked(cloud, request)
    if _state(job, clock.now(cloud)) not in _OVER:
        raise Refusal(400, "FAILED_PRECONDITION", f"The job {job['name']} is running; cancel it first.")
    del _jobs(cloud)[job["name"]]
    return told({"name": f"{job['name']}/operations/1", "done": True, "response": {}})


async def _shown(cloud: Cloud, job: dict[str, Any]) -> dict[str, Any]:
    """The job as it stands now; whoever looks first after its end has its answers written."""
    now, made = clock.now(cloud), job["made"]
    state = _state(job, now)
    if state == "JOB_STATE_SUCCEEDED" and job["written"] is None:
        job["written"] = await asyncio.to_thread(_answered, cloud, job)
    shown = {name: value for name, value in job.items() if name not in _PRIVATE}
    shown |= {"state": state, "createTime": clock.stamp(made), "updateTime": clock.stamp(now)}
    if now >= made + PENDING:
        shown["startTime"] = clock.stamp(made + PENDING)
    if state in _OVER:
        shown["endTime"] = clock.stamp(job["ended"] or made + WHOLE)
    return {**shown, **(job["written"] or {})}


def _answered(cloud: Cloud, job: Mapping[str, Any]) -> dict[str, Any]:
    """Write the answer to each line beside it; what is wrong with one is its status, and the others are answered."""
    lines = [line for uri in job["inputConfig"]["gcsSource"]["uris"] for line in _lines(cloud, uri)]
    done = [_line(cloud, line, job) for line in lines]
    prefix = str(job["outputConfig"]["gcsDestination"]["outputUriPrefix"]).rstrip("/")
    folder = f"{prefix}/prediction-model-{job['made']:%Y-%m-%dT%H:%M:%S}"
    written = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in done)
    storage.write(cloud, f"{folder}/predictions.jsonl", written.encode())
    failed = sum(bool(one["status"]) for one in done)
    return {
        "outputInfo": {"gcsOutputDirectory": folder},
        "completionStats": {"successfulCount": str(len(done) - failed), "failedCount": str(failed)},
    }


def _lines(cloud: Cloud, uri: str) -> list[str]:
    return [line for line in storage.read(cloud, uri).decode("utf-8", "replace").splitlines() if line.strip()][
        :_MOST_ROWS
    ]


def _line(cloud: Cloud, line: str, job: Mapping[str, Any]) -> dict[str, Any]:
    model = str(job["model"]).rpartition("/")[2]
    asked: dict[str, Any] = {}
    try:
        asked = json.loads(line)
        read = gemini_request.read(asked["request"], model)
        written = gemini_written.write(cloud, read, "batch.row", str(job["name"]))
    except (KeyError, TypeError, ValueError) as error:
        return {"status": f"Bad Request: the line cannot be read: {error}", "response": {}, "request": {}}
    except Refusal as refusal:
        return {**asked, "status": f"Bad Request: {refusal}", "response": {}}
    gemini_bills.note(cloud, written, str(job["name"]).split("/")[3], batch=True)
    return {**asked, "status": "", "response": written.whole(), "processed_time": clock.stamp(job["made"] + WHOLE)}


def _state(job: Mapping[str, Any], now: datetime) -> str:
    if job["ended"]:
        return "JOB_STATE_CANCELLED"
    if now < job["made"] + PENDING:
        return "JOB_STATE_PENDING"
    return "JOB_STATE_RUNNING" if now < job["made"] + WHOLE else "JOB_STATE_SUCCEEDED"


def _asked(cloud: Cloud, request: Request) -> dict[str, Any]:
    project, location = _place(cloud, request)
    name = f"projects/{project}/locations/{location}/batchPredictionJobs/{request.path_params['job']}"
    if name not in _jobs(cloud):
        raise Refusal(404, "NOT_FOUND", f"The BatchPredictionJob {name} does not exist.")
    return _jobs(cloud)[name]


def _place(cloud: Cloud, request: Request) -> tuple[str, str]:
    at = request.path_params
    gemini_models.must_be_ours(cloud, at["project"], "batchPredictionJobs")
    return at["project"], at["location"]


def _jobs(cloud: Cloud) -> dict[str, dict[str, Any]]:
    with cloud.lock:
        found: dict[str, dict[str, Any]] = cloud.held.setdefault("batch", {})
    return found


VERBS = (
    Verb("batch.create", "POST", _PARENT, _create),
    Verb("batch.list", "GET", _PARENT, _list),
    Verb("batch.get", "GET", _ONE, _get),
    Verb("batch.cancel", "POST", rf"{_ONE}:cancel", _cancel),
    Verb("batch.delete", "DELETE", _ONE, _delete),
)
