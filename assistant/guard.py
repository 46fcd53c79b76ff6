"""What a browser may ask for and send: everything else is refused before Chainlit sees it."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from assistant.dropped import MOST as MOST_FILES
from assistant.signin import Person

LONGEST = 200_000
"""At most so many characters of a message are taken in; the release decides how many are answered."""

_ALLOWED = {
    "GET": re.compile(
        r"/(login|login/callback|thread/[^/]+|healthz|metrics|demo-people|user|auth/config|favicon|logo|avatars/[^/]+"
        r"|project/(translations|settings)|project/(thread|file)/[^/]+|project/thread/[^/]+/element/[^/]+"
        r"|passages/[^/]+/\d+|(public|assets)/.+)?"
    ),
    "POST": re.compile(r"/(login|logout|set-session-cookie|project/(threads|file))"),
    "PUT": re.compile(r"/(feedback|project/thread)"),
    "DELETE": re.compile(r"/(feedback|project/thread)"),
}
_OPEN = re.compile(r"/(public|assets|favicon|logo|avatars|healthz)\b")
_SOCKET = re.compile(r"/ws/socket\.io/?")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_ELSEWHERE = re.compile(r'\s*<link\b[^>]*href="https?://[^>]*>')


def page(html: str) -> str:
    """Chainlit's page without the tags that would fetch from other hosts."""
    return _ELSEWHERE.sub("", html)


def policy(html: str) -> str:
    """The Content-Security-Policy of this page: own host only, and its inline scripts by their hash."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(html))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' {hashes}",
        "style-src": "'self' 'unsafe-inline'",  # the page's toasts and panels size themselves by style attributes
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@dataclass(frozen=True)
class Guard:
    """ASGI middleware: known routes only, own origin only, live sessions only, and the headers that say so.

    `who` reads a session token and gives the person, or None where the session has ended; the person is put
    into the request's state. `origin` is the public address where a proxy stands in front, else empty.
    """

    app: ASGIApp
    who: Callable[[str], Person | None]
    policy: str
    origin: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request or socket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._known(scope) or not self._own_origin(scope, headers):
            await _refuse(scope, receive, send)
            return
        if not _OPEN.match(scope["path"]):
            self._admit(scope, headers)
        await self.app(scope, receive, self._sending(scope, headers, send))

    def _known(self, scope: Scope) -> bool:
        if scope["type"] == "websocket":
            return bool(_SOCKET.fullmatch(scope["path"]))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return method in _ALLOWED and bool(_ALLOWED[method].fullmatch(scope["path"]))

    def _own_origin(self, scope: Scope, headers: Headers) -> bool:
        """Whether the request comes from our own page; programs that are not browsers send no Origin."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            return True
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        if self.origin and origin == self.origin:
            return True
        return urlsplit(origin).netloc == headers.get("host", "") != ""

    def _admit(self, scope: Scope, headers: Headers) -> None:
        """Name the person behind a live session; a token that is not one is taken out of the request."""
        token = session_token(headers.get("cookie", ""))
        person = self.who(token) if token else None
        scope.setdefault("state", {})["person"] = person
        dropped = {b"authorization"} if person else {b"authorization", b"cookie"}
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in dropped]

    def _sending(self, scope: Scope, headers: Headers, send: Send) -> Send:
        secure = scope.get("scheme") in ("https", "wss") or self.origin.startswith("https:")
        local = urlsplit(f"//{headers.get('host', '')}").hostname in _LOCAL and not secure

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message), scope["path"], self.policy)
                if not local:
                    message["headers"] = [_secured(name, value) for name, value in message["headers"]]
            await send(message)

        return sending


def session_token(cookies: str) -> str:
    """The session token in a Cookie header, or an empty string."""
    try:
        jar = SimpleCookie(cookies)
    except CookieError:
        return ""
    return jar["access_token"].value if "access_token" in jar else ""


class Malformed(ValueError):
    """Nothing that our own page would send."""


def connection(given: object) -> dict[str, str]:
    """What a socket may say of itself: two UUIDs. Raise `Malformed` for anything else."""
    if not isinstance(given, dict):
        raise Malformed("no session")
    thread = given.get("threadId") or ""
    return {
        "clientType": "webapp",
        "sessionId": str(_uuid(given.get("sessionId"))),
        "threadId": str(_uuid(thread)) if thread else "",
        "userEnv": "{}",
        "chatProfile": "",
    }


def message(given: object, name: str) -> dict[str, Any]:
    """A browser's message as `name` may send it: an id and words; raise `Malformed` where it is not one.

    A command picked from the menu is folded into the words, so that it reads like a typed one.
    """
    sent = given.get("message") if isinstance(given, dict) else None
    if not isinstance(sent, dict) or not isinstance(sent.get("output"), str):
        raise Malformed("not a message")
    identity = _uuid(sent.get("id"))
    if identity.version != 4:
        raise Malformed("not a random id")
    command = sent.get("command")
    text = legible(sent["output"][:LONGEST])
    if isinstance(command, str) and re.fullmatch(r"[a-z][a-z-]{0,30}", command):
        text = f"/{command} {text.strip()}".rstrip()
    return {
        "id": str(identity),
        "threadId": "",
        "parentId": None,
        "type": "user_message",
        "name": name,
        "output": text,
        "createdAt": None,
        "metadata": {},
    }


def files(given: object) -> list[str]:
    """The ids of files that were dropped with a message; raise `Malformed` for what cannot be some."""
    wanted = given.get("fileReferences") if isinstance(given, dict) else None
    if not isinstance(wanted or [], list) or len(wanted or []) > MOST_FILES:
        raise Malformed("not a list of files")
    return [str(_uuid(one.get("id") if isinstance(one, dict) else None)) for one in wanted or []]


def legible(text: str) -> str:
    """Text without control characters and lone surrogates, which no database or screen can hold."""
    if text.isprintable():
        return text
    return "".join(one if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs") else "\ufffd" for one in text)


def _uuid(given: object) -> UUID:
    try:
        return UUID(str(given))
    except ValueError as error:
        raise Malformed("not a UUID") from error


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(code=1008)(scope, receive, send)
        return
    await PlainTextResponse("Not found", status_code=404)(scope, receive, send)


def _protect(headers: MutableHeaders, path: str, policy: str) -> None:
    headers["Content-Security-Policy"] = policy
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if path.startswith("/assets/"):  # named by their content
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif not _OPEN.match(path):
        headers["Cache-Control"] = "no-store"


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() == b"set-cookie" and b"secure" not in value.lower():
        return name, value + b"; Secure"
    return name, value
