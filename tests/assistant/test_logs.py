"""Log lines: one object each, for Cloud Logging, with nothing of a customer in it."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from assistant import logs
from opsplane.errors import InvalidRequest

SPAN = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, False, TraceFlags(1))
ID = "29169476-d963-49e8-bbea-7702070fd7d1"


@contextmanager
def logged(form: logging.Formatter) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger and what it wrote."""
    out = io.StringIO()
    logger = logging.Logger("assistant.somewhere")
    handler = logging.StreamHandler(out)
    handler.setFormatter(form)
    logger.addHandler(handler)
    yield logger, out


def line(message: str, *args: Any, level: int = logging.WARNING, **more: Any) -> dict[str, Any]:
    with logged(logs.Json("bank")) as (logger, out):
        logger.log(level, message, *args, **more)
    (only,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(only)
    return found


def test_a_line_is_an_object_in_cloud_loggings_fields() -> None:
    found = line("the record of %s is slow", "turns", extra={"exchange": ID, "outcome": "answered"})
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "severity": "WARNING",
        "message": "the record of turns is slow",
        "logger": "assistant.somewhere",
        "exchange": ID,
        "outcome": "answered",
    }


@pytest.mark.parametrize(
    ("level", "name"), [(5, "DEBUG"), (10, "DEBUG"), (20, "INFO"), (25, "INFO"), (40, "ERROR"), (50, "CRITICAL")]
)
def test_levels_have_googles_names(level: int, name: str) -> None:
    assert line("x", level=level)["severity"] == name


def test_a_line_of_a_turn_names_its_trace_and_span() -> None:
    with trace.use_span(NonRecordingSpan(SPAN)):
        found = line("x")
    assert found["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert found["logging.googleapis.com/trace"] == f"projects/bank/traces/{found['trace_id']}"
    assert found["logging.googleapis.com/spanId"] == found["span_id"] == "b7ad6b7169203331"
    assert found["logging.googleapis.com/trace_sampled"] is True


def test_personal_data_is_masked_and_the_ids_of_exchanges_stay() -> None:
    found = line("turn %s of ann@example.com with card 4111 1111 1111 1111 failed", UUID(ID))
    assert found["message"] == f"turn {ID} of [e-mail address] with card [card number …1111] failed"


def test_personal_data_in_an_exception_is_masked_too() -> None:
    try:
        raise ValueError("no account for ann@example.com")
    except ValueError:
        found = line("x", exc_info=True)
    assert found["exception"].startswith("Traceback")
    assert "ValueError: no account for [e-mail address]" in found["exception"]


def test_no_control_character_leaves_and_no_line_is_made_up() -> None:
    said = 'x\n{"severity": "CRITICAL"}\r\x1b[2J\x9b\u2028\u202e\ud800'
    assert line("%s", said)["message"] == 'x\\n{"severity": "CRITICAL"}\\r\\x1b[2J\\x9b\\u2028\\u202e\\ud800'
    with logged(logs.Text()) as (logger, out):
        logger.warning("%s", said)
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().isprintable() is False  # its own end alone
    assert out.getvalue()[:-1].isprintable()


def test_long_lines_are_cut_and_a_number_across_the_cut_is_masked() -> None:
    text = "." * (logs.LONGEST - 10) + " 4111 1111 1111 1111 and more" + "." * 100_000
    found = line("%s", text)["message"]
    assert len(found) < logs.LONGEST + 50
    assert "4111" not in found
    assert found.endswith(f"({len(text):,} characters)")


def test_of_a_long_traceback_the_end_is_kept() -> None:
    try:
        raise ValueError("." * 100_000 + "the cause")
    except ValueError:
        found = line("x", exc_info=True)["exception"]
    assert len(found) <= logs.LONGEST_TRACEBACK + 1
    assert found.endswith("the cause")


def test_a_line_whose_arguments_do_not_fit_is_told_without_them() -> None:
    assert line("%d of %d", "ann@example.com")["message"] == "%d of %d (and what does not fit into it)"


@pytest.mark.parametrize(("level", "form", "named"), [("LOUD", "text", "LOG_LEVEL"), ("INFO", "xml", "LOG_FORMAT")])
def test_a_setting_that_is_none_is_named(level: str, form: str, named: str) -> None:
    with pytest.raises(InvalidRequest, match=f"OPSPLANE_{named}"):
        logs.set_up(level, form)


SERVER = """
import logging, warnings, uvicorn
from assistant import logs
logs.set_up("INFO", "json", "bank")
uvicorn.Config(lambda: None, log_level="info", log_config=None, access_log=False)
logging.getLogger("uvicorn.error").info("Started server process")
logging.getLogger("chainlit").warning("Translated markdown file not found")
warnings.warn("something is old")
"""


async def test_the_servers_loggers_write_such_lines_too(tmp_path: Any) -> None:
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER), stderr=subprocess.PIPE, env={"CHAINLIT_APP_ROOT": str(tmp_path)}
    )
    _, told = await made.communicate()
    names = [json.loads(one)["logger"] for one in told.decode().splitlines()]
    assert names == ["uvicorn.error", "chainlit", "py.warnings"]
