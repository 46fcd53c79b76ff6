"""The installation's own keys: what signs the record's checkpoints, and what wraps the customers' keys.

They stand in a key file (`keyfile`) or in Cloud KMS (`kms`). Of each kind the first is the current one; older ones
stay, to read what they wrapped and to vouch for their successors.
"""

import base64
import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from opsplane.errors import Conflict, InvalidRequest
from opsplane.ledger.keyfile import KeyFile, create, open_file, refuse_strangers, signing_id
from opsplane.ledger.kms import Kms, is_key, is_version


class SigningKey(Protocol):
    """An Ed25519 key that need not leave the place where it is kept."""

    @property
    def public(self) -> bytes:
        """The 32 bytes that its signatures are checked with."""

    def sign(self, data: bytes) -> bytes:
        """64 bytes over exactly these bytes."""


class Wrapper(Protocol):
    """A key that encrypts other keys. `parallel` calls at once are worth their while."""

    @property
    def id(self) -> str:
        """Its name in the vault's rows."""

    @property
    def parallel(self) -> int:
        """1 for a key in memory, more for one behind a network."""

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """The secret, encrypted and bound to `aad`."""

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The secret again; raise `RecordUnavailable` naming this key where it does not authenticate."""


@dataclass(frozen=True)
class Signer:
    """A signing key under the name it signs with: the ledger's origin."""

    name: str
    key: SigningKey

    @property
    def public(self) -> bytes:
        """The 32 bytes that its signatures are checked with."""
        return self.key.public

    def sign(self, data: bytes) -> bytes:
        """64 bytes over exactly these bytes."""
        return self.key.sign(data)


@dataclass(frozen=True)
class Keys:
    """Everything that signs and wraps, the current one of each kind first."""

    signing: tuple[SigningKey, ...]
    wrappers: tuple[Wrapper, ...]

    def signers(self, origin: str) -> tuple[Signer, ...]:
        """The signing keys under a ledger's origin, the current one first."""
        return tuple(Signer(origin, key) for key in self.signing)


def key_hash(name: str, public: bytes) -> bytes:
    """The four bytes by which a signed note names a key (C2SP signed-note, Ed25519)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def verifier_key(signer: Signer) -> str:
    """The C2SP text form of the public key: name, key hash and key."""
    encoded = base64.b64encode(b"\x01" + signer.public).decode()
    return f"{signer.name}+{key_hash(signer.name, signer.public).hex()}+{encoded}"


def sign_note(text: str, *signers: Signer) -> str:
    """A C2SP signed note: the text, an empty line, one line for each signature. The text must end a line."""
    if not text.endswith("\n") or any(ord(letter) < 32 and letter != "\n" for letter in text):
        raise ValueError("the text of a note ends with a line end and holds no other control character")
    lines = []
    for signer in signers:
        if not signer.name or "+" in signer.name or any(letter.isspace() for letter in signer.name):
            raise ValueError(f"{signer.name!r} cannot be the name on a note")
        signed = key_hash(signer.name, signer.public) + signer.sign(text.encode())
        lines.append(f"— {signer.name} {base64.b64encode(signed).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def endorsement(old: Signer, new_key: str) -> bytes:
    """The old key's signature under its successor's verifier key string."""
    return old.sign(b"opsplane-key\n" + new_key.encode())


def open_keys(setting: str, folder: Path, at: datetime, expected: Collection[str] = (), endpoint: str = "") -> Keys:
    """The keys that OPSPLANE_KEYS names, in its order; empty: `keys/record.key` under `folder`, made where it is new.

    Parts are separated by semicolons: `kms:` and a CryptoKey (wraps) or CryptoKeyVersion (signs), or a key file.
    A file that `expected` keys should be in, or that stands beside other parts, is never made. `endpoint` is KMS's.
    Raise `InvalidRequest` for a setting that cannot be read, `RecordUnavailable` for keys that cannot be used.
    """
    parts = [part.strip() for part in setting.split(";") if part.strip()] or [str(folder / "keys" / "record.key")]
    signing: list[SigningKey] = []
    wrappers: list[Wrapper] = []
    kms = Kms(endpoint)
    for part in parts:
        name = part.removeprefix("kms:")
        if is_version(name):
            signing.append(kms.signing_key(name))
        elif is_key(name):
            wrappers.append(kms.wrapper(name))
        elif part.startswith("kms:"):
            raise InvalidRequest(f"OPSPLANE_KEYS: {name!r} is neither a CryptoKey nor a CryptoKeyVersion of Cloud KMS.")
        else:
            file = _key_file(Path(part), at, expected) if len(parts) == 1 else open_file(Path(part))
            signing.extend(file.signing)
            wrappers.extend(file.wrapping)
    if not signing or not wrappers:
        raise InvalidRequest("OPSPLANE_KEYS needs a key that signs and a key that wraps.")
    _refuse_absent(setting or parts[0], signing, wrappers, expected)
    return Keys(tuple(signing), tuple(wrappers))


def _refuse_absent(
    where: str, signing: Collection[SigningKey], wrappers: Collection[Wrapper], expected: Collection[str]
) -> None:
    held = {wrapper.id for wrapper in wrappers}
    if not held.issuperset(expected):  # only then are public keys looked up, which may be a network away
        held |= {signing_id(key.public) for key in signing}
    refuse_strangers(where, held, expected)


def _key_file(path: Path, at: datetime, expected: Collection[str]) -> KeyFile:
    if not expected and not path.exists():
        with suppress(Conflict):  # another process was quicker
            return create(path, at)
    return open_file(path, expected)
