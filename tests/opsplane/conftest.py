"""A custodian over an empty record."""

import pytest

from opsplane.erasure import Custodian
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from tests.opsplane.custodians import Chats


@pytest.fixture
def chats() -> Chats:
    return Chats()


@pytest.fixture
def custodian(ledger: Ledger, notary: Notary, chats: Chats) -> Custodian:
    return Custodian(ledger, notary.signer, chats)
