"""What the power cut takes away and what it leaves: the shim itself, deed by deed."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.durability.harness import Disk

PREFACE = """
import ctypes, os, shutil, sys
folder, shadow, control = sys.argv[1:]
assert ctypes.CDLL(None).powercut_watch(folder.encode(), shadow.encode(), control.encode()) == 0
os.chdir(folder)
def make(name, data, sync=True):
    with open(name, "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
def keep(folder="."):
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
def change(name, data, at=0, sync=False, call=os.pwrite):
    descriptor = os.open(name, os.O_RDWR)
    call(descriptor, data, at)
    if sync:
        os.fdatasync(descriptor)
    os.close(descriptor)
"""

AFTERWARDS: dict[str, tuple[str, dict[str, str]]] = {
    "a file that nobody synced": ("make('a', b'new', sync=False)", {"old": "12345678"}),
    "a synced file in a folder that nobody synced": ("make('a', b'new')", {"old": "12345678"}),
    "a synced file in a synced folder": ("make('a', b'new'); keep()", {"a": "new", "old": "12345678"}),
    "a file that nobody synced in a synced folder": (
        "make('a', b'new', sync=False); keep()",
        {"a": "", "old": "12345678"},
    ),
    "bytes changed and synced": ("change('old', b'x', 2, sync=True)", {"old": "12x45678"}),
    "bytes changed": ("change('old', b'x', 2)", {"old": "12345678"}),
    "bytes changed in several ways and synced": (
        "change('old', [b'ab', b'c'], 1, call=os.pwritev)\n"
        "with open('old', 'ab') as file: file.write(b'9'); file.flush(); os.fsync(os.dup(file.fileno()))",
        {"old": "1abc56789"},
    ),
    "bytes changed after the last sync": (
        "change('old', b'x', 0, sync=True); change('old', b'y', 1)",
        {"old": "x2345678"},
    ),
    "shortened": (
        "os.truncate('old', 3) if False else os.ftruncate(os.open('old', os.O_RDWR), 3)",
        {"old": "12345678"},
    ),
    "shortened and synced": ("f = os.open('old', os.O_RDWR); os.ftruncate(f, 3); os.fsync(f)", {"old": "123"}),
    "emptied by opening it": ("open('old', 'wb').close()", {"old": "12345678"}),
    "copied past the write calls and synced": (
        "shutil.copyfile('old', 'b'); os.fsync(os.open('b', os.O_RDONLY)); keep()",
        {"b": "12345678", "old": "12345678"},
    ),
    "renamed": ("os.rename('old', 'new')", {"old": "12345678"}),
    "renamed in a synced folder": ("os.rename('old', 'new'); keep()", {"new": "12345678"}),
    "put in another's place": ("make('a', b'new'); os.replace('a', 'old')", {"old": "12345678"}),
    "put in another's place in a synced folder": ("make('a', b'new'); os.replace('a', 'old'); keep()", {"old": "new"}),
    "removed": ("os.unlink('old')", {"old": "12345678"}),
    "removed from a synced folder": ("os.unlink('old'); keep()", {}),
    "removed, and another made with its inode": ("os.unlink('old'); make('a', b'new')", {"old": "12345678"}),
    "in a folder that nobody synced": ("os.mkdir('f'); make('f/a', b'new'); keep('f')", {"old": "12345678"}),
    "in a folder in a synced folder": (
        "os.mkdir('f'); make('f/a', b'new'); keep('f'); keep()",
        {"f/a": "new", "old": "12345678"},
    ),
}


@pytest.mark.parametrize(("deeds", "left"), AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_a_power_cut_leaves_what_was_synced(shim: Path, tmp_path: Path, deeds: str, left: dict[str, str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "old").write_text("12345678")
    disk = Disk(folder, tmp_path)
    disk.settle()
    command = [sys.executable, "-c", PREFACE + deeds, str(folder), str(disk.shadow), str(disk.control)]
    subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(shim)}, check=True)
    disk.cut(random.Random(0))
    assert {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()} == left
