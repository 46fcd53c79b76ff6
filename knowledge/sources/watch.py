"""Looking at sources again and again, so that what changes there comes into the library by itself.

It asks for listings instead of waiting for the operating system's notices (inotify): those tell nothing of what
another machine writes to a network disk, nor of Git or buckets, and are lost where there are too many.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Sequence

from knowledge.sources.source import Source, SourceMissing

LOG = logging.getLogger(__name__)


class Watch:
    """Calls `changed` when the sources hold something else than at its last call, and at first.

    A look is acted on when the one before saw the same: a file that is still being copied is not taken half. Where
    `changed` fails it is called again after the next look. `sources` is asked at every look, `every` is the
    seconds between two; `wait` waits so many seconds and tells whether to stop.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[Source]],
        endings: Collection[str],
        changed: Callable[[], None],
        *,
        every: float = 60.0,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._sources, self._endings, self._changed, self._every = sources, endings, changed, every
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._seen: dict[str, str] | None = None
        self._told: dict[str, str] | None = None
        self._missing: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; an ingestion under way is not waited for longer than a second."""
        self._closed.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def run(self) -> None:
        """Look until it is closed. No exception leaves."""
        while not self._closed.is_set():
            try:
                self.look()
            except Exception:
                LOG.exception("Watching the sources failed; the next look is in %g seconds.", self._every)
            if self._wait(self._every):
                break

    def look(self) -> bool:
        """Look once; whether `changed` was called. What it raises leaves."""
        now = {source.spec: state for source in self._sources() if (state := self._state(source)) is not None}
        settled, self._seen = now == self._seen, now
        if not settled or now == self._told or self._closed.is_set():
            return False
        self._changed()
        self._told = now
        return True

    def _state(self, source: Source) -> str | None:
        """What a source holds, in short: as before while it is missing, None if it was never there."""
        if self._closed.is_set():
            return None
        try:
            items = source.items(self._endings).items
        except SourceMissing as error:
            if self._missing.get(source.spec) != str(error):
                LOG.warning("A source is missing; its documents stay. %s", error)
            self._missing[source.spec] = str(error)
            return (self._seen or {}).get(source.spec)
        if self._missing.pop(source.spec, None):
            LOG.info("%s is there again.", source.spec)
        state = hashlib.sha256()
        for item in items:
            state.update(f"{item.name}\0{item.stamp}\0{item.size}\0".encode())
        return state.hexdigest()
