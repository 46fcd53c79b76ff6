"""The installation's keys in Google Cloud KMS: they sign and wrap there, and never leave it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from opsplane.errors import InvalidRequest, RecordUnavailable

SECONDS = 10.0
"""How long one question to Cloud KMS is repeated before it counts as unanswered."""
_TRIES = 3
_PART = r"[A-Za-z0-9._:-]+"
_KEY = re.compile(rf"projects/{_PART}/locations/{_PART}/keyRings/{_PART}/cryptoKeys/{_PART}")
_VERSION = re.compile(_KEY.pattern + r"/cryptoKeyVersions/\d+")


def is_key(name: str) -> bool:
    """Whether this names a CryptoKey."""
    return _KEY.fullmatch(name) is not None


def is_version(name: str) -> bool:
    """Whether this names a CryptoKeyVersion."""
    return _VERSION.fullmatch(name) is not None


class Kms:
    """A connection to Cloud KMS, made when it is first needed.

    `endpoint` is another address of it; plain http is taken for a server on this machine alone, which gets no
    credentials. Elsewhere `credentials` default to the environment's (Application Default Credentials).
    """

    def __init__(self, endpoint: str = "", credentials: Any = None, seconds: float = SECONDS) -> None:
        if endpoint.startswith("http://") and urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise InvalidRequest(f"{endpoint}: Cloud KMS is only asked over https.")
        self._endpoint = endpoint
        self._credentials = credentials
        self._seconds = seconds

    def wrapper(self, name: str) -> "KmsWrapper":
        """The symmetric CryptoKey of this name."""
        return KmsWrapper(self, name)

    def signing_key(self, name: str) -> "KmsSigningKey":
        """The EC_SIGN_ED25519 CryptoKeyVersion of this name."""
        return KmsSigningKey(self, name)

    def ask(self, method: str, request: dict[str, Any], intact: Callable[[Any], bool]) -> Any:
        """One question; an answer that was damaged on its way is thrown away and asked for again."""
        name = request["name"]
        with _translated(name):
            for _ in range(_TRIES):
                answer = getattr(self._client, method)(request, timeout=self._seconds, retry=self._retry)
                if intact(answer):
                    return answer
        raise RecordUnavailable(f"Answers of Cloud KMS about {name} arrive damaged.")

    @cached_property
    def _client(self) -> Any:
        # The library takes most of a second to load; installations with a key file do not pay for it.
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415
        from google.cloud.kms_v1 import KeyManagementServiceClient  # noqa: PLC0415

        local = self._endpoint.startswith("http://")
        return KeyManagementServiceClient(
            credentials=AnonymousCredentials() if local else self._credentials,  # type: ignore[no-untyped-call]
            transport="rest",
            client_options={"api_endpoint": self._endpoint} if self._endpoint else None,
        )

    @cached_property
    def _retry(self) -> Any:
        from google.api_core.retry import Retry, if_transient_error  # noqa: PLC0415  # as above

        return Retry(predicate=if_transient_error, initial=0.1, maximum=2.0, timeout=self._seconds)


class KmsWrapper:
    """Wraps with a symmetric CryptoKey. Cloud KMS itself rotates its versions and finds the one that fits."""

    parallel = 8

    def __init__(self, kms: Kms, name: str) -> None:
        self._kms = kms
        self._name = name
        self.id = f"kms:{name}"

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Cloud KMS's ciphertext."""
        request = {
            "name": self._name,
            "plaintext": secret,
            "plaintext_crc32c": _crc(secret),
            "additional_authenticated_data": aad,
            "additional_authenticated_data_crc32c": _crc(aad),
        }
        answer = self._kms.ask("encrypt", request, _arrived)
        return bytes(answer.ciphertext)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The secret again; raise `RecordUnavailable` naming this key where it does not authenticate."""
        request = {
            "name": self._name,
            "ciphertext": wrapped,
            "ciphertext_crc32c": _crc(wrapped),
            "additional_authenticated_data": aad,
            "additional_authenticated_data_crc32c": _crc(aad),
        }
        answer = self._kms.ask("decrypt", request, lambda one: one.plaintext_crc32c == _crc(one.plaintext))
        return bytes(answer.plaintext)


class KmsSigningKey:
    """Signs with an EC_SIGN_ED25519 CryptoKeyVersion."""

    def __init__(self, kms: Kms, name: str) -> None:
        self._kms = kms
        self._name = name

    @cached_property
    def public(self) -> bytes:
        """The 32 bytes that its signatures are checked with, asked for once."""
        answer = self._kms.ask(
            "get_public_key", {"name": self._name}, lambda one: one.pem_crc32c == _crc(one.pem.encode())
        )
        try:
            key = load_pem_public_key(answer.pem.encode())
        except ValueError as error:
            raise RecordUnavailable(f"Cloud KMS's public key of {self._name} cannot be read.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise RecordUnavailable(f"{self._name} must be of the algorithm EC_SIGN_ED25519 to sign checkpoints.")
        return key.public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """64 bytes over exactly these bytes, checked against the public key before they are used."""
        request = {"name": self._name, "data": data, "data_crc32c": _crc(data)}

        def intact(answer: Any) -> bool:
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(answer.signature, data)
            except InvalidSignature:
                return False
            return bool(answer.verified_data_crc32c)

        return bytes(self._kms.ask("asymmetric_sign", request, intact).signature)


def _arrived(answer: Any) -> bool:
    """Whether plaintext and additional data reached Cloud KMS whole, and its ciphertext reached us so."""
    sent = answer.verified_plaintext_crc32c and answer.verified_additional_authenticated_data_crc32c
    return bool(sent) and answer.ciphertext_crc32c == _crc(answer.ciphertext)


def _crc(data: bytes) -> int:
    import google_crc32c  # noqa: PLC0415  # loaded with the client only

    return int(google_crc32c.value(data))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Cloud KMS's errors in the words of the operator who can mend them."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError  # noqa: PLC0415  # loaded with the client only
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except GoogleAPICallError as error:
        words = _MEANINGS.get(int(error.code or 0), f"cannot be used now: {error.message}")
        raise RecordUnavailable(f"Cloud KMS: {name} {words}") from error
    except RetryError as error:
        cause = getattr(error.cause, "message", None) or type(error.cause).__name__
        raise RecordUnavailable(f"Cloud KMS does not answer about {name}: {cause}.") from error
    except GoogleAuthError as error:
        raise RecordUnavailable(f"Cloud KMS: no credentials to use {name} with: {error}") from error
    except OSError as error:  # what the HTTP library raises is one
        raise RecordUnavailable(f"Cloud KMS cannot be reached about {name}: {type(error).__name__}.") from error


_MEANINGS = {
    400: "refuses: the key is disabled, destroyed or of another purpose, or these bytes were not wrapped by it.",
    401: "may not be used: the credentials are not valid.",
    403: "may not be used by this service account: grant it Cloud KMS CryptoKey Encrypter/Decrypter on the wrapping "
    "key and Signer/Verifier on the signing key.",
    404: "does not exist.",
}
