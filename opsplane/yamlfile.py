"""YAML files read into validated values; every error names file, line and field."""

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from opsplane.errors import InvalidRelease

Value = TypeVar("Value", bound=BaseModel)


class _UniqueKeys(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice: the second would silently win.

    The one in Python: libyaml's is faster, and deep nesting ends the whole process.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build the mapping, refusing a key that was already there."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a field's name must be a word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key.value!r} is written twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class Named(Protocol):
    """What a file of a folder holds: a value with an id."""

    @property
    def id(self) -> str:
        """Its name, used by no other file."""


One = TypeVar("One", bound=Named)


def read_all(folder: Path, load: Callable[[Path], One]) -> dict[str, One]:
    """What every YAML file in `folder` holds, by id; raise `InvalidRelease` naming every file that cannot be used."""
    found: dict[str, One] = {}
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            one = load(path)
        except InvalidRelease as error:
            problems.append(str(error))
            continue
        if one.id in found:
            problems.append(f"{path.name}: line 1: id: {one.id!r} is used by another file too")
        found[one.id] = one
    if problems:
        raise InvalidRelease("\n".join(problems))
    return found


def read(path: Path, model: type[Value], context: dict[str, str] | None = None) -> Value:
    """Read one YAML file into `model`; raise `InvalidRelease` with file, line and field."""
    return parse(_text(path), model, name=path.name, context=context)


def line(path: Path, location: tuple[int | str, ...]) -> int:
    """The line of a field in a file that has been read, such as `("rules", 3)`."""
    root = yaml.compose(_text(path), Loader=yaml.SafeLoader)
    return _line(root, location) if root else 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRelease(f"{path.name}: cannot be read: {error}") from error


def parse(text: str, model: type[Value], *, name: str, context: dict[str, str] | None = None) -> Value:
    """Read YAML text into `model`; `name` stands for the file in error messages, `context` is for validators."""
    try:
        loader = _UniqueKeys(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise InvalidRelease(f"{name}: {where}{getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise InvalidRelease(f"{name}: it is nested too deeply") from error
    except ValueError as error:  # such as the thirteenth month of a date
        raise InvalidRelease(f"{name}: a value cannot be read: {error}") from error
    if not isinstance(data, dict) or node is None:
        raise InvalidRelease(f"{name}: line 1: a mapping of fields is expected")
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        raise InvalidRelease(_explain(error, node, name)) from error


def _explain(error: ValidationError, root: yaml.Node, name: str) -> str:
    lines = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
        lines.append(f"{name}: line {_line(root, problem['loc'])}: {field}: {problem['msg']}")
    return "\n".join(lines)


def _line(node: yaml.Node, location: tuple[int | str, ...]) -> int:
    """Line of the deepest node on the way to `location`; the parent's where the field is missing."""
    found: int = node.start_mark.line + 1
    for part in location:
        child, line_of_key = _child(node, part)
        if child is None:
            break
        node, found = child, line_of_key
    return found


def _child(node: yaml.Node, part: int | str) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None, 0
