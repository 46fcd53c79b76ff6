"""What each call of a model cost, as the cloud counts it: what the product books can be held against it.

`cloud.held["gemini"]["bills"]` has one entry for each call that was answered, in whole or in part; under `cancelled`
stand the tokens that had been written when a client went away.
"""

from typing import Any

from tests.vertex.cloud import Cloud
from tests.vertex.gemini_written import Written

_MOST = 100_000


def note(cloud: Cloud, written: Written, location: str, sent: int | None = None, *, batch: bool = False) -> None:
    """Note one call; where a client went away, `sent` is how many tokens had been written by then."""
    usage = written.usage(sent)
    one = {
        "model": written.asked.model,
        "location": location,
        "input": usage["promptTokenCount"],
        "cached": usage.get("cachedContentTokenCount", 0),
        "output": usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0),
        "finish": written.block or ("CANCELLED" if sent is not None else written.finish),
        "labels": dict(written.asked.labels),
        "batch": batch,
    }
    found = held(cloud)
    with cloud.lock:
        found["bills"].append(one)
        del found["bills"][:-_MOST]
        if sent is not None:
            found["cancelled"].append(sent)


def held(cloud: Cloud) -> dict[str, Any]:
    """What is kept about the models of a cloud."""
    with cloud.lock:
        found: dict[str, Any] = cloud.held.setdefault("gemini", {})
        found.setdefault("bills", [])
        found.setdefault("cancelled", [])
    return found
