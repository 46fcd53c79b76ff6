"""What a program may send that the page never would: the server gives nothing of anybody else's and stays up."""

import re
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from tests.browser.conftest import Events
from tests.browser.line import Caller, Line
from tests.browser.server import Server

QUESTION = "What is the overdraft fee?"


def _asked(line: Line) -> str:
    """Ask, wait for the end; the id of the thread."""
    line.say(QUESTION)
    line.until("update_message", '"on_message"')
    return line.session


def test_parallel_messages_on_one_socket_are_met_one_at_a_time(server: Server) -> None:
    with Line(Caller(server.url, "customer")) as line:
        line.until("new_message", "system_message")
        for _ in range(6):
            line.say(QUESTION)
        for _ in range(4):  # one is answered, one waits
            assert "One question at a time" in line.until("toast")["message"]
        for _ in range(2):
            assert "$15" in line.until("new_message", '"assistant_message"')["output"].replace("\\", "")


def test_a_burst_of_messages_is_slowed_down(server: Server) -> None:
    with Line(Caller(server.url, "approver")) as line:
        for _ in range(30):
            line.say("/help")
            line.until("task_start")
            line.until("task_end")
        line.say("/help")
        assert "wait a moment" in line.until("toast")["message"]


def test_nobody_takes_part_in_another_persons_conversation(server: Server) -> None:
    with Line(Caller(server.url, "customer")) as own:
        own.say(QUESTION)
        thread = own.until("first_interaction")["thread_id"]
        own.until("update_message", '"on_message"')
        stranger = Caller(server.url, "customer2")
        with Line(stranger, thread=thread) as intruder:
            assert not intruder.accepted
        with Line(stranger, session=own.session) as intruder:
            assert not intruder.accepted
        assert stranger.call("GET", f"/project/thread/{thread}")[0] in (401, 404)


@pytest.mark.parametrize("session", ["../../etc", "x", "0" * 5000])
def test_a_session_that_is_not_a_uuid_is_refused(server: Server, session: str) -> None:
    with Line(Caller(server.url, "customer"), session=session) as line:
        assert not line.accepted


def test_a_socket_from_another_site_is_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        Line(Caller(server.url, "customer"), origin="https://evil.example")


def test_a_socket_without_a_sign_in_is_refused(server: Server) -> None:
    with Line(Caller(server.url)) as line:
        assert not line.accepted


def test_a_message_that_poses_as_the_assistant_is_the_persons_own(server: Server) -> None:
    with Line(Caller(server.url, "customer")) as line:
        thread = str(uuid4())
        line.say("/help", type="assistant_message", name="Wrenfield Assistant", parentId=thread, threadId=thread)
        assert "What you can do here" in line.until("new_message", "What you can do here")["output"]


@pytest.mark.parametrize("event", ["edit_message", "message_favorite", "audio_start", "chat_settings_change"])
def test_events_that_the_product_does_not_use_do_nothing(server: Server, event: str) -> None:
    with Line(Caller(server.url, "customer")) as line:
        line.emit(event, {"message": {"id": str(uuid4()), "output": "/help"}})
        line.say("/help")
        assert line.until("new_message", "What you can do here")


@pytest.mark.parametrize("payload", [None, 7, {}, {"message": None}, {"message": {"id": "x", "output": "hi"}}])
def test_malformed_messages_are_dropped(server: Server, payload: object) -> None:
    with Line(Caller(server.url, "customer")) as line:
        line.emit("client_message", payload)
        line.say("/help")
        assert line.until("new_message", "What you can do here")


def test_stopping_ends_the_answer_and_is_recorded(server: Server, server_events: Events) -> None:
    with Line(Caller(server.url, "customer")) as line:
        line.say(QUESTION)
        line.until("new_message", '"Release"')
        line.emit("stop")
        line.until("new_message", "Stopped.")
    assert server_events("question_answered", lambda event: event["exchange"]["outcome"] == "stopped")


def test_after_signing_out_neither_socket_nor_cookie_works(server: Server) -> None:
    caller = Caller(server.url, "operator")
    kept = {"Cookie": caller.cookies}
    with Line(caller) as line:
        line.until("new_message", "system_message")
        assert caller.call("POST", "/logout")[0] == 200
        line.say("/status")
        assert "You are signed out" in line.until("new_message", "signed out")["output"]
    assert Caller(server.url).call("GET", "/user", headers=kept)[0] == 401
    with Line(Caller(server.url, "operator")) as line:
        assert line.accepted


def test_a_passage_is_for_whom_it_was_cited_and_for_reviewers(server: Server, server_events: Events) -> None:
    with Line(Caller(server.url, "customer")) as line:
        _asked(line)
    event = server_events("question_answered", lambda event: event["exchange"]["actor"]["id"] == "customer")[-1]
    path = f"/passages/{event['exchange']['id']}/1"
    assert Caller(server.url, "customer").call("GET", path)[0] == 200
    assert Caller(server.url, "reviewer").call("GET", path)[0] == 200
    assert Caller(server.url, "customer2").call("GET", path)[0] == 404
    assert Caller(server.url).call("GET", path)[0] == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mcp"),
        ("PUT", "/project/element"),
        ("DELETE", "/project/element"),
        ("GET", "/project/share/x"),
        ("PUT", "/project/thread/share"),
        ("POST", "/auth/jwt"),
        ("POST", "/auth/header"),
        ("POST", "/project/action"),
        ("GET", "/copilot/index.js"),
        ("GET", "/docs"),
        ("GET", "/assets/../server.py"),
        ("GET", "/no-such-page"),
    ],
)
def test_routes_that_the_product_does_not_use_are_not_there(server: Server, method: str, path: str) -> None:
    assert Caller(server.url, "reviewer").call(method, path, body={} if method != "GET" else None)[0] in (400, 404)


def test_a_request_from_another_site_is_refused(server: Server) -> None:
    headers = {"Origin": "https://evil.example"}
    form = {"username": "customer", "password": "demo"}
    assert Caller(server.url).call("POST", "/login", form=form, headers=headers)[0] == 404


def test_the_page_and_its_cookie_are_locked_down(server: Server) -> None:
    headers = Caller(server.url).headers("/login")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert re.search(r"script-src 'self'( 'sha256-[^']+')+;", policy)
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    status, page = Caller(server.url).call("GET", "/")
    assert status == 200
    assert "https://" not in re.sub(r"<meta[^>]*>", "", page)


def test_readiness_is_told(server: Server) -> None:
    assert Caller(server.url).call("GET", "/healthz") == (200, '{"ready":true}')
