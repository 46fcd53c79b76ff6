"""The embedding models that an index can be of, by name; each is opened when it is first needed."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Lock

from knowledge import embedding
from knowledge.embedding import EXACT, MiniLM
from knowledge.encoder import Encoder
from knowledge.remote import Remote

GEMINI = {f"gemini-embedding-001-{width}": width for width in (768, 1_536, 3_072)}
"""Google's model by the widths that are recommended of it."""


class Encoders(Mapping[str, Encoder]):
    """Models by name, opened once each. Threads may share it."""

    def __init__(self, openers: Mapping[str, Callable[[], Encoder]]) -> None:
        self._openers = dict(openers)
        self._opened: dict[str, Encoder] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> Encoder:
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._openers[name]()
            return self._opened[name]

    def __contains__(self, name: object) -> bool:
        return name in self._openers

    def __iter__(self) -> Iterator[str]:
        return iter(self._openers)

    def __len__(self) -> int:
        return len(self._openers)


def family(model: MiniLM, remote: Remote | None = None) -> Encoders:
    """The model and the other one of the same weights, which takes 90 MB more and is opened only for an index of it.

    Where there is a cloud, also the widths of Google's model.
    """
    openers: dict[str, Callable[[], Encoder]] = {
        EXACT: lambda: embedding.load(model.folder, exact=True),
        model.name: lambda: model,
    }
    return Encoders(openers | gemini(remote))


def gemini(remote: Remote | None) -> dict[str, Callable[[], Encoder]]:
    """What opens each width of Google's model, by name; nothing without a cloud."""
    return {name: partial(_gemini, remote, width) for name, width in GEMINI.items()} if remote else {}


def _gemini(remote: Remote, width: int) -> Encoder:
    # Google's client takes a second and 80 MB, which only an index of its model should pay
    from knowledge.gemini_encoder import GeminiEncoder  # noqa: PLC0415

    return GeminiEncoder(remote, width)
