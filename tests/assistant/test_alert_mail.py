"""Alerts by e-mail over a real socket: to everybody once, again where that helps, and never with the password."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from assistant import alert_mail
from assistant.alert_mail import Mail
from assistant.alerts import Alerts
from assistant.delivery import Failure, Patience
from opsplane.control_events import AlertRaised
from opsplane.errors import InvalidRequest
from opsplane.ledger.store import Ledger
from tests import smtp_server
from tests.smtp_server import Mailbox

ALERT = AlertRaised(
    about="quality", subject="groundedness", text="Groundedness fell from 97 % to 88 %: <b>\nsince 14:00."
)
SECRET = "pa55:wo@rd/"
PEOPLE = "from=opsplane@bank.example&to=one@bank.example,two+night@bank.example"
AT_ONCE = Patience((0.0, 0.0), timeout=5.0)


def _url(box: Mailbox, login: str = "", more: str = "") -> str:
    return f"smtp://{login}127.0.0.1:{box.port}/?{PEOPLE}{more}"


def _attempts(box: Mailbox, *, number: int = 1, timeout: float = 5.0, login: str = "") -> list[Failure | None]:
    """What so many attempts at one alert came to."""
    with smtp_server.serving(box):
        mail = alert_mail.opened(_url(box, login), timeout)
        return [mail.attempt(ALERT) for _ in range(number)]


def _wait(until: Callable[[], bool]) -> None:
    end, pause = monotonic() + 10, threading.Event()
    while not until() and monotonic() < end:
        pause.wait(0.005)
    assert until()


def _lost(ledger: Ledger) -> list[tuple[int, str]]:
    events = (one.event.model_dump() for one in ledger.events(["alert_undelivered"]))
    return [(event["attempts"], event["error"]) for event in events]


def test_an_alert_is_one_message_to_everybody_on_call(ledger: Ledger) -> None:
    box = Mailbox()
    with smtp_server.serving(box):
        channel = Alerts("", ledger, _url(box), AT_ONCE)
        channel(ALERT)
        channel.close()
    ((to, message),) = box.got
    assert to == ("one@bank.example", "two+night@bank.example")
    assert message["Subject"] == "[Opsplane] quality groundedness"
    assert message["From"] == "opsplane@bank.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines()[:2] == ALERT.text.splitlines()
    assert _lost(ledger) == []


def test_a_subject_stays_one_line_whatever_it_holds() -> None:
    server = alert_mail.server(f"smtp://mail.bank.example/?{PEOPLE}")
    told = alert_mail.message(AlertRaised(about="quality", subject="a\r\nBcc: x@y.example\n" * 50, text="…"), server)
    assert "\n" not in told["Subject"]
    assert told["Bcc"] is None


def test_a_server_that_recovers_gets_the_alert(ledger: Ledger) -> None:
    box = Mailbox(codes={"DATA": [451], "CONNECT": [421]})
    with smtp_server.serving(box):
        channel = Alerts("", ledger, _url(box), AT_ONCE)
        channel(ALERT)
        _wait(lambda: bool(box.got))
        channel.close()
    assert _lost(ledger) == []


@pytest.mark.parametrize(("code", "attempts"), [(550, 1), (451, 3)])
def test_what_cannot_be_delivered_is_on_the_record(ledger: Ledger, code: int, attempts: int) -> None:
    box = Mailbox(codes={"DATA": [code] * 9})
    with smtp_server.serving(box):
        channel = Alerts("", ledger, _url(box), AT_ONCE)
        channel(ALERT)
        _wait(lambda: _lost(ledger) == [(attempts, f"e-mail: answer {code}")])
        channel.close()


def test_only_whoever_was_put_off_is_written_to_again() -> None:
    box = Mailbox(codes={"two+night@bank.example": [450]})
    first, second = _attempts(box, number=2)
    assert first == Failure("e-mail: 1 of 2 refused (answer 450)", again=True)
    assert second is None
    assert [to for to, _ in box.got] == [("one@bank.example",), ("two+night@bank.example",)]


def test_an_address_that_does_not_exist_is_told_and_the_others_get_it() -> None:
    box = Mailbox(codes={"one@bank.example": [550]})
    assert _attempts(box) == [Failure("e-mail: 1 of 2 refused (answer 550)")]
    assert [to for to, _ in box.got] == [("two+night@bank.example",)]


def test_nobody_taken_is_told_by_the_codes() -> None:
    box = Mailbox(codes={"one@bank.example": [550], "two+night@bank.example": [450]})
    assert _attempts(box) == [Failure("e-mail: 2 of 2 refused (answer 450, 550)", again=True)]


def test_a_password_is_sent_encrypted_to_a_server_that_is_trusted(tmp_path: Path) -> None:
    shows, trusts = smtp_server.certified(tmp_path)
    box = Mailbox(password=SECRET, tls=shows)
    with smtp_server.serving(box):
        server = alert_mail.server(_url(box, "opsplane:pa55%3Awo%40rd%2F@", "&starttls=1"))
        assert Mail(server, 5.0, trusts).attempt(ALERT) is None
        refusal = alert_mail.opened(_url(box, more="&starttls=1"), 5.0).attempt(ALERT)
    assert box.secured == [True]
    assert refusal == Failure("e-mail: the server's certificate is not trusted")


def test_nothing_goes_out_in_the_clear_where_the_server_cannot_encrypt() -> None:
    box = Mailbox()
    with smtp_server.serving(box):
        told = alert_mail.opened(_url(box, more="&starttls=1"), 5.0).attempt(ALERT)
    assert told == Failure("e-mail: the server cannot do what the address asks for (starttls or a login)")
    assert box.got == []


def test_a_wrong_password_is_not_tried_again_and_stands_nowhere(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    box = Mailbox(password="another")
    with smtp_server.serving(box):
        channel = Alerts("", ledger, _url(box, "opsplane:pa55%3Awo%40rd%2F@"), AT_ONCE)
        channel(ALERT)
        _wait(lambda: _lost(ledger) == [(1, "e-mail: answer 535")])
        channel.close()
    told = caplog.text + "".join(capfd.readouterr()) + repr(alert_mail.server(_url(box, "opsplane:pa55@")))
    assert not any(one in told for one in (SECRET, "pa55", "cGE1"))


def test_a_server_that_hangs_or_is_not_there_is_given_up() -> None:
    box = Mailbox(hangs=threading.Event())
    assert _attempts(box, timeout=0.05) == [Failure("e-mail: no answer in time", again=True)]
    gone = alert_mail.opened(f"smtp://127.0.0.1:1/?{PEOPLE}", 1.0).attempt(ALERT)
    assert gone == Failure("e-mail: no connection (ConnectionRefusedError)", again=True)


def test_a_slow_mail_server_holds_up_no_other_channel(ledger: Ledger) -> None:
    box = Mailbox(hangs=threading.Event())
    with smtp_server.serving(box):
        channel = Alerts("http://127.0.0.1:1/hook", ledger, _url(box), Patience((), timeout=0.2))
        channel(ALERT)
        _wait(lambda: len(_lost(ledger)) == 2)
        channel.close()
    told = sorted(error for _, error in _lost(ledger))
    assert told == ["e-mail: no answer in time", "no connection (ConnectError)"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mail.bank.example", "begin it with smtp"),
        (f"http://mail.bank.example/?{PEOPLE}", "begin it with smtp"),
        (f"smtp:///?{PEOPLE}", "begin it with smtp"),
        (f"smtp://mail.bank.example:99999/?{PEOPLE}", "cannot be read"),
        ("smtp://mail.bank.example/?from=a@b.example", "to= needs 1 to 20"),
        ("smtp://mail.bank.example/?from=a@b.example&to=", "to= needs"),
        ("smtp://mail.bank.example/?from=a&to=c@d.example", "from= needs one"),
        ("smtp://mail.bank.example/?from=a@b.example&to=c@d.example%0d%0aBcc:x@y.example", "to= needs"),
        (f"smtp://mail.bank.example/?{PEOPLE}&cc=x", "'cc' is not known"),
        (f"smtp://mail.bank.example/?{PEOPLE}&starttls=yes", "1 or 0"),
        (f"smtps://mail.bank.example/?{PEOPLE}&starttls=1", "encrypted from the beginning"),
        (f"smtp://me:pa55@mail.bank.example/?{PEOPLE}", "a password needs"),
        ("smtp://mail.bank.example/?" + "to=c@d.example&" * 30, "cannot be read"),
    ],
)
def test_an_address_that_is_none_stops_the_start_and_is_not_repeated(ledger: Ledger, url: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"OPSPLANE_ALERT_EMAIL") as refusal:
        Alerts("", ledger, url)
    assert words in str(refusal.value)
    assert "pa55" not in str(refusal.value)


def test_ports_are_those_of_the_protocol_unless_one_is_given() -> None:
    ports = [alert_mail.server(f"{start}/?{PEOPLE}").port for start in ("smtp://h", "smtps://h", "smtp://h:587")]
    assert ports == [25, 465, 587]
