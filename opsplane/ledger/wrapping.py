"""Wrapping and unwrapping many keys at once, with keys that may be rotated while the assistant runs."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from opsplane.errors import RecordUnavailable
from opsplane.ledger.keys import Wrapper

_S = TypeVar("_S")
_T = TypeVar("_T")


class Wrapped(NamedTuple):
    """A wrapped secret, what it is bound to, and the id of the key that opens it."""

    by: str
    wrapped: bytes
    aad: bytes


class Wrapping:
    """The installation's wrapping keys, the current one first.

    `reload` fetches them anew when a secret was wrapped by one that is not at hand.
    """

    def __init__(self, wrappers: Sequence[Wrapper], reload: Callable[[], Sequence[Wrapper]] | None = None) -> None:
        self._wrappers = tuple(wrappers)
        self._reload = reload

    @property
    def current(self) -> Wrapper:
        """What wraps new secrets."""
        return self._wrappers[0]

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]:
        """The secrets in order; raise `RecordUnavailable` naming the key that is missing or does not fit."""
        by = self._named({one.by for one in wrapped})
        return _each(by.values(), lambda one: by[one.by].unwrap(one.wrapped, one.aad), wrapped)

    def _named(self, ids: set[str]) -> dict[str, Wrapper]:
        held = {wrapper.id: wrapper for wrapper in self._wrappers}
        if self._reload and not ids <= held.keys():
            self._wrappers = tuple(self._reload())
            held = {wrapper.id: wrapper for wrapper in self._wrappers}
        if missing := ids - held.keys():
            raise RecordUnavailable(
                f"Customers' keys are wrapped by {', '.join(sorted(missing))}, which is not among the installation's "
                "keys. Put that key back: without it their content cannot be read."
            )
        return {name: held[name] for name in ids}


def wrap(by: Wrapper, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Each secret wrapped and bound to its additional data, in order."""
    return _each([by], lambda item: by.wrap(*item), items)


def _each(by: Iterable[Wrapper], deed: Callable[[_S], _T], items: Sequence[_S]) -> list[_T]:
    """What the deed makes of each, in order; keys behind a network are asked several times at once."""
    parallel = max((wrapper.parallel for wrapper in by), default=1)
    if parallel == 1 or len(items) < 2:
        return [deed(item) for item in items]
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(deed, items))
