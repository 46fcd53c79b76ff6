"""Files that wait in a chat: whose, which, how many."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from assistant import dropped
from assistant.dropped import Drops
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.ledger.store import Ledger
from tests import fakes

CHAT = "0b9ff1f7"


@pytest.fixture
def drops(ledger: Ledger) -> Drops:
    """Files of an operator with one open chat."""
    return Drops(ledger, {CHAT: "operator", "other": "approver", "customers": "customer"}.get)  # type: ignore[arg-type]  # every chat is in it


def _request(name: str, content: bytes = b"id: x", kind: str = "multipart/form-data; boundary=edge") -> Request:
    """A form with one file, in pieces as a network delivers them."""
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + content + b"\r\n--edge--\r\n"
    pieces = [body[start : start + 60_000] for start in range(0, len(body), 60_000)]
    messages = _messages(pieces)

    async def receive() -> Message:
        return await anext(messages)

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}, receive)


async def _messages(pieces: list[bytes]) -> AsyncIterator[Message]:
    for piece in pieces:
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}


async def test_a_file_waits_for_its_message_and_is_taken_once(drops: Drops) -> None:
    identity = await drops.receive(CHAT, _request("new.yaml", "note: Grüße".encode()), fakes.OPERATOR)
    assert drops.names(CHAT, [identity]) == ["new.yaml"]
    assert drops.names("other", [identity]) == []
    assert [(one.name, one.text) for one in drops.take(CHAT, [identity])] == [("new.yaml", "note: Grüße")]
    assert not drops.take(CHAT, [identity])
    assert not drops.names(CHAT, [identity])


async def test_a_fourth_file_takes_the_place_of_the_oldest(drops: Drops) -> None:
    names = [f"{number}.yml" for number in range(dropped.MOST + 1)]
    waiting = [await drops.receive(CHAT, _request(name), fakes.OPERATOR) for name in names]
    assert drops.names(CHAT, waiting) == names[1:]


async def test_a_chat_that_was_closed_keeps_nothing(drops: Drops) -> None:
    identity = await drops.receive(CHAT, _request("new.json"), fakes.OPERATOR)
    drops.forget(CHAT)
    assert drops.take(CHAT, [identity]) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/x.yaml", "x.yaml"), ("a\x1b[31m.yaml", "a[31m.yaml"), ("n" * 300 + ".yaml", "n" * 95 + ".yaml")],
)
async def test_a_name_is_a_short_one_without_folders(drops: Drops, name: str, kept: str) -> None:
    assert drops.names(CHAT, [await drops.receive(CHAT, _request(name), fakes.OPERATOR)]) == [kept]


@pytest.mark.parametrize(
    ("chat", "given", "refusal"),
    [
        ("none", ("x.yaml",), NotFound),
        ("other", ("x.yaml",), NotFound),
        (CHAT, ("x.exe",), InvalidRelease),
        (CHAT, ("x.yaml", b"\xff"), InvalidRelease),
        (CHAT, ("x.yaml", b"x" * (dropped.LARGEST + 1)), InvalidRelease),
        (CHAT, ("x.yaml", b"x" * 5_000_000), InvalidRelease),
        (CHAT, ("x.yaml", b"id: x", "text/plain"), InvalidRequest),
    ],
)
async def test_what_will_not_do_is_refused_and_recorded(
    drops: Drops, ledger: Ledger, chat: str, given: tuple[Any, ...], refusal: type[PlaneError]
) -> None:
    with pytest.raises(refusal):
        await drops.receive(chat, _request(*given), fakes.OPERATOR)
    assert ledger.count(["command_refused"]) == 1
    assert drops._waiting == {}


async def test_a_customer_drops_nothing_not_even_into_the_own_chat(drops: Drops, ledger: Ledger) -> None:
    with pytest.raises(Refused):
        await drops.receive("customers", _request("x.yaml"), fakes.CUSTOMER)
    assert ledger.count(["command_refused"]) == 1
