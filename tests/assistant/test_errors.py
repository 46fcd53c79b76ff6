import pytest

from assistant import errors


@pytest.mark.parametrize(
    "text",
    [
        "401 for url https://example.test/v1/models?key=s3cret&alt=sse",
        "proxy http://user:s3cret@proxy.test:8080/ refused",
        "header {'Authorization': 'Bearer s3cret-s3cret'}",
        "Authorization: Basic s3cretczNjcmV0",
        "token=s3cret",
        '"access_token": "s3cret"',
        "x-goog-api-key: s3cret",
        "client_secret='s3cret', other=1",
        "sent ya29.s3cret-and-more",
        "sent AIzas3cret0123456789abcdefghij",
        "sent eyJs3cret.eyJ0s3cret.c2lnbg",
    ],
)
def test_nothing_that_opens_a_door_is_told(text: str) -> None:
    assert "s3cret" not in errors.clean(text)


def test_whom_was_asked_and_what_was_said_stays() -> None:
    told = errors.told(ValueError("no answer from https://example.test/v1?key=1:\n 503"))
    assert told.startswith("ValueError: no answer from https://example.test")
    assert told.endswith("503")


def test_a_long_text_is_cut_and_an_empty_one_is_named_by_its_kind() -> None:
    assert len(errors.clean("word " * 10_000)) == errors.MOST
    assert errors.told(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize("text", ["key" * 50_000, "https://" * 20_000, "token=" * 20_000, "eyJ." * 30_000])
def test_hostile_texts_are_read_in_no_time(text: str) -> None:
    assert len(errors.clean(text)) <= errors.MOST
