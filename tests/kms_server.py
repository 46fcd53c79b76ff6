"""A Cloud KMS of our own on this machine: the REST form of its version 1, with real AES-GCM and Ed25519."""

import base64
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import loopback

RING = "projects/bank/locations/europe-west3/keyRings/record"
WRAP = f"{RING}/cryptoKeys/wrap"
OTHER_WRAP = f"{RING}/cryptoKeys/other"
SIGN = f"{RING}/cryptoKeys/sign/cryptoKeyVersions/1"
SIGN_2 = f"{RING}/cryptoKeys/sign/cryptoKeyVersions/2"
WRONG_ALGORITHM = f"{RING}/cryptoKeys/elliptic/cryptoKeyVersions/1"
DISABLED = f"{RING}/cryptoKeys/disabled/cryptoKeyVersions/1"

_PATH = re.compile(r"/v1/(?P<name>projects/[^:?]+?)(?P<verb>:\w+|/publicKey)(\?.*)?")


class Fault(Enum):
    """What the server does instead of answering."""

    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    GARBLED = "garbled"  # answers whose checksum does not fit
    UNCHECKED = "unchecked"  # it did not look at the checksums it was sent


class Refusal(Exception):
    """An error in Google's form."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"error": {"code": code, "status": status, "message": message}}


@dataclass
class KmsServer:
    """Keys, and how it behaves at the moment: `faults` are used up one by one, `always` stays."""

    url: str = ""
    wrapping: dict[str, list[bytes]] = field(
        default_factory=lambda: {WRAP: [secrets.token_bytes(32)], OTHER_WRAP: [secrets.token_bytes(32)]}
    )
    signing: dict[str, Ed25519PrivateKey | EllipticCurvePrivateKey] = field(
        default_factory=lambda: {
            SIGN: Ed25519PrivateKey.generate(),
            SIGN_2: Ed25519PrivateKey.generate(),
            WRONG_ALGORITHM: generate_private_key(SECP256R1()),
        }
    )
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    asked: list[str] = field(default_factory=list)  # verbs, in order
    credentials: list[str] = field(default_factory=list)  # Authorization headers that arrived

    def rotate(self, name: str) -> None:
        """A new primary version; older ones still decrypt."""
        self.wrapping[name].append(secrets.token_bytes(32))

    def answer(self, name: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """What Cloud KMS would say; raise `Refusal`."""
        self.asked.append(verb)
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is Fault.DENIED:
            raise Refusal(403, "PERMISSION_DENIED", f"Permission 'cloudkms.use' denied on resource '{name}'")
        if fault is Fault.UNAVAILABLE:
            raise Refusal(503, "UNAVAILABLE", "The service is currently unavailable.")
        known = self.signing if verb in (":asymmetricSign", "/publicKey") else self.wrapping
        if name == DISABLED:
            raise Refusal(400, "FAILED_PRECONDITION", f"{name} is not enabled, current state is: DISABLED.")
        if name not in known:
            raise Refusal(404, "NOT_FOUND", f"{name} not found.")
        deed = {":encrypt": self._encrypt, ":decrypt": self._decrypt, ":asymmetricSign": self._sign}
        answer = self._public(name, body) if verb == "/publicKey" else deed[verb](name, body)
        return _spoilt(answer, fault)

    def _encrypt(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        plaintext, aad = _received(body, "plaintext"), _received(body, "additionalAuthenticatedData")
        version, nonce = len(self.wrapping[name]), secrets.token_bytes(12)
        cipher = bytes([version]) + nonce + AESGCM(self.wrapping[name][-1]).encrypt(nonce, plaintext, aad)
        return {
            "name": f"{name}/cryptoKeyVersions/{version}",
            **_sent("ciphertext", cipher),
            "verifiedPlaintextCrc32c": "plaintextCrc32c" in body,
            "verifiedAdditionalAuthenticatedDataCrc32c": "additionalAuthenticatedDataCrc32c" in body,
            "protectionLevel": "SOFTWARE",
        }

    def _decrypt(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        cipher, aad = _received(body, "ciphertext"), _received(body, "additionalAuthenticatedData")
        try:
            plaintext = AESGCM(self.wrapping[name][cipher[0] - 1]).decrypt(cipher[1:13], cipher[13:], aad)
        except (InvalidTag, IndexError, ValueError) as error:
            raise Refusal(400, "INVALID_ARGUMENT", "Decryption failed: verify that 'name' is the key.") from error
        return {**_sent("plaintext", plaintext), "usedPrimary": cipher[0] == len(self.wrapping[name])}

    def _sign(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        key, data = self.signing[name], _received(body, "data")
        if not isinstance(key, Ed25519PrivateKey):
            raise Refusal(400, "INVALID_ARGUMENT", "Digest is required for this algorithm.")
        return {"name": name, **_sent("signature", key.sign(data)), "verifiedDataCrc32c": "dataCrc32c" in body}

    def _public(self, name: str, _: dict[str, Any]) -> dict[str, Any]:
        key = self.signing[name]
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        algorithm = "EC_SIGN_ED25519" if isinstance(key, Ed25519PrivateKey) else "EC_SIGN_P256_SHA256"
        return {"name": name, "pem": pem.decode(), "pemCrc32c": str(crc32c(pem)), "algorithm": algorithm}


@contextmanager
def serving() -> Iterator[KmsServer]:
    """A server on a free port of this machine, until the end of the block."""
    state = KmsServer()

    class Handler(loopback.Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802  # the server calls it so
            self._respond({})

        def do_POST(self) -> None:  # noqa: N802  # the server calls it so
            self._respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _respond(self, body: dict[str, Any]) -> None:
            if given := self.headers.get("Authorization"):
                state.credentials.append(given)
            try:
                if not (match := _PATH.fullmatch(self.path)):
                    raise Refusal(404, "NOT_FOUND", f"no such method: {self.path}")
                code, answer = 200, state.answer(match["name"], match["verb"], body)
            except Refusal as refusal:
                code, answer = refusal.code, refusal.body
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with loopback.serving(Handler) as state.url:
        yield state


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) by its definition, so that the client's library is checked by another."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _received(body: dict[str, Any], name: str) -> bytes:
    data = base64.b64decode(body.get(name, ""))
    if f"{name}Crc32c" in body and int(body[f"{name}Crc32c"]) != crc32c(data):
        raise Refusal(400, "INVALID_ARGUMENT", f"The checksum in field {name}_crc32c did not match.")
    return data


def _sent(name: str, data: bytes) -> dict[str, str]:
    return {name: base64.b64encode(data).decode(), f"{name}Crc32c": str(crc32c(data))}


def _spoilt(answer: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    if fault is Fault.GARBLED:
        return answer | {name: "1" for name in answer if name.endswith("Crc32c") and not name.startswith("verified")}
    if fault is Fault.UNCHECKED:
        return {name: value for name, value in answer.items() if not name.startswith("verified")}
    return answer
