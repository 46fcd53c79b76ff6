"""What changed for customers shows in every open chat of operators and approvers; a release is dropped into a chat."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from assistant.bootstrap import record
from assistant.settings import Settings
from opsplane.access import Actor, Role
from opsplane.control_events import Act, ChangesFrozen, ChangesUnfrozen, KillSwitchPulled, KillSwitchReset
from tests.browser.conftest import Events, Visit
from tests.browser.line import Caller, Line
from tests.browser.server import STABLE, Server
from tests.browser.test_look import picture
from tests.browser.visitor import RATED, Visitor
from tests.library import ROOT

pytestmark = pytest.mark.browser

Happen = Callable[..., None]
RELEASE = (ROOT / "assistant" / "releases" / "heron-6.yaml").read_text(encoding="utf-8")
COLLEAGUE = Actor(id="colleague", role=Role.OPERATOR)


@pytest.fixture
def happen(server: Server) -> Iterator[Happen]:
    """Puts acts on the record from another process than the server; at the end customers are served as before."""

    def put(*acts: Act, by: Actor = COLLEAGUE) -> None:
        with record(Settings(data=server.data)) as (ledger, _):
            for act in acts:
                ledger.append_now(act, by)  # type: ignore[arg-type]  # every act is an event

    yield put
    put(ChangesUnfrozen(), KillSwitchReset(request="none", approved_by="approver"))


def _notices(visitor: Visitor, text: str) -> Locator:
    return visitor.page.locator('[data-step-type="system_message"]', has_text=text)


def _drop(visitor: Visitor, name: str, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    visitor.page.locator("#upload-button-input").set_input_files(FilePayload(name=name, mimeType="", buffer=data))


def _said(visitor: Visitor) -> Locator:
    return visitor.page.locator('[data-step-type="user_message"]').last


def _send_dropped(visitor: Visitor) -> Locator:
    before = visitor.page.locator(RATED).count()
    visitor.page.locator("#chat-submit").click()
    expect(visitor.page.locator(RATED)).to_have_count(before + 1)
    return visitor.answers.last


def test_a_freeze_by_another_process_shows_in_every_open_chat(visit: Visit, happen: Happen) -> None:
    operator, approver, reviewer = visit("operator"), visit("approver"), visit("reviewer")
    operator.ask("/status")
    happen(ChangesFrozen(reason="the *holiday* <b>"))
    for visitor in (operator, approver):
        notice = _notices(visitor, "Changes were frozen")
        expect(notice).to_contain_text(f"by colleague: the *holiday* <b>. {STABLE}")
        expect(notice).to_contain_text("serves everybody.")
    picture(operator.page, "told-frozen")
    picture(approver.page, "told-frozen-fresh")
    expect(operator.ask("/status")).to_contain_text("Stable release")
    expect(_notices(reviewer, "frozen")).to_have_count(0)
    expect(_notices(operator, "Changes were frozen")).to_have_count(1)


def test_the_kill_switch_and_its_end_are_told(visit: Visit, happen: Happen) -> None:
    operator = visit("operator")
    happen(KillSwitchPulled(reason="a leak"))
    expect(_notices(operator, "The kill switch was pulled by colleague: a leak.")).to_be_visible()
    happen(KillSwitchReset(request="r1", approved_by="approver"))
    expect(_notices(operator, f"approved by approver. {STABLE}")).to_be_visible()


def test_a_release_that_is_dropped_into_the_chat_is_registered(
    visit: Visit, server: Server, server_events: Events
) -> None:
    operator = visit("operator")
    _drop(operator, "dropped-1.yaml", RELEASE.replace("id: heron-6", "id: dropped-1", 1))
    picture(operator.page, "dropped-waiting")
    expect(_send_dropped(operator)).to_contain_text("dropped-1")
    expect(_said(operator)).to_contain_text("Register dropped-1.yaml")
    picture(operator.page, "dropped")
    assert server_events("release_registered", lambda event: event["release"] == "dropped-1")
    expect(operator.page.locator("#upload-button")).to_be_visible()
    files = [one for one in (server.data / "web" / ".files").rglob("*") if one.is_file()]
    assert not [one for one in files if b"dropped-1" in one.read_bytes()]


def test_a_dropped_file_leaves_nothing_but_its_name_in_the_history(visit: Visit) -> None:
    operator = visit("operator")
    _drop(operator, "history-1.yaml", RELEASE.replace("id: heron-6", "id: history-1", 1))
    _send_dropped(operator)
    operator.page.wait_for_url("**/thread/*")
    operator.page.reload()
    expect(_said(operator)).to_have_text("Register history-1.yaml, dropped here")
    expect(operator.answers.last).to_contain_text("is on the record and never changes")
    expect(operator.page.locator("a[download]")).to_have_count(0)


def test_a_dropped_file_with_a_mistake_is_told_by_line_and_field(visit: Visit, server_events: Events) -> None:
    operator = visit("operator")
    _drop(operator, "typo.yaml", RELEASE.replace("id: heron-6", "id: typo-1\nretreival: {}", 1))
    _drop(operator, "broken.yaml", "id: [")
    before = operator.answers.count()
    _send_dropped(operator)
    expect(operator.answers.nth(before)).to_contain_text("typo.yaml:")
    expect(operator.answers.nth(before)).to_contain_text("retreival")
    expect(operator.answers.last).to_contain_text("broken.yaml")
    assert server_events("command_refused", lambda event: "retreival" in event["reason"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("latin.yaml", "note: caf\xe9".encode("latin-1"), "latin.yaml: is no text in UTF-8 (byte 10"),
        ("large.yaml", b"# " + b"x" * 300_000, "too large: a file that is dropped has at most 256 KB"),
    ],
)
def test_a_file_that_cannot_be_a_release_is_refused_at_once(
    visit: Visit, server_events: Events, name: str, content: bytes, told: str
) -> None:
    operator = visit("operator")
    _drop(operator, name, content)
    expect(operator.page.locator("[data-sonner-toast]", has_text=told)).to_be_visible()
    assert server_events("command_refused", lambda event: told in event["reason"])


@pytest.mark.parametrize("name", ["customer", "reviewer"])
def test_nobody_else_can_attach_a_file(visit: Visit, name: str) -> None:
    visitor = visit(name)
    expect(visitor.page.locator("#chat-input")).to_be_visible()
    expect(visitor.page.locator("#upload-button, input[type=file]")).to_have_count(0)


def _form(name: str, content: bytes, field: str = "file") -> tuple[bytes, dict[str, str]]:
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.mark.parametrize("name", ["customer", "reviewer"])
def test_a_forged_upload_is_refused_and_leaves_nothing(server: Server, server_events: Events, name: str) -> None:
    caller = Caller(server.url, name)
    with Line(caller) as line:
        line.until("new_message", "system_message")
        body, headers = _form("x.yaml", RELEASE.encode())
        status, text = caller.call("POST", f"/project/file?session_id={line.session}", body, headers=headers)
        assert status == 403
        assert "needs the role operator or approver" in text
        line.emit("client_message", _with_files(line.session))
        assert "not here any more" in line.until("toast")["message"]
    assert not list((server.data / "web" / ".files").glob(f"{line.session}/*"))
    assert server_events("command_refused", lambda event: event["command"] == "register")


def _with_files(identity: str) -> dict[str, object]:
    message = {"id": identity, "type": "user_message", "name": "me", "output": "", "metadata": {}}
    return {"message": message, "fileReferences": [{"id": identity}]}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (_form("x.exe", b"MZ"), 400),
        (_form("x.yaml", b"\xff\xfe"), 400),
        (_form("x.yaml", b"x" * 2_000_000), 400),
        (_form("x.yaml", b"id: x", "other"), 400),
        ((b"nothing", {"Content-Type": "text/plain"}), 400),
        (_form("../../x.yaml", b"id: x"), 200),
    ],
)
def test_an_operators_program_is_held_to_the_same_rules(
    server: Server, form: tuple[bytes, dict[str, str]], status: int
) -> None:
    caller, (body, headers) = Caller(server.url, "operator"), form
    with Line(caller) as line:
        line.until("new_message", "system_message")
        path = f"/project/file?session_id={line.session}"
        assert caller.call("POST", path, body, headers=headers)[0] == status


def test_a_file_is_dropped_into_ones_own_chat_only(server: Server) -> None:
    body, headers = _form("x.yaml", b"id: x")
    with Line(Caller(server.url, "approver")) as line:
        line.until("new_message", "system_message")
        path = f"/project/file?session_id={line.session}"
        assert Caller(server.url, "operator").call("POST", path, body, headers=headers)[0] == 404
        assert Caller(server.url).call("POST", path, body, headers=headers)[0] == 401
        elsewhere = headers | {"Origin": "https://evil.example"}
        assert Caller(server.url, "approver").call("POST", path, body, headers=elsewhere)[0] == 404
