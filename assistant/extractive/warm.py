"""What the first customers would wait for, done while nobody asks yet: documents are embedded and screened."""

import logging
import threading
from collections.abc import Iterable

from assistant import passages, sources
from assistant.extractive.choice import headed
from assistant.extractive.statements import statements
from knowledge.chunk import Chunk
from knowledge.embedding import MiniLM
from opsplane.guardrails import context

log = logging.getLogger(__name__)

MOST = 10_000
"""Statements embedded ahead; those of a larger library are embedded when they are first looked at."""


class Warming:
    """Screens `chunks` and embeds their statements in a thread of its own, bit by bit, until done or told to stop."""

    def __init__(self, chunks: Iterable[Chunk], embeddings: MiniLM) -> None:
        self._chunks, self._embeddings = chunks, embeddings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop where it is."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _run(self) -> None:
        done = 0
        try:
            for chunk in self._chunks:
                context.signal(chunk.text)
                found, _ = sources.read(sources.write([passages.evidence(1, chunk)], ""))
                for one in statements(found[0]):
                    if self._stop.is_set() or done >= MOST:
                        return
                    self._embeddings.encode([one.text, headed(one)], lasting=True)
                    done += 1
        except Exception:
            log.exception("warming up ended early; the first answers are only slower for it")
