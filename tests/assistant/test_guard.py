"""What a browser may ask for and send."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import uuid4

import pytest
from starlette.types import Message, Receive, Scope, Send

from assistant import guard
from assistant.guard import Guard
from assistant.signin import Person
from opsplane.access import Role

MAYA = Person(name="customer", display="Maya", role=Role.CUSTOMER, customer="C-1001")
PAGE = '<link href="https://elsewhere.example/x.css" rel="stylesheet"><script>let a = 1</script><div></div>'
Headers = Iterable[tuple[str, str]]


async def _served(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who was let through and with which headers; sets a cookie."""
    names = " ".join(sorted(name.decode() for name, _ in scope["headers"]))
    person = scope.get("state", {}).get("person")
    body = f"{person.name if person else '-'} {names}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"access_token=t; Path=/")]})
    await send({"type": "http.response.body", "body": body})


async def ask(path: str, method: str = "GET", headers: Headers = (), **scope: Any) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one request through a guard."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    built = Guard(_served, lambda token: MAYA if token == "good" else None, guard.policy(PAGE), "https://bank.example")
    given = [(b"host", b"localhost:8000"), *((name.encode(), value.encode()) for name, value in headers)]
    await built({"type": "http", "path": path, "method": method, "headers": given, **scope}, receive, send)
    got = {name.decode().lower(): value.decode() for name, value in sent[0].get("headers", [])}
    return sent[0].get("status", 0), got, sent[-1].get("body", b"").decode()


async def test_routes_that_are_not_named_do_not_exist() -> None:
    assert (await ask("/mcp", "POST"))[0] == 404
    assert (await ask("/", "PATCH"))[0] == 404
    assert (await ask("/"))[0] == 200


async def test_a_live_session_names_the_person() -> None:
    assert (await ask("/user", headers=[("cookie", "access_token=good")]))[2] == "customer cookie host"


async def test_an_ended_session_is_taken_out_of_the_request() -> None:
    headers = [("cookie", "access_token=old"), ("authorization", "Bearer old")]
    assert (await ask("/user", headers=headers))[2] == "- host"


async def test_another_sites_request_is_refused() -> None:
    assert (await ask("/login", "POST", [("origin", "https://evil.example")]))[0] == 404
    assert (await ask("/login", "POST", [("sec-fetch-site", "cross-site")]))[0] == 404
    assert (await ask("/login", "POST", [("origin", "http://localhost:8000")]))[0] == 200
    assert (await ask("/login", "POST", [("origin", "https://bank.example")]))[0] == 200
    assert (await ask("/login", "POST"))[0] == 200


@pytest.mark.parametrize("path", ["/ws/socket.io/", "/elsewhere"])
async def test_another_sites_socket_is_closed_before_it_opens(path: str) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    receive: Callable[[], Awaitable[Message]] = dict  # type: ignore[assignment]  # is never awaited
    built = Guard(_served, lambda _: None, "")
    origin = [(b"host", b"localhost"), (b"origin", b"https://evil.example")]
    await built({"type": "websocket", "path": path, "headers": origin}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


async def test_the_cookie_is_secure_behind_a_public_address_but_usable_on_this_machine() -> None:
    _, headers, _ = await ask("/user", headers=[], scheme="http")
    assert headers["set-cookie"].endswith("; Secure")
    built = Guard(_served, lambda _: None, "")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/user", "method": "GET", "headers": [(b"host", b"127.0.0.1:80")]}
    await built(scope, lambda: None, send)  # type: ignore[arg-type,return-value]
    assert b"Secure" not in dict(sent[0]["headers"])[b"set-cookie"]


async def test_pages_are_not_stored_and_assets_are() -> None:
    assert (await ask("/project/threads", "POST"))[1]["cache-control"] == "no-store"
    assert "immutable" in (await ask("/assets/x.js"))[1]["cache-control"]


def test_the_policy_allows_the_pages_own_inline_scripts_by_hash_only() -> None:
    policy = guard.policy(guard.page(PAGE))
    assert "script-src 'self' 'sha256-" in policy
    assert "default-src 'none'" in policy
    assert "elsewhere.example" not in guard.page(PAGE)


@pytest.mark.parametrize("cookies", ["", "a=b", "access_token", "=;;;=", 'a="\x00"'])
def test_a_cookie_header_without_a_token_has_none(cookies: str) -> None:
    assert guard.session_token(cookies) == ""


@pytest.mark.parametrize(
    "given", [None, {}, {"sessionId": "../x"}, {"sessionId": str(uuid4()), "threadId": "1; drop"}, "sessionId"]
)
def test_a_connection_needs_uuids(given: object) -> None:
    with pytest.raises(guard.Malformed):
        guard.connection(given)


def test_a_connection_says_nothing_but_its_ids() -> None:
    session = str(uuid4())
    taken = guard.connection({"sessionId": session, "clientType": "slack", "userEnv": "{x}", "chatProfile": "admin"})
    assert taken == {"clientType": "webapp", "sessionId": session, "threadId": "", "userEnv": "{}", "chatProfile": ""}


def test_a_message_is_an_id_and_words_of_the_person_who_is_signed_in() -> None:
    identity = str(uuid4())
    sent = {"id": identity, "output": "hi", "type": "assistant_message", "name": "Bank", "parentId": "x"}
    taken = guard.message({"message": sent}, "customer")
    assert (taken["type"], taken["name"], taken["parentId"]) == ("user_message", "customer", None)
    assert (taken["id"], taken["output"]) == (identity, "hi")


@pytest.mark.parametrize(
    ("command", "output", "text"),
    [("audit", "page=2", "/audit page=2"), ("status", "", "/status"), ("../x", "hi", "hi"), (None, "/help", "/help")],
)
def test_a_picked_command_reads_like_a_typed_one(command: str | None, output: str, text: str) -> None:
    sent = {"id": str(uuid4()), "output": output, "command": command}
    assert guard.message({"message": sent}, "operator")["output"] == text


@pytest.mark.parametrize("sent", [None, {}, {"id": str(uuid4())}, {"id": "1", "output": "hi"}, {"output": 7}])
def test_what_is_not_a_message_is_refused(sent: object) -> None:
    with pytest.raises(guard.Malformed):
        guard.message({"message": sent}, "customer")


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    assert guard.legible("a\x00b\x1b[31m\ud800\n\tc") == "a\ufffdb\ufffd[31m\ufffd\n\tc"
    assert guard.legible("Grüße — 你好 👋") == "Grüße — 你好 👋"


def test_an_endless_message_is_cut() -> None:
    sent = {"id": str(uuid4()), "output": "x" * 300_000}
    assert len(guard.message({"message": sent}, "customer")["output"]) == guard.LONGEST


def test_files_are_named_by_their_ids() -> None:
    identity = str(uuid4())
    assert guard.files({"fileReferences": [{"id": identity}]}) == [identity]
    assert guard.files({"fileReferences": []}) == guard.files({"fileReferences": None}) == guard.files({}) == []


@pytest.mark.parametrize("given", ["x", {"id": "1"}, [{"id": "../x"}], [7], [{"id": str(uuid4())}] * 21])
def test_what_cannot_be_files_is_refused(given: object) -> None:
    with pytest.raises(guard.Malformed):
        guard.files({"fileReferences": given})
