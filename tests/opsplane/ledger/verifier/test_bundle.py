"""An export verifies by itself, with the files that lie beside it, and tells what was done to it."""

import base64
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import tampering
from benchmarks.tampering import Author, Record, Row
from opsplane.ledger import merkle, verifier
from opsplane.ledger.verifier.bundle import Unreadable, verify_folder
from opsplane.ledger.verifier.lines import COLUMNS
from opsplane.ledger.verifier.report import Result

AUTHOR = Author(1)
RECORD = AUTHOR.record(60, 20)


def line_of(row: Row) -> str:
    values = dict(zip(COLUMNS, row, strict=True))
    encoded = {"payload": row[8].decode(), "sealed": base64.b64encode(row[9]).decode(), "hash": row[10].hex()}
    return json.dumps(values | encoded)


def write(folder: Path, files: dict[str, list[str]], complete: bool, author: Author = AUTHOR) -> Path:
    """An export with these files, signed."""
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    manifest = json.dumps({"files": digests, "complete": complete}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    text = f"opsplane-export/1\n{hashlib.sha256(manifest).hexdigest()}\n"
    signed = bytes.fromhex(author.key.split("+")[1]) + author.sign(text.encode())
    note = f"{text}\n— {author.origin} {base64.b64encode(signed).decode()}\n"
    (folder / "manifest.sig").write_text(note, encoding="utf-8")
    return folder


def whole(folder: Path, record: Record = RECORD) -> Path:
    notes = [json.dumps({"note": note, "timestamp": ""}) for note in record.checkpoints]
    entries = [line_of(row) for row in record.entries]
    return write(folder, {"entries.jsonl": entries, "checkpoints.jsonl": notes, "keys.txt": [AUTHOR.key]}, True)


def part(folder: Path, numbers: Sequence[int] = (2, 7, 8, 60), **changes: Any) -> Path:
    """Single entries with their proofs; `changes` go into every proof."""
    leaves = [row[10] for row in RECORD.entries]

    def read(level: int, first: int, count: int) -> list[bytes]:
        frontier = merkle.Frontier()
        stored: dict[tuple[int, int], bytes] = {}
        for leaf in leaves:
            stored |= {(level, number): node for level, number, node in frontier.append(leaf)}
        if level == 0:
            return leaves[first : first + count]
        return [stored[level, number] for number in range(first, first + count) if (level, number) in stored]

    proofs = []
    for number in numbers:
        steps = [step.hex() for step in merkle.inclusion(read, number - 1, 60)]
        previous = leaves[number - 2].hex() if number > 1 else "00" * 32
        proof = {"seq": number, "index": number - 1, "size": 60, "path": steps, "previous": previous}
        proofs.append(json.dumps(proof | changes))
    entries = [line_of(RECORD.entries[number - 1]) for number in numbers]
    note = RECORD.checkpoints[-1].splitlines()
    files = {"entries.jsonl": entries, "proofs.jsonl": proofs, "checkpoint.txt": note, "keys.txt": [AUTHOR.key]}
    return write(folder, files, False)


def codes(result: Result) -> list[tuple[str, int | None]]:
    return [(one.code, one.row) for one in result.violations]


@pytest.mark.parametrize("make", [whole, part])
def test_a_sound_export_is_valid(make: Callable[[Path], Path], tmp_path: Path) -> None:
    result = verify_folder(make(tmp_path), [AUTHOR.key])
    assert (codes(result), result.remarks) == ([], [])
    assert len(result.checked) >= 3


@pytest.mark.parametrize("make", [whole, part])
def test_without_a_pinned_key_it_says_so(make: Callable[[Path], Path], tmp_path: Path) -> None:
    result = verify_folder(make(tmp_path))
    assert codes(result) == []
    assert [one.code for one in result.remarks] == ["key.unpinned"]


@pytest.mark.parametrize("make", [whole, part])
def test_somebody_elses_pinned_key_trusts_nothing(make: Callable[[Path], Path], tmp_path: Path) -> None:
    found = {code for code, _ in codes(verify_folder(make(tmp_path), [Author(2).key]))}
    assert "manifest.unknown_key" in found
    assert found & {"ledger.foreign", "checkpoint.unknown_key"}


@pytest.mark.parametrize("name", ["entries.jsonl", "checkpoints.jsonl", "keys.txt"])
def test_a_changed_file_is_told(name: str, tmp_path: Path) -> None:
    with (whole(tmp_path) / name).open("a") as stream:
        stream.write("\n")
    assert ("file.changed", None) in codes(verify_folder(tmp_path, [AUTHOR.key]))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    (whole(tmp_path) / "entries.jsonl").unlink()
    found = codes(verify_folder(tmp_path, [AUTHOR.key]))
    assert ("file.missing", None) in found
    assert ("ledger.truncated", 1) in found


def test_a_file_that_the_manifest_does_not_name_is_remarked(tmp_path: Path) -> None:
    (whole(tmp_path) / "note.txt").write_text("x")
    assert [one.code for one in verify_folder(tmp_path, [AUTHOR.key]).remarks] == ["file.uncovered"]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a\0b", ""])
def test_a_manifest_that_points_out_of_the_folder_reads_nothing_there(name: str, tmp_path: Path) -> None:
    manifest = json.loads((whole(tmp_path) / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found = {code for code, _ in codes(verify_folder(tmp_path, [AUTHOR.key]))}
    assert found & {"file.outside", "file.missing"}
    assert "manifest.changed" in found


def test_an_unsigned_manifest_is_told(tmp_path: Path) -> None:
    (whole(tmp_path) / "manifest.sig").unlink()
    assert codes(verify_folder(tmp_path, [AUTHOR.key])) == [("manifest.unsigned", None)]


def test_a_changed_entry_is_told_though_the_manifest_was_made_anew(tmp_path: Path) -> None:
    entries = list(RECORD.entries)
    entries[29] = tampering.flipped(entries[29], 9, random.Random(1))
    changed = Record(entries, RECORD.checkpoints, (), RECORD.keys)
    assert codes(verify_folder(whole(tmp_path, changed), [AUTHOR.key])) == [("entry.changed", 30)]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"seq": 30}', "[" * 100_000, '{"seq": ' + "9" * 5000 + "}", "\0"]
)
def test_a_line_that_cannot_be_read_is_told_at_its_place(line: str, tmp_path: Path) -> None:
    entries = [line_of(row) for row in RECORD.entries]
    entries[29] = line
    whole(tmp_path)
    notes = [json.dumps({"note": note}) for note in RECORD.checkpoints]
    write(tmp_path, {"entries.jsonl": entries, "checkpoints.jsonl": notes, "keys.txt": [AUTHOR.key]}, True)
    assert codes(verify_folder(tmp_path, [AUTHOR.key])) == [("entry.malformed", 30)]


def test_flipped_bits_anywhere_are_told_and_crash_nothing(tmp_path: Path) -> None:
    whole(tmp_path)
    rng = random.Random(5)
    for name in ("entries.jsonl", "checkpoints.jsonl", "manifest.json", "manifest.sig"):
        file = tmp_path / name
        sound = file.read_bytes()
        for _ in range(25):
            flipped = bytearray(sound)
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            file.write_bytes(flipped)
            try:
                assert verify_folder(tmp_path, [AUTHOR.key]).violations
            except Unreadable:
                assert name == "manifest.json"
        file.write_bytes(sound)


def anchor(folder: Path, notes: Sequence[str], tail: str = "") -> Path:
    file = folder / "x.checkpoints"
    file.write_text("".join(json.dumps({"note": note}) + "\n" for note in notes) + tail, encoding="utf-8")
    return file


def test_an_anchor_with_a_torn_line_and_later_checkpoints_agrees(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    later = AUTHOR.record(90, 45).checkpoints[-1]
    file = anchor(tmp_path, [*RECORD.checkpoints, later], '{"note": "opspl')
    result = verify_folder(whole(folder), [AUTHOR.key], file)
    assert codes(result) == []
    assert sorted(one.code for one in result.remarks) == ["anchor.later", "anchor.torn"]


@pytest.mark.parametrize("make", [whole, part])
def test_an_export_that_the_anchor_contradicts_is_told(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    file = anchor(tmp_path, [AUTHOR.note(60, b"r" * 32)])
    assert ("checkpoint.root", 60) in codes(verify_folder(make(folder), [AUTHOR.key], file))


@pytest.mark.parametrize(
    "change", [{"path": []}, {"path": None}, {"path": ["zz"]}, {"previous": "00" * 32}, {"previous": 5}, {"seq": 1}]
)
def test_a_single_entry_without_a_sound_proof_is_told(change: dict[str, Any], tmp_path: Path) -> None:
    assert codes(verify_folder(part(tmp_path, (7,), **change), [AUTHOR.key])) == [("entry.unproven", 7)]


def test_there_is_nothing_to_read_where_there_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no export"):
        verify_folder(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(Unreadable, match="not the manifest"):
        verify_folder(tmp_path)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier as an auditor runs it: out of the export, with no part of the product on its path."""
    command = [sys.executable, "-E", "-B", "verify.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_copy_in_an_export_runs_alone(tmp_path: Path) -> None:
    whole(tmp_path)
    for name, data in verifier.files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    sound = run(tmp_path, ".", "--key", AUTHOR.key)
    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "VALID")
    entries = (tmp_path / "entries.jsonl").read_text()
    (tmp_path / "entries.jsonl").write_text(entries.replace("exchange-33", "exchange-34"))
    broken = run(tmp_path, ".", "--key", AUTHOR.key)
    assert (broken.returncode, broken.stdout.splitlines()[-1]) == (1, "INVALID: 2 violations")
    assert "VIOLATION entry.changed, entry 33: " in broken.stdout
    nothing = run(tmp_path, "nowhere")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "no export" in nothing.stderr
    assert "--anchor" in run(tmp_path, "--help").stdout


def test_the_verifier_imports_the_standard_library_and_cryptography_only() -> None:
    names = set()
    for data in verifier.files().values():
        for line in data.decode().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and not words[1].startswith("."):
                names.add(words[1].split(".")[0])
    assert names - {"cryptography"} <= sys.stdlib_module_names
