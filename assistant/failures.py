"""What an exception of a model's provider means: whether to try again, how long to wait, what an operator must change.

Read off the chain of exceptions, since LangChain's own wrap those of the client: they keep no status, no header and
no hint how long to wait.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core.exceptions import ModelError
from pydantic import ValidationError

from assistant import errors

LONGEST_WAIT = 3_600.0
"""Seconds that any provider is believed to ask for."""
_TRANSPORTS = frozenset({"aiohttp", "httpx", "httpcore", "requests", "urllib3", "grpc"})
_MOST_CHAINED = 10


@dataclass(frozen=True)
class Failure:
    """Why a model gave no answer."""

    code: str  # model.unavailable, model.exhausted, model.slow …
    detail: str
    tries: int = 1  # at most so many in the same place, the first included
    wait: float = 0.0  # seconds that the provider asks for
    change: str = ""  # what an operator must change
    counts: bool = True  # against the place: whoever asks it next would be told the same


_AGAIN = 1_000_000
"""As many tries as the release allows."""
_BUSY = {429: "model.exhausted", 408: "model.slow"}
_CHANGES: Mapping[int, str] = {
    400: "the request was not accepted: check the release's generation, safety and the model's settings",
    401: "sign in again: OPSPLANE_GOOGLE_CREDENTIALS, or the model's own api_key",
    403: "give the service the role roles/aiplatform.user, or correct OPSPLANE_GOOGLE_PROJECT",
    404: "the model's name is wrong, it has retired, or this region does not have it: change the release's models or "
    "OPSPLANE_GOOGLE_LOCATION",
}


def read(error: BaseException) -> Failure:
    """What this exception means; pure."""
    chain = list(_chain(error))
    status = next((code for one in chain if (code := _status(one))), 0)
    if status:
        return _answered(status, chain, errors.told(error))
    if any(isinstance(one, TimeoutError) for one in chain):
        return Failure("model.slow", "it did not answer in time")
    if any(_is_login(one) for one in chain):
        return Failure("model.refused", errors.told(error), change=_CHANGES[401])
    if any(_transport(one) for one in chain):
        return Failure("model.unavailable", f"the connection failed ({errors.told(error)})", tries=_AGAIN)
    if any(isinstance(one, json.JSONDecodeError | ValidationError | UnicodeDecodeError) for one in chain):
        # the parser's words would repeat the body, which may hold a customer's words
        return Failure("model.garbled", "its answer could not be read", tries=_AGAIN)
    again = isinstance(error, ModelError) and bool(getattr(error, "is_retryable", False))
    return Failure("model.unavailable", errors.told(error), tries=_AGAIN if again else 1)


def _answered(status: int, chain: list[BaseException], text: str) -> Failure:
    """A status and an error in the provider's words."""
    if status in _BUSY:
        return Failure(_BUSY[status], f"{status}: {text}", tries=_AGAIN, wait=_wait(chain))
    if status >= 500:
        return Failure("model.unavailable", f"{status}: {text}", tries=_AGAIN, wait=_wait(chain))
    change = _CHANGES.get(status, _CHANGES[400])
    return Failure("model.refused", f"{status}: {text}", change=change, counts=status in (401, 403, 404))


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_MOST_CHAINED):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    own = () if _transport(error) else (getattr(error, "code", None), getattr(error, "status_code", None))
    for told in (*own, getattr(response, "status_code", None)):
        if isinstance(told, int) and 400 <= told <= 599:
            return told
    return 0


def _transport(error: BaseException) -> bool:
    """Whether a library for connections says it; aiohttp calls a body that breaks off 400."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _TRANSPORTS


def _is_login(error: BaseException) -> bool:
    """Whether signing in failed, of which Google's library has many exceptions."""
    return type(error).__module__.startswith("google.auth")


def _wait(chain: list[BaseException]) -> float:
    """Seconds that the provider asks to wait: by its Retry-After, or by a RetryInfo in its words; 0 for none."""
    for error in chain:
        headers = getattr(getattr(error, "response", None), "headers", None)
        asked = _after(headers) if headers is not None else None
        if asked is None:
            asked = _info(getattr(error, "details", None))
        if asked is not None:
            return min(max(asked, 0.0), LONGEST_WAIT)
    return 0.0


def _after(headers: Any) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date, which is read against the same answer's Date."""
    found = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    asked = found.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        return (parsedate_to_datetime(asked) - parsedate_to_datetime(found.get("date", ""))).total_seconds()
    except (ValueError, TypeError):
        return None


def _info(details: Any) -> float | None:
    """`google.rpc.RetryInfo` in an error's details, such as {"retryDelay": "12s"}."""
    told = details.get("error", details) if isinstance(details, dict) else {}
    listed = told.get("details", ()) if isinstance(told, dict) else ()
    for one in listed if isinstance(listed, list) else ():
        delay = one.get("retryDelay") if isinstance(one, dict) else None
        if isinstance(delay, str) and delay.endswith("s"):
            number = delay[:-1][:12]
            if number.replace(".", "", 1).isdigit():
                return float(number)
    return None
