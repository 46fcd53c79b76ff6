"""Cloud Storage: objects that jobs read and write; the server of `tests/gcs_server.py`, and uploads beside it.

A bucket is there as soon as somebody writes into it.
"""

import re
from email import message_from_bytes
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests import gcs_server
from tests.gcs_server import GcsServer
from tests.vertex.cloud import Cloud, Refusal, Verb, told

_URI = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,61})/(?P<name>.+)")
_BUCKET = r"/b/(?P<bucket>[^/]+)/o"


def read(cloud: Cloud, uri: str) -> bytes:
    """An object; raise `Refusal` for an address that is none, and for one where nothing is."""
    bucket, name = _parted(uri)
    found = _server(cloud).buckets.get(bucket, {}).get(name)
    if found is None:
        raise Refusal(404, "NOT_FOUND", f"The object {uri} does not exist.")
    return found.data


def write(cloud: Cloud, uri: str, data: bytes) -> None:
    """Put an object there."""
    _server(cloud).put(*_parted(uri), data)


def names(cloud: Cloud, prefix: str) -> list[str]:
    """The addresses that begin so, sorted."""
    every = (f"gs://{bucket}/{name}" for bucket, held in _server(cloud).buckets.items() for name in held)
    return sorted(one for one in every if one.startswith(prefix))


async def _get(cloud: Cloud, request: Request, body: Any) -> Response:
    path = request.url.path.removeprefix("/download")
    try:
        headers, data = _server(cloud).answer(path, dict(request.query_params))
    except gcs_server.Refusal as refusal:
        status = "NOT_FOUND" if refusal.code == 404 else "UNKNOWN"
        raise Refusal(refusal.code, status, str(refusal)) from refusal
    kind = "application/octet-stream" if request.query_params.get("alt") == "media" else "application/json"
    return Response(data, headers=headers, media_type=kind)


async def _upload(cloud: Cloud, request: Request, body: Any) -> Response:
    """The two short ways to upload: the data alone, or a description and the data in two parts."""
    bucket, raw = request.path_params["bucket"], await request.body()
    kind, name = request.query_params.get("uploadType"), request.query_params.get("name", "")
    if kind == "multipart":
        described, raw = _two_parts(request.headers.get("content-type", ""), raw)
        name = name or str(described)
    elif kind != "media":
        raise Refusal(400, "INVALID_ARGUMENT", f"The local cloud takes no upload of the type {kind}.")
    write(cloud, f"gs://{bucket}/{name}", raw)
    shown, _ = f"/storage/v1/b/{bucket}/o/{name}", None
    return Response(_server(cloud).answer(shown, {})[1], media_type="application/json")


async def _delete(cloud: Cloud, request: Request, body: Any) -> Response:
    bucket, name = request.path_params["bucket"], request.path_params["name"]
    read(cloud, f"gs://{bucket}/{name}")
    del _server(cloud).buckets[bucket][name]
    return Response(status_code=204)


async def _make(cloud: Cloud, request: Request, body: Any) -> Response:
    _server(cloud).buckets.setdefault(str(body["name"]), {})
    return told({"kind": "storage#bucket", "name": body["name"]})


async def _bucket(cloud: Cloud, request: Request, body: Any) -> Response:
    if request.path_params["bucket"] not in _server(cloud).buckets:
        raise Refusal(404, "NOT_FOUND", "The specified bucket does not exist.")
    return told({"kind": "storage#bucket", "name": request.path_params["bucket"]})


def _two_parts(kind: str, raw: bytes) -> tuple[str, bytes]:
    """The object's name and its data out of a multipart body."""
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw).get_payload()
    boundary = b"--" + kind.partition("boundary=")[2].strip("\"'").encode()
    named = re.search(rb'"name":\s*"([^"]+)"', raw)
    if not isinstance(parts, list) or len(parts) != 2 or named is None:
        raise Refusal(400, "INVALID_ARGUMENT", "The upload is not a description and the data.")
    # taken from the raw bytes: the mail parser would change line ends
    data = raw.split(boundary)[2].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    return named[1].decode(), data


def _parted(uri: str) -> tuple[str, str]:
    found = _URI.fullmatch(uri)
    if found is None:
        raise Refusal(400, "INVALID_ARGUMENT", f"{uri!r} is no address such as gs://bucket/name.")
    return found["bucket"], found["name"]


def _server(cloud: Cloud) -> GcsServer:
    with cloud.lock:
        found: GcsServer = cloud.held.setdefault("storage", GcsServer())
    return found


VERBS = (
    Verb("storage.upload", "POST", rf"/upload/storage/v1{_BUCKET}", _upload),
    Verb("storage.list", "GET", rf"/storage/v1{_BUCKET}", _get),
    Verb("storage.get", "GET", rf"(/download)?/storage/v1{_BUCKET}/(?P<name>.+)", _get),
    Verb("storage.delete", "DELETE", rf"/storage/v1{_BUCKET}/(?P<name>.+)", _delete),
    Verb("storage.bucket.make", "POST", "/storage/v1/b", _make),
    Verb("storage.bucket", "GET", "/storage/v1/b/(?P<bucket>[^/]+)", _bucket),
)
