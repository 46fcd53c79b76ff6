"""The key file is made once, kept private, rotated whole, and refused in clear words where it cannot be used."""

import json
import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsplane.errors import Conflict, RecordUnavailable
from opsplane.ledger import keyfile
from tests import fakes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "record.key"


def test_a_new_file_and_its_folder_are_private(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    assert keyfile.open_file(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["record.key"]


def test_an_existing_file_is_not_made_anew(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    with pytest.raises(Conflict, match="already"):
        keyfile.create(path, fakes.NOON)
    assert keyfile.open_file(path) == made
    assert [one.name for one in path.parent.iterdir()] == ["record.key"]


def test_a_file_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(RecordUnavailable, match="cannot be made"):
        keyfile.create(tmp_path / "keys" / "record.key", fakes.NOON)


def test_a_wrapped_secret_comes_back_with_the_same_key_and_row_alone(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    (wrapper,) = keyfile.open_file(path).wrapping
    wrapped = made.wrapping[0].wrap(b"a secret", b"row 1")
    assert wrapper.unwrap(wrapped, b"row 1") == b"a secret"
    other = keyfile.rotate_wrapping(path, fakes.NOON).wrapping[0]
    for key, box, aad in ((other, wrapped, b"row 1"), (wrapper, wrapped, b"row 2"), (wrapper, b"", b"row 1")):
        with pytest.raises(RecordUnavailable, match=f"{key.id} does not open"):
            key.unwrap(box, aad)


def test_the_same_secret_is_never_wrapped_alike(path: Path) -> None:
    wrapper = keyfile.create(path, fakes.NOON).wrapping[0]
    assert wrapper.wrap(b"a secret", b"") != wrapper.wrap(b"a secret", b"")


def test_secrets_are_not_shown_where_a_file_is_printed(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    for key in (*made.signing, *made.wrapping):
        assert repr(key.secret) not in repr(made)  # type: ignore[attr-defined]


@pytest.mark.parametrize("rotate", [keyfile.rotate_signing, keyfile.rotate_wrapping])
def test_a_rotation_puts_a_new_key_first_and_keeps_the_old(path: Path, rotate: Callable[..., keyfile.KeyFile]) -> None:
    made = keyfile.create(path, fakes.NOON)
    later = rotate(path, fakes.NOON + timedelta(days=90))
    assert keyfile.open_file(path) == later
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["record.key"]
    old, new = (made.signing, later.signing) if rotate is keyfile.rotate_signing else (made.wrapping, later.wrapping)
    assert new[1:] == old
    assert new[0].made == fakes.NOON + timedelta(days=90)
    assert len(later.signing) + len(later.wrapping) == 3


def test_a_rotation_waits_for_no_other(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    spare = path.with_name("record.key.new")
    spare.touch()
    with pytest.raises(Conflict, match=r"if none runs, remove .*record\.key\.new"):
        keyfile.rotate_signing(path, fakes.NOON)
    assert keyfile.open_file(path) == made
    spare.unlink()
    assert keyfile.rotate_signing(path, fakes.NOON).signing[1:] == made.signing


def test_a_rotation_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    keyfile.create(path, fakes.NOON)
    path.chmod(0o644)
    with pytest.raises(RecordUnavailable, match="chmod 600"):
        keyfile.rotate_signing(path, fakes.NOON)
    assert [one.name for one in path.parent.iterdir()] == ["record.key"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_rotation_by_root_leaves_the_file_with_its_owner(path: Path) -> None:
    keyfile.create(path, fakes.NOON)
    os.chown(path, 12345, 12345)
    keyfile.rotate_wrapping(path, fakes.NOON)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(RecordUnavailable, match="There is no key file"):
        keyfile.open_file(path)
    with pytest.raises(RecordUnavailable, match=r"sealed with a, b\. Put it back from its backup"):
        keyfile.open_file(path, ["b", "a"])


def test_a_file_that_cannot_be_read_is_told(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True)
    with pytest.raises(RecordUnavailable, match="cannot be read: Is a directory"):
        keyfile.open_file(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_how_to_mend_it(path: Path, mode: int) -> None:
    keyfile.create(path, fakes.NOON)
    path.chmod(mode)
    with pytest.raises(RecordUnavailable, match=f"mode {mode:04o}.*run `chmod 600 "):
        keyfile.open_file(path)


def test_a_file_cut_off_anywhere_is_refused(path: Path) -> None:
    keyfile.create(path, fakes.NOON)
    content = path.read_bytes()
    for size in range(len(content) - 1):  # without its last line end it is whole
        path.write_bytes(content[:size])
        with pytest.raises(RecordUnavailable, match="empty, cut off or damaged"):
            keyfile.open_file(path)


def test_a_changed_byte_never_gives_another_key(path: Path) -> None:
    made = keyfile.create(path, fakes.NOON)
    content = path.read_bytes()
    refused = 0
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        try:
            found = keyfile.open_file(path)
        except RecordUnavailable:
            refused += 1
        else:  # a date or white space
            assert [key.secret for key in found.signing] == [key.secret for key in made.signing]
            assert [key.secret for key in found.wrapping] == [key.secret for key in made.wrapping]
    assert refused > len(content) * 0.7


def test_a_refusal_tells_nothing_of_the_secrets(path: Path) -> None:
    keyfile.create(path, fakes.NOON)
    content = json.loads(path.read_bytes())
    content["signing"][0]["id"] = "ed25519:0"
    path.write_text(json.dumps(content))
    with pytest.raises(RecordUnavailable, match="is damaged") as caught:
        keyfile.open_file(path)
    assert content["signing"][0]["secret"] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"format": "opsplane-keys/2", "signing": [], "wrapping": []}, "made by another version"),
        ({"type": "service_account", "private_key": "…"}, "is not a key file of Opsplane"),
        ([], "is not a key file of Opsplane"),
        ({"format": "opsplane-keys/1", "signing": [], "wrapping": []}, "is damaged"),
        ({"format": "opsplane-keys/1", "signing": [3], "wrapping": None}, "is damaged"),
        ({"format": "opsplane-keys/1"}, "is damaged"),
    ],
)
def test_a_foreign_file_is_told_from_a_damaged_one(path: Path, content: Any, words: str) -> None:
    keyfile.create(path, fakes.NOON)
    path.write_text(json.dumps(content))
    with pytest.raises(RecordUnavailable, match=words):
        keyfile.open_file(path)


def test_a_file_of_another_installation_is_refused(path: Path, tmp_path: Path) -> None:
    mine = keyfile.create(path, fakes.NOON)
    other = keyfile.create(tmp_path / "other.key", fakes.NOON)
    expected = [mine.signing[0].id, mine.wrapping[0].id]
    assert keyfile.open_file(path, expected) == mine
    with pytest.raises(RecordUnavailable, match=f"{mine.signing[0].id}, {mine.wrapping[0].id} is not among them"):
        keyfile.open_file(other.path, expected)
