"""The embedding models that an index can be of, by name; each is opened when it is first needed."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from knowledge import embedding
from knowledge.embedding import EXACT, MiniLM
from knowledge.encoder import Encoder


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


def family(model: MiniLM) -> Encoders:
    """The model and the other one of the same weights, which takes 90 MB more and is opened only for an index of it."""
    return Encoders({EXACT: lambda: embedding.load(model.folder, exact=True), model.name: lambda: model})
