"""What an export's page tells beside the exchanges."""

from opsplane.events import KINDS
from opsplane.ledger.parcel import HISTORY


def test_every_kind_that_the_page_tells_exists() -> None:
    assert set(HISTORY) <= KINDS.keys()


def test_what_people_asked_for_and_decided_is_told() -> None:
    assert {"request_made", "request_decided"} <= set(HISTORY)
