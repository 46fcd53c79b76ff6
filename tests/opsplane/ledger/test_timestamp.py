"""A time stamp of a real authority proves when a checkpoint was there, and nothing else is taken for one."""

import base64
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opsplane.errors import InvalidRequest
from opsplane.ledger.timestamp import Authority, Unstamped, check, read_roots

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    OPENSSL is None, reason="no openssl program here: time stamps are NOT TESTED against a real authority"
)
NOTE = b"opsplane/0123\n3\nroot\ntime 2026-11-23T17:00:00Z\n"
Answer = Callable[[bytes], tuple[int, bytes]]
CONFIG = """
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/chain.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def certificate(
    name: str, key: RSAPrivateKey, issuer: tuple[x509.Certificate, RSAPrivateKey] | None, *, stamps: bool = False
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if stamps:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer[1] if issuer else key, SHA256())


class Tsa:
    """The certificates of an authority (root, intermediate, signer), and `openssl ts` that answers by them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        keys = [generate_private_key(65537, 2048) for _ in range(3)]
        self.root = certificate("Test Root", keys[0], None)
        middle = certificate("Test Authority", keys[1], (self.root, keys[0]))
        signer = certificate("Test Time Stamps", keys[2], (middle, keys[1]), stamps=True)
        pem = Encoding.PEM
        (folder / "root.pem").write_bytes(self.root.public_bytes(pem))
        (folder / "tsa.pem").write_bytes(signer.public_bytes(pem))
        (folder / "chain.pem").write_bytes(middle.public_bytes(pem))
        (folder / "tsa.key").write_bytes(keys[2].private_bytes(pem, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))

    def answer(self, query: bytes) -> tuple[int, bytes]:
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return 200, (self.folder / "reply").read_bytes()

    def openssl(self, *arguments: str) -> str:
        assert OPENSSL
        ran = subprocess.run([OPENSSL, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers every query so; gives its URL."""
    started: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                code, content = answer(self.rfile.read(int(self.headers["Content-Length"])))
                with suppress(BrokenPipeError):  # who asked has given up
                    self.send_response(code)
                    self.send_header("Content-Type", "application/timestamp-reply")
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        started.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/tsr"

    yield start
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    """A token over NOTE."""
    answers: list[bytes] = []

    class Direct(Authority):
        def _asked(self, query: bytes) -> bytes:
            answers.append(tsa.answer(query)[1])
            return answers[0]

    return Direct("http://127.0.0.1").stamp(NOTE)


def test_a_checkpoint_is_stamped_and_the_time_is_proven(tsa: Tsa, serve: Callable[[Answer], str]) -> None:
    token = Authority(serve(tsa.answer)).stamp(NOTE)
    at = check(token, NOTE, [tsa.root])
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    assert at.tzinfo is UTC


def test_the_token_is_what_other_programs_verify(tsa: Tsa, token: bytes) -> None:
    (tsa.folder / "token").write_bytes(token)
    (tsa.folder / "note").write_bytes(NOTE)
    told = tsa.openssl("ts", "-verify", "-data", "note", "-in", "token", "-token_in", "-CAfile", "root.pem")
    assert "Verification: OK" in told


def test_a_stamp_is_proven_for_its_own_bytes_alone(tsa: Tsa, token: bytes) -> None:
    with pytest.raises(Unstamped, match="about other bytes"):
        check(token, NOTE.replace(b"3", b"4"), [tsa.root])


def test_a_stamp_of_an_authority_that_is_not_trusted_proves_nothing(token: bytes) -> None:
    stranger = certificate("Test Root", generate_private_key(65537, 2048), None)
    with pytest.raises(Unstamped, match="is not proven"):
        check(token, NOTE, [stranger])


def test_a_changed_token_proves_nothing(tsa: Tsa, token: bytes) -> None:
    proven = check(token, NOTE, [tsa.root])
    refused = 0
    for position in range(0, len(token), 3):
        changed = token[:position] + bytes([token[position] ^ 1]) + token[position + 1 :]
        try:
            assert check(changed, NOTE, [tsa.root]) == proven  # a byte that nothing depends on
        except Unstamped:
            refused += 1
    assert refused > len(token) / 3 * 0.8


def test_another_time_in_the_token_is_noticed(tsa: Tsa, token: bytes) -> None:
    year = str(datetime.now(UTC).year).encode()
    start = token.index(b"\x18\x0f" + year)
    forged = token[: start + 2] + b"2001" + token[start + 6 :]
    with pytest.raises(Unstamped):
        check(forged, NOTE, [tsa.root])


@pytest.mark.parametrize("content", [b"", b"\x30", b"no token", base64.b64encode(b"\x30\x03" * 50)])
def test_what_is_no_token_is_told(tsa: Tsa, content: bytes) -> None:
    with pytest.raises(Unstamped, match="cannot be read as RFC 3161"):
        check(content, NOTE, [tsa.root])


def test_without_roots_nothing_is_checked(token: bytes) -> None:
    with pytest.raises(InvalidRequest, match="there are none"):
        check(token, NOTE, [])


def test_an_answer_to_another_question_is_refused(tsa: Tsa, serve: Callable[[Answer], str]) -> None:
    seen: list[bytes] = []

    def replay(query: bytes) -> tuple[int, bytes]:
        seen.append(query)
        return tsa.answer(seen[0])

    authority = Authority(serve(replay))
    authority.stamp(NOTE)
    for data in (NOTE, b"other bytes"):
        with pytest.raises(Unstamped, match="another time stamp than was asked for"):
            authority.stamp(data)


def test_a_refusal_is_told_with_its_reason(serve: Callable[[Answer], str]) -> None:
    status = b"\x02\x01\x02" + b"\x30\x08" + b"\x0c\x06closed"  # PKIStatusInfo: rejection, free text
    rejection = b"\x30\x0f" + b"\x30\x0d" + status
    with pytest.raises(Unstamped, match="refuses a time stamp: closed"):
        Authority(serve(lambda _: (200, rejection))).stamp(NOTE)


@pytest.mark.parametrize("answer", [(200, b""), (200, b"<html>sign in</html>"), (503, b""), (404, b"no")])
def test_an_authority_that_does_not_answer_as_one_is_told(
    serve: Callable[[Answer], str], answer: tuple[int, bytes]
) -> None:
    with pytest.raises(Unstamped, match=r"does not stamp|cannot be read as RFC 3161"):
        Authority(serve(lambda _: answer)).stamp(NOTE)


def test_an_authority_that_is_slow_or_gone_is_given_up(serve: Callable[[Answer], str]) -> None:
    over = threading.Event()

    def wait(_: bytes) -> tuple[int, bytes]:
        over.wait(10)
        return 200, b""

    with pytest.raises(Unstamped, match=r"does not stamp: .*timed out"):
        Authority(serve(wait), timeout=0.2).stamp(NOTE)
    over.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        port = gone.server_port
    with pytest.raises(Unstamped, match=r"does not stamp: .*refused"):
        Authority(f"http://127.0.0.1:{port}").stamp(NOTE)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "tsa.bank.example", "https://"])
def test_what_is_no_web_address_is_no_authority(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the http or https address"):
        Authority(url)


def test_root_certificates_are_read_from_a_file(tsa: Tsa) -> None:
    assert read_roots(tsa.folder / "root.pem") == [tsa.root]
    for name in ("missing.pem", "serial"):
        with pytest.raises(InvalidRequest, match=f"{name} holds no certificates"):
            read_roots(tsa.folder / name)
