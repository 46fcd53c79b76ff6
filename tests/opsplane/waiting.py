"""Customers who wait for a person, for the tests of hand-overs."""

from datetime import datetime, timedelta
from typing import Any

from opsplane.handover_events import HandoverAsked
from tests import fakes

HALF_AN_HOUR = timedelta(minutes=30)


def asked(name: str = "aaaaaaaa-1", at: datetime = fakes.NOON, **changes: Any) -> HandoverAsked:
    """A customer asks for a person."""
    data: dict[str, Any] = {
        "handover": name,
        "conversation": f"talk-{name}",
        "customer": "C-1001",
        "code": "scope.person",
        "until": (at + HALF_AN_HOUR).isoformat(),
    }
    return HandoverAsked(**(data | changes))
