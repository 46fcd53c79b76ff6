"""The names that are sent are those of the installed conventions; what others bring along to send is at rest."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.semconv._incubating.attributes import (
    cloud_attributes,
    gen_ai_attributes,
    server_attributes,
    user_attributes,
)
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.semconv.schemas import Schemas

from assistant import conventions

MODULES = (gen_ai_attributes, cloud_attributes, server_attributes, user_attributes, error_attributes, gen_ai_metrics)
KNOWN = {value for module in MODULES for value in vars(module).values() if isinstance(value, str)}
NAMES = {name: value for name, value in vars(conventions).items() if isinstance(value, str) and "." in value}


@pytest.mark.parametrize(
    "name", sorted(NAMES.keys() - {"VERSION", "SCHEMA", "VERTEX"} - {one for one in NAMES if one.startswith("_")})
)
def test_a_name_is_one_of_the_conventions(name: str) -> None:
    assert NAMES[name] in KNOWN


def test_the_version_is_the_newest_that_the_installed_package_knows() -> None:
    assert list(Schemas)[-1].value == conventions.SCHEMA


def test_operations_providers_and_settings_are_the_conventions_own() -> None:
    operations = {one.value for one in gen_ai_attributes.GenAiOperationNameValues}
    assert {conventions.CHAT, conventions.EXECUTE_TOOL, conventions.RETRIEVAL} <= operations
    providers = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    assert {*conventions.PROVIDERS.values(), conventions.VERTEX} <= providers
    assert set(conventions.GENERATION.values()) <= KNOWN


SERVED = """
import chainlit.server
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
kinds = BaseInstrumentor.__subclasses__()
print(type(trace.get_tracer_provider()).__name__, type(metrics.get_meter_provider()).__name__, bool(kinds))
print([one.__name__ for one in kinds if one._is_instrumented_by_opentelemetry])
"""


def test_instrumentation_that_chainlit_brings_along_is_at_rest(tmp_path: Path) -> None:
    command, home = [sys.executable, "-W", "ignore", "-c", SERVED], {"CHAINLIT_APP_ROOT": str(tmp_path)}
    told = subprocess.run(command, env=home, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["ProxyTracerProvider", "_ProxyMeterProvider", "True", "[]"]
