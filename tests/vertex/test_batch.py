import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors

from tests.vertex import batch, clients, clock, storage
from tests.vertex.clients import FLASH, client, contents
from tests.vertex.cloud import Cloud
from tests.vertex.server import serving

URI = "gs://batches/in.jsonl"
ROW = {"request": {"contents": [{"role": "user", "parts": [{"text": contents()}]}]}, "id": 7}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(batch.VERBS, clients.light()) as running:
        yield running


@pytest.fixture
def google(cloud: Cloud) -> Iterator[genai.Client]:
    with client(cloud) as opened:
        yield opened


def put(cloud: Cloud, *rows: Any) -> None:
    storage.write(cloud, URI, "\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows).encode())


def state(google: genai.Client, name: str | None) -> str:
    return str(google.batches.get(name=str(name)).state.value)  # type: ignore[union-attr]


def results(cloud: Cloud) -> list[dict[str, Any]]:
    (there,) = storage.names(cloud, "gs://batches/in/dest/")
    return [json.loads(line) for line in storage.read(cloud, there).splitlines()]


def test_each_line_is_answered_as_a_single_request_is(cloud: Cloud, google: genai.Client) -> None:
    put(cloud, ROW, {"request": {"contents": []}}, "{")
    job = google.batches.create(model=FLASH, src=URI)
    states = [state(google, job.name)]
    for seconds in (31, 300):
        clock.move(cloud, seconds)
        states.append(state(google, job.name))
    assert states == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    first, second, third = results(cloud)
    assert "$15" in first["response"]["candidates"][0]["content"]["parts"][0]["text"]
    assert (first["status"], first["id"]) == ("", 7)
    assert second["status"].startswith("Bad Request: Unable to submit")
    assert third["status"].startswith("Bad Request: the line cannot be read")
    stats = google.batches.get(name=str(job.name)).completion_stats
    assert stats is not None
    assert (stats.successful_count, stats.failed_count) == (1, 2)


def test_its_calls_are_billed_as_a_batch_and_once(cloud: Cloud, google: genai.Client) -> None:
    put(cloud, ROW)
    job = google.batches.create(model=FLASH, src=URI)
    clock.move(cloud, 301)
    assert [state(google, job.name), state(google, job.name)] == ["JOB_STATE_SUCCEEDED"] * 2
    assert [one["batch"] for one in cloud.held["gemini"]["bills"]] == [True]


def test_a_cancelled_job_answers_nothing(cloud: Cloud, google: genai.Client) -> None:
    put(cloud, ROW)
    job = google.batches.create(model=FLASH, src=URI)
    google.batches.cancel(name=str(job.name))
    clock.move(cloud, 301)
    assert state(google, job.name) == "JOB_STATE_CANCELLED"
    assert storage.names(cloud, "gs://batches/in/dest/") == []
    google.batches.delete(name=str(job.name))
    assert list(google.batches.list()) == []


def test_what_cannot_run_is_refused_at_once(cloud: Cloud, google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="does not exist"):
        google.batches.create(model=FLASH, src=URI)
    put(cloud, ROW)
    with pytest.raises(errors.ClientError, match="Publisher Model"):
        google.batches.create(model="gemini-2.5-flash", src=URI)
    with pytest.raises(errors.ClientError, match="from Cloud Storage to Cloud Storage"):
        google.batches.create(model=FLASH, src="bq://p.d.t")
