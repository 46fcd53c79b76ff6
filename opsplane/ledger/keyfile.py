"""The key file: signing keys and key-encryption keys of an installation that uses no key service.

JSON with mode 0600. Every key carries a fingerprint of itself, so that damage is noticed before it is used.
"""

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from opsplane.errors import Conflict, RecordUnavailable
from opsplane.ledger.folder import sync

FORMAT = "opsplane-keys/1"
_NONCE = 12


def signing_id(public: bytes) -> str:
    """What a signing key is called: a fingerprint of its public half."""
    return f"ed25519:{hashlib.sha256(public).hexdigest()[:16]}"


@dataclass(frozen=True)
class FileSigningKey:
    """A signing key of a key file."""

    made: datetime
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Its fingerprint."""
        return signing_id(self.public)

    @cached_property
    def public(self) -> bytes:
        """The 32 bytes that its signatures are checked with."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """64 bytes over exactly these bytes."""
        return self._private.sign(data)

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


@dataclass(frozen=True)
class FileWrapper:
    """A key-encryption key of a key file: AES-256-GCM."""

    made: datetime
    secret: bytes = field(repr=False)
    parallel: int = 1

    @cached_property
    def id(self) -> str:
        """A fingerprint that tells nothing about the key."""
        return f"file:{hashlib.sha256(b'opsplane-wrapping-key' + self.secret).hexdigest()[:16]}"

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The secret again; raise `RecordUnavailable` where it does not authenticate."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], aad)
        except (InvalidTag, ValueError) as error:
            raise RecordUnavailable(f"Wrapping key {self.id} does not open what it is said to have wrapped.") from error

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.secret)


@dataclass(frozen=True)
class KeyFile:
    """What a key file holds, newest first."""

    path: Path
    signing: tuple[FileSigningKey, ...]
    wrapping: tuple[FileWrapper, ...]


def open_file(path: Path, expected: Collection[str] = ()) -> KeyFile:
    """Read a key file; raise `RecordUnavailable` in the operator's words where it cannot be used.

    `expected` are ids of keys that the record and its vault name already (`signing_id`, `Wrapper.id`).
    """
    try:
        _refuse_public(path)
        content = path.read_bytes()
    except FileNotFoundError:
        if not expected:
            raise RecordUnavailable(f"There is no key file {path}.") from None
        raise RecordUnavailable(
            f"The key file {path} is missing, and the record was sealed with {_listed(expected)}. "
            "Put it back from its backup: no other file opens this record."
        ) from None
    except OSError as error:
        raise RecordUnavailable(f"The key file {path} cannot be read: {error.strerror}.") from error
    file = _parsed(path, content)
    refuse_strangers(str(path), {key.id for key in file.signing} | {key.id for key in file.wrapping}, expected)
    return file


def create(path: Path, at: datetime) -> KeyFile:
    """Make a key file with one key of each kind; raise `Conflict` where there is one."""
    file = KeyFile(path, (_new_signing(at),), (_new_wrapper(at),))
    spare = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(spare, file)
        _place(spare, path)
        sync(path.parent)
    except OSError as error:
        raise RecordUnavailable(f"The key file {path} cannot be made: {error.strerror}.") from error
    return file


def rotate_signing(path: Path, at: datetime) -> KeyFile:
    """Add a new current signing key; the older ones stay."""
    return _rotate(path, lambda file: replace(file, signing=(_new_signing(at), *file.signing)))


def rotate_wrapping(path: Path, at: datetime) -> KeyFile:
    """Add a new current key-encryption key; the older ones stay, to read what they wrapped."""
    return _rotate(path, lambda file: replace(file, wrapping=(_new_wrapper(at), *file.wrapping)))


def _new_signing(at: datetime) -> FileSigningKey:
    return FileSigningKey(at, secrets.token_bytes(32))


def _new_wrapper(at: datetime) -> FileWrapper:
    return FileWrapper(at, secrets.token_bytes(32))


def _rotate(path: Path, change: Callable[[KeyFile], KeyFile]) -> KeyFile:
    spare = path.with_name(f"{path.name}.new")
    try:
        with _sole(spare):
            file = change(open_file(path))
            owner = path.stat()
            _write(spare, file, new=False)
            if os.name == "posix" and os.geteuid() == 0:  # rotated by root, still read by the service
                os.chown(spare, owner.st_uid, owner.st_gid)
            spare.replace(path)
            sync(path.parent)
    except FileExistsError as error:
        raise Conflict(f"Another rotation is under way, or one was cut off: if none runs, remove {spare}.") from error
    except OSError as error:
        raise RecordUnavailable(f"The key file {path} cannot be replaced: {error.strerror}.") from error
    return file


def _place(spare: Path, path: Path) -> None:
    """Give the spare file its name unless that is taken; nobody ever sees half a file."""
    try:
        os.link(spare, path)
    except FileExistsError as error:
        raise Conflict(f"There is a key file {path} already.") from error
    finally:
        spare.unlink(missing_ok=True)


@contextmanager
def _sole(spare: Path) -> Iterator[None]:
    """Two rotations at once would lose a key: the one that makes the spare file goes first, and moves it into place."""
    os.close(os.open(spare, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


def _write(path: Path, file: KeyFile, *, new: bool = True) -> None:
    rows = {"signing": [_row(key) for key in file.signing], "wrapping": [_row(key) for key in file.wrapping]}
    content = json.dumps({"format": FORMAT, **rows}, indent=1) + "\n"
    flags = os.O_WRONLY | (os.O_CREAT | os.O_EXCL if new else os.O_TRUNC)
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _row(key: FileSigningKey | FileWrapper) -> dict[str, str]:
    made = key.made.astimezone(UTC).isoformat(timespec="seconds")
    return {"id": key.id, "made": made, "secret": base64.b64encode(key.secret).decode()}


def _refuse_public(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        raise RecordUnavailable(
            f"The key file {path} can be read by others than its owner (mode {mode:04o}): run `chmod 600 {path}`."
        )


def _parsed(path: Path, content: bytes) -> KeyFile:
    """The file's keys. What goes wrong is told without a byte of the content: it is secret."""
    try:
        data = json.loads(content)
    except ValueError:
        raise RecordUnavailable(
            f"The key file {path} is empty, cut off or damaged: put it back from its backup."
        ) from None
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        newer = isinstance(found, str) and found.startswith("opsplane-keys/")
        raise RecordUnavailable(
            f"The key file {path} was made by another version of Opsplane."
            if newer
            else f"{path} is not a key file of Opsplane."
        )
    try:
        signing = tuple(_key(FileSigningKey, row) for row in data["signing"])
        wrapping = tuple(_key(FileWrapper, row) for row in data["wrapping"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        signing, wrapping = (), ()
    if not signing or not wrapping:
        raise RecordUnavailable(f"The key file {path} is damaged: put it back from its backup.")
    return KeyFile(path, signing, wrapping)


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_K = TypeVar("_K", bound=_Identified)


def _key(kind: Callable[[datetime, bytes], _K], row: Any) -> _K:
    key = kind(datetime.fromisoformat(row["made"]), base64.b64decode(row["secret"], validate=True))
    if key.id != row["id"]:
        raise ValueError("the id does not belong to the secret")
    return key


def refuse_strangers(where: str, held: Collection[str], expected: Collection[str]) -> None:
    """Raise `RecordUnavailable` where a key that the record names is not among those at hand."""
    if missing := set(expected) - set(held):
        raise RecordUnavailable(
            f"The keys at {where} are not this record's: {_listed(missing)} is not among them. They belong to another "
            "installation, or are a copy from before the last rotation."
        )


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
