"""A mail server of our own on loopback, which speaks as much SMTP as a client that sends mail needs."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Mailbox:
    """What the server is to say, and what it got. `codes` gives an answer for a command or an address, used up."""

    port: int = 0
    codes: dict[str, list[int]] = field(default_factory=dict)
    password: str = ""  # asked for where it is not empty
    tls: ssl.SSLContext | None = None
    hangs: threading.Event | None = None  # until it is set
    got: list[tuple[tuple[str, ...], EmailMessage]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def code(self, name: str, otherwise: int) -> int:
        """The next answer laid down for it."""
        laid_down = self.codes.get(name)
        return laid_down.pop(0) if laid_down else otherwise


class _Session(socketserver.StreamRequestHandler):
    box: Mailbox
    encrypted = False

    def handle(self) -> None:
        """One connection."""
        self.to: list[str] = []
        self.box.arrived.set()
        with suppress(OSError):
            if self.box.hangs:
                self.box.hangs.wait(20)
            self._say(self.box.code("CONNECT", 220))
            while line := self.rfile.readline(4_096):
                if not self._met(line.decode().rstrip("\r\n")):
                    return

    def finish(self) -> None:
        """The encrypted socket took the place of the one that the server closes by itself."""
        with suppress(OSError):
            super().finish()
        if self.encrypted:
            self.request.close()

    def _say(self, code: int, *lines: str) -> None:
        told = lines or ("as you wish, secret",)
        for line in told[:-1]:
            self.wfile.write(f"{code}-{line}\r\n".encode())
        self.wfile.write(f"{code} {told[-1]}\r\n".encode())

    def _met(self, line: str) -> bool:
        self.box.heard.append(line)
        verb = line.split(" ")[0].upper()
        match verb:
            case "EHLO" | "HELO":
                offers = ["AUTH PLAIN"] if self.box.password else []
                offers += ["STARTTLS"] if self.box.tls and not self.encrypted else []
                self._say(self.box.code(verb, 250), "here", *offers)
            case "STARTTLS":
                self._say(220)
                self._encrypt()
            case "AUTH":
                given = base64.b64decode(line.split(" ")[-1]).split(b"\0")[-1].decode()
                self._say(235 if given == self.box.password else 535)
            case "RCPT":
                self._recipient(line.partition("<")[2].partition(">")[0])
            case "DATA":
                self._data()
            case "QUIT":
                self._say(221)
                return False
            case _:
                self._say(self.box.code(verb, 250))
        return True

    def _recipient(self, address: str) -> None:
        code = self.box.code(address, 250)
        self.to += [address] if code == 250 else []
        self._say(code)

    def _data(self) -> None:
        self._say(354)
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        code = self.box.code("DATA", 250)
        if code == 250:
            self.box.got.append((tuple(self.to), message_from_bytes(b"".join(lines), policy=policy.default)))
            self.box.secured.append(self.encrypted)
        self.to = []
        self._say(code)

    def _encrypt(self) -> None:
        assert self.box.tls is not None
        self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        self.encrypted = True
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serving(box: Mailbox) -> Iterator[Mailbox]:
    """A mail server on a free port, until it is left."""
    handler = type("Session", (_Session,), {"box": box})
    with _Server(("127.0.0.1", 0), handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            if box.hangs:
                box.hangs.set()
            server.shutdown()
            thread.join()


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate of this machine's address: what the server shows, and a client that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "mail.pem"
    file.write_bytes(key.private_bytes(pem, *form) + certificate.public_bytes(pem))
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(file)
    return shows, ssl.create_default_context(cadata=certificate.public_bytes(pem).decode())
