"""The plane's refusals: one tree, its messages written for the person who reads them.

    PlaneError
    ├── Refused            this person may not do that
    ├── NotFound           no such release, exchange, command
    ├── Conflict           not in the present state
    ├── InvalidRelease     a release file that cannot be used: file, line and field
    ├── InvalidRequest     a filter, date or value that cannot be read
    └── RecordUnavailable  the record cannot be written or read: nothing may be answered

Expected endings of a turn (declined, abstained) are values, not exceptions.
"""


class PlaneError(Exception):
    """Any refusal of the control plane; its text may be shown to the person who caused it."""


class Refused(PlaneError):
    """The person lacks the role."""


class NotFound(PlaneError):
    """The named thing does not exist."""


class Conflict(PlaneError):
    """The present state does not allow it."""


class InvalidRelease(PlaneError):
    """A release (or compliance pack) that cannot be used; the message names file, line and field."""


class InvalidRequest(PlaneError):
    """A value typed by a person that cannot be read."""


class RecordUnavailable(PlaneError):
    """The record cannot be committed or read; without a record nothing is answered."""
