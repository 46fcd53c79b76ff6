"""What happens to people's words once they are on the record: requests of two people, holds, erasure, retention."""

from typing import ClassVar, Literal

from pydantic import Field

from opsplane.event import ERASED, EventValue, Fields


class RequestMade(EventValue):
    """Something that needs a second person was asked for. `until` is when the request lapses, empty for never.

    `digest` is over the whole of it, `salt` included, so that it tells nothing about a reason that was erased.
    """

    private: ClassVar[Fields] = {"reason": True, "salt": True}
    erased: ClassVar[Fields] = {"reason": ERASED}
    kind: Literal["request_made"] = "request_made"
    request: str
    action: str
    subject: str
    details: dict[str, str] = Field(default_factory=dict)
    until: str = ""
    digest: str
    reason: str
    salt: str = ""


class RequestDecided(EventValue):
    """A second person agreed to exactly what `digest` is over, or said no; or whoever asked took it back."""

    private: ClassVar[Fields] = {"reason": True}
    erased: ClassVar[Fields] = {"reason": ERASED}
    kind: Literal["request_decided"] = "request_decided"
    request: str
    action: str
    subject: str
    digest: str
    decision: Literal["approved", "rejected", "withdrawn"]
    reason: str = ""


class ErasureBegun(EventValue):
    """From here on these keys of an erased customer are being destroyed; a hold that comes later comes too late."""

    kind: Literal["erasure_begun"] = "erasure_begun"
    request: str
    customer: str
    keys: tuple[str, ...]


class ErasureStopped(EventValue):
    """An approved erasure was not carried out, because these holds were there first; nothing was destroyed."""

    kind: Literal["erasure_stopped"] = "erasure_stopped"
    request: str
    customer: str
    holds: tuple[str, ...]


class ErasureKeysDestroyed(EventValue):
    """The keys are gone: nothing that was sealed with them can be read by anybody."""

    kind: Literal["erasure_keys_destroyed"] = "erasure_keys_destroyed"
    request: str
    customer: str
    keys: tuple[str, ...]


class CustomerErased(EventValue):
    """Nothing that a customer said or was told can be read any longer; how much that was, and what remains."""

    kind: Literal["customer_erased"] = "customer_erased"
    request: str
    customer: str
    requested_by: str
    approved_by: str
    keys: tuple[str, ...]
    entries: int
    exchanges: int
    conversations: int
    remains: str


class RetentionSet(EventValue):
    """Content is kept for so many years from here on."""

    kind: Literal["retention_set"] = "retention_set"
    request: str
    years: int


class RetentionBegun(EventValue):
    """The keys of months from `since` to before `before` ("2019-11") whose time is up are being destroyed."""

    kind: Literal["retention_begun"] = "retention_begun"
    run: str
    since: str
    before: str
    years: int
    keys: tuple[str, ...]


class RetentionApplied(EventValue):
    """They were; `held` counts customers whose keys a hold kept."""

    kind: Literal["retention_applied"] = "retention_applied"
    run: str
    before: str
    years: int
    keys: tuple[str, ...]
    customers: int
    held: int
    entries: int
    exchanges: int
