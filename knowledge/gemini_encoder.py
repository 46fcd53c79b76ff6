"""gemini-embedding-001 on Vertex AI as an index's encoder: questions and windows become vectors of unit length."""

import re
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import random
from threading import Lock

import httpx
import numpy as np
from google import genai
from google.auth.exceptions import GoogleAuthError
from google.genai import errors, types
from numpy.typing import NDArray

from knowledge.remote import Remote

MODEL = "gemini-embedding-001"
PRICED = f"google_genai:{MODEL}"
"""The model as price tables name it."""
AT_ONCE = 8
"""Calls under way for one list of texts; Vertex AI takes one text a call of this model."""
QUESTION_SECONDS, WINDOW_SECONDS = 8.0, 120.0
"""How long a text may take with all its tries: somebody waits for a question, and nobody for an ingestion."""

_LONGEST = 20_000  # characters of a text that are sent; the model itself reads 2,048 tokens
_KEPT = 4_096  # vectors of questions that are remembered, in memory alone
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_FIRST, _LAST = 0.25, 20.0  # seconds of the first and of the longest pause, before chance takes its share
_PIECE = re.compile(r"\w{1,6}|[^\w\s]")

Floats = NDArray[np.float32]


class Unembedded(RuntimeError):
    """The model gave no vector; the message holds no word of the text."""


class GeminiEncoder:
    """One width of the model. May be used from several threads at once.

    Questions and windows are embedded for their two sides of a search (task types RETRIEVAL_QUERY, RETRIEVAL_DOCUMENT).
    """

    def __init__(
        self,
        remote: Remote,
        width: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random,
    ) -> None:
        self.name = f"{MODEL}-{width}"
        self._width = width
        self._remote = remote
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._client = genai.Client(
            vertexai=True,
            project=remote.project,
            location=remote.location,
            credentials=remote.login(),
            http_options=types.HttpOptions(
                base_url=remote.address or None,
                api_version=remote.api_version or None,
                retry_options=types.HttpRetryOptions(attempts=1),  # tries are counted here
            ),
        )
        self._close = weakref.finalize(self, self._client.close)  # also where nobody closes it
        self._threads = ThreadPoolExecutor(AT_ONCE, "gemini-embedding")
        self._known: OrderedDict[str, Floats] = OrderedDict()
        self._lock = Lock()

    def close(self) -> None:
        """Let the connections go."""
        self._threads.shutdown()
        self._close()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of questions, shape (len(texts), width); raises `Unembedded`."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if len(missing) == 1:
            found[missing[0]] = self._vector(missing[0], "RETRIEVAL_QUERY", QUESTION_SECONDS)
        elif missing:
            asked = self._threads.map(lambda one: self._vector(one, "RETRIEVAL_QUERY", QUESTION_SECONDS), missing)
            found.update(zip(missing, asked, strict=True))
        with self._lock:
            for text, vector in found.items():
                self._known[text] = vector
                self._known.move_to_end(text)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else np.empty((0, self._width), np.float32)

    def read(self, window: str) -> tuple[Floats, None]:
        """The unit vector of a window; of its sentences in their context the model tells none. Raises `Unembedded`."""
        return self._vector(window, "RETRIEVAL_DOCUMENT", WINDOW_SECONDS), None

    def count_tokens(self, text: str) -> int:
        """About how many tokens the model reads, counted here: up to six letters or digits, or another character.

        For English prose that is somewhat more than the model's own count, so that what is cut by it always fits.
        """
        return sum(1 for _ in _PIECE.finditer(text))

    def _vector(self, text: str, task: str, seconds: float) -> Floats:
        """Tried until it is answered, refused for good, or too late; pauses have full jitter or are the service's."""
        until, pause = self._clock() + seconds, _FIRST
        while True:
            try:
                return self._once(text, task, max(until - self._clock(), 0.05))
            except errors.APIError as error:
                failed, wait = f"answer {error.code}", _asked_pause(error)
                if error.code not in _RETRIED:
                    raise Unembedded(f"{MODEL} gave no vector: {failed}") from error
            except GoogleAuthError as error:
                raise Unembedded(f"{MODEL} gave no vector: no credentials ({type(error).__name__})") from error
            except (httpx.HTTPError, ValueError) as error:  # what is no JSON is a ValueError
                failed, wait = type(error).__name__, None
            wait = pause * self._chance() if wait is None else wait
            if self._clock() + wait >= until:
                raise Unembedded(f"{MODEL} gave no vector in {seconds:g} s: {failed}")
            self._sleep(wait)
            pause = min(2 * pause, _LAST)

    def _once(self, text: str, task: str, seconds: float) -> Floats:
        told = self._client.models.embed_content(
            model=MODEL,
            contents=text[:_LONGEST].encode("utf-8", "replace").decode().strip() or ".",
            config=types.EmbedContentConfig(
                task_type=task,
                output_dimensionality=self._width,
                http_options=types.HttpOptions(timeout=int(1_000 * seconds) + 1),
            ),
        )
        found = (told.embeddings or [types.ContentEmbedding()])[0]
        if found.statistics and found.statistics.token_count:
            self._remote.booked(PRICED, int(found.statistics.token_count))
        vector = np.array(found.values or (), np.float32)
        length = float(np.linalg.norm(vector))
        if vector.shape != (self._width,) or not 0 < length < np.inf:
            raise ValueError("no vector")
        return np.asarray(vector / length, np.float32)


def _asked_pause(error: errors.APIError) -> float | None:
    """Retry-After in seconds; None where there is none, or it is a date."""
    headers = getattr(error.response, "headers", None) or {}
    given = str(headers.get("Retry-After", ""))
    return float(given) if given.isdecimal() else None
