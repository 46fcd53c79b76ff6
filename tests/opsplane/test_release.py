"""Releases: equal bytes, equal digest; nothing unknown gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from opsplane.release import REPLIES, Release
from tests import fakes


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
