"""Signed notes and verifier keys in C2SP's text form: published ones are read, changed ones are refused."""

import base64

import pytest

from benchmarks.tampering import Author
from opsplane.ledger import verifier
from opsplane.ledger.verifier import Checkpoint, NoteError

AUTHOR = Author(1)
NOTE = AUTHOR.note(7, b"r" * 32)
PUBLISHED = [  # the examples of C2SP's signed-note and of Go's package sumdb/note
    (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n",
        "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=",
    ),
    (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
        "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
    ),
]


def refused(note: str, *keys: str) -> str:
    with pytest.raises(NoteError) as caught:
        verifier.check_note(note, keys)
    return caught.value.code


@pytest.mark.parametrize(("key", "text", "signature"), PUBLISHED)
def test_published_notes_are_opened_by_their_keys(key: str, text: str, signature: str) -> None:
    assert verifier.open_note(f"{text}\n— {signature}\n", [AUTHOR.key, key]) == (text, key)
    assert verifier.format_key(*verifier.parse_key(key)) == key


def test_a_checkpoint_says_who_signed_what() -> None:
    assert verifier.check_note(NOTE, [AUTHOR.key]) == Checkpoint(
        AUTHOR.origin, 7, b"r" * 32, "2026-11-01T00:00:07Z", AUTHOR.key
    )
    assert verifier.read_checkpoint(NOTE).key == ""


def test_no_trusted_key_no_checkpoint() -> None:
    assert refused(NOTE, Author(2).key) == "checkpoint.unknown_key"
    assert refused(NOTE) == "checkpoint.unknown_key"


def test_a_changed_size_fails_the_signature() -> None:
    assert refused(NOTE.replace("\n7\n", "\n8\n"), AUTHOR.key) == "checkpoint.signature"


def test_a_strangers_signature_beside_the_trusted_one_does_no_harm() -> None:
    other = Author(2).note(7, b"r" * 32).rpartition("\n\n")[2]
    assert verifier.check_note(NOTE + other, [AUTHOR.key]).size == 7


def test_a_key_does_not_speak_for_another_ledger() -> None:
    text = NOTE.replace(AUTHOR.origin, "opsplane/other", 1).rpartition("\n\n")[0] + "\n"
    signed = bytes.fromhex(AUTHOR.key.split("+")[1]) + AUTHOR.sign(text.encode())
    assert refused(f"{text}\n{signature_line(signed)}", AUTHOR.key) == "ledger.foreign"


def signature_line(signed: bytes) -> str:
    return f"— {AUTHOR.origin} {base64.b64encode(signed).decode()}\n"


@pytest.mark.parametrize(
    "note",
    [
        NOTE[:-1],
        NOTE.replace("— ", "- "),
        NOTE.replace("\n\n", "\n"),
        NOTE + "\n",
        NOTE + "— x !!!!\n",
        NOTE + "— x AAAA\n",
        NOTE + "words\n",
        "",
    ],
)
def test_what_is_cut_short_or_padded_is_no_note(note: str) -> None:
    assert refused(note, AUTHOR.key) == "checkpoint.malformed"


@pytest.mark.parametrize(
    "text", ["", "a+b", "a+00000000+", "a+00000000+AAAA", AUTHOR.key[:-4], AUTHOR.key + "=", "é+x+y"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="not a verifier key"):
        verifier.parse_key(text)
