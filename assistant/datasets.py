"""Datasets by name: what stands in the folder of datasets, what was made of the record, or a file anywhere."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from opsplane import casebook
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound
from opsplane.evaluation import dataset as files
from opsplane.evaluation.dataset import Dataset

RECORD = casebook.NAME
"""The set that was made of exchanges."""

_PART = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,3}}")
_FIELDS = (re.compile(rb"^as_of:", re.MULTILINE), re.compile(rb"^cases:", re.MULTILINE))
_PEEKED = 64_000
_WHOLE = ("dataset.yaml", "dataset.yml", "dataset.jsonl")
_DEEPEST = 3


@dataclass(frozen=True)
class Found:
    """A dataset of the folder; `problem` says why it cannot be used."""

    name: str
    path: Path
    dataset: Dataset | None
    problem: str = ""


def names(folder: Path) -> dict[str, Path]:
    """The datasets of a folder by name: its files, and folders that hold a set (one with a dataset.yaml only that).

    A YAML file counts where `as_of` and `cases` begin a line: other files lie beside datasets.
    """
    if not folder.is_dir():
        return {}
    found = {one.stem: one for one in files.files_of(folder) if _NAME.fullmatch(one.stem) and _is_set(one)}
    return dict(sorted((found | dict(_within(folder, "", _DEEPEST))).items()))


def all_of(folder: Path, today: date | None = None) -> list[Found]:
    """Every dataset of the folder, read."""
    found = []
    for name, path in names(folder).items():
        try:
            found.append(Found(name, path, _read(name, path, today)))
        except InvalidRelease as error:
            found.append(Found(name, path, None, str(error)))
    return found


def named(name: str, folder: Path, today: date | None = None) -> Dataset:
    """A dataset of the folder; raise `NotFound` with the nearest names, or `InvalidRelease` where it is malformed.

    Neither says where the folder is: whoever chats need not know.
    """
    known = names(folder)
    if name == RECORD:
        raise InvalidRequest(f"{RECORD} is made of the record: it is read by a reviewer who says why.")
    path = known.get(name) if _NAME.fullmatch(name) else None
    if path is None:
        near = difflib.get_close_matches(name, [*known, RECORD], n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        listed = ", ".join([*known, RECORD])
        raise NotFound(f"There is no dataset {name[:80]!r}.{hint} There are: {listed}.")
    return _read(name, path, today)


def opened(given: str, folder: Path, today: date | None = None) -> Dataset:
    """The same for a terminal, where a path will do too; a name goes before a path of the same words."""
    path = place(given, folder)
    if path and given not in names(folder):
        return files.load(_whole(path) or path, today)
    return named(given, folder, today)


def place(given: str, folder: Path) -> Path | None:
    """The file or folder of a dataset by name or path; None for the set of the record and where nothing is meant."""
    if not given or given == RECORD:
        return None
    return names(folder).get(given) or (Path(given) if _is_path(Path(given)) else None)


def _is_path(path: Path) -> bool:
    """Whether something is there, or a file was meant by its suffix."""
    try:
        return path.exists() or path.suffix in (".yaml", ".yml", ".jsonl", ".ndjson")
    except OSError:  # a name that is too long for any file
        return False


def _read(name: str, path: Path, today: date | None) -> Dataset:
    try:
        return files.load(path, today).model_copy(update={"name": name})
    except InvalidRelease as error:
        raise InvalidRelease(str(error).replace(str(path), name)) from error


def _within(folder: Path, name: str, deeper: int) -> Iterator[tuple[str, Path]]:
    for one in sorted(folder.iterdir()) if deeper else ():
        if one.is_dir() and _NAME.fullmatch(one.name):
            full = f"{name}/{one.name}" if name else one.name
            if whole := _whole(one):
                yield full, whole
            elif any(_is_set(file) for file in files.files_of(one)):
                yield full, one
            yield from _within(one, full, deeper - 1)


def _whole(folder: Path) -> Path | None:
    return next((folder / one for one in _WHOLE if (folder / one).is_file()), None) if folder.is_dir() else None


def _is_set(path: Path) -> bool:
    """Whether a file is a dataset by its beginning: YAML that says on which day it is true, or JSON lines."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    try:
        with path.open("rb") as file:
            beginning = file.read(_PEEKED)
    except OSError:
        return False
    return all(field.search(beginning) for field in _FIELDS)
