"""Model names that stay what they are, and models about to go."""

from datetime import date, timedelta
from typing import Any

import pytest

from opsplane import pins
from opsplane.pins import Problem, Severity, Standing
from opsplane.release import Release
from tests import fakes

TODAY = date(2026, 11, 23)
LINEAGE = {"data_sha256": "0" * 64, "examples": 900, "method": "supervised", "trained": "2026-09-01"}


def release(flash: str, **changes: Any) -> Release:
    return fakes.release(models={"flash": {"name": flash}, "pro": {"name": "embedded:extractive"}}, **changes)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("google_genai:gemini-flash-latest", "alias that moves"),
        ("google_genai:gemini-3.8-flash-latest", "alias that moves"),
        ("google_vertexai:publishers/google/models/gemini-pro-latest", "alias that moves"),
        ("google_vertexai:llama-4@default", "alias that moves"),
        ("google_genai:gemini-pro", "names no version"),
        ("google_genai:gemini-flash", "names no version"),
        ("ollama:mixtral-8x7b:q", "names no version"),
        ("google_genai:gemini-3-flash-preview", "preview without a date"),
        ("google_genai:gemini-4-exp", "preview without a date"),
        ("google_genai:gemini-2.0-flash", "three digits"),
        ("ollama:llama3.1", "means :latest"),
        ("ollama:llama3.1:latest", "alias that moves"),
        ("openai:gpt-5", "no snapshot by its date"),
    ],
)
def test_an_alias_is_told_from_a_version(name: str, reason: str) -> None:
    assert reason in pins.pinned(name)


@pytest.mark.parametrize(
    "name",
    [
        "embedded:extractive",
        "google_genai:gemini-3.8-flash",
        "google_genai:gemini-4-argon",
        "google_genai:gemini-3.5-flash-lite",
        "google_genai:gemini-2.0-flash-001",
        "google_genai:gemini-2.5-flash-preview-09-2025",
        "google_vertexai:projects/1/locations/us-central1/endpoints/4711",
        "ollama:llama3.1:8b",
        "openai:gpt-5-2025-08-07",
        "anthropic:claude-sonnet-4-5-20250929",
    ],
)
def test_a_version_is_pinned(name: str) -> None:
    assert pins.pinned(name) == ""


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"])
@pytest.mark.parametrize("provider", ["google_genai", "google_vertexai"])
def test_gemini_2_5_was_retired_on_20_october_2026(provider: str, model: str) -> None:
    day = date(2026, 10, 20)
    standings = [pins.retirement(f"{provider}:{model}", day + timedelta(days=days)) for days in (-91, -90, 0, 1)]
    assert [one and one.standing for one in standings] == [
        Standing.FINE,
        Standing.NEAR,
        Standing.NEAR,
        Standing.RETIRED,
    ]


def test_a_promise_to_keep_a_model_that_long_at_least_never_makes_it_retired() -> None:
    for days in (-90, 1, 900):
        found = pins.retirement("google_genai:gemini-3.8-flash", date(2027, 9, 2) + timedelta(days=days))
        assert found
        assert found.standing is Standing.NEAR
        assert "may be retired from 2027-09-02" in found.sentence


def test_a_model_that_the_table_does_not_know_has_no_retirement() -> None:
    assert pins.retirement("embedded:extractive", TODAY) is None
    assert pins.retirement("ollama:llama3.1:8b", TODAY) is None


def test_the_table_tells_where_each_date_stands_and_when_it_was_read() -> None:
    found = pins.retirement("google_genai:gemini-4-argon", TODAY)
    assert found
    assert found.standing is Standing.FINE
    assert "docs.cloud.google.com" in found.sentence
    assert "read 2026-11-25" in found.sentence


def test_nothing_speaks_against_pinned_models_far_from_their_end() -> None:
    assert pins.check(release("google_genai:gemini-3.8-flash"), TODAY) == []


def test_an_alias_and_a_retired_model_are_refused_for_the_stable_release() -> None:
    (alias,) = pins.check(release("google_genai:gemini-flash-latest"), TODAY)
    (gone,) = pins.check(release("google_genai:gemini-2.5-flash"), TODAY)
    assert (alias.severity, alias.field) == (Severity.REFUSE, "models.flash")
    assert gone.severity is Severity.REFUSE
    assert "was retired on 2026-10-20" in gone.sentence


def test_a_model_near_its_end_is_a_warning() -> None:
    (near,) = pins.check(release("google_genai:gemini-2.5-flash"), date(2026, 9, 1))
    assert near.severity is Severity.WARN
    assert "is retired on 2026-10-20" in near.sentence


def test_a_tuned_model_goes_with_the_model_it_was_tuned_on() -> None:
    lineage = LINEAGE | {"base": "google_genai:gemini-2.5-flash"}
    (gone,) = pins.check(release("google_vertexai:projects/1/locations/us/endpoints/2", lineage=lineage), TODAY)
    assert (gone.severity, gone.field) == (Severity.REFUSE, "lineage.base")


def test_a_model_that_it_was_not_tested_with_is_a_warning() -> None:
    one = release("google_genai:gemini-3.8-flash", tested_with=["embedded:extractive"])
    sentence = "google_genai:gemini-3.8-flash is not among the models it was tested with."
    assert pins.check(one, TODAY) == [Problem(Severity.WARN, "models.flash", sentence)]
