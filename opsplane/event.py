"""What all events have in common: which of their fields are private, and what is read after erasure."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

ERASED = "[erased]"
"""What stands where the words were."""


Fields = dict[str, Any]
"""Names of fields as pydantic's `include` takes them, or values by name."""


class EventValue(BaseModel):
    """Something that happened, frozen. `private` names the fields that are sealed, as pydantic's `include` does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    private: ClassVar[Fields] = {}
    erased: ClassVar[Fields] = {}  # what required private fields read after erasure
