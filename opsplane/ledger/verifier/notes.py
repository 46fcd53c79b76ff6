"""Checkpoints and the keys that sign them: C2SP signed notes with Ed25519, in the form of tlog-checkpoint."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .proof import LARGEST

_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\ntime ([0-9]{4}-\S{14}Z)\n")


class NoteError(ValueError):
    """A key or a note that does not stand; `code` is that of the violation."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says: the tree's size and root at a time; `key` is the verifier key that signed it."""

    origin: str
    size: int
    root: bytes
    time: str
    key: str = ""


def format_key(name: str, public: bytes) -> str:
    """The text of a verifier key: `<name>+<8 hex>+<base64>`; the hex is what notes name the key by."""
    number = hashlib.sha256(name.encode() + b"\n\1" + public).hexdigest()[:8]
    return f"{name}+{number}+{base64.b64encode(bytes([1]) + public).decode()}"


def parse_key(text: str) -> tuple[str, bytes]:
    """The name and the public key of a verifier key; raise `NoteError` where it is none."""
    try:
        name, _, encoded = text.split("+", 2)
        public = base64.b64decode(encoded, validate=True)[1:]
        if len(public) == 32 and format_key(name, public) == text:
            return name, public
    except (ValueError, AttributeError):
        pass
    raise NoteError("key.malformed", f"not a verifier key: {str(text)[:200]!r}")


def signed_by(key: str, signature: bytes, message: bytes) -> bool:
    """Whether the Ed25519 signature was made with the verifier key."""
    # Loaded here because hashes, chain and tree can be checked without it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(parse_key(key)[1]).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def parse_note(note: str) -> tuple[str, dict[str, bytes]]:
    """A signed note's text, and its signatures by `<name>+<8 hex>` of the key; raise `NoteError` where it is none."""
    try:
        text, _, lines = note.encode().decode().rpartition("\n\n")
        if not lines.endswith("\n"):
            raise ValueError("cut short")
        signatures = {}
        for line in lines.removesuffix("\n").split("\n"):
            dash, name, encoded = line.split(" ")
            signed = base64.b64decode(encoded, validate=True)
            if dash != "—" or len(signed) < 5 or base64.b64encode(signed).decode() != encoded:
                raise ValueError("no line of a signature")
            signatures[f"{name}+{signed[:4].hex()}"] = signed[4:]
    except (ValueError, AttributeError) as error:
        raise NoteError("checkpoint.malformed", "it is no signed note") from error
    return f"{text}\n", signatures


def open_note(note: str, keys: Iterable[str]) -> tuple[str, str]:
    """A note's text and the first of `keys` that signed it; raise `NoteError` where none did or a signature fails."""
    text, signatures = parse_note(note)
    signers = [(key, signatures[mark]) for key in keys if (mark := "+".join(key.split("+")[:2])) in signatures]
    if not signers:
        raise NoteError("checkpoint.unknown_key", "no trusted key signed it")
    if not all(signed_by(key, signature, text.encode()) for key, signature in signers):
        raise NoteError("checkpoint.signature", "its signature fails: the text or the signature was changed")
    return text, signers[0][0]


def read_checkpoint(note: str) -> Checkpoint:
    """What a checkpoint says, whoever signed it; raise `NoteError` where it is none."""
    return _checkpoint(parse_note(note)[0], "")


def check_note(note: str, keys: Iterable[str]) -> Checkpoint:
    """The checkpoint that one of the keys signed in its own ledger's name; raise `NoteError` for any other."""
    text, key = open_note(note, keys)
    checkpoint = _checkpoint(text, key)
    if parse_key(key)[0] != checkpoint.origin:
        raise NoteError("ledger.foreign", f"it is of another ledger, {checkpoint.origin}")
    return checkpoint


def _checkpoint(text: str, key: str) -> Checkpoint:
    parts = _TEXT.fullmatch(text)
    if not parts or int(parts[2]) >= LARGEST:
        raise NoteError("checkpoint.malformed", "its text is not origin, size, root and time")
    return Checkpoint(parts[1], int(parts[2]), base64.b64decode(parts[3]), parts[4], key)
