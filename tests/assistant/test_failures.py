import json
from typing import Any

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.genai.errors import APIError, ClientError, ServerError, UnknownApiResponseError

from assistant.failures import Failure, read


def wrapped(inner: BaseException) -> BaseException:
    """An error as LangChain hands it on."""
    try:
        raise ValueError("in LangChain's words") from inner
    except ValueError as outer:
        return outer


def answered(status: int, body: Any = None, **headers: str) -> APIError:
    response = httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return (ClientError if status < 500 else ServerError)(status, body or {"error": {"message": "no"}}, response)


@pytest.mark.parametrize(
    ("status", "code", "again", "counts"),
    [
        (400, "model.refused", False, False),
        (401, "model.refused", False, True),
        (403, "model.refused", False, True),
        (404, "model.refused", False, True),
        (408, "model.slow", True, True),
        (413, "model.refused", False, False),
        (429, "model.exhausted", True, True),
        (500, "model.unavailable", True, True),
        (503, "model.unavailable", True, True),
        (504, "model.unavailable", True, True),
    ],
)
def test_what_a_status_means(status: int, code: str, again: bool, counts: bool) -> None:
    failure = read(wrapped(answered(status)))
    assert (failure.code, failure.tries > 1, failure.counts) == (code, again, counts)
    assert bool(failure.change) == (code == "model.refused")


@pytest.mark.parametrize(
    ("error", "code", "again"),
    [
        (TimeoutError(), "model.slow", False),
        (httpx.ReadTimeout("slow"), "model.unavailable", True),
        (ConnectionRefusedError(), "model.unavailable", True),
        (httpx.RemoteProtocolError("gone"), "model.unavailable", True),
        (json.JSONDecodeError("bad", "the customer's words", 0), "model.garbled", True),
        (RefreshError("no token"), "model.refused", False),  # type: ignore[no-untyped-call]
        (RuntimeError("anything"), "model.unavailable", False),
    ],
)
def test_what_other_errors_mean(error: Exception, code: str, again: bool) -> None:
    failure = read(wrapped(error))
    assert (failure.code, failure.tries > 1) == (code, again)


def test_an_answer_that_cannot_be_read_is_not_repeated() -> None:
    try:
        json.loads("What is my balance?")
    except json.JSONDecodeError as inner:
        error = UnknownApiResponseError("Raw response: What is my balance?")
        error.__cause__ = inner
    assert "balance" not in read(error).detail


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "-5"}, 0.0),
        ({"Retry_After": "9" * 500}, 3_600.0),
        ({"Retry_After": "soon"}, 0.0),
        ({"Retry_After": "nan"}, 0.0),
        ({"Retry_After": "Thu, 26 Nov 2026 10:00:30 GMT", "Date": "Thu, 26 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry_After": "Thu, 26 Nov 2026 09:00:00 GMT", "Date": "Thu, 26 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry_After": "Thu, 26 Nov 2026 10:00:30 GMT"}, 0.0),
        ({}, 0.0),
    ],
)
def test_how_long_the_provider_asks_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert read(wrapped(answered(429, **headers))).wait == seconds


@pytest.mark.parametrize(
    ("details", "seconds"),
    [([{"retryDelay": "12s"}], 12.0), ([{"retryDelay": "1.5s"}], 1.5), ([{"retryDelay": 3}], 0.0), ("none", 0.0)],
)
def test_googles_own_hint_counts_too(details: Any, seconds: float) -> None:
    assert read(wrapped(answered(429, {"error": {"message": "no", "details": details}}))).wait == seconds


def test_no_token_gets_into_the_detail() -> None:
    assert "s3cret" not in read(answered(403, {"error": {"message": "https://x.test/?key=s3cret"}})).detail


def test_a_chain_that_bites_its_tail_comes_to_an_end() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert isinstance(read(one), Failure)
