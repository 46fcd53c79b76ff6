"""The one door to OpenTelemetry's SDK and exporters: providers of our own, and their end.

Nothing is global: libraries that bring instrumentation along find no provider, so that nothing of theirs is sent, and
none of them sees a word. Nothing is sent at all unless the settings name where to. A collector that is slow or gone
costs a turn nothing: queues are bounded and emptied by a thread each; one line an hour says that something was lost.
"""

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import grpc  # type: ignore[import-untyped]
from google.auth.transport.requests import AuthorizedSession
from google.cloud.monitoring_v3 import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports.grpc import MetricServiceGrpcTransport
from opentelemetry.exporter.cloud_monitoring import CloudMonitoringMetricsExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from assistant.cloud import NOBODY, Cloud
from assistant.conventions import SCHEMA
from assistant.meters import Meters
from assistant.observer import Observer
from assistant.settings import Settings
from opsplane.errors import InvalidRequest

log = logging.getLogger(__name__)

NAME = "opsplane"
QUEUE, BATCH = 4_096, 512
"""Spans that wait at most, the newest; and those of one request."""
SECONDS = 2.0
"""Between two requests for spans, and for all that is sent when the product ends."""
METRICS_SECONDS = 60.0
DEADLINE = 5.0
"""Seconds for one request with its retries; it runs beside the turns."""
AGAIN = 3_600.0
"""Seconds between two lines about what could not be sent."""

_LIMITS = SpanLimits(
    max_span_attributes=64,
    max_events=64,
    max_links=4,
    max_event_attributes=16,
    max_link_attributes=4,
    max_span_attribute_length=512,
)


@contextmanager
def opened(settings: Settings, secret: bytes) -> Iterator[Observer]:
    """What turns are observed with, until the end of the block; then what waits is sent, within `SECONDS`.

    `secret` is the key of customers' pseudonyms. Raises `InvalidRequest`, naming the setting.
    """
    # the exporters say at every batch that it failed, and every span that the queue is full
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = _resource(settings)
    spans = _Spans(_otlp(settings, "traces", OTLPSpanExporter)) if settings.otlp_endpoint else None
    readers = [
        PeriodicExportingMetricReader(one, METRICS_SECONDS * 1000, DEADLINE * 1000) for one in _metrics(settings)
    ]
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False, span_limits=_LIMITS)
    if spans:
        tracers.add_span_processor(BatchSpanProcessor(spans, QUEUE, SECONDS * 1000, BATCH))
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    tracer = tracers.get_tracer(NAME, version(NAME), SCHEMA)
    meter = meters.get_meter(NAME, version(NAME), SCHEMA)
    try:
        yield Observer(tracer, Meters(meter), secret, settings.cloud)
    finally:
        _end([tracers.shutdown, lambda: meters.shutdown(SECONDS * 1000)], spans)


def _end(ends: Sequence[Callable[[], None]], spans: "_Spans | None") -> None:
    """Let everything end side by side; what has not by then is left to its request's deadline."""
    threads = [threading.Thread(target=_quietly, args=(end,), daemon=True) for end in ends]
    until = monotonic() + SECONDS
    for one in threads:
        one.start()
    for one in threads:
        one.join(max(until - monotonic(), 0))
    if spans:
        spans.give_up()
        threads[0].join(0.1)  # one that waited for another attempt ends now


def _quietly(end: Callable[[], None]) -> None:
    try:
        end()
    except Exception:  # it raises for whatever reader was late
        log.info("telemetry ended with a loss", exc_info=True)


def _resource(settings: Settings) -> Resource:
    """Who tells: OTEL_RESOURCE_ATTRIBUTES adds where that is, and no detector asks a metadata server."""
    own = {
        "service.name": NAME,
        "service.version": version(NAME),
        "service.instance.id": str(uuid4()),
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
    }
    if settings.google_project:
        own["gcp.project_id"] = settings.google_project
    place = Resource({"deployment.environment.name": "demo" if settings.demo else "production"})
    return place.merge(OTELResourceDetector().detect()).merge(Resource(own, SCHEMA))


def _otlp(settings: Settings, signal: str, kind: Callable[..., Any]) -> Any:
    """An exporter to the collector; Google's own address is shown the cloud's credentials."""
    address = settings.otlp_endpoint.rstrip("/")
    found = urlsplit(address)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise InvalidRequest(
            f"OPSPLANE_OTLP_ENDPOINT: {settings.otlp_endpoint!r} is no address such as http://collector:4318"
        )
    session = AuthorizedSession(settings.cloud.login()) if _google(found.hostname) else None  # type: ignore[no-untyped-call]
    return kind(endpoint=f"{address}/v1/{signal}", timeout=DEADLINE, compression=Compression.Gzip, session=session)


