"""A Google Cloud Storage of our own on this machine: what its JSON API needs to list objects and to read them."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import loopback
from tests.kms_server import crc32c


class Fault(Enum):
    """What the server does instead of answering."""

    DENIED = 403
    UNKNOWN = 401
    UNAVAILABLE = 503
    GARBLED = 200  # the content does not fit its checksum


class Refusal(Exception):
    """An error in Google's form."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = json.dumps({"error": {"code": code, "message": message}}).encode()


@dataclass(frozen=True)
class Revision:
    """One generation of an object."""

    generation: int
    data: bytes
    encoding: str


@dataclass
class GcsServer:
    """Buckets of objects, without versioning; `faults` are used up one by one, `page` is how many one answer lists."""

    url: str = ""
    buckets: dict[str, dict[str, Revision]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    page: int = 1000
    asked: list[str] = field(default_factory=list)  # paths, in order
    credentials: list[str] = field(default_factory=list)  # Authorization headers that arrived
    _generations: Iterator[int] = field(default_factory=lambda: count(1_760_000_000_000_000))

    def put(self, bucket: str, name: str, data: bytes, encoding: str = "") -> None:
        """A new generation of an object; the one before is gone."""
        self.buckets.setdefault(bucket, {})[name] = Revision(next(self._generations), data, encoding)

    def answer(self, path: str, query: dict[str, str]) -> tuple[dict[str, str], bytes]:
        """Headers and body for a GET; raise `Refusal`."""
        _, _, rest = path.partition("/storage/v1/b/")
        bucket, _, name = rest.partition("/")
        self.asked.append(path)
        fault = self.faults.pop(0) if self.faults else None
        if fault and fault is not Fault.GARBLED:
            raise Refusal(fault.value, fault.name.lower())
        if bucket not in self.buckets:
            raise Refusal(404, "The specified bucket does not exist.")
        if name == "o":
            return {}, json.dumps(self._listed(bucket, query)).encode()
        return self._object(bucket, unquote(name.removeprefix("o/")), query, fault)

    def _listed(self, bucket: str, query: dict[str, str]) -> dict[str, Any]:
        after = query.get("pageToken", "")
        names = sorted(n for n in self.buckets[bucket] if n.startswith(query.get("prefix", "")) and n > after)
        page = names[: self.page]
        items = [_described(bucket, name, self.buckets[bucket][name]) for name in page]
        more = {"nextPageToken": page[-1]} if len(names) > len(page) else {}
        return {"kind": "storage#objects", "items": items, **more}

    def _object(
        self, bucket: str, name: str, query: dict[str, str], fault: Fault | None
    ) -> tuple[dict[str, str], bytes]:
        found = self.buckets[bucket].get(name)
        if found is None or query.get("generation", str(found.generation)) != str(found.generation):
            raise Refusal(404, f"No such object: {bucket}/{name}")
        described = _described(bucket, name, found)
        if query.get("alt") != "media":
            return {}, json.dumps(described).encode()
        hashes = f"crc32c={described['crc32c']},md5={described['md5Hash']}"
        encoding = {"Content-Encoding": found.encoding} if found.encoding else {}
        data = b"?" * len(found.data) if fault is Fault.GARBLED else found.data
        return {"X-Goog-Hash": hashes, "X-Goog-Generation": str(found.generation), **encoding}, data


def _described(bucket: str, name: str, revision: Revision) -> dict[str, str]:
    encoding = {"contentEncoding": revision.encoding} if revision.encoding else {}
    return {
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "generation": str(revision.generation),
        "metageneration": "1",
        "size": str(len(revision.data)),
        "md5Hash": base64.b64encode(hashlib.md5(revision.data).digest()).decode(),
        "crc32c": base64.b64encode(crc32c(revision.data).to_bytes(4, "big")).decode(),
        **encoding,
    }


@contextmanager
def serving() -> Iterator[GcsServer]:
    """A server on a free port of this machine, until the end of the block."""
    state = GcsServer()

    class Handler(loopback.Quiet):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionResetError):  # the client may hang up when it has heard enough
                super().handle()

        def do_GET(self) -> None:  # noqa: N802  # the server calls it so
            if given := self.headers.get("Authorization"):
                state.credentials.append(given)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                code, (headers, body) = (
                    200,
                    state.answer(parts.path, query),
                )
            except Refusal as refusal:
                code, headers, body = refusal.code, {}, refusal.body
            self.send_response(code)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with loopback.serving(Handler) as state.url:
        yield state
