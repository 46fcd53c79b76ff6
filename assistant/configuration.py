"""A configuration file: the settings as YAML, where nested names are joined by an underscore."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from opsplane.errors import InvalidRequest

_DEEPEST = 4
_LARGEST = 1_000_000  # bytes


def read(path: Path, known: Collection[str]) -> dict[str, str]:
    """What a file sets, by the setting's name, in the words in which the environment would say it.

    `google: {project: p}` is `google_project: p`; a list is its items with commas. Raises `InvalidRequest`, naming
    file and place, for a file that is not there or is no YAML, and for a name that is no setting or is there twice.
    """
    told = _loaded(path)
    found: dict[str, str] = {}
    for place, value in _flat(told, (), path):
        name = "_".join(place)
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InvalidRequest(f"{path}: {'.'.join(place)}: there is no such setting{hint}")
        if name in found:
            raise InvalidRequest(f"{path}: {'.'.join(place)}: {name} is set twice")
        found[name] = value
    return found


def _loaded(path: Path) -> Mapping[Any, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidRequest(f"{path}: a configuration file has at most {_LARGEST:,} bytes")
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"{path}: the configuration file cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{path}: the configuration file is not YAML: {_where(error)}") from error
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        raise InvalidRequest(f"{path}: a configuration file is a list of names with values, such as `port: 8000`")
    return told


def _flat(told: Mapping[Any, Any], before: tuple[str, ...], path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in told.items():
        place = (*before, str(name))
        if isinstance(value, Mapping) and len(place) < _DEEPEST:
            yield from _flat(value, place, path)
        else:
            yield place, _said(value, place, path)


def _said(value: Any, place: tuple[str, ...], path: Path) -> str:
    """A value as the environment would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ",".join(str(one) for one in value)
    if isinstance(value, str | int):
        return str(value)
    raise InvalidRequest(f"{path}: {'.'.join(place)}: {type(value).__name__} is no value of a setting")


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    told = getattr(error, "problem", None) or type(error).__name__
    return f"line {mark.line + 1}: {told}" if mark else str(told)
