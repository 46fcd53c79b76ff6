"""RFC 3161 time stamps: a third party's signed word that a checkpoint was there at a time. Optional."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from opsplane.errors import InvalidRequest, PlaneError

SECONDS = 10.0
_LARGEST = 1 << 20  # a response is a few kilobytes
_Span = tuple[int, int, int]  # where a DER element begins, where its content does, where it ends
_CERTIFICATES = 0xA0  # their tag in signed data
_GRANTED = b"\x30\x03\x02\x01\x00"  # PKIStatusInfo: granted


class Unstamped(PlaneError):
    """No time stamp came back, or it does not prove that these bytes were there at that time."""


class Authority:
    """A time stamping authority at a URL, asked over HTTP."""

    def __init__(self, url: str, timeout: float = SECONDS) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise InvalidRequest(f"{url!r} is not the http or https address of a time stamping authority.")
        self._url = url
        self._timeout = timeout

    def stamp(self, data: bytes) -> bytes:
        """A token (DER) over the SHA-256 of `data`, its certificates included; raise `Unstamped`.

        What it says about `data` is looked at here; who signed it is for `check`, which needs the root certificates.
        """
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._asked(request.as_bytes())
        with _reading(f"The answer of {self._url}"):
            response = _decoded(answer)
            if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
                reason = ", ".join(response.status_string) or f"status {response.status}"
                raise Unstamped(f"{self._url} refuses a time stamp: {reason}.")
            if response.tst_info.nonce != request.nonce or not _about(response, data):
                raise Unstamped(f"{self._url} answers with another time stamp than was asked for.")
            return response.time_stamp_token()

    def _asked(self, query: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        request = Request(self._url, data=query, headers=headers)  # noqa: S310  # the scheme was looked at above
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                content: bytes = answer.read(_LARGEST)
        except (OSError, HTTPException) as error:
            raise Unstamped(f"{self._url} does not stamp: {getattr(error, 'reason', None) or error}.") from error
        return content


def check(token: bytes, data: bytes, roots: Sequence[Certificate]) -> datetime:
    """When the token says that `data` was there (UTC); raise `Unstamped` where that is not proven.

    The signer's certificate must lead to one of the roots and have been valid at that time.
    """
    if not roots:
        raise InvalidRequest("A time stamp is checked against the root certificates of its authority: there are none.")
    with _reading("The time stamp"):
        response = _decoded(_response(token))
        if not _about(response, data):
            raise Unstamped("The time stamp is about other bytes.")
        at = response.tst_info.gen_time.astimezone(UTC)
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(response, data)
    except (VerificationError, ValueError) as error:
        raise Unstamped(f"The time stamp is not proven: {error}.") from error
    return at


def read_roots(path: Path) -> list[Certificate]:
    """The certificates of a PEM file; raise `InvalidRequest` where it holds none."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} holds no certificates in PEM form: {error}") from error


def _about(response: TimeStampResponse, data: bytes) -> bool:
    return response.tst_info.message_imprint.message == hashlib.sha256(data).digest()


@contextmanager
def _reading(source: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise Unstamped(f"{source} cannot be read as RFC 3161: {error}.") from error


def _decoded(response: bytes) -> TimeStampResponse:
    """A response as a value. Its parts are parsed when they are looked at; `ValueError` where that fails.

    Certificates are a set, which DER wants in order; OpenSSL writes them as they come and the library refuses that.
    They are not part of what is signed.
    """
    span: _Span = (0, 0, len(response))
    with suppress(IndexError):  # what is shorter than it says is for the library to complain about
        for step in (0, 1, 1, 0):  # response, token, its content, signed data
            span = _parts(response, span)[step]
        for part in _parts(response, span):
            if response[part[0]] == _CERTIFICATES:
                ordered = sorted(response[start:end] for start, _, end in _parts(response, part))
                response = response[: part[1]] + b"".join(ordered) + response[part[2] :]
    return decode_timestamp_response(response)


def _parts(data: bytes, span: _Span) -> list[_Span]:
    """The DER elements that make up another one's content."""
    found: list[_Span] = []
    _, at, end = span
    while at < end:
        size, content = data[at + 1], at + 2
        if size & 0x80:
            content += size & 0x7F
            size = int.from_bytes(data[at + 2 : content], "big")
        found.append((at, content, content + size))
        at = content + size
    return found


def _response(token: bytes) -> bytes:
    """The token as the response it came in: the library reads nothing smaller."""
    body = _GRANTED + token
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    length = size if len(body) < 0x80 else bytes([0x80 | len(size)]) + size
    return b"\x30" + length + body
