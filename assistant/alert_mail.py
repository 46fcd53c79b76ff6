"""Alerts by e-mail: one message over SMTP to everybody on call, by the same rules as the web hook.

    smtp://USER:PASSWORD@HOST:587/?from=SENDER&to=ONE,ANOTHER&starttls=1

`smtps://` speaks TLS from the first byte (port 465). A password goes over an encrypted connection only, unless the
server is on this machine. User and password are percent-encoded; neither is ever logged or put on the record.
"""

import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from assistant.delivery import Failure
from opsplane.control_events import AlertRaised
from opsplane.errors import InvalidRequest

MOST = 20
"""So many people are written to at most."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_KNOWN = frozenset({"from", "to", "starttls"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True)
class Server:
    """A mail server, who writes, and to whom. Its `repr` tells no password."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    login: "Login | None" = None
    starttls: bool = False
    tls: bool = False


@dataclass(frozen=True)
class Login:
    """What a server wants to be told first."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return "Login(…)"


def server(url: str) -> Server:
    """Read an address; raise `InvalidRequest` that says what is wrong without repeating it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        query = parts.query.replace("+", "%2B")  # a plus stands in addresses as it is
        given = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=20)
    except ValueError as error:
        raise _wrong("it cannot be read as an address") from error
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.fragment:
        raise _wrong("begin it with smtp:// or smtps://, then a host, then ?from=…&to=…")
    if unknown := sorted(set(given) - _KNOWN):
        raise _wrong(f"{unknown[0][:20]!r} is not known beside from, to and starttls")
    found = Server(
        host=host,
        port=port or _PORTS[parts.scheme],
        sender=_addresses(given, "from", 1)[0],
        to=_addresses(given, "to", MOST),
        login=Login(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
        starttls=_switch(given),
        tls=parts.scheme == "smtps",
    )
    if found.tls and found.starttls:
        raise _wrong("starttls is for smtp://; smtps:// is encrypted from the beginning")
    if found.login and not (found.tls or found.starttls or host in _LOCAL):
        raise _wrong("a password needs smtps:// or starttls=1")
    return found


def opened(url: str, timeout: float, context: ssl.SSLContext | None = None) -> "Mail":
    """The channel of an address; `context` says which certificates are trusted, the system's unless one is given."""
    return Mail(server(url), timeout, context or ssl.create_default_context())


class Mail:
    """E-mail as a channel. Whoever was written to is not written to again when another's address is tried once more."""

    def __init__(self, server: Server, timeout: float, context: ssl.SSLContext) -> None:
        self._server, self._timeout, self._context = server, timeout, context
        self._event: AlertRaised | None = None
        self._left: tuple[str, ...] = ()

    def attempt(self, event: AlertRaised) -> Failure | None:
        """Send an alert to whoever did not get it yet."""
        if event is not self._event:
            self._event, self._left = event, self._server.to
        try:
            refused = self._send(message(event, self._server))
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except smtplib.SMTPResponseException as error:  # its text may repeat what was sent
            return Failure(f"e-mail: answer {error.smtp_code}", again=400 <= error.smtp_code < 500)
        except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
            return Failure(f"e-mail: {_UNSAFE[type(error)]}")
        except (OSError, smtplib.SMTPException) as error:
            return Failure(f"e-mail: {_said(error)}", again=True)
        return self._refused({address: code for address, (code, _) in refused.items()})

    def close(self) -> None:
        """Nothing is kept open between two alerts."""

    def _refused(self, codes: Mapping[str, int]) -> Failure | None:
        """What is left to do where the server took the message for some, or for none."""
        if not codes:
            return None
        again = tuple(one for one, code in codes.items() if 400 <= code < 500)
        self._left = again or tuple(codes)
        told = ", ".join(str(code) for code in sorted(set(codes.values())))
        return Failure(f"e-mail: {len(codes)} of {len(self._server.to)} refused (answer {told})", again=bool(again))

    def _send(self, wanted: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
        server = self._server
        name = server.sender.partition("@")[2]  # told to the server; Python would ask the network for this machine's
        with self._connected(name) as smtp:
            if server.starttls:
                smtp.starttls(context=self._context)
            if server.login:
                smtp.login(server.login.user, server.login.password)
            return smtp.send_message(wanted, server.sender, self._left)

    def _connected(self, name: str) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.tls:
            return smtplib.SMTP_SSL(host, port, name, timeout=self._timeout, context=self._context)
        return smtplib.SMTP(host, port, name, timeout=self._timeout)


def _said(error: Exception) -> str:
    """What went wrong on the way; smtplib tells of a server that went silent as of one that left."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    words = "a broken connection" if isinstance(error, smtplib.SMTPException) else "no connection"
    return f"{words} ({type(error).__name__})"


_UNSAFE = {
    smtplib.SMTPNotSupportedError: "the server cannot do what the address asks for (starttls or a login)",
    ssl.SSLCertVerificationError: "the server's certificate is not trusted",
}


def message(event: AlertRaised, server: Server) -> EmailMessage:
    """An alert as a message. What it is about stands in the subject, on one line whatever it holds."""
    made = EmailMessage()
    made["Subject"] = f"[Opsplane] {' '.join(f'{event.about} {event.subject}'.replace('_', ' ').split())[:150]}"
    made["From"] = server.sender
    made["To"] = ", ".join(server.to)
    made["Date"] = formatdate()
    made["Message-ID"] = make_msgid(domain=server.sender.partition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(f"{event.text}\n\nAbout: {event.about}\nSubject: {event.subject}\n")
    return made


def _addresses(given: Mapping[str, list[str]], name: str, most: int) -> tuple[str, ...]:
    listed = [one.strip() for text in given.get(name, []) for one in text.split(",") if one.strip()]
    if not 1 <= len(listed) <= most or not all(_ADDRESS.fullmatch(one) for one in listed):
        wanted = "one e-mail address" if most == 1 else f"1 to {most} e-mail addresses with commas between them"
        raise _wrong(f"{name}= needs {wanted}")
    return tuple(dict.fromkeys(listed))


def _switch(given: Mapping[str, list[str]]) -> bool:
    value = given.get("starttls", ["0"])[-1]
    if value not in ("0", "1"):
        raise _wrong("starttls= is 1 or 0")
    return value == "1"


def _wrong(words: str) -> InvalidRequest:
    return InvalidRequest(f"OPSPLANE_ALERT_EMAIL: {words}.")
