"""Other systems of our own on this machine: Llama Guard served the OpenAI way, Model Armor, and a NeMo server.

Beside them a place where Google's library trades a signed assertion for a token.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests import loopback

TEMPLATE = "projects/bank/locations/europe-west4/templates/chat"
Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is answered in place of a verdict."""

    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


BUSY = Fault(503, headers=(("Retry-After", "0"),))
MODERATE = Fault(429, headers=(("Retry-After", "3600"),))


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    body: Json
    authorization: str


@dataclass
class Systems:
    """All three behind one address. `faults` are used up one by one; while `mute` nothing is answered at all."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    verdict: str = "safe"  # Llama Guard's words
    certainty: list[Json] | None = None  # its log probabilities
    sanitization: Json = field(default_factory=lambda: {"filterMatchState": "NO_MATCH_FOUND"})
    mute: bool = False
    together: threading.Barrier | None = None  # nobody is answered before so many have asked
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, body: Json) -> tuple[int, Json]:
        """Status and body, as the system at this path has them."""
        known: dict[str, Callable[[Json], tuple[int, Json]]] = {
            "/v1/chat/completions": self._guard,
            f"/v1/{TEMPLATE}:sanitizeUserPrompt": self._armor,
            f"/v1/{TEMPLATE}:sanitizeModelResponse": self._armor,
            "/v1/checks": _rails,
            "/token": _token,
        }
        return known[path](body) if path in known else (404, {})

    def _guard(self, body: Json) -> tuple[int, Json]:
        roles = [message["role"] for message in body["messages"]]
        if roles != ["user", "assistant"][: len(roles)]:
            return 400, {"error": "Conversation roles must alternate user/assistant/user/assistant/..."}
        logprobs = {"content": self.certainty} if body.get("logprobs") else None
        message = {"role": "assistant", "content": self.verdict}
        return 200, {"object": "chat.completion", "choices": [{"index": 0, "message": message, "logprobs": logprobs}]}

    def _armor(self, body: Json) -> tuple[int, Json]:
        data = body.get("userPromptData") or body["modelResponseData"]
        return (200, {"sanitizationResult": self.sanitization}) if data["text"] else (400, {})


def _rails(body: Json) -> tuple[int, Json]:
    """A configuration `bank` that stops "forbidden" on both sides and masks "secret"."""
    asked = body["guardrails"]
    if asked["config_id"] != "bank" or not body["messages"]:
        return 422, {"error": {"message": "Invalid config path"}}
    content, (side,) = body["messages"][-1]["content"], asked["rail_types"]
    if "forbidden" in content:
        return 200, {"status": "blocked", "content": "I can't.", "rail": f"regex check {side}"}
    if "secret" in content:
        return 200, {"status": "modified", "content": content.replace("secret", "***")}
    return 200, {"status": "passed", "content": content}


def _token(body: Json) -> tuple[int, Json]:
    asked = body["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" and body["assertion"].count(".") == 2
    return (200, {"access_token": "ya29.token", "expires_in": 3600}) if asked else (400, {"error": "invalid_grant"})


@contextmanager
def serving() -> Iterator[Systems]:
    """A server on a free port of this machine, until the end of the block."""
    state = Systems()

    class Handler(loopback.Quiet):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802  # the server calls it so
            content = self.rfile.read(int(self.headers["Content-Length"]))
            form = "form" in self.headers["Content-Type"]
            body = dict(parse_qsl(content.decode())) if form else json.loads(content)
            state.asked.append(Asked(self.path, body, self.headers.get("Authorization", "")))
            if state.mute:
                state.over.wait(10)
                self.close_connection = True
                return
            if state.together:
                state.together.wait(10)
            if state.faults:
                self._send(state.faults.pop(0))
            else:
                status, answer = state.answer(self.path, body)
                self._send(Fault(status, json.dumps(answer).encode()))

        def _send(self, fault: Fault) -> None:
            self.send_response(fault.status)
            for name, value in fault.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(fault.content)))
            self.end_headers()
            self.wfile.write(fault.content)

    with loopback.serving(Handler) as state.url:
        try:
            yield state
        finally:
            state.over.set()
