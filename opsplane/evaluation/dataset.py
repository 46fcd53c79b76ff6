"""Golden questions: cases in YAML files or JSON lines, each with what a right answer holds."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from opsplane import yamlfile
from opsplane.errors import InvalidRelease, InvalidRequest

LARGEST_YAML = 1_000_000
"""Bytes of one YAML file: the reader that no nesting can end is slow and needs much room. JSON lines hold more."""
LARGEST_LINES = 64_000_000
"""Bytes of one file of JSON lines."""
TOKENS = 150_000
"""So many words, marks and indents of YAML are read: some 3,000 cases, in seconds."""
DEEPEST = 20
"""How deep a YAML file may nest; a case needs five levels."""
TOLD = 20
"""So many of a file's problems are told."""

_LINES = frozenset({".jsonl", ".ndjson"})
_YAML = frozenset({".yaml", ".yml"})
_SMALLER = "; write a larger set as JSON lines (.jsonl)"
_BEGINS = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_ENDS = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_HEAD = frozenset({"name", "as_of"})


def _writable(text: str) -> str:
    """Text without halves of surrogate pairs, which no file can hold."""
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise ValueError("half of a surrogate pair stands in it")
    return text


Text = Annotated[str, AfterValidator(_writable)]
Words = Annotated[str, Field(min_length=1), AfterValidator(_writable)]


class Case(BaseModel):
    """One question. `facts` must all be in the answer, each a string or a list of accepted alternatives.

    `documents` are ids of documents (or tools) of which at least one must be cited; nothing of `forbidden` may be
    stated; `history` holds the customer's earlier questions of the same conversation, `as` the sign-in name of the
    persona that asks. `reference` is a whole answer as a person of the bank would give it; `source` the exchange that
    the case was made of. Case does not matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Words
    kind: Words
    as_: Words = Field(alias="as", default="customer")
    history: tuple[Words, ...] = ()
    question: Words
    facts: tuple[Words | Annotated[tuple[Words, ...], Field(min_length=1)], ...] = ()
    documents: tuple[Words, ...] = ()
    forbidden: tuple[Words, ...] = ()
    reference: Text = ""
    tags: tuple[Words, ...] = ()
    source: Text = ""
    expect: Literal["answer", "decline"] = "answer"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that it says."""
        return _digest(self.model_dump(mode="json"))

    def told(self) -> dict[str, Any]:
        """What it says, by the names of its fields in a file, without what is left at its default."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _some(cases: Any) -> Any:
    """The cases as they are given; a length that is asked of the read ones would be missed by malformed ones too."""
    if cases is None or cases in ([], ()):
        raise PydanticCustomError("no_cases", "it has no cases")
    return cases


class Dataset(BaseModel):
    """Cases that were true on one day; `name` is what people call the set, and is not part of its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text = ""
    as_of: date
    cases: Annotated[tuple[Case, ...], BeforeValidator(_some)]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        counted = Counter(case.id for case in self.cases)
        if repeated := sorted(name for name, times in counted.items() if times > 1):
            raise ValueError(f"cases named twice: {', '.join(repeated[:TOLD])}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the day and the cases, whatever their order and the files they stand in."""
        return _digest({"as_of": self.as_of.isoformat(), "cases": sorted(case.digest for case in self.cases)})

    def subset(self, *, kinds: Iterable[str] = (), tags: Iterable[str] = (), ids: Iterable[str] = ()) -> Self:
        """The cases of any of these kinds, with any of these tags and of these ids; what is not given leaves all.

        Raises `InvalidRequest` for a word that no case has, and where no case is left.
        """
        wanted = {"kind": set(kinds), "tag": set(tags), "id": set(ids)}
        held = {
            "kind": {case.kind for case in self.cases},
            "tag": {tag for case in self.cases for tag in case.tags},
            "id": {case.id for case in self.cases},
        }
        for what, words in wanted.items():
            if unknown := sorted(words - held[what]):
                known = ", ".join(sorted(held[what])[:TOLD]) or "none"
                raise InvalidRequest(
                    f"No case of {self.name or 'the set'} has the {what} {unknown[0]!r}; known: {known}."
                )
        left = tuple(
            case
            for case in self.cases
            if (not wanted["kind"] or case.kind in wanted["kind"])
            and (not wanted["tag"] or wanted["tag"] & set(case.tags))
            and (not wanted["id"] or case.id in wanted["id"])
        )
        if not left:
            raise InvalidRequest(f"No case of {self.name or 'the set'} fits all of that.")
        return type(self)(name=self.name, as_of=self.as_of, cases=left)


def _digest(value: object) -> str:
    told = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(told).hexdigest()


def load(path: Path, today: date | None = None) -> Dataset:
    """One file, or every dataset file of a folder as one set; raise `InvalidRelease` with file, line and field.

    A file of JSON lines may leave out its first line ({"as_of": "2026-11-23"}): its cases are then true `today`.
    """
    files = files_of(path)
    if not files:
        raise InvalidRelease(f"{path}: no dataset (*.yaml or *.jsonl) is there")
    sets: dict[str, Dataset] = {}
    problems: list[str] = []
    for one in files:
        try:
            sets[one.name] = _file(one, today)
        except InvalidRelease as error:
            problems.append(str(error))
    if problems:
        raise InvalidRelease("\n".join(problems))
    _apart(path, sets)
    first = next(iter(sets.values()))
    name = first.name if len(sets) == 1 and first.name else path.stem
    return Dataset(name=name, as_of=first.as_of, cases=tuple(case for one in sets.values() for case in one.cases))


def files_of(path: Path) -> list[Path]:
    """The dataset files that stand directly in a folder, or the one file."""
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.suffix.lower() in _YAML | _LINES and one.is_file())
    return [path]


