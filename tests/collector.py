"""An OpenTelemetry collector of our own on this machine: OTLP over HTTP, taken in as protobuf."""

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests import loopback


@dataclass(frozen=True)
class Seen:
    """A span as it arrived."""

    raw: Span
    attributes: dict[str, Any]

    @property
    def name(self) -> str:
        return self.raw.name

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """The attributes of each event by its name."""
        return {one.name: told(one.attributes) for one in self.raw.events}

    @property
    def failed(self) -> bool:
        return self.raw.status.code == self.raw.status.STATUS_CODE_ERROR


@dataclass
class Collector:
    """What arrived. It answers `status`, after waiting until `free` is set."""

    url: str = ""
    status: int = 200
    free: threading.Event = field(default_factory=threading.Event)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    spans: list[Seen] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    scopes: set[tuple[str, str]] = field(default_factory=set)  # schema and name
    metrics: dict[str, Metric] = field(default_factory=dict)  # the newest reading of each
    bodies: bytearray = field(default_factory=bytearray)

    def take(self, path: str, body: bytes) -> None:
        """One request; raise `DecodeError` for what is no protobuf."""
        self.bodies += body
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(told(resource.resource.attributes))
                for scope in resource.scope_spans:
                    self.scopes.add((scope.schema_url, scope.scope.name))
                    self.spans += [Seen(one, told(one.attributes)) for one in scope.spans]
            return
        for found in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            self.resources.append(told(found.resource.attributes))
            for group in found.scope_metrics:
                self.metrics |= {one.name: one for one in group.metrics}

    def named(self, name: str) -> list[Seen]:
        """The spans of a name, as they began."""
        return sorted((one for one in self.spans if one.name == name), key=lambda one: one.raw.start_time_unix_nano)

    def one(self, name: str) -> Seen:
        """The only span of a name."""
        (found,) = self.named(name)
        return found

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """The data points of a metric with their attributes."""
        metric = self.metrics[name]
        data = getattr(metric, metric.WhichOneof("data") or "gauge")
        return [(told(one.attributes), one) for one in data.data_points]

    def shape(self) -> list[str]:
        """Every span in the order in which they began, each behind the names of those that it is under."""
        parents = {one.raw.span_id: one for one in self.spans}
        lines = []
        for one in sorted(self.spans, key=lambda one: (one.raw.start_time_unix_nano, -one.raw.end_time_unix_nano)):
            path, above = one.name, parents.get(one.raw.parent_span_id)
            while above:
                path, above = f"{above.name} > {path}", parents.get(above.raw.parent_span_id)
            lines.append(path)
        return lines


def told(attributes: Any) -> dict[str, Any]:
    """Attributes as Python has them."""
    found: dict[str, Any] = {}
    one: KeyValue
    for one in attributes:
        found[one.key] = _value(one.value)
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, until the end of the block."""
    state = Collector()
    state.free.set()

    class Handler(loopback.Quiet):
        def do_POST(self) -> None:  # noqa: N802  # the server calls it so
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append(self.path)
            state.headers.append(dict(self.headers))
            state.free.wait(20)
            status = state.status
            if status == 200:
                try:
                    packed = self.headers.get("Content-Encoding") == "gzip"
                    state.take(self.path, gzip.decompress(body) if packed else body)
                except (DecodeError, OSError):
                    status = 400
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with loopback.serving(Handler) as url:
        state.url = url
        try:
            yield state
        finally:
            state.free.set()


if __name__ == "__main__":  # a process of its own for benchmarks: prints its address, ends with its standard input
    with collecting() as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
