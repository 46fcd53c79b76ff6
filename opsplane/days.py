"""Days as people name them for a report, and the moments between which they lie."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from opsplane.ledger.seal import micros


@dataclass(frozen=True)
class Days:
    """UTC days, both inclusive; None where it is open."""

    since: date | None = None
    until: date | None = None

    def __str__(self) -> str:
        """As people say it."""
        parts = [f"since {self.since}" if self.since else "", f"until {self.until}" if self.until else ""]
        return " ".join(part for part in parts if part) or "of all days"

    def bounds(self) -> tuple[int | None, int | None]:
        """The first moment and the one after the last, in microseconds."""
        begin = micros(datetime.combine(self.since, time.min, UTC)) if self.since else None
        end = micros(datetime.combine(self.until, time.min, UTC) + timedelta(days=1)) if self.until else None
        return begin, end
