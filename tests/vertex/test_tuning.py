import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.vertex import clients, clock, storage, tuning
from tests.vertex.clients import FLASH, client, contents
from tests.vertex.cloud import Cloud
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

BASE, URI = "gemini-3.5-flash", "gs://tuning-data/train.jsonl"
ROW = {
    "contents": [
        {"role": "user", "parts": [{"text": "What is the fee?"}]},
        {"role": "model", "parts": [{"text": "It is $15. [1]"}]},
    ]
}
PAIR = {"contents": ROW["contents"][:1], "completions": [{"score": 1.0}, {"score": 0.0}]}

# Tuning is told to be experimental by Google's client, each time
pytestmark = pytest.mark.filterwarnings("ignore:.*experimental.*")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving((*VERBS, *tuning.VERBS), clients.light()) as running:
        yield running


@pytest.fixture
def google(cloud: Cloud) -> Iterator[genai.Client]:
    with client(cloud) as opened:
        yield opened


def lines(*rows: Any) -> bytes:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows).encode()


def tune(google: genai.Client, base: str = BASE, uri: str = URI, **config: Any) -> types.TuningJob:
    told = types.CreateTuningJobConfig(tuned_model_display_name="heron", epoch_count=2, **config)
    data = types.TuningDataset(gcs_uri=uri)
    made: types.TuningJob = google.tunings.tune(base_model=base, training_dataset=data, config=told)
    return made


def state(google: genai.Client, job: types.TuningJob) -> str:
    return str(google.tunings.get(name=str(job.name)).state.value)  # type: ignore[union-attr]


def test_a_job_ends_with_a_model_that_answers(cloud: Cloud, google: genai.Client) -> None:
    storage.write(cloud, URI, lines(ROW, ROW))
    job = tune(google)
    states = []
    for seconds in (0, 61, 1_800):
        clock.move(cloud, seconds)
        states.append(state(google, job))
    assert states == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    tuned = google.tunings.get(name=str(job.name)).tuned_model
    assert tuned is not None
    assert "$15" in str(google.models.generate_content(model=str(tuned.endpoint), contents=contents()).text)
    assert [one.name for one in google.tunings.list()] == [job.name]


def test_an_endpoint_is_not_there_before_its_job_is_over(cloud: Cloud, google: genai.Client) -> None:
    storage.write(cloud, URI, lines(ROW))
    endpoint = str(tune(google).name).replace("tuningJobs", "endpoints")
    with pytest.raises(errors.ClientError, match="not found"):
        google.models.generate_content(model=endpoint, contents=contents())


def test_preferences_are_pairs_of_a_better_and_a_worse_answer(cloud: Cloud, google: genai.Client) -> None:
    storage.write(cloud, URI, lines(PAIR))
    job = tune(google, method=types.TuningMethod.PREFERENCE_TUNING, beta=0.1)
    clock.move(cloud, 1_801)
    assert state(google, job) == "JOB_STATE_SUCCEEDED"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no examples"),
        (lines(ROW, "{"), "Row: 2. The line is not valid JSON"),
        (lines({"messages": []}), "Row: 1. Missing required `contents`"),
        (lines({"contents": ROW["contents"][:1]}), "last turn must be the model's"),
        (lines({"contents": ROW["contents"] + ROW["contents"][1:]}), "take turns"),
    ],
)
def test_a_bad_dataset_fails_the_job_and_says_why(cloud: Cloud, google: genai.Client, data: bytes, words: str) -> None:
    storage.write(cloud, URI, data)
    job = tune(google)
    clock.move(cloud, 61)
    assert state(google, job) == "JOB_STATE_FAILED"
    error = google.tunings.get(name=str(job.name)).error
    assert error is not None
    assert words in str(error.message)


def test_a_cancelled_job_stays_cancelled(cloud: Cloud, google: genai.Client) -> None:
    storage.write(cloud, URI, lines(ROW))
    job = tune(google)
    google.tunings.cancel(name=str(job.name))
    clock.move(cloud, 1_801)
    assert state(google, job) == "JOB_STATE_CANCELLED"
    with pytest.raises(errors.ClientError, match="is over"):
        google.tunings.cancel(name=str(job.name))


def test_what_cannot_be_tuned_is_refused_at_once(cloud: Cloud, google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="Failed to read the training dataset"):
        tune(google)
    storage.write(cloud, URI, lines(ROW))
    with pytest.raises(errors.ClientError, match="not supported for tuning"):
        tune(google, FLASH)
