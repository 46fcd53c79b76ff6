"""What a reader makes of a file's bytes, and the exception for what cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from knowledge.document import Section

SAVE_AGAIN = "open it in the program that made it and save it again"
"""What a person can do about a damaged file."""


class Unfit(ValueError):
    """A file that cannot become a document; the message is the reason, for the person who supplied it."""


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 row", "2 rows"; `many` is the plural where it is no added s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@dataclass(frozen=True)
class Reading:
    """Metadata that the file itself states, its sections in reading order, and what a person should know of it."""

    sections: Sequence[Section]
    fields: dict[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