def save(dataset: Dataset, path: Path) -> None:
    """Write it as YAML or JSON lines, by the file's suffix; raise `InvalidRequest` where it cannot be written.

    What was written is read again and compared, so that nothing of a case is lost.
    """
    suffix = path.suffix.lower()
    if suffix not in _YAML | _LINES:
        raise InvalidRequest(f"{path}: name a file that ends in .yaml or .jsonl.")
    text = _as_lines(dataset) if suffix in _LINES else _as_yaml(dataset)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror}.") from error
    again = load(path)
    if (again.as_of, again.cases) != (dataset.as_of, dataset.cases):
        raise InvalidRequest(f"{path}: what was written does not read the same; use the other format.")


def _head(dataset: Dataset) -> dict[str, str]:
    return ({"name": dataset.name} if dataset.name else {}) | {"as_of": dataset.as_of.isoformat()}


def _as_lines(dataset: Dataset) -> str:
    rows = [_head(dataset), *(case.told() for case in dataset.cases)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _as_yaml(dataset: Dataset) -> str:
    value = _head(dataset) | {"cases": [case.told() for case in dataset.cases]}
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120))


def _apart(path: Path, sets: dict[str, Dataset]) -> None:
    """Raise `InvalidRelease` for files that do not go together: other days, the same id."""
    if len({one.as_of for one in sets.values()}) > 1:
        days = ", ".join(f"{name} {one.as_of}" for name, one in sets.items())
        raise InvalidRelease(f"{path}: the files are true on different days (as_of): {days}")
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name, one in sets.items():
        for case in one.cases:
            places[case.id].append(name)
    twice = [f"{name} ({', '.join(found)})" for name, found in places.items() if len(found) > 1]
    if twice:
        raise InvalidRelease(f"{path}: cases named twice: {'; '.join(twice[:TOLD])}")


