"""What happens when a person of the bank takes over a conversation: asked for, taken, said, given back, ended.

`handover` is the id of the exchange that it came of, or one of its own where the customer asked for it by a command;
its entries are about that exchange, and sealed under the customer's key.
"""

from typing import ClassVar, Literal

from opsplane.event import ERASED, EventValue, Fields


class HandoverAsked(EventValue):
    """A customer is to be helped by a person, who is waited for until `until` (ISO 8601).

    Asked for again while it waits, it can become urgent. `code` is the finding's, or says that the customer asked.
    """

    private: ClassVar[Fields] = {"summary": True}
    kind: Literal["handover_asked"] = "handover_asked"
    handover: str
    conversation: str
    customer: str
    exchange: str = ""
    code: str
    urgent: bool = False
    until: str
    summary: str = ""


class HandoverTaken(EventValue):
    """One of the staff took it over in their conversation `talk`: what they write there goes to the customer."""

    kind: Literal["handover_taken"] = "handover_taken"
    handover: str
    by: str
    talk: str


class HandoverSaid(EventValue):
    """The customer or the staff member wrote something to the other; on the record before it is shown."""

    private: ClassVar[Fields] = {"text": True}
    erased: ClassVar[Fields] = {"text": ERASED}
    kind: Literal["handover_said"] = "handover_said"
    handover: str
    side: Literal["customer", "staff"]
    by: str
    text: str


class HandoverReturned(EventValue):
    """The staff member left: the customer is back in the queue, in their old place, until `until`."""

    kind: Literal["handover_returned"] = "handover_returned"
    handover: str
    by: str
    until: str


class HandoverClosed(EventValue):
    """One side ended it: the assistant answers again. Withdrawn means that nobody had taken it yet."""

    kind: Literal["handover_closed"] = "handover_closed"
    handover: str
    side: Literal["customer", "staff"]
    by: str
    outcome: Literal["solved", "unsolved", "ended", "withdrawn"]


class HandoverLapsed(EventValue):
    """Nobody took it in time, or neither side said anything for long."""

    kind: Literal["handover_lapsed"] = "handover_lapsed"
    handover: str
    why: Literal["nobody", "silence"]


HandoverEvent = HandoverAsked | HandoverTaken | HandoverSaid | HandoverReturned | HandoverClosed | HandoverLapsed
"""Any of them."""
