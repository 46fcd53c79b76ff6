"""Google Cloud Monitoring over gRPC, the only form that its exporter speaks; so it has a port of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.api.metric_pb2 import MetricDescriptor  # type: ignore[import-untyped]
from google.cloud.monitoring_v3 import CreateMetricDescriptorRequest, CreateTimeSeriesRequest, TimeSeries
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]

_SERVICE = "google.monitoring.v3.MetricService"


@dataclass
class Monitoring:
    """What was written. `refuses` is the status that every call ends with."""

    address: str = ""
    descriptors: dict[str, MetricDescriptor] = field(default_factory=dict)
    series: list[TimeSeries] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # projects
    metadata: list[dict[str, Any]] = field(default_factory=list)
    refuses: grpc.StatusCode | None = None

    def describe(self, request: Any, context: grpc.ServicerContext) -> MetricDescriptor:
        """CreateMetricDescriptor."""
        self._answered(request.name, context)
        self.descriptors[request.metric_descriptor.type] = request.metric_descriptor
        return request.metric_descriptor

    def write(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """CreateTimeSeries: only for metrics that were described, with a value of their kind."""
        self._answered(request.name, context)
        for one in request.time_series:
            known = self.descriptors.get(one.metric.type)
            if known is None or set(one.metric.labels) - {label.key for label in known.labels}:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{one.metric.type} was not described so")
            self.series.append(one)
        return Empty()

    def _answered(self, project: str, context: grpc.ServicerContext) -> None:
        self.names.add(project)
        self.metadata.append({one.key: one.value for one in context.invocation_metadata()})
        if self.refuses:
            context.abort(self.refuses, "the server was told to refuse")


@contextmanager
def monitoring() -> Iterator[Monitoring]:
    """The service on a free port of this machine, until the end of the block."""
    state = Monitoring()
    server = grpc.server(ThreadPoolExecutor(2))
    methods = {
        "CreateMetricDescriptor": grpc.unary_unary_rpc_method_handler(
            state.describe, CreateMetricDescriptorRequest.deserialize, MetricDescriptor.SerializeToString
        ),
        "CreateTimeSeries": grpc.unary_unary_rpc_method_handler(
            state.write, CreateTimeSeriesRequest.deserialize, Empty.SerializeToString
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
    state.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield state
    finally:
        server.stop(None).wait()
