"""Releases: equal bytes, equal digest; nothing unknown gets in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from opsplane.release import REPLIES, Release
from tests import fakes

FULL: dict[str, Any] = {
    "generation": {"temperature": 0.2},
    "safety": {"HARM_CATEGORY_DANGEROUS_CONTENT": "BLOCK_LOW_AND_ABOVE"},
    "tested_with": ["google_genai:gemini-3.8-flash"],
    "lineage": {
        "base": "google_genai:gemini-3.5-flash",
        "data_sha256": "0" * 64,
        "examples": 1_200,
        "method": "supervised",
        "hyperparameters": {"epochs": 3, "learning_rate": 1.0, "early_stop": True},
        "trained": "2026-10-01",
    },
}


def test_equal_releases_have_equal_digests_however_they_were_written() -> None:
    one = fakes.release()
    again = Release.model_validate(dict(reversed(list(one.model_dump().items()))))
    assert one.digest == again.digest
    assert len(one.digest) == 64


def test_a_release_read_back_from_its_bytes_has_the_same_digest() -> None:
    one = fakes.release()
    assert Release.model_validate_json(one.canonical()).digest == one.digest


@given(st.sampled_from(sorted(REPLIES)), st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_any_changed_word_changes_the_digest(reply: str, words: str) -> None:
    one = fakes.release()
    other = one.model_copy(update={"replies": one.replies | {reply: words}})
    assert (one.digest == other.digest) == (one.replies[reply] == words)


def test_a_copy_is_validated_and_has_its_own_digest() -> None:
    one = fakes.release()
    assert one.digest
    assert one.model_copy(update={"note": "another"}).digest != one.digest
    with pytest.raises(ValidationError):
        one.model_copy(update={"id": "Not An Id"})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="temprature"):
        fakes.release(temprature=0.2)


def test_a_missing_reply_is_named() -> None:
    replies = dict(fakes.release().replies)
    del replies["injection"]
    with pytest.raises(ValidationError, match="missing injection"):
        fakes.release(replies=replies)


def test_a_model_is_named_with_its_provider() -> None:
    with pytest.raises(ValidationError, match=r"flash\.name"):
        fakes.release(models={"flash": {"name": "gemini-3.8-flash"}, "pro": {"name": "embedded:extractive"}})


def test_the_digests_of_releases_that_are_out_there_stay_what_they_are() -> None:
    registered = (Path(__file__).parent / "releases" / "heron-2.json").read_bytes()  # as an earlier version wrote it
    heron = Release.model_validate_json(registered)
    assert heron.canonical() == registered
    assert heron.digest == "c0947519d051c68df576b0954bae76c87b9a5316d92bbc62633f37fe73f32daf"
    assert fakes.release().digest == "dac5d4346bbc19e5106a32a17e411c1fd0c23f55a4cf0b46d0dd45243500f355"


@pytest.mark.parametrize("field", ["generation", "safety", "tested_with", "lineage"])
def test_what_is_left_out_is_not_in_the_bytes(field: str) -> None:
    assert f'"{field}":'.encode() not in fakes.release().canonical()
    assert f'"{field}":'.encode() in fakes.release(**{field: FULL[field]}).canonical()


def test_an_empty_part_says_as_little_as_none() -> None:
    assert fakes.release(generation={}, safety={}, tested_with=[]).digest == fakes.release().digest


def test_a_zero_is_not_nothing() -> None:
    one = fakes.release(generation={"temperature": 0, "seed": 0})
    assert b'"generation":{"seed":0,"temperature":0.0}' in one.canonical()


SCALARS = st.text(st.characters(codec="utf-8")) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
GENERATIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0.001, 1),
        "top_k": st.integers(1, 1_000),
        "seed": st.integers(0, 2**31 - 1),
        "thinking_budget": st.integers(-1, 9_999),
        "stop": st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=5),
    },
)


@given(GENERATIONS, st.dictionaries(st.text(st.characters(codec="utf-8")), SCALARS | st.booleans(), max_size=5))
def test_any_release_read_back_from_its_bytes_is_the_same(
    generation: dict[str, Any], hyperparameters: dict[str, Any]
) -> None:
    lineage = FULL["lineage"] | {"hyperparameters": hyperparameters}
    one = fakes.release(**FULL | {"generation": generation, "lineage": lineage})
    again = Release.model_validate_json(one.canonical())
    assert again == one
    assert again.canonical() == one.canonical()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["retrieval", "generation", "models"])
def test_what_json_cannot_hold_is_refused(field: str, number: float) -> None:
    model = {"name": "a:b", "settings": {"x": number}}
    changes = {
        "retrieval": {"index": "test", "kind_weights": {"marketing": number}},
        "generation": {"temperature": number},
        "models": {"flash": model, "pro": model},
    }
    with pytest.raises(ValidationError, match=field):
        fakes.release(**{field: changes[field]})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("safety", {"HARASSMENT": "OFF"}),
        ("safety", {"HARM_CATEGORY_HARASSMENT": "sometimes"}),
        ("generation", {"temprature": 0.2}),
        ("generation", {"temperature": 3}),
        ("generation", {"stop": [""]}),
        ("lineage", {"base": "google_genai:gemini-3.5-flash"}),
        ("lineage", FULL["lineage"] | {"data_sha256": "abc"}),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=field):
        fakes.release(**{field: value})
