"""Files that wait in a chat: whose, which, how many."""

import tomllib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from assistant import dropped
from assistant.dropped import Dropped, Drops, Tray
from knowledge.parse import READERS
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.library import ROOT

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


async def test_one_file_too_many_is_refused_and_the_others_wait_on(drops: Drops) -> None:
    names = [f"{number}.md" for number in range(dropped.MOST)]
    waiting = [await drops.receive(CHAT, _request(name), fakes.OPERATOR) for name in names]
    with pytest.raises(InvalidRequest, match="At most 20 files of 50 MB"):
        await drops.receive(CHAT, _request("21.md"), fakes.OPERATOR)
    assert drops.names(CHAT, waiting) == names


async def test_a_file_that_was_taken_off_its_message_is_let_go_of_with_the_message(drops: Drops) -> None:
    off, sent = [await drops.receive(CHAT, _request(name), fakes.OPERATOR) for name in ("off.md", "sent.md")]
    assert [one.name for one in drops.take(CHAT, [sent])] == ["sent.md"]
    assert drops.names(CHAT, [off]) == []


async def test_documents_and_what_is_said_of_them_are_no_releases(drops: Drops) -> None:
    names = ["a.md", "a.md.meta.yaml", "b.PDF", "c.xlsx"]
    waiting = [await drops.receive(CHAT, _request(name), fakes.OPERATOR) for name in names]
    assert drops.documents(CHAT, waiting)
    release = await drops.receive(CHAT, _request("r.yaml"), fakes.OPERATOR)
    assert not drops.documents(CHAT, [release])
    assert [one.is_release for one in drops.take(CHAT, [*waiting, release])] == [False] * 4 + [True]


async def test_fifty_one_megabytes_are_refused_in_one_file_and_in_several(drops: Drops) -> None:
    with pytest.raises(InvalidRequest, match="at most 50 MB"):
        await drops.receive(CHAT, _request("a.md", b"x" * 51_000_000), fakes.OPERATOR)
    for name in ("a.md", "b.md"):
        await drops.receive(CHAT, _request(name, b"x" * 25_000_000), fakes.OPERATOR)
    with pytest.raises(InvalidRequest, match="50 MB in all"):
        await drops.receive(CHAT, _request("c.md"), fakes.OPERATOR)


def test_a_tray_takes_the_newer_file_of_a_name_and_is_empty_after_an_hour() -> None:
    tray = Tray()
    tray.put("operator", "talk", [Dropped("a.md", b"1"), Dropped("b.md", b"1")], fakes.NOON)
    assert tray.put("operator", "talk", [Dropped("a.md", b"2")], fakes.NOON) == ["a.md", "b.md"]
    assert tray.waits("operator", "talk", fakes.NOON)[0].content == b"2"
    assert tray.waits("operator2", "talk", fakes.NOON) == []
    assert tray.waits("operator", "talk", fakes.NOON + dropped.PATIENCE) == []
    with pytest.raises(InvalidRequest):
        tray.put("operator", "talk", [Dropped(f"{number}.md", b"1") for number in range(21)], fakes.NOON)


def test_the_page_offers_every_type_that_can_be_read() -> None:
    settings = tomllib.loads((ROOT / "assistant" / "chainlit.toml").read_text())["features"]["spontaneous_file_upload"]
    offered = {ending for endings in settings["accept"].values() for ending in endings}
    assert offered == {*READERS, ".meta.yaml", ".yaml", ".yml", ".json"}
    assert (settings["max_files"], settings["max_size_mb"] * 1_000_000) == (dropped.MOST, dropped.LARGEST)


async def test_a_chat_that_was_closed_keeps_nothing(drops: Drops) -> None:
    identity = await drops.receive(CHAT, _request("new.json"), fakes.OPERATOR)
    drops.forget(CHAT)
    assert drops.take(CHAT, [identity]) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/x.yaml", "x.yaml"),
        ("..%5C..%5Cx.md", "%5C..%5Cx.md"),
        ("..\\\\..\\\\x.md", "x.md"),
        ("a\x1b[31m.yaml", "a[31m.yaml"),
        (".~$hidden.md", "hidden.md"),
        ("C:b*c?.md", "b_c_.md"),
        ("n" * 300 + ".yaml", "n" * 95 + ".yaml"),
        ("n" * 300 + ".md.meta.yaml", "n" * 97 + ".md.meta.yaml"),
    ],
)
async def test_a_name_is_a_short_one_without_folders(drops: Drops, name: str, kept: str) -> None:
    assert drops.names(CHAT, [await drops.receive(CHAT, _request(name), fakes.OPERATOR)]) == [kept]


@pytest.mark.parametrize(
    ("chat", "given", "refusal"),
    [
        ("none", ("x.yaml",), NotFound),
        ("other", ("x.yaml",), NotFound),
        (CHAT, ("x.exe",), InvalidRequest),
        (CHAT, ("..",), InvalidRequest),
        (CHAT, ("x.md", b" \n"), InvalidRequest),
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