def _google(host: str) -> bool:
    return host == "googleapis.com" or host.endswith(".googleapis.com")


def _metrics(settings: Settings) -> list["_Metrics"]:
    made: list[_Metrics] = []
    if settings.otlp_endpoint:
        made.append(_Metrics(_otlp(settings, "metrics", OTLPMetricExporter)))
    if settings.cloud_monitoring:
        client = _client(settings.cloud)
        made.append(_Metrics(_monitoring(client, settings.google_project), client))
    return made


class _Client(MetricServiceClient):
    """Cloud Monitoring with a deadline; what it refuses is counted, since the exporter calls that a success."""

    refused = 0

    def create_metric_descriptor(self, request: Any, **_: Any) -> Any:  # type: ignore[override]  # as the exporter calls it
        """Describe a metric before its first reading."""
        try:
            return super().create_metric_descriptor(request, timeout=DEADLINE)
        except Exception:
            self.refused += 1
            raise

    def create_time_series(self, request: Any, **_: Any) -> None:  # type: ignore[override]  # likewise
        """Write readings."""
        super().create_time_series(request, timeout=DEADLINE)


def _client(cloud: Cloud) -> _Client:
    """Google Cloud Monitoring, over gRPC; a server on this machine is spoken to in the clear."""
    if not cloud.project:
        raise InvalidRequest("OPSPLANE_CLOUD_MONITORING: needs OPSPLANE_GOOGLE_PROJECT")
    cloud.check()
    address = cloud.address("monitoring")
    target = address.partition("//")[2] or address
    if cloud.credentials == NOBODY:
        channel = grpc.insecure_channel(target)
    else:
        host = target or MetricServiceClient.DEFAULT_ENDPOINT
        channel = MetricServiceGrpcTransport.create_channel(host, credentials=cloud.login())
    return _Client(transport=MetricServiceGrpcTransport(channel=channel))


def _monitoring(client: _Client, project: str) -> MetricExporter:
    with warnings.catch_warnings():
        # its makers would rather have OTLP sent to telemetry.googleapis.com, which files metrics under other names
        warnings.simplefilter("ignore", DeprecationWarning)
        made: MetricExporter = CloudMonitoringMetricsExporter(project_id=project, client=client)
    return made


class Losses:
    """Says once in `AGAIN` seconds that something could not be sent, and how much since it last said so."""

    def __init__(self, what: str, timer: Callable[[], float] = monotonic) -> None:
        self._what, self._timer = what, timer
        self._lost, self._said = 0, -AGAIN

    def add(self, count: int) -> None:
        """So much was lost."""
        self._lost += count
        if self._timer() - self._said >= AGAIN:
            log.warning("telemetry cannot be delivered: %d %s lost; looked at again in an hour", self._lost, self._what)
            self._lost, self._said = 0, self._timer()


class _Spans(SpanExporter):
    """Sends spans, and says seldom that it cannot. Its last request may not keep the product from ending."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner, self._losses = inner, Losses("spans")
        self._over = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One batch."""
        result = SpanExportResult.FAILURE if self._over else self._inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._losses.add(len(spans))
        return result

    def shutdown(self) -> None:
        """No more batches come."""
        self.give_up()

    def give_up(self) -> None:
        """What is under way is not tried again."""
        if not self._over:
            self._over = True
            self._inner.shutdown()


class _Metrics(MetricExporter):
    """Sends metrics, and says seldom that it cannot."""

    def __init__(self, inner: MetricExporter, client: _Client | None = None) -> None:
        super().__init__(inner._preferred_temporality, inner._preferred_aggregation)
        self._inner, self._client = inner, client
        self._losses = Losses("readings of metrics")

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """One reading."""
        refused = self._client.refused if self._client else 0
        result = self._inner.export(metrics_data, timeout_millis, **kwargs)
        if result is not MetricExportResult.SUCCESS or (self._client and self._client.refused > refused):
            self._losses.add(1)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing waits here."""
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """No more readings come."""
        self._inner.shutdown(timeout_millis, **kwargs)
        if self._client:
            self._client.transport.close()  # type: ignore[no-untyped-call]
