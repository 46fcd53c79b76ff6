"""Many keys are wrapped at once and in order, also by a key that is a network away."""

import threading
from dataclasses import dataclass, field

import pytest

from opsplane.errors import RecordUnavailable
from opsplane.ledger.keyfile import FileWrapper
from opsplane.ledger.wrapping import Wrapped, Wrapping, wrap
from tests import fakes


@dataclass
class Distant:
    """A key that answers only when four calls wait for it."""

    id: str = "distant"
    parallel: int = 4
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(4, timeout=10))

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        self.together.wait()
        return secret + aad

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        self.together.wait()
        return wrapped.removesuffix(aad)


NEAR = FileWrapper(fakes.NOON, b"w" * 32)
SECRETS = [(b"secret %d" % number, b"row %d" % number) for number in range(8)]


def test_a_distant_key_is_asked_several_times_at_once_and_answers_stay_in_order() -> None:
    distant = Distant()
    boxes = wrap(distant, SECRETS)
    assert boxes == [secret + aad for secret, aad in SECRETS]
    wrapped = [Wrapped(distant.id, box, aad) for box, (_, aad) in zip(boxes, SECRETS, strict=True)]
    assert Wrapping([distant]).unwrap(wrapped) == [secret for secret, _ in SECRETS]


def test_each_secret_is_opened_by_the_key_that_wrapped_it() -> None:
    other = FileWrapper(fakes.NOON, b"o" * 32)
    wrapped = [Wrapped(key.id, key.wrap(b"a secret", b""), b"") for key in (NEAR, other)]
    assert Wrapping([other, NEAR]).unwrap(wrapped) == [b"a secret", b"a secret"]


def test_keys_are_fetched_anew_only_where_one_is_missing() -> None:
    fetched: list[str] = []

    def fetch() -> list[FileWrapper]:
        fetched.append("once")
        return [NEAR]

    wrapping = Wrapping([FileWrapper(fakes.NOON, b"o" * 32)], fetch)
    for _ in range(2):
        assert wrapping.unwrap([Wrapped(NEAR.id, NEAR.wrap(b"a secret", b""), b"")]) == [b"a secret"]
    assert fetched == ["once"]
    assert wrapping.current == NEAR


def test_a_key_that_is_nowhere_is_named() -> None:
    with pytest.raises(RecordUnavailable, match="wrapped by file:00, which is not among"):
        Wrapping([NEAR], lambda: [NEAR]).unwrap([Wrapped("file:00", b"", b"")])


def test_nothing_is_nothing() -> None:
    assert Wrapping([NEAR]).unwrap([]) == wrap(NEAR, []) == []
