"""The way out: what is sent, to whom, and that a collector that is gone holds nobody up."""

import threading
from collections.abc import Iterator
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry import metrics, trace
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.trace import ProxyTracerProvider

from assistant import conventions, telemetry, traced
from assistant.observer import Observer
from assistant.settings import Settings
from opsplane.errors import InvalidRequest
from opsplane.ledger.store import Ledger
from opsplane.spend import Usage
from tests.assistant.observed import SECRET, ask, settings
from tests.assistant.test_traced import USED
from tests.collector import Collector, collecting
from tests.opsplane.test_turn import GOOD
from tests.vertex.monitoring import monitoring


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [one for one in set(threading.enumerate()) - before if "Otel" in one.name]
    for one in left:
        one.join(telemetry.DEADLINE + 5)
    assert not any(one.is_alive() for one in left)


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """What is sent is the same on both databases."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


def spans(observer: Observer, count: int) -> None:
    for _ in range(count):
        observer.tracer.start_span("turn").end()


async def test_the_service_says_who_it_is_once_with_every_batch(
    ledger: Ledger, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,k8s.pod.name=opsplane-0")
    await ask(ledger, collector, [GOOD, USED])
    for told in collector.resources:
        assert (told["service.name"], told["service.version"]) == ("opsplane", "0.1.0")
        assert (told["deployment.environment.name"], told["k8s.pod.name"]) == ("staging", "opsplane-0")
        assert (told["gcp.project_id"], len(told["service.instance.id"])) == ("bank", 36)
    assert len({told["service.instance.id"] for told in collector.resources}) == 1
    assert collector.scopes == {(conventions.SCHEMA, "opsplane")}


async def test_turns_and_calls_are_measured_in_the_conventions_buckets(ledger: Ledger, collector: Collector) -> None:
    await ask(ledger, collector, [GOOD, USED])
    by_type = {told["gen_ai.token.type"]: point for told, point in collector.points("gen_ai.client.token.usage")}
    assert (by_type["input"].sum, by_type["output"].sum) == (900, 40)
    assert tuple(by_type["input"].explicit_bounds) == conventions.TOKENS
    told, point = collector.points("gen_ai.client.operation.duration")[0]
    assert (told["gen_ai.provider.name"], told["gen_ai.request.model"]) == ("gcp.vertex_ai", "gemini-3.8-flash")
    assert (point.count, tuple(point.explicit_bounds)) == (1, conventions.SECONDS)
    told, point = collector.points("opsplane.cost")[0]
    assert point.as_int > 0
    assert told == {"gen_ai.request.model": "google_genai:gemini-3.8-flash", "opsplane.purpose": "answer"}
    told, point = collector.points("opsplane.turns")[0]
    assert (point.as_int, told["opsplane.outcome"], told["opsplane.release"]) == (1, "answered", "vertex-1")
    kinds = {told["opsplane.event"] for told, _ in collector.points("opsplane.record.commit.duration")}
    assert kinds == {"question_received", "sentence_said", "question_answered"}


async def test_a_figure_that_others_tell_is_asked_for_at_each_export(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET) as observer:
        observer.meters.gauge("opsplane.export.lag", "{entry}", "Entries not exported yet", lambda: [(7, "bigquery")])
    told, point = collector.points("opsplane.export.lag")[0]
    assert (told["opsplane.name"], point.as_double or point.as_int) == ("bigquery", 7)


def test_names_beyond_a_number_are_counted_together(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET) as observer:
        observer.meters.gauge("x", "1", "x", lambda: [(1, f"name-{number}") for number in range(300)])
    names = [told["opsplane.name"] for told, _ in collector.points("x")]
    assert len(set(names)) == 101
    assert "other" in names


def test_what_a_collector_of_the_banks_wants_to_see_is_sent_along(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-bank")
    with telemetry.opened(settings(collector), SECRET) as observer:
        spans(observer, 1)
    assert {one["Content-Encoding"] for one in collector.headers} == {"gzip"}
    assert all(one.get("authorization") == "Bearer of-the-bank" for one in collector.headers)


async def test_turns_that_are_not_sampled_are_measured_all_the_same(
    ledger: Ledger, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    await ask(ledger, collector, [GOOD, USED])
    assert not collector.spans
    assert collector.points("opsplane.turns")[0][1].as_int == 1


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector", "http://"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    wrong = Settings(data=Path(), otlp_endpoint=address)
    with pytest.raises(InvalidRequest, match="OPSPLANE_OTLP_ENDPOINT"), telemetry.opened(wrong, SECRET):
        pass


def test_a_collector_that_is_gone_costs_one_line(caplog: pytest.LogCaptureFixture) -> None:
    gone = Settings(data=Path(), otlp_endpoint="http://127.0.0.1:9")
    with telemetry.opened(gone, SECRET) as observer:
        spans(observer, 3 * telemetry.QUEUE)  # more than may wait
    told = [record.getMessage() for record in caplog.records if "spans lost" in record.getMessage()]
    assert len(told) == 1


def test_a_collector_that_hangs_does_not_keep_the_product_from_ending(collector: Collector) -> None:
    collector.free.clear()
    with telemetry.opened(settings(collector), SECRET) as observer:
        spans(observer, 3)
    assert collector.requests
    assert not collector.spans  # nothing was answered yet
    collector.free.set()


def test_losses_are_told_once_an_hour_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    losses = telemetry.Losses("spans", lambda: now[0])
    for seconds, count in ((0, 5), (10, 7), (3_599, 1), (3_601, 2)):
        now[0] = seconds
        losses.add(count)
    numbers = [record.args[0] for record in caplog.records if isinstance(record.args, tuple)]
    assert numbers == [5, 10]


@pytest.mark.filterwarnings("error")
async def test_metrics_go_to_cloud_monitoring_too(ledger: Ledger, collector: Collector) -> None:
    with monitoring() as service:
        told = dict.fromkeys(ELSEWHERE, service.address)
        chosen = settings(collector, cloud_monitoring=True, google_credentials="none", **told)
        with telemetry.opened(chosen, SECRET) as observer:
            observer.meters.call({"gen_ai.request.model": "gemini-3.8-flash"}, 1.5, Usage(input=100, output=5))
    assert service.names == {"projects/bank"}
    series = {one.metric.type.rpartition("/")[2]: one for one in service.series}
    seconds = series["gen_ai.client.operation.duration"]
    assert seconds.points[0].value.distribution_value.mean == 1.5
    assert dict(seconds.metric.labels) == {"gen_ai_request_model": "gemini-3.8-flash"}
    assert (seconds.resource.type, seconds.resource.labels["job"]) == ("generic_task", "opsplane")


ELSEWHERE = [name for name in Settings.__dataclass_fields__ if name.endswith("_endpoint") and name != "otlp_endpoint"]


def test_cloud_monitoring_that_refuses_costs_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with monitoring() as service:
        service.refuses = grpc.StatusCode.PERMISSION_DENIED
        told = dict.fromkeys(ELSEWHERE, service.address)
        chosen = Settings(data=Path(), cloud_monitoring=True, google_project="bank", google_credentials="none", **told)  # type: ignore[arg-type]  # addresses
        with telemetry.opened(chosen, SECRET) as observer:
            observer.meters.commit("question_received", 0.01)
            observer.meters.commit("question_answered", 0.01)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_cloud_monitoring_needs_a_project() -> None:
    chosen = Settings(data=Path(), cloud_monitoring=True)
    with pytest.raises(InvalidRequest, match="OPSPLANE_GOOGLE_PROJECT"), telemetry.opened(chosen, SECRET):
        pass


def test_nothing_is_global_so_that_no_library_sends_anything(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET):
        assert isinstance(trace.get_tracer_provider(), ProxyTracerProvider)
        assert isinstance(metrics.get_meter_provider(), _ProxyMeterProvider)
        trace.get_tracer("somebody.else").start_span("theirs").end()
    assert not collector.named("theirs")


async def test_turns_are_observed_where_the_settings_say_so(
    ledger: Ledger, collector: Collector, tmp_path: Path
) -> None:
    with traced.observing(Settings(data=tmp_path), ledger) as nobody:
        assert nobody is None
    with traced.observing(Settings(data=tmp_path, otlp_endpoint=collector.url), ledger) as observer:
        assert observer
        spans(observer, 1)
    assert collector.one("turn")


async def test_a_customer_is_called_otherwise_in_another_installation(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET) as here, telemetry.opened(settings(collector), b"2") as there:
        assert here.pseudonym("C-1001") == here.pseudonym("C-1001") != there.pseudonym("C-1001")
        assert here.pseudonym("") == ""
