"""Notes and verifier keys are those of the published format, and the setting decides which keys there are."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from opsplane.errors import InvalidRequest, RecordUnavailable
from opsplane.ledger import keyfile, keys, verifier
from opsplane.ledger.keyfile import FileSigningKey
from opsplane.ledger.keys import Signer
from tests import fakes

# Published with the Go implementation of signed notes: a key, a text and the note that it makes of it.
PUBLISHED = Signer(
    "PeterNeumann", FileSigningKey(fakes.NOON, base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])
)
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ORIGIN = f"opsplane/{'0' * 32}"


def signer(name: str = ORIGIN, seed: int = 1) -> Signer:
    return Signer(name, FileSigningKey(fakes.NOON, bytes([seed]) * 32))


def test_a_verifier_key_is_the_published_one() -> None:
    assert keys.verifier_key(PUBLISHED) == PUBLISHED_KEY


def test_a_note_is_the_published_one() -> None:
    assert keys.sign_note(TEXT, PUBLISHED) == f"{TEXT}\n{SIGNATURE}"


def test_the_verifier_opens_a_note_with_the_verifier_key() -> None:
    note = keys.sign_note(TEXT, signer())
    assert verifier.open_note(note, [keys.verifier_key(signer())]) == (TEXT, keys.verifier_key(signer()))
    with pytest.raises(verifier.NoteError):
        verifier.open_note(note.replace("think", "thank"), [keys.verifier_key(signer())])


def test_several_keys_sign_one_note(tmp_path: Path) -> None:
    note = keys.sign_note(TEXT, signer(), PUBLISHED)
    assert note.endswith(SIGNATURE)
    for one in (signer(), PUBLISHED):
        assert verifier.open_note(note, [keys.verifier_key(one)])[0] == TEXT


@pytest.mark.parametrize("text", ["", "no line end", "a\x00b\n", "a\rb\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="the text of a note"):
        keys.sign_note(text, signer())


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u2028b"])
def test_what_is_no_name_signs_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name on a note"):
        keys.sign_note(TEXT, signer(name))


def test_a_new_key_is_endorsed_by_the_old_one() -> None:
    new = keys.verifier_key(signer(seed=2))
    signed = keys.endorsement(signer(), new)
    Ed25519PublicKey.from_public_bytes(signer().public).verify(signed, b"opsplane-key\n" + new.encode())


def test_without_a_setting_a_key_file_is_made_once(tmp_path: Path) -> None:
    made = keys.open_keys("", tmp_path, fakes.NOON)
    assert (tmp_path / "keys" / "record.key").is_file()
    again = keys.open_keys("", tmp_path, fakes.NOON)
    assert [one.public for one in again.signers(ORIGIN)] == [one.public for one in made.signers(ORIGIN)]
    assert [one.id for one in again.wrappers] == [one.id for one in made.wrappers]


def test_a_setting_names_the_key_file(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "bank.key"
    opened = keys.open_keys(str(path), tmp_path, fakes.NOON)
    assert opened.wrappers == keyfile.open_file(path).wrapping
    assert [one.name for one in opened.signers(ORIGIN)] == [ORIGIN]


def test_no_key_file_is_made_where_the_record_has_keys_already(tmp_path: Path) -> None:
    with pytest.raises(RecordUnavailable, match=r"record\.key is missing, and the record was sealed with file:0123"):
        keys.open_keys("", tmp_path, fakes.NOON, expected=["file:0123"])
    assert not list(tmp_path.iterdir())


def test_keys_of_another_installation_are_refused(tmp_path: Path) -> None:
    keys.open_keys("", tmp_path, fakes.NOON)
    with pytest.raises(RecordUnavailable, match="file:0123 is not among them"):
        keys.open_keys("", tmp_path, fakes.NOON, expected=["file:0123"])


def test_after_a_rotation_the_record_still_finds_its_old_keys(tmp_path: Path) -> None:
    before = keys.open_keys("", tmp_path, fakes.NOON)
    expected = [before.wrappers[0].id, keyfile.signing_id(before.signing[0].public)]
    path = tmp_path / "keys" / "record.key"
    keyfile.rotate_signing(path, fakes.NOON)
    keyfile.rotate_wrapping(path, fakes.NOON)
    after = keys.open_keys("", tmp_path, fakes.NOON, expected)
    assert after.signing[0].public != before.signing[0].public
    assert after.signing[1].public == before.signing[0].public
    assert [one.id for one in after.wrappers][1:] == [one.id for one in before.wrappers]


def test_several_sources_keep_their_order_and_none_is_made(tmp_path: Path) -> None:
    first, second = tmp_path / "new.key", tmp_path / "old.key"
    files = [keyfile.create(path, fakes.NOON) for path in (first, second)]
    opened = keys.open_keys(f"{first} ; {second}", tmp_path, fakes.NOON)
    assert opened.wrappers == files[0].wrapping + files[1].wrapping
    second.unlink()
    with pytest.raises(RecordUnavailable, match=r"There is no key file .*old\.key"):
        keys.open_keys(f"{first};{second}", tmp_path, fakes.NOON)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("kms:projects/p/cryptoKeys/wrap", "neither a CryptoKey nor a CryptoKeyVersion"),
        ("kms:projects/p/locations/l/keyRings/r/cryptoKeys/wrap", "needs a key that signs"),
        ("kms:projects/p/locations/l/keyRings/r/cryptoKeys/sign/cryptoKeyVersions/1", "needs a key that signs"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told(tmp_path: Path, setting: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        keys.open_keys(setting, tmp_path, fakes.NOON)


def test_processes_that_start_together_end_with_the_same_keys(tmp_path: Path) -> None:
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; from opsplane.ledger import keys;"
        "sys.stdin.read(1); opened = keys.open_keys('', Path(sys.argv[1]), datetime.now(UTC));"
        "print(opened.wrappers[0].id, opened.signing[0].public.hex())"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = set()
    for one in started:
        assert one.stdin
        one.stdin.write("x")
        one.stdin.flush()
    for one in started:
        told.add(one.communicate()[0])
        assert one.returncode == 0
    assert len(told) == 1
    assert len(json.loads((tmp_path / "keys" / "record.key").read_bytes())["wrapping"]) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["record.key"]