def _file(path: Path, today: date | None) -> Dataset:
    lines = path.suffix.lower() in _LINES
    text = _text(path, LARGEST_LINES if lines else LARGEST_YAML)
    try:
        return _of_lines(text, path.name, today) if lines else _of_yaml(text, path.name)
    except InvalidRelease as error:
        problems = str(error).splitlines()
        more = [f"{path.name}: and {len(problems) - TOLD:,} more problems"] if len(problems) > TOLD else []
        raise InvalidRelease("\n".join([*(one[:500] for one in problems[:TOLD]), *more])) from error


def _text(path: Path, largest: int) -> str:
    if not path.is_file():
        raise InvalidRelease(f"{path}: there is no such file or folder")
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise InvalidRelease(f"{path.name}: cannot be read: {error.strerror}") from error
    if len(data) > largest:
        hint = "" if largest == LARGEST_LINES else _SMALLER
        raise InvalidRelease(f"{path.name}: more than {largest:,} bytes{hint}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRelease(f"{path.name}: not written in UTF-8: {error.reason} at byte {error.start + 1}") from error


def _of_yaml(text: str, name: str) -> Dataset:
    if not text.strip():
        raise InvalidRelease(f"{name}: the file is empty; a dataset has as_of and cases")
    _plain(text, name)
    return yamlfile.parse(text, Dataset, name=name)


def _plain(text: str, name: str) -> None:
    """Raise `InvalidRelease` for aliases, by which a small file can stand for an endless one, and for what is too much.

    The reader's time grows with the square of the depth, so that it is looked at token by token, before.
    """
    depth = 0
    try:
        for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
            if number > TOKENS:
                raise InvalidRelease(f"{name}: too much for YAML{_SMALLER}")
            depth += isinstance(token, _BEGINS) - isinstance(token, _ENDS)
            if depth > DEEPEST:
                raise InvalidRelease(f"{name}: line {token.start_mark.line + 1}: nested too deeply")
            if isinstance(token, yaml.AliasToken):
                line = token.start_mark.line + 1
                raise InvalidRelease(f"{name}: line {line}: an alias (*name): each case says everything itself")
    except yaml.YAMLError:
        return  # told with its line when the file is read


def _of_lines(text: str, name: str, today: date | None) -> Dataset:
    rows, problems = _rows(text, name)
    head: dict[str, Any] = {"as_of": today} if today else {}
    if rows and rows[0][1].keys() <= _HEAD:
        head |= rows.pop(0)[1]
    cases, malformed = _cases(rows, name)
    problems += malformed
    if not rows and not problems:
        problems.append(f"{name}: no case is in it")
    if not problems and "as_of" not in head:
        how = 'say in a first line like {"as_of": "2026-11-23"} on which day the cases are true'
        problems.append(f"{name}: line 1: as_of: {how}")
    if problems:
        raise InvalidRelease("\n".join(problems))
    try:
        return Dataset.model_validate({**head, "cases": cases})
    except ValidationError as error:
        raise InvalidRelease("\n".join(f"{name}: line 1: {_problem(one)}" for one in error.errors())) from error


def _cases(rows: Iterable[tuple[int, dict[str, Any]]], name: str) -> tuple[list[Case], list[str]]:
    cases, problems = [], []
    for number, row in rows:
        try:
            cases.append(Case.model_validate(row))
        except ValidationError as error:
            problems += [f"{name}: line {number}: {_problem(one)}" for one in error.errors()]
    return cases, problems


def _rows(text: str, name: str) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """The objects with the numbers of their lines, and what is wrong with the lines that are none."""
    rows, problems = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
        except RecursionError:
            problems.append(f"{name}: line {number}: nested too deeply")
            continue
        except ValueError as error:
            problems.append(f"{name}: line {number}: no JSON object: {error}")
            continue
        if isinstance(row, dict):
            rows.append((number, row))
        else:
            problems.append(f"{name}: line {number}: no JSON object; each case stands on a line of its own")
    return rows, problems


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refusing a field that is written twice: the second would silently win."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"the field {twice[:40]!r} is written twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _problem(error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"])
    return f"{field}: {error['msg']}" if field else str(error["msg"])
